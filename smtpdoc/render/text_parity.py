"""Several sessions beside each other: a row for each host or address, with what differs marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from smtpdoc.evidence.parity import certificate_word, labels, tls_word
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.findings import Finding, Level, worst
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page
from smtpdoc.render.text_transcript import STATUS_LEVELS

_HEAD = ("TLS", "certificate", "greeting", "total", "outcome")
_RIGHT = (2, 3)  # numbers
_GAP = "  "
_DIFFERS = "*"
_OUTCOME = 4
_COMPARED = (0, 1, _OUTCOME)
_OK = "ok"
_FINDINGS = "ok, with findings"
_STAGES = {Stage.EHLO_TLS: "EHLO", Stage.CONNECT: "connect", Stage.GREETING: "greeting"}


def render_parity(
    page: Page,
    sessions: Sequence[Transcript],
    findings: Iterable[Finding] = (),
    preferences: Mapping[str, int] | None = None,
) -> None:
    """Print the table. A star stands behind what is unlike most others, the MX preference before the hosts that have
    one; the mark is that of the outcome, or of something worse that was found."""
    names = labels(sessions)
    if preferences:
        numbers = [str(preferences.get(session.host, "")) for session in sessions]
        names = tuple(f"{number:>{max(map(len, numbers))}} {name}" for number, name in zip(numbers, names, strict=True))
    levels = _levels(sessions, findings)
    rows = [
        (*row[:_OUTCOME], _FINDINGS) if row[_OUTCOME] == _OK and level is not Level.PASS else row
        for row, level in zip(_starred([_cells(session) for session in sessions]), levels, strict=True)
    ]
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    room = page.width - len("x ") - sum(widths) - len(_GAP) * len(widths)
    width = max(4, min(max(map(len, names)), room))
    page.line(Text(f"  {'':<{width}}{_GAP}{_row(_HEAD, widths)}".rstrip(), "quiet"))
    for level, name, row in zip(levels, names, rows, strict=True):
        line = Text.assemble(page.mark(level), f" {printable(name):<{width}}")
        if len(name) > width:  # a name that could be copied is never broken
            page.line(line)
            line = Text(" " * (width + 2))
        line.append(_GAP + _row(row, widths))
        line.rstrip()
        page.line(line)
    if any(_DIFFERS in cell for row in rows for cell in row):
        page.line(f"  {_DIFFERS} unlike most others", "quiet")


def _levels(sessions: Sequence[Transcript], findings: Iterable[Finding]) -> list[Level]:
    """Return the mark of each session. What was found about one of several addresses of a host tells not which; their
    certificates do."""
    places = Counter(session.port_name for session in sessions)
    found = [one for one in findings if places[one.subject] == 1 and one.level is not Level.INFO]
    found_there = [[one.level for one in found if one.subject == session.port_name] for session in sessions]
    return [
        worst((STATUS_LEVELS[session.outcome], *levels, *_doubt(session, places[session.port_name])))
        for session, levels in zip(sessions, found_there, strict=True)
    ]


def _doubt(session: Transcript, sessions: int) -> tuple[Level, ...]:
    return (Level.WARNING,) if sessions > 1 and certificate_word(session) not in (None, "trusted") else ()


def _starred(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Mark what is unlike the most frequent value of its column. Where two are even, a session that went well counts,
    then the first; one that came to nothing is unlike none."""
    weighty = sorted(rows, key=lambda row: row[_OUTCOME] != _OK)
    usual = [
        Counter(row[column] for row in weighty if row[column] != "-").most_common(1)[:1] for column in range(len(_HEAD))
    ]
    return [
        tuple(
            cell + _DIFFERS if column in _COMPARED and cell != "-" and cell != usual[column][0][0] else cell
            for column, cell in enumerate(row)
        )
        for row in rows
    ]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        f"{cell:>{width}}" if column in _RIGHT else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _cells(session: Transcript) -> tuple[str, ...]:
    greeting = next((one for one in session.exchanges if one.stage is Stage.GREETING and one.reply is not None), None)
    return (
        _tls(session),
        _certificate(session),
        "-" if greeting is None else f"{greeting.elapsed_s:.3f}",
        f"{session.elapsed_s:.3f}",
        _outcome(session),
    )


def _tls(session: Transcript) -> str:
    word = tls_word(session)
    if word is None:
        return "-"
    return {"TLSv1": "TLS 1.0", "not offered": "none"}.get(word, word.replace("TLSv", "TLS "))


def _certificate(session: Transcript) -> str:
    word = certificate_word(session)
    days = session.tls.days_left if session.tls is not None else None
    if word in ("trusted", "other name") and days is not None:
        return f"{word}, {days} d"
    return word or "-"


def _outcome(session: Transcript) -> str:
    if session.outcome is StageStatus.OK:
        return _OK
    for exchange in session.exchanges:
        if exchange.status is session.outcome:
            stage = _STAGES.get(exchange.stage, exchange.stage.value.upper())
            return f"{session.outcome} at {stage}"
    return str(session.outcome)
