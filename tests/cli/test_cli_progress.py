"""The line that says what a run waits for: late, on a terminal only, and gone again."""

from __future__ import annotations

import io

import pytest

from smtpdoc.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def seen(terminal: io.StringIO) -> str:
    """What stands on the terminal's line in the end."""
    line = ""
    for piece in terminal.getvalue().split("\r"):
        line = piece + line[len(piece) :]
    return line.rstrip()


def test_it_comes_after_half_a_second_of_silence_and_goes(clock: list[float]) -> None:
    terminal = Terminal()
    line = Progress(terminal, lambda: "asking DNS about example.com")
    line.tick()
    clock[0] += 0.4
    line.tick()

    assert "" == terminal.getvalue()

    clock[0] += 2
    line.tick()

    assert "asking DNS about example.com, 2 s" == seen(terminal)

    line.clear()

    assert "" == seen(terminal)


def test_an_answer_starts_the_silence_anew(clock: list[float]) -> None:
    terminal = Terminal()
    line = Progress(terminal, lambda: "x")
    clock[0] += 0.4
    line.clear()
    clock[0] += 0.4
    line.tick()

    assert "" == terminal.getvalue()


def test_a_shorter_line_leaves_nothing_of_a_longer_one(clock: list[float]) -> None:
    terminal, words = Terminal(), iter(["99 of 100 domains, waiting for a-long-name.example", "short"])
    line = Progress(terminal, lambda: next(words))
    clock[0] += 1
    line.tick()
    line.tick()

    assert "short, 1 s" == seen(terminal)


@pytest.mark.parametrize(("stream", "wanted"), [(io.StringIO(), True), (Terminal(), False)], ids=["file", "quiet"])
def test_nowhere_else(clock: list[float], stream: io.StringIO, wanted: bool) -> None:
    line = Progress(stream, lambda: "x", wanted=wanted)
    clock[0] += 5
    line.tick()
    line.clear()

    assert "" == stream.getvalue()


def test_names_reach_no_terminal_unescaped(clock: list[float]) -> None:
    terminal = Terminal()
    line = Progress(terminal, lambda: "waiting for \x1b[31m.example")
    clock[0] += 1
    line.tick()

    assert "\x1b" not in terminal.getvalue()
