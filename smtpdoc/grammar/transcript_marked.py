"""Transcripts in which a mark says who spoke, read in the style that fits best."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from smtpdoc.grammar.dialogue import CODE, COMMAND, Mark, SavedSession, Saying
from smtpdoc.grammar.secret import HIDDEN
from smtpdoc.grammar.transcript_curl import without_trace
from smtpdoc.grammar.transcript_styles import STYLES, Style
from smtpdoc.grammar.transcript_text import MAX_LINES
from smtpdoc.grammar.transcript_tls import told_facts

_FOLDED = re.compile(r"250 (?:…|\.\.\.)  (?:now with (?P<new>.*?)|nothing new)(?:; without (?P<gone>.*))?")
_CONNECTING = re.compile(r"\s*(?:connecting to|Trying) |.{0,255}\.\.\. Connecting to ", re.IGNORECASE)
_SPOKEN = (Mark.SENT, Mark.RECEIVED)
#: Mail programs break lines at a width between these.
_NARROWEST, _WIDEST = 66, 100


def marked(lines: Sequence[str]) -> tuple[SavedSession, ...]:
    """Return the sessions of a text in the style that fits it best; empty when none has a reply or a failure."""
    lines = without_trace(lines)
    best: tuple[int, _Reader] | None = None
    for style in STYLES:
        reader = _Reader(style, lines)
        count = reader.fits()
        if count and (best is None or count > best[0]):
            best = (count, reader)
    return () if best is None else tuple(best[1].sessions())


class _Reader:
    """Reads a text in one style."""

    def __init__(self, style: Style, lines: Sequence[str]) -> None:
        self._style = style
        self._lines = lines
        self._marks = style.marks
        self._noon: float | None = None

    def fits(self) -> int:
        """Count the lines that a server said; where nobody did, notes and failures count once."""
        heard = {Mark.SENT: 0, Mark.RECEIVED: 0}
        commands = {Mark.SENT: 0, Mark.RECEIVED: 0}
        told = 0
        for line in self._lines:
            match = self._style.pattern.fullmatch(line)
            if match is None:
                told += bool(self._style.errors and self._style.errors.match(line))
                continue
            mark, _ = self._mark(match)
            if mark not in heard:
                told += bool(_CONNECTING.match(_text(match)))
                continue
            text = self._style.decode(match["text"] or "")
            heard[mark] += bool(CODE.match(text))
            commands[mark] += bool(COMMAND.match(text))
        if heard[Mark.SENT] > heard[Mark.RECEIVED] and commands[Mark.RECEIVED] > commands[Mark.SENT]:
            # Some logs are the server's own, and their arrows point the other way.
            self._marks = _turned(self._marks)
            return heard[Mark.SENT]
        if self._style.name == "sendmail" and not commands[Mark.SENT]:
            return 0
        return heard[Mark.RECEIVED] or min(1, told)

    def _mark(self, match: re.Match[str]) -> tuple[Mark, bool]:
        if match.groupdict().get("note") is not None:
            return Mark.NOTE, False
        return self._marks[match["mark"]]

    def sessions(self) -> list[SavedSession]:
        found: list[list[Saying]] = [[]]
        spoken = False  # has anybody, in the last of them?
        at: float | None = None
        above = ""  # the line before, where this one may go on with it
        for number, line in enumerate(self._lines, 1):
            current = found[-1]
            match = self._style.pattern.fullmatch(line)
            if match is None:
                above = self._unmarked(line, number, current, above)
                continue
            at = self._time(match, at)
            mark, encrypted = self._mark(match)
            text = self._style.decode(_text(match))
            if mark is Mark.NOTE and spoken and _CONNECTING.match(text):
                found.append([])
                current, spoken = found[-1], False
            spoken = spoken or mark in _SPOKEN
            current.append(Saying(mark, text.strip() if mark is Mark.NOTE else text, encrypted, at, number))
            above = line
        return [self._session(said) for said in found if said]

    def _time(self, match: re.Match[str], before: float | None) -> float | None:
        groups = match.groupdict()
        if groups.get("at"):
            return float(groups["at"])
        if not groups.get("clock"):
            return before
        hours, minutes, seconds = groups["clock"].split(":")
        now = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        self._noon = now if self._noon is None else self._noon
        return max(before or 0.0, now - self._noon)

    def _unmarked(self, line: str, number: int, current: list[Saying], above: str) -> str:
        """Take in a line without a mark: a failure, a further line of a reply, or the rest of a line that was broken.
        Return the line that the next one may go on with, "" for none."""
        style = self._style
        if style.errors is not None and style.errors.match(line):
            current.append(Saying(Mark.ERROR, line.strip(), False, None, number))
            return ""
        if not current or not above or current[-1].mark not in _SPOKEN:
            return ""
        if not line.strip():
            return above
        last = current[-1]
        match = style.more.fullmatch(line) if style.more is not None else None
        if match is not None and CODE.match(match["text"]) and last.mark is Mark.RECEIVED:
            current.append(Saying(Mark.RECEIVED, match["text"], last.encrypted, last.at_s, number))
            return line
        broken = last.text != HIDDEN and self._lines[number - 2] == above and _is_rest(line, above)
        if broken or (match is not None and not CODE.match(match["text"])):
            current[-1] = replace(last, text=f"{last.text} {line.strip()}")
            return line
        return ""

    def _session(self, said: Sequence[Saying]) -> SavedSession:
        ours = any(one.mark is Mark.NOTE and one.text.startswith("connecting to ") for one in said)
        name = self._style.name
        if name == "marks" and any(one.text.startswith(("Trying ", "Connected to ")) for one in said):
            name = "swaks"
        return SavedSession(
            "smtpdoc text" if ours else name,
            tuple(_unfolded(said)),
            tls=told_facts(said),
            marks_tls=self._style.marks_tls,
        )


def _text(match: re.Match[str]) -> str:
    return match["text"] or match.groupdict().get("connecting") or ""


def _turned(marks: Mapping[str, tuple[Mark, bool]]) -> dict[str, tuple[Mark, bool]]:
    other = {Mark.SENT: Mark.RECEIVED, Mark.RECEIVED: Mark.SENT}
    return {name: (other.get(mark, mark), encrypted) for name, (mark, encrypted) in marks.items()}


def _is_rest(line: str, above: str) -> bool:
    """Was the line above broken here by a mail program? Then the next word did not fit into it."""
    first = line.partition(" ")[0]
    fits = len(above) + 1 + len(first) <= _NARROWEST or not _NARROWEST - 20 <= len(above) <= _WIDEST
    # Lines of one program's log begin alike.
    return (
        not fits and first[:1].isalnum() and not first.endswith(":") and not CODE.match(line) and line[:4] != above[:4]
    )


def _unfolded(said: Sequence[Saying]) -> list[Saying]:
    """Write out the second EHLO reply, which our pages tell by what is new in it."""
    first: list[Saying] = []
    found: list[Saying] = []
    collecting = False
    room = MAX_LINES
    for one in said:
        if one.mark is Mark.SENT:
            collecting = not first and one.text[:4].upper() == "EHLO"
        elif one.mark is Mark.RECEIVED and collecting:
            first.append(one)
        match = _FOLDED.fullmatch(one.text) if one.mark is Mark.RECEIVED else None
        if match is None or not first or room < len(first):
            found.append(one)
            continue
        room -= len(first)
        gone = frozenset((match["gone"] or "").split(", "))
        keywords = [line.text[4:] for line in first[1:]]
        keywords = [text for text in keywords if text not in gone and text.upper() != "STARTTLS"]
        keywords += [text for text in (match["new"] or "").split(", ") if text]
        texts = [first[0].text[4:], *keywords]
        for place, text in enumerate(texts, 1):
            found.append(replace(one, text=f"250{' ' if place == len(texts) else '-'}{text}"))
    return found
