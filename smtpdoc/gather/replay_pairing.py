"""Commands and replies of a session that somebody kept, paired in their order (RFC 2920 section 3.1)."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Exchange, Failure, Line, Stage, StageStatus
from smtpdoc.gather.replay_stages import guessed, judged, path_of, stage_of
from smtpdoc.grammar.dialogue import COMMAND, Saying
from smtpdoc.grammar.ehlo import Capabilities, parse_ehlo
from smtpdoc.grammar.reply import Reply, ReplyLine, reply_from_lines
from smtpdoc.grammar.reply_reader import RawReply, ReplyReader
from smtpdoc.grammar.secret import HIDDEN

_QUOTED = re.compile(r"<([^<>@\s]{1,64}@[^<>@\s]{1,255})>")


@dataclass(slots=True)
class Owed:
    """A command that waits for its reply."""

    stage: Stage
    command: str
    encrypted: bool
    at_s: float | None
    recipient: str | None = None


class Pairing:
    """Makes exchanges out of what was said.

    `lines` are those of the transcript, which grow beside; with `one_sided` nobody kept what the client said. Without
    `marks_tls` an accepted STARTTLS tells that what follows is `encrypted`.
    """

    def __init__(self, lines: list[Line], *, one_sided: bool, encrypted: bool, marks_tls: bool) -> None:
        self.exchanges: list[Exchange] = []
        self.unsolicited: list[Reply] = []
        self.owed: deque[Owed] = deque()
        self.ehlo: dict[Stage, Capabilities] = {}
        self.encrypted = encrypted
        self.starttls_accepted = False
        self.helo = ""
        self.mail_from: str | None = None
        self.mechanism: str | None = None
        self._lines = lines
        self._one_sided = one_sided
        self._marks_tls = marks_tls
        self._partial: list[ReplyLine] = []
        self._wire = bytearray()  # the bytes of the reply under way, where they were kept with their line ends
        self._accepted: set[Stage] = set()
        self._lmtp = False

    def connected(self) -> None:
        """Take in that there is a connection."""
        if not self.exchanges:
            self.add(Exchange(Stage.CONNECT, "", None, None, False, 0.0))

    def told(self, stage: Exchange | None) -> None:
        """Take in a stage that our own transcript tells: it has no reply, or a purpose."""
        if stage is None:
            return
        if stage.failure is not None:
            self.owed = deque(one for one in self.owed if (one.stage, one.recipient) != (stage.stage, stage.recipient))
            self.add(stage)
            return
        for place in range(len(self.exchanges) - 1, -1, -1):  # it stands behind what it is about
            known = self.exchanges[place]
            if (known.stage, known.recipient) == (stage.stage, stage.recipient):
                self.exchanges[place] = replace(known, purpose=stage.purpose)
                return

    def sent(self, one: Saying) -> None:
        if self._partial:
            self._reply_ends(one)
        text = one.text.strip()
        if self._in_login(text) or self._in_message(text):
            return
        stage, rest = stage_of(text), text.partition(" ")[2]
        path = path_of(rest)
        match stage:
            case Stage.EHLO:
                self.helo = rest.strip()
                self._lmtp = text[:4].upper() == "LHLO"
                if self.encrypted and self.starttls_accepted:
                    stage = Stage.EHLO_TLS
            case Stage.MAIL:
                self.mail_from = self.mail_from if path is None else path
            case Stage.AUTH:
                self.mechanism = rest.split()[0].upper() if rest.split() else None
        recipient = path if stage is Stage.RCPT else rest.strip() if stage in (Stage.VRFY, Stage.EXPN) else None
        self.owed.append(Owed(stage, one.text, self.encrypted, one.at_s, recipient))

    def _in_login(self, text: str) -> bool:
        """A response within AUTH belongs to the AUTH that is under way, which is still owed its reply."""
        under_way = bool(self.owed) and self.owed[-1].stage is Stage.AUTH
        return under_way and (text in ("", "*", HIDDEN) or COMMAND.match(text) is None)

    def _in_message(self, text: str) -> bool:
        """The message is owed its reply since the 354, whether it is in the transcript or not."""
        if not (text.startswith("(") and text.endswith("of a message)")):
            return False
        if not any(one.stage is Stage.MESSAGE for one in self.owed):
            self.owed.append(Owed(Stage.MESSAGE, "", self.encrypted, None))
        return True

    # Replies

    def received(self, one: Saying, line: ReplyLine) -> None:
        """Take in a line of the reply that is owed."""
        self._wire += line.raw + one.end.encode() if one.end else b""
        self._partial.append(line)
        if line.last:
            self._reply_ends(one)

    def asked(self, code: int, text: str) -> bool:
        """Is a reply owed? Where only the server's side was kept, what it answers is told by the reply."""
        if not self._partial and not self.owed and self._one_sided:
            stage = guessed(code, text, self._accepted, again=self.encrypted and self.starttls_accepted)
            self.owed.append(Owed(stage, "", self.encrypted, None))
        return bool(self._partial or self.owed)

    def _reply_ends(self, one: Saying) -> None:
        reply = reply_from_lines(tuple(self._partial), _faults(bytes(self._wire)))
        self._partial, self._wire = [], bytearray()
        owed = self.owed[0]
        if reply.code == 334 and owed.stage is Stage.AUTH:
            return
        self.owed.popleft()
        elapsed_s = 0.0 if owed.at_s is None or one.at_s is None else max(0.0, one.at_s - owed.at_s)
        recipient = owed.recipient
        if self._one_sided and owed.stage is Stage.RCPT and (found := _QUOTED.search(reply.text)):
            recipient = found[1]
        exchange = judged(Exchange(owed.stage, owed.command, reply, None, owed.encrypted, elapsed_s, recipient))
        self.add(exchange)
        if exchange.status is StageStatus.OK:
            self._goes_on(owed, reply)

    def _goes_on(self, owed: Owed, reply: Reply) -> None:
        """Take in what an accepted command leads to."""
        match owed.stage:
            case Stage.STARTTLS:
                self.starttls_accepted = True
                self.encrypted = self.encrypted or not self._marks_tls
            case Stage.EHLO | Stage.EHLO_TLS:
                lines = reply.lines if owed.command[:4].upper() != "HELO" else reply.lines[:1]
                self.ehlo[owed.stage] = parse_ehlo(lines)
            case Stage.DATA:
                for recipient in self._message_to():
                    self.owed.appendleft(Owed(Stage.MESSAGE, "", owed.encrypted, None, recipient))
            case Stage.RSET:
                self._accepted -= {Stage.MAIL, Stage.RCPT}

    def _message_to(self) -> list[str | None]:
        """Return whom the next replies to a message are about: LMTP answers for each recipient (RFC 2033 section 4.2),
        SMTP once."""
        if not self._lmtp:
            return [None]
        accepted: list[str | None] = []
        for one in reversed(self.exchanges):
            if one.stage is Stage.MAIL:
                break
            if one.stage is Stage.RCPT and one.status is StageStatus.OK:
                accepted.append(one.recipient)
        return accepted

    def add(self, exchange: Exchange) -> None:
        if exchange.status is StageStatus.OK:
            self._accepted.add(exchange.stage)
        self.exchanges.append(replace(exchange, lines_before=len(self._lines)))

    def reached(self, stage: Stage) -> bool:
        return any(one.stage is stage for one in self.exchanges)

    def failed(self, failure: Failure, owed: Owed | None = None) -> None:
        command, recipient = ("", None) if owed is None else (owed.command, owed.recipient)
        status = StageStatus.FAILED
        self.add(Exchange(failure.stage, command, None, failure, self.encrypted, 0.0, recipient, status=status))
        self.owed.clear()
        self._partial, self._wire = [], bytearray()  # half a reply is no reply

    def end(self, last: Saying) -> Owed | None:
        """Take in that nothing follows; return what is still owed a reply and should have one."""
        if self._partial and self.owed:
            self._reply_ends(last)
        return next((one for one in self.owed if one.stage not in (Stage.QUIT, Stage.OTHER)), None)


def _faults(wire: bytes) -> tuple[str, ...]:
    """Return what RFC 5321 does not allow in the bytes of a reply."""
    return next((one.faults for one in ReplyReader().feed(wire) if isinstance(one, RawReply)), ())
