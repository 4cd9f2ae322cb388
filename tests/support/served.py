"""A scripted server in a thread of its own, for commands that bring their own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator

from support.hostile import HostileServer, Step, hostile_server


@contextlib.contextmanager
def served(*script: Step, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a script on 127.0.0.1; give the port."""
    with hostile_thread(script, context) as server:
        yield server.port


@contextlib.contextmanager
def hostile_thread(script: tuple[Step, ...], context: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """Serve a script; give the server, which remembers what it was told."""
    ready = threading.Event()
    found: list[HostileServer] = []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with hostile_server(script, context) as server:
            over = asyncio.Event()
            found.append(server)
            stop.append((asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop, over = stop[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
