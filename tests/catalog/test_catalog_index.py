"""The index of patterns: quick and slow ways find the same."""

from __future__ import annotations

import json
from pathlib import Path

from support.garbled import garbled

from smtpdoc.catalog.quoting import mask
from smtpdoc.catalog.replies import build
from smtpdoc.catalog.replies.index import Branch, Index, search

LABELLED = Path(__file__).parent.parent / "data" / "replies" / "labelled.jsonl"


def test_the_filed_anchors_find_what_trying_each_one_finds() -> None:
    """The first texts are searched the slow way, all later ones the quick one; both in the branches' order."""
    rows = build()[0]
    index = Index(rows)
    with LABELLED.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["reply"] for line in lines][::9]
    texts += [text.decode("utf-8", "replace") for text in garbled(60, seed=24)]
    for text in texts:
        for subject in (text, mask(text)):
            lower = subject.lower()

            assert list(search(rows, subject, lower)) == list(index.search(subject, lower))


def test_short_anchors_and_none_at_all_are_filed_too() -> None:
    rows: tuple[Branch, ...] = (
        (("abc",), "abc", 0, 0, ()),
        ((), "[0-9]{3}", 0, 1, ()),
        (("long word", "other"), "long word|other", 0, 2, (("needed",),)),
    )
    index = Index(rows)
    for _ in range(40):
        found = [hit.entry for hit in index.search("abc 123 other", "abc 123 other")]

        assert [0, 1] == found
    assert [1, 2] == [hit.entry for hit in index.search("an other 555 needed", "an other 555 needed")]
