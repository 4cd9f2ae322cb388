"""JSON lines of answers that come again: everything but the clock's two values is rendered once."""

from __future__ import annotations

from datetime import datetime

from smtpdoc.render.json_v1 import dumps, report_json
from smtpdoc.render.json_values import seconds, time_json
from smtpdoc.report import Report

#: A rendered report without its clock: what stands before `started_at`, and what stands after `elapsed_s`.
Halves = tuple[str, str]


def around_clock(report: Report) -> Halves:
    """Return a report's JSON line without the values of `started_at` and `elapsed_s`."""
    value = report_json(report)
    keys = list(value)
    middle = keys.index("started_at")
    before = dumps({key: value[key] for key in keys[:middle]})
    after = dumps({key: value[key] for key in keys[middle + 2 :]})
    return before[:-1], ", " + after[1:] + "\n"


def with_clock(halves: Halves, started_at: datetime, elapsed_s: float) -> str:
    """Return the whole line, its end included."""
    before, after = halves
    return f'{before}, "started_at": "{time_json(started_at)}", "elapsed_s": {seconds(elapsed_s)!r}{after}'
