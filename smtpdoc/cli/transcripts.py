"""probe --transcript: a file for what crossed the wire, and the options that go with sessions that are kept."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, TypeVar

import click

from smtpdoc.cli.options import option, read_seconds
from smtpdoc.errors import TargetError
from smtpdoc.report import Report

F = TypeVar("F", bound=Callable[..., Any])

#: More sessions than this are a load test, and no diagnosis.
MAX_REPEATS = 1000


def transcript_options(command: F) -> F:
    """Add what keeps sessions."""
    for decorate in (
        option(
            "--replay",
            metavar="FILE|-",
            help="No TARGET: explain a session that was kept, by --transcript, swaks, openssl s_client or telnet.",
        ),
        option(
            "--transcript",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Keep every line as it crossed the wire in FILE, secrets hidden; --replay reads it.",
        ),
        option(
            "--repeat-interval",
            callback=read_pause,
            default="1",
            show_default=True,
            metavar="SECONDS",
            help="The pause between two sessions of --repeat.",
        ),
        option(
            "--repeat",
            type=click.IntRange(2, MAX_REPEATS),
            metavar="N",
            help="Have the session N times; print min, median and 95th percentile of each step.",
        ),
    ):
        command = decorate(command)
    return command


def read_pause(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Read a duration that may be 0."""
    return 0.0 if value.strip() in ("0", "0s") else read_seconds(ctx, param, value)


#: Options of what must not be done again and again, or is more than one session.
_ONCE_ONLY = {
    "send": "--send",
    "mx": "--mx",
    "all_addresses": "--all-addresses",
    "relay_test": "--relay-test",
    "greylist_wait": "--greylist-wait",
    "verify": "--vrfy",
    "expand": "--expn",
}


def check_repeat(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go with --repeat."""
    wrong = [name for key, name in _ONCE_ONLY.items() if given.get(key)]
    if wrong:
        raise click.UsageError(f"--repeat has the same plain session again and again; leave out {', '.join(wrong)}.")


def read_transcript(path: str) -> bytes:
    """Return the bytes of a file, or of stdin for "-"; raise TargetError when it cannot be read or is too large."""
    from smtpdoc.grammar.transcripts import MAX_BYTES

    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TargetError(f"cannot read the transcript {path!r}: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise TargetError(f"expected a transcript of at most {MAX_BYTES >> 20} MB, and {path!r} is larger")
    return data


class TranscriptFile:
    """Keeps the sessions of each report in a file that only its owner may read, as soon as the report is there."""

    def __init__(self, path: str) -> None:
        from smtpdoc.render.transcript_file import head

        try:
            # Before anything is sent: a session that cannot be kept is not begun.
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file: IO[str] = open(number, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed in close()
            if stat.S_ISREG(os.fstat(number).st_mode) and hasattr(os, "fchmod"):
                os.fchmod(number, 0o600)  # it may have been there before, open to everybody
            self._write(head())
        except OSError as error:
            raise click.UsageError(f"Cannot write the transcript to {path!r}: {error.strerror}.") from None

    def add(self, report: Report) -> None:
        from smtpdoc.evidence.probe import ProbeEvidence
        from smtpdoc.render.transcript_file import transcript_text

        if not isinstance(report.evidence, ProbeEvidence):
            return
        try:
            self._write(transcript_text(report.evidence))
        except OSError as error:  # the answer is worth more than its copy
            click.echo(f"Error: cannot write the transcript: {error.strerror}.", err=True)

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


class SessionsKept:
    """Told of each session when it is over: keeps it where that was asked for, and shows how far --repeat has come."""

    def __init__(self, file: TranscriptFile | None, repeat: int | None, *, wanted: bool) -> None:
        from smtpdoc.cli.progress import Progress

        self._file = file
        self._repeat = repeat
        self._done = 0
        self._progress = Progress(sys.stderr, self._words, wanted=wanted and repeat is not None)

    def __call__(self, report: Report) -> None:
        self._done += 1
        if self._file is not None:
            self._file.add(report)
        self._progress.tick()

    def _words(self) -> str:
        of = f" of {self._repeat}" if self._done <= (self._repeat or 0) else ""
        return f"session {self._done}{of} is over (Ctrl-C ends with what is known)"

    def clear(self) -> None:
        self._progress.clear()
