"""How many sessions run at once: so many in all, and few with one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

#: Servers count connections per client; two at once draw no attention.
PER_HOST = 2


class Slots:
    """Hands out `total` slots, at most PER_HOST of them for one server at the same time."""

    def __init__(self, total: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def one(self, host: str) -> AsyncGenerator[None, None]:
        """Wait for a slot for this server, by its address where that is known, and hold it."""
        # The server's own turn first: whoever waits for it must not keep others from going elsewhere.
        async with self._hosts.setdefault(host, asyncio.Semaphore(PER_HOST)), self._total:
            yield
