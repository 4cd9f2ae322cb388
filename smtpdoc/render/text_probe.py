"""The page of `probe`: a live, timed transcript, explained where it stands, then the verdict."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

from rich.text import Text

from smtpdoc.evidence.explanation import Explanation
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import (
    Exchange,
    Line,
    LineKind,
    Purpose,
    Stage,
    StageStatus,
    TlsFacts,
    Transcript,
)
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page, plural, tally, wrapped
from smtpdoc.report import Report

TIME_WIDTH = 7
MARK_WIDTH = 3
TEXT_COLUMN = TIME_WIDTH + 2 + MARK_WIDTH + 1
EXPLAINED_STEPS = 2
#: Without --verbose: so many lines that a server sends without a pause of ours, and so many characters of each.
SHOWN_LINES = 40
SHOWN_CHARS = 400

_STATUS_LEVELS = {
    StageStatus.OK: Level.PASS,
    StageStatus.REFUSED: Level.ERROR,
    StageStatus.DEFERRED: Level.UNKNOWN,
    StageStatus.FAILED: Level.UNKNOWN,
    StageStatus.SKIPPED: Level.INFO,
}

_STAGE_NAMES = {
    Stage.CONNECT: "reachable",
    Stage.GREETING: "greeting",
    Stage.EHLO: "EHLO",
    Stage.STARTTLS: "STARTTLS",
    Stage.TLS: "TLS",
    Stage.EHLO_TLS: "EHLO",
    Stage.AUTH: "AUTH",
    Stage.VRFY: "VRFY",
    Stage.EXPN: "EXPN",
    Stage.MAIL: "MAIL",
    Stage.RCPT: "RCPT",
    Stage.DATA: "DATA",
    Stage.MESSAGE: "message",
    Stage.RSET: "RSET",
    Stage.QUIT: "QUIT",
    Stage.OTHER: "other",
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
            self._aside(step, bullet=True)

    def _aside(self, text: str, *, bullet: bool = False) -> None:
        bar = Text(" " * TEXT_COLUMN).append(self.page.marks.bar + " ", "note")
        body = Text(printable(text))
        if bullet:
            body = Text(f"{self.page.marks.dot} ").append_text(body)
        for number, line in enumerate(wrapped(body, self.page.width - bar.cell_len)):
            hang = "  " if bullet and number else ""
            self.page.line(Text.assemble(bar, hang, line))


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


# -- before and after the transcript ------------------------------------------------------


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


def render_verdict(page: Page, report: Report, evidence: ProbeEvidence) -> None:
    """Print one verdict per session, the findings, and the closing tally."""
    several = len(evidence.standing) > 1
    if several and not page.quiet:
        from smtpdoc.render.text_parity import render_parity

        render_parity(page, evidence.standing, {one.host: one.preference for one in reversed(evidence.mx or ())})
        page.blank()
    for session in evidence.sessions:
        if page.quiet or not several or session.outcome is not StageStatus.OK:
            if report.interrupted and _unfinished(session):
                page.line(
                    Text.assemble(page.mark(Level.UNKNOWN), " ", ("interrupted", "head"), f"   {session.port_name}")
                )
                continue
            _session_verdict(page, session, report, several=several)
    if page.quiet:
        return
    _looks(page, evidence)
    if evidence.timings is not None:
        from smtpdoc.render.text_timings import render_timings

        page.blank()
        render_timings(page, evidence.timings)
    findings = [finding for finding in report.findings if page.verbose or finding.level is not Level.PASS]
    if findings:
        page.blank()
        page.findings(findings)
    if page.verbose:
        for session in evidence.sessions:
            _details(page, session)
    page.blank()
    page.line(f"{_what_was_done(report, evidence)}, {tally(report.findings)}", "quiet")


def _unfinished(session: Transcript) -> bool:
    """True for a session that an interrupt cut off before anything was decided."""
    return _decisive(session) is None and not any(one.stage is Stage.QUIT for one in session.exchanges)


def _what_was_done(report: Report, evidence: ProbeEvidence) -> str:
    read_from = evidence.sessions[0].replayed_from
    if read_from is not None:
        return f"read from {REPLAY_NAMES.get(read_from, f'a {read_from} transcript')}, nobody was asked"
    if evidence.timings is not None:
        return f"{report.elapsed_s:.2f} s, {plural(evidence.timings.done, 'session')}"
    trips = sum(session.round_trips for session in evidence.sessions)
    return f"{report.elapsed_s:.2f} s, {plural(trips, 'round trip')}"


#: What a transcript is called that was replayed, by what wrote it.
REPLAY_NAMES = {
    "smtpdoc": "a transcript of smtpdoc",
    "smtpdoc text": "the page of an earlier probe",
    "json": "the JSON of an earlier probe",
    "openssl": "the output of openssl s_client",
    "telnet": "a terminal session",
    "marks": "a transcript",
    "dialogue": "a dialogue",
    "smtplib": "the debug output of smtplib",
}


def _looks(page: Page, evidence: ProbeEvidence) -> None:
    several = len(evidence.standing) > 1
    for session in evidence.standing:
        if not (_looked_further(session) or (page.verbose and session.identity is not None)):
            continue
        from smtpdoc.render.text_looks import render_looks

        page.blank()
        if several:
            page.line(f"{session.port_name} {session.address or ''}".rstrip(), "head")
        render_looks(page, session)


def _looked_further(session: Transcript) -> bool:
    """Was anything asked for that is answered beside the transcript?"""
    asked = (session.tls_versions, session.starttls_injection, session.enforcement, session.dane, session.mta_sts)
    return any(asked) or (session.identity is not None and session.identity.wanted)


def _session_verdict(page: Page, session: Transcript, report: Report, *, several: bool) -> None:
    decisive = _decisive(session)
    name = session.port_name
    if session.address and session.address != session.host:
        name += f" ({session.address})"
    if decisive is None:
        level: Level = Level.PASS if several or report.level is Level.INFO else report.level
        waited = f"   after {session.waited_s:g} s" if session.attempt > 1 else ""
        done = (_done(session, level), "head")
        line = Text.assemble(page.mark(level), " ", done, (waited, "quiet"), f"   {name}")
        if page.quiet and level is not Level.PASS:  # else they stand below
            worst = dict.fromkeys(finding.id for finding in report.findings if finding.level is level)
            line.append(f"   {' '.join(worst)}")
        page.line(line)
    else:
        level = _STATUS_LEVELS[decisive.status]
        words = {StageStatus.REFUSED: "refused", StageStatus.DEFERRED: "deferred"}.get(decisive.status, "no verdict")
        if decisive.status is StageStatus.FAILED and report.level is Level.ERROR and not several:
            level, words = Level.ERROR, "failed"
        stage = "connect" if decisive.stage is Stage.CONNECT else _STAGE_NAMES[decisive.stage]
        line = Text.assemble(page.mark(level), " ", (f"{words} at {stage}", "head"))
        for part in _decisive_words(decisive):
            line.append("   ").append(part)
        if session.superseded:
            line.append("   then tried again", "quiet")
        elif session.attempt > 1:
            line.append(f"   after {session.waited_s:g} s", "quiet")
        if several or page.quiet:
            line.append(f"   {name}")
        if line.cell_len <= page.width:
            page.line(line)
        else:
            page.hanging(Text(""), line)
    if not page.quiet:
        page.items(_stage_items(page, session))


def _done(session: Transcript, level: Level) -> str:
    """Return what came of a session in which nothing was refused, put off or cut short."""
    for exchange in session.exchanges:
        if exchange.stage in (Stage.AUTH, Stage.MAIL) and exchange.status is StageStatus.SKIPPED:
            return "login not tried" if exchange.stage is Stage.AUTH else "envelope not sent"
    sent = any(one.stage is Stage.MESSAGE and one.status is StageStatus.OK for one in session.exchanges)
    done = "message accepted" if sent else "session completed"
    if level is Level.UNKNOWN:
        return f"{done}, not everything could be told"
    return done if level is Level.PASS else f"{done}, with findings"


def _decisive(session: Transcript) -> Exchange | None:
    """Return the exchange that decided the outcome: the first refusal, else the first deferral or failure.

    An EHLO that is not understood decides nothing where HELO is.
    """
    last = {(one.stage, one.recipient): one for one in session.exchanges}
    for status in (StageStatus.REFUSED, StageStatus.DEFERRED, StageStatus.FAILED):
        for exchange in session.exchanges:
            if exchange.status is status and exchange.decides and last[exchange.stage, exchange.recipient] is exchange:
                return exchange
    return None


def _decisive_words(exchange: Exchange) -> list[str]:
    words = []
    if exchange.recipient:
        words.append(printable(exchange.recipient))
    if exchange.reply is not None:
        words.append(" ".join(str(part) for part in (exchange.reply.code, exchange.reply.enhanced) if part))
    if exchange.explanation is not None and exchange.explanation.reason not in (None, "ok"):
        words.append(exchange.explanation.reason)
    if exchange.failure is not None:
        words.append(str(exchange.failure.kind))  # the finding below has the sentence
    return words


def _stage_items(page: Page, session: Transcript) -> Iterator[Text]:
    for exchange in session.exchanges:
        if not exchange.decides or (exchange.stage is Stage.EHLO_TLS and exchange.status is StageStatus.OK):
            continue
        level = _STATUS_LEVELS[exchange.status]
        name = "HELO" if exchange.command.startswith("HELO") else _STAGE_NAMES[exchange.stage]
        if exchange.stage is Stage.EHLO_TLS:
            name += " under TLS"
        if exchange.stage is Stage.TLS:
            name, level = _certificate_word(session.tls, level)
        if exchange.stage is Stage.CONNECT and level is not Level.PASS:
            name = "connect"
        if exchange.stage is Stage.RCPT and exchange.recipient:
            name = f"RCPT {printable(exchange.recipient)}"
        if exchange.status is StageStatus.SKIPPED:
            name += " not tried"
        yield page.mark(level).append(f" {name}", "none")


def _certificate_word(tls: TlsFacts | None, level: Level) -> tuple[str, Level]:
    if tls is None or (tls.verify_code is None and tls.verify_error is None):
        return "TLS", level
    if tls.trusted and tls.name_matches:
        return "certificate", Level.PASS
    return "certificate not trusted" if not tls.trusted else "certificate for another name", Level.WARNING


def _details(page: Page, session: Transcript) -> None:
    from smtpdoc.grammar.ehlo import MEANINGS

    capabilities: Mapping[str, str] | None = session.capabilities_after_tls or session.capabilities_before_tls
    if capabilities:
        page.blank()
        page.line("What the server offers", "head")
        for keyword, parameters in capabilities.items():
            meaning = Text(MEANINGS.get(keyword) or "not a registered keyword", "quiet")
            words = Text.assemble(f"{printable(parameters)} {page.marks.dot} ", meaning) if parameters else meaning
            page.hanging(Text(f"  {printable(keyword):<21} "), words)
    if session.tls is not None:
        from smtpdoc.render.text_certificates import render_chain, render_handshake

        page.blank()
        render_handshake(page, session.tls)
        page.blank()
        render_chain(page, session.tls, session.observed_at)
