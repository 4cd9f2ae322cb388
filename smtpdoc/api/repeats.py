"""probe --repeat: the same session many times, one after the other, and how long its steps take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from smtpdoc.api.clock import Clock, without
from smtpdoc.api.sessions import probe
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.evidence.timings import Series, Timings
from smtpdoc.report import Report, Section
from smtpdoc.target import Target

#: Further looks are taken once: they are no part of the session, and each costs the server connections.
_ONCE = {"tls_versions": False, "starttls_injection": False, "check_enforcement": False, "dane": False}
_WORST = (StageStatus.OK, StageStatus.SKIPPED, StageStatus.DEFERRED, StageStatus.FAILED, StageStatus.REFUSED)


async def repeat(
    target: str | Target,
    times: int,
    interval_s: float = 1.0,
    *,
    kept: Callable[[Report], None] | None = None,
    interrupted: Callable[[Report], None] | None = None,
    **settings: Any,
) -> Report:
    """Probe a target `times` times, with a pause of `interval_s` after each session.

    `settings` are those of `probe`, for one session: no mx, no all_addresses. `kept` is given each session's report.
    The report that is returned has the session that ended worst, the first of those that ended alike, and `timings` of
    all. A login that is not accepted is not tried again. On a cancellation `interrupted` is given the report so far.
    """
    clock = Clock()
    series = Series(times, interval_s)
    worst: Report | None = None

    def take(report: Report) -> None:
        nonlocal worst
        if kept is not None:
            kept(report)
        series.add(_session(report))
        if worst is None or _rank(report) > _rank(worst):
            worst = report

    def cut_short(report: Report) -> None:
        """Keep what there is of the session that an interrupt ended; the first is all that there is."""
        if kept is not None:
            kept(report)
        if worst is None and interrupted is not None:
            interrupted(report)

    def whole(stopped: str | None) -> Report:
        assert worst is not None  # noqa: S101 - only called after the first session
        return _with_timings(worst, series.timings(stopped), clock, settings.get("ignore", ()))

    _load(settings.get("meanwhile"))
    try:
        for number in range(1, times + 1):
            report = await probe(target, interrupted=cut_short, **settings)
            take(report)
            if _login_refused(report):
                return whole("auth")
            settings = {**settings, **_ONCE, "early": None}
            if number < times:
                await asyncio.sleep(interval_s)
    except asyncio.CancelledError:
        if interrupted is not None and worst is not None:
            interrupted(replace(whole("interrupted"), interrupted=True))
        raise
    return whole(None)


def _load(meanwhile: Callable[[], None] | None) -> None:
    """Load all that a session will need: what is loaded while a server answers makes it look slow."""
    from smtpdoc.api.preload import load
    from smtpdoc.net import session, trust  # noqa: F401 - the first is for `probe`

    load(meanwhile, with_envelope=True)
    trust.trust_store()  # the system's roots are in memory then


def _evidence(report: Report) -> ProbeEvidence:
    assert isinstance(report.evidence, ProbeEvidence)  # noqa: S101 - it is a probe's
    return report.evidence


def _session(report: Report) -> Transcript:
    return _evidence(report).sessions[-1]


def _rank(report: Report) -> int:
    return _WORST.index(_session(report).outcome)


def _login_refused(report: Report) -> bool:
    return any(one.stage is Stage.AUTH and one.status is not StageStatus.OK for one in _session(report).exchanges)


def _with_timings(report: Report, timings: Timings, clock: Clock, ignore: Sequence[str]) -> Report:
    from smtpdoc.catalog.checks import repeats

    return replace(
        report,
        evidence=replace(_evidence(report), timings=timings),
        sections=(*report.sections, Section("repeat", without(repeats.checks.run(timings), ignore))),
        started_at=clock.started_at,
        elapsed_s=clock.elapsed_s,
    )
