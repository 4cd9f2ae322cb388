"""probe --transcript: a file for what crossed the wire, and the options that go with sessions that are kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, TypeVar

import click

from smtpdoc.cli.options import option
from smtpdoc.report import Report

F = TypeVar("F", bound=Callable[..., Any])


def transcript_options(command: F) -> F:
    """Add what keeps sessions."""
    decorate = option(
        "--transcript",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Keep every line as it crossed the wire in FILE, secrets hidden; --replay reads it.",
    )
    return decorate(command)


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
        from smtpdoc.evidence.smtp import ProbeEvidence
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
