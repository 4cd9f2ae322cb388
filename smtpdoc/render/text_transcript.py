"""A session as a timed transcript, live or read from a file, explained where it stands."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace

from rich.text import Text

from smtpdoc.evidence.explanation import Explanation
from smtpdoc.evidence.smtp import Exchange, Line, LineKind, Purpose, Stage, StageStatus, Transcript
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page, wrapped

TIME_WIDTH = 7
MARK_WIDTH = 3
TEXT_COLUMN = TIME_WIDTH + 2 + MARK_WIDTH + 1
EXPLAINED_STEPS = 2
#: Without --verbose: so many lines that a server sends without a pause of ours, and so many characters of each.
SHOWN_LINES = 40
SHOWN_CHARS = 400

#: The mark of a stage or a session, by what became of it.
STATUS_LEVELS = {
    StageStatus.OK: Level.PASS,
    StageStatus.REFUSED: Level.ERROR,
    StageStatus.DEFERRED: Level.UNKNOWN,
    StageStatus.FAILED: Level.UNKNOWN,
    StageStatus.SKIPPED: Level.INFO,
}

_PURPOSE_WORDS: dict[tuple[Purpose | None, StageStatus], str] = {
    (Purpose.CONTROL, StageStatus.OK): "A made-up address, accepted: acceptance proves nothing here.",
    (Purpose.CONTROL, StageStatus.REFUSED): "A made-up address: a refusal is what one hopes for.",
    (Purpose.CONTROL, StageStatus.DEFERRED): "A made-up address, put off: nothing can be said yet.",
    (Purpose.RELAY, StageStatus.OK): "An address elsewhere, accepted without a login.",
    (Purpose.RELAY, StageStatus.REFUSED): "An address elsewhere: a refusal is what one hopes for.",
    (Purpose.RELAY, StageStatus.DEFERRED): "An address elsewhere, put off: nothing can be said yet.",
}


class TranscriptView:
    """Prints a session while it happens, each reply with its explanation under it.

    Of pipelined replies, which arrive together, each waits for the exchange that it belongs to, so that they are still
    explained one by one. The reply to a second EHLO waits too: it is folded to what is new in it.
    """

    def __init__(self, page: Page, *, timed: bool = True) -> None:
        self.page = page
        self._timed = timed  # many transcripts that are replayed have no times
        self._shown_time = ""
        self._received: deque[Line] = deque()
        self._printed = 0  # of the reply that is coming in
        self._owed = 0  # replies to commands
        self._folds = False
        self._first_ehlo: tuple[str, ...] = ()
        self._accepted_explained = False
        self._told: set[str] = set()
        self._at_s = 0.0
        self._in_a_row = 0  # lines of the server

    # -- what the session calls ---------------------------------------------------

    def line(self, line: Line) -> None:
        if line.kind is LineKind.RECEIVED:
            if self._owed > 1 or self._folds:
                self._received.append(line)
            else:
                self._printed += 1
                self._print(line)
            return
        self.finish()
        if line.kind is LineKind.SENT:
            self._owed += 1
            self._folds = bool(self._first_ehlo) and line.text.startswith("EHLO ") and not self.page.verbose
        if line.at_s < self._at_s:  # another session: its clock begins anew
            self.page.blank()
        self._at_s = line.at_s
        self._print(line)

    def exchange(self, exchange: Exchange) -> None:
        if exchange.reply is not None:
            count = min(len(exchange.reply.lines) - self._printed, len(self._received))
            lines = [self._received.popleft() for _ in range(count)]
            if exchange.stage is Stage.EHLO:
                self._first_ehlo = exchange.reply.lines[1:]
            if self._folds and exchange.stage is Stage.EHLO_TLS and exchange.status is StageStatus.OK:
                lines = self._folded(lines, exchange.reply.lines[1:])
            for line in lines:
                self._print(line)
        if exchange.stage not in (Stage.CONNECT, Stage.TLS):  # which answer no command
            # AUTH is one exchange of many lines, and never one of several commands at once.
            self._owed = 0 if exchange.stage is Stage.AUTH else max(0, self._owed - 1)
            self._printed, self._folds, self._in_a_row = 0, False, 0
        if exchange.purpose is not None and not self.page.verbose:
            self._purpose(exchange)
        elif self._needs_explaining(exchange) and exchange.explanation is not None:
            asked = exchange.stage in (Stage.VRFY, Stage.EXPN)  # no advice: a refusal is a good answer there
            self._explain(exchange.explanation, steps=not asked, status=exchange.status)

    def finish(self) -> None:
        """Print what has been received and belongs to no exchange (yet)."""
        while self._received:
            self._print(self._received.popleft())
        self._printed = 0

    # -- lines ----------------------------------------------------------------------

    def _folded(self, lines: list[Line], here: tuple[str, ...]) -> list[Line]:
        if len(lines) < 2:
            return lines
        new = [text for text in here if text not in self._first_ehlo]
        left = {_keyword(text) for text in here} | {"STARTTLS"}
        gone = [text for text in self._first_ehlo if _keyword(text) not in left]
        words = f"250 {self.page.marks.ellipsis}  "
        words += "now with " + ", ".join(new) if new else "nothing new"
        if gone:
            words += "; without " + ", ".join(gone)
        return [replace(lines[-1], text=words)]

    def _print(self, line: Line) -> None:
        if self._too_many(line):
            return
        stamp = f"{line.at_s:{TIME_WIDTH}.3f}"
        shown = stamp if self._timed and stamp != self._shown_time else " " * TIME_WIDTH
        self._shown_time = stamp
        mark, style = _line_mark(line)
        first = Text.assemble((shown, "time"), "  ", (f"{mark:<{MARK_WIDTH}}", style or "head"), " ")
        text = printable(line.text)
        if line.kind is LineKind.SENT and not text:
            text, style = "(an empty line)", "note"
        if line.kind is LineKind.ERROR and not self.page.verbose:
            text = _without_advice(text)
        if line.kind in (LineKind.RECEIVED, LineKind.UNEXPECTED):
            text = self._within_limits(text, self.page.width - first.cell_len)
        self.page.hanging(first, text, style)

    def _within_limits(self, text: str, width: int) -> str:
        """Return a server's line cut to what is shown of it, in words that fit: nobody wants to copy longer ones."""
        if len(text) > SHOWN_CHARS and not self.page.verbose:
            text = f"{text[:SHOWN_CHARS]}{self.page.marks.ellipsis} {len(text) - SHOWN_CHARS} characters more"
        return re.sub(rf"\S{{{width}}}(?=\S)", r"\g<0> ", text)

    def _too_many(self, line: Line) -> bool:
        """Count the server's lines; tell once that no more of them are shown."""
        if line.kind not in (LineKind.RECEIVED, LineKind.UNEXPECTED):
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        if self._in_a_row == SHOWN_LINES + 1 and not self.page.verbose:
            self.page.line(Text(f"{'':{TEXT_COLUMN}}{self.page.marks.ellipsis} more of these: --verbose", "quiet"))
        return self._in_a_row > SHOWN_LINES and not self.page.verbose

    # -- words beside the lines --------------------------------------------------------

    def _needs_explaining(self, exchange: Exchange) -> bool:
        if exchange.status in (StageStatus.REFUSED, StageStatus.DEFERRED):
            return True
        if exchange.stage in (Stage.VRFY, Stage.EXPN, Stage.MESSAGE):
            return True
        # An acceptance needs words only where people take it for more than it is; once is enough.
        rcpt_accepted = exchange.stage is Stage.RCPT and exchange.status is StageStatus.OK
        if not rcpt_accepted or exchange.reply is None or self._accepted_explained:
            return self.page.verbose and exchange.stage not in (Stage.EHLO, Stage.EHLO_TLS)
        self._accepted_explained = True
        return True

    def _purpose(self, exchange: Exchange) -> None:
        """Say, once for each kind of answer, why somebody was tried whom the user did not name."""
        words = _PURPOSE_WORDS.get((exchange.purpose, exchange.status))
        if words is not None and words not in self._told:
            self._told.add(words)
            self._aside(words)

    def _explain(self, explanation: Explanation, *, steps: bool = True, status: StageStatus) -> None:
        if explanation.reply.positive:
            if status is not StageStatus.OK:
                self._aside("This is not the code that this step calls for.")
                return
            self._aside(explanation.meaning or explanation.title)
            return
        self._aside(explanation.title)
        if self.page.verbose and explanation.meaning != explanation.title:
            self._aside(explanation.meaning)
        shown = None if self.page.verbose else EXPLAINED_STEPS if steps else 0
        for step in explanation.steps[:shown]:
            if self.page.verbose or step not in self._told:  # the same advice about each of ten recipients is noise
                self._told.add(step)
                self._aside(step, bullet=True)

    def _aside(self, text: str, *, bullet: bool = False) -> None:
        bar = Text(" " * TEXT_COLUMN).append(self.page.marks.bar + " ", "note")
        body = Text(printable(text))
        if bullet:
            body = Text(f"{self.page.marks.dot} ").append_text(body)
        indent = "  " if bullet else ""
        for number, line in enumerate(wrapped(body, self.page.width - bar.cell_len - len(indent))):
            self.page.line(Text.assemble(bar, indent if number else "", line))


def _keyword(capability: str) -> str:
    return re.split("[ =]", capability, maxsplit=1)[0].upper()


def _without_advice(text: str) -> str:
    """Return what happened without what to do about it: the finding below says that, after the transcript."""
    event, _, _ = text.partition("; ")
    return text if event.count('"') % 2 else event  # the semicolon was in what a server said


def _line_mark(line: Line) -> tuple[str, str]:
    match line.kind:
        case LineKind.SENT:
            return (" ~>" if line.encrypted else " ->"), ""
        case LineKind.RECEIVED:
            return ("<~ " if line.encrypted else "<- "), _reply_style(line.text)
        case LineKind.UNEXPECTED:
            return "<**", "warning"
        case LineKind.ERROR:
            return "***", "error"
        case LineKind.NOTE:
            return "===", "note"


def _reply_style(text: str) -> str:
    return {"4": "warning", "5": "error"}.get(text[:1], "")


def render_transcript(page: Page, session: Transcript) -> None:
    """Print a session that has happened already, as it looked live."""
    view = TranscriptView(page, timed=session.replayed_from is None or any(line.at_s for line in session.lines))
    waiting = list(session.exchanges)
    for number, line in enumerate(session.lines):
        while waiting and waiting[0].lines_before <= number:
            view.exchange(waiting.pop(0))
        view.line(line)
    for exchange in waiting:
        view.exchange(exchange)
    view.finish()
