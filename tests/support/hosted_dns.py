"""A FaultyDns in a thread of its own, for commands that run their own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.faulty_dns import Behaviour, FaultyDns


@contextmanager
def hosted(behaviour: Behaviour) -> Iterator[FaultyDns]:
    """Run a name server that behaves so until the block ends."""
    server = FaultyDns(behaviour)
    up, down = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    mistakes: list[str] = []
    loop.set_exception_handler(lambda _, context: mistakes.append(f"{context['message']}: {context.get('exception')}"))

    async def serve() -> None:
        async with server:
            up.set()
            await down.wait()
        handlers = asyncio.all_tasks() - {asyncio.current_task()}
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await asyncio.sleep(0.01)  # for the transports to close

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            up.set()

    thread = threading.Thread(target=run, name="name server")
    thread.start()
    try:
        assert up.wait(5)
        assert server.address, "the name server did not start"
        yield server
    finally:
        loop.call_soon_threadsafe(down.set)
        thread.join(5)
        loop.close()
    assert not mistakes, f"the behaviour itself failed: {mistakes[:3]}"
