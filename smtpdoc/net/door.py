"""Does a port that says nothing wait for TLS? A second connection tells in a moment what waiting never would."""

from __future__ import annotations

import asyncio
import ssl

#: Nobody greets so late without meaning it, but on port 25, where unknown clients are made to wait.
SILENCE_S = 5.0
HANDSHAKE_S = 3.0


async def wants_tls(address: str, port: int, source_ip: str | None, context: ssl.SSLContext, server_name: str) -> bool:
    """Shake hands on a connection of its own, and drop it; a failure of any kind says no."""
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            _, writer = await asyncio.open_connection(
                address,
                port,
                ssl=context,
                server_hostname=server_name,
                local_addr=(source_ip, 0) if source_ip else None,
            )
    except (OSError, TimeoutError):  # ssl.SSLError is an OSError
        return False
    writer.transport.abort()
    return True
