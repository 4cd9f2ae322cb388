"""What the envelope tells beyond one recipient's verdict: parameters, made-up and foreign recipients, VRFY and EXPN."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import probe_command, quoted
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, Purpose, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.ehlo import MEANINGS, size_limit
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")

_OK, _REFUSED, _DEFERRED = StageStatus.OK, StageStatus.REFUSED, StageStatus.DEFERRED
#: Reasons that say "not for you" to a foreign recipient; any other refusal is about something else.
_RELAY_REASONS = frozenset(
    {"relay-denied", "auth-required", "user-unknown", "recipient-refused", "bad-address", "policy", None}
)
_UNKNOWN_REASONS = frozenset({"user-unknown", "bad-address", "recipient-moved", "mailbox-disabled"})


def _offered(session: Transcript) -> dict[str, str]:
    """What held when the envelope was sent: after TLS, what was offered there."""
    return dict(session.capabilities_after_tls or session.capabilities_before_tls or {})


def _reason(exchange: Exchange) -> str | None:
    return exchange.explanation.reason if exchange.explanation is not None else None


def _recipients(session: Transcript, purpose: Purpose | None = None) -> list[Exchange]:
    return [one for one in session.exchanges if one.stage is Stage.RCPT and one.purpose is purpose]


def _domain(exchange: Exchange) -> str:
    return (exchange.recipient or "").rpartition("@")[2].lower()


# Parameters


@checks.add(
    "parameter-not-offered",
    title="Something that was asked for is not offered",
    level=Level.WARNING,
    why="A parameter of MAIL FROM or RCPT TO may be used only where the answer to EHLO lists its extension; servers "
    "refuse the whole command otherwise. So it was left out.",
    fix="Do without it here, or turn the extension on at the server. Some servers offer more under TLS or after a login.",
    sources=(rfc(5321, "2.2.1"),),
)
def parameter_not_offered(session: Transcript) -> Iterator[Detail]:
    for one in session.withheld:
        meaning = MEANINGS.get(one.keyword)
        what = f"{one.keyword}, which {meaning}" if meaning else one.keyword
        yield Detail(
            f"{printable(one.parameter)} was not sent: {one.detail or f'{session.host} does not offer {what}'}",
            subject=session.port_name,
            fix="Mend TLS first: the tls findings say what is wrong with it." if one.detail else None,
            parameter=one.parameter,
            keyword=one.keyword,
        )


@checks.add(
    "smtputf8-not-offered",
    title="The server cannot take this address",
    level=Level.ERROR,
    why="The part before the @ is not ASCII. Only servers with SMTPUTF8 can be told such a name; for all others it does "
    "not exist, and there is no way to write it differently.",
    fix="Use an address in ASCII for this person, or turn SMTPUTF8 on at the server.",
    sources=(rfc(6531, "3.1"), rfc(6531, "3.2")),
)
def smtputf8_not_offered(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.failure is not None and exchange.failure.word == "smtputf8-not-offered":
            who = exchange.recipient or session.mail_from or ""
            yield Detail(
                f"{session.host} does not offer SMTPUTF8, so {printable(who)} was not tried", subject=printable(who)
            )


@checks.add(
    "size-over-limit",
    title="A size above the server's own limit was accepted",
    level=Level.WARNING,
    why="The server names a limit and does not hold MAIL FROM to it. It will refuse the message after all of it has "
    "crossed the network, or later with a bounce.",
    fix="Send less, or something else than an attachment. The server should refuse at MAIL FROM (RFC 1870 section 6.1).",
    sources=(rfc(1870, "6.1"),),
)
def size_over_limit(session: Transcript) -> Iterator[Detail]:
    limit, size = size_limit(_offered(session)), session.declared_size_bytes
    mail = next((one for one in session.exchanges if one.stage is Stage.MAIL), None)
    if limit is not None and size is not None and size > limit and mail is not None and mail.status is _OK:
        yield Detail(
            f"{session.host} takes {limit:,} bytes at most, and accepted MAIL FROM for {size:,}",
            subject=session.port_name,
            size_bytes=size,
            limit=limit,
        )


# Made-up recipients


@checks.add(
    "catch-all",
    title="The server accepts addresses that nobody has",
    level=Level.WARNING,
    why="Where a made-up address is accepted, acceptance says nothing about a real one: the domain has a catch-all "
    "mailbox, or the server looks for the mailbox later and then bounces.",
    fix="To know whether a mailbox exists, send a message and watch for the bounce. A server that accepts first and bounces "
    "later should learn its recipients, or it will bounce spam to people who never sent it.",
    sources=(rfc(5321, "3.3"), rfc(5321, "6.2")),
)
def catch_all(session: Transcript) -> Iterator[Detail]:
    for control in _recipients(session, Purpose.CONTROL):
        if control.status is not _OK:
            continue
        domain = _domain(control)
        there = [one for one in _recipients(session) if _domain(one) == domain and one.status is _OK]
        proof = f": its acceptance of {printable(there[0].recipient or '')} proves nothing" if there else ""
        yield Detail(
            f"{session.host} accepts every address at {printable(domain)}, a made-up one too{proof}",
            subject=printable(domain),
            control=control.recipient,
        )


@checks.add(
    "unknown-refused",
    title="The server refuses addresses that nobody has",
    level=Level.INFO,
    why="A made-up address at the same domain was refused, so acceptance means that the server knows the address, as a "
    "mailbox, alias or pattern.",
    fix="Nothing to do.",
    sources=(rfc(5321, "3.3"),),
)
def unknown_refused(session: Transcript) -> Iterator[Detail]:
    for control in _recipients(session, Purpose.CONTROL):
        if control.status is _REFUSED and _tells_apart(session, control):
            domain = _domain(control)
            there = [one for one in _recipients(session) if _domain(one) == domain and one.status is _OK]
            known = ", ".join(printable(one.recipient or "") for one in there)
            meaning = f", so {known} is known to it" if known else ""
            yield Detail(
                f"{session.host} refuses a made-up address at {printable(domain)}{meaning}",
                subject=printable(domain),
                control=control.recipient,
            )


def _tells_apart(session: Transcript, control: Exchange) -> bool:
    """Is this refusal about the address? Its words say so, or others at the domain were accepted beside it."""
    if _reason(control) in _UNKNOWN_REASONS:
        return True
    return any(one.status is _OK for one in _recipients(session) if _domain(one) == _domain(control))


@checks.add(
    "catch-all-unknown",
    title="Whether the server accepts every address could not be told",
    level=Level.UNKNOWN,
    why="The made-up address got an answer that is not about the address: a deferral, or a refusal of this client.",
    fix="Mend what the reply complains about, or wait where it asks for that, and try again.",
)
def catch_all_unknown(session: Transcript) -> Iterator[Detail]:
    for control in _recipients(session, Purpose.CONTROL):
        if control.status is _DEFERRED or (control.status is _REFUSED and not _tells_apart(session, control)):
            yield Detail(
                f"a made-up address at {printable(_domain(control))} got {quoted(control)}",
                subject=printable(_domain(control)),
                control=control.recipient,
            )


# Relaying


@checks.add(
    "relay-accepted",
    title="The server accepts mail from strangers for elsewhere",
    level=Level.ERROR,
    why="A server that forwards for anybody is found by spammers within days and then listed by block lists. Acceptance at "
    "RCPT TO is not yet proof: no message was sent, some servers refuse only after DATA, and this client may be one that "
    "is trusted by its address.",
    fix="Run this from an address that the server does not know. If it is accepted there too, relay only for your own "
    "networks and logged-in users (Postfix: smtpd_relay_restrictions; Exim: the relay ACLs).",
    sources=(rfc(5321, "7.9"), rfc(2505, "2.1")),
)
def relay_accepted(session: Transcript) -> Iterator[Detail]:
    for exchange in _recipients(session, Purpose.RELAY):
        if exchange.status is _OK and exchange.recipient == session.relay_to:
            yield Detail(
                f"{session.host} accepted {printable(exchange.recipient or '')} from <{printable(session.mail_from or '')}> "
                "without a login",
                subject=session.port_name,
                recipient=exchange.recipient,
            )


@checks.add(
    "relay-syntax-accepted",
    title="The server accepts a foreign recipient in old routing syntax",
    level=Level.WARNING,
    why="Either it takes the address for one of its own mailboxes, which is harmless, or it unpacks it and forwards. RCPT TO "
    "does not tell which.",
    fix="See where such a message goes: in the server's log, or by sending one to an address of yours elsewhere. Servers "
    "should not unpack percent signs and bangs (Postfix: allow_percent_hack = no, swap_bangpath = no).",
    sources=(rfc(5321, "3.6.1"), rfc(2505, "2.1")),
)
def relay_syntax_accepted(session: Transcript) -> Iterator[Detail]:
    if any(control.status is _OK for control in _recipients(session, Purpose.CONTROL)):
        return  # whatever it accepts there, it accepts as one of its own
    accepted = [
        one.recipient or ""
        for one in _recipients(session, Purpose.RELAY)
        if one.status is _OK and one.recipient != session.relay_to
    ]
    if accepted:
        listed = ", ".join(f"<{printable(one)}>" for one in accepted)
        yield Detail(f"{session.host} accepted {listed}", subject=session.port_name, recipients=tuple(accepted))


@checks.add(
    "relay-refused",
    title="The server does not relay for strangers",
    level=Level.INFO,
    why="A foreign recipient was refused in every form that was tried.",
    fix="Nothing to do.",
    sources=(rfc(5321, "7.9"),),
)
def relay_refused(session: Transcript) -> Iterator[Detail]:
    tried = _recipients(session, Purpose.RELAY)
    plain = next((one for one in tried if one.recipient == session.relay_to), None)
    if plain is None or plain.status is not _REFUSED or _reason(plain) not in _RELAY_REASONS:
        return
    refused = sum(one.status is _REFUSED for one in tried)
    if not any(one.status is _OK for one in tried):
        yield Detail(
            f"{session.host} refused {printable(session.relay_to or '')} in {refused} of {len(tried)} forms, and "
            "accepted none",
            subject=session.port_name,
            tried=len(tried),
        )


@checks.add(
    "relay-unclear",
    title="Whether the server relays could not be told",
    level=Level.UNKNOWN,
    why="The answer was not about relaying: the server put the recipient off, or refused this client, the sender or the "
    "foreign domain for a reason of its own.",
    fix="Use a sender and a foreign recipient whose domains exist and take mail: --from, --relay-to.",
)
def relay_unclear(session: Transcript) -> Iterator[Detail]:
    plain = next((one for one in _recipients(session, Purpose.RELAY) if one.recipient == session.relay_to), None)
    if plain is None or plain.status in (_OK, StageStatus.SKIPPED, StageStatus.FAILED):
        return
    if plain.status is _DEFERRED or _reason(plain) not in _RELAY_REASONS:
        yield Detail(
            f"{session.host} answered {printable(session.relay_to or '')} with {quoted(plain)}",
            subject=session.port_name,
            paste=probe_command(session, "--relay-test --relay-to YOU@YOUR.OTHER.DOMAIN"),
        )


# VRFY and EXPN


@checks.add(
    "vrfy-discloses",
    title="VRFY tells strangers which mailboxes exist",
    level=Level.WARNING,
    why="Whoever sends spam or guesses passwords can collect names this way. 252 for every name gives nothing away.",
    fix="Turn VRFY off (Postfix: disable_vrfy_command = yes; Sendmail: PrivacyOptions=novrfy), or answer 252.",
    sources=(rfc(5321, "3.5.3"), rfc(5321, "7.3")),
)
def vrfy_discloses(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is not Stage.VRFY or exchange.reply is None or not _discloses(exchange):
            continue
        name = printable(exchange.recipient or "")
        words = f"confirmed {name}" if exchange.reply.positive else f"said that {name} does not exist"
        yield Detail(
            f"{session.host} {words}: {quoted(exchange)}",
            subject=session.port_name,
            asked=exchange.recipient,
            code=exchange.reply.code,
        )


@checks.add(
    "expn-discloses",
    title="EXPN tells strangers who is on a list",
    level=Level.WARNING,
    why="The members of a list, or the names behind an alias, are addresses for spam and for attacks.",
    fix="Turn EXPN off (Sendmail: PrivacyOptions=noexpn; Exim: no acl_smtp_expn).",
    sources=(rfc(5321, "3.5.3"), rfc(5321, "7.3")),
)
def expn_discloses(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is not Stage.EXPN or exchange.reply is None or not _discloses(exchange):
            continue
        known = exchange.reply.positive
        words = "told what {} stands for" if known else "said that there is no {}"
        yield Detail(
            f"{session.host} {words.format(printable(exchange.recipient or ''))}: {quoted(exchange)}",
            subject=session.port_name,
            asked=exchange.recipient,
            members=tuple(line for line in exchange.reply.lines if line) if known else (),
        )


def _discloses(exchange: Exchange) -> bool:
    """Does this answer to VRFY or EXPN say whether the name exists? 252 does not, nor does a refusal to answer."""
    code = None if exchange.reply is None else exchange.reply.code
    return code in (250, 251) or (exchange.status is _REFUSED and _reason(exchange) == "user-unknown")


@checks.add(
    "vrfy-guarded",
    title="VRFY or EXPN gives nothing away",
    level=Level.INFO,
    why="252 neither confirms nor denies, and a refusal of the command itself tells nothing about the name.",
    fix="Nothing to do.",
    sources=(rfc(5321, "3.5.3"), rfc(5321, "7.3")),
)
def vrfy_guarded(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        reply = exchange.reply
        if exchange.stage not in (Stage.VRFY, Stage.EXPN) or reply is None or _discloses(exchange):
            continue
        verb = exchange.stage.value.upper()
        how = "neither confirms nor denies" if reply.code == 252 else "gives nothing away"
        if reply.code == 501 and "@" not in (exchange.recipient or ""):
            how = "was not understood; ask with a domain, NAME@DOMAIN"
        yield Detail(
            f"{verb} {printable(exchange.recipient or '')} {how}: {quoted(exchange)}",
            subject=session.port_name,
            asked=exchange.recipient,
            code=reply.code,
        )


# Greylisting


@checks.add(
    "greylisted-then-accepted",
    title="The server greylists, and accepted the second try",
    level=Level.INFO,
    why="It puts off senders that it has not seen, and takes their mail once they come back, as a mail server does by "
    "itself. Only the first message of a sender is late.",
    fix="Nothing to do; a sender that does not queue and retry cannot deliver here.",
    sources=(rfc(6647, "2"),),
)
def greylisted_then_accepted(session: Transcript) -> Iterator[Detail]:
    if session.attempt < 2:
        return
    for exchange in _recipients(session):
        if exchange.status is _OK and exchange.recipient in session.greylisted:
            who = printable(exchange.recipient or "")
            yield Detail(
                f"{session.host} put {who} off at first and accepted it {session.waited_s:g} s later",
                subject=who,
                waited_s=round(session.waited_s),
            )


ENTRIES = checks.entries
