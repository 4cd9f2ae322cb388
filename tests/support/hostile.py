"""A server that says what its script says, right or wrong, on loopback and in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for so many command lines."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Flood:
    """Send this for ever."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Chopped:
    """Send this in pieces of so many bytes."""

    data: bytes
    size: int = 1


@dataclass(frozen=True, slots=True)
class Raw:
    """Wait for any bytes at all, such as a ClientHello."""


@dataclass(frozen=True, slots=True)
class Message:
    """Take a message, up to the line with the dot, in reads of so many bytes."""

    size: int = 1 << 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Take this many bytes, as BDAT announced them."""

    size: int


TLS: Final = "tls"
CLOSE: Final = "close"
RESET: Final = "reset"
C: Final = Read()

#: bytes are sent as they are; TLS shakes hands; after the last step the server stays silent until the client goes.
Step: TypeAlias = "bytes | Read | Pause | Flood | Chopped | Raw | Message | Chunk | str"


@dataclass(slots=True)
class HostileServer:
    """`commands` are the lines it was sent, `secure` those of them that came encrypted, `messages` as they came."""

    script: Sequence[Step]
    context: ssl.SSLContext | None = None
    port: int = 0
    commands: list[str] = field(default_factory=list)
    secure: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    sessions: int = 0
    _encrypted: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self._encrypted = False
        try:
            for step in self.script:
                if not await self._step(step, reader, writer):
                    return
            while await reader.read(65536):
                pass
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _step(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
            case Read(lines):
                for _ in range(lines):
                    line = (await reader.readuntil(b"\n")).decode("latin-1").rstrip("\r\n")
                    self.commands.append(line)
                    if self._encrypted:
                        self.secure.append(line)
            case Message(size):
                taken = bytearray()
                while not taken.endswith(b"\r\n.\r\n"):
                    if not (piece := await reader.read(size)):
                        return False
                    taken += piece
                self.messages.append(bytes(taken))
            case Chunk(size):
                self.messages.append(await reader.readexactly(size))
            case Raw():
                await reader.read(65536)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Chopped(data, size):
                for start in range(0, len(data), size):
                    writer.write(data[start : start + size])
                    await writer.drain()
            case Flood(data):
                while True:
                    writer.write(data)
                    await writer.drain()
            case "tls":
                assert self.context is not None
                await writer.start_tls(self.context)
                self._encrypted = True
            case "reset":
                linger = struct.pack("ii", 1, 0)  # close() then sends RST
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
                return False
            case _:
                return False
        return True


@contextlib.asynccontextmanager
async def hostile_server(
    script: Sequence[Step], context: ssl.SSLContext | None = None, *, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[HostileServer]:
    """Serve a script on a free port of 127.0.0.1, or where the test wants it."""
    hostile = HostileServer(script, context)
    sessions: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.get_running_loop().create_task(hostile.talk(reader, writer))
        sessions.add(session)
        session.add_done_callback(sessions.discard)

    server = await asyncio.start_server(accept, address, port)
    hostile.port = server.sockets[0].getsockname()[1]
    try:
        yield hostile
    finally:
        server.close()
        for session in tuple(sessions):
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
