"""Every entry of the catalog can be reached, is complete, and explains its own example first."""

# ruff: noqa: E501 (replies are quoted whole)
from __future__ import annotations

import re
import time
from collections import Counter

import pytest

from smtpdoc.catalog import replies
from smtpdoc.catalog.browse import all_entries
from smtpdoc.catalog.explain import explain, match
from smtpdoc.catalog.matching import first_phrase
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.quoting import mask
from smtpdoc.catalog.replies import PROVIDERS, build, phrase_entries, prepared, provider_entries, sizes
from smtpdoc.catalog.replies.index import MAX_CHARS, compiled, search, split
from smtpdoc.catalog.replies.reasons import ACTIONS, REASONS
from smtpdoc.grammar.reply import parse_reply

ENTRIES = all_entries()


def examples(entries: tuple[ReplyEntry, ...]) -> list[tuple[str, str]]:
    return [(entry.id, text) for entry in entries for text in (entry.example, *entry.examples) if text]


@pytest.mark.parametrize(("entry_id", "text"), examples(provider_entries()))
def test_a_providers_example_matches_its_own_entry_first(entry_id: str, text: str) -> None:
    assert entry_id == match(parse_reply(text))[0].id


@pytest.mark.parametrize(("entry_id", "text"), examples(phrase_entries()))
def test_a_phrases_example_matches_it_before_other_phrases(entry_id: str, text: str) -> None:
    reply = parse_reply(text)
    found = first_phrase(reply.text, reply)

    assert found is not None
    assert entry_id == found.id


def test_ids_are_unique_and_read_well() -> None:
    assert [] == [name for name, count in Counter(entry.id for entry in ENTRIES).items() if count > 1]
    for entry in ENTRIES:
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*\.[a-zA-Z0-9][a-z0-9.-]*", entry.id), entry.id


@pytest.mark.parametrize("entry", provider_entries(), ids=lambda entry: entry.id)
def test_provider_entries_are_complete(entry: ReplyEntry) -> None:
    assert entry.example
    assert entry.sources or REASONS[entry.reason].sources
    assert entry.title
    assert entry.reason in REASONS
    assert entry.action is None or entry.action in ACTIONS
    assert entry.text or entry.enhanced or entry.code


def test_phrases_and_codes_are_complete() -> None:
    for entry in ENTRIES:
        assert entry.reason in REASONS, entry.id
        assert entry.title, entry.id
        assert entry.sources or REASONS[entry.reason].sources, entry.id
    for entry in phrase_entries():
        assert entry.example, entry.id
        assert entry.provider is None, entry.id


def test_every_module_of_entries_is_listed() -> None:
    from importlib import import_module
    from pathlib import Path

    folder = Path(replies.__file__).parent
    found = {
        path.stem
        for path in folder.glob("*.py")
        if path.stem not in ("__init__", "prepare", "prepared", "phrases")
        and hasattr(import_module(f"smtpdoc.catalog.replies.{path.stem}"), "ENTRIES")
    }

    assert found == set(PROVIDERS)


def test_the_prepared_index_is_up_to_date() -> None:
    """When this fails: python -m smtpdoc.catalog.replies.prepare."""
    assert sizes() == prepared.SIZES
    assert build() == (prepared.BRANCHES, prepared.CODE_ROWS)


@pytest.mark.parametrize(
    ("pattern", "anchors"),
    [
        ("user unknown", [("user unknown",)]),
        ("colou?r", [("colo",)]),
        ("ab+c", [("bc",)]),
        ("ab*c", [("a",)]),
        ("(?:x|yy) zz", [(" zz",)]),
        ("(?:one|two)", [("one", "two")]),
        ("a|b", [("a",), ("b",)]),
        (r"[abc]\d+", [()]),
        (r"a\.b(?!c)", [("a.b",)]),
        ("(?:ab)?cd", [("cd",)]),
        ("(?:ab)?", [()]),
    ],
)
def test_anchors_are_words_that_every_match_holds(pattern: str, anchors: list[tuple[str, ...]]) -> None:
    assert anchors == [groups[0] if groups else () for _, groups in split(pattern)]


def test_all_words_that_a_match_needs_are_known() -> None:
    [(_, groups)] = split(r"listed (?:by|at) (?:some|any)?thing(?:blocked|refused) [0-9]+ here?")

    assert (("listed ",), ("thing",), ("blocked", "refused"), (" her",)) == groups


def test_the_index_finds_what_the_patterns_find() -> None:
    """No entry is lost to the anchors: all patterns, searched one by one, agree with the index."""
    rows = build()[0]
    texts = [parse_reply(text).text for _, text in examples((*provider_entries(), *phrase_entries()))[::7]]
    for text in texts:
        for subject in (text, mask(text)):
            quick = {(hit.module, hit.entry) for hit in search(rows, subject, subject.lower())}
            slow = {(module, entry) for _, pattern, module, entry, _ in rows if compiled(pattern).search(subject)}

            assert slow == quick


def test_no_branch_is_tried_on_every_text() -> None:
    assert [] == [pattern for anchors, pattern, *_ in build()[0] if not anchors]


HOSTILE = [
    unit * (MAX_CHARS // len(unit))
    for unit in (
        " ", "a", "1", "a ", "a.", "1.", "<", "@", "a@b.c ", "[x] ", "::", "-", "user ", "mailbox ", "sender ", "address ",
        "not ", "quota ", "spam ", "limit ", "too many ", "rejected ", "spf ", "host ", "blocked ", "exceeded ", "message size ",
    )
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_no_pattern_is_slow_on_a_hostile_text(text: str) -> None:
    """Every pattern, not only those that the anchors let through; generous, for slow machines."""
    slowest = 0.0
    for _, pattern, *_ in build()[0]:
        search_ = compiled(pattern).search
        start = time.perf_counter()
        search_(text)
        slowest = max(slowest, time.perf_counter() - start)

    assert slowest < 0.5


@pytest.mark.parametrize("unit", ["550 ", "a ", "user unknown ", "host said: 550 ", "1.2.3.4 ", "a@b.example "])
def test_a_huge_reply_is_explained_in_bounded_time(unit: str) -> None:
    text = "550 " + unit * (100_000 // len(unit))
    start = time.perf_counter()
    found = explain(parse_reply(text))

    assert found.entries
    assert time.perf_counter() - start < 5
