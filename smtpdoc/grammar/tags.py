"""Tag=value lists, the form of DKIM, DMARC and BIMI records (RFC 6376 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]; tag-name = ALPHA *ALNUMPUNC
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as written; `value` without the white space round it. `offset` is where the tag's name stands."""

    name: str
    value: str
    offset: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Text between two semicolons that is no tag; empty for `;;`."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a record and the pieces that are none, each in the order in which they stand there."""

    tags: tuple[Tag, ...]
    malformed: tuple[Piece, ...]

    def get(self, name: str) -> Tag | None:
        """Return the first tag of this name (case matters), or None."""
        return next((tag for tag in self.tags if tag.name == name), None)

    @property
    def duplicates(self) -> tuple[str, ...]:
        """Names that stand more than once, each named once, in order."""
        names = [tag.name for tag in self.tags]
        return tuple(dict.fromkeys(name for name in names if names.count(name) > 1))


def parse_tags(text: str) -> TagList:
    """Split a tag list; pieces that are no tag are kept apart, and nothing is raised.

    >>> parse_tags("v=DMARC1; p = none;; fo:1").tags[1]
    Tag(name='p', value='none', offset=10)
    >>> parse_tags("v=DMARC1; p = none;; fo:1").malformed
    (Piece(text='', offset=19), Piece(text='fo:1', offset=21))
    """
    tags: list[Tag] = []
    malformed: list[Piece] = []
    for piece in _pieces(text):
        name, equals, value = piece.text.partition("=")
        name = name.rstrip(_SPACE)
        if equals and _NAME.fullmatch(name):
            tags.append(Tag(name, value.strip(_SPACE), piece.offset))
        else:
            malformed.append(piece)
    return TagList(tuple(tags), tuple(malformed))


def _pieces(text: str) -> Iterator[Piece]:
    """Yield what stands between semicolons, without white space round it; one semicolon may end the list."""
    offset = 0
    parts = text.split(";")
    for number, part in enumerate(parts):
        stripped = part.strip(_SPACE)
        if stripped or number < len(parts) - 1:
            yield Piece(stripped, offset + len(part) - len(part.lstrip(_SPACE)) if stripped else offset)
        offset += len(part) + 1
