"""A session that somebody kept, as evidence: replies paired with what they answer, stages recognised."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.options import TLS_MODES
from smtpdoc.gather.probe import outcome
from smtpdoc.gather.record import expecting
from smtpdoc.gather.replay_tls import saved_tls
from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying
from smtpdoc.grammar.ehlo import Capabilities, parse_ehlo
from smtpdoc.grammar.reply import Reply, ReplyLine, reply_from_lines
from smtpdoc.grammar.secret import HIDDEN

_KINDS = {
    Mark.SENT: LineKind.SENT,
    Mark.RECEIVED: LineKind.RECEIVED,
    Mark.UNEXPECTED: LineKind.UNEXPECTED,
    Mark.NOTE: LineKind.NOTE,
    Mark.ERROR: LineKind.ERROR,
}
_REPLY_LINE = re.compile(r"([2-5][0-9]{2})(?:([ -])(.*)|)", re.DOTALL)
_VERBS = {
    "EHLO": Stage.EHLO,
    "HELO": Stage.EHLO,
    "LHLO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS,
    "AUTH": Stage.AUTH,
    "MAIL": Stage.MAIL,
    "RCPT": Stage.RCPT,
    "DATA": Stage.DATA,
    "BDAT": Stage.MESSAGE,
    "RSET": Stage.RSET,
    "VRFY": Stage.VRFY,
    "EXPN": Stage.EXPN,
    "QUIT": Stage.QUIT,
}
_EXPECTED = {
    Stage.GREETING: (220,),
    Stage.EHLO: (250,),
    Stage.EHLO_TLS: (250,),
    Stage.STARTTLS: (220,),
    Stage.AUTH: (235,),
    Stage.MAIL: (250,),
    Stage.RCPT: (250, 251, 252),
    Stage.DATA: (354,),
    Stage.MESSAGE: (250,),
}
_PATH = re.compile(r"(?:FROM|TO)\s*:\s*<?(?P<path>[^<>\s]*)>?", re.IGNORECASE)
_FAILURES = (
    (("refused",), FailureKind.REFUSED, "refused"),
    (("timed out", "timeout", "no answer within", "said nothing"), FailureKind.TIMEOUT, "timeout"),
    (("no route", "unreachable"), FailureKind.UNREACHABLE, "unreachable"),
    (
        ("not known", "nxdomain", "no such host", "servname", "could not resolve", "does not exist"),
        FailureKind.DNS,
        "name-lookup-failed",
    ),
    (("tls", "ssl", "handshake", "certificate"), FailureKind.TLS, "tls-failed"),
    (("closed", "reset", "eof", "broken pipe", "disconnect", "lost"), FailureKind.CLOSED, "eof"),
)
_SILENT = Failure(FailureKind.PROTOCOL, Stage.CONNECT, "the transcript ends before a reply", "not-in-transcript")
_QUOTED = re.compile(r"<([^<>@\s]{1,64}@[^<>@\s]{1,255})>")
_CONNECTED = re.compile(r"connected to |Connection to .+ succeeded|.+ open$", re.IGNORECASE)
_PLACE = re.compile(
    r"(?:connecting to|Trying|Error connecting to|Connected to|Connection to) "
    r"(?:(?P<host>[A-Za-z0-9._-]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?P<port>\d{1,5})|(?: \S+)? port (?P<other>\d{1,5}))?"
    r"(?: at (?P<address>[0-9A-Fa-f:.]+))?",
    re.IGNORECASE,
)
#: Stands for a server that the text does not name, in sentences and in commands to paste.
_UNNAMED = "SERVER"
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._:-]{0,253}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}")
_TLS_NOTE = re.compile(r"TLS (?:started|[0-9])|TLSv1|SSL connection using", re.IGNORECASE)


@dataclass(slots=True)
class _Owed:
    """A command that waits for its reply."""

    stage: Stage | None  # None: a command that is no stage of its own, such as NOOP
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
        self._lines: list[Line] = []
        self._exchanges: list[Exchange] = []
        self._owed: deque[_Owed] = deque([_Owed(Stage.GREETING, "", False, None)])
        self._partial: list[ReplyLine] = []
        self._faults: dict[str, None] = {}
        self._unsolicited: list[Reply] = []
        self._one_sided = not any(one.mark is Mark.SENT for one in saved.sayings)
        first = next((one for one in saved.sayings if one.mark in (Mark.SENT, Mark.RECEIVED)), None)
        # openssl does STARTTLS by itself, before what it shows.
        under_tls_already = first is not None and first.encrypted and saved.tls_mode == "starttls"
        self._encrypted = saved.format == "openssl" or under_tls_already
        self._tls_told = self._encrypted
        self._starttls_accepted = saved.tls_mode == "starttls" and self._encrypted
        self._ehlo: dict[Stage, Capabilities] = {}
        self._accepted: set[Stage] = set()
        self._errors: list[str] = []
        self._host = _named(saved.host)
        self._port = saved.port
        self._address = _named(saved.address)
        self._helo = ""
        self._mail_from: str | None = None
        self._mechanism: str | None = None
        if _begins_late(saved.sayings):
            self._owed.clear()
        if self._encrypted:
            self._owed.clear()
            if saved.tls_mode == "implicit":
                self._owed.append(_Owed(Stage.GREETING, "", True, None))

    def transcript(self) -> Transcript:
        for one in self._saved.sayings:
            self._take(one)
        self._end()
        saved = self._saved
        before, after = self._ehlo.get(Stage.EHLO), self._ehlo.get(Stage.EHLO_TLS)
        implicit = saved.tls_mode == "implicit" or (
            after is None and any(one.encrypted for one in self._exchanges[1:2])
        )
        if implicit:
            before, after = None, after or before
        times = [one.at_s for one in saved.sayings if one.at_s is not None]
        exchanges = tuple(self._exchanges)
        return Transcript(
            host=self._host or self._greeted_as() or _UNNAMED,
            address=self._address,
            port=self._port or 0,
            family=None if self._address is None else "ipv6" if ":" in self._address else "ipv4",
            tls_mode="implicit" if implicit else saved.tls_mode if saved.tls_mode in TLS_MODES else "auto",
            outcome=outcome(exchanges),
            exchanges=exchanges,
            lines=tuple(self._lines),
            capabilities_before_tls=None if before is None else before.keywords,
            capabilities_after_tls=None if after is None else after.keywords,
            tls=saved_tls(saved, self._host or ""),
            elapsed_s=max(times, default=0.0),
            observed_at=_time(saved.observed_at),
            helo=self._helo,
            mail_from=self._mail_from,
            auth_mechanism=self._mechanism,
            opportunistic=self._port == 25,
            unsolicited=tuple(self._unsolicited),
            replayed_from=saved.format,
        )

    def _greeted_as(self) -> str | None:
        """The name in the greeting or in the EHLO reply, where nothing else says who this is."""
        for exchange in self._exchanges:
            if exchange.reply is not None and exchange.stage in (Stage.GREETING, Stage.EHLO, Stage.EHLO_TLS):
                word = exchange.reply.text.partition(" ")[0]
                if "." in word and _named(word):
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
            case Mark.ERROR:
                self._line(one)
                self._errors.append(text.strip())
                self._place(text)
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
        self._place(text)
        if _CONNECTED.match(text):
            self._connected()
        elif _TLS_NOTE.match(text) and (self._starttls_accepted or not self._exchanges_of(Stage.GREETING)):
            self._secured()

    def _place(self, text: str) -> None:
        match = _PLACE.match(text)
        if match is None:
            return
        host = _named((match["host"] or match["v6"] or "").rstrip("."))
        if self._host is None or (host is not None and _is_address(self._host) and not _is_address(host)):
            # telnet tries the address first and then tells the name
            self._address = self._address or self._host
            self._host = host
        port = match["port"] or match["other"]
        self._port = self._port or (int(port) if port and 0 < int(port) < 65536 else None)
        self._address = _named(match["address"]) or self._address

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
        if self._in_login(text):
            return
        verb, _, rest = text.partition(" ")
        stage = _VERBS.get(verb.upper().rstrip(":"))
        if stage is None and text.startswith("(") and text.endswith("of a message)"):
            stage = Stage.MESSAGE
        if stage is Stage.EHLO:
            self._helo = rest.strip()
            if self._encrypted and self._starttls_accepted:
                stage = Stage.EHLO_TLS
        path = _PATH.search(rest)
        if stage is Stage.MAIL and path is not None:
            self._mail_from = path["path"]
        if stage is Stage.AUTH:
            self._mechanism = rest.split()[0].upper() if rest.split() else None
        recipient = path["path"] if stage is Stage.RCPT and path is not None else None
        self._owed.append(
            _Owed(stage, "" if stage is Stage.MESSAGE else one.text, self._encrypted, one.at_s, recipient)
        )

    def _in_login(self, text: str) -> bool:
        """A response within AUTH belongs to the AUTH that is under way, which is still owed its reply."""
        under_way = bool(self._owed) and self._owed[-1].stage is Stage.AUTH
        return under_way and (text in ("", "*", HIDDEN) or text.partition(" ")[0].upper() not in _VERBS)

    # Replies

    def _received(self, one: Saying) -> None:
        match = _REPLY_LINE.fullmatch(one.text.rstrip("\r\n"))
        if match is None:
            self._line(one)
            return
        code, last, text = int(match[1]), match[2] != "-", match[3] or ""
        asked = self._asked(code) or bool(self._partial)
        if one.mark is Mark.UNEXPECTED or not asked:
            self._line(one, LineKind.UNEXPECTED)
            if last:
                raw = one.text.encode("utf-8", "surrogateescape")
                self._unsolicited.append(reply_from_lines((ReplyLine(code, True, text, raw),)))
            return
        self._line(one)
        if one.end == "\n":
            self._faults["bare-lf"] = None
        self._partial.append(ReplyLine(code, last, text, one.text.encode("utf-8", "surrogateescape")))
        if last:
            self._reply_ends(one)

    def _asked(self, code: int) -> bool:
        """Is a reply owed? Where only the server's side was kept, what it answers is told by the reply."""
        if not self._owed and self._one_sided:
            self._owed.append(_Owed(self._guessed(code), "", self._encrypted, None))
        return bool(self._owed)

    def _guessed(self, code: int) -> Stage | None:
        if code == 221:
            return Stage.QUIT
        if code in (235, 334, 530, 534, 535, 538):
            return Stage.AUTH
        if code == 354:
            return Stage.DATA
        done = self._accepted
        if code == 220:
            return Stage.STARTTLS if Stage.GREETING in done else Stage.GREETING
        hello = Stage.EHLO_TLS if self._encrypted and self._starttls_accepted else Stage.EHLO
        if Stage.DATA in done:
            return Stage.MESSAGE
        if Stage.MAIL in done:
            return Stage.RCPT
        return Stage.MAIL if hello in done else hello

    def _reply_ends(self, one: Saying) -> None:
        reply = reply_from_lines(tuple(self._partial), tuple(self._faults))
        self._partial, self._faults = [], {}
        owed = self._owed[0]
        if reply.code == 334 and owed.stage is Stage.AUTH:
            return
        self._owed.popleft()
        if owed.stage is None:
            return
        elapsed_s = 0.0 if owed.at_s is None or one.at_s is None else max(0.0, one.at_s - owed.at_s)
        recipient = owed.recipient
        if self._one_sided and owed.stage is Stage.RCPT and (named := _QUOTED.search(reply.text)):
            recipient = named[1]
        exchange = Exchange(
            owed.stage, owed.command, reply, None, owed.encrypted, elapsed_s, recipient, status=_status(reply)
        )
        exchange = expecting(exchange, *_EXPECTED.get(owed.stage, (reply.code or 0,)))
        self._add(exchange)
        if exchange.status is not StageStatus.OK:
            return
        if owed.stage is Stage.STARTTLS:
            self._starttls_accepted = True
            if self._saved.format in ("dialogue", "phpmailer", "smtplib", "msmtp", "posttls-finger", "telnet"):
                self._encrypted = True  # they do not mark what is
        elif owed.stage in (Stage.EHLO, Stage.EHLO_TLS):
            lines = reply.lines if owed.command[:4].upper() != "HELO" else reply.lines[:1]
            self._ehlo[owed.stage] = parse_ehlo(lines)

    def _add(self, exchange: Exchange) -> None:
        if exchange.status is StageStatus.OK:
            self._accepted.add(exchange.stage)
        self._exchanges.append(replace(exchange, lines_before=len(self._lines)))

    def _exchanges_of(self, stage: Stage) -> bool:
        return any(one.stage is stage for one in self._exchanges)

    # Endings

    def _errors_end(self) -> None:
        """Errors that stand together are one failure, of whatever was waited for."""
        if not self._errors:
            return
        words = " ".join(self._errors)
        self._errors = []
        kind, word = next(
            ((kind, word) for parts, kind, word in _FAILURES if any(part in words.lower() for part in parts)),
            (FailureKind.PROTOCOL, "protocol"),
        )
        if not self._exchanges:
            stage = Stage.TLS if kind is FailureKind.TLS else Stage.CONNECT
            self._failed(stage, Failure(kind, stage, words, word))
        elif self._starttls_accepted and not self._tls_told:
            self._failed(Stage.TLS, Failure(FailureKind.TLS, Stage.TLS, words, "tls-failed"))
        elif "STARTTLS" in words and not self._starttls_accepted and not self._owed:
            self._skipped(Failure(FailureKind.PROTOCOL, Stage.STARTTLS, words, "starttls-missing"))
        elif self._owed and (stage_owed := self._owed[0].stage) is not None and kind is not FailureKind.PROTOCOL:
            owed = self._owed.popleft()
            self._failed(stage_owed, Failure(kind, stage_owed, words, word), owed)

    def _failed(self, stage: Stage, failure: Failure, owed: _Owed | None = None) -> None:
        command, recipient = ("", None) if owed is None else (owed.command, owed.recipient)
        self._add(
            Exchange(
                stage, command, None, failure, self._encrypted, 0.0, recipient=recipient, status=StageStatus.FAILED
            )
        )
        self._owed.clear()
        self._partial, self._faults = [], {}  # half a reply is no reply

    def _skipped(self, failure: Failure) -> None:
        self._add(Exchange(failure.stage, "", None, failure, False, 0.0, status=StageStatus.SKIPPED))

    def _end(self) -> None:
        self._errors_end()
        if self._partial and self._owed:
            last = self._saved.sayings[-1]
            self._reply_ends(last)
        for owed in _unanswered(self._owed):
            if self._exchanges and owed.stage is not None:
                what = owed.command or "the greeting"
                detail = f"{_SILENT.detail} to {what}" if owed.command else f"the transcript ends before {what}"
                failure = replace(_SILENT, stage=owed.stage, detail=detail)
                self._failed(owed.stage, failure, owed)
                break


def _unanswered(owed: Iterable[_Owed]) -> Sequence[_Owed]:
    return [one for one in owed if one.stage not in (Stage.QUIT, None)]


def _status(reply: Reply) -> StageStatus:
    if reply.positive:
        return StageStatus.OK
    return StageStatus.DEFERRED if reply.temporary else StageStatus.REFUSED


def _named(text: str | None) -> str | None:
    """Return a host name or address that is written like one, else None: the file may say anything."""
    return text if text and _HOST.fullmatch(text) else None


def _is_address(host: str) -> bool:
    return ":" in host or not host.strip("0123456789.")


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
