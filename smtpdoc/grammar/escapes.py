"""Letters written out where they could not stand: %2B in URLs, =2B in mail, \\u002b in JSON, &amp; in HTML, undone."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: In URLs; in quoted-printable and xtext (RFC 3461 section 4); in JSON and C; in HTML. One text uses one of them.
_KINDS = (
    re.compile(rb"(?:%[0-9a-f]{2})+|\+", re.IGNORECASE),
    re.compile(rb"(?:[=+][0-9a-f]{2})+", re.IGNORECASE),
    re.compile(rb"(?:\\u[0-9a-f]{4})+|(?:\\x[0-9a-f]{2})+|\\[\\\"'/]", re.IGNORECASE),
    re.compile(rb"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);", re.IGNORECASE),
)
_NAMED = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'", b"+": b" "}


def unescaped(data: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """Yield a text with its escapes undone, once for each kind that it has.

    With it comes the place in `data` where each of its bytes stood, and the end of `data`.
    """
    for kind in _KINDS:
        text = bytearray()
        places: list[int] = []
        done = 0
        for match in kind.finditer(data):
            begin, end = match.span()
            letters = _letters(match[0])
            text += data[done:begin] + letters
            places += range(done, begin)
            places += [begin + number * (end - begin) // len(letters) for number in range(len(letters))]
            done = end
        if done:
            yield bytes(text) + data[done:], [*places, *range(done, len(data) + 1)]


def _letters(escape: bytes) -> bytes:
    """Return what a run of escapes of one kind stands for, as UTF-8."""
    escape = escape.lower()
    if escape in _NAMED:
        return _NAMED[escape]
    if escape.startswith(b"&#"):
        number = escape[2:-1]
        code = int(number[1:], 16) if number.startswith(b"x") else int(number)
        return chr(min(code, 0x10FFFF)).encode("utf-8", "replace")
    if escape.startswith(b"\\u"):
        units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", "replace").encode("utf-8", "replace")
    if len(escape) == 2:  # a backslash before the letter itself
        return escape[1:]
    return bytes.fromhex(escape.replace(b"\\x", b"").translate(None, b"%=+").decode())
