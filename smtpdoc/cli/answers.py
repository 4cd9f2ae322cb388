"""What auth-check prints, and when: pages for a few domains, rows of a table for many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.errors import TargetError
from smtpdoc.report import ExitCode, Report

if TYPE_CHECKING:
    from smtpdoc.evidence.domain import AuthEvidence
    from smtpdoc.render.text import Page
    from smtpdoc.render.text_table import DomainTable, Row

#: So many domains get a page each; more get a row each, unless --verbose.
PAGES_UP_TO = 5


class Answers:
    """The answers of a run, as text: a page for each of a few domains, a row for each of many, and the table's end.

    --verbose gives pages for many, too; the rows then stand below them.
    """

    def __init__(self, options: OutputOptions, names: Sequence[str], *, many: bool) -> None:
        self._names = names
        self._pages = len(names) <= PAGES_UP_TO or options.verbose or options.quiet
        self._output = Output(options, many=many, apart=self._pages)
        self._rows = len(names) > 1 and self._output.is_text and not options.quiet
        self._kept: list[Row] = []
        self._table: DomainTable | None = None
        self._done = 0
        self._began = time.perf_counter()

    def prepare(self) -> None:
        """Load what will write the answers; done while the first ones are awaited."""
        if not self._output.is_text:
            import smtpdoc.render.json_v1
        elif self._pages:
            import smtpdoc.render.text_auth
        else:
            import smtpdoc.render.text_table  # noqa: F401 - loaded for later

    def waiting_for(self) -> str:
        """Say what a run without an answer is about."""
        name = self._names[min(self._done, len(self._names) - 1)]
        if len(self._names) == 1:
            return f"asking DNS about {name}"
        return f"{self._done} of {len(self._names)} domains, waiting for {name}"

    def add(self, report: Report) -> None:
        self._done += 1
        self._output.add(report, lambda page: self._show(page, report))

    def refuse(self, name: str, error: TargetError) -> None:
        self._done += 1
        self._output.refuse(name, error)

    def _show(self, page: Page, report: Report) -> None:
        if self._pages:
            show_domain(page, report)
        if self._rows:
            from smtpdoc.render.text_table import row_of

            row = row_of(report, evidence_of(report))
            if self._pages:
                self._kept.append(row)
            else:
                self._table_on(page).add(row)

    def _table_on(self, page: Page) -> DomainTable:
        if self._table is None:
            from smtpdoc.render.text_table import DomainTable

            self._table = DomainTable(page, self._names)
        return self._table

    def close(self) -> ExitCode:
        """End the answer, also of an interrupted run; return its exit code."""
        if self._rows and (self._kept or self._table):
            page = self._output.page
            if self._kept:
                page.blank()
            table = self._table_on(page)
            for row in self._kept:
                table.add(row)
            table.close(len(self._names), time.perf_counter() - self._began, pages=self._pages)
        return self._output.close()


def evidence_of(report: Report) -> AuthEvidence:
    from smtpdoc.evidence.domain import AuthEvidence

    assert isinstance(report.evidence, AuthEvidence)  # noqa: S101 - our own report
    return report.evidence


def show_domain(page: Page, report: Report) -> None:
    """Print one domain's report."""
    from smtpdoc.render.text_auth import render_auth

    render_auth(page, report, evidence_of(report))
