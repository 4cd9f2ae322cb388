"""Transcripts in which a mark says who spoke: ours, swaks, curl -v, msmtp, PHPMailer, smtplib, posttls-finger, RFCs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying
from smtpdoc.grammar.wire_text import unescape

CODE = re.compile(r"[2-5][0-9]{2}(?:[ -]|$)")


@dataclass(frozen=True, slots=True)
class Style:
    """How one program marks its lines. The pattern's groups: `at` (seconds, optional), `mark`, `text`."""

    name: str
    pattern: re.Pattern[str]
    marks: dict[str, tuple[Mark, bool]]
    decode: Callable[[str], str] = str


def _literal(text: str) -> str:
    """Return what a Python literal like b'250 ok' holds, or the text itself."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return str(value).rstrip("\r\n")


def _rfc(text: str) -> str:
    r"""Test dialogues may write their line ends out: `S: 220 hi\r\n`."""
    return unescape(text).rstrip("\r\n") if text.endswith("\\n") else text


_SENT, _RECEIVED = (Mark.SENT, False), (Mark.RECEIVED, False)

#: In order of preference where two fit equally well.
STYLES = (
    Style(
        "marks",
        re.compile(
            r"\s*(?:(?P<at>\d{1,5}\.\d{3})\s+)?(?P<mark><\*\*|<~\*|\*\*>|\*~>|->|~>|<-(?!-)|<~|===|\*\*\*)(?:\s{1,3}(?P<text>.*))?"
        ),
        {
            "->": _SENT,
            "**>": _SENT,
            "~>": (Mark.SENT, True),
            "*~>": (Mark.SENT, True),
            "<-": _RECEIVED,
            # Who writes it means a refusal (swaks) or a reply that nobody asked for (we); which, the order tells.
            "<**": _RECEIVED,
            "<~": (Mark.RECEIVED, True),
            "<~*": (Mark.RECEIVED, True),
            "===": (Mark.NOTE, False),
            "***": (Mark.ERROR, False),
        },
    ),
    Style(
        "dialogue",
        re.compile(r"\s*(?P<mark>S|C|Server|Client|server|client)\s*:(?: (?P<text>.*))?"),
        {name: _RECEIVED if name[0] in "Ss" else _SENT for name in ("S", "C", "Server", "Client", "server", "client")},
        _rfc,
    ),
    Style(
        "phpmailer",
        re.compile(r".{0,60}?(?P<mark>SERVER -> CLIENT|CLIENT -> SERVER): ?(?P<text>.*)"),
        {"SERVER -> CLIENT": _RECEIVED, "CLIENT -> SERVER": _SENT},
    ),
    Style(
        "smtplib",
        re.compile(r"(?:[\d:.]{0,16} )?(?P<mark>send|reply): (?P<text>b?['\"].*['\"])"),
        {"send": _SENT, "reply": _RECEIVED},
        _literal,
    ),
    Style("msmtp", re.compile(r"(?P<mark><--|-->) (?P<text>.*)"), {"<--": _RECEIVED, "-->": _SENT}),
    Style(
        "posttls-finger",
        re.compile(r"posttls-finger: (?P<mark>[<>]) (?P<text>.*)"),
        {"<": _RECEIVED, ">": _SENT},
    ),
    Style("curl", re.compile(r"(?P<mark>[<>*]) (?P<text>.*)"), {"<": _RECEIVED, ">": _SENT, "*": (Mark.NOTE, False)}),
)

_FOLDED = re.compile(r"250 (?:…|\.\.\.)  (?:now with (?P<new>.*?)|nothing new)(?:; without (?P<gone>.*))?")
_CONNECTING = re.compile(r"(?:connecting to|Trying) ", re.IGNORECASE)
#: Where our own pages put the text of a line that goes on below.
_CONTINUED = re.compile(r" {10,14}(?![│|\s])(?P<text>\S.*)")


def marked(lines: Sequence[str]) -> tuple[SavedSession, ...]:
    """Return the sessions of a text in the style that fits it best; empty when none has two sides or a reply."""
    best: tuple[int, Style] | None = None
    for style in STYLES:
        count = _replies(style, lines)
        if count and (best is None or count > best[0]):
            best = (count, style)
    return () if best is None else tuple(_sessions(best[1], lines))


def _replies(style: Style, lines: Sequence[str]) -> int:
    """Count the lines that a server said in this style; a note that a connection failed counts as well."""
    count = 0
    for line in lines:
        match = style.pattern.fullmatch(line)
        if match is None:
            continue
        mark = style.marks[match["mark"]][0]
        text = style.decode(match["text"] or "")
        if (mark is Mark.RECEIVED and CODE.match(text)) or (style.name == "marks" and mark is Mark.ERROR):
            count += 1
    return count


def _sessions(style: Style, lines: Sequence[str]) -> list[SavedSession]:
    sessions: list[list[Saying]] = [[]]
    at: float | None = None
    joins = False
    for number, line in enumerate(lines, 1):
        current = sessions[-1]
        match = style.pattern.fullmatch(line)
        if match is None:
            joins = _unmarked(style, line, number, current, joins)
            continue
        at = float(match["at"]) if match.groupdict().get("at") else at
        mark, encrypted = style.marks[match["mark"]]
        text = style.decode(match["text"] or "")
        if mark is Mark.NOTE and _CONNECTING.match(text) and any(one.mark in _SPOKEN for one in current):
            sessions.append([])
            current = sessions[-1]
        current.append(Saying(mark, text, encrypted, at, number))
        joins = True
    return [
        SavedSession("smtpdoc text" if _is_ours(said) else _name(style, said), tuple(_unfolded(said)))
        for said in sessions
        if said
    ]


_SPOKEN = (Mark.SENT, Mark.RECEIVED)


def _unmarked(style: Style, line: str, number: int, current: list[Saying], joins: bool) -> bool:
    """Take in a line without a mark: the rest of a wrapped line, or a further line of a reply; return whether the next
    one may go on as well."""
    if not current or not joins:
        return False
    last = current[-1]
    if style.name == "marks" and (match := _CONTINUED.fullmatch(line)):
        current[-1] = replace(last, text=f"{last.text} {match['text'].rstrip()}")
        return True
    if style.name == "phpmailer" and last.mark is Mark.RECEIVED and CODE.match(line.strip()):
        current.append(Saying(Mark.RECEIVED, line.strip(), last.encrypted, last.at_s, number))
        return True
    return False


def _is_ours(said: Sequence[Saying]) -> bool:
    return any(one.mark is Mark.NOTE and one.text.startswith("connecting to ") for one in said)


def _name(style: Style, said: Sequence[Saying]) -> str:
    swaks = style.name == "marks" and any(one.text.startswith(("Trying ", "Connected to ")) for one in said)
    return "swaks" if swaks else style.name


def _unfolded(said: Sequence[Saying]) -> list[Saying]:
    """Write out the second EHLO reply, which our pages tell by what is new in it."""
    first: list[Saying] = []
    found: list[Saying] = []
    collecting = False
    for one in said:
        if one.mark is Mark.SENT:
            collecting = not first and one.text[:4].upper() == "EHLO"
        elif one.mark is Mark.RECEIVED and collecting:
            first.append(one)
        match = _FOLDED.fullmatch(one.text) if one.mark is Mark.RECEIVED else None
        if match is None or not first:
            found.append(one)
            continue
        gone = (match["gone"] or "").split(", ")
        keywords = [line.text[4:] for line in first[1:]]
        keywords = [text for text in keywords if text not in gone and text.upper() != "STARTTLS"]
        keywords += [text for text in (match["new"] or "").split(", ") if text]
        texts = [first[0].text[4:], *keywords]
        for place, text in enumerate(texts, 1):
            found.append(replace(one, text=f"250{' ' if place == len(texts) else '-'}{text}"))
    return found
