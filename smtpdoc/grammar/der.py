"""DER, as much of it as certificates need (X.690): tags, lengths, numbers, object identifiers, times, strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from smtpdoc.errors import ParseError

INTEGER, BIT_STRING, OID = 0x02, 0x03, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE = 0x30
BMP_STRING, UNIVERSAL_STRING, T61_STRING = 0x1E, 0x1C, 0x14


class DerParseError(ParseError):
    """Bytes that are no DER, or not the structure that was asked for."""


@dataclass(frozen=True, slots=True)
class Node:
    """One tag with its content; `whole` is the node with its header."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> tuple[Node, ...]:
        return tuple(read_all(self.content))

    def expect(self, tag: int, what: str) -> Node:
        """Return the node itself; raise DerParseError unless it has this tag."""
        if self.tag != tag:
            raise DerParseError(what, f"tag {self.tag:#04x}")
        return self


def read(data: bytes, offset: int = 0) -> Node:
    """Return the node that begins at `offset`; raise DerParseError when it is cut off or not DER."""
    header = data[offset : offset + 2]
    if len(header) < 2:
        raise DerParseError("a tag and a length", "the end", offset)
    tag, length = header
    start = offset + 2
    if tag & 0x1F == 0x1F:
        raise DerParseError("a tag of one byte", hex(tag), offset)
    if length >= 0x80:
        count = length & 0x7F
        digits = data[start : start + count]
        if not 1 <= count <= 4 or len(digits) < count:
            raise DerParseError("a definite length", hex(length), offset)
        length = int.from_bytes(digits)
        start += count
    content = data[start : start + length]
    if len(content) < length:
        raise DerParseError(f"{length} bytes", f"{len(content)} bytes", offset)
    return Node(tag, content, data[offset : start + length])


def read_all(data: bytes) -> Iterator[Node]:
    """Yield the nodes that stand one after the other."""
    offset = 0
    while offset < len(data):
        node = read(data, offset)
        yield node
        offset += len(node.whole)


def object_identifier(content: bytes) -> str:
    """Return an OID in dotted form.

    >>> object_identifier(bytes.fromhex("2a864886f70d01010b"))
    '1.2.840.113549.1.1.11'
    """
    if not content or content[-1] & 0x80:
        raise DerParseError("an object identifier", content.hex() or "nothing")
    arcs: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))


def time(node: Node) -> datetime:
    """Return a UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5)."""
    text = node.content.decode("ascii", "replace")
    if node.tag == UTC_TIME:
        # Two digits of a year: 50 to 99 are in the twentieth century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif node.tag != GENERALIZED_TIME:
        raise DerParseError("a time", f"tag {node.tag:#04x}")
    digits, zone = text[:14], text[14:]
    if not digits.isdigit():
        raise DerParseError("a time", text)
    try:
        month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
        moment = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
        if zone in ("Z", ""):
            return moment
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        return moment - offset if zone[0] == "+" else moment + offset
    except (ValueError, OverflowError):
        raise DerParseError("a time", text) from None


def text(node: Node) -> str:
    """Return a string of any of the string types; bytes that fit no encoding are written out."""
    encoding = {BMP_STRING: "utf-16-be", UNIVERSAL_STRING: "utf-32-be", T61_STRING: "latin-1"}.get(node.tag, "utf-8")
    return node.content.decode(encoding, "backslashreplace")


def integer(node: Node) -> int:
    return int.from_bytes(node.expect(INTEGER, "an integer").content, signed=True)
