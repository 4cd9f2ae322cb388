"""`ScriptedSession` and `ScriptedDialer`: a server that answers at once from a list and remembers the questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from smtpdoc.evidence.smtp import Exchange, Failure, Line, LineKind, Stage, StageStatus, TlsFacts
from smtpdoc.grammar.reply import Reply, ReplyLine, reply_from_lines
from smtpdoc.seams import Budget, Command, TlsPolicy, Watcher

#: A reply as it stands on the wire, lines separated by "\n"; or why there is none.
Answer: TypeAlias = "str | Failure"


@dataclass(slots=True)
class Recorded:
    """A Watcher that keeps what it was told."""

    lines: list[Line] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def line(self, line: Line) -> None:
        self.lines.append(line)

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def reply(text: str) -> Reply:
    """Return "250-one\\n250 two" as a Reply."""
    lines = [ReplyLine(int(line[:3]), line[3:4] != "-", line[4:], line.encode()) for line in text.split("\n")]
    return reply_from_lines(lines)


class ScriptedSession:
    """Answers each command with the next line of its script; `sent` has the groups in which commands came."""

    def __init__(self, answers: Sequence[Answer], tls: TlsFacts | Failure | None = None) -> None:
        self.address = "192.0.2.25"
        self.helo_name = "[192.0.2.1]"
        self.local_address = "192.0.2.1"
        self.connected_at = 0.0
        self.encrypted = False
        self.alive = True
        self.tls: TlsFacts | None = None
        self.round_trips = 1
        self.unsolicited: tuple[Reply, ...] = ()
        self.sent: list[tuple[str, ...]] = []
        self.messages: list[bytes] = []
        self.hidden: list[str] = []
        self.closed = False
        self._answers = list(answers)
        self._handshake = tls
        self._owed: list[Command] = [Command(Stage.GREETING, "")]
        self._watcher: Watcher | None = None

    @property
    def commands(self) -> list[str]:
        """All commands, in order, as the server saw them."""
        return [command for group in self.sent for command in group]

    def hide(self, *secrets: str) -> None:
        self.hidden += secrets

    def send(self, *commands: Command) -> None:
        self.sent.append(tuple(command.text for command in commands))
        self._owed += commands
        self.round_trips += 1

    async def send_message(self, pieces: Iterable[bytes], command: Command | None = None) -> bool:
        if command is not None:
            self.sent.append((command.text,))
        self.messages.append(b"".join(pieces))
        self._owed.append(command or Command(Stage.MESSAGE, ""))
        self.round_trips += 1
        return not (self._answers and isinstance(self._answers[0], Failure))

    async def reply(self) -> Exchange:
        command = self._owed.pop(0)
        assert self._answers, f"the script has no answer to {command.visible or 'the connection'}"
        answer = self._answers.pop(0)
        if isinstance(answer, Failure):
            self.alive = False
            return self._exchange(command, None, answer, StageStatus.FAILED)
        found = reply(answer)
        status = {"4": StageStatus.DEFERRED, "5": StageStatus.REFUSED}.get(answer[0], StageStatus.OK)
        return self._exchange(command, found, None, status)

    async def start_tls(self, opening: Command | None = None) -> Exchange:
        assert self._handshake is not None, "nobody expected a handshake"
        command = Command(Stage.TLS, "")
        if isinstance(self._handshake, Failure):
            self.alive = False
            return self._exchange(command, None, self._handshake, StageStatus.FAILED)
        self.encrypted, self.tls = True, self._handshake
        if opening is not None:
            self.sent.append(("(with Finished)", opening.text))
            self._owed.append(opening)
        return self._exchange(command, None, None, StageStatus.OK)

    def close(self) -> None:
        self.closed, self.alive = True, False

    def _exchange(
        self, command: Command, found: Reply | None, failure: Failure | None, status: StageStatus
    ) -> Exchange:
        return Exchange(command.stage, command.visible, found, failure, self.encrypted, 0.0, command.recipient, status)


class ScriptedDialer:
    """Hands out its sessions (or failures) one after the other; `dialled` has what each was dialled with."""

    def __init__(
        self, *sessions: ScriptedSession | Failure, addresses: tuple[str, ...] | Failure = ("192.0.2.25",)
    ) -> None:
        self.dialled: list[tuple[str, int, TlsPolicy | None]] = []
        self._sessions = list(sessions)
        self._addresses = addresses

    def now(self) -> float:
        return 0.0

    async def addresses(self, host: str, family: str | None, budget: Budget) -> tuple[str, ...] | Failure:
        return self._addresses

    def begun_at(self, address: str, port: int, source_ip: str | None, helo: str | None) -> float | None:
        return None

    async def dial(
        self,
        address: str,
        port: int,
        *,
        host: str,
        tls: TlsPolicy | None,
        source_ip: str | None,
        budget: Budget,
        patience_s: float | None,
        watcher: Watcher,
        helo: str | None = None,
    ) -> ScriptedSession | Failure:
        self.dialled.append((address, port, tls))
        watcher.line(Line(LineKind.NOTE, f"scripted for {host}", False, 0.0))
        return self._sessions.pop(0)
