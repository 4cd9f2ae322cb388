"""What redirecting, pasting and quoting did to a transcript, undone: bytes in, text and lines out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

#: More than any session has; what follows is left out.
MAX_LINES = 10_000
_LINE_CHARS = 1 << 16
_LOOKED_AT = 1 << 16

_ENDS = re.compile(r"\r*\n|\r+")
# Colours and other control sequences of a terminal that `script` kept, and the rest of what a terminal obeys.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[=>@-Z\\^_]")
_ERASE = "\b\x7f"
_QUOTE = re.compile(r"[ \t]{0,80}[>|] ?")
_ATTRIBUTES = r"(?:\s[^<>]{0,500})?/?>"
_BREAKS = re.compile(r"<(?:br|/?p|/?div|/li|/tr|/?pre|/h[1-6])" + _ATTRIBUTES, re.IGNORECASE)
_TAGS = re.compile(
    r"</?(?:html|body|head|meta|span|code|samp|kbd|tt|b|i|u|em|strong|font|blockquote|table|tbody|t[dhr]|[ou]l|li|a)"
    + _ATTRIBUTES,
    re.IGNORECASE,
)
#: Nobody quotes a quotation more often.
_MOST_QUOTED = 8
#: That many line breaks in HTML are no accident in what a server said.
_HTML_BREAKS = 2


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8, other bytes as lone surrogates, or UTF-16, which PowerShell's > writes."""
    encoding = _wide(data)
    if encoding is not None:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _wide(data: bytes) -> str | None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    head = data[:2000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) or min(even, odd):
        return None
    return ("utf-16-be" if even else "utf-16-le") if head else None


def readings(text: str) -> Iterator[list[str]]:
    """Yield the lines of a text as they are; then, if that differs, without indentation and what marks a quotation."""
    if _is_html(text):
        text = unescape(_TAGS.sub("", _BREAKS.sub("\n", text)))
    lines = [_plain(line[:_LINE_CHARS]) for line in _ENDS.split(text, MAX_LINES)[:MAX_LINES]]
    yield lines
    bare = _unquoted(lines)
    if bare != lines:
        yield bare


def _is_html(text: str) -> bool:
    head = text[:_LOOKED_AT]
    escaped = "&lt;" in head and "&gt;" in head
    return escaped or sum(1 for _ in _BREAKS.finditer(head)) >= _HTML_BREAKS


def _plain(line: str) -> str:
    """Return what a terminal would show of a line: no colours, and without what was typed and taken back."""
    line = _SEQUENCES.sub("", line)
    if not any(char in line for char in _ERASE):
        return line
    kept: list[str] = []
    for char in line:
        if char not in _ERASE:
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)


def _unquoted(lines: list[str]) -> list[str]:
    """Take off what most lines begin with, one level after the other, as mail programs put it on."""
    for _ in range(_MOST_QUOTED):
        written = [line for line in lines if line.strip()]
        if sum(1 for line in written if _QUOTE.match(line)) * 2 < len(written) or not written:
            break
        lines = [_QUOTE.sub("", line, count=1) if _QUOTE.match(line) else line for line in lines]
    return [line.replace("\xa0", " ").strip() for line in lines]
