"""What a session with a server says about it: how it can be reached, is it encrypted, does it take the mail?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from smtpdoc.catalog.checks import smtp_answer, smtp_login, smtp_reach
from smtpdoc.catalog.checks.smtp_words import QUOTED_CHARS, envelope_options, failure_of, last, probe_command, refusal
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.ehlo import overwritten_keyword, size_limit
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")
checks.include(smtp_reach.checks, smtp_answer.checks)  # what stands in the way is told first

_TRANSACTION = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.MESSAGE, Stage.QUIT})
_FAULT_WORDS = {
    "bare-lf": "lines that end in LF without CR",
    "extra-cr": "lines with a CR too many",
    "nul": "NUL bytes",
    "control": "control characters",
    "8bit": "characters outside ASCII",
    "long-line": "lines of more than 512 bytes",
    "mixed-codes": "different codes within one reply",
}


# STARTTLS


@checks.add(
    "starttls-missing",
    title="STARTTLS is not offered",
    level=Level.ERROR,
    why="Passwords and mail cross the network in clear, for everybody on the way to read.",
    fix="Give the server a certificate and turn STARTTLS on; if it is on, something between here and there removes it.",
    sources=(rfc(3207, "4"), rfc(8314, "3")),
)
def starttls_missing(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.STARTTLS)
    if exchange is None or exchange.failure is None or exchange.failure.word != "starttls-missing":
        return
    if overwritten_keyword(session.capabilities_before_tls or ()) is None:
        yield Detail(
            f"{session.host} does not offer STARTTLS on port {session.port}",
            subject=session.port_name,
            level=Level.WARNING if session.opportunistic else Level.ERROR,
            paste=() if session.opportunistic else probe_command(session, "--tls optional"),
        )


@checks.add(
    "starttls-stripped",
    title="Something on the way removes STARTTLS",
    level=Level.ERROR,
    why="A firewall or proxy writes over the server's offer of STARTTLS, so that it can read the mail. Whoever else sits "
    "there can read it too.",
    fix="Turn off SMTP inspection (Cisco calls it ESMTP inspection or fixup) on the firewalls of both sides.",
    sources=(rfc(3207, "6"),),
)
def starttls_stripped(session: Transcript) -> Iterator[Detail]:
    keyword = overwritten_keyword(session.capabilities_before_tls or ())
    if keyword is not None and "STARTTLS" not in (session.capabilities_before_tls or {}):
        yield Detail(
            f"the answer to EHLO has {printable(keyword)} where other servers have STARTTLS",
            subject=session.port_name,
            keyword=keyword,
        )


@checks.add(
    "starttls-refused",
    title="STARTTLS is offered and then refused",
    level=Level.ERROR,
    why="The server says that it can, and cannot: often a certificate or key that it fails to load.",
    fix="Look into the server's log for the reason; most often it cannot read its certificate or private key.",
    sources=(rfc(3207, "4"),),
)
def starttls_refused(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.STARTTLS)
    if exchange is not None and exchange.status in (StageStatus.REFUSED, StageStatus.DEFERRED):
        detail = refusal(session, exchange, "offers STARTTLS and refused it", again=probe_command(session))
        detail.level = Level.WARNING if session.opportunistic else Level.ERROR
        # STARTTLS was sent once, as the server wanted: what the catalog advises to clients that do it wrong is no help.
        detail.fix, detail.paste = None, probe_command(session)
        if exchange.reply is not None and re.search(r"X{4,}", exchange.reply.text):
            detail.fix = "The command arrived as XXXX: turn off SMTP inspection on the firewalls of both sides."
        yield detail


@checks.add(
    "starttls-injection",
    title="Text in clear followed the agreement to STARTTLS",
    level=Level.ERROR,
    why="A client that reads on takes this text for part of the encrypted session. Somebody on the way can put commands or "
    "replies there; a server that sends it itself is broken.",
    fix="Compare with a probe from another network. If the text is there too, update the server.",
    sources=(rfc(3207, "4.2"),),
)
def starttls_injection(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.TLS)
    if exchange is None or exchange.failure is None or session.tls_mode == "implicit":
        return
    if exchange.failure.word == "starttls-injection":
        yield Detail(exchange.failure.detail, subject=session.port_name)


@checks.add(
    "starttls-not-started",
    title="The server agreed to STARTTLS and then went on in clear",
    level=Level.ERROR,
    why="After its 220 the next bytes are a TLS handshake. This server did not take ours for one: something between here "
    "and there answers STARTTLS on its behalf, or its TLS part does not work.",
    fix="Look into the server's log for this moment, and for a proxy or filter in front of it that does not know STARTTLS.",
    sources=(rfc(3207, "4"),),
)
def starttls_not_started(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.TLS)
    if exchange is None or exchange.failure is None or session.tls_mode == "implicit":
        return
    if exchange.failure.word == "tls-clear-deferral":
        yield Detail(exchange.failure.detail, subject=session.port_name, level=Level.UNKNOWN)
    elif exchange.failure.word == "tls-clear-answer":
        yield Detail(exchange.failure.detail, subject=session.port_name)


@checks.add(
    "starttls-offered-again",
    title="STARTTLS is still offered under TLS",
    level=Level.WARNING,
    why="A session that is encrypted cannot start TLS again; a proxy may be speaking TLS on the server's behalf.",
    fix="Let the server know that the proxy has done TLS, or let it do TLS itself.",
    sources=(rfc(3207, "4.2"),),
)
def starttls_offered_again(session: Transcript) -> Iterator[Detail]:
    if session.tls is not None and "STARTTLS" in (session.capabilities_after_tls or {}):
        yield Detail(f"{session.host} offers STARTTLS in a session that has TLS already", subject=session.port_name)


checks.include(smtp_login.checks)


# The envelope


@checks.add(
    "envelope-not-safe",
    title="The envelope was not sent, because it would have gone in clear",
    level=Level.UNKNOWN,
    why="Encryption was expected here and did not come about.",
    fix="Mend STARTTLS first, or say with --tls optional that clear text will do.",
    sources=(rfc(8314, "3"),),
)
def envelope_not_safe(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.MAIL)
    if exchange is not None and exchange.failure and exchange.failure.kind is FailureKind.SKIPPED_UNSAFE:
        yield Detail(exchange.failure.detail, subject=session.port_name, paste=probe_command(session, "--tls optional"))


@checks.add(
    "mail-refused",
    title="The sender was refused",
    level=Level.ERROR,
    why="The server takes no mail from this address, from this client, or without a login.",
    fix="The reply says which; on a submission port log in first, with --auth-user.",
    sources=(rfc(5321, "4.1.1.2"),),
)
def mail_refused(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.MAIL)
    if exchange is not None and exchange.status is StageStatus.REFUSED:
        what = f"refused the sender {_sender(session)}"
        size = session.declared_size_bytes
        if size is not None and exchange.explanation is not None and exchange.explanation.reason == "message-too-big":
            limit = size_limit(session.capabilities_after_tls or session.capabilities_before_tls or {})
            what = f"refused a message of {size:,} bytes"
            if limit is not None and limit < size:
                what = f"takes {limit:,} bytes at most, and refused a message of {size:,}"
        yield refusal(session, exchange, what)


@checks.add(
    "mail-deferred",
    title="The sender was put off",
    level=Level.UNKNOWN,
    why="A 4yz reply is no verdict: the server asks to try again later.",
    fix="Try again in some minutes; a mail server would keep the message in its queue.",
    sources=(rfc(5321, "4.2.1"),),
)
def mail_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.MAIL)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        what = "closes the session" if _closing(exchange) else f"put off the sender {_sender(session)}"
        yield refusal(session, exchange, what, again=probe_command(session))


@checks.add(
    "rcpt-refused",
    title="A recipient was refused",
    level=Level.ERROR,
    why="The server will not take mail for this address from this client.",
    fix="The reply says why: the mailbox does not exist, is full, or the server does not relay for this client.",
    sources=(rfc(5321, "4.1.1.3"),),
)
def rcpt_refused(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is Stage.RCPT and exchange.decides and exchange.status is StageStatus.REFUSED:
            yield _about_recipient(session, exchange, "refused")


@checks.add(
    "rcpt-deferred",
    title="A recipient was put off",
    level=Level.UNKNOWN,
    why="A 4yz reply is no verdict: greylisting, a full mailbox, or a limit. The same address may be accepted later.",
    fix="Try again after the time that the reply names, or in five minutes, with the same sender and from the same address.",
    sources=(rfc(5321, "4.2.1"), rfc(6647)),
)
def rcpt_deferred(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is Stage.RCPT and exchange.decides and exchange.status is StageStatus.DEFERRED:
            again = f"put off again, {session.waited_s:g} s later," if session.attempt > 1 else "put off"
            detail = _about_recipient(session, exchange, again)
            recipient = exchange.recipient or ""
            if session.attempt == 1 and detail.facts.get("reason") == "greylisted":
                # Another sender would be greylisted anew (RFC 6647 section 2.3).
                detail.paste = probe_command(session, *envelope_options(session, recipient), "--greylist-wait")
            if detail.facts.get("code") == 421 and (silent := _after(session, exchange)):
                whom = printable(silent[0]) if len(silent) == 1 else f"{len(silent)} recipients after it"
                detail.message += f"; {whom} got no answer"
            yield detail


def _after(session: Transcript, exchange: Exchange) -> list[str]:
    """Return the recipients that were left without an answer after this one."""
    later = session.exchanges[session.exchanges.index(exchange) + 1 :]
    return [one.recipient or "" for one in later if one.stage is Stage.RCPT and one.status is StageStatus.FAILED]


def _about_recipient(session: Transcript, exchange: Exchange, what: str) -> Detail:
    recipient = printable(exchange.recipient or "the recipient")
    detail = refusal(session, exchange, f"{what} {recipient}")
    detail.subject = recipient
    return detail


def _closing(exchange: Exchange) -> bool:
    """421 is about the session, whatever it answers (RFC 5321 section 3.8)."""
    return exchange.reply is not None and exchange.reply.code == 421


def _sender(session: Transcript) -> str:
    return f"<{printable(session.mail_from or '')}>"


# How well does it speak?


@checks.add(
    "surplus-reply",
    title="The server sent replies that nobody had asked for",
    level=Level.WARNING,
    why="From a surplus reply on, a client that counts on one reply for each command takes every answer for the wrong "
    "question; where it came late, earlier answers here may be off by one as well.",
    fix="Look for what writes into the session: a filter, a proxy, or a server script that answers twice.",
    sources=(rfc(5321, "4.2"),),
)
def surplus_reply(session: Transcript) -> Iterator[Detail]:
    if any(one.failure is not None and one.failure.word == "starttls-injection" for one in session.exchanges):
        return  # told with the injection
    # 421 is the one reply that may come at any time (RFC 5321 section 3.8).
    seen = Counter((one.code, one.text[:QUOTED_CHARS]) for one in session.unsolicited if one.code != 421)
    for (code, text), times in seen.items():
        often = "" if times == 1 else f", {times} times"
        yield Detail(
            f"{session.host} sent {code} {printable(text)} unasked{often}",
            subject=session.port_name,
            code=code,
            times=times,
        )


@checks.add(
    "reply-faults",
    title="Some replies break the rules of SMTP",
    level=Level.WARNING,
    why="This client reads them all the same; others may wait for ever, or read something else.",
    fix="Update the server, or look at what rewrites its replies on the way.",
    sources=(rfc(5321, "4.2"), rfc(5321, "2.3.8")),
)
def reply_faults(session: Transcript) -> Iterator[Detail]:
    seen: dict[str, Stage] = {}
    for exchange in session.exchanges:
        for fault in exchange.reply.faults if exchange.reply is not None else ():
            if fault == "8bit" and "SMTPUTF8" in session.parameters and exchange.stage in _TRANSACTION:
                continue  # asked for (RFC 6531 section 3.7.4)
            seen.setdefault(fault, exchange.stage)
    for fault, stage in seen.items():
        words = _FAULT_WORDS.get(fault, fault)
        detail = Detail(f"{session.host} sends {words}, first at {stage.value.upper()}", subject=session.port_name)
        detail.level = Level.INFO if fault == "8bit" and "SMTPUTF8" in _offered(session) else Level.WARNING
        yield detail


def _offered(session: Transcript) -> frozenset[str]:
    return frozenset({**(session.capabilities_before_tls or {}), **(session.capabilities_after_tls or {})})


@checks.add(
    "codes-disagree",
    title="Reply code and enhanced status code contradict each other",
    level=Level.WARNING,
    why="One of the two says try again, the other says give up; senders act on either.",
    fix="Change the server's reply so that both begin with the same digit.",
    sources=(rfc(2034, "4"), rfc(3463, "2")),
)
def codes_disagree(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        reply = exchange.reply
        if reply is None or reply.enhanced is None or reply.code is None or reply.code < 400:
            continue
        if not reply.enhanced.startswith(str(reply.code)[0]):
            yield Detail(
                f"{session.host} answered {exchange.stage.value.upper()} with {reply.code} {reply.enhanced}",
                subject=session.port_name,
                code=reply.code,
                enhanced=reply.enhanced,
            )


ENTRIES = checks.entries
