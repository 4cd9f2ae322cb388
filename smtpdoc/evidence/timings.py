"""The same session many times: how long each step takes, and how the sessions end. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus, Transcript

#: The name of the whole session among the steps.
TOTAL = "total"
_RUNS_FOR_A_TAIL = 20


@dataclass(frozen=True, slots=True)
class StepTiming:
    """How long one step took over all sessions in which it was answered. `p95_s` is the time that 19 of 20 kept; with
    fewer than 20 it is the longest."""

    step: str  # a Stage, or TOTAL
    count: int
    min_s: float
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How some of the sessions ended: `status` at `stage` (None: nothing went wrong), with this code or failure."""

    status: StageStatus
    stage: Stage | None
    code: int | None
    failure: str | None
    count: int
    first: int  # the first session that ended so, from 1


@dataclass(frozen=True, slots=True)
class Timings:
    """What came of `--repeat`. `asked` sessions were wanted, `done` took place; `stopped` says why they are fewer:
    "auth" (the login was not accepted, and is not tried again) or "interrupted"."""

    asked: int
    done: int
    interval_s: float
    steps: tuple[StepTiming, ...]
    ended: tuple[Ended, ...]
    stopped: str | None = None

    @property
    def turned_away(self) -> int:
        """The number of sessions that a 421 ended."""
        return sum(one.count for one in self.ended if one.code == 421)


class Series:
    """Takes in one session after the other; keeps numbers only."""

    def __init__(self, asked: int, interval_s: float) -> None:
        self._asked = asked
        self._interval_s = interval_s
        self._done = 0
        self._times: dict[str, list[float]] = {}
        self._ended: dict[tuple[StageStatus, Stage | None, int | None, str | None], list[int]] = {}

    def add(self, session: Transcript) -> None:
        self._done += 1
        for exchange in session.exchanges:
            if exchange.failure is None:
                self._times.setdefault(str(exchange.stage), []).append(exchange.elapsed_s)
        self._times.setdefault(TOTAL, []).append(session.elapsed_s)
        self._ended.setdefault(_ending(session), []).append(self._done)

    def timings(self, stopped: str | None = None) -> Timings:
        order = [*map(str, Stage), TOTAL]
        return Timings(
            asked=self._asked,
            done=self._done,
            interval_s=self._interval_s,
            steps=tuple(_step(name, self._times[name]) for name in order if name in self._times),
            ended=tuple(
                Ended(status, stage, code, failure, len(numbers), numbers[0])
                for (status, stage, code, failure), numbers in self._ended.items()
            ),
            stopped=stopped,
        )


def _ending(session: Transcript) -> tuple[StageStatus, Stage | None, int | None, str | None]:
    decisive = _decisive(session.exchanges, session.outcome)
    if decisive is None:
        return session.outcome, None, None, None
    code = None if decisive.reply is None else decisive.reply.code
    failure = None if decisive.failure is None else str(decisive.failure.kind)
    return session.outcome, decisive.stage, code, failure


def _decisive(exchanges: Sequence[Exchange], outcome: StageStatus) -> Exchange | None:
    """Return the exchange that gave a session its outcome."""
    return next((one for one in exchanges if outcome is not StageStatus.OK and one.status is outcome), None)


def _step(name: str, times: Sequence[float]) -> StepTiming:
    found = sorted(times)
    count = len(found)
    middle = count // 2
    median = found[middle] if count % 2 else (found[middle - 1] + found[middle]) / 2
    # The nearest rank: a time that was measured, not one between two.
    rank = count if count < _RUNS_FOR_A_TAIL else -(-count * 95 // 100)
    return StepTiming(name, count, found[0], median, found[rank - 1])
