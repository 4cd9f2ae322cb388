"""What became of a message that was really sent, or why it was not."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import refusal
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")

_CUT_OFF = "message-cut-off"


def _answers(session: Transcript, *stages: Stage) -> Iterator[tuple[Exchange, tuple[str, ...]]]:
    """Tell the exchanges of these stages, each with the recipients that the message was for: a second try after
    greylisting may have sent it again, to others; LMTP answers for each (RFC 2033 section 4.2)."""
    recipients: list[str] = []
    for one in session.exchanges:
        if one.stage is Stage.RCPT and one.decides and one.status is StageStatus.OK:
            recipients.append(one.recipient or "")
        elif one.stage in stages:
            yield one, (one.recipient,) if one.recipient else tuple(recipients)
        if one.stage is Stage.MESSAGE:
            recipients.clear()


def _size(session: Transcript) -> str:
    return f"{session.message.size_bytes:,} bytes" if session.message is not None else "the message"


@checks.add(
    "message-accepted",
    title="The server took responsibility for the message",
    level=Level.INFO,
    why="It will now deliver the message or send a bounce to the envelope sender. Accepted is not delivered: the message may "
    "still be filtered, delayed, or land in the spam folder.",
    fix="Look for the message in the mailbox and its spam folder, and for a bounce at the sender's address.",
    sources=(rfc(5321, "4.2.5"), rfc(5321, "6.1")),
)
def message_accepted(session: Transcript) -> Iterator[Detail]:
    for exchange, recipients in _answers(session, Stage.MESSAGE):
        if exchange.status is StageStatus.OK:
            yield _taken(session, exchange, recipients)


def _taken(session: Transcript, exchange: Exchange, recipients: tuple[str, ...]) -> Detail:
    found = exchange.explanation.facts.get("queue_id") if exchange.explanation is not None else None
    queue_id = str(found) if found else None
    whom = ", ".join(map(printable, recipients))
    where = f"; in its log it is {printable(queue_id)}" if queue_id else ""
    return Detail(
        f"{session.host} accepted {_size(session)} for {whom}{where}",
        subject=session.port_name,
        fix=None
        if queue_id is None
        else f"Look for {printable(queue_id)} in the server's log, for the message in the mailbox and its spam folder, "
        "and for a bounce at the sender's address.",
        queue_id=queue_id,
        recipients=recipients,
    )


def _refusals(session: Transcript, status: StageStatus) -> Iterator[Detail]:
    for exchange, _ in _answers(session, Stage.DATA, Stage.MESSAGE):
        if exchange.status is not status or exchange.reply is None:
            continue
        when = "after the whole message"
        if exchange.stage is Stage.DATA:
            when = "in the middle of it" if exchange.command.startswith("BDAT") else "before the message was sent"
        yield refusal(session, exchange, f"said {when}")


@checks.add(
    "message-refused",
    title="The server refused the message",
    level=Level.ERROR,
    why="Sender and recipients were accepted, the message was not: its content, its size, its authentication, or a rule that "
    "the server applies only at the end. Nobody got it.",
    fix="The reply says why; change the message or the sending domain's DNS before you try again.",
    sources=(rfc(5321, "4.1.1.4"),),
)
def message_refused(session: Transcript) -> Iterator[Detail]:
    yield from _refusals(session, StageStatus.REFUSED)


@checks.add(
    "message-deferred",
    title="The server put the message off",
    level=Level.UNKNOWN,
    why="A 4yz reply to the message: the server has not taken it and asks to be given it again later. Nobody got it.",
    fix="Send it again after some minutes; a mail server would keep it in its queue.",
    sources=(rfc(5321, "4.2.1"),),
)
def message_deferred(session: Transcript) -> Iterator[Detail]:
    yield from _refusals(session, StageStatus.DEFERRED)


@checks.add(
    "message-unconfirmed",
    title="Nobody knows whether the server took the message",
    level=Level.UNKNOWN,
    why="The connection ended, or the time was up, before the reply to the end of the message. The server may have taken it "
    "all the same; sending it again may deliver it twice.",
    fix="Look into the mailbox or the server's log before you send it again.",
    sources=(rfc(5321, "4.5.3.2.6"), rfc(1047)),
)
def message_unconfirmed(session: Transcript) -> Iterator[Detail]:
    for exchange, _ in _answers(session, Stage.MESSAGE):
        if exchange.failure is not None and exchange.failure.word != _CUT_OFF:
            yield Detail(printable(exchange.failure.detail), subject=session.port_name, fault=exchange.failure.word)


@checks.add(
    "message-cut-off",
    title="The message did not get through to its end",
    level=Level.UNKNOWN,
    why="The connection ended, or the time was up, while the message was still on its way. A server may deliver only what "
    "it has to the end, so nobody got it, and sending it again makes no duplicate.",
    fix="Send it again: with a longer --timeout where the time was up; else see in the server's log why it hung up.",
    sources=(rfc(5321, "4.1.1.4"), rfc(5321, "4.5.3.2.5")),
)
def message_cut_off(session: Transcript) -> Iterator[Detail]:
    for exchange, _ in _answers(session, Stage.DATA, Stage.MESSAGE):
        if exchange.failure is not None and exchange.failure.word == _CUT_OFF:
            yield Detail(
                printable(exchange.failure.detail), subject=session.port_name, kind=exchange.failure.kind.value
            )


@checks.add(
    "message-not-sent",
    title="The message was not sent, because it does not fit this server",
    level=Level.ERROR,
    why="What the message needs is not offered, or it is larger than the server allows. Sending it all the same would damage "
    "it or have it bounced.",
    fix="Change the message (quoted-printable or base64 for eight-bit text, ASCII headers, less data), or use another server.",
    sources=(rfc(6152, "3"), rfc(6531, "3.6"), rfc(3030, "3"), rfc(1870, "6.1"), rfc(8689, "4.2.1")),
)
def message_not_sent(session: Transcript) -> Iterator[Detail]:
    for exchange, _ in _answers(session, Stage.DATA):
        if exchange.failure is not None and exchange.failure.word == "message-not-sent":
            yield Detail(printable(exchange.failure.detail), subject=session.port_name)


@checks.add(
    "message-not-safe",
    title="The message was not sent, because it would not have been safe",
    level=Level.UNKNOWN,
    why="On a submission port the message should go over TLS, to a server whose certificate verifies.",
    fix="Mend TLS first, or say with --tls optional that it may go all the same.",
    sources=(rfc(8314, "3"),),
)
def message_not_safe(session: Transcript) -> Iterator[Detail]:
    for exchange, _ in _answers(session, Stage.DATA):
        if exchange.failure is not None and exchange.failure.kind is FailureKind.SKIPPED_UNSAFE:
            yield Detail(printable(exchange.failure.detail), subject=session.port_name)


ENTRIES = checks.entries
