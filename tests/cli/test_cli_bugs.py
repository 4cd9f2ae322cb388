"""A bug of ours is told with its place, also when it came up in one of several tasks."""

from __future__ import annotations

from smtpdoc.cli.main import bug_words


def failing() -> None:
    raise ZeroDivisionError("a secret")


def test_the_place_is_that_of_the_first_reason_in_a_group() -> None:
    reasons: list[Exception] = []
    try:
        failing()
    except ZeroDivisionError as error:
        reasons.append(error)

    words = bug_words(ExceptionGroup("tasks", [ExceptionGroup("inner", reasons)]))

    assert "ZeroDivisionError at test_cli_bugs.py:" in words
    assert "in failing" in words
    assert "secret" not in words
