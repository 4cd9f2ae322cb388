"""Where answers go: stdout or a file, in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, cast

import click

from smtpdoc.errors import SmtpdocError
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.report import ExitCode, Report

if TYPE_CHECKING:
    from smtpdoc.render.json_v1 import ArrayWriter
    from smtpdoc.render.text import Page

#: When several targets end differently, the worst decides (contract.md): a bug, an interrupt, then what we could
#: not read, then what is wrong, then what we could not tell.
_SEVERITY = (
    ExitCode.OK,
    ExitCode.NO_VERDICT,
    ExitCode.FINDINGS,
    ExitCode.USAGE,
    ExitCode.INTERRUPTED,
    ExitCode.BUG,
)

Color = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """The options that every command shares, as click hands them over."""

    format: str
    output: str | None
    fail_on: Level | None
    ignore: tuple[str, ...]
    color: Color
    quiet: bool
    verbose: bool

    @classmethod
    def read(
        cls,
        *,
        format_: str,
        as_json: bool,
        output: str | None,
        fail_on: Level | None,
        ignore: tuple[str, ...],
        color: str,
        quiet: bool,
        verbose: bool,
    ) -> OutputOptions:
        if as_json and format_ == "text":
            format_ = "json"
        if quiet and verbose:
            raise click.UsageError("--quiet and --verbose contradict each other.")
        return cls(format_, output, fail_on, ignore, cast("Color", color), quiet, verbose)


class Output:
    """Prints reports as they come, and keeps none; `close` ends the answer and returns the exit code of the run.

    `apart`: an empty line stands between the pages of several targets.
    """

    def __init__(self, options: OutputOptions, *, many: bool, apart: bool = True) -> None:
        self.options = options
        self.many = many
        self.codes: set[ExitCode] = set()
        self._apart = apart and many and not options.quiet
        self._pages = 0
        self._array: ArrayWriter | None = None
        self._file: IO[str] | None = None
        self._failed = False
        self._page: Page | None = None
        if options.output is not None and options.output != "-":
            try:
                self._file = open(options.output, "w", encoding="utf-8")  # noqa: SIM115 - closed in close()
            except OSError as error:
                raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> click.UsageError:
        """Give the answer up, and return what to tell about it."""
        self._failed = True
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        where = "stdout" if self.options.output in (None, "-") else repr(self.options.output)
        return click.UsageError(f"Cannot write to {where}: {error.strerror}.")

    @property
    def out(self) -> IO[str]:
        return self._file or sys.stdout

    @property
    def is_text(self) -> bool:
        return self.options.format == "text"

    @property
    def page(self) -> Page:
        """The page to write text on, made when first needed: JSON needs no rich."""
        if self._page is None:
            from smtpdoc.render.text import Page

            self._page = Page(
                self.out,
                color=self.options.color,
                quiet=self.options.quiet,
                verbose=self.options.verbose,
            )
        return self._page

    def add(self, report: Report, show: Callable[[Page], None]) -> None:
        """Take a finished report; `show` writes it as text."""
        self.codes.add(report.exit_code)
        try:
            self._write(report, show)
        except BrokenPipeError:  # the reader has heard enough
            raise
        except OSError as error:
            raise self._unwritable(error) from None

    def _write(self, report: Report, show: Callable[[Page], None]) -> None:
        match self.options.format:
            case "text":
                if self._apart and self._pages:
                    self.page.blank()
                self._pages += 1
                show(self.page)
                self.out.flush()
            case "jsonl":
                from smtpdoc.render.json_v1 import write_line

                write_line(report, self.out)
            case _:
                self._json.add(report)

    @property
    def _json(self) -> ArrayWriter:
        if self._array is None:
            from smtpdoc.render.json_v1 import ArrayWriter

            self._array = ArrayWriter(self.out, many=self.many)
        return self._array

    def refuse(self, target: str, error: SmtpdocError) -> None:
        """Tell that one target of several cannot be read; the others go on."""
        self.codes.add(ExitCode.USAGE)
        click.echo(f"Error: {printable(target)}: {error}", err=True)

    def close(self) -> ExitCode:
        """End the answer; half of one in a file must not pass for all of it."""
        try:
            if self.options.format == "json" and not self._failed:
                self._json.close()
            if self._file is not None:
                self._file.close()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._unwritable(error) from None
        return worst_code(self.codes)


def worst_code(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code of a run over several targets.

    >>> worst_code([ExitCode.NO_VERDICT, ExitCode.FINDINGS, ExitCode.OK])
    <ExitCode.FINDINGS: 1>
    """
    return max(codes, key=_SEVERITY.index, default=ExitCode.OK)
