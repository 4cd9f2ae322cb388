"""The embedded server of the demo in a thread of its own: the command line has an event loop for itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from smtpdoc.demo import DemoServer, start


@pytest.fixture(scope="session")
def demo_server() -> Iterator[DemoServer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    yield server
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()
