"""Many domains on one page: a row each, then how many are well, and what is wrong most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from smtpdoc.evidence.auth import DkimEvidence, DmarcEvidence, MxEvidence, SpfEvidence, SpfNode, TopicStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import INDENT, Page, by_weight, plural
from smtpdoc.report import Report

LOOKUP_LIMIT = 10
#: Findings that are counted below the table.
MOST_FREQUENT = 10

_HEAD = ("MX", "SPF", "DKIM", "DMARC")
_WIDTHS = (6, 10, 4, 12)
_GAP = "  "
_FINDING_WIDTH = 24
_MIN_NAME = 12
_NEWS = (Level.ERROR, Level.WARNING, Level.UNKNOWN)
_COUNTED = (
    (Level.ERROR, "with errors"),
    (Level.WARNING, "with warnings"),
    (Level.UNKNOWN, "undetermined"),
    (Level.INFO, "in order"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One domain in a few words; `found` are the ids of what is more than a note, each once, worst first."""

    domain: str
    level: Level
    cells: tuple[str, str, str, str]
    found: tuple[tuple[str, Level], ...]


class DomainTable:
    """Prints rows as they come, or keeps them for the end; remembers only rows and numbers, no report."""

    def __init__(self, page: Page, names: Sequence[str]) -> None:
        self._page = page
        room = page.width - len("x ") - sum(_WIDTHS) - len(_GAP) * (len(_WIDTHS) + 1) - _FINDING_WIDTH
        self._name_width = max(_MIN_NAME, min(max(map(len, names), default=0), room))
        self._levels: Counter[Level] = Counter()
        self._findings: Counter[tuple[str, Level]] = Counter()
        self._shown = False
        self._worst: Row | None = None

    def add(self, row: Row) -> None:
        """Print a domain's row, below the head when it is the first."""
        if not self._shown:
            self._head()
            self._shown = True
        self._levels[Level.INFO if row.level is Level.PASS else row.level] += 1
        self._findings.update(row.found)
        if self._worst is None or row.level.rank > self._worst.level.rank:
            self._worst = row
        cells = _GAP.join(f"{cell:<{width}}" for cell, width in zip(row.cells, _WIDTHS, strict=True))
        worst = row.found[0][0] if row.found else ""
        worst += f" +{len(row.found) - 1}" if len(row.found) > 1 else ""
        line = Text.assemble(self._page.mark(row.level), f" {printable(row.domain):<{self._name_width}}{_GAP}{cells}")
        line.append(_GAP + worst, str(row.level))
        line.rstrip()
        self._page.line(line)

    def _head(self) -> None:
        cells = _GAP.join(f"{cell:<{width}}" for cell, width in zip(_HEAD, _WIDTHS, strict=True))
        self._page.line(Text(f"  {'domain':<{self._name_width}}{_GAP}{cells}{_GAP}worst finding, + others", "quiet"))

    def close(self, asked: int, elapsed_s: float, *, pages: bool) -> None:
        """Print the numbers of the run. `pages`: each domain's page stands above, so what is wrong has been said."""
        page = self._page
        done = self._levels.total()
        page.blank()
        counts = [f"{self._levels[level]} {words}" for level, words in _COUNTED if self._levels[level]]
        of = f"{done} of {plural(asked, 'domain')}" if done < asked else plural(asked, "domain")
        page.line(Text(f"{of} in {elapsed_s:.1f} s: {', '.join(counts) or 'none could be checked'}", "head"))
        if pages:
            return
        common = self._findings.most_common(MOST_FREQUENT)
        if common:
            page.blank()
            page.line(Text("Most frequent findings, with the number of domains", "head"))
            for (finding_id, level), count in common:
                page.line(Text.assemble(" " * INDENT, page.mark(level), f" {count:>5}  {finding_id}"))
        if self._worst is not None:
            page.blank()
            page.line(Text("One domain with its fixes (all pages: --verbose, as data: --format jsonl):", "quiet"))
            page.copyable(f"smtpdoc auth-check {self._worst.domain}", INDENT)


def row_of(report: Report, evidence: AuthEvidence) -> Row:
    """Return the row of one domain."""
    found = dict.fromkeys((finding.id, finding.level) for finding in by_weight(report.findings))
    cells = (
        "" if evidence.mx is None else mx_cell(evidence.mx),
        "" if evidence.spf is None else spf_cell(evidence.spf),
        "" if evidence.dkim is None else dkim_cell(evidence.dkim),
        "" if evidence.dmarc is None else dmarc_cell(evidence.dmarc),
    )
    return Row(report.target, report.level, cells, tuple(item for item in found if item[1] in _NEWS))


def mx_cell(mx: MxEvidence) -> str:
    if mx.status is TopicStatus.UNKNOWN:
        return "?"
    if mx.null_mx:
        return "null"
    return "none" if not mx.hosts else "no MX" if mx.implicit else str(len(mx.hosts))


def spf_cell(spf: SpfEvidence) -> str:
    if spf.status is TopicStatus.UNKNOWN or spf.result == "temperror":
        return "?"
    if spf.status is TopicStatus.ABSENT:
        return "none"
    if spf.lookups > LOOKUP_LIMIT:
        return f"{spf.lookups} of {LOOKUP_LIMIT}"
    return "permerror" if spf.result == "permerror" else f"{spf.lookups} {spf_ending(spf.tree)}".strip()


def spf_ending(node: SpfNode | None) -> str:
    """Return the "all" that decides for everybody else, behind redirect= too; empty where there is none."""
    while node is not None:
        last = next((term for term in reversed(node.terms) if term.kind in ("all", "redirect") and term.reached), None)
        if last is None or last.kind == "all":
            return "" if last is None else printable(last.term.lower())
        node = last.child
    return ""


def dkim_cell(dkim: DkimEvidence) -> str:
    """The number of keys found at the names tried; a "-" is no proof that there are none."""
    found = sum(selector.status is TopicStatus.FOUND and not selector.revoked for selector in dkim.selectors)
    if found:
        return str(found)
    if dkim.proven_absent:
        return "none"
    return "?" if dkim.unanswered else "bad" if dkim.status is TopicStatus.INVALID else "-"


def dmarc_cell(dmarc: DmarcEvidence) -> str:
    if dmarc.status is TopicStatus.UNKNOWN:
        return "?"
    if dmarc.status is TopicStatus.ABSENT:
        return "none"
    return f"p={dmarc.applies}" if dmarc.applies else "invalid"
