"""Many probes at once in one process: processor time of each, and whether their times can still be believed.

The server is a process of its own and answers at once, on 127.0.0.0/8: each probe has a host to itself. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.pki import server_context, write_shelf

from smtpdoc.aio import probe
from smtpdoc.cli.main import SWEEP_AFTER
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.report import Report

HOST = "mx.bench.example"
AIM_MS = 3.0
EHLO = b"250-mx.bench.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
    writer.write(b"220 mx.bench.example ESMTP\r\n")
    try:
        while line := (await reader.readline()).upper():
            if line.startswith(b"EHLO"):
                writer.write(EHLO)
            elif line.startswith(b"STARTTLS"):
                writer.write(b"220 go ahead\r\n")
                await writer.start_tls(context)
            else:
                writer.write(b"221 bye\r\n")
                break
        await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # told by the client's report
    finally:
        writer.close()


async def serve(pki: Path, tell: Connection) -> None:
    context = server_context(pki, "ec")
    server = await asyncio.start_server(
        lambda reader, writer: answer(reader, writer, context), "0.0.0.0", 0, backlog=1000
    )
    tell.send(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


def serve_for_ever(pki: Path, tell: Connection) -> None:
    asyncio.run(serve(pki, tell))


async def probes(count: int, port: int, ca_file: Path) -> tuple[Sequence[Report], float, float]:
    """Return the reports, and the seconds of processor time and on the clock that they took together."""
    options = ProbeOptions(quit_after="starttls", ca_file=str(ca_file), server_name=HOST, helo="probe.example")
    hosts = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]
    cpu, clock = time.process_time(), time.perf_counter()
    reports = await asyncio.gather(*(probe(f"{host}:{port}", options) for host in hosts))
    return reports, time.process_time() - cpu, time.perf_counter() - clock


def transcripts(reports: Sequence[Report]) -> list[Transcript]:
    return [one.evidence.sessions[0] for one in reports if isinstance(one.evidence, ProbeEvidence)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200, metavar="PROBES", help="how many at once (default: 200)")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7; the first is not counted")
    arguments = parser.parse_args()
    gc.set_threshold(SWEEP_AFTER)  # as `smtpdoc probe TARGET...` does, whose work this is
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="smtpdoc-bench-") as name:
        pki = Path(name)
        write_shelf(pki, HOST, "127.0.0.1")
        hears, tells = spawn.Pipe(duplex=False)
        server = spawn.Process(target=serve_for_ever, args=(pki, tells), daemon=True)
        server.start()
        try:
            if not hears.poll(10):
                sys.exit("the server did not start")
            port: int = hears.recv()
            asyncio.run(probes(1, port, pki / "ca.pem"))  # imports and roots are loaded once
            rounds = [asyncio.run(probes(arguments.n, port, pki / "ca.pem")) for _ in range(arguments.rounds)][1:]
        finally:
            server.kill()
            server.join()
    finished = [one.outcome is StageStatus.OK and one.tls is not None for r, _, _ in rounds for one in transcripts(r)]
    each_ms = [cpu / arguments.n * 1000 for _, cpu, _ in rounds]
    walls = [wall for _, _, wall in rounds]
    hello = sorted(
        exchange.elapsed_s * 1000
        for reports, _, _ in rounds
        for one in transcripts(reports)
        for exchange in one.exchanges
        if exchange.stage is Stage.EHLO
    )
    late = hello[len(hello) * 95 // 100]
    print(f"{sum(finished)} of {len(finished)} sessions finished, {arguments.n} at once")
    print(f"processor time of each: median {statistics.median(each_ms):.2f} ms, best {min(each_ms):.2f} ms", end=" ")
    print(f"(aim: {AIM_MS:g}); all together: median {statistics.median(walls):.2f} s")
    print(f"time of an EHLO, as told: median {statistics.median(hello):.1f} ms, 95 of 100 up to {late:.1f} ms")


if __name__ == "__main__":
    main()
