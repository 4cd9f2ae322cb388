"""A wire with a round trip time: passes TCP connections on to a server, everything a while later."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial


@contextmanager
def slow_wire(host: str, port: int, rtt_s: float) -> Iterator[int]:
    """Yield a port of the same host whose connections behave as if the server were `rtt_s` away."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="slow wire", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(partial(_carry, host, port, rtt_s), host, 0), loop
    ).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    if carrying := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(carrying, timeout=5)


async def _carry(
    host: str, port: int, rtt_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    # The client's SYN was answered here at once. Over a real wire a greeting arrives two round trips after it: one for
    # the handshake, half of one for its last packet, half of one for the greeting itself.
    await asyncio.sleep(1.5 * rtt_s)
    upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(
        _pass_on(reader, writer, upstream_writer, rtt_s / 2),
        _pass_on(upstream_reader, upstream_writer, writer, rtt_s / 2),
    )


async def _pass_on(
    reader: asyncio.StreamReader, near: asyncio.StreamWriter, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """Read from one connection (`reader`, `near`) and write what came to the other."""
    loop = asyncio.get_running_loop()
    try:
        _acknowledge_at_once(near)
        while data := await reader.read(65536):
            _acknowledge_at_once(near)
            loop.call_later(delay_s, writer.write, data)
        await asyncio.sleep(delay_s)
    except ConnectionError:
        pass  # the other side learns it by the close below
    finally:
        writer.close()


def _acknowledge_at_once(connection: asyncio.StreamWriter) -> None:
    """Keep the wire from adding a stall of its own: a server with Nagle on waits up to 40 ms for our delayed ACK."""
    if sys.platform == "linux":
        connection.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
