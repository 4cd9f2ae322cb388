"""The session log of `--transcript FILE`: every line as it crossed the wire, secrets taken out.

One line of the wire is one line of the file: seconds since the start, who spoke, the bytes. `smtpdoc probe --replay`
reads it back (grammar/transcript_file.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Line, LineKind, Transcript
from smtpdoc.grammar.transcript_file import HEADER, LEGEND
from smtpdoc.grammar.wire_text import escape
from smtpdoc.render.json_probe import tls_json
from smtpdoc.render.json_v1 import dumps
from smtpdoc.render.json_values import time_json


def head() -> str:
    """Return the lines that begin a file."""
    return f"{HEADER}\n{LEGEND}\n"


def transcript_text(evidence: ProbeEvidence) -> str:
    """Return all sessions of a target, one after the other, each between its own two `##` lines."""
    return "".join(f"{line}\n" for session in evidence.sessions for line in _session(session))


def _session(session: Transcript) -> Iterator[str]:
    words = [f"target={session.port_name}", f"address={session.address or '-'}", f"tls={session.tls_mode}"]
    if session.observed_at is not None:
        words.append(f"at={time_json(session.observed_at)}")
    yield ""
    yield "## session " + escape(" ".join(words))
    yield from _lines(session.lines)
    if session.tls is not None:
        # json_v1's dumps, since names in certificates are strangers' text
        yield "## tls " + dumps(tls_json(session.tls))
    yield f"## end {session.outcome}, {session.round_trips} round trips, {session.elapsed_s:.6f} s"


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield f"+{line.at_s:.6f} {_tag(line)} {escape(line.text + line.end)}"


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
