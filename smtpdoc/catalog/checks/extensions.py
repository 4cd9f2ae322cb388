"""What the server offers, before TLS and under it, and whether something else seems to speak in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import LineKind, Stage, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.ehlo import auth_mechanisms, overwritten_keyword
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")

#: Extensions that every current server has; without them mail is slower, is altered, or is refused for no reason.
EXPECTED = ("8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "SIZE")
#: Replies later than this look like a delay on purpose.
SLOW_REPLY_S = 5.0
#: So do several that are later than this one, from a server that is not far away, and one whose lines come as slowly.
TARPIT_REPLY_S = 1.0
TARPIT_REPLIES = 3
_FAR_AWAY_S = 0.5

# Patterns are compiled when a session needs them; most do not.
_VERSION = (
    r"\b(Postfix|Exim|Sendmail|OpenSMTPD|Dovecot|Microsoft ESMTP MAIL Service|MailEnable|MDaemon|hMailServer|Kerio Connect|"
    r"IceWarp|CommuniGate Pro|Haraka|Zimbra|Lotus Domino|qmail)\D{0,20}?v?(\d+\.\d[\w.-]*)"
)
#: Issuers of certificates that products for reading mail on the way make up on the fly.
_INTERCEPTORS = (
    r"avast|AVG |Kaspersky|ESET SSL|Bitdefender|FortiGate|Fortinet|Sophos|Zscaler|Check Point|SonicWall|WatchGuard|"
    r"Palo Alto|Barracuda|Untangle|Norton|McAfee|Trend Micro|Dr\.?Web"
)


_NAMED = 8


def _listed(keywords: Sequence[str]) -> str:
    """Name keywords, the first ones of very many."""
    more = f" and {len(keywords) - _NAMED} more" if len(keywords) > _NAMED + 1 else ""
    return printable(", ".join(keywords[: _NAMED if more else None])) + more


def _greeting(session: Transcript) -> str:
    for exchange in session.exchanges:
        if exchange.stage is Stage.GREETING and exchange.reply is not None:
            return exchange.reply.text
    return ""


@checks.add(
    "extensions-lost",
    title="Some extensions are offered in clear and not under TLS",
    level=Level.INFO,
    why="Usually the server offers more under TLS, not less. Something in between may be speaking one of the two parts.",
    fix="Compare both EHLO replies (--verbose), and look for a proxy in front of the server.",
    sources=(rfc(3207, "4.2"),),
)
def extensions_lost(session: Transcript) -> Iterator[Detail]:
    before, after = session.capabilities_before_tls, session.capabilities_after_tls
    if not before or after is None or session.tls is None:
        return
    gone = [keyword for keyword in before if keyword not in after and keyword != "STARTTLS"]
    gone = [keyword for keyword in gone if overwritten_keyword((keyword,)) is None]
    if gone:
        yield Detail(
            f"{session.host} offers {_listed(gone)} before TLS only",
            subject=session.port_name,
            level=Level.WARNING if "AUTH" in gone else None,
            keywords=tuple(gone),
        )


@checks.add(
    "auth-differs",
    title="Different logins are offered in clear and under TLS",
    level=Level.INFO,
    why="A client that chooses before TLS may choose what the server no longer takes.",
    fix="Offer AUTH under TLS only (Postfix: smtpd_tls_auth_only = yes).",
    sources=(rfc(4954, "4"), rfc(3207, "4.2")),
)
def auth_differs(session: Transcript) -> Iterator[Detail]:
    if session.tls is None or session.tls.implicit:
        return
    before = auth_mechanisms(session.capabilities_before_tls or {})
    after = auth_mechanisms(session.capabilities_after_tls or {})
    gone = [mechanism for mechanism in before if mechanism not in after]
    if gone and after:
        yield Detail(
            f"{session.host} offers AUTH {printable(' '.join(gone))} before TLS only", subject=session.port_name
        )


@checks.add(
    "extensions-missing",
    title="Extensions that every current server has are missing",
    level=Level.INFO,
    why="Without PIPELINING each command waits for its answer; without SIZE a message that is too large is refused only "
    "after it was sent; without 8BITMIME mail is rewritten on the way; without ENHANCEDSTATUSCODES refusals say less.",
    fix="If the server is current, look for a firewall that inspects SMTP and takes extensions out.",
    sources=(rfc(2920), rfc(1870), rfc(6152), rfc(2034)),
)
def extensions_missing(session: Transcript) -> Iterator[Detail]:
    offered = _offered(session)
    if offered is None:
        return
    missing = [keyword for keyword in EXPECTED if keyword not in offered]
    if missing:
        yield Detail(
            f"{session.host} does not offer {', '.join(missing)}", subject=session.port_name, keywords=tuple(missing)
        )


def _offered(session: Transcript) -> Mapping[str, str] | None:
    """What EHLO was answered with at the end; None without an EHLO, or where the server knows HELO only."""
    if any(one.command.startswith("HELO") for one in session.exchanges):
        return None
    after = session.capabilities_after_tls
    return session.capabilities_before_tls if after is None else after


@checks.add(
    "greeting-version",
    title="The greeting tells the server's version",
    level=Level.INFO,
    why="It saves those who look for servers with known holes a step; nobody else needs it.",
    fix="Leave the version out of the greeting (Postfix: smtpd_banner, Exim: smtp_banner).",
)
def greeting_version(session: Transcript) -> Iterator[Detail]:
    greeting = _greeting(session)
    if re.search(r"\d\.\d", greeting) and (told := re.search(_VERSION, greeting, re.IGNORECASE)):
        yield Detail(f"{session.host} greets as {printable(f'{told[1]} {told[2]}')}", subject=session.port_name)


@checks.add(
    "middlebox",
    title="It looks as if something else speaks in the server's place",
    level=Level.WARNING,
    why="Firewalls that inspect SMTP blank out greetings and keywords, and products that scan mail answer with "
    "certificates of their own. What is seen here is then theirs, and they read the mail.",
    fix="Turn SMTP inspection off (Cisco: no inspect esmtp), or compare with a probe from another network.",
    sources=(rfc(3207, "6"),),
)
def middlebox(session: Transcript) -> Iterator[Detail]:
    stripped = overwritten_keyword(session.capabilities_before_tls or ())  # then smtp.starttls-stripped says it all
    greeting = _greeting(session)
    if "****" in greeting and stripped is None:
        yield Detail(
            f"the greeting of {session.host} is blanked out with asterisks; that looks like a firewall's work",
            subject=session.port_name,
        )
    leaf = session.tls.chain[0] if session.tls is not None and session.tls.chain else None
    if (
        leaf is not None
        and session.tls is not None
        and not session.tls.trusted
        and re.search(_INTERCEPTORS, leaf.issuer, re.IGNORECASE)
    ):
        yield Detail(
            f"the certificate of {session.host} was issued by {printable(leaf.issuer)}; that looks like a product that "
            "opens TLS to read the mail",
            subject=session.port_name,
            issuer=leaf.issuer,
        )


#: Dovecot makes each further login from an address wait that had failures, the right one too.
_SLOW_LOGIN_FIX = (
    "If logins from this address failed before, this is the penalty: wait some minutes and look again. Otherwise look "
    "at what checks the server's logins."
)


@checks.add(
    "slow-reply",
    title="The server answers late",
    level=Level.WARNING,
    why="It delays its answers on purpose (tarpitting, against senders that it does not trust), or waits for DNS or a block "
    "list itself. Less patient clients give up. After failed logins most servers slow further ones down.",
    fix="If this client should be trusted, exempt it; otherwise look at the server's DNS, block lists and load.",
    sources=(rfc(5321, "4.5.3.2"),),
)
def slow_reply(session: Transcript) -> Iterator[Detail]:
    answered = [
        exchange
        for exchange in session.exchanges
        if exchange.reply is not None and exchange.stage not in (Stage.GREETING, Stage.QUIT, Stage.MESSAGE)
    ]
    slow = [exchange for exchange in answered if exchange.elapsed_s > SLOW_REPLY_S]
    if not slow and _connected_within(session, _FAR_AWAY_S):
        each = [exchange for exchange in answered if exchange.elapsed_s > TARPIT_REPLY_S]
        slow = each if len(each) >= TARPIT_REPLIES else []
    if slow:
        told = ", ".join(f"{one.stage.value.upper()} after {one.elapsed_s:.1f} s" for one in slow[:3])
        more = f" and {len(slow) - 3} more" if len(slow) > 3 else ""
        yield Detail(
            f"{session.host} answered {told}{more}",
            subject=session.port_name,
            fix=_SLOW_LOGIN_FIX if all(one.stage is Stage.AUTH for one in slow) else None,
            elapsed_s=round(max(one.elapsed_s for one in slow), 3),
        )


@checks.add(
    "dripped-reply",
    title="The server sends its replies line by line, with pauses",
    level=Level.WARNING,
    why="A tarpit: it spends the time of clients that it does not trust, since programs that send spam do not wait.",
    fix="If this client should be trusted, exempt it; otherwise give the probe time, with --timeout.",
    sources=(rfc(5321, "4.5.3.2"),),
)
def dripped_reply(session: Transcript) -> Iterator[Detail]:
    began: float | None = None
    longest = 0.0
    for line in session.lines:
        if line.kind is not LineKind.RECEIVED:
            began = None
            continue
        began = line.at_s if began is None else began
        longest = max(longest, line.at_s - began)
        if line.text[3:4] != "-":
            began = None
    if longest > TARPIT_REPLY_S and not _greeted_late(session):
        yield Detail(
            f"{session.host} took {longest:.1f} s from the first line of a reply to its last",
            subject=session.port_name,
            elapsed_s=round(longest, 3),
        )


def _greeted_late(session: Transcript) -> bool:
    """Its greeting came in two halves, as postscreen's does: smtp.slow-greeting says so where it took long."""
    return any(one.stage is Stage.GREETING and one.elapsed_s > TARPIT_REPLY_S for one in session.exchanges)


def _connected_within(session: Transcript, seconds: float) -> bool:
    return any(one.stage is Stage.CONNECT and one.elapsed_s < seconds for one in session.exchanges)


ENTRIES = checks.entries
