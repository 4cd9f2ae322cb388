"""What we know about replies. Nothing is loaded before it is asked for."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from smtpdoc.catalog.model import ReplyEntry
    from smtpdoc.catalog.replies.index import Branch, Index

#: Modules with provider entries, each with ENTRIES. Within one the first match wins, so order is theirs to choose.
PROVIDERS: tuple[str, ...] = (
    "dnsbl_errors",
    "gmail",
    "microsoft365",
    "outlookcom",
    "exchange",
    "yahoo",
    "icloud",
    "comcast",
    "gmx",
    "tonline",
    "orange",
    "laposte",
    "mailru",
    "yandex",
    "qq",
    "netease",
    "sina",
    "godaddy",
    "rackspace",
    "zoho",
    "titan",
    "others",
    "filters",
    "dnsbl",
    "servers_postfix",
    "servers_exim",
    "servers_other",
)
#: The phrases: words of anybody. Tried when no provider's entry decides.
PHRASES = "phrases"
#: Module numbers in the index are positions here.
MODULES = (*PROVIDERS, PHRASES)

#: An entry that codes alone decide: (provider, reply codes, enhanced code or None, module number, entry number).
CodeRow: TypeAlias = "tuple[str, tuple[int, ...], str | None, int, int]"


@cache
def entries_of(module: str) -> tuple[ReplyEntry, ...]:
    """Return the entries of one module, loading it the first time."""
    entries: tuple[ReplyEntry, ...] = import_module(f"{__name__}.{module}").ENTRIES
    return entries


@cache
def provider_entries() -> tuple[ReplyEntry, ...]:
    """Return all provider entries, module by module."""
    return tuple(entry for module in PROVIDERS for entry in entries_of(module))


def phrase_entries() -> tuple[ReplyEntry, ...]:
    """Return all phrases, in the order in which they are tried."""
    return entries_of(PHRASES)


@cache
def indexes() -> tuple[Index, Index]:
    """Return the patterns of all provider entries, and those of the phrases."""
    from smtpdoc.catalog.replies import prepared
    from smtpdoc.catalog.replies.index import Index

    rows = prepared.BRANCHES if _fresh(prepared.SIZES) else build()[0]
    last = MODULES.index(PHRASES)
    return Index(tuple(row for row in rows if row[2] != last)), Index(tuple(row for row in rows if row[2] == last))


@cache
def code_rows() -> tuple[CodeRow, ...]:
    """Return the provider entries without a pattern."""
    from smtpdoc.catalog.replies import prepared

    return prepared.CODE_ROWS if _fresh(prepared.SIZES) else build()[1]


@cache
def build() -> tuple[tuple[Branch, ...], tuple[CodeRow, ...]]:
    """Read all modules and return what `prepared.py` holds (write it with `prepare.py`)."""
    from smtpdoc.catalog.replies.index import branches as split_entries

    rows: list[Branch] = []
    codes: list[CodeRow] = []
    for number, module in enumerate(MODULES):
        entries = entries_of(module)
        rows += split_entries(number, entries)
        for position, entry in enumerate(entries):
            if not entry.text:
                numbers = entry.codes if entry.code is None else (entry.code, *entry.codes)
                codes.append((entry.provider or "", numbers, entry.enhanced, number, position))
    return tuple(rows), tuple(codes)


def sizes() -> dict[str, int]:
    """Return the size of each source file that entries come from; empty where there are no files (a zip)."""
    folder = os.path.dirname(__file__)
    try:
        return {name: os.stat(f"{folder}/{name}.py").st_size for name in (*MODULES, *PHRASE_SOURCES)}
    except OSError:
        return {}


#: The files that phrases.py puts in order.
PHRASE_SOURCES = (
    "phrases_access",
    "phrases_block",
    "phrases_message",
    "phrases_recipient",
    "phrases_sender",
    "phrases_server",
)


def _fresh(recorded: dict[str, int]) -> bool:
    """Tell whether the prepared index still fits the entries. It is only a short cut: a stale one is not used."""
    found = sizes()
    return not found or found == recorded
