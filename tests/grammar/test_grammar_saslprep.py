"""SASLprep against the examples of RFC 4013 section 3."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.saslprep import saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\xadX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\xaa", "a"),
        ("\u2168", "IX"),
        ("a\u3000b", "a b"),
        ("pa\u0308ss", "p\xe4ss"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_what_looks_alike_becomes_alike(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\x07\xe4", "\u0627\x31", "\ue000", "\udcff", "\xad", "\u0627a\u0628"])
def test_what_is_forbidden_is_left_to_the_server(text: str) -> None:
    assert saslprep(text) == text
