"""SASLprep (RFC 4013): names and passwords that look alike become the same characters before they are hashed."""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,  # spaces other than the ASCII one: these are mapped, and can come back from NFKC
    stringprep.in_table_c21_c22,  # control characters
    stringprep.in_table_c3,  # private use
    stringprep.in_table_c4,  # no characters
    stringprep.in_table_c5,  # surrogates: bytes that were no UTF-8
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """Return a name or password prepared; as it is where the rules forbid it, since the server then decides.

    >>> saslprep("I\\xadX"), saslprep("\\u2168"), saslprep("a\\xa0b")
    ('IX', 'IX', 'a b')
    """
    if text.isascii():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if not prepared or any(forbidden(char) for char in prepared for forbidden in _PROHIBITED) or _mixed(prepared):
        return text
    return prepared


def _mixed(text: str) -> bool:
    """Does a text run both ways (RFC 3454 section 6)?"""
    if not any(stringprep.in_table_d1(char) for char in text):
        return False
    return (
        any(stringprep.in_table_d2(char) for char in text)
        or not stringprep.in_table_d1(text[0])
        or not stringprep.in_table_d1(text[-1])
    )
