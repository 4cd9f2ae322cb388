r"""The format of `--transcript FILE`, read back.

    # smtpdoc transcript 1
    ## report 1
    ## session target=mx.example.net:587 address=192.0.2.25 tls=auto at=2026-11-20T22:00:00Z
    +0.043210 S: 220 mx.example.net ESMTP\r\n
    +0.043502 C: EHLO probe.example\r\n
    ## stage {"stage": "starttls", "status": "failed", "failure": {...}, ...}
    ## tls {"version": "TLSv1.3", ...}
    ## facts {"message": {...}, ...}
    ## end ok, 7 round trips, 0.412000 s

Seconds since the start; `S:` the server, `C:` we, `S*` and `C*` the same under TLS, `S!` a line that nobody asked for,
`==` a note, `**` an error; then the bytes as grammar/wire_text.py writes them. JSON tells what no line does, under the
keys of the report: a stage that failed or was left out, at its place, and facts about the whole session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying
from smtpdoc.grammar.wire_text import unescape

HEADER = "# smtpdoc transcript 1"
LEGEND = (
    "# S: server, C: client, S* C* the same under TLS, S! unasked for, == note, ** error; "
    r"\r \n \t \\ and \xNN are bytes"
)

#: `S `, `C `, `~ ` without a colon: how laboratories write the same.
_LINE = re.compile(r"\+(\d{1,6}\.\d{1,9}) (S:|C:|S\*|C\*|S!|==|\*\*|S |C |~ ) ?(.*)")
_SESSION = re.compile(r"## session (.*)")
_JSON = re.compile(r"## (tls|facts) (.*)")
_MARKS = {"S": Mark.RECEIVED, "C": Mark.SENT, "=": Mark.NOTE, "*": Mark.ERROR, "~": Mark.NOTE}
#: A line that is shorter was not broken.
_BROKEN_FROM = 40
_BROKE_OFF = re.compile(r".{0,80}(?: failed: |Error: )|EOF ")


def is_transcript_file(lines: Sequence[str]) -> bool:
    """Tell by its first lines whether a text is in this format."""
    head = [line for line in lines[:20] if line.strip()]
    return any(line.startswith("# smtpdoc transcript ") or _LINE.fullmatch(line) for line in head)


def read_transcript_file(lines: Sequence[str]) -> tuple[SavedSession, ...]:
    """Return the sessions in a file of this format; lines that follow no rule are passed over."""
    found: list[SavedSession] = []
    about: Mapping[str, str] = {}
    known: dict[str, Mapping[str, object] | None] = {}
    report: int | None = None
    sayings: list[Saying] = []

    def end() -> None:
        if sayings:
            found.append(
                replace(_session(about, tuple(sayings)), report=report, tls=known.get("tls"), facts=known.get("facts"))
            )
            sayings.clear()

    for number, line in _whole(lines):
        if match := _SESSION.fullmatch(line):
            end()
            about, known = dict(word.partition("=")[::2] for word in match[1].split()), {}
        elif line.startswith("## report "):
            end()
            report = (report or 0) + 1
        elif line.startswith("## stage "):
            sayings.append(Saying(Mark.STAGE, line.removeprefix("## stage "), False, None, number))
        elif match := _JSON.fullmatch(line):
            known[match[1]] = json_object(match[2])
        elif match := _LINE.fullmatch(line):
            sayings.append(_saying(match, number))
    end()
    return tuple(found)


def _whole(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, those that were broken on their way in one piece again."""
    first, whole = 0, ""
    for number, line in enumerate(lines, 1):
        unfinished = len(whole) >= _BROKEN_FROM and whole[0] in "+#" and not whole.endswith(("\\n", "}"))
        if unfinished and line.strip() and line[0] != "#" and not _LINE.match(line):
            whole = f"{whole} {line.strip()}"
            continue
        if first:
            yield first, whole
        first, whole = number, _without_blanks(line)
    if first:
        yield first, whole


def _without_blanks(line: str) -> str:
    """Blanks after a line end are none of the wire's."""
    bare = line.rstrip(" \t")
    return bare if bare.endswith("\\n") else line


def _saying(match: re.Match[str], number: int) -> Saying:
    at, tag, rest = match[1], match[2], match[3]
    mark = Mark.UNEXPECTED if tag == "S!" else _MARKS[tag[0]]
    text = unescape(rest)
    if tag == "~ " and _BROKE_OFF.match(text):
        mark = Mark.ERROR
    body = text.rstrip("\r\n")
    encrypted = tag in ("S*", "C*")
    return Saying(mark, body, encrypted, float(at), number, text[len(body) :])


def json_object(text: str) -> Mapping[str, object] | None:
    """Return an object of JSON, None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _session(about: Mapping[str, str], sayings: tuple[Saying, ...]) -> SavedSession:
    target, address = about.get("target", ""), about.get("address", "-")
    host, _, port = target.rpartition(":")
    return SavedSession(
        format="smtpdoc",
        sayings=sayings,
        host=host.strip("[]") or None,
        port=int(port) if port.isascii() and port.isdigit() and int(port) < 65536 else None,
        address=None if address == "-" else address,
        tls_mode=about.get("tls"),
        observed_at=about.get("at"),
    )
