"""A session over the wire: commands become exchanges, bytes become transcript lines, secrets stay out of both."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, TlsFacts
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply import Reply, ReplyLine, reply_from_lines
from smtpdoc.grammar.secret import HIDDEN, Mask
from smtpdoc.net.door import SILENCE_S
from smtpdoc.net.early import Opened, Word
from smtpdoc.net.failures import describe
from smtpdoc.net.smtp import Ending, TimedReply, Wire
from smtpdoc.net.tls import Channel, summary
from smtpdoc.seams import Budget, Command, TlsPolicy, Watcher

Knock: TypeAlias = Callable[[], Awaitable[tuple[str, bytes] | None]]

_GREETING = Command(Stage.GREETING, "")


@dataclass(frozen=True, slots=True)
class _Owed:
    """A command whose reply has not been fetched yet."""

    command: Command
    sent_at: float
    encrypted: bool


def status_of(reply: Reply) -> StageStatus:
    """Return what a reply's first digit says; a stage that wants one code looks closer."""
    if reply.positive:
        return StageStatus.OK
    return StageStatus.DEFERRED if reply.temporary else StageStatus.REFUSED


class SmtpSession:
    """See seams.Session. `trust` gives the verifying context; it is awaited before the handshake begins."""

    def __init__(
        self,
        *,
        host: str,
        address: str,
        port: int,
        policy: TlsPolicy | None,
        budget: Budget,
        watcher: Watcher,
        clock: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.host = host
        self.address = address
        self.port = port
        self.helo_name = ""
        self.local_address = ""
        self.connected_at = 0.0
        self.tls: TlsFacts | None = None
        self.wire = Wire(loop, self, self._now)
        self._policy = policy
        self._budget = budget
        self._watcher = watcher
        self._clock = clock
        self._then: float | None = None
        self._past: deque[Word] = deque()
        self._mask = Mask()
        self._owed: deque[_Owed] = deque([_Owed(_GREETING, clock(), False)])
        self._unsolicited: list[TimedReply] = []
        self._greeted = False
        self._ending_told = False
        self._opening: Command | None = None
        self._context: ssl.SSLContext | None = None
        self._trust: ssl.SSLContext | Awaitable[ssl.SSLContext] | None = None
        self._store: ssl.SSLContext | None = None
        self._knock: Knock | None = None

    def prepare_tls(self, context: ssl.SSLContext, trust: ssl.SSLContext | Awaitable[ssl.SSLContext]) -> None:
        self._context, self._trust = context, trust

    def connected(self, opened: Opened, helo_name: str) -> None:
        """Go on with an open connection; `helo_name` is what EHLO gives unless told otherwise.

        What was said on it already is gone through first, each word as if it were its time; only then is more read.
        """
        self.helo_name = helo_name
        self.local_address = str(opened.socket.getsockname()[0])
        self.connected_at = opened.at
        self._past.extend(opened.words)
        self.wire.held = bool(opened.words)
        with self._at(opened.at):
            self._greeting_due()

    def may_knock(self, knock: Knock) -> None:
        """`knock` tells what the port speaks, and the first bytes of it, should the greeting not come."""
        self._knock = knock

    @property
    def encrypted(self) -> bool:
        return self.wire.encrypted

    @property
    def alive(self) -> bool:
        return self.wire.ending is None

    @property
    def round_trips(self) -> int:
        return self.wire.round_trips

    @property
    def unsolicited(self) -> tuple[Reply, ...]:
        return tuple(self._reply(one) for one in self._unsolicited)

    def hide(self, *secrets: str) -> None:
        self._mask.add(*secrets)

    def send(self, *commands: Command) -> None:
        data = b"".join(command.text.encode() + b"\r\n" for command in commands)
        if self._past and self._past[0].data == data:
            with self._at(self._past.popleft().at):
                self._sent(commands)
                self.wire.sent(len(commands))
        elif self._past:
            raise RuntimeError("the session says something else than what was said on its connection before")
        else:
            self._sent(commands)
            self.wire.send(data, len(commands))

    def _sent(self, commands: Sequence[Command]) -> None:
        now = self._now()
        for command in commands:
            self._owed.append(_Owed(command, now, self.encrypted))
            if self.alive:
                self._line(LineKind.SENT, command.visible.encode(), self.encrypted, b"\r\n")

    async def send_message(self, pieces: Iterable[bytes], command: Command | None = None) -> bool:
        self._owed.append(_Owed(command or Command(Stage.MESSAGE, ""), self._now(), self.encrypted))
        if command is not None:
            if self.alive:
                self._line(LineKind.SENT, command.visible.encode(), self.encrypted, b"\r\n")
            pieces = chain((command.text.encode() + b"\r\n",), pieces)
        return await self.wire.send_message(pieces, self._patience(None))

    async def reply(self) -> Exchange:
        owed = self._owed[0]
        self._hear_the_past()
        if owed.command is _GREETING:
            await self._knock_when_silent()
        outcome = await self.wire.reply(self._patience(owed.command.patience_s))
        self._owed.popleft()
        if isinstance(outcome, Ending):
            self._tell_ending(outcome, owed.command.stage, self.encrypted)
            return self._unanswered(owed, outcome)
        reply = self._reply(outcome)
        self._greeted = self._greeted or outcome.raw.code == 220
        return self._exchange(owed, reply, None, outcome.at, outcome.encrypted)

    async def start_tls(self, opening: Command | None = None) -> Exchange:
        if self._context is None or self._trust is None or self._policy is None:
            raise RuntimeError("TLS was not prepared when this session was dialled")
        owed = _Owed(Command(Stage.TLS, ""), self._now(), False)
        self._store = self._trust if isinstance(self._trust, ssl.SSLContext) else await self._trust
        channel = Channel(self._context, self._policy.server_name)
        self._opening = opening
        data = opening.text.encode() + b"\r\n" if opening else b""
        ending = await self.wire.secure(channel, self._patience(None), data)
        if ending is None or self.tls is not None:
            self._greeting_due()
            return self._exchange(owed, None, None, self._now(), True)
        failure = self._failure(ending, Stage.TLS)
        return self._exchange(owed, None, failure, self._now(), False)

    async def _knock_when_silent(self) -> None:
        """Wait for the greeting; where not a byte comes for a while, see what this port speaks."""
        if self._knock is None or self._patience(None) <= SILENCE_S:
            return
        if not await self.wire.silent_for(SILENCE_S):
            return
        self._line(LineKind.NOTE, b"not a word yet; another connection, to see whether this port speaks TLS", False)
        if (answer := await self._knock()) is not None:
            self.wire.speaks(*answer)

    def close(self) -> None:
        self.wire.close()

    # What the wire tells us

    def line_received(self, line: ReplyLine, *, solicited: bool, encrypted: bool) -> None:
        raw = line.raw
        asked = list(self._owed)[self.wire.ready :]
        if line.code == 334 and asked and asked[0].command.hide_challenge:
            raw = f"334 {HIDDEN}".encode()
        self._line(LineKind.RECEIVED if solicited else LineKind.UNEXPECTED, raw, encrypted, line.end)

    def reply_unsolicited(self, reply: TimedReply) -> None:
        self._unsolicited.append(reply)

    def secured(self, channel: Channel) -> None:
        if self._store is None or self._policy is None:
            raise RuntimeError("a handshake began before there was anything to judge it by")
        self.tls = channel.facts(self._store, self._policy)
        self._line(LineKind.NOTE, summary(self.tls).encode("utf-8", "surrogateescape"), True)
        if self._opening is not None:
            self._owed.append(_Owed(self._opening, self._now(), True))
            self._line(LineKind.SENT, self._opening.visible.encode(), True, b"\r\n")

    def ended(self, ending: Ending, *, encrypted: bool) -> None:
        if untold := ending.untold.rstrip(b"\r\n"):
            mid_reply = ending.word.endswith("-mid-reply")
            self._line(
                LineKind.RECEIVED if mid_reply else LineKind.UNEXPECTED, untold, encrypted, ending.untold[len(untold) :]
            )
        unanswered = list(self._owed)[self.wire.ready :]
        if ending.word.startswith("tls-") or ending.word == "clear-text-before-tls":
            self._tell_ending(ending, Stage.TLS, encrypted)
        elif unanswered:
            self._tell_ending(ending, unanswered[0].command.stage, encrypted)
        # Else nobody waits for anything: a server may close after QUIT, and if there is a next command, its failure
        # tells.

    # Inner works

    def _now(self) -> float:
        return self._clock() if self._then is None else self._then

    @contextmanager
    def _at(self, then: float) -> Iterator[None]:
        """Whatever happens within happened at another time."""
        self._then = then
        try:
            yield
        finally:
            self._then = None

    def _hear_the_past(self) -> None:
        """Take in what was heard before, until it was our turn; after all of it, the connection itself is read."""
        while self._past and not self._past[0].ours:
            word = self._past.popleft()
            with self._at(word.at):
                self.wire.data_received(word.data)
        if not self._past:
            self.wire.release()

    def _greeting_due(self) -> None:
        """From now on it is the server's turn to greet: after the connect, or after an implicit handshake."""
        if self._owed and self._owed[0].command is _GREETING:
            self._owed[0] = _Owed(_GREETING, self._now(), self.encrypted)

    def _tell_ending(self, ending: Ending, stage: Stage, encrypted: bool) -> None:
        if not self._ending_told:
            self._ending_told = True
            detail = self._failure(ending, stage).detail
            self._line(LineKind.ERROR, detail.encode("utf-8", "surrogateescape"), encrypted)

    def _patience(self, patience_s: float | None) -> float:
        left = max(0.0, self._budget.deadline - self._now())
        return left if patience_s is None else min(left, patience_s)

    def _line(self, kind: LineKind, raw: bytes, encrypted: bool, end: bytes = b"") -> None:
        text = self._mask(raw).decode("utf-8", "surrogateescape")
        self._watcher.line(Line(kind, text, encrypted, max(0.0, self._now() - self._budget.started), end.decode()))

    def _reply(self, timed: TimedReply) -> Reply:
        lines = tuple(self._masked(line) for line in timed.raw.lines)
        return reply_from_lines(lines, timed.raw.faults)

    def _masked(self, line: ReplyLine) -> ReplyLine:
        text = line.text.encode("utf-8", "surrogateescape")
        masked = self._mask(text)
        if masked == text:
            return line
        return ReplyLine(line.code, line.last, masked.decode("utf-8", "surrogateescape"), self._mask(line.raw))

    def _unanswered(self, owed: _Owed, ending: Ending) -> Exchange:
        """A 421 that came unasked before the connection went is the server's answer to whatever we said next
        (RFC 5321 section 3.8)."""
        last = self._unsolicited[-1] if self._unsolicited else None
        if last is not None and last.raw.code == 421:
            return self._exchange(owed, self._reply(last), None, last.at, last.encrypted)
        return self._exchange(owed, None, self._failure(ending, owed.command.stage), self._now(), owed.encrypted)

    def _failure(self, ending: Ending, stage: Stage) -> Failure:
        masked = replace(ending, partial=self._mask(ending.partial))
        implicit = self._policy is not None and self._policy.implicit
        return describe(masked, stage, self.host, self.port, implicit=implicit, greeted=self._greeted)

    def _exchange(
        self, owed: _Owed, reply: Reply | None, failure: Failure | None, ended_at: float, encrypted: bool
    ) -> Exchange:
        command = owed.command
        shown = printable(self._mask(command.visible.encode()).decode("utf-8", "surrogateescape"))
        if failure is not None:
            status = StageStatus.SKIPPED if failure.kind is FailureKind.SKIPPED_UNSAFE else StageStatus.FAILED
        else:
            status = StageStatus.OK if reply is None else status_of(reply)
        return Exchange(
            stage=command.stage,
            command=shown,
            reply=reply,
            failure=failure,
            encrypted=encrypted,
            elapsed_s=max(0.0, ended_at - owed.sent_at),
            recipient=command.recipient,
            status=status,
        )
