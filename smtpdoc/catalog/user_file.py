"""The user's catalog file: TOML with a [[reply]] table for each entry, every key checked.

An error names the file, the line and the key. tomllib tells the line of what is no TOML; for a wrong value the text is
searched for the table and its key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from smtpdoc.catalog.advice import PLACES
from smtpdoc.catalog.browse import find_entry
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies.reasons import ACTIONS, REASONS
from smtpdoc.catalog.user import UserCatalog, UserEntry
from smtpdoc.catalog.user_pattern import refusal
from smtpdoc.errors import CatalogFileError
from smtpdoc.evidence.explanation import Retry, Who
from smtpdoc.findings import Source
from smtpdoc.grammar.reply import ReplyParseError, parse_reply

MAX_ENTRIES = 2000
MAX_WORDS = 2000

_ID = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-zA-Z0-9][a-z0-9-]*)+")
_DURATION = re.compile(r"([0-9]{1,5}) ?(s|m|min|h|d)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_TABLE = re.compile(r"\s*\[\[\s*[\"']?reply[\"']?\s*\]\]")

#: What decides whether an entry fits. An override that changes none of it stays in the built-in entry's place.
_MATCHING = ("text", "code", "codes", "enhanced")


class _WrongValueError(Exception):
    """A value is not what its key wants; the message says what was expected."""


def parse_catalog(text: str, name: str) -> tuple[UserEntry, ...]:
    """Return the entries of a file in their order; `name` is how errors call it. Raises CatalogFileError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogFileError(f"{name}: this is no TOML: {error}") from None
    except RecursionError:
        raise CatalogFileError(f"{name}: its values are nested too deep") from None
    for key in tables:
        if key != "reply":
            raise CatalogFileError(_at(name, _line_of_top(text, key), key, "only [[reply]] tables are known"))
    rows = tables.get("reply", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CatalogFileError(_at(name, _line_of_top(text, "reply"), "reply", "write [[reply]] above each entry"))
    if len(rows) > MAX_ENTRIES:
        raise CatalogFileError(f"{name}: it has {len(rows)} entries, the limit is {MAX_ENTRIES}")
    lines = _Lines(text)
    entries: list[UserEntry] = []
    for number, row in enumerate(rows):
        entries.append(_entry(row, name, lines, number))
        if any(entries[-1].entry.id == other.entry.id for other in entries[:-1]):
            raise CatalogFileError(
                _at(name, lines.of(number, "id"), "id", f'"{entries[-1].entry.id}" stands in this file twice')
            )
    return tuple(entries)


def _entry(row: dict[str, Any], name: str, lines: _Lines, number: int) -> UserEntry:
    def wrong(key: str, why: str) -> CatalogFileError:
        return CatalogFileError(_at(name, lines.of(number, key), key, why))

    values: dict[str, Any] = {}
    for key, value in row.items():
        reader = _KEYS.get(key)
        if reader is None:
            raise wrong(key, f"no such key; there are: {', '.join(_KEYS)}")
        try:
            values.update(reader(value))
        except _WrongValueError as error:
            raise wrong(key, str(error)) from None
    if "id" not in values:
        raise wrong("id", 'each entry needs one, such as id = "acme.mailbox-full"')
    give_up_s = values.pop("give_up_s", None)
    if give_up_s is not None:
        if not (values.get("retry") and values["retry"].should):
            raise wrong("give-up", 'it belongs to a retry, such as retry = ["5m", "1h"]')
        values["retry"] = replace(values["retry"], give_up_s=give_up_s)
    built_in = find_entry(values["id"])
    if built_in is not None:
        changed = {"example": "", "examples": (), **_matching(values), **_words(values)}
        own = replace(built_in, **changed)
        entry = UserEntry(own, in_place=not any(key in values for key in _MATCHING))
    else:
        for key in ("reason", "title"):
            if key not in values:
                raise wrong(key, f'"{values["id"]}" is a new entry, and needs one')
        if not any(values.get(key) for key in _MATCHING):
            raise wrong("text", "a new entry needs text, code or enhanced, or else it fits no reply")
        entry = UserEntry(ReplyEntry(**{"meaning": "", **values}))
    if entry.entry.action is None and entry.entry.retry is not None and entry.entry.retry.should:
        entry = replace(entry, entry=replace(entry.entry, action="retry"))
    if values.get("example") and not entry.in_place and not _fits(entry, values["example"]):
        raise wrong("example", "the entry's own text and codes do not fit it")
    return entry


def _matching(values: dict[str, Any]) -> dict[str, Any]:
    """Return what decides about a fit: new words or codes stand for all of the built-in entry's."""
    found = {key: values[key] for key in _MATCHING if key in values}
    return {"text": "", "code": None, "codes": (), "enhanced": None, **found} if found else {}


def _words(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _MATCHING}


def _fits(own: UserEntry, example: str) -> bool:
    try:
        reply = parse_reply(example)
    except ReplyParseError:
        return False
    codes = (reply.code, reply.enhanced)
    catalog = UserCatalog((own,))
    text = " ".join(reply.text.split())
    found = catalog.by_text(text, *codes, positive=reply.positive) or catalog.by_codes(*codes, positive=reply.positive)
    return found is not None


# -- keys: each reader returns the fields that a value sets, or raises _WrongValueError ------------------------------------------


def _string(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongValueError(f"expected a text, got {_shown(value)}")
    if len(value) > MAX_WORDS:
        raise _WrongValueError(f"it has {len(value)} characters, the limit is {MAX_WORDS}")
    return value.strip()


def _words_of(value: object) -> str:
    """Read a text with places such as {domain}."""
    text = _string(value)
    for place in re.findall(r"\{(\w*)\}", text):
        if place not in PLACES:
            raise _WrongValueError(
                f"there is no place {{{place}}}; there are: {', '.join(f'{{{known}}}' for known in PLACES)}"
            )
    return " ".join(text.split())


def _list_of(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _WrongValueError(f"expected a list of texts, got {_shown(value)}")
    return tuple(_words_of(item) for item in value)


def _one_of(names: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in names:
            import difflib

            near = difflib.get_close_matches(str(value), names, 1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; there are: {', '.join(names)}"
            raise _WrongValueError(f"there is no {_shown(value)}{hint}")
        return str(value)

    return read


def _id(value: object) -> dict[str, Any]:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _WrongValueError(f'expected a name with a dot, such as "acme.mailbox-full", got {_shown(value)}')
    return {"id": value}


def _pattern(value: object) -> dict[str, Any]:
    text = _string(value).removeprefix(".*")  # at the ends it changes nothing in a search, but takes long
    text = text if text.endswith("\\.*") else text.removesuffix(".*")
    if why := refusal(text):
        raise _WrongValueError(why)
    return {"text": text}


def _code(value: object) -> dict[str, Any]:
    codes = value if isinstance(value, list) else [value]
    for code in codes:
        if type(code) is not int or not 200 <= code <= 599:
            raise _WrongValueError(f"expected a reply code between 200 and 599, or a list of them, got {_shown(value)}")
    if not codes:
        raise _WrongValueError("expected a reply code between 200 and 599, or a list of them, got []")
    return {"code": codes[0], "codes": ()} if len(codes) == 1 else {"code": None, "codes": tuple(codes)}


def _enhanced(value: object) -> dict[str, Any]:
    if not isinstance(value, str) or not re.fullmatch(r"[245X]\.[0-9]\.[0-9]{1,3}", value):
        raise _WrongValueError(f'expected an enhanced status code such as "5.7.1" or "X.7.1", got {_shown(value)}')
    return {"enhanced": value}


def _seconds(value: object) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(match[1]) * _UNITS[match[2]] if match else value if type(value) is int else 0
    if not 0 < seconds <= 30 * 86400:
        raise _WrongValueError(f'expected a time such as "5m", "2h" or "3d", up to 30d, got {_shown(value)}')
    return seconds


def _retry(value: object) -> dict[str, Any]:
    if value is False:
        return {"retry": Retry(False)}
    if not isinstance(value, list) or not value:
        raise _WrongValueError(f'expected false, or times such as ["5m", "30m", "2h"], got {_shown(value)}')
    return {"retry": Retry(True, tuple(_seconds(item) for item in value))}


def _sources(value: object) -> dict[str, Any]:
    names = (value,) if isinstance(value, str) else _list_of(value)
    return {
        "sources": tuple(
            Source(name, url=name) if name.startswith(("http://", "https://")) else Source(name) for name in names
        )
    }


_KEYS: dict[str, Callable[[object], dict[str, Any]]] = {
    "id": _id,
    "reason": lambda value: {"reason": _one_of(tuple(REASONS))(value)},
    "title": lambda value: {"title": _words_of(value)},
    "meaning": lambda value: {"meaning": _words_of(value)},
    "provider": lambda value: {"provider": _string(value).lower()},
    "text": _pattern,
    "code": _code,
    "enhanced": _enhanced,
    "causes": lambda value: {"causes": _list_of(value)},
    "steps": lambda value: {"steps": _list_of(value)},
    "commands": lambda value: {"commands": _list_of(value)},
    "action": lambda value: {"action": _one_of(ACTIONS)(value)},
    "who": lambda value: {"who": Who(_one_of(tuple(Who))(value))},
    "retry": _retry,
    "give-up": lambda value: {"give_up_s": _seconds(value)},
    "sources": _sources,
    "example": lambda value: {"example": _string(value)},
}


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# -- where things stand ------------------------------------------------------------------------------------------------


class _Lines:
    """The lines of a file, to find the place of an entry's key."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._tables = [number for number, line in enumerate(self._lines) if _TABLE.match(line)]

    def of(self, table: int, key: str) -> int | None:
        """Return the line (from 1) of a key, of its table when it is not there, or None when that is not found."""
        if table >= len(self._tables):
            return None
        start = self._tables[table]
        end = self._tables[table + 1] if table + 1 < len(self._tables) else len(self._lines)
        wanted = _key(key)
        found = next((number for number in range(start + 1, end) if wanted.match(self._lines[number])), start)
        return found + 1


def _key(key: str) -> re.Pattern[str]:
    return re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]")


def _line_of_top(text: str, key: str) -> int | None:
    wanted = re.compile(rf"\s*(?:\[{{1,2}}\s*)?[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    return next((number for number, line in enumerate(text.split("\n"), 1) if wanted.match(line)), None)


def _at(name: str, line: int | None, key: str, why: str) -> str:
    place = name if line is None else f"{name}, line {line}"
    return f"{place}, key {key}: {why}"
