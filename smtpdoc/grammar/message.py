"""A message that is to be sent: read piece by piece, brought into the form that SMTP wants (RFC 5321, RFC 5322)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from smtpdoc.errors import ParseError, TargetError

#: RFC 5321 section 4.5.3.1.6, without CRLF.
LINE_LIMIT_BYTES = 998
#: Long lists of recipients and many ARC sets fit in here several times. The rest of a message is never held.
HEADER_LIMIT_BYTES = 1 << 20
# field-name = 1*ftext, ftext = %d33-57 / %d59-126 (RFC 5322 section 2.2); white space before the colon is obsolete.
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_MBOX_LINE = b"From "
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Reads a message from its beginning, each time it is called.
Blocks = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a message, read when they are wanted: `for piece in content`. `len()` is their number.

    Pieces have any size but none; none ends between CR and LF. Raises TargetError once it turns out that there are
    more or fewer bytes than when the message was looked through.
    """

    size_bytes: int
    pieces: Blocks = field(repr=False, compare=False)

    def __len__(self) -> int:
        return self.size_bytes

    def __iter__(self) -> Iterator[bytes]:
        left = self.size_bytes
        for piece in self.pieces():
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise TargetError("the message changed while it was being sent, so its end was not; nobody got it")


@dataclass(frozen=True)
class Message:
    """A message with CRLF line ends, the last line ended too, or, with `binary`, as it was (RFC 3030 section 3).

    `header` is its header section, without the empty line after it; empty for a text that begins with no field.
    `eight_bit`: not all of it is ASCII. `added` are the fields that it lacked and was given; `notes` are sentences
    about what was found or changed.
    """

    data: Content
    header: bytes = field(repr=False)
    eight_bit: bool = False
    binary: bool = False
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of the header's fields, in lower case."""
        found = (_FIELD.match(line) for line in self.header.split(b"\r\n"))
        return frozenset(match[1].decode("ascii").lower() for match in found if match)

    @property
    def utf8_header(self) -> bool:
        """True when its header needs SMTPUTF8 (RFC 6532)."""
        return not self.header.isascii()

    def wire(self) -> Iterator[bytes]:
        """Tell the message as it crosses the wire after DATA: dots doubled, the final dot line included (RFC 5321
        section 4.5.2)."""
        line_begins = True
        for piece in self.data:
            stuffed = piece.replace(b"\r\n.", b"\r\n..")
            yield b"." + stuffed if line_begins and stuffed.startswith(b".") else stuffed
            line_begins = piece.endswith(b"\n")
        yield b".\r\n"

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
        before = head if fields else head + b"\r\n"
        notes = self.notes
        if "message-id" not in fields:
            notes += ("the message has no Message-ID; many servers add one, and some receivers refuse mail without",)
        return replace(
            self,
            data=Content(len(before) + len(self.data), lambda: _chained(before, self.data)),
            header=head + self.header,
            eight_bit=self.eight_bit or not head.isascii(),
            added=tuple(name for name, _ in added),
            notes=notes,
        )


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def parse_message(source: bytes | Blocks, *, binary: bool = False) -> Message:
    """Return a message as a file holds it, looked through once; raise ParseError for none, for a header without end,
    and for NUL bytes.

    Any line ends are taken; with `binary` nothing is changed, NUL is welcome, and a header must have CRLF. The line
    that begins each message of an mbox file is left out.

    >>> b"".join(parse_message(b"Subject: x\\n\\n.hello\\n").wire())
    b'Subject: x\\r\\n\\r\\n..hello\\r\\n.\\r\\n'
    """
    blocks: Blocks = (lambda: (source,)) if isinstance(source, bytes) else source
    seen = _Seen(binary=binary)
    for block in blocks():
        seen.take(block)
    seen.end()
    skipped = seen.mbox_line_bytes

    def pieces() -> Iterator[bytes]:
        return _without(skipped, blocks() if binary else _with_crlf(blocks()))

    content = Content(seen.size_bytes - skipped, pieces)
    return Message(content, seen.header, eight_bit=seen.eight_bit, binary=binary, notes=tuple(seen.notes()))


class _Seen:
    """What is to be known of a message, gathered block by block; only the beginning is kept."""

    def __init__(self, *, binary: bool) -> None:
        self.size_bytes = 0  # with the line ends that it will have
        self.eight_bit = False
        self.mbox_line_bytes = 0
        self.header = b""
        self._binary = binary
        self._raw_bytes = 0
        self._beginning = bytearray()
        self._blank = True
        self._ends = _LineEnds()

    def take(self, block: bytes) -> None:
        if not self._binary and (offset := block.find(b"\0")) >= 0:  # RFC 5322 section 4.1, RFC 6152 section 3
            raise ParseError("a message without NUL bytes", f"one at byte {self._raw_bytes + offset + 1:,}")
        self._raw_bytes += len(block)
        self.eight_bit = self.eight_bit or not block.isascii()
        self._blank = self._blank and not block.strip()
        self._ends.take(block)
        if (room := HEADER_LIMIT_BYTES - len(self._beginning)) > 0:
            self._beginning += block[:room]

    def end(self) -> None:
        """Draw the conclusions; raise ParseError for what is no message."""
        beginning = bytes(self._beginning)
        whole = self._raw_bytes <= HEADER_LIMIT_BYTES
        if not self._binary:
            beginning = b"".join(_with_crlf((beginning,)))
        first, end, rest = beginning.partition(b"\r\n")
        if self._binary and (b"\n" in first or (b"\n" in beginning and not end)):
            raise _bare_line_feed()
        if first.startswith(_MBOX_LINE) and not _FIELD.match(first) and len(first) <= LINE_LIMIT_BYTES:
            self.mbox_line_bytes, beginning = len(first) + len(end), rest
        if self._blank or not (beginning.strip() or self._raw_bytes > HEADER_LIMIT_BYTES):
            raise ParseError("a message", beginning[:20].decode("ascii", "replace"))
        self._ends.end()
        self.size_bytes = self._raw_bytes if self._binary else self._raw_bytes + self._ends.added_bytes
        if not _FIELD.match(beginning):
            return
        head, separator, _ = beginning.partition(b"\r\n\r\n")
        if not separator and not whole:
            words = f"a header that ends within {HEADER_LIMIT_BYTES:,} bytes, with an empty line"
            raise ParseError(words, beginning[:20].decode("ascii", "replace"))
        if self._binary and b"\n" in head.replace(b"\r\n", b""):
            raise _bare_line_feed()
        self.header = head + b"\r\n" if separator else head

    def notes(self) -> Iterator[str]:
        if self.mbox_line_bytes:
            yield "the mbox line at the beginning was left out"
        if not self._binary:
            yield from self._ends.notes()
        if self.eight_bit and self.header and b"content-type" not in self.header.lower():
            yield "the message has eight-bit characters and no Content-Type: its readers have to guess the charset"


def _bare_line_feed() -> ParseError:
    return ParseError("a header whose lines end in CRLF, since a binary message is sent as it is", "LF alone")


class _LineEnds:
    """Line ends and line lengths of a text that comes in blocks."""

    def __init__(self) -> None:
        self.added_bytes = 0  # that bring all line ends to CRLF
        self._crlf = self._lf = self._cr = 0
        self._held = b""  # a CR at the end of a block, whose LF may begin the next one
        self._length = 0  # of the line that the last block left unfinished
        self._longest = (0, 0)  # bytes, number of the line
        self._lines = 0

    def take(self, block: bytes) -> None:
        block = self._held + block
        self._held = b"\r" if block.endswith(b"\r") else b""
        block = block[: len(block) - len(self._held)]
        crlf = block.count(b"\r\n")
        lf, cr = block.count(b"\n") - crlf, block.count(b"\r") - crlf
        self._crlf, self._lf, self._cr = self._crlf + crlf, self._lf + lf, self._cr + cr
        self.added_bytes += lf + cr
        lengths = list(map(len, _lf_only(block).split(b"\n")))
        lengths[0] += self._length
        self._length = lengths[-1]
        longest = max(lengths)
        if longest > self._longest[0]:
            self._longest = (longest, self._lines + 1 + lengths.index(longest))
        self._lines += len(lengths) - 1

    def end(self) -> None:
        """A CR that was held ends the last line; a line without an end is given one."""
        if self._held:
            self._held = b""
            self._cr += 1
            self.added_bytes += 1
        elif self._length:
            self.added_bytes += 2

    def notes(self) -> Iterator[str]:
        longest, number = self._longest
        if longest > LINE_LIMIT_BYTES:
            yield (
                f"line {number:,} is the longest with {longest:,} bytes, SMTP allows {LINE_LIMIT_BYTES}: "
                "servers refuse or fold it"
            )
        if self._cr and (self._lf or self._crlf):
            yield (
                f"carriage returns alone, without a line feed: {self._cr:,}; each goes out as the end of a line, which "
                "breaks a signature made before"
            )
        if self._lf and self._crlf:
            yield (
                f"line ends are mixed, {self._crlf:,} CRLF and {self._lf:,} LF alone; all go out as CRLF, which breaks "
                "a signature made before"
            )


def _lf_only(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _with_crlf(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Tell a text with every line end as CRLF, and one at its end. Bare CR and LF must never reach a server (RFC 5321
    section 2.3.8): what they end there is a matter of taste, and of smuggled commands."""
    held, last = b"", b""
    for block in blocks:
        text = held + block
        held = b"\r" if text.endswith(b"\r") else b""
        if text := _lf_only(text[: len(text) - len(held)]):
            last = text[-1:]
            yield text.replace(b"\n", b"\r\n")
    if held or last not in (b"", b"\n"):
        yield b"\r\n"


def _without(count: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Tell pieces without their first bytes."""
    for piece in pieces:
        if rest := piece[count:]:
            yield rest
        count = max(0, count - len(piece))


def date_text(now: datetime) -> str:
    """Return a date in UTC as a header field has it (RFC 5322 section 3.3), whatever the locale."""
    return f"{_DAYS[now.weekday()]}, {now.day} {_MONTHS[now.month - 1]} {now:%Y %H:%M:%S} +0000"
