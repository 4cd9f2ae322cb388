"""Keeping what happens in a session: lines, exchanges, notes, and steps that were left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Purpose, Stage, StageStatus
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply import Reply
from smtpdoc.seams import Command, Watcher

#: The answer to QUIT changes nothing any more; Exim takes 200 ms for it in clear.
QUIT_PATIENCE_S = 1.0


@dataclass(slots=True)
class Record:
    """Keeps lines and exchanges, and passes them on. `at_s` tells the time since the session's start, now or at a time
    of the dialer's clock; `encrypted` whether it runs under TLS now."""

    watcher: Watcher
    at_s: Callable[[float | None], float]
    encrypted: Callable[[], bool]
    lines: list[Line] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def line(self, line: Line) -> None:
        self.lines.append(line)
        self.watcher.line(line)

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.watcher.exchange(exchange)

    def note(self, text: str, kind: LineKind = LineKind.NOTE, at: float | None = None) -> None:
        self.line(Line(kind, printable(text), self.encrypted(), self.at_s(at)))

    def skip(
        self, stage: Stage, failure: Failure, command: Command | None = None, purpose: Purpose | None = None
    ) -> None:
        """Keep a step that was not taken, and why."""
        text, recipient = ("", None) if command is None else (command.visible, command.recipient)
        skipped = StageStatus.SKIPPED
        exchange = Exchange(stage, text, None, failure, False, 0.0, recipient, status=skipped, purpose=purpose)
        self.exchange(exchange)

    def skip_unsafe(self, stage: Stage, detail: str) -> None:
        self.skip(stage, Failure(FailureKind.SKIPPED_UNSAFE, stage, detail, "unsafe"))

    @property
    def logged_in(self) -> bool:
        """True when a login was accepted."""
        return any(one.stage is Stage.AUTH and one.status is StageStatus.OK for one in self.exchanges)


def expecting(exchange: Exchange, *codes: int) -> Exchange:
    """Return the exchange, refused when its code is positive but not one of these."""
    reply: Reply | None = exchange.reply
    if reply is None or exchange.status is not StageStatus.OK or reply.code in codes:
        return exchange
    return replace(exchange, status=StageStatus.REFUSED)


def quit_command() -> Command:
    return Command(Stage.QUIT, "QUIT", patience_s=QUIT_PATIENCE_S)
