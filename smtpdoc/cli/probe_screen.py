"""What `smtpdoc probe` shows: sessions while they happen, waits, reports, and the table of several targets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.cli.transcripts import SessionsKept, TranscriptFile
from smtpdoc.errors import TargetError
from smtpdoc.report import ExitCode, Report

if TYPE_CHECKING:
    from smtpdoc.cli.progress import Progress
    from smtpdoc.evidence.smtp import Exchange, Line, Transcript
    from smtpdoc.findings import Finding
    from smtpdoc.render.text import Page
    from smtpdoc.render.text_transcript import TranscriptView

#: More sessions than this are not set side by side at the end.
TABLE_ROWS = 50


class ProbeScreen:
    """Shows the reports of a run as they come, and the only session of it while it happens.

    `close` ends the answer, also after an interrupt, and returns the exit code of the whole run.
    """

    def __init__(
        self, options: OutputOptions, *, many: bool, repeat: int | None = None, kept: TranscriptFile | None = None
    ) -> None:
        self.output = Output(options, many=many)
        self.waiting = Waiting(wanted=not options.quiet)
        self.sessions = SessionsKept(kept, repeat, wanted=not options.quiet)
        live = self.output.is_text and not many and not options.quiet and repeat is None
        self.watcher = TranscriptOutput(self.output, self.waiting) if live else None
        self._many = many
        self._repeated = repeat is not None
        self._kept = kept
        self._beside: list[Transcript] = []
        self._found: list[Finding] = []

    def show(self, report: Report) -> None:
        """Take a finished report, or one that an interrupt cut short."""
        self.waiting.clear()
        self.sessions.clear()
        if not self._repeated:
            self.sessions(report)
        live = self.watcher is not None and self.watcher.begun
        if self.watcher is not None:
            self.watcher.finish()
        self.output.add(report, lambda page: show_probe(page, report, live=live))
        if self.output.is_text and self._many:
            self._keep_for_table(report)

    def _keep_for_table(self, report: Report) -> None:
        from smtpdoc.evidence.probe import ProbeEvidence

        if isinstance(report.evidence, ProbeEvidence) and len(self._beside) <= TABLE_ROWS:
            self._beside.extend(report.evidence.standing)
            self._found.extend(report.findings)

    def refuse(self, target: str, error: TargetError) -> None:
        """Tell that a target cannot be read; of several, the others go on."""
        if not self._many:
            raise error
        self.output.refuse(target, error)

    def meanwhile(self) -> None:
        """Load what shows the report, while the server is busy."""
        if self.output.is_text:
            from smtpdoc.render import text_probe, text_transcript  # noqa: F401 - for `show_probe`
        else:
            from smtpdoc.render import json_probe, json_v1  # noqa: F401 - for `Output`

    def close(self) -> ExitCode:
        if self._kept is not None:
            self._kept.close()
        if 1 < len(self._beside) <= TABLE_ROWS and not self.output.options.quiet:
            from smtpdoc.render.text_parity import render_parity

            self.output.page.blank()
            render_parity(self.output.page, self._beside, self._found)
        return self.output.close()


class Waiting:
    """Says on stderr, on a terminal only, how long a wait for greylisting still is."""

    def __init__(self, *, wanted: bool) -> None:
        self._left_s = 0.0
        self._progress: Progress | None = None
        self._wanted = wanted

    def tell(self, left_s: float) -> None:
        if self._progress is None:
            from smtpdoc.cli.progress import Progress

            self._progress = Progress(sys.stderr, self._words, wanted=self._wanted, timed=False)
        self._left_s = left_s
        self._progress.tick()

    def _words(self) -> str:
        return f"greylisted, trying again in {self._left_s:.0f} s (Ctrl-C ends with what is known)"

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()


class TranscriptOutput:
    """A Watcher that prints the only session of a run while it happens."""

    def __init__(self, output: Output, waiting: Waiting) -> None:
        self._output = output
        self._waiting = waiting
        self._view: TranscriptView | None = None

    @property
    def begun(self) -> bool:
        return self._view is not None

    def _begin(self) -> TranscriptView:
        self._waiting.clear()
        if self._view is None:
            from smtpdoc.render.text_transcript import TranscriptView

            self._view = TranscriptView(self._output.page)
        return self._view

    def line(self, line: Line) -> None:
        self._begin().line(line)

    def exchange(self, exchange: Exchange) -> None:
        self._begin().exchange(exchange)

    def finish(self) -> None:
        if self._view is not None:
            self._view.finish()


def show_probe(page: Page, report: Report, *, live: bool) -> None:
    """Print a report; the transcript too, unless it was shown while it happened."""
    from smtpdoc.evidence.probe import ProbeEvidence
    from smtpdoc.evidence.smtp import StageStatus
    from smtpdoc.render.text_probe import render_verdict
    from smtpdoc.render.text_transcript import render_transcript

    if not isinstance(report.evidence, ProbeEvidence):
        return
    if not live and not page.quiet:
        sessions = report.evidence.sessions
        repeated = report.evidence.timings is not None
        for session in sessions:
            if repeated and not page.verbose and session.outcome is StageStatus.OK:
                continue  # the numbers are what was asked for
            # Of several sessions only those are shown whole in which something went wrong; the table has the others.
            if len(sessions) == 1 or page.verbose or session.outcome is not StageStatus.OK:
                render_transcript(page, session)
                page.blank()
    elif live:
        page.blank()
    render_verdict(page, report, report.evidence)
