"""A message that is to be sent: read from a file, brought into the form that SMTP wants (RFC 5321, RFC 5322)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from smtpdoc.errors import ParseError

#: RFC 5321 section 4.5.3.1.6, without CRLF.
LINE_LIMIT_BYTES = 998
# field-name = 1*ftext, ftext = %d33-57 / %d59-126 (RFC 5322 section 2.2); white space before the colon is obsolete.
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Message:
    """A message with CRLF line ends, the last line ended too. `added` are the fields that it lacked and was given;
    `notes` are sentences about what was found or changed."""

    data: bytes = field(repr=False)
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def header(self) -> bytes:
        """The header section, without the empty line after it; empty for a text that begins with no field."""
        if not _FIELD.match(self.data):
            return b""
        head, separator, _ = self.data.partition(b"\r\n\r\n")
        return head + b"\r\n" if separator else head

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of the header's fields, in lower case."""
        found = (_FIELD.match(line) for line in self.header.split(b"\r\n"))
        return frozenset(match[1].decode("ascii").lower() for match in found if match)

    @property
    def eight_bit(self) -> bool:
        """True when it needs 8BITMIME (RFC 6152)."""
        return not self.data.isascii()

    @property
    def utf8_header(self) -> bool:
        """True when its header needs SMTPUTF8 (RFC 6532)."""
        return not self.header.isascii()

    @property
    def wire(self) -> bytes:
        """The message as it crosses the wire: dots doubled, the final dot line included (RFC 5321 section 4.5.2)."""
        stuffed = self.data.replace(b"\r\n.", b"\r\n..")
        return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"

    def completed(self, sender: str, now: datetime) -> Message:
        """Return the message with the two fields that RFC 5322 section 3.6 requires, Date and From, where it lacks
        them; nothing else is ever added. `sender` is the envelope's; "" adds no From."""
        fields = self.fields
        added = []
        if "date" not in fields:
            added.append(("Date", date_text(now)))
        if "from" not in fields and sender:
            added.append(("From", sender))
        head = b"".join(f"{name}: {value}\r\n".encode() for name, value in added)
        separator = b"" if fields else b"\r\n"
        notes = self.notes
        if "message-id" not in fields:
            notes += ("the message has no Message-ID; many servers add one, and some receivers refuse mail without",)
        return Message(head + separator + self.data, tuple(name for name, _ in added), notes)


def parse_message(raw: bytes) -> Message:
    """Return a message as a file holds it, with any line ends; raise ParseError for none and for NUL bytes.

    The line that begins each message of an mbox file is left out.

    >>> parse_message(b"Subject: x\\n\\n.hello\\n").wire
    b'Subject: x\\r\\n\\r\\n..hello\\r\\n.\\r\\n'
    """
    if not raw.strip():
        raise ParseError("a message", raw[:20].decode("ascii", "replace"))
    if (offset := raw.find(b"\0")) >= 0:  # RFC 5322 section 4.1, RFC 6152 section 3
        raise ParseError("a message without NUL bytes", f"one at byte {offset + 1}")
    notes = []
    if raw.startswith(b"From "):
        raw = _LINE_END.split(raw, maxsplit=1)[-1]
        notes.append("the mbox line at the beginning was left out")
    lines = _LINE_END.split(raw)
    if not lines[-1]:
        lines.pop()
    longest = max(map(len, lines), default=0)
    if longest > LINE_LIMIT_BYTES:
        notes.append(
            f"the longest line has {longest:,} bytes, SMTP allows {LINE_LIMIT_BYTES}: servers refuse or fold it"
        )
    return Message(b"\r\n".join(lines) + b"\r\n", notes=tuple(notes))


def date_text(now: datetime) -> str:
    """Return a date in UTC as a header field has it (RFC 5322 section 3.3), whatever the locale."""
    return f"{_DAYS[now.weekday()]}, {now.day} {_MONTHS[now.month - 1]} {now:%Y %H:%M:%S} +0000"
