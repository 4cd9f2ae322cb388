"""What is behind a port that says nothing? A second connection tells in a moment what waiting never would."""

from __future__ import annotations

import asyncio
import ssl

from smtpdoc.grammar.reply_reader import recognise_protocol
from smtpdoc.net.tls import Channel

#: Nobody greets so late without meaning it, but on port 25, where unknown clients are made to wait.
SILENCE_S = 5.0
ANSWER_S = 3.0
_HEAD_BYTES = 512
# The first bytes of a TLS record: the server's part of a handshake (RFC 8446 section 5.1).
_HANDSHAKE = b"\x16\x03"


async def knock(
    address: str, port: int, source_ip: str | None, context: ssl.SSLContext, server_name: str
) -> tuple[str, bytes] | None:
    """Send a ClientHello on a connection of its own, and drop it; return the protocol that answers, "TLS" or another,
    with the first bytes of the answer. None where nothing answers that is known."""
    channel = Channel(context, server_name)
    channel.handshake(b"")
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(
                address, port, local_addr=(source_ip, 0) if source_ip else None
            )
            try:
                writer.write(channel.outgoing())
                head = await reader.read(_HEAD_BYTES)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return None
    if head.startswith(_HANDSHAKE):
        return "TLS", b""
    protocol = recognise_protocol(head)
    return None if protocol is None else (protocol, b"" if protocol == "TLS" else head.split(b"\n")[0])
