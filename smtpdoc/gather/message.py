"""DATA or BDAT and the message: what must hold before a message leaves, and what the server says to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.record import Record, expecting
from smtpdoc.grammar.ehlo import size_limit
from smtpdoc.grammar.message import Content, Message
from smtpdoc.seams import Command, Session

#: A chunk of a binary message. Each waits for its reply, so they are large; each is read and sent in small pieces.
CHUNK_BYTES = 16 << 20
_CUT_OFF = "message-cut-off"


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
        if message.utf8_header and (reason := self._utf8_obstacle()) is not None:
            return reason
        if options.body == "binarymime" and not message.binary:
            return "BODY=BINARYMIME was asked for, and the message was read as text; read it with binary=True"
        if message.binary:  # RFC 3030 section 3: such a message needs both, and goes by BDAT
            missing = [keyword for keyword in ("BINARYMIME", "CHUNKING") if keyword not in self.offered]
            if missing:
                return f"a binary message goes by BDAT only, and {host} does not offer {' and '.join(missing)}"
        elif message.eight_bit and "8BITMIME" not in self.offered:  # RFC 6152 section 3
            return f"the message has eight-bit characters, and {host} does not offer 8BITMIME"
        if options.require_tls and "REQUIRETLS" not in self.offered:  # RFC 8689 section 4.2.1
            return f"it may travel over verified TLS only, and {host} does not offer REQUIRETLS"
        limit = size_limit(self.offered)
        if limit is not None and len(message.data) > limit:  # RFC 1870 section 6.1
            return f"the message has {len(message.data):,} bytes, and {host} takes {limit:,}"
        return None

    def _utf8_obstacle(self) -> str | None:
        try:
            self.message.header.decode()
        except UnicodeDecodeError:  # RFC 6532 section 3: UTF-8 and no other
            return "the message's header has bytes that are neither ASCII nor UTF-8, and no extension allows these"
        if "SMTPUTF8" in self.offered:  # RFC 6531 section 3.6
            return None
        return f"the message's header is not in ASCII, and {self.host} does not offer SMTPUTF8"


def unsafe_transport(session: Session, *, clear_allowed: bool, tls_required: bool) -> str | None:
    """Return why a message must not go over this connection, or None. `clear_allowed`: between servers, or because the
    user said so, clear text and unverified certificates will do (RFC 7435); `tls_required`: for this message they never
    will (RFC 8689 section 4.2.1)."""
    if clear_allowed and not tls_required:
        return None
    why = "--require-tls wants verified TLS" if tls_required else "--tls optional sends it anyway"
    if not session.encrypted:
        return f"no message goes over clear text here; {why}"
    tls = session.tls
    if tls is None or not tls.trusted or not tls.name_matches:
        words = tls.verify_error if tls is not None and tls.verify_error else "it could not be verified"
        return f"no message goes to a server whose certificate does not verify ({words}); {why}"
    return None


async def hand_over(session: Session, record: Record, message: Message) -> None:
    """Send the message, by DATA or, when it is binary, by BDAT; keep all answers."""
    if not message.binary:
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
    if message.binary:
        await _in_chunks(session, record, message.data)
        return
    whole = await session.send_message(message.wire())
    record.exchange(_end_known(expecting(await session.reply(), 250), whole=whole))


async def _in_chunks(session: Session, record: Record, data: Content) -> None:
    """Send BDAT after BDAT, each once the one before was accepted: after a refused chunk the rest is refused, too (RFC
    3030 section 2)."""
    pieces = iter(data)
    over = b""  # what of a piece belongs to the next chunk

    def chunk(size: int) -> Iterator[bytes]:
        nonlocal over
        while size > 0:
            piece, over = over or next(pieces), b""
            piece, over = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    left = len(data)
    while left > 0:
        size = min(left, CHUNK_BYTES)
        left -= size
        stage, word = (Stage.DATA, "") if left else (Stage.MESSAGE, " LAST")
        whole = await session.send_message(chunk(size), Command(stage, f"BDAT {size}{word}"))
        exchange = _end_known(expecting(await session.reply(), 250), whole=whole and not left)
        record.exchange(exchange)
        if exchange.status is not StageStatus.OK:
            return


def _end_known(exchange: Exchange, *, whole: bool) -> Exchange:
    """Return the answer to a message. Where there is none, one thing is certain of a message whose end was never
    written: no server may deliver it (RFC 5321 section 4.1.1.4)."""
    failure = exchange.failure
    if whole or failure is None:
        return exchange
    detail = f"{failure.detail}; its end had not been sent yet, so nobody gets it"
    return replace(exchange, failure=replace(failure, detail=detail, word=_CUT_OFF))


def not_sent(record: Record, detail: str, word: str) -> None:
    record.skip(Stage.DATA, Failure(FailureKind.PROTOCOL, Stage.DATA, detail, word))
