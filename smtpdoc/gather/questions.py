"""VRFY and EXPN: what a server tells strangers about its mailboxes and lists (RFC 5321 section 3.5)."""

from __future__ import annotations

from collections.abc import Sequence

from smtpdoc.errors import ParseError
from smtpdoc.evidence.smtp import Failure, FailureKind, Stage, StageStatus
from smtpdoc.gather.record import Record, expecting
from smtpdoc.seams import Command, Session


def question(text: str) -> str:
    """Return what VRFY or EXPN is to be asked, as typed; raise ParseError for what does not fit a command line."""
    stripped = text.strip()
    if not stripped or not stripped.isprintable() or len(stripped.encode()) > 500:
        raise ParseError("a user name, an address or the name of a list", text)
    return stripped


async def ask(session: Session, record: Record, mailboxes: Sequence[str], lists: Sequence[str], *, utf8: bool) -> None:
    """Ask one by one: neither command may be followed by another in the same go (RFC 2920 section 3.1)."""
    asked = [(Stage.VRFY, name) for name in mailboxes] + [(Stage.EXPN, name) for name in lists]
    for stage, name in asked:
        if not session.alive:
            return
        suffix = "" if name.isascii() else " SMTPUTF8"  # RFC 6531 section 3.7.4.2
        command = Command(stage, f"{stage.value.upper()} {name}{suffix}", recipient=name)
        if suffix and not utf8:
            detail = "not asked: the name is not in ASCII, and SMTPUTF8 is not offered"
            record.skip(stage, Failure(FailureKind.PROTOCOL, stage, detail, "smtputf8-not-offered"), command)
            continue
        session.send(command)
        exchange = expecting(await session.reply(), 250, 251, 252)
        record.exchange(exchange)
        if exchange.status is StageStatus.FAILED:
            return
