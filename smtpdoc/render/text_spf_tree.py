"""The tree of an SPF record: what it includes, whose that is, and how many lookups each part costs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from smtpdoc.evidence.auth import SpfEvidence, SpfNode, SpfTerm
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page, plural

LOOKUP_LIMIT = 10
TREE_DEPTH = 4
#: A healthy tree has about ten; a hostile one may have thousands.
TREE_ROWS = 40


def render_spf_tree(page: Page, spf: SpfEvidence, tree: SpfNode) -> None:
    """Print the terms that cost lookups, each with its number, and what they include."""
    page.blank()
    page.split(Text("SPF tree", "head"), "lookups")
    total = f"{spf.lookups} of {LOOKUP_LIMIT}"
    root = Text(printable(tree.domain))
    page.split(root, total, "error" if spf.lookups > LOOKUP_LIMIT else "")
    rows = list(_branches(page, tree, "", 1))
    shown = rows if page.verbose or len(rows) <= TREE_ROWS + 1 else rows[:TREE_ROWS]
    for left, cost in shown:
        page.split(left, cost, "" if cost else "quiet")
    if len(shown) < len(rows):
        page.line(Text(f"{page.marks.last} {len(rows) - len(shown)} more rows (all of them: --verbose)", "quiet"))


def _branches(page: Page, node: SpfNode, stem: str, depth: int) -> Iterator[tuple[Text, str]]:
    """Yield the rows below a node, each with what it costs."""
    terms = _shown_terms(page, node)
    for number, item in enumerate(terms):
        last = number == len(terms) - 1
        branch = page.marks.last if last else page.marks.branch
        if isinstance(item, int):
            yield Text(f"{stem}{branch} {plural(item, 'address term')} without lookups", "quiet"), ""
            continue
        yield _term(page, f"{stem}{branch} ", item), str(item.lookups) if item.lookups else ""
        if item.child is not None and depth < (99 if page.verbose else TREE_DEPTH):
            below = stem + ("  " if last else f"{page.marks.stem} ")
            if page.verbose or any(_interesting(term) for term in item.child.terms):
                yield from _branches(page, item.child, below, depth + 1)


def _shown_terms(page: Page, node: SpfNode) -> list[SpfTerm | int]:
    """Return the terms to draw; runs of plain address terms become their number unless verbose."""
    shown: list[SpfTerm | int] = []
    for term in node.terms:
        plain = (
            term.lookups == 0 and term.problem is None and term.term.lower().lstrip("+?~-").startswith(("ip4:", "ip6:"))
        )
        if not plain or page.verbose:
            shown.append(term)
        elif shown and isinstance(shown[-1], int):
            shown[-1] += 1
        else:
            shown.append(1)
    return shown


def _interesting(term: SpfTerm) -> bool:
    return term.lookups > 0 or term.void or term.problem is not None


def _term(page: Page, prefix: str, term: SpfTerm) -> Text:
    notes = []
    if term.void:
        notes.append("void")
    if term.problem:
        notes.append(term.problem)
    if term.child is not None and term.child.cycle:
        notes.append("loops back")
    left = Text.assemble((prefix, "quiet"), printable(term.term))
    column = page.width - 34
    sender = term.sender or ""
    if sender and left.cell_len < column:
        left.append(" " * (column - left.cell_len))
    if sender:
        left.append("  " if left.cell_len > column else "").append(sender, "quiet")
    if notes:
        left.append("  ").append(printable("; ".join(notes)), "warning")
    return left
