"""A session that somebody kept, as evidence: replies paired with what they answer, stages recognised."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.options import TLS_MODES
from smtpdoc.gather.outcome import outcome
from smtpdoc.gather.replay_facts import told_stage, with_facts
from smtpdoc.gather.replay_failure import failure_of, unanswered
from smtpdoc.gather.replay_place import Place, named
from smtpdoc.gather.replay_stages import guessed, judged, path_of, stage_of
from smtpdoc.gather.replay_tls import saved_tls
from smtpdoc.grammar.dialogue import COMMAND, Mark, SavedSession, Saying
from smtpdoc.grammar.ehlo import Capabilities, parse_ehlo
from smtpdoc.grammar.reply import Reply, ReplyLine, reply_from_lines
from smtpdoc.grammar.reply_reader import RawReply, ReplyReader
from smtpdoc.grammar.secret import HIDDEN
from smtpdoc.grammar.transcript_file import json_object

_KINDS = {
    Mark.SENT: LineKind.SENT,
    Mark.RECEIVED: LineKind.RECEIVED,
    Mark.UNEXPECTED: LineKind.UNEXPECTED,
    Mark.NOTE: LineKind.NOTE,
    Mark.ERROR: LineKind.ERROR,
}
_REPLY_LINE = re.compile(r"([2-5][0-9]{2})(?:([ -])(.*)|)", re.DOTALL)
_QUOTED = re.compile(r"<([^<>@\s]{1,64}@[^<>@\s]{1,255})>")
_CONNECTED = re.compile(
    r".*\bconnected\b|Connection to .+ succeeded|.+ open$|\*\*\*\* SMTP testing session", re.IGNORECASE
)
_TLS_NOTE = re.compile(
    r"TLS started|TLS [0-9]|TLS TLSv|(?:posttls-finger: )?\w+ TLS connection established|SSL connection using"
    r"|openssl has said EHLO and STARTTLS",
    re.IGNORECASE,
)
_NOT_OFFERED = re.compile(r"did not advertise|didn't find STARTTLS|requested type not available|no auth\w* method")
#: Stands for a server that the text does not name, in sentences and in commands to paste.
_UNNAMED = "SERVER"


@dataclass(slots=True)
class _Owed:
    """A command that waits for its reply."""

    stage: Stage
    command: str
    encrypted: bool
    at_s: float | None
    recipient: str | None = None


def replayed(saved: SavedSession) -> Transcript:
    """Return the evidence of a saved session. Port 0 stands for one that the text does not name."""
    return _Replay(saved).transcript()


class _Replay:
    """Goes through the lines once, as the session did."""

    def __init__(self, saved: SavedSession) -> None:
        self._saved = saved
        self._place = Place(saved.host, saved.port, saved.address)
        self._lines: list[Line] = []
        self._exchanges: list[Exchange] = []
        self._owed: deque[_Owed] = deque([_Owed(Stage.GREETING, "", False, None)])
        self._partial: list[ReplyLine] = []
        self._wire = bytearray()  # the bytes of the reply under way, where they were kept with their line ends
        self._unsolicited: list[Reply] = []
        self._one_sided = not any(one.mark is Mark.SENT for one in saved.sayings)
        first = next((one for one in saved.sayings if one.mark in (Mark.SENT, Mark.RECEIVED)), None)
        # openssl does STARTTLS by itself, before what it shows.
        under_tls_already = saved.tls is not None if first is None else first.encrypted
        under_tls_already = under_tls_already and saved.tls_mode == "starttls"
        self._encrypted = saved.format == "openssl" or under_tls_already
        self._tls_told = False
        self._starttls_accepted = saved.tls_mode == "starttls" and self._encrypted
        self._ehlo: dict[Stage, Capabilities] = {}
        self._accepted: set[Stage] = set()
        self._errors: list[str] = []
        #: Our own transcripts tell what came of a stage without a reply; what others say about it is looked into.
        self._told = saved.report is not None
        self._helo = ""
        self._lmtp = False
        self._mail_from: str | None = None
        self._mechanism: str | None = None
        if _begins_late(saved.sayings) or self._encrypted:
            self._owed.clear()
        if self._encrypted and saved.tls_mode == "implicit":
            self._owed.append(_Owed(Stage.GREETING, "", True, None))

    def transcript(self) -> Transcript:
        for one in self._saved.sayings:
            self._take(one)
        self._end()
        saved, place = self._saved, self._place
        before, after = self._ehlo.get(Stage.EHLO), self._ehlo.get(Stage.EHLO_TLS)
        implicit = saved.tls_mode == "implicit" or (
            not self._starttls_accepted and any(one.encrypted for one in self._exchanges[1:2])
        )
        if implicit:
            before, after = None, after or before
        tls_mode = "implicit" if implicit else saved.tls_mode if saved.tls_mode in TLS_MODES else "auto"
        times = [one.at_s for one in saved.sayings if one.at_s is not None]
        exchanges = tuple(self._exchanges)
        tls = saved_tls(saved, place.host or "")
        transcript = Transcript(
            host=place.host or self._greeted_as() or _UNNAMED,
            address=place.address,
            port=place.port or 0,
            family=place.family,
            tls_mode=tls_mode,
            outcome=outcome(exchanges),
            exchanges=exchanges,
            lines=tuple(self._lines),
            capabilities_before_tls=None if before is None else before.keywords,
            capabilities_after_tls=None if after is None else after.keywords,
            tls=None if tls is None else replace(tls, implicit=implicit),
            elapsed_s=max(times, default=0.0),
            observed_at=_time(saved.observed_at),
            helo=self._helo,
            mail_from=self._mail_from,
            auth_mechanism=self._mechanism,
            opportunistic=not implicit
            and (tls_mode in ("optional", "none") or (tls_mode == "auto" and place.port == 25)),
            unsolicited=tuple(self._unsolicited),
            replayed_from=saved.format,
        )
        return with_facts(transcript, saved.facts)

    def _greeted_as(self) -> str | None:
        """The name in the greeting or in the EHLO reply, where nothing else says who this is."""
        for exchange in self._exchanges:
            if exchange.reply is not None and exchange.stage in (Stage.GREETING, Stage.EHLO, Stage.EHLO_TLS):
                word = exchange.reply.text.partition(" ")[0]
                if "." in word and named(word):
                    return word
        return None

    # What was said

    def _take(self, one: Saying) -> None:
        text = one.text
        if one.mark in (Mark.SENT, Mark.RECEIVED) and (one.encrypted or self._encrypted):
            self._secured()
        if one.mark is not Mark.ERROR:
            self._errors_end()
        match one.mark:
            case Mark.NOTE:
                self._line(one)
                self._note(text)
            case Mark.STAGE:
                self._stage(told_stage(json_object(text), encrypted=self._encrypted))
            case Mark.ERROR if self._told:
                self._line(one)
            case Mark.ERROR:
                self._line(one)
                self._errors.append(text.strip())
                self._place.take(text)
            case Mark.SENT:
                self._connected()
                self._line(one)
                self._sent(one)
            case _:
                self._connected()
                self._received(one)

    def _line(self, one: Saying, kind: LineKind | None = None) -> None:
        encrypted = one.encrypted or (self._encrypted and one.mark in (Mark.SENT, Mark.RECEIVED, Mark.UNEXPECTED))
        self._lines.append(Line(kind or _KINDS[one.mark], one.text, encrypted, one.at_s or 0.0, one.end))

    def _note(self, text: str) -> None:
        self._place.take(text)
        if _TLS_NOTE.match(text):
            if self._starttls_accepted or not self._reached(Stage.GREETING):
                self._secured()
        elif _CONNECTED.match(text):
            self._connected()

    def _stage(self, told: Exchange | None) -> None:
        """Take in a stage that our own transcript tells: it has no reply, or a purpose."""
        if told is None:
            return
        if told.failure is not None:
            self._owed = deque(one for one in self._owed if (one.stage, one.recipient) != (told.stage, told.recipient))
            self._add(told)
            return
        for place, known in enumerate(self._exchanges):
            if (known.stage, known.recipient) == (told.stage, told.recipient):
                self._exchanges[place] = replace(known, purpose=told.purpose)

    def _connected(self) -> None:
        if not self._exchanges:
            self._exchanges.append(Exchange(Stage.CONNECT, "", None, None, False, 0.0, lines_before=len(self._lines)))

    def _secured(self) -> None:
        """TLS has begun."""
        self._connected()
        self._encrypted = True
        if not self._tls_told:
            self._tls_told = True
            self._add(Exchange(Stage.TLS, "", None, None, True, 0.0))

    def _sent(self, one: Saying) -> None:
        if self._partial:
            self._reply_ends(one)
        text = one.text.strip()
        if self._in_login(text) or self._in_message(text):
            return
        stage, rest = stage_of(text), text.partition(" ")[2]
        path = path_of(rest)
        match stage:
            case Stage.EHLO:
                self._helo = rest.strip()
                self._lmtp = text[:4].upper() == "LHLO"
                if self._encrypted and self._starttls_accepted:
                    stage = Stage.EHLO_TLS
            case Stage.MAIL:
                self._mail_from = self._mail_from if path is None else path
            case Stage.AUTH:
                self._mechanism = rest.split()[0].upper() if rest.split() else None
        recipient = path if stage is Stage.RCPT else rest.strip() if stage in (Stage.VRFY, Stage.EXPN) else None
        self._owed.append(_Owed(stage, one.text, self._encrypted, one.at_s, recipient))

    def _in_login(self, text: str) -> bool:
        """A response within AUTH belongs to the AUTH that is under way, which is still owed its reply."""
        under_way = bool(self._owed) and self._owed[-1].stage is Stage.AUTH
        return under_way and (text in ("", "*", HIDDEN) or COMMAND.match(text) is None)

    def _in_message(self, text: str) -> bool:
        """The message is owed its reply since the 354, whether it is in the transcript or not."""
        if not (text.startswith("(") and text.endswith("of a message)")):
            return False
        if not any(one.stage is Stage.MESSAGE for one in self._owed):
            self._owed.append(_Owed(Stage.MESSAGE, "", self._encrypted, None))
        return True

    # Replies

    def _received(self, one: Saying) -> None:
        match = _REPLY_LINE.fullmatch(one.text.rstrip("\r\n"))
        if match is None:
            self._line(one)
            return
        if self._told and self._saved.tls_mode == "implicit" and not one.encrypted:
            self._line(one)  # the handshake met it, not a command
            return
        code, last, text = int(match[1]), match[2] != "-", match[3] or ""
        asked = bool(self._partial) or self._asked(code, text)
        if one.mark is Mark.UNEXPECTED or not asked:
            self._line(one, LineKind.UNEXPECTED)
            if last:
                raw = one.text.encode("utf-8", "surrogateescape")
                self._unsolicited.append(reply_from_lines((ReplyLine(code, True, text, raw),)))
            return
        self._line(one)
        raw = one.text.encode("utf-8", "surrogateescape")
        self._wire += raw + one.end.encode() if one.end else b""
        self._partial.append(ReplyLine(code, last, text, raw))
        if last:
            self._reply_ends(one)

    def _asked(self, code: int, text: str) -> bool:
        """Is a reply owed? Where only the server's side was kept, what it answers is told by the reply."""
        if not self._owed and self._one_sided:
            stage = guessed(code, text, self._accepted, again=self._encrypted and self._starttls_accepted)
            self._owed.append(_Owed(stage, "", self._encrypted, None))
        return bool(self._owed)

    def _reply_ends(self, one: Saying) -> None:
        reply = reply_from_lines(tuple(self._partial), _faults(bytes(self._wire)))
        self._partial, self._wire = [], bytearray()
        owed = self._owed[0]
        if reply.code == 334 and owed.stage is Stage.AUTH:
            return
        self._owed.popleft()
        elapsed_s = 0.0 if owed.at_s is None or one.at_s is None else max(0.0, one.at_s - owed.at_s)
        recipient = owed.recipient
        if self._one_sided and owed.stage is Stage.RCPT and (found := _QUOTED.search(reply.text)):
            recipient = found[1]
        exchange = judged(Exchange(owed.stage, owed.command, reply, None, owed.encrypted, elapsed_s, recipient))
        self._add(exchange)
        if exchange.status is StageStatus.OK:
            self._goes_on(owed, reply)

    def _goes_on(self, owed: _Owed, reply: Reply) -> None:
        """Take in what an accepted command leads to."""
        match owed.stage:
            case Stage.STARTTLS:
                self._starttls_accepted = True
                self._encrypted = self._encrypted or not self._saved.marks_tls
            case Stage.EHLO | Stage.EHLO_TLS:
                lines = reply.lines if owed.command[:4].upper() != "HELO" else reply.lines[:1]
                self._ehlo[owed.stage] = parse_ehlo(lines)
            case Stage.DATA:
                for recipient in self._message_to():
                    self._owed.appendleft(_Owed(Stage.MESSAGE, "", owed.encrypted, None, recipient))
            case Stage.RSET:
                self._accepted -= {Stage.MAIL, Stage.RCPT}

    def _message_to(self) -> list[str | None]:
        """Return whom the next replies to a message are about: LMTP answers for each recipient (RFC 2033 section 4.2),
        SMTP once."""
        if not self._lmtp:
            return [None]
        accepted = [one for one in self._exchanges if one.stage is Stage.RCPT and one.status is StageStatus.OK]
        return [one.recipient for one in reversed(accepted)]

    def _add(self, exchange: Exchange) -> None:
        if exchange.status is StageStatus.OK:
            self._accepted.add(exchange.stage)
        self._exchanges.append(replace(exchange, lines_before=len(self._lines)))

    def _reached(self, stage: Stage) -> bool:
        return any(one.stage is stage for one in self._exchanges)

    # Endings

    def _errors_end(self, *, goes_on: bool = True) -> None:
        """Errors that stand together are one failure, of whatever was waited for."""
        if not self._errors:
            return
        words = " ".join(self._errors)
        self._errors = []
        failure = failure_of(words, Stage.CONNECT)
        if failure.kind is FailureKind.TLS and not self._tls_told and not _NOT_OFFERED.search(words):
            self._connected()
            self._failed(replace(failure, stage=Stage.TLS))
        elif not self._exchanges:
            if failure.kind is FailureKind.PROTOCOL:
                if goes_on:
                    return  # a warning of a program to its user
                notes = " ".join(line.text for line in self._lines if line.kind is LineKind.NOTE)
                failure = replace(failure_of(notes, Stage.CONNECT), detail=words)
            self._failed(failure)
        elif self._starttls_accepted and not self._tls_told:
            self._failed(Failure(FailureKind.TLS, Stage.TLS, words, "tls-failed"))
        elif not self._owed and _NOT_OFFERED.search(words):
            self._not_tried(words)
        elif self._owed and failure.kind is not FailureKind.PROTOCOL:
            owed = self._owed.popleft()
            self._failed(replace(failure, stage=owed.stage), owed)

    def _not_tried(self, words: str) -> None:
        """Take in that a program had to leave out what it was asked for."""
        stage, word = (Stage.STARTTLS, "starttls-missing") if "TLS" in words else (Stage.AUTH, "mechanism-not-offered")
        if not self._reached(stage):
            failure = Failure(FailureKind.PROTOCOL, stage, words, word)
            self._add(Exchange(stage, "", None, failure, self._encrypted, 0.0, status=StageStatus.SKIPPED))

    def _failed(self, failure: Failure, owed: _Owed | None = None) -> None:
        command, recipient = ("", None) if owed is None else (owed.command, owed.recipient)
        status = StageStatus.FAILED
        self._add(Exchange(failure.stage, command, None, failure, self._encrypted, 0.0, recipient, status=status))
        self._owed.clear()
        self._partial, self._wire = [], bytearray()  # half a reply is no reply

    def _end(self) -> None:
        self._errors_end(goes_on=False)
        if self._saved.tls is not None and self._encrypted and not self._reached(Stage.TLS):
            self._secured()
        if self._partial and self._owed:
            self._reply_ends(self._saved.sayings[-1])
        owed = next((one for one in self._owed if one.stage not in (Stage.QUIT, Stage.OTHER)), None)
        if self._exchanges and owed is not None and not self._told:
            self._failed(unanswered(owed.command, owed.stage), owed)


def _faults(wire: bytes) -> tuple[str, ...]:
    """Return what RFC 5321 does not allow in the bytes of a reply."""
    return next((one.faults for one in ReplyReader().feed(wire) if isinstance(one, RawReply)), ())


def _begins_late(sayings: Sequence[Saying]) -> bool:
    """Was the greeting left out of the transcript?"""
    spoken = [one for one in sayings if one.mark in (Mark.SENT, Mark.RECEIVED)]
    if not spoken or spoken[0].mark is Mark.RECEIVED:
        return False
    return not next((one.text for one in spoken if one.mark is Mark.RECEIVED), "220").startswith("220")


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
