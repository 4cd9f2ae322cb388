"""probe: talk to a server, explain each reply where it stands, diagnose, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from smtpdoc.api.clock import Clock
from smtpdoc.catalog.checks import smtp as smtp_checks
from smtpdoc.catalog.checks import tls as tls_checks
from smtpdoc.catalog.explain import explain
from smtpdoc.errors import TargetError
from smtpdoc.evidence.explanation import Explanation
from smtpdoc.evidence.smtp import (
    Exchange,
    Failure,
    Line,
    LineKind,
    MxHost,
    ProbeEvidence,
    Stage,
    StageStatus,
    Transcript,
)
from smtpdoc.findings import Level
from smtpdoc.gather.mx_hosts import resolve_mx
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.report import Report, Section
from smtpdoc.seams import Budget, Resolver, Watcher
from smtpdoc.target import SMTP_PORT, SUBMISSION_PORT, Target, domain_name, parse_target

PROBE_TIMEOUT_S = 60.0
QUESTION_TIMEOUT_S = 5.0
#: Sessions at once within one target (its MX hosts and addresses): polite, and quick enough.
SESSIONS_AT_ONCE = 4


class Recorder:
    """A Watcher that explains each exchange as it ends and passes everything on."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self._lines = 0
        self._watcher = watcher

    def line(self, line: Line) -> None:
        self._lines += 1
        if self._watcher is not None:
            self._watcher.line(line)

    def exchange(self, exchange: Exchange) -> None:
        explained = replace(exchange, explanation=explanation_of(exchange), lines_before=self._lines)
        self.exchanges.append(explained)
        if self._watcher is not None:
            self._watcher.exchange(explained)


def explanation_of(exchange: Exchange) -> Explanation | None:
    """Explain an exchange's reply as an answer to its stage; None where there was no reply."""
    return None if exchange.reply is None else explain(exchange.reply, stage=str(exchange.stage))


@dataclass(slots=True)
class _Plan:
    """The sessions of one target: (target, address or None for whichever answers first)."""

    sessions: list[tuple[Target, str | None]]
    mx: tuple[MxHost, ...] | None = None
    failure: Failure | None = None


async def probe(
    target: str | Target,
    options: ProbeOptions | None = None,
    *,
    password: str | None = None,
    mx: bool = False,
    all_addresses: bool = False,
    resolve: Mapping[str, Sequence[str]] | None = None,
    resolver: Resolver | None = None,
    watcher: Watcher | None = None,
    interrupted: Callable[[Report], None] | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
    **changes: Any,
) -> Report:
    """Talk to a server as far as the options want, or with `mx` to the MX hosts of a domain on port 25.

    `options` and `changes` to them (by the names of ProbeOptions: tls="implicit", recipients=("bob@example.net",))
    say what is wanted; `password` is kept as a Secret from here on.
    `resolve` maps host names to addresses; `resolver` answers the other names (the system's when None). `watcher` sees
    lines and explained exchanges while they happen, if there is only one session. `interrupted` is given the report so
    far when the task is cancelled. Raises TargetError or ParseError for what cannot be read; never for what a server
    does.
    """
    clock = Clock()
    if password is not None:
        changes["secret"] = Secret(password)
    options = replace(options or ProbeOptions(timeout_s=PROBE_TIMEOUT_S), **changes)
    parsed = parse_target(target, SMTP_PORT if mx else SUBMISSION_PORT) if isinstance(target, str) else target
    dialer = TcpDialer(resolver, resolve)
    plan = await _plan(parsed, options, dialer, mx=mx, all_addresses=all_addresses, resolver=resolver)
    runs = [
        _Run(Probe(place, options, dialer, recorder), recorder, address)
        for place, address in plan.sessions
        for recorder in (Recorder(watcher if len(plan.sessions) == 1 else None),)
    ]

    def report(*, cut_short: bool) -> Report:
        transcripts = tuple(run.transcript() for run in runs if run.begun) or (_unplanned(parsed, plan.failure),)
        evidence = ProbeEvidence(transcripts, plan.mx)
        return clock.report("probe", str(parsed), evidence, diagnose(evidence), fail_on, ignore, interrupted=cut_short)

    slots = asyncio.Semaphore(SESSIONS_AT_ONCE)
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(run.go(slots))
    except asyncio.CancelledError:
        if interrupted is not None:
            interrupted(report(cut_short=True))
        raise
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return report(cut_short=False)


class _Run:
    """One session under way."""

    def __init__(self, session: Probe, recorder: Recorder, address: str | None) -> None:
        self.begun = False
        self._session = session
        self._recorder = recorder
        self._address = address

    async def go(self, slots: asyncio.Semaphore) -> None:
        async with slots:
            self.begun = True
            try:
                await self._session.run(self._address)
            finally:
                self._session.close()

    def transcript(self) -> Transcript:
        return replace(self._session.transcript(), exchanges=tuple(self._recorder.exchanges))


async def _plan(
    target: Target,
    options: ProbeOptions,
    dialer: TcpDialer,
    *,
    mx: bool,
    all_addresses: bool,
    resolver: Resolver | None,
) -> _Plan:
    now = dialer.now()
    budget = Budget(now, now + options.timeout_s)
    if not mx:
        if not all_addresses:
            return _Plan([(target, None)])
        found = await dialer.addresses(target.host, options.family, budget)
        return _Plan([], failure=found) if isinstance(found, Failure) else _Plan([(target, ip) for ip in found])
    if target.is_address:
        raise TargetError(f"expected a domain with --mx, got the address {target.host}")
    async with AsyncExitStack() as stack:
        if resolver is None:
            from smtpdoc.net.dns import open_resolver

            timeout_s = min(QUESTION_TIMEOUT_S, options.timeout_s)
            resolver = await stack.enter_async_context(open_resolver(timeout_s=timeout_s))
        found_hosts = await resolve_mx(domain_name(target.host), resolver, options.family)
    sessions: list[tuple[Target, str | None]] = []
    for host in found_hosts.hosts:
        place = Target(host.host, target.port, target.implicit_tls)
        wanted = [ip for ip in host.addresses if options.family in (None, "ipv6" if ":" in ip else "ipv4")]
        sessions += [(place, ip) for ip in wanted] if all_addresses and wanted else [(place, None)]
    return _Plan(sessions, found_hosts.hosts, found_hosts.failure)


def _unplanned(target: Target, failure: Failure | None) -> Transcript:
    """The transcript of a target for which no session could even begin."""
    failed = (
        () if failure is None else (Exchange(Stage.CONNECT, "", None, failure, False, 0.0, status=StageStatus.FAILED),)
    )
    return Transcript(
        host=target.host,
        address=None,
        port=target.port,
        family=None,
        tls_mode="auto",
        outcome=StageStatus.FAILED,
        exchanges=failed,
        lines=() if failure is None else (Line(LineKind.ERROR, failure.detail, False, 0.0),),
    )


def diagnose(evidence: ProbeEvidence) -> tuple[Section, ...]:
    """Return the findings of all sessions: what the server said, and its TLS."""
    return (
        Section("smtp", tuple(finding for session in evidence.sessions for finding in smtp_checks.checks.run(session))),
        Section("tls", tuple(finding for session in evidence.sessions for finding in tls_checks.checks.run(session))),
    )
