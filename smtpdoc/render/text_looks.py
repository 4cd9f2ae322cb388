"""What was looked at beside a session: TLS versions, DANE, MTA-STS, names. An answer that was asked for is shown
also when all is well."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from smtpdoc.evidence.auth import HostAddress
from smtpdoc.evidence.looks import Dane, Enforcement, Identity, StarttlsInjection, StsDelivery, VersionAnswer
from smtpdoc.evidence.smtp import Transcript, version_name
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply import Reply
from smtpdoc.render.text import Page
from smtpdoc.render.text_certificates import key_exchange

_OLD = ("TLSv1", "TLSv1.1")
_LABEL_WIDTH = 11
_SHOWN_DIGITS = 16


def render_looks(page: Page, session: Transcript) -> None:
    """Print a line or a few for each look; nothing where there was none."""
    for label, rows in _looks(session, verbose=page.verbose):
        for number, (level, text) in enumerate(rows):
            first = Text.assemble("  ", (f"{label if number == 0 else '':<{_LABEL_WIDTH}}", "head"), " ")
            if level is not None:
                first.append_text(page.mark(level)).append(" ")
            page.hanging(first, text)


_Rows = list[tuple[Level | None, str]]


def _looks(session: Transcript, *, verbose: bool) -> Iterator[tuple[str, _Rows]]:
    if session.tls_versions:
        yield "versions", [_version(one, opportunistic=session.opportunistic) for one in session.tls_versions]
    if session.starttls_injection is not None:
        yield "injection", [_injection(session.starttls_injection)]
    if session.enforcement is not None:
        yield "in clear", list(_enforcement(session.enforcement, opportunistic=session.opportunistic))
    if session.dane is not None:
        yield "DANE", list(_dane(session.dane))
    if session.mta_sts is not None:
        yield "MTA-STS", [_sts(session.mta_sts)]
    if session.identity is not None and (session.identity.wanted or verbose):
        yield "identity", list(_identity(session, session.identity))


def _version(one: VersionAnswer, *, opportunistic: bool) -> tuple[Level, str]:
    name = version_name(one.version)
    if one.works is None:
        return Level.UNKNOWN, f"{name}  {one.detail}"
    if one.works:
        old = Level.INFO if opportunistic else Level.WARNING  # between servers better than clear text
        return (old if one.version in _OLD else Level.PASS), f"{name}  {one.cipher}{_group(one)}"
    return (Level.PASS if one.version in _OLD else Level.INFO), f"{name}  not accepted"


def _group(one: VersionAnswer) -> str:
    return f", {key_exchange(one.group, one.group_bits)}" if one.group else ""


def _injection(one: StarttlsInjection) -> tuple[Level, str]:
    level = {"executed": Level.ERROR, "answered-in-clear": Level.WARNING, "unknown": Level.UNKNOWN}.get(one.verdict)
    words = {"executed": "vulnerable", "answered-in-clear": "not under TLS", "unknown": "not known"}.get(one.verdict)
    return level or Level.PASS, f"{words or 'not vulnerable'}: {one.detail}"


def _enforcement(one: Enforcement, *, opportunistic: bool) -> Iterator[tuple[Level, str]]:
    if one.mail is None and one.auth is None:
        yield Level.UNKNOWN, one.problem or "no answer"
    if one.mail is not None:
        accepted = Level.INFO if opportunistic else Level.WARNING
        yield (accepted if one.mail.positive else Level.PASS), f"MAIL FROM: {_reply(one.mail)}"
    if one.auth is not None:
        taken = one.auth.code == 334  # what it asks for is base64, which helps nobody
        words = "334, taken up; we cancelled" if taken else _reply(one.auth)
        yield (Level.ERROR if taken else Level.PASS), f"AUTH {one.mechanism}: {words}"


def _reply(reply: Reply) -> str:
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else f"{reply.code}"
    return f"{codes} {reply.text}".rstrip()


def _dane(dane: Dane) -> Iterator[tuple[Level | None, str]]:
    if dane.bogus:
        yield Level.ERROR, f"DNSSEC fails for {' and '.join(f'{one.name} {one.rdtype}' for one in dane.bogus)}"
        return
    if dane.status == "unknown":
        yield Level.UNKNOWN, f"DNS gave no answer for {dane.name}"
        return
    if dane.status == "none":
        yield Level.INFO, f"no record at {dane.name}"
        return
    trust = "from the zone file" if dane.local else "authenticated" if dane.secure else "not authenticated"
    if dane.secure and dane.over_network and not dane.local:
        trust += " by a resolver over the network"
    if dane.secure and dane.mx_secure is False:
        trust += "; the MX is not"
    yield None, f"{dane.name}, {trust}"
    unfit = "no certificate to hold it against" if dane.status == "no-tls" else "fits nothing that is served"
    for match in dane.matches:
        record = match.record
        digest = record.data.hex()
        shown = digest if len(digest) <= _SHOWN_DIGITS else digest[:_SHOWN_DIGITS] + "…"
        words = f"{record.usage} {record.selector} {record.matching_type} {shown}"
        if match.position is None or match.problem:
            level = Level.INFO if dane.status == "match" else Level.ERROR if match.usable else Level.WARNING
            yield level, f"{words}  {match.problem or unfit}"
        else:
            what = "the server's certificate" if match.position == 0 else f"certificate {match.position} of the chain"
            yield Level.PASS, f"{words}  fits {what}"


def _sts(one: StsDelivery) -> tuple[Level, str]:
    if one.mode is None:
        return Level.INFO, f"no policy of {one.domain} that senders can follow"
    if one.mode == "none":
        return Level.INFO, f"the policy of {one.domain} has mode none: senders ask for nothing"
    if one.delivers is None:
        return Level.UNKNOWN, f"mode {one.mode}; without a session nobody can tell"
    if one.delivers:
        return Level.PASS, f"mode {one.mode}; senders deliver here (mx {one.pattern})"
    level = Level.ERROR if one.mode == "enforce" else Level.WARNING
    return level, f"mode {one.mode}; this host breaks the policy"


def _identity(session: Transcript, who: Identity) -> Iterator[tuple[Level | None, str]]:
    if who.timed_out:
        yield Level.UNKNOWN, "DNS gave no answer in time"
    if who.server is not None:
        yield None, f"server {_address(who.server)}"
    names = [f"greets as {who.greeting_name}"] if who.greeting_name else []
    names += [f"EHLO {who.ehlo_name}"] if who.ehlo_name and who.ehlo_name != who.greeting_name else []
    if session.tls is not None and session.tls.chain:
        leaf = session.tls.chain[0]
        certified = leaf.names[:3] or ((leaf.common_name,) if leaf.common_name else ())
        names += [f"certificate for {', '.join(printable(name) for name in certified)}"] if certified else []
    if names:
        yield None, "; ".join(names)
    if who.ours is not None:
        yield None, f"we     {_address(who.ours)}"
    elif who.wanted and session.source_address:
        seen = f", seen by the server as {who.seen_as}" if who.seen_as else ""
        yield None, f"we     {session.source_address}{seen}"
    if session.helo and who.helo_lookups:
        addresses = [ip for one in who.helo_lookups for ip in one.names]
        yield None, f"our EHLO name {session.helo} leads to {', '.join(addresses[:3]) or 'no address'}"


def _address(address: HostAddress) -> str:
    if not address.ptr:
        known = address.lookup is not None and address.lookup.void
        return f"{address.ip}, {'no reverse name' if known else 'reverse name not known'}"
    verdict = {True: "confirmed", False: "which does not lead back", None: "not confirmed: no answer"}
    return f"{address.ip} is {', '.join(address.ptr[:3])}, {verdict[address.forward_confirmed]}"
