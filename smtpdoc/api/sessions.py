"""probe: talk to a server, explain each reply where it stands, diagnose, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from smtpdoc.api import greylist
from smtpdoc.api.clock import Clock
from smtpdoc.api.looks import Looks, Names, gather_policy, with_policy
from smtpdoc.api.preload import loading
from smtpdoc.api.recorder import Recorder
from smtpdoc.api.session_diagnosis import diagnose
from smtpdoc.api.slots import Slots
from smtpdoc.errors import TargetError
from smtpdoc.evidence.probe import MxHost, ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Failure, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.early import EarlyConnection
from smtpdoc.report import Report
from smtpdoc.seams import Budget, PolicySource, Resolver, Watcher
from smtpdoc.target import SMTP_PORT, SUBMISSION_PORT, Target, domain_name, parse_target

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog

PROBE_TIMEOUT_S = 60.0
QUESTION_TIMEOUT_S = 5.0
#: Sessions at once within one target (its MX hosts and addresses): polite, and quick enough.
SESSIONS_AT_ONCE = 4
#: Sessions of one target. Whoever runs its DNS says how many hosts and addresses there are.
MAX_SESSIONS = 50


@dataclass(slots=True)
class _Plan:
    """The sessions of one target: (target, address or None for whichever answers first)."""

    sessions: list[tuple[Target, str | None]]
    mx: tuple[MxHost, ...] | None = None
    failure: Failure | None = None
    left_out: int = 0


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
    slots: Slots | None = None,
    policies: PolicySource | None = None,
    early: EarlyConnection | None = None,
    meanwhile: Callable[[], None] | None = None,
    catalog: UserCatalog | None = None,
    greylist_wait: float | Literal["auto"] | None = None,
    progress: Callable[[float], None] | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
    **changes: Any,
) -> Report:
    """Talk to a server as far as the options want, or with `mx` to the MX hosts of a domain on port 25.

    `options` and `changes` to them (by the names of ProbeOptions: tls="implicit", recipients=("bob@example.net",))
    say what is wanted; `greylist_wait` seconds ("auto": as the server says) after being put off by greylisting, the
    same is tried again, and `progress` told the seconds left; `timeout_s` is for each session, the wait is not part
    of it. `password` is kept as a Secret from here on.
    `resolve` maps host names to addresses; `resolver` answers the other names (the system's when None). `watcher` sees
    lines and explained exchanges while they happen, if there is only one session. `interrupted` is given the report so
    far when the task is cancelled; `slots` limit the sessions at once, with those of other calls; `policies` fetches
    the MTA-STS policy (None: over HTTPS). `meanwhile` is called in a thread while the server is busy. `early` is a
    connection that was begun before, for the first session that it fits; `catalog` holds entries of your own, for
    explanations. Raises TargetError or ParseError for what cannot be read; never for what a server does.
    """
    clock = Clock(None if early is None else early.begun_at)
    if password is not None:
        changes["secret"] = Secret(password)
    if mx:
        changes["between_servers"] = True
    options = replace(options or ProbeOptions(timeout_s=PROBE_TIMEOUT_S), **changes)
    parsed = parse_target(target, SMTP_PORT if mx else SUBMISSION_PORT) if isinstance(target, str) else target
    dialer = TcpDialer(resolver, resolve, early)
    plan = await _plan(parsed, options, dialer, mx=mx, all_addresses=all_addresses, resolver=resolver)
    names = Names(resolver, min(QUESTION_TIMEOUT_S, options.timeout_s))
    domain = domain_name(parsed.host) if mx else None

    loaded = loading(meanwhile, with_envelope=bool(options.recipients))
    runs = [
        _Run(
            place,
            address,
            options,
            dialer,
            partial(
                Recorder,
                watcher if len(plan.sessions) == 1 else None,
                catalog,
                loaded,
                server=str(place),
                login=options.auth_user,
            ),
            lambda note: Looks(options, dialer, names, note, domain),
        )
        for place, address in plan.sessions
    ]

    def report(*, cut_short: bool) -> Report:
        transcripts = tuple(one for run in runs for one in run.transcripts()) or (_unplanned(parsed, plan.failure),)
        policy = asked.result() if asked is not None and asked.done() and not asked.cancelled() else None
        evidence = with_policy(ProbeEvidence(transcripts, plan.mx, plan.left_out), policy)
        return clock.report("probe", str(parsed), evidence, diagnose(evidence), fail_on, ignore, interrupted=cut_short)

    slots = slots or Slots(SESSIONS_AT_ONCE)
    asked = None
    try:
        async with asyncio.TaskGroup() as group:
            if options.mta_sts and domain is not None and runs:
                asked = group.create_task(gather_policy(domain, names(), dialer.now() + options.timeout_s, policies))
            for run in runs:
                group.create_task(run.go(slots, greylist_wait, progress))
    except asyncio.CancelledError:
        if interrupted is not None:
            interrupted(report(cut_short=True))
        raise
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        await names.close()
    return report(cut_short=False)


class _Run:
    """One session under way, and after a wait the second one with those that greylisting put off."""

    def __init__(
        self,
        target: Target,
        address: str | None,
        options: ProbeOptions,
        dialer: TcpDialer,
        recorder: Callable[[], Recorder],
        looks: Callable[[Callable[[str], None]], Looks],
    ) -> None:
        self._target = target
        self._address = address
        self._options = options
        self._dialer = dialer
        self._recorder = recorder
        self._begun: list[tuple[Probe, Recorder]] = []
        self._next = self._made(options)  # complains about what cannot be read before anything is sent
        self._looks = looks(lambda text: self._begun[0][0].note(text))
        self._next[1].beside = lambda exchange: self._looks.exchange(exchange, self._first)
        self._waited_s = 0.0
        self._put_off: tuple[str, ...] = ()

    async def go(
        self,
        slots: Slots,
        greylist_wait: float | Literal["auto"] | None,
        progress: Callable[[float], None] | None,
    ) -> None:
        await self._session(slots, self._looks)
        if greylist_wait is None:
            return
        probe, recorder = self._begun[0]
        self._put_off = greylist.put_off(recorder.exchanges)
        if not self._put_off:
            return
        seconds = greylist.hinted_s(recorder.exchanges) if greylist_wait == "auto" else greylist_wait
        probe.note(f"greylisted; the same again in {seconds:g} s, as a mail server would")
        await greylist.wait(seconds, progress)
        self._waited_s = seconds
        first = probe.transcript()
        self._address = first.address
        again = greylist.second_options(self._options, first, probe.control_name, self._put_off, recorder.exchanges)
        self._next = self._made(again)
        await self._session(slots)

    def _made(self, options: ProbeOptions) -> tuple[Probe, Recorder]:
        recorder = self._recorder()
        return Probe(self._target, options, self._dialer, recorder), recorder

    async def _session(self, slots: Slots, looks: Looks | None = None) -> None:
        began = self._dialer.now()
        server = await self._server(began)
        spent_s = self._dialer.now() - began
        async with slots.one(server):
            probe, recorder = self._next
            self._begun.append(self._next)
            if looks is not None:
                looks.begin(self._target.host, self._target.port)
            try:
                async with recorder.telling():
                    await probe.run(self._address, spent_s)
            finally:
                probe.close()
            if looks is not None:
                await looks.after(self._first())

    async def _server(self, now: float) -> str:
        """Return the address that will be tried first, or the name where it has none: names may share a server."""
        if self._address is not None:
            return self._address
        budget = Budget(now, now + self._options.timeout_s)
        found = await self._dialer.addresses(self._target.host, self._options.family, budget)
        return self._target.host if isinstance(found, Failure) else found[0]

    def _first(self) -> Transcript:
        """Return the first session, as far as it has come."""
        probe, recorder = self._begun[0]
        return replace(probe.transcript(), exchanges=recorder.exchanges)

    def transcripts(self) -> tuple[Transcript, ...]:
        """Return the sessions that have begun: none, one, or both."""
        found = [
            self._looks.complete(replace(probe.transcript(), exchanges=recorder.exchanges))
            for probe, recorder in self._begun
        ]
        if len(found) == 2:
            first, second = found
            second = replace(second, attempt=2, waited_s=self._waited_s, greylisted=self._put_off)
            return (replace(first, superseded=True), second)
        return tuple(found)


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
        if isinstance(found, Failure):
            return _Plan([], failure=found)
        return _Plan([(target, ip) for ip in found[:MAX_SESSIONS]], left_out=max(0, len(found) - MAX_SESSIONS))
    if target.is_address:
        raise TargetError(f"expected a domain with --mx, got the address {target.host}")
    from smtpdoc.gather.mx_hosts import resolve_mx

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
    left_out = max(0, len(sessions) - MAX_SESSIONS)
    return _Plan(sessions[:MAX_SESSIONS], found_hosts.hosts, found_hosts.failure, left_out)


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
