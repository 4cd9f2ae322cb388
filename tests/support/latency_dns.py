"""A resolver on loopback that takes its time: every answer leaves so many milliseconds after its question came.

Run as a program it answers from a zone file in a process of its own, so that a benchmark does not measure it:

    python tests/support/latency_dns.py --listen 127.0.0.153:53 --zone tests/data/bulk/bulk.zone --delay-ms 30

It prints "ready", then reads "reset" and "stats" from stdin, a line each, and answers with a line of JSON. It ends
with its stdin.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import dns.rdatatype
import dns.zone

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_RESPONSE = 0x8180  # QR, RD, RA
_TRUNCATED, _NXDOMAIN = 0x0200, 3
_CNAME, _OPT_TYPE = 5, 41
_OPT = bytes.fromhex("00 0029 04d0 00000000 0000")
_TTL_S = 300
#: Copies of a domain: bulk007-12.test is answered as bulk007.test is.
_COPY = re.compile(rb"(bulk\d{3})-\d+(?=\.test$)")
_QUEUE_BYTES = 4 << 20


class AnswerBook:
    """The answers of a root zone: CNAMEs followed, wildcards, empty non-terminals, NODATA and NXDOMAIN."""

    def __init__(self, zone: Path) -> None:
        self._data: dict[bytes, dict[int, list[bytes]]] = {}
        self._names: set[bytes] = {b""}
        for owner, rdataset in dns.zone.from_file(
            str(zone), origin=".", relativize=False, check_origin=False
        ).iterate_rdatasets():
            name = owner.to_text(omit_final_dot=True).lower().encode().removesuffix(b".")
            self._data.setdefault(name, {})[int(rdataset.rdtype)] = [rdata.to_wire() or b"" for rdata in rdataset]
            while name not in self._names:
                self._names.add(name)
                name = name.partition(b".")[2]
        (soa,) = self._data[b""][int(dns.rdatatype.SOA)]
        self._no_such = b"\x00" + _RECORD.pack(int(dns.rdatatype.SOA), 1, _TTL_S, len(soa)) + soa

    def answer(self, query: bytes, *, udp: bool) -> bytes:
        """Return the response to a query with one question."""
        name, end = _question(query)
        rdtype = int.from_bytes(query[end : end + 2], "big")
        owner, records, rcode = b"\xc0\x0c", list[bytes](), 0
        for _ in range(9):
            node = self._node(_COPY.sub(rb"\1", name))
            if node is None:
                rcode = _NXDOMAIN
                break
            found = node.get(rdtype)
            alias = None if found else node.get(_CNAME)
            for data in found or alias or ():
                records.append(owner + _RECORD.pack(rdtype if found else _CNAME, 1, _TTL_S, len(data)) + data)
            if not alias:
                break
            owner, name = alias[0], b".".join(_labels(alias[0])).lower()
        edns = query[end + 4 :].startswith(b"\x00\x00\x29")
        authority = b"" if records and not rcode else self._no_such
        counts = (1, len(records), int(bool(authority)), int(edns))
        body = query[12 : end + 4] + b"".join(records) + authority + (_OPT if edns else b"")
        room = max(512, int.from_bytes(query[end + 7 : end + 9], "big")) if edns else 512
        if udp and len(body) + 12 > room:
            return query[:2] + _HEADER.pack(0, _RESPONSE | _TRUNCATED, 1, 0, 0, 0)[2:] + query[12 : end + 4]
        return query[:2] + _HEADER.pack(0, _RESPONSE | rcode, *counts)[2:] + body

    def _node(self, name: bytes) -> dict[int, list[bytes]] | None:
        """Return what stands at a name ({} for an empty non-terminal), or at the wildcard above it; None: NXDOMAIN."""
        if name in self._names:
            return self._data.get(name, {})
        while name not in self._names:
            name = name.partition(b".")[2]
        return self._data.get(b"*." + name if name else b"*")


def _question(query: bytes) -> tuple[bytes, int]:
    """Return the name that is asked for, in lower case, and where it ends."""
    labels = list(_labels(query[12:]))
    return b".".join(labels).lower(), 12 + sum(len(label) + 1 for label in labels) + 1


def _labels(wire: bytes) -> Iterator[bytes]:
    at = 0
    while wire[at]:
        yield wire[at + 1 : at + 1 + wire[at]]
        at += 1 + wire[at]


@dataclass
class Stats:
    """What the questions were like since the last reset.

    `chain` is the longest run of questions of which each came after the one before had been answered: the client's
    own sequential round trips. `repeated` counts questions that had been asked before.
    """

    queries: int = 0
    tcp: int = 0
    repeated: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    chain: int = 0


class LatencyDns(asyncio.DatagramProtocol):
    """Listens on UDP and TCP of one address; use as an asynchronous context manager."""

    def __init__(self, book: AnswerBook, delay_s: float, host: str = "127.0.0.1", port: int = 0) -> None:
        self.stats = Stats()
        self.address = ""
        self._book = book
        self._delay_s = delay_s
        self._where = (host, port)
        self._seen: set[bytes] = set()

    def reset(self) -> None:
        self.stats = Stats()
        self._seen.clear()

    async def __aenter__(self) -> LatencyDns:
        self._loop = asyncio.get_running_loop()
        host, port = self._where
        self._listener = await asyncio.start_server(self._serve_tcp, host, port)
        port = self._listener.sockets[0].getsockname()[1]
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE_BYTES)
        sock.bind((host, port))
        self._udp, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=sock)
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._listener.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        due = self._loop.time() + self._delay_s
        link = self._begin(data)
        answer = self._book.answer(data, udp=True)
        self._loop.call_at(due, self._send, answer, addr, link)

    def _send(self, answer: bytes, addr: tuple[str, int], link: int) -> None:
        self._end(link)
        self._udp.sendto(answer, addr)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay_s)  # the handshake
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                query = await reader.readexactly(size)
                link = self._begin(query)
                self.stats.tcp += 1
                answer = self._book.answer(query, udp=False)
                await asyncio.sleep(self._delay_s)
                self._end(link)
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    def _begin(self, query: bytes) -> int:
        """Count a question; return its place in the chain."""
        stats = self.stats
        stats.queries += 1
        stats.repeated += query[12:] in self._seen
        self._seen.add(query[12:])
        stats.in_flight += 1
        stats.max_in_flight = max(stats.max_in_flight, stats.in_flight)
        return stats.chain + 1

    def _end(self, link: int) -> None:
        self.stats.in_flight -= 1
        self.stats.chain = max(self.stats.chain, link)


class OwnedDns:
    """The program below as a process of its own."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.address = address
        self._process = process

    def reset(self) -> None:
        self._say("reset")

    def stats(self) -> Stats:
        return Stats(**self._say("stats"))

    def _say(self, word: str) -> dict[str, int]:
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None
        assert heard is not None
        told.write(word + "\n")
        told.flush()
        answer: dict[str, int] = json.loads(heard.readline())
        return answer


@contextmanager
def latency_dns(zone: Path, delay_ms: float, listen: str) -> Iterator[OwnedDns]:
    """Run the program below at IP:PORT (0: any port) until the block ends."""
    command = [sys.executable, __file__, "--listen", listen, "--zone", str(zone), "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, _, address = process.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise RuntimeError(f"{' '.join(command)} did not start")
        try:
            yield OwnedDns(process, address)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=5)


async def _serve(listen: str, zone: Path, delay_ms: float) -> None:
    host, _, port = listen.rpartition(":")
    async with LatencyDns(AnswerBook(zone), delay_ms / 1000, host, int(port)) as server:
        print("ready", server.address, flush=True)
        words = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
        async for line in words:
            if line.strip() == b"reset":
                server.reset()
            print(json.dumps(asdict(server.stats)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="IP:PORT")
    parser.add_argument("--zone", type=Path, required=True, metavar="FILE")
    parser.add_argument("--delay-ms", type=float, default=30, metavar="MS")
    asked = parser.parse_args()
    asyncio.run(_serve(asked.listen, asked.zone, asked.delay_ms))


if __name__ == "__main__":
    main()
