"""`smtpdoc explain -`: one reply per line of stdin, answered in order and as it is read.

Logs say the same thing over and over, so a line that comes again is neither parsed nor rendered again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from io import BufferedIOBase
from typing import IO, Any

from smtpdoc import api
from smtpdoc.api.clock import Clock
from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.grammar.reply import MAX_CHARS
from smtpdoc.report import ExitCode

#: Bytes asked for at once. A pipe or terminal gives what it has, without waiting for more.
CHUNK_BYTES = 65536
#: Longer lines are cut, and their rest is not read as a line of its own: no reply is longer.
MAX_LINE_BYTES = MAX_CHARS
#: Rendered answers that are kept, and the longest line worth keeping: 20 MB at most in practice.
KEPT_ANSWERS = 4096
KEPT_LINE_CHARS = 2000


def explain_stream(options: OutputOptions, source: BufferedIOBase, settings: dict[str, Any]) -> ExitCode:
    """Explain each line of `source` and return the worst exit code; `settings` are those of `api.explain`.

    A line without a reply, or one that is no text at all, is answered as such and stops nothing; empty lines are
    skipped. What is known is shown before more input is waited for.
    """
    output = Output(options, many=True)
    answers = _JsonAnswers(output, settings) if options.format == "jsonl" else _Answers(output, settings)
    try:
        for lines in batches(source):
            for line in lines:
                answers.add(line)
            output.out.flush()
    finally:
        code = output.close()
    return code


def batches(source: BufferedIOBase) -> Iterator[list[str]]:
    """Yield the lines that each reading completes, without their ends; empty ones are left out.

    Bytes that are no UTF-8 become replacement characters. A line ends with LF or CRLF, the last one may lack it.
    """
    rest = b""
    skipping = False  # the rest of a line that was too long
    while chunk := source.read1(CHUNK_BYTES):
        if skipping:
            _, end, chunk = chunk.partition(b"\n")
            if not end:
                continue
            skipping = False
        whole, end, tail = chunk.rpartition(b"\n")
        if end:
            yield _lines(rest + whole)
            rest = tail
        else:
            rest += tail
        if len(rest) > MAX_LINE_BYTES:
            yield _lines(rest)
            rest, skipping = b"", True
    yield _lines(rest)


def _lines(block: bytes) -> list[str]:
    return [
        line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
        for line in block.split(b"\n")
        if line and not line.isspace()
    ]


class _Answers:
    """Answers in any format."""

    def __init__(self, output: Output, settings: dict[str, Any]) -> None:
        self._output = output
        self._settings = settings

    def add(self, line: str) -> None:
        from smtpdoc.cli.explain_screen import show_explanation

        report = api.explain(line, **self._settings)
        self._output.add(report, partial(show_explanation, report, asked=line))


class _JsonAnswers:
    """Answers as JSON lines. Only the clock's two values differ when a line comes again."""

    def __init__(self, output: Output, settings: dict[str, Any]) -> None:
        self._codes = output.codes
        self._out: IO[str] = output.out
        self._settings = settings
        self._kept: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def add(self, line: str) -> None:
        from smtpdoc.render.json_stream import around_clock, with_clock

        clock = Clock()
        known = self._kept.get(line)
        if known is None:
            report = api.explain(line, **self._settings)
            self._codes.add(report.exit_code)
            known = around_clock(report)
            if len(line) <= KEPT_LINE_CHARS:
                self._kept[line] = known
                if len(self._kept) > KEPT_ANSWERS:
                    self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(line)
        self._out.write(with_clock(known, clock.started_at, clock.elapsed_s))
