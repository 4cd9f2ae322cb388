"""The session log of `--transcript FILE`: every line as it crossed the wire, secrets taken out.

One line of the wire is one line of the file: seconds since the start, who spoke, the bytes. `smtpdoc probe --replay`
reads it back (grammar/transcript_file.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Line, LineKind, Transcript
from smtpdoc.grammar.transcript_file import HEADER, LEGEND
from smtpdoc.grammar.wire_text import escape
from smtpdoc.render.json_probe import exchange_json, session_facts_json, tls_json
from smtpdoc.render.json_v1 import dumps
from smtpdoc.render.json_values import time_json


def head() -> str:
    """Return the lines that begin a file."""
    return f"{HEADER}\n{LEGEND}\n"


def transcript_text(evidence: ProbeEvidence) -> str:
    """Return all sessions of a target, one after the other, each between its own two `##` lines."""
    lines = ["", f"## report {len(evidence.sessions)}", *(line for one in evidence.sessions for line in _session(one))]
    return "".join(f"{line}\n" for line in lines)


def _session(session: Transcript) -> Iterator[str]:
    words = [f"target={session.port_name}", f"address={session.address or '-'}", f"tls={session.tls_mode}"]
    if session.observed_at is not None:
        words.append(f"at={time_json(session.observed_at)}")
    yield "## session " + escape(" ".join(words))
    yield from _lines(session)
    # json_v1's dumps, since names in certificates and what servers say are strangers' text
    if session.tls is not None:
        yield "## tls " + dumps(tls_json(session.tls))
    if facts := session_facts_json(session):
        yield "## facts " + dumps(facts)
    yield f"## end {session.outcome}, {session.round_trips} round trips, {session.elapsed_s:.6f} s"


def _lines(session: Transcript) -> Iterator[str]:
    """Each line of the wire, and where they stand the stages that no line tells."""
    untold = deque(one for one in session.exchanges if one.failure is not None or one.purpose is not None)
    for number, line in enumerate(session.lines):
        while untold and untold[0].lines_before <= number:
            yield _stage(untold.popleft())
        yield f"+{line.at_s:.6f} {_tag(line)} {escape(line.text + line.end)}"
    yield from map(_stage, untold)


def _stage(exchange: Exchange) -> str:
    told = exchange_json(exchange)
    kept = {key: told[key] for key in ("stage", "status", "recipient", "purpose", "failure") if told[key] is not None}
    return "## stage " + dumps({**kept, "command": exchange.command})


def _tag(line: Line) -> str:
    match line.kind:
        case LineKind.SENT:
            return "C*" if line.encrypted else "C:"
        case LineKind.RECEIVED:
            return "S*" if line.encrypted else "S:"
        case LineKind.UNEXPECTED:
            return "S!"
        case LineKind.ERROR:
            return "**"
        case LineKind.NOTE:
            return "=="
