"""Transcripts of SMTP sessions, whoever wrote them: text in, sessions out, secrets gone."""

from __future__ import annotations

import re
from dataclasses import replace

from smtpdoc.grammar.dialogue import SavedSession, TranscriptParseError
from smtpdoc.grammar.transcript_file import is_transcript_file, read_transcript_file
from smtpdoc.grammar.transcript_json import read_json
from smtpdoc.grammar.transcript_logins import without_secrets
from smtpdoc.grammar.transcript_raw import spoken
from smtpdoc.grammar.transcript_styles import marked

#: More than any session has; a longer file is something else.
MAX_BYTES = 4 << 20
MAX_LINES = 10_000
MAX_SESSIONS = 100
_LINE_CHARS = 8192

# Colours and other control sequences of a terminal that `script` kept, and the rest of what a terminal obeys.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[@-Z\\^_]")


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8, other bytes as lone surrogates, or UTF-16 with its mark (PowerShell)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def parse_transcripts(text: str) -> tuple[SavedSession, ...]:
    """Return the sessions in a text, never none, in its order, with their secrets hidden.

    Raises TranscriptParseError when there is no session in it; the error names the line that was looked at in vain.
    """
    if text.lstrip()[:1] in ("{", "["):
        found = read_json(text)
    else:
        lines = [_SEQUENCES.sub("", line)[:_LINE_CHARS] for line in _lines(text)]
        found = read_transcript_file(lines) if is_transcript_file(lines) else marked(lines) or spoken(lines)
        if not found:
            raise _nothing(lines)
    return tuple(replace(one, sayings=without_secrets(one.sayings[:MAX_LINES])) for one in found[:MAX_SESSIONS])


def _lines(text: str) -> list[str]:
    """Split at line ends only: a stranger's text may hold other characters that Python takes for some."""
    return [line.rstrip("\r") for line in text.split("\n", MAX_LINES)[:MAX_LINES]]


def _nothing(lines: list[str]) -> TranscriptParseError:
    number, line = next(((number, line) for number, line in enumerate(lines, 1) if line.strip()), (1, ""))
    return TranscriptParseError(
        "an SMTP session (of smtpdoc, swaks, openssl s_client, telnet or nc, or S: and C: lines); "
        f"no line has a reply code, and line {number} is no such line",
        line,
    )
