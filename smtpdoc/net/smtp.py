"""The wire: aiosmtplib's protocol with every byte seen, every reply kept, and TLS inside.

What is changed, and why: replies are read by our own strict reader and queued, so that nothing is lost, invented or
paired with the wrong command and commands can be pipelined; TLS runs over memory buffers inside the protocol, so that
the second EHLO leaves in the same segment as our Finished, and a failed handshake shows what the server really sent.
Only public methods of SMTPProtocol are overridden (tests/net/test_net_aiosmtplib_contract.py).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, cast

from aiosmtplib.errors import SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from smtpdoc.grammar.reply import ReplyLine
from smtpdoc.grammar.reply_reader import SESSION_LIMIT_BYTES, RawReply, ReplyReader
from smtpdoc.net.tls import Channel

#: Bytes of a handshake after which nobody is shaking hands any more.
_HANDSHAKE_LIMIT_BYTES = 1 << 18
_HEAD_BYTES = 512
#: Replies that nobody asked for, after which nobody can say any more what belongs to what.
SURPLUS_LIMIT = 50
# How long the rest of a clear-text line is waited for once a handshake has failed on its beginning.
_CLEAR_ANSWER_S = 0.3
_CLEAR_ANSWER = re.compile(rb"[2-5](?:[0-9]{2}[ -]|[0-9]{0,2}$)|\* |\+OK|-ERR|SSH-|HTTP/")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why nothing more will come: a stable word, what a library or the system says about it, and what had arrived."""

    word: str
    detail: str = ""
    partial: bytes = b""
    protocol: str | None = None
    untold: bytes = b""  # of what had arrived, the bytes that no line_received told of


@dataclass(frozen=True, slots=True)
class TimedReply:
    """A reply, when its last byte came, and whether it came encrypted."""

    raw: RawReply
    at: float
    encrypted: bool


class Listener(Protocol):
    """Told by the wire what arrives, at once and in order."""

    def line_received(self, line: ReplyLine, *, solicited: bool, encrypted: bool) -> None: ...

    def reply_unsolicited(self, reply: TimedReply) -> None: ...

    def secured(self, channel: Channel) -> None: ...

    def ended(self, ending: Ending, *, encrypted: bool) -> None: ...


class Wire(SMTPProtocol):
    """One connection. `expected` counts the replies that are owed to us, the greeting first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: Listener, clock: Callable[[], float]) -> None:
        super().__init__(loop=loop)
        self.loop = loop
        self.ending: Ending | None = None
        self.round_trips = 1  # the TCP handshake
        self.held = False  # what arrives is not to be read yet
        self._listener = listener
        self._clock = clock
        self._reader = ReplyReader()
        self._ready: deque[TimedReply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._expected = 1
        self._turn_is_theirs = True
        self._received_bytes = 0
        self._surplus = 0
        self._unasked = b""  # since the last command
        self._channel: Channel | None = None
        self._head = bytearray()
        self._clear_answer: str | None = None
        self._opening = b""
        self._socket: socket.socket | None = None
        self._room = asyncio.Event()
        self._room.set()

    @property
    def encrypted(self) -> bool:
        return self._channel is not None and self._channel.established

    @property
    def ready(self) -> int:
        """How many replies have come and were not fetched yet."""
        return len(self._ready)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._socket = transport.get_extra_info("socket")
        if self.held:
            cast(asyncio.ReadTransport, transport).pause_reading()

    def release(self) -> None:
        """Read what arrives, if it was held back."""
        if self.held:
            self.held = False
            cast(asyncio.ReadTransport, self.transport).resume_reading()

    def data_received(self, data: bytes) -> None:
        self._acknowledge()
        if self.ending is not None:
            return
        if self._turn_is_theirs:
            self.round_trips += 1
            self._turn_is_theirs = False
        self._received_bytes += len(data)
        if self._received_bytes > SESSION_LIMIT_BYTES + _HANDSHAKE_LIMIT_BYTES:
            self._fail("session-too-big")
        elif self._channel is None:
            self._read(data)
        elif self._channel.established:
            self._decrypt(self._channel, data)
        else:
            self._shake_hands(self._channel, data)

    def eof_received(self) -> bool:
        self._peer_closed("eof")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, ConnectionResetError):
            self._peer_closed("reset")
        else:
            self._peer_closed("lost", str(exc or ""))
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._room.clear()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._room.set()

    # What aiosmtplib's own methods call: execute_command and the like keep working on this wire

    def write(self, data: bytes) -> None:
        self.send(data, 1)

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:
        outcome = await self.reply(timeout)
        if isinstance(outcome, Ending):
            raise SMTPServerDisconnected(outcome.word)
        return SMTPResponse(outcome.raw.code, "\n".join(line.text for line in outcome.raw.lines))

    # Ours

    def send(self, data: bytes, replies: int) -> None:
        """Write commands that `replies` replies are owed for; on a dead connection nothing happens."""
        if self.ending is not None:
            return
        self.sent(replies)
        self._write(data)
        self._acknowledge()

    def sent(self, replies: int) -> None:
        """Commands went out that `replies` replies are owed for."""
        self._expected += replies
        self._unasked = b""
        self._turn_is_theirs = True

    async def send_message(self, pieces: Iterable[bytes], timeout: float) -> bool:
        """Write a message, one reply owed for it, at the server's pace; ends the connection after `timeout`. Returns
        whether all pieces were written."""
        self.sent(1)
        try:
            async with asyncio.timeout(timeout):
                for piece in pieces:
                    await asyncio.sleep(0)  # what the server says meanwhile is heard, also by a fast sender
                    await self._room.wait()
                    if self.ending is not None:
                        return False
                    self._write(piece)
        except TimeoutError:
            self._late("timeout")
            return False
        self._acknowledge()
        return True

    def _write(self, data: bytes) -> None:
        if self.ending is not None:
            return
        if self._channel is not None and self._channel.established:
            self._channel.encrypt(data)
            self._flush(self._channel)
        else:
            with suppress(SMTPServerDisconnected):  # connection_lost follows and says why
                super().write(data)

    async def silent_for(self, seconds: float) -> bool:
        """Wait for a reply or an end, so long at most; tell whether nothing at all has come."""
        if not self._ready and self.ending is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wait(None, "timeout")
        return self._received_bytes == 0 and self.ending is None

    def speaks(self, protocol: str, head: bytes) -> None:
        """Give up, if there was no word yet: another connection showed what the port speaks."""
        if self._received_bytes == 0:
            self._fail("not-smtp", partial=head, protocol=protocol)

    async def reply(self, timeout: float | None) -> TimedReply | Ending:
        """Return the next reply that was asked for, or why there is none; ends the connection after `timeout`."""
        if not self._ready and self.ending is None:
            await self._wait(timeout, "timeout")
        if self._ready:
            return self._ready.popleft()
        return self._ended()

    async def secure(self, channel: Channel, timeout: float | None, opening: bytes = b"") -> Ending | None:
        """Shake hands; return None when that worked. `opening` (one command) leaves together with our Finished."""
        if self.ending is None and (self._ready or self._unasked or not self._reader.idle):
            # Clear text after the 220 of STARTTLS could be anybody's: it must never be taken for a reply that came
            # under TLS (CVE-2011-0411, RFC 3207 section 4.2).
            waiting = b"".join(line.raw + b"\r\n" for reply in self._ready for line in reply.raw.lines)
            partial = waiting + self._unasked + self._reader.partial
            self._fail("clear-text-before-tls", partial=partial, untold=self._reader.unfinished_line)
        if self.ending is None:
            self._channel, self._opening = channel, opening
            self._head.clear()
            self._turn_is_theirs = True
            self._shake_hands(channel, b"")
            if not channel.established:
                await self._wait(timeout, "tls-timeout")
        return None if self.encrypted and self.ending is None else self._ended()

    def close(self) -> None:
        """Drop the connection without a word."""
        if self.ending is None:
            self.ending = Ending("closed-by-us")
        self._abort()

    # Bytes in

    def _read(self, data: bytes) -> None:
        now = self._clock()
        for event in self._reader.feed(data):
            if isinstance(event, ReplyLine):
                self._listener.line_received(event, solicited=self._expected > 0, encrypted=self.encrypted)
                continue
            reply = TimedReply(event, now, self.encrypted)
            if self._expected > 0:
                self._expected -= 1
                self._ready.append(reply)
                self._wake()
            else:
                self._surplus += 1
                self._unasked += b"".join(line.raw + b"\r\n" for line in event.lines)
                self._listener.reply_unsolicited(reply)
                if self._surplus > SURPLUS_LIMIT:
                    return self._fail("surplus-flood")
        if (broken := self._reader.broken) is not None:
            self._fail(broken.word, partial=broken.seen, protocol=broken.protocol, untold=broken.seen)
        return None

    def _decrypt(self, channel: Channel, data: bytes) -> None:
        try:
            clear, closed = channel.decrypt(data)
        except ssl.SSLError as error:
            return self._fail("tls-broken", _tls_reason(error))
        self._flush(channel)
        if clear:
            self._read(clear)
        if closed:
            self._peer_closed("eof")
            self._abort()
        return None

    def _shake_hands(self, channel: Channel, data: bytes) -> None:
        self._head += data[: _HEAD_BYTES - len(self._head)]
        if self._clear_answer is not None:
            return self._clear_answer_grows()
        if self._received_bytes > _HANDSHAKE_LIMIT_BYTES:
            return self._fail("tls-failed", "far too much data for a handshake")
        try:
            done = channel.handshake(data)
        except ssl.SSLError as error:
            with suppress(OSError):
                self._flush(channel)  # our alert
            self._clear_answer = _tls_reason(error)
            if not _CLEAR_ANSWER.match(self._head):
                return self._fail("tls-failed", self._clear_answer)
            return self._clear_answer_grows()
        if done:
            if self._opening:
                self._expected += 1
                channel.encrypt(self._opening)
            self._flush(channel)
            self._turn_is_theirs = True
            self._acknowledge()
            self._listener.secured(channel)
            self._wake()
            self._decrypt(channel, b"")  # what came in the same segment as the server's Finished
        elif self._flush(channel):
            # A second ClientHello (RFC 8446 section 4.1.4), or our Finished in TLS 1.2: it is their turn again.
            self._turn_is_theirs = True
        return None

    def _clear_answer_grows(self) -> None:
        """The server answered our ClientHello with a line of text: let it end, within reason."""
        if b"\n" in self._head or len(self._head) >= _HEAD_BYTES:
            self._clear_answer_ends()
        else:
            self.loop.call_later(_CLEAR_ANSWER_S, self._clear_answer_ends)

    def _clear_answer_ends(self) -> None:
        if self.ending is None:
            answer = bytes(self._head).partition(b"\n")[0].rstrip(b"\r")
            self._fail("tls-clear-answer", self._clear_answer or "", partial=answer, untold=answer)

    # Bytes out

    def _flush(self, channel: Channel) -> bool:
        """Write what TLS wants to be sent; False where that is nothing."""
        data = channel.outgoing()
        if data and self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).write(data)
        return bool(data)

    def _acknowledge(self) -> None:
        """Acknowledge at once what arrived. Servers with Nagle's algorithm on hold their EHLO reply back until their
        TLS session tickets are acknowledged: 40 ms a session. Linux only, and the kernel forgets it: set again each
        time."""
        if self._socket is not None:
            with suppress(OSError, AttributeError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    # Endings

    async def _wait(self, timeout: float | None, word: str) -> None:
        self._waiter = self.loop.create_future()
        handle = None if timeout is None else self.loop.call_later(max(timeout, 0), self._late, word)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if handle is not None:
                handle.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _late(self, word: str) -> None:
        partial, untold = self._reader.partial, self._reader.unfinished_line
        self._fail(word + "-mid-reply" if partial else word, partial=partial, untold=untold)

    def _peer_closed(self, word: str, detail: str = "") -> None:
        if self.ending is not None:
            return
        if self._clear_answer is not None:
            self._clear_answer_ends()
        elif self._channel is not None and not self._channel.established:
            self._end(Ending("tls-closed", detail, bytes(self._head)))
        else:
            partial = self._reader.partial
            word = word + "-mid-reply" if partial else word
            self._end(Ending(word, detail, partial, untold=self._reader.unfinished_line))

    def _fail(
        self, word: str, detail: str = "", *, partial: bytes = b"", protocol: str | None = None, untold: bytes = b""
    ) -> None:
        if self.ending is None:
            self._end(Ending(word, detail, partial, protocol, untold))
            self._abort()

    def _end(self, ending: Ending) -> None:
        self.ending = ending
        self._listener.ended(ending, encrypted=self.encrypted)
        self._room.set()
        self._wake()

    def _abort(self) -> None:
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()

    def _ended(self) -> Ending:
        return self.ending or Ending("lost")


def _tls_reason(error: ssl.SSLError) -> str:
    return error.reason or str(error)
