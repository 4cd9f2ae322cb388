"""smtpdoc demo."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import click

from smtpdoc.cli.options import option
from smtpdoc.errors import SmtpdocError
from smtpdoc.report import Report

if TYPE_CHECKING:
    from smtpdoc.render.text import Page
    from smtpdoc.render.text_transcript import TranscriptView

NEXT = (
    ('smtpdoc explain "PASTE A REPLY"', "what it means and what to do"),
    ("smtpdoc probe mail.YOUR-DOMAIN:587", "a session, explained as it happens"),
    ("smtpdoc auth-check YOUR-DOMAIN", "SPF, DKIM, DMARC, MX, PTR"),
)


@click.command("demo")
@option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Colour the text.",
)
def command(color: Literal["auto", "always", "never"]) -> None:
    """A guided tour on an embedded mail server and zone. Needs no network and ends by itself."""
    from smtpdoc.demo.tour import run_tour
    from smtpdoc.render.text import Page

    page = Page(sys.stdout, color=color)
    try:
        run_tour(Stage(page))
    except OSError as error:
        raise SmtpdocError(f"the demo needs a free port on 127.0.0.1: {error.strerror or error}") from None
    page.blank()
    page.line("Now yours", "head")
    for line, words in NEXT:
        page.split(page.command_line(line, indent=2), words)


class Stage:
    """Shows the tour on a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._scenes = 0
        self._view: TranscriptView | None = None

    def scene(self, title: str, comment: str) -> None:
        if self._scenes:
            self._page.blank()
            self._page.blank()
        self._scenes += 1
        self._page.line(f"{self._scenes}. {title}", "head")
        self._page.paragraph(comment, 3, "quiet")
        self._page.blank()

    def typed(self, command: str) -> None:
        self._page.line(self._page.command_line("$ " + command))
        self._page.blank()

    def watcher(self) -> TranscriptView:
        from smtpdoc.render.text_transcript import TranscriptView

        self._view = TranscriptView(self._page)
        return self._view

    def answer(self, report: Report) -> None:
        from smtpdoc.cli.answers import show_domain
        from smtpdoc.cli.explain_screen import show_explanation
        from smtpdoc.cli.probe_screen import show_probe

        match report.command:
            case "explain":
                show_explanation(report, self._page)
            case "probe":
                if self._view is not None:
                    self._view.finish()
                show_probe(self._page, report, live=True)
            case _:
                show_domain(self._page, report)
