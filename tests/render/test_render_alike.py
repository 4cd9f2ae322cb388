"""Findings of one id on the page: what they share is said once, and of many only the first."""

from __future__ import annotations

import io

from smtpdoc.findings import Finding, Level
from smtpdoc.render.text import ALIKE, Page


def finding(number: int, *, fix: str = "Correct the term.", level: Level = Level.ERROR) -> Finding:
    return Finding(id="spf.syntax-error", level=level, title="t", message=f"term {number}", why="because", fix=fix)


def page_of(*findings: Finding, verbose: bool = False) -> list[str]:
    out = io.StringIO()
    Page(out, color="never", width=80, verbose=verbose).findings(findings)
    return out.getvalue().splitlines()


def test_a_fix_that_they_share_is_said_once() -> None:
    assert [
        "✖ spf.syntax-error",
        "  term 1",
        "  term 2",
        "  fix   Correct the term.",
    ] == page_of(finding(1), finding(2))


def test_the_same_sentence_of_several_addresses_is_said_once() -> None:
    assert [
        "✖ spf.syntax-error",
        "  term 1",
        "  term 2",
        "  fix   Correct the term.",
    ] == page_of(finding(1), finding(1), finding(2), finding(1))


def test_different_fixes_stay_with_their_findings() -> None:
    lines = page_of(finding(1), finding(2, fix="Write ip4: instead."))

    assert ["  fix   Correct the term.", "  fix   Write ip4: instead."] == [line for line in lines if "fix" in line]


def test_of_many_the_first_are_told_and_the_rest_counted() -> None:
    lines = page_of(*map(finding, range(30)))

    assert ALIKE == len([line for line in lines if line.startswith("  term")])
    assert f"  … {30 - ALIKE} more of these: --verbose" == lines[-2]


def test_none_is_left_out_to_save_one_line() -> None:
    assert not [line for line in page_of(*map(finding, range(ALIKE + 1))) if "more of these" in line]


def test_verbose_tells_each_with_its_reason() -> None:
    lines = page_of(*map(finding, range(30)), verbose=True)

    assert 30 == len([line for line in lines if "because" in line])


def test_one_alone_stands_on_one_line() -> None:
    assert "✖ spf.syntax-error   term 1" == page_of(finding(1))[0]
