"""Replies out of a byte stream (RFC 5321 section 4.2), strictly, with limits, and without doing I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from smtpdoc.grammar.reply import ReplyLine

LINE_LIMIT_BYTES = 8192
REPLY_LIMIT_BYTES = 65536
REPLY_LIMIT_LINES = 1000
SESSION_LIMIT_BYTES = 1 << 20
#: The longest reply line of RFC 5321 section 4.5.3.1.5, CRLF included. Longer ones are read and marked.
STANDARD_LINE_BYTES = 512

# Reply-line  = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF   (RFC 5321 section 4.2)
# Reply-code  = %x32-35 %x30-35 %x30-39
# The middle digit is read up to 9: servers made up 5.9x codes, and a reply of three digits is still a reply.
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])|(?=\r*\n))")
# What an unfinished line must look like so far.
_BEGINNING = re.compile(rb"[2-5](?:[0-9](?:[0-9](?:[ \r-]|$)|$)|$)")
_CONTROL = re.compile(rb"[\x01-\x08\x0a-\x1f\x7f]")
# So much of a line without an end is waited for before it is called no SMTP; binary data is not waited for.
_PATIENCE_BYTES = 128
# Among the first so many bytes of text there is no control character and nothing outside ASCII.
_BINARY_BYTES = 6

_PROTOCOLS = (
    (rb"SSH-", "SSH"),
    (rb"HTTP/[0-9]", "HTTP"),
    (rb"(?i:<(?:!DOCTYPE|html|\?xml))", "HTTP"),
    (rb"\* (?:OK|PREAUTH|BYE)\b", "IMAP"),
    (rb"\+OK\b|-ERR\b", "POP3"),
    (rb"[\x15\x16]\x03[\x00-\x04]", "TLS"),
    (rb'"IMPLEMENTATION"', "ManageSieve"),
    (rb"RFB [0-9]", "VNC"),
    (rb":[^ ]+ (?:NOTICE|[0-9]{3}) ", "IRC"),
    # A packet of MySQL begins with its length and number; version 10 of its greeting is an LF, an error 255.
    (rb"(?s:.)[\x00-\x03]\x00\x00(?:\x0a(?:[0-9]|$)|\xff)", "MySQL"),
    (rb"[ER]\x00\x00", "PostgreSQL"),
    (rb"AMQP[\x00-\x09]", "AMQP"),
    (rb"\xff[\xfa-\xfe]", "Telnet"),
    (rb"\x03\x00\x00[\x00-\x3f]", "RDP"),
)


def recognise_protocol(data: bytes) -> str | None:
    r"""Return the name of the protocol that speaks so, or None.

    >>> recognise_protocol(b"* OK Dovecot ready.\r\n")
    'IMAP'
    """
    return next((name for pattern, name in _PROTOCOLS if re.match(pattern, data)), None)


@dataclass(frozen=True, slots=True)
class RawReply:
    """The lines of one complete reply, in order, never empty.

    `faults` are words for what RFC 5321 does not allow in it, in order of appearance, each once: "bare-lf",
    "extra-cr", "nul", "control", "8bit", "long-line", "mixed-codes". With mixed codes the last line's one counts.
    """

    lines: tuple[ReplyLine, ...]
    faults: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        return self.lines[-1].code


@dataclass(frozen=True, slots=True)
class Breakage:
    """Why a stream cannot be read on. `word` is one of "not-smtp", "line-too-long", "reply-too-long",
    "session-too-big"; `seen` the bytes that show it, cut to a readable length; `protocol` what they look like."""

    word: str
    seen: bytes
    protocol: str | None = None


Event: TypeAlias = "ReplyLine | RawReply"


class ReplyReader:
    """Fed with bytes in any cut, gives each reply line as it ends and each reply after its last line.

    Once `broken` is set nothing more is read.
    """

    def __init__(self) -> None:
        self.broken: Breakage | None = None
        self._buffer = bytearray()
        self._scanned = 0
        self._session_bytes = 0
        self._reply_bytes = 0
        self._lines: list[ReplyLine] = []
        self._faults: dict[str, None] = {}

    @property
    def partial(self) -> bytes:
        """What has arrived of an unfinished reply, its finished lines first."""
        return b"".join(line.raw + b"\r\n" for line in self._lines) + bytes(self._buffer)

    @property
    def unfinished_line(self) -> bytes:
        """What has arrived of an unfinished line."""
        return bytes(self._buffer)

    @property
    def idle(self) -> bool:
        """True between two replies, with no byte of the next one."""
        return not self._buffer and not self._lines

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """Return what these bytes complete."""
        if self.broken is not None:
            return ()
        # Cut at the limit, so that the same bytes give the same events however they arrive.
        data = data[: SESSION_LIMIT_BYTES + 1 - self._session_bytes]
        self._session_bytes += len(data)
        self._buffer += data
        events: list[Event] = []
        while self.broken is None:
            end = self._buffer.find(b"\n", self._scanned)
            if end < 0:
                self._scanned = len(self._buffer)
                self._check_beginning()
                break
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            self._scanned = 0
            self._line(line, events)
        if self.broken is None and self._session_bytes > SESSION_LIMIT_BYTES:
            self._break("session-too-big", b"")
        return tuple(events)

    def _break(self, word: str, seen: bytes) -> None:
        protocol = recognise_protocol(seen) if word == "not-smtp" else None
        self.broken = Breakage(word, seen[:STANDARD_LINE_BYTES].rstrip(b"\r\n"), protocol)
        self._buffer.clear()

    def _check_beginning(self) -> None:
        start = bytes(self._buffer[: _PATIENCE_BYTES + 1])
        if start and not _BEGINNING.match(start):
            looked_at = start[:_BINARY_BYTES] if len(start) >= _BINARY_BYTES else start[:1]
            binary = len(start) >= 3 and any(byte < 0x20 or byte >= 0x7F for byte in looked_at)
            if binary or len(start) > _PATIENCE_BYTES:
                self._break("not-smtp", start)
        elif len(self._buffer) > LINE_LIMIT_BYTES:
            self._break("line-too-long", start)

    def _line(self, line: bytes, events: list[Event]) -> None:
        match = _LINE.match(line)
        if match is None:
            return self._break("not-smtp", line)
        if len(line) > LINE_LIMIT_BYTES:
            return self._break("line-too-long", line)
        self._reply_bytes += len(line)
        self._note_faults(line, match[1])
        raw = line.rstrip(b"\r\n")
        text = raw[match.end() :].decode("utf-8", "surrogateescape")
        reply_line = ReplyLine(int(match[1]), match[2] != b"-", text, raw, line[len(raw) :])
        if len(self._lines) >= REPLY_LIMIT_LINES or self._reply_bytes > REPLY_LIMIT_BYTES:
            return self._break("reply-too-long", line)
        self._lines.append(reply_line)
        events.append(reply_line)
        if reply_line.last:
            events.append(RawReply(tuple(self._lines), tuple(self._faults)))
            self._lines, self._faults, self._reply_bytes = [], {}, 0
        return None

    def _note_faults(self, line: bytes, code: bytes) -> None:
        content = line.rstrip(b"\r\n")
        found = (
            ("bare-lf", not line.endswith(b"\r\n")),
            ("extra-cr", line.endswith(b"\r\r\n")),
            ("nul", b"\0" in content),
            ("control", _CONTROL.search(content) is not None),
            ("8bit", not content.isascii()),
            ("long-line", len(line) > STANDARD_LINE_BYTES),
            ("mixed-codes", bool(self._lines) and self._lines[0].code != int(code)),
        )
        self._faults.update({word: None for word, present in found if present})
