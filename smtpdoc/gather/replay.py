"""A session that somebody kept, as evidence: replies paired with what they answer, stages recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.options import TLS_MODES
from smtpdoc.gather.outcome import outcome
from smtpdoc.gather.replay_facts import told_stage, with_facts
from smtpdoc.gather.replay_failure import failure_of, unanswered
from smtpdoc.gather.replay_pairing import Owed, Pairing
from smtpdoc.gather.replay_place import Place, named
from smtpdoc.gather.replay_tls import saved_tls
from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying
from smtpdoc.grammar.reply import ReplyLine, reply_from_lines
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


def replayed(saved: SavedSession) -> Transcript:
    """Return the evidence of a saved session. Port 0 stands for one that the text does not name."""
    return _Replay(saved).transcript()


class _Replay:
    """Goes through the lines once, as the session did."""

    def __init__(self, saved: SavedSession) -> None:
        self._saved = saved
        self._place = Place(saved.host, saved.port, saved.address)
        self._lines: list[Line] = []
        self._errors: list[str] = []
        self._tls_told = False
        #: Our own transcripts tell what came of a stage without a reply; what others say about it is looked into.
        self._told = saved.report is not None
        first = next((one for one in saved.sayings if one.mark in (Mark.SENT, Mark.RECEIVED)), None)
        # openssl does STARTTLS by itself, before what it shows.
        secured = saved.tls is not None if first is None else first.encrypted
        encrypted = saved.format == "openssl" or (secured and saved.tls_mode == "starttls")
        self._pairing = Pairing(
            self._lines,
            one_sided=not any(one.mark is Mark.SENT for one in saved.sayings),
            encrypted=encrypted,
            marks_tls=saved.marks_tls,
        )
        self._pairing.starttls_accepted = encrypted and saved.tls_mode == "starttls"
        greets = saved.tls_mode == "implicit" if encrypted else not _begins_late(saved.sayings)
        # Who only looks at the certificate (openssl s_client </dev/null) waits for no word of the server.
        if greets and (first is not None or saved.tls is None):
            self._pairing.owed.append(Owed(Stage.GREETING, "", encrypted, None))

    def transcript(self) -> Transcript:
        for one in self._saved.sayings:
            self._take(one)
        self._end()
        saved, place = self._saved, self._place
        before, after = self._pairing.ehlo.get(Stage.EHLO), self._pairing.ehlo.get(Stage.EHLO_TLS)
        implicit = saved.tls_mode == "implicit" or (
            not self._pairing.starttls_accepted and any(one.encrypted for one in self._pairing.exchanges[1:2])
        )
        if implicit:
            before, after = None, after or before
        tls_mode = "implicit" if implicit else saved.tls_mode if saved.tls_mode in TLS_MODES else "auto"
        times = [one.at_s for one in saved.sayings if one.at_s is not None]
        exchanges = tuple(self._pairing.exchanges)
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
            helo=self._pairing.helo,
            mail_from=self._pairing.mail_from,
            auth_mechanism=self._pairing.mechanism,
            opportunistic=not implicit
            and (tls_mode in ("optional", "none") or (tls_mode == "auto" and place.port == 25)),
            unsolicited=tuple(self._pairing.unsolicited),
            replayed_from=saved.format,
        )
        return with_facts(transcript, saved.facts)

    def _greeted_as(self) -> str | None:
        """The name in the greeting or in the EHLO reply, where nothing else says who this is."""
        for exchange in self._pairing.exchanges:
            if exchange.reply is not None and exchange.stage in (Stage.GREETING, Stage.EHLO, Stage.EHLO_TLS):
                word = exchange.reply.text.partition(" ")[0]
                if "." in word and named(word):
                    return word
        return None

    # What was said

    def _take(self, one: Saying) -> None:
        text = one.text
        if one.mark in (Mark.SENT, Mark.RECEIVED) and (one.encrypted or self._pairing.encrypted):
            self._secured()
        if one.mark is not Mark.ERROR:
            self._errors_end()
        match one.mark:
            case Mark.NOTE:
                self._line(one)
                self._note(text)
            case Mark.STAGE:
                self._pairing.told(told_stage(json_object(text), encrypted=self._pairing.encrypted))
            case Mark.ERROR if self._told:
                self._line(one)
            case Mark.ERROR:
                self._line(one)
                self._errors.append(text.strip())
                self._place.take(text)
            case Mark.SENT:
                self._pairing.connected()
                self._line(one)
                self._pairing.sent(one)
            case _:
                self._pairing.connected()
                self._received(one)

    def _line(self, one: Saying, kind: LineKind | None = None) -> None:
        encrypted = one.encrypted or (
            self._pairing.encrypted and one.mark in (Mark.SENT, Mark.RECEIVED, Mark.UNEXPECTED)
        )
        self._lines.append(Line(kind or _KINDS[one.mark], one.text, encrypted, one.at_s or 0.0, one.end))

    def _note(self, text: str) -> None:
        self._place.take(text)
        if _TLS_NOTE.match(text):
            if self._pairing.starttls_accepted or not self._pairing.reached(Stage.GREETING):
                self._secured()
        elif _CONNECTED.match(text):
            self._pairing.connected()

    def _secured(self) -> None:
        """TLS has begun."""
        self._pairing.connected()
        self._pairing.encrypted = True
        if not self._tls_told:
            self._tls_told = True
            self._pairing.add(Exchange(Stage.TLS, "", None, None, True, 0.0))

    def _received(self, one: Saying) -> None:
        match = _REPLY_LINE.fullmatch(one.text.rstrip("\r\n"))
        # In front of a handshake it was met by that, and answers no command.
        early = self._told and self._saved.tls_mode == "implicit" and not one.encrypted
        if match is None or early:
            self._line(one)
            return
        raw = one.text.encode("utf-8", "surrogateescape")
        line = ReplyLine(int(match[1]), match[2] != "-", match[3] or "", raw)
        if one.mark is not Mark.UNEXPECTED and self._pairing.asked(line.code, line.text):
            self._line(one)
            self._pairing.received(one, line)
            return
        self._line(one, LineKind.UNEXPECTED)
        if line.last:
            self._pairing.unsolicited.append(reply_from_lines((line,)))

    # Endings

    def _errors_end(self, *, goes_on: bool = True) -> None:
        """Errors that stand together are one failure, of whatever was waited for."""
        if not self._errors:
            return
        words = " ".join(self._errors)
        self._errors = []
        failure = failure_of(words, Stage.CONNECT)
        if failure.kind is FailureKind.TLS and not self._tls_told and not _NOT_OFFERED.search(words):
            self._pairing.connected()
            self._pairing.failed(replace(failure, stage=Stage.TLS))
        elif not self._pairing.exchanges:
            if failure.kind is FailureKind.PROTOCOL:
                if goes_on:
                    return  # a warning of a program to its user
                notes = " ".join(line.text for line in self._lines if line.kind is LineKind.NOTE)
                failure = replace(failure_of(notes, Stage.CONNECT), detail=words)
            self._pairing.failed(failure)
        elif self._pairing.starttls_accepted and not self._tls_told:
            self._pairing.failed(Failure(FailureKind.TLS, Stage.TLS, words, "tls-failed"))
        elif not self._pairing.owed and _NOT_OFFERED.search(words):
            self._not_tried(words)
        elif self._pairing.owed and failure.kind is not FailureKind.PROTOCOL:
            owed = self._pairing.owed.popleft()
            self._pairing.failed(replace(failure, stage=owed.stage), owed)

    def _not_tried(self, words: str) -> None:
        """Take in that a program had to leave out what it was asked for."""
        stage, word = (Stage.STARTTLS, "starttls-missing") if "TLS" in words else (Stage.AUTH, "mechanism-not-offered")
        if not self._pairing.reached(stage):
            failure = Failure(FailureKind.PROTOCOL, stage, words, word)
            encrypted = self._pairing.encrypted
            self._pairing.add(Exchange(stage, "", None, failure, encrypted, 0.0, status=StageStatus.SKIPPED))

    def _end(self) -> None:
        self._errors_end(goes_on=False)
        pairing = self._pairing
        if self._saved.tls is not None and pairing.encrypted and not pairing.reached(Stage.TLS):
            self._secured()
        owed = pairing.end(self._saved.sayings[-1]) if self._saved.sayings else None
        if pairing.exchanges and owed is not None and not self._told:
            pairing.failed(unanswered(owed.command, owed.stage), owed)


def _begins_late(sayings: Sequence[Saying]) -> bool:
    """Was the greeting left out of the transcript?"""
    spoken = [one for one in sayings if one.mark in (Mark.SENT, Mark.RECEIVED)]
    if not spoken or spoken[0].mark is Mark.RECEIVED:
        return False
    return not next((one.text for one in spoken if one.mark is Mark.RECEIVED), "220").startswith("220")


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last day are another year's in UTC
        return None
