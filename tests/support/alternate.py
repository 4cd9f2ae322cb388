"""Time two commands against each other, alternately, as whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Duel:
    """Times of both commands in seconds, in the order of the rounds."""

    ours_s: tuple[float, ...]
    theirs_s: tuple[float, ...]

    @property
    def ratio_of_medians(self) -> float:
        return statistics.median(self.ours_s) / statistics.median(self.theirs_s)

    @property
    def median_ratio(self) -> float:
        """The median of each round's ratio: what a passing load does to one, it does to its neighbour."""
        return statistics.median(mine / other for mine, other in zip(self.ours_s, self.theirs_s, strict=True))

    def lines(self, ours: str, theirs: str, aim: float) -> list[str]:
        width = max(len(ours), len(theirs))
        rows = [
            f"{name:{width}}  median {statistics.median(times) * 1000:7.1f} ms   best {min(times) * 1000:7.1f} ms"
            for name, times in ((ours, self.ours_s), (theirs, self.theirs_s))
        ]
        pairwise = f"median of {len(self.ours_s)} pairwise ratios {self.median_ratio:.2f}"
        return [*rows, f"ratio of medians {self.ratio_of_medians:.2f}, {pairwise} (aim: {aim})"]


#: As a user runs them: with compiled modules kept, which some build machines switch off.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def duel(ours: Sequence[str], theirs: Sequence[str], rounds: int, expected: tuple[int, int] = (0, 0)) -> Duel:
    """Run both commands once to warm the caches, then alternately; raise when one ends with an unexpected status."""
    _run(ours, expected[0])
    _run(theirs, expected[1])
    pairs = [(_run(ours, expected[0]), _run(theirs, expected[1])) for _ in range(rounds)]
    return Duel(tuple(mine for mine, _ in pairs), tuple(other for _, other in pairs))


def _run(command: Sequence[str], expected: int) -> float:
    start = time.perf_counter()
    ran = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    elapsed = time.perf_counter() - start
    if ran.returncode != expected:
        raise RuntimeError(f"{command[0]} ended with {ran.returncode}, expected {expected}: {ran.stdout}{ran.stderr}")
    return elapsed
