"""How many questions may be under way at once: more while answers come, half as many when they get lost."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

#: Enough for one domain at once. A resolver at home forwards 150 questions at a time (dnsmasq), a large one thousands.
START = 150
LEAST = 25
MOST = 500
#: One loss seldom comes alone; those within this time are one.
CALM_S = 0.8


class Window:
    """Holds back those who would ask too much at once; an asynchronous context manager around each question."""

    def __init__(self) -> None:
        self._limit = START
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calm_at = 0.0
        self._known_good = MOST  # below it the number doubles in a round trip, above it grows by one
        self._credit = 0

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def under_way(self) -> int:
        return self._under_way

    async def __aenter__(self) -> None:
        if self._under_way < self._limit and not self._waiting:
            self._under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # our turn came while we were being cancelled
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._under_way -= 1
        while self._waiting and self._under_way < self._limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)

    def answered(self) -> None:
        """Let one more through the next time; where questions got lost before, only for a whole round of answers."""
        self._credit += 1
        if self._credit >= (1 if self._limit < self._known_good else self._limit):
            self._credit = 0
            self._limit = min(MOST, self._limit + 1)

    def lost(self) -> None:
        """Ask half as much at once: a question was not answered in its time, or the server says that it is busy."""
        now = asyncio.get_running_loop().time()
        if now >= self._calm_at:
            self._limit = self._known_good = max(LEAST, self._limit // 2)
            self._calm_at = now + CALM_S
