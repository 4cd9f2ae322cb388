"""The words we answer with: levels, sources, catalog entries and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

#: What may stand in a finding's facts: JSON values.
Fact: TypeAlias = "str | int | float | bool | tuple[Fact, ...] | Mapping[str, Fact] | None"

NO_FACTS: Mapping[str, Fact] = MappingProxyType({})


class Level(StrEnum):
    """One scale for a finding, a section, a report and `--fail-on`."""

    PASS = "pass"
    INFO = "info"
    UNKNOWN = "unknown"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Position on the scale, 0 (pass) to 4 (error)."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(Level)}


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst of some levels; PASS when there are none.

    >>> worst([Level.INFO, Level.WARNING])
    <Level.WARNING: 'warning'>
    """
    return max(levels, key=lambda level: level.rank, default=Level.PASS)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from: a document, its section (may be None), and an address (may be None)."""

    title: str
    section: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        return f"{self.title} section {self.section}" if self.section else self.title


def rfc(number: int, section: str | None = None) -> Source:
    """Return an RFC as a source.

    >>> rfc(7208, "4.6.4").url
    'https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4'
    """
    anchor = f"#section-{section}" if section else ""
    return Source(f"RFC {number}", section, f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What we know about one kind of finding, whatever the day: timeless text under a stable id."""

    id: str
    title: str
    level: Level
    why: str
    fix: str
    sources: tuple[Source, ...] = ()

    @property
    def topic(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """What we saw today: an entry's words with today's sentence, numbers and fix.

    `paste` holds lines to copy (a whole corrected record, a command), unbroken, or is empty.
    """

    id: str
    level: Level
    title: str
    message: str
    why: str
    fix: str
    subject: str = ""
    facts: Mapping[str, Fact] = field(default_factory=lambda: NO_FACTS)
    sources: tuple[Source, ...] = ()
    paste: tuple[str, ...] = ()

    @property
    def topic(self) -> str:
        return self.id.partition(".")[0]
