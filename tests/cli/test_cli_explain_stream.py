"""How stdin is cut into lines, whatever pieces it arrives in, and what is kept of lines that come again."""

from __future__ import annotations

import io

import pytest

from smtpdoc import api
from smtpdoc.cli import explain_stream
from smtpdoc.cli.explain_stream import MAX_LINE_BYTES, batches
from smtpdoc.cli.main import run
from smtpdoc.report import Report

DATA = b"550 one\r\n\n  \t\n450 two\n\xff\x00\n" + "552 gr\u00f6\u00dfer\u2028x\n".encode() + b"553 last"
LINES = ["550 one", "450 two", "\ufffd\x00", "552 gr\u00f6\u00dfer\u2028x", "553 last"]


class Pieces(io.BufferedIOBase):
    """A stream that gives its data in pieces of one size, as a slow pipe would."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]

    def read1(self, size: int = -1, /) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def lines(data: bytes, size: int) -> list[str]:
    return [line for batch in batches(Pieces(data, size)) for line in batch]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_in_any_cut(size: int) -> None:
    assert LINES == lines(DATA, size)


@pytest.mark.parametrize("size", [1000, 65536, 10**7])
def test_a_line_that_is_too_long_is_cut_and_its_rest_is_no_line(size: int) -> None:
    found = lines(b"550 a\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\n551 b\n" + b"y" * (2 * MAX_LINE_BYTES), size)

    assert ["550 a", "x" * MAX_LINE_BYTES, "551 b", "y" * MAX_LINE_BYTES] == [line[:MAX_LINE_BYTES] for line in found]


def test_nothing_is_no_line() -> None:
    assert [] == lines(b"", 1)
    assert [] == lines(b"\n\r\n \n", 1)


def test_a_line_that_comes_again_is_explained_once_while_it_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two answers fit here, and the one that was asked for last stays."""
    asked: list[str] = []
    explain = api.explain

    def counted(text: str, **settings: object) -> Report:
        asked.append(text)
        return explain(text)

    monkeypatch.setattr(api, "explain", counted)
    monkeypatch.setattr(explain_stream, "KEPT_ANSWERS", 2)
    texts = ("550 a", "550 b", "550 a", "550 c", "550 a", "550 b")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(texts).encode())))

    run(["explain", "--format", "jsonl", "-"])

    assert len(texts) == len(capsys.readouterr().out.splitlines())
    assert ["550 a", "550 b", "550 c", "550 b"] == asked
