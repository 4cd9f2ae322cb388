"""DATA and the message: what must hold before a message leaves, and what the server says to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smtpdoc.evidence.smtp import Failure, FailureKind, Stage, StageStatus
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.record import Record, expecting
from smtpdoc.grammar.ehlo import size_limit
from smtpdoc.grammar.message import Message
from smtpdoc.seams import Command, Session


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and what the server offered for it."""

    message: Message
    host: str
    offered: Mapping[str, str]

    def obstacle(self, options: ProbeOptions) -> str | None:
        """Return why this server must not be given the message, or None: what was promised to it would be broken."""
        message, host = self.message, self.host
        if "from" not in message.fields:  # RFC 5322 section 3.6
            return "the message has no From field, and there is no sender to write into one: name one with --from"
        if message.utf8_header and "SMTPUTF8" not in self.offered:  # RFC 6531 section 3.6
            return f"the message's header is not in ASCII, and {host} does not offer SMTPUTF8"
        if message.eight_bit and "8BITMIME" not in self.offered:  # RFC 6152 section 3
            return f"the message has eight-bit characters, and {host} does not offer 8BITMIME"
        if options.require_tls and "REQUIRETLS" not in self.offered:  # RFC 8689 section 4.2.1
            return f"it may travel over verified TLS only, and {host} does not offer REQUIRETLS"
        limit = size_limit(self.offered)
        if limit is not None and len(message.data) > limit:  # RFC 1870 section 6.1
            return f"the message has {len(message.data):,} bytes, and {host} takes {limit:,}"
        return None


def unsafe_transport(session: Session, *, clear_allowed: bool) -> str | None:
    """Return why a message must not go over this connection, or None. `clear_allowed`: between servers, or because the
    user said so, clear text and unverified certificates will do (RFC 7435)."""
    if clear_allowed:
        return None
    if not session.encrypted:
        return "no message goes over clear text here; --tls optional sends it anyway"
    tls = session.tls
    if tls is None or not tls.trusted or not tls.name_matches:
        words = tls.verify_error if tls is not None and tls.verify_error else "it could not be verified"
        return (
            f"no message goes to a server whose certificate does not verify ({words}); --tls optional sends it anyway"
        )
    return None


async def hand_over(session: Session, record: Record, message: Message) -> None:
    """Send DATA, and after its 354 the message; keep both answers."""
    session.send(Command(Stage.DATA, "DATA"))
    exchange = expecting(await session.reply(), 354)
    record.exchange(exchange)
    if exchange.status is not StageStatus.OK:
        return
    for name in message.added:
        record.note(f"the message had no {name} field, which RFC 5322 requires; added")
    for note in message.notes:
        record.note(note)
    record.note(f"message, {len(message.data):,} bytes")
    await session.send_message(message.wire)
    record.exchange(expecting(await session.reply(), 250))


def not_sent(record: Record, detail: str, word: str) -> None:
    record.skip(Stage.DATA, Failure(FailureKind.PROTOCOL, Stage.DATA, detail, word))
