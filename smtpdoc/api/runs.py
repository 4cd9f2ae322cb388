"""Several targets in one event loop: so many at a time, answered in the order in which they were asked."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from smtpdoc.errors import TargetError
from smtpdoc.report import Report
from smtpdoc.target import Target

if TYPE_CHECKING:
    from smtpdoc.net.zone import ZoneSource

T = TypeVar("T")

#: How often a run tells that it is still there.
TICK_S = 0.25

ShowReport = Callable[[Report], None]
ShowError = Callable[[str, TargetError], None]
#: How many sessions with each target, with how many seconds between, and who is given each session's report.
Repeat: TypeAlias = "tuple[int, float, ShowReport]"


async def in_order(
    jobs: Iterable[Callable[[], Awaitable[T]]], concurrency: int
) -> AsyncGenerator[T | TargetError, None]:
    """Yield the results of jobs in their order, running at most `concurrency` at once.

    A job that cannot read its target yields the TargetError; any other exception ends the run. Jobs that have not
    been asked for are not started, so that a list of any length costs memory for `concurrency` of them.
    """
    window: deque[asyncio.Task[T]] = deque()
    waiting = iter(jobs)

    def start_more() -> None:
        while len(window) < concurrency and (job := next(waiting, None)) is not None:
            window.append(asyncio.ensure_future(_awaited(job)))

    try:
        start_more()
        while window:
            task = window[0]
            try:
                result: T | TargetError = await task
            except TargetError as error:
                result = error
            window.popleft()
            start_more()
            yield result
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)


async def _awaited(job: Callable[[], Awaitable[T]]) -> T:
    return await job()


def check_domains(
    domains: Sequence[str],
    settings: dict[str, Any],
    *,
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    show: ShowReport,
    refuse: ShowError,
    tick: Callable[[], None] | None = None,
    prepare: Callable[[], None] | None = None,
) -> None:
    """Run auth_check for each domain over one resolver and its cache; reports come in the order of the domains.

    `tick` is called a few times a second as long as the run lasts, `prepare` once while it waits for answers.
    """

    async def run() -> None:
        async with _ticking(tick):
            await _check_domains(domains, settings, nameservers, zone, concurrency, show, refuse, prepare)

    asyncio.run(run())


@asynccontextmanager
async def _ticking(tick: Callable[[], None] | None) -> AsyncGenerator[None, None]:
    if tick is None:
        yield
        return

    async def go_on() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            tick()

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _check_domains(
    domains: Sequence[str],
    settings: dict[str, Any],
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    show: ShowReport,
    refuse: ShowError,
    prepare: Callable[[], None] | None,
) -> None:
    from smtpdoc.api.domains import auth_check, loading, question_time_s
    from smtpdoc.net.dns import open_resolver

    source = _zone_source(zone, domains[0] if len(domains) == 1 else "")
    question_s = question_time_s(settings["timeout_s"])
    offline = bool(settings.get("offline"))
    async with open_resolver(nameservers=nameservers, zone=source, timeout_s=question_s, offline=offline) as resolver:

        def job(domain: str) -> Callable[[], Awaitable[Report]]:
            return lambda: auth_check(domain, resolver=resolver, **settings)

        async with loading(prepare), aclosing(in_order(map(job, domains), concurrency)) as results:
            await _tell(results, domains, show, refuse)


def probe_targets(
    targets: Iterable[Target],
    settings: dict[str, Any],
    *,
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    show: ShowReport,
    refuse: ShowError,
    repeat: Repeat | None = None,
) -> None:
    """Probe each target; reports come in the order of the targets, and on an interrupt those begun, as far as they got.

    `settings` are the keyword arguments of `smtpdoc.aio.probe`. Names are asked from the system's resolver unless
    `nameservers` or `zone` are given. With `repeat` there are several sessions with each target.
    """
    asyncio.run(_probe_targets(list(targets), settings, nameservers, zone, concurrency, show, refuse, repeat))


async def _probe_targets(
    targets: list[Target],
    settings: dict[str, Any],
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    show: ShowReport,
    refuse: ShowError,
    repeat: Repeat | None,
) -> None:
    from smtpdoc.api.sessions import QUESTION_TIMEOUT_S, probe
    from smtpdoc.api.slots import Slots

    slots = Slots(concurrency)
    async with AsyncExitStack() as stack:
        resolver = None
        if nameservers or zone is not None:
            from smtpdoc.net.dns import open_resolver

            source = _zone_source(zone, "")
            question_s = min(QUESTION_TIMEOUT_S, settings["timeout_s"])
            resolver = await stack.enter_async_context(
                open_resolver(nameservers=nameservers, zone=source, timeout_s=question_s)
            )

        def job(target: Target) -> Callable[[], Awaitable[Report]]:
            if repeat is None:
                return lambda: probe(target, resolver=resolver, slots=slots, interrupted=show, **settings)
            times, interval_s, kept = repeat
            from smtpdoc.api.repeats import repeat as repeated

            shared = {**settings, "resolver": resolver, "slots": slots}
            return lambda: repeated(target, times, interval_s, kept=kept, interrupted=show, **shared)

        async with aclosing(in_order(map(job, targets), concurrency)) as results:
            await _tell(results, map(str, targets), show, refuse)


def _zone_source(path: str | None, asked: str) -> ZoneSource | None:
    if path is None:
        return None
    from smtpdoc.net.zone import load_zone  # zone files bring their own parser along

    return load_zone(path, asked=asked)


async def _tell(
    results: AsyncGenerator[Report | TargetError, None], names: Iterable[str], show: ShowReport, refuse: ShowError
) -> None:
    waiting = iter(names)
    async for result in results:
        name = next(waiting)
        if isinstance(result, TargetError):
            refuse(name, result)
        else:
            show(result)
