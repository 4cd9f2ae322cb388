"""Version-and-fields records of MTA-STS and TLS-RPT (RFC 8461 section 3.1, RFC 8460 section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."); ext-value = 1*(%x21-3A / %x3C / %x3E-7E)
EXTENSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_EXTENSION_VALUE = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")


@dataclass(frozen=True, slots=True)
class FieldList:
    """The fields after the version, in order, as written; `flags` are "malformed-field" and "empty-field"."""

    fields: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]


def parse_fields(text: str, version: str, free: str) -> FieldList | None:
    """Split a record that begins with `version`, exactly so; return None for any other text.

    record = version 1*(delim field) [delim]; delim = *WSP ";" *WSP. The field named `free` has a value of its own
    grammar, which the caller reads; all others are extensions.

    >>> parse_fields("v=STSv1; id=1; x=2;", "v=STSv1", "id")
    FieldList(fields=(('id', '1'), ('x', '2')), flags=())
    >>> parse_fields("v=STSv10; id=1", "v=STSv1", "id") is None
    True
    """
    head, *parts = text.split(";")
    if head.rstrip(" \t") != version:
        return None
    fields: list[tuple[str, str]] = []
    flags: set[str] = set()
    for number, part in enumerate(parts, 1):
        name, equals, value = part.strip(" \t").partition("=")
        if not (name or equals):
            if number < len(parts):
                flags.add("empty-field")
        elif equals and (name == free or (EXTENSION_NAME.fullmatch(name) and _EXTENSION_VALUE.fullmatch(value))):
            fields.append((name, value))
        else:
            flags.add("malformed-field")
    return FieldList(tuple(fields), tuple(sorted(flags)))
