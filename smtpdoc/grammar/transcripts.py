"""Transcripts of SMTP sessions, whoever wrote them: text in, sessions out, secrets gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from smtpdoc.grammar.dialogue import Mark, SavedSession, TranscriptParseError
from smtpdoc.grammar.transcript_file import is_transcript_file, read_transcript_file
from smtpdoc.grammar.transcript_json import read_json
from smtpdoc.grammar.transcript_logins import without_secrets
from smtpdoc.grammar.transcript_marked import marked
from smtpdoc.grammar.transcript_text import MAX_LINES, readings
from smtpdoc.grammar.transcript_typed import typed

#: More than any session has; a longer file is something else.
MAX_BYTES = 4 << 20
MAX_SESSIONS = 100
_JSON = re.compile(r"\s*(?:\{|\[\s*[\[{\]])")


def parse_transcripts(text: str) -> tuple[SavedSession, ...]:
    """Return the sessions in a text, never none, in its order, with their secrets hidden.

    Raises TranscriptParseError when there is no session in it; the error names the line that was looked at in vain.
    """
    found = read_json(text) if _JSON.match(text) else _read(text)
    return tuple(replace(one, sayings=without_secrets(one.sayings[:MAX_LINES])) for one in found[:MAX_SESSIONS])


def _read(text: str) -> tuple[SavedSession, ...]:
    lines: list[str] = []
    found: tuple[SavedSession, ...] = ()
    # What has marks may look like something typed, and the other way round, and a mark like a quotation's: who hears
    # more of the server is right.
    for lines in readings(text):
        if is_transcript_file(lines):
            return read_transcript_file(lines)
        found = max(found, marked(lines), typed(lines), key=_heard)
    if not found:
        raise _nothing(lines)
    return found


def _heard(sessions: Sequence[SavedSession]) -> tuple[int, int]:
    """Count what a server said; where none did, a program that has its own way to say so is believed first."""
    received = sum(one.mark is Mark.RECEIVED for session in sessions for one in session.sayings)
    return received, 0 if received or not sessions else 1 if sessions[0].format == "telnet" else 2


def _nothing(lines: Sequence[str]) -> TranscriptParseError:
    number, line = next(((number, line) for number, line in enumerate(lines, 1) if line.strip()), (1, ""))
    return TranscriptParseError(
        "an SMTP session (of smtpdoc, swaks, openssl s_client, curl -v, telnet or nc, or S: and C: lines); "
        f"no line has a reply code, and line {number} is no such line",
        line,
    )
