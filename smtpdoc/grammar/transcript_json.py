"""Sessions out of the JSON report of probe (`--format json` or jsonl)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying, TranscriptParseError

_MARKS = {str(mark): mark for mark in Mark}


def read_json(text: str) -> tuple[SavedSession, ...]:
    """Return the sessions of one report, an array of them, or one a line; raise TranscriptParseError for other JSON."""
    found = tuple(session for report in _reports(text) for session in _sessions(report))
    if not found:
        raise TranscriptParseError("a JSON report of smtpdoc probe, with a transcript in it", text[:40])
    return found


def _reports(text: str) -> Iterator[dict[str, object]]:
    try:
        values = [json.loads(text)]
    except (ValueError, RecursionError):
        values = []
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError):
                raise TranscriptParseError(f"JSON on line {number}", line[:40]) from None
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one


def _sessions(report: dict[str, object]) -> Iterator[SavedSession]:
    evidence = report.get("evidence")
    sessions = evidence.get("sessions") if isinstance(evidence, dict) else None
    for session in sessions if isinstance(sessions, list) else ():
        lines = session.get("transcript") if isinstance(session, dict) else None
        if not isinstance(lines, list):
            continue
        sayings = tuple(_sayings(lines))
        if sayings:
            tls = session.get("tls")
            yield SavedSession(
                format="json",
                sayings=sayings,
                host=_text(session.get("host")),
                port=_port(session.get("port")),
                address=_text(session.get("address")),
                tls_mode=_text(session.get("tls_mode")),
                observed_at=_text(report.get("started_at")),
                tls=tls if isinstance(tls, dict) else None,
            )


def _sayings(lines: list[object]) -> Iterator[Saying]:
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict):
            continue
        mark, text, at_s = _MARKS.get(str(line.get("kind"))), line.get("text"), line.get("at_s")
        if mark is not None and isinstance(text, str):
            at = float(at_s) if isinstance(at_s, int | float) and 0 <= at_s < 1e6 else None
            yield Saying(mark, " ".join(text.splitlines()), line.get("encrypted") is True, at, number)


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) and value else None


def _port(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < 65536 else None
