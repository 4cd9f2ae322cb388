"""What happens in a session, explained and passed on without holding the session up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from smtpdoc.api.explaining import Explainer
from smtpdoc.evidence.smtp import Exchange, Line
from smtpdoc.seams import Watcher

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog

# After a reply our next command is on its way long before this; a reader of the transcript does not see the delay.
_LET_THEM_TALK_S = 0.002


class Recorder:
    """A Watcher that explains each exchange and passes everything on, in order.

    Within `telling` it does so a moment later, between the things that matter: explaining and printing never hold up
    what is to be said to the server. It begins when `loaded` is done (see api/preload.py; None: at once). `beside` is
    told each exchange after the watcher. `catalog`, `server` and `login` are for the explanations (api/explaining.py).
    Whoever asks for `exchanges` gets all that happened.
    """

    def __init__(
        self,
        watcher: Watcher | None = None,
        catalog: UserCatalog | None = None,
        loaded: asyncio.Future[None] | None = None,
        server: str | None = None,
        login: str | None = None,
    ) -> None:
        self.beside: Callable[[Exchange], None] | None = None
        self._explained: list[Exchange] = []
        self._untold: deque[Line | tuple[Exchange, int]] = deque()
        self._news = asyncio.Event()
        self._telling = False
        self._lines = 0
        self._watcher = watcher
        self._loaded = loaded
        self._explainer = Explainer(catalog, server, login)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All exchanges so far, explained; the watcher knows of them, too."""
        self._catch_up()
        return tuple(self._explained)

    def line(self, line: Line) -> None:
        self._lines += 1
        self._happened(line)

    def exchange(self, exchange: Exchange) -> None:
        self._happened((exchange, self._lines))

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[None, None]:
        """Pass on what happens, while it happens; at the end everything has been."""
        self._telling = True
        try:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._tell())
                try:
                    yield
                finally:
                    task.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._telling = False
        self._catch_up()

    async def _tell(self) -> None:
        if self._loaded is not None:
            await asyncio.wait({self._loaded})  # others wait for it, too: it must not be cancelled with us
        while True:
            await self._news.wait()
            await asyncio.sleep(_LET_THEM_TALK_S)
            self._news.clear()
            while self._untold:
                self._tell_next()
                if self._watcher is not None:
                    await asyncio.sleep(0)  # printing takes its time: a reply that has come is answered first

    def _happened(self, event: Line | tuple[Exchange, int]) -> None:
        self._untold.append(event)
        if self._telling:
            self._news.set()
        else:
            self._catch_up()

    def _catch_up(self) -> None:
        self._news.clear()
        while self._untold:
            self._tell_next()

    def _tell_next(self) -> None:
        event = self._untold.popleft()
        if isinstance(event, tuple):
            exchange, lines = event
            exchange = replace(self._explainer.explained(exchange), lines_before=lines)
            self._explained.append(exchange)
            if self._watcher is not None:
                self._watcher.exchange(exchange)
            if self.beside is not None:
                self.beside(exchange)
        elif self._watcher is not None:
            self._watcher.line(event)
