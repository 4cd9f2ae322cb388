"""A user's own entries: beside the built-in ones, before them, or in place of one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from smtpdoc.catalog.model import ReplyEntry

#: Only this much of a reply is searched with a user's patterns, whose speed is checked for texts of this length.
MAX_TEXT_CHARS = 2048


@dataclass(frozen=True, slots=True)
class UserEntry:
    """An entry from a file, complete: what an override leaves out is the built-in entry's.

    `in_place`: it overrides only the words of a built-in entry, which goes on deciding when it fits.
    """

    entry: ReplyEntry
    in_place: bool = False


class UserCatalog:
    """The user's entries in the order in which they are tried.

    Of two with the same id the first counts. Equal to nothing but itself, so that answers can be kept by it.
    """

    __slots__ = ("_by_codes", "_by_id", "_by_text", "entries")

    def __init__(self, entries: Iterable[UserEntry]) -> None:
        self._by_id: dict[str, UserEntry] = {}
        for own in entries:
            self._by_id.setdefault(own.entry.id, own)
        self.entries = tuple(own.entry for own in self._by_id.values())
        tried = [own.entry for own in self._by_id.values() if not own.in_place]
        self._by_text = [(re.compile(entry.text, re.IGNORECASE), entry) for entry in tried if entry.text]
        self._by_codes = [entry for entry in tried if not entry.text]

    def by_text(self, text: str, code: int | None, enhanced: str | None, *, positive: bool) -> ReplyEntry | None:
        """Return the first entry whose words stand in `text` and whose codes allow these, or None."""
        text = text[:MAX_TEXT_CHARS]
        for pattern, entry in self._by_text:
            if (entry.reason == "ok") is positive and _allow(entry, code, enhanced) and pattern.search(text):
                return entry
        return None

    def by_codes(self, code: int | None, enhanced: str | None, *, positive: bool) -> ReplyEntry | None:
        """Return the first entry without words that has these codes, or None."""
        for entry in self._by_codes:
            needs_enhanced = entry.enhanced is not None and enhanced is None
            needs_code = entry.enhanced is None and code is None
            if needs_enhanced or needs_code or (entry.reason == "ok") is not positive:
                continue
            if _allow(entry, code, enhanced):
                return entry
        return None

    def instead_of(self, entry: ReplyEntry) -> ReplyEntry | None:
        """Return what stands in a built-in entry's place: itself, the user's words for it, or None when it is gone."""
        own = self._by_id.get(entry.id) or self._by_id.get(_any_class(entry.id))
        if own is None:
            return entry
        return own.entry if own.in_place else None

    def find(self, entry_id: str) -> ReplyEntry | None:
        own = self._by_id.get(entry_id)
        return None if own is None else own.entry

    def over(self, entries: Iterable[ReplyEntry]) -> tuple[ReplyEntry, ...]:
        """Return the user's entries, then those of the built-in ones that they do not override."""
        return (*self.entries, *(entry for entry in entries if entry.id not in self._by_id))

    def __contains__(self, entry: ReplyEntry) -> bool:
        return self.find(entry.id) is entry


def _any_class(entry_id: str) -> str:
    """Return "enhanced.X.7.1" for "enhanced.5.7.1": who overrides it means all three classes."""
    topic, _, rest = entry_id.partition(".")
    return f"enhanced.X{rest[1:]}" if topic == "enhanced" else entry_id


def _allow(entry: ReplyEntry, code: int | None, enhanced: str | None) -> bool:
    """Tell whether an entry's codes allow a reply's; a code that the reply does not have contradicts nothing."""
    wanted = entry.codes if entry.code is None else (entry.code, *entry.codes)
    if wanted and code is not None and code not in wanted:
        return False
    if entry.enhanced is None or enhanced is None:
        return True
    return entry.enhanced == enhanced or (entry.enhanced[0] == "X" and entry.enhanced[1:] == enhanced[1:])
