"""Strangers' text cannot steer a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.printable import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250 ok", "250 ok"),
        ("caf\u00e9", "caf\u00e9"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\n::error::b", "a\\x0d\\x0a::error::b"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udc80", "\\x80"),
        ("\U000e0041", "\\U000e0041"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_what_could_steer_a_terminal_is_written_out(text: str, expected: str) -> None:
    assert expected == printable(text)


@given(st.text(alphabet=st.characters()))
def test_nothing_unprintable_is_left(text: str) -> None:
    left = [char for char in printable(text) if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]

    assert left == []
