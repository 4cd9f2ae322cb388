"""Pages of the catalog: a code and who uses it, a reason, a provider, an entry, a finding, the list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from smtpdoc.evidence.catalog_page import UNLISTED, CatalogPage, CatalogRow
from smtpdoc.evidence.explanation import Explanation
from smtpdoc.findings import Entry
from smtpdoc.render.text import Page, plural
from smtpdoc.render.text_explain import provider_name, render_advice, render_explanation

#: Rows of a list that a page shows unless it is asked for more.
SHORT_LIST = 8


def render_page(page: Page, found: CatalogPage, explanation: Explanation | None) -> None:
    """Print a page; in quiet mode its headline."""
    match found.kind:
        case "finding" if found.finding is not None:
            _finding(page, found.finding)
        case "code" if explanation is not None:
            _code(page, found, explanation)
        case "reason" | "entry" if explanation is not None:
            _advice(page, found, explanation)
        case _:
            _list(page, found)


def _finding(page: Page, entry: Entry) -> None:
    page.line(Text.assemble(page.mark(entry.level), " ", (entry.id, "head"), f"   {entry.level}"))
    page.paragraph(entry.title, 2, "head")
    if page.quiet:
        return
    page.blank()
    for label, text in (("Why", entry.why), ("Fix", entry.fix)):
        page.hanging(Text(f"{label:<11}", "quiet"), text)
    if entry.sources:
        page.hanging(Text(f"{'See':<11}", "quiet"), f" {page.marks.dot} ".join(str(source) for source in entry.sources))
    page.hanging(Text(f"{'Silence':<11}", "quiet"), f"--ignore {entry.id}")


def _code(page: Page, found: CatalogPage, explanation: Explanation) -> None:
    """Print what the code means where it stands alone, then who uses it for what."""
    official = ""
    if found.title == UNLISTED:
        official = f"{found.name} is {found.title}."
    elif "." in found.name and found.title != explanation.title:  # reply codes have no official names
        official = f"Officially: {found.title}."
    render_explanation(page, explanation, official=official)
    if found.rows and not page.quiet:
        page.blank()
        page.line(f"{found.name} with a text beside it: {plural(len(found.rows), 'known reply')}", "head")
        _rows(page, found.rows)


def _advice(page: Page, found: CatalogPage, explanation: Explanation) -> None:
    page.split(Text(found.name, "head"), found.kind)
    page.hanging(Text("  "), explanation.title, "head")
    if page.quiet:
        return
    if explanation.meaning != explanation.title:
        page.paragraph(explanation.meaning, 2)
    if found.kind == "entry" and explanation.reply.lines != (explanation.reason,):
        page.blank()
        page.hanging(Text("For example  ", "quiet"), " ".join(" ".join(explanation.reply.lines).split()))
    render_advice(page, explanation)
    if found.kind == "reason" and found.rows:
        page.blank()
        page.line(f"{plural(len(found.rows), 'known reply')} with this cause", "head")
        _rows(page, found.rows)


def _list(page: Page, found: CatalogPage) -> None:
    page.split(Text(found.name, "head"), plural(len(found.rows), "entry"))
    if not page.quiet:
        page.blank()
        _rows(page, found.rows, short=False)


def _rows(page: Page, rows: Sequence[CatalogRow], *, short: bool = True) -> None:
    """Print one entry a line: codes, reason (unless all share it), title; its id below in verbose mode."""
    shown = rows if page.verbose or not short else rows[:SHORT_LIST]
    width = max((len(row.reason) for row in shown), default=0) if len({row.reason for row in rows}) > 1 else 0
    for row in shown:
        codes = f"{row.code or '':<3} {row.enhanced or '':<7}"
        who = provider_name(row.provider)
        title = row.title if not who or who.lower() in row.title.lower() else f"{who}: {row.title}"
        reason = f" {row.reason:<{width}}  " if width else " "
        page.hanging(Text.assemble("  ", (f"{codes:<11}", "head"), reason), title)
        if page.verbose:
            page.line(f"              {row.id}", "quiet")
    if len(shown) < len(rows):
        page.line(f"  and {len(rows) - len(shown)} more: --verbose shows all", "quiet")
