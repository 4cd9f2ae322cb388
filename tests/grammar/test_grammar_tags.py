"""Tag=value lists (RFC 6376 section 3.2)."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.tags import Piece, Tag, parse_tags


def test_names_and_values_lose_the_white_space_round_them() -> None:
    tags = parse_tags(" v = DKIM1 ;\tp\t=\tMIG f ").tags

    assert (Tag("v", "DKIM1", 1), Tag("p", "MIG f", 13)) == tags


def test_a_value_may_hold_equals_signs() -> None:
    tag = parse_tags("p=QUI=").get("p")

    assert tag is not None
    assert tag.value == "QUI="


@pytest.mark.parametrize(
    ("text", "malformed"),
    [
        ("v=1; p", (Piece("p", 5),)),  # no equals sign
        ("v=1; =x", (Piece("=x", 5),)),  # no name
        ("v=1; 1a=x", (Piece("1a=x", 5),)),  # tag-name = ALPHA *ALNUMPUNC
        ("v=1;; p=x", (Piece("", 4),)),  # an empty piece in the middle
        ("v=1;", ()),  # one semicolon may end the list
        ("v=1; ", ()),
        ("v=1;;", (Piece("", 4),)),
        ("", ()),
    ],
)
def test_what_is_no_tag_is_kept_with_its_place(text: str, malformed: tuple[Piece, ...]) -> None:
    assert malformed == parse_tags(text).malformed


def test_repeated_names_are_named_once() -> None:
    assert parse_tags("p=a; p=b; v=1; p=c").duplicates == ("p",)


def test_names_are_case_sensitive() -> None:
    assert parse_tags("P=a").get("p") is None
