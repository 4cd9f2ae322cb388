"""Strangers' text made safe for a terminal, a ticket and a CI log."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, line and paragraph separators, bidirectional controls, zero-width and other format
# characters, tag characters, lone surrogates (bytes that were no UTF-8) and non-characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if 0xDC80 <= point <= 0xDCFF:  # surrogateescape: the byte itself
        point -= 0xDC00
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def unsafe(char: str) -> bool:
    """Tell whether `printable` would write this character out."""
    return _UNSAFE.match(char) is not None


def printable(text: str) -> str:
    r"""Return a stranger's text on one line, with everything that could steer a terminal written out.

    >>> printable("550 \x1b[31mred\r\n")
    '550 \\x1b[31mred\\x0d\\x0a'
    >>> printable("caf\u00e9 \u202etxt")
    'café \\u202etxt'
    """
    return _UNSAFE.sub(_escape, text)
