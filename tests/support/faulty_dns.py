"""A name server on loopback that a test can make misbehave, datagram by datagram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass(frozen=True, slots=True)
class Query:
    """One query as it arrived. `count` says how many have been here before it, over both protocols."""

    message: dns.message.Message
    tcp: bool
    count: int

    @property
    def name(self) -> str:
        return self.message.question[0].name.to_text(omit_final_dot=True)

    @property
    def rdtype(self) -> str:
        return dns.rdatatype.to_text(self.message.question[0].rdtype)

    def reply(
        self, *records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, authority: Sequence[str] = (), flags: int = 0
    ) -> bytes:
        """Return a resolver's answer with records like "a.example. 60 IN A 192.0.2.1"."""
        response = dns.message.make_response(self.message, recursion_available=True)
        response.set_rcode(rcode)
        response.flags |= flags
        response.answer = [_rrset(record) for record in records]
        response.authority = [_rrset(record) for record in authority]
        return response.to_wire(max_size=65535)


def _rrset(record: str) -> dns.rrset.RRset:
    name, ttl, rdclass, rdtype, rdata = record.split(" ", 4)
    return dns.rrset.from_text(name, int(ttl), rdclass, rdtype, rdata)


#: Given a query, the messages to send back, in order; none for silence.
Behaviour = Callable[[Query], Sequence[bytes]]


class FaultyDns(asyncio.DatagramProtocol):
    """Listens on UDP and TCP at the same port of 127.0.0.1; remembers the queries."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.queries: list[Query] = []
        self.address = ""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._listener = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
        port = self._listener.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))
        self.address = f"127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._udp.close()
        self._listener.close()
        await asyncio.sleep(0)

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(query.name, query.rdtype) for query in self.queries]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for message in self._answers(data, tcp=False):
            self._udp.sendto(message, addr)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            for message in self._answers(await reader.readexactly(size), tcp=True):
                writer.write(len(message).to_bytes(2, "big") + message)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has lost its patience
        finally:
            writer.close()

    def _answers(self, data: bytes, *, tcp: bool) -> Sequence[bytes]:
        query = Query(dns.message.from_wire(data), tcp, len(self.queries))
        self.queries.append(query)
        return self.behaviour(query)


def truncated(query: Query) -> bytes:
    """Return an answer that says "too long for UDP" and holds nothing."""
    return query.reply(flags=dns.flags.TC)
