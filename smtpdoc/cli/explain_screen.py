"""What `smtpdoc explain` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpdoc.report import Report

if TYPE_CHECKING:
    from smtpdoc.render.text import Page


def show_explanation(report: Report, page: Page, asked: str = "") -> None:
    """Print one explained reply; `asked` is its line, where several are answered."""
    from smtpdoc.evidence.explanation import ExplainEvidence
    from smtpdoc.render.text_explain import render_asked, render_explanation, render_no_reply

    if asked:
        render_asked(page, asked)
    match report.evidence:
        case ExplainEvidence(explanation=explanation, page=catalog_page) if catalog_page is not None:
            from smtpdoc.render.text_catalog import render_page

            render_page(page, catalog_page, explanation)
        case ExplainEvidence(explanation=None, input=text):
            render_no_reply(page, text)
        case ExplainEvidence(explanation=explanation) if explanation is not None:
            render_explanation(page, explanation)
