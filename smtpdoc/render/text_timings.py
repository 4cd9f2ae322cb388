"""The table of `--repeat`: how long each step takes, and how the sessions ended."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from smtpdoc.evidence.smtp import StageStatus
from smtpdoc.evidence.timings import TOTAL, Ended, Timings
from smtpdoc.render.text import INDENT, Page
from smtpdoc.render.text_transcript import STATUS_LEVELS

_HEAD = ("milliseconds", "count", "min", "median", "p95")
_NAMES = {"connect": "connect", "greeting": "greeting", "ehlo-tls": "EHLO in TLS", "message": "message", TOTAL: TOTAL}
_WORDS = {
    StageStatus.OK: "ended well",
    StageStatus.REFUSED: "refused",
    StageStatus.DEFERRED: "deferred",
    StageStatus.FAILED: "no verdict",
    StageStatus.SKIPPED: "ended early",
}


def render_timings(page: Page, timings: Timings) -> None:
    """Print a row for each step, then how many sessions ended how."""
    rows = [
        (
            _NAMES.get(step.step, step.step.upper()),
            str(step.count),
            *(f"{seconds * 1000:.1f}" for seconds in (step.min_s, step.median_s, step.p95_s)),
        )
        for step in timings.steps
    ]
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    page.line(Text(_row(_HEAD, widths), "quiet"))
    for row in rows:
        page.line(Text(_row(row, widths), "head" if row[0] == TOTAL else ""))
    page.blank()
    for ended in timings.ended:
        page.line(Text.assemble(" " * INDENT, page.mark(STATUS_LEVELS[ended.status]), f" {_ended(ended, timings)}"))
    if timings.done < timings.asked:
        page.line(f"{' ' * INDENT}{timings.done} of {timings.asked} sessions took place", "quiet")


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers = cells
    return f"{' ' * INDENT}{first:<{widths[0]}}" + "".join(
        f"  {cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True)
    )


def _ended(ended: Ended, timings: Timings) -> str:
    text = f"{ended.count} of {timings.done} {_WORDS[ended.status]}"
    if ended.stage is None:
        return text
    text += f" at {_NAMES.get(ended.stage, ended.stage.upper())}"
    told = ended.code if ended.code is not None else ended.failure
    text += f": {told}" if told is not None else ""
    return text if ended.count == timings.done else f"{text}, first in session {ended.first}"
