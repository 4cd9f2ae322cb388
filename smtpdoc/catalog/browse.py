"""The catalog as something to look things up in: codes, reasons, providers, entries, findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from smtpdoc.catalog import providers
from smtpdoc.catalog.explain import explain
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies import phrase_entries, provider_entries
from smtpdoc.catalog.replies.basic import CLASSES, basic_entries, basic_entry, class_entry
from smtpdoc.catalog.replies.enhanced import enhanced_entries, enhanced_entry
from smtpdoc.catalog.replies.reason import Reason
from smtpdoc.catalog.replies.reasons import REASONS
from smtpdoc.evidence.explanation import Explanation
from smtpdoc.findings import Entry
from smtpdoc.grammar.reply import Reply, parse_reply

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog


@dataclass(frozen=True, slots=True)
class ReplyExplanation:
    """The words were a reply."""

    explanation: Explanation


@dataclass(frozen=True, slots=True)
class CodePage:
    """The words were a bare reply code or enhanced code.

    `entry` is the standard's meaning (None for a code that nobody lists), `uses` are the provider entries that answer
    with it, `explanation` is what a reply of the code alone means.
    """

    code: str
    entry: ReplyEntry | None
    uses: tuple[ReplyEntry, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class ReasonPage:
    """The words were a reason's name; `entries` are the provider entries with it."""

    reason: Reason
    entries: tuple[ReplyEntry, ...]


@dataclass(frozen=True, slots=True)
class ProviderPage:
    """The words were a provider's name; `entries` are its own, in their order."""

    provider: str
    name: str
    entries: tuple[ReplyEntry, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """The words were the id of a reply entry; `reason` holds the advice that the entry leaves out."""

    entry: ReplyEntry
    reason: Reason


@dataclass(frozen=True, slots=True)
class FindingPage:
    """The words were the id of a finding of probe or auth-check."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class NothingFound:
    """The words look like a name and are none; `suggestions` are similar names, best first, maybe none."""

    words: str
    suggestions: tuple[str, ...]


Page: TypeAlias = "ReplyExplanation | CodePage | ReasonPage | ProviderPage | EntryPage | FindingPage | NothingFound"


def lookup(
    words: str, *, stage: str | None = None, provider: str | None = None, catalog: UserCatalog | None = None
) -> Page:
    """Return what `smtpdoc explain` was asked for: a name of the catalog, or a reply.

    `catalog` are the user's own entries. Raises ReplyParseError when the words are neither.
    """
    name = words.strip().lower()
    if name in REASONS:
        pool = _over(catalog, provider_entries())
        return ReasonPage(REASONS[name], tuple(entry for entry in pool if entry.reason == name))
    if _is_code(name):
        return _code_page(name, catalog)
    if known := provider_named(name, catalog):
        return ProviderPage(known, providers.display_name(known), all_entries(provider=known, catalog=catalog))
    if _looks_like_id(name):
        if entry := find_entry(name, catalog):
            return EntryPage(entry, REASONS[entry.reason])
        if finding := find_finding(name):
            return FindingPage(finding)
        return NothingFound(words.strip(), suggestions(name))
    explanation = explain(parse_reply(words), stage=stage, provider=provider, catalog=catalog)
    unknown = explanation.reason is None and explanation.reply.code is None and explanation.reply.enhanced is None
    if unknown and name.replace("-", "").isalpha():
        return NothingFound(words.strip(), suggestions(name))
    return ReplyExplanation(explanation)


def _over(catalog: UserCatalog | None, entries: tuple[ReplyEntry, ...]) -> tuple[ReplyEntry, ...]:
    return entries if catalog is None else catalog.over(entries)


def provider_named(name: str, catalog: UserCatalog | None = None) -> str | None:
    """Return the provider that people call this, or None.

    >>> provider_named("Hotmail")
    'outlook.com'
    """
    name = name.strip().lower()
    if name in providers.ALIASES:
        return providers.ALIASES[name]
    if name in providers.KINDS:
        return name
    if catalog is not None and any(entry.provider == name for entry in catalog.entries):
        return name
    # The rest is named by its entries only; reading them all is slow, so only a plausible word asks for it.
    return name if _looks_like_word(name) and name in _providers() else None


@cache
def _providers() -> frozenset[str]:
    return frozenset(entry.provider for entry in provider_entries() if entry.provider)


def find_entry(entry_id: str, catalog: UserCatalog | None = None) -> ReplyEntry | None:
    """Return a reply entry by its id ("gmail.dmarc-unauthenticated", "enhanced.5.7.26", "reply.550"), or None."""
    if catalog is not None and (own := catalog.find(entry_id)):
        return own
    topic, _, rest = entry_id.lower().partition(".")
    if topic == "reply":
        if rest.isdigit():
            return basic_entry(int(rest))
        return class_entry(rest[0]) if rest[1:] == "yz" and rest[0] in CLASSES else None
    if topic == "enhanced":
        return enhanced_entry(rest.upper())
    pool = phrase_entries() if topic == "phrase" else provider_entries()
    return next((entry for entry in pool if entry.id == entry_id.lower()), None)


def find_finding(finding_id: str) -> Entry | None:
    """Return the entry of a finding of probe or auth-check by its id, or None."""
    return next((entry for entry in finding_entries() if entry.id == finding_id.lower()), None)


@cache
def finding_entries() -> tuple[Entry, ...]:
    """Return the entries of all checks, topic by topic."""
    import pkgutil  # only for finding ids: a reply should not pay for it
    from importlib import import_module

    from smtpdoc.catalog import checks

    names = sorted(module.name for module in pkgutil.iter_modules(checks.__path__))
    found: dict[str, Entry] = {}
    for name in names:
        for entry in getattr(import_module(f"{checks.__name__}.{name}"), "ENTRIES", ()):
            found.setdefault(entry.id, entry)
    return tuple(found.values())


def all_entries(
    provider: str | None = None,
    reason: str | None = None,
    code: str | None = None,
    catalog: UserCatalog | None = None,
) -> tuple[ReplyEntry, ...]:
    """Return the reply entries that fit all filters: providers first, then phrases, enhanced codes, reply codes.

    `code` is "550" or "5.7.26"; an entry that leaves its codes open is judged by its example.
    """
    named = None if provider is None else provider_named(provider, catalog) or provider.lower()
    pool = _over(
        catalog,
        provider_entries()
        if named is not None
        else (*provider_entries(), *phrase_entries(), *enhanced_entries(), *basic_entries()),
    )
    return tuple(
        entry
        for entry in pool
        if (named is None or entry.provider == named)
        and (reason is None or entry.reason == reason)
        and (code is None or uses_code(entry, code))
    )


def uses_code(entry: ReplyEntry, code: str) -> bool:
    """Tell whether an entry answers with a code: its own, or that of one of its examples."""
    if code.isdigit():
        if entry.code is not None or entry.codes:
            return int(code) == entry.code or int(code) in entry.codes
        return any(str(reply.code) == code for reply in _examples(entry))
    if entry.enhanced is not None:
        return entry.enhanced == code or (
            "X" in (entry.enhanced[0], code[:1].upper()) and entry.enhanced[1:] == code[1:]
        )
    return any(reply.enhanced == code for reply in _examples(entry))


def _examples(entry: ReplyEntry) -> Iterator[Reply]:
    for example in (entry.example, *entry.examples):
        if example:
            yield parse_reply(example)


def suggestions(name: str, count: int = 3) -> tuple[str, ...]:
    """Return the names of the catalog that are most like this one, best first.

    >>> suggestions("greylsted")[0]
    'greylisted'
    """
    import difflib  # only for names that were mistyped

    names = [*REASONS, *providers.KINDS, *providers.ALIASES]
    if "." in name:
        names += [entry.id for entry in (*provider_entries(), *phrase_entries())]
        names += [entry.id for entry in finding_entries()]
    return tuple(difflib.get_close_matches(name, names, count, 0.7))


def _code_page(code: str, catalog: UserCatalog | None) -> CodePage:
    code = code.upper()
    entry = basic_entry(int(code)) if code.isdigit() else enhanced_entry(code)
    uses = tuple(entry for entry in _over(catalog, provider_entries()) if uses_code(entry, code))
    # "X.7.26" is asked for by its number alone: a permanent refusal stands for the others.
    return CodePage(code, entry, uses, explain(parse_reply(code.replace("X", "5")), catalog=catalog))


def _is_code(name: str) -> bool:
    return re.fullmatch(r"[2-5][0-9]{2}|[245x]\.[0-9]\.[0-9]{1,3}", name) is not None


def _looks_like_id(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9]+)*\.[a-z0-9-]+(?:\.[0-9]+)*", name) is not None


def _looks_like_word(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,30}", name) is not None
