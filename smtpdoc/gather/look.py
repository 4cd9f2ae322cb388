"""A further connection to a server that has been talked to already: short, with nothing of the user's in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Exchange, Failure, Line, Stage, StageStatus, Transcript
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.record import expecting, quit_command
from smtpdoc.grammar.ehlo import Capabilities, parse_ehlo
from smtpdoc.grammar.printable import printable
from smtpdoc.seams import Budget, Command, Dialer, Session, TlsPolicy

#: One look takes no longer, whatever --timeout allows.
LOOK_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a look goes and under which name: the same address as the session before it."""

    host: str
    address: str
    port: int
    helo: str
    tls: TlsPolicy
    source_ip: str | None
    deadline: float

    @property
    def implicit(self) -> bool:
        return self.tls.implicit


def place_of(session: Transcript, options: ProbeOptions, deadline: float) -> Place | None:
    """Return where a further look at a session's server goes; None when there is no server to look at."""
    if session.address is None or not session.helo:
        return None
    server_name = session.tls.server_name if session.tls is not None else options.server_name or session.host
    policy = TlsPolicy(server_name.strip("[]"), implicit=session.tls_mode == "implicit", ca_file=options.ca_file)
    return Place(session.host, session.address, session.port, session.helo, policy, options.source_ip, deadline)


class LookError(Exception):
    """A look that did not get as far as its question; the message says in words why."""


@asynccontextmanager
async def looking(
    place: Place, dialer: Dialer, *, tls: bool = True, version: str | None = None
) -> AsyncGenerator[Session, None]:
    """Connect; raise LookError where that fails. The connection is dropped at the end, whatever happened."""
    now = dialer.now()
    outcome = await dialer.dial(
        place.address,
        place.port,
        host=place.host,
        tls=replace(place.tls, version=version) if tls else None,
        source_ip=place.source_ip,
        budget=Budget(now, min(place.deadline, now + LOOK_PATIENCE_S)),
        patience_s=None,
        watcher=Unwatched(),
    )
    if isinstance(outcome, Failure):
        raise LookError(outcome.detail)
    try:
        yield outcome
    finally:
        outcome.close()


async def greeted(session: Session, place: Place) -> Capabilities:
    """Take the greeting and say EHLO; return what is offered, or raise LookError."""
    await expect(session, None, 220)
    exchange = await expect(session, Command(Stage.EHLO, f"EHLO {place.helo}"), 250)
    return parse_ehlo(exchange.reply.lines if exchange.reply is not None else ())


async def expect(session: Session, command: Command | None, *codes: int) -> Exchange:
    """Send a command (None: the greeting is due) and return its exchange; raise LookError unless its code is one of
    these."""
    if command is not None:
        session.send(command)
    exchange = expecting(await session.reply(), *codes)
    if exchange.status is not StageStatus.OK:
        raise LookError(said(exchange))
    return exchange


def said(exchange: Exchange) -> str:
    """Return an answer, or why there is none, in words."""
    if exchange.reply is None:
        return exchange.failure.detail if exchange.failure is not None else "no answer"
    what = f"{exchange.command.split(' ')[0] or 'the connection'} was answered with"
    return f"{what} {exchange.reply.code} {printable(exchange.reply.text[:200])}".rstrip()


async def leave(session: Session) -> None:
    """Say QUIT, and wait for the answer as long as a session does."""
    if session.alive:
        session.send(quit_command())
        await session.reply()


class Unwatched:
    """A watcher that looks away: a look is no part of the transcript."""

    def line(self, line: Line) -> None: ...

    def exchange(self, exchange: Exchange) -> None: ...
