"""A connection begun before the program is loaded: used when it is the wanted one, and never in the way."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from support.hostile import C, HostileServer, hostile_server
from support.scripted import Recorded
from support.zone import Zone

from smtpdoc.evidence.smtp import StageStatus, Transcript
from smtpdoc.gather.probe import ProbeOptions, gather_probe
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.early import EarlyConnection
from smtpdoc.target import Target

SCRIPT = (b"220 mx.example ESMTP\r\n", C, b"250 mx.example\r\n", C, b"221 bye\r\n")


def probe(
    *, early_host: str = "127.0.0.1", resolver: Zone | None = None, **wanted: Any
) -> tuple[Transcript, HostileServer, EarlyConnection]:
    async def session() -> tuple[Transcript, HostileServer, EarlyConnection]:
        async with hostile_server(SCRIPT) as server:
            early = EarlyConnection(early_host, server.port)
            dialer = TcpDialer(resolver, early=early)
            options = ProbeOptions(tls="none", helo="probe.example", timeout_s=3, **wanted)
            transcript = await gather_probe(Target("127.0.0.1", server.port), options, dialer, Recorded())
            early.close()
            await asyncio.sleep(0.05)
            return transcript, server, early

    return asyncio.run(session())


def test_the_early_connection_is_the_session() -> None:
    transcript, server, early = probe()

    assert transcript.outcome is StageStatus.OK
    assert server.sessions == 1
    assert server.commands == ["EHLO probe.example", "QUIT"]
    assert transcript.exchanges[0].elapsed_s == early.connect_s


def test_a_connection_from_another_address_is_not_the_wanted_one() -> None:
    transcript, server, _ = probe(source_ip="127.0.0.7")

    assert transcript.outcome is StageStatus.OK
    assert server.sessions == 2
    assert server.commands == ["EHLO probe.example", "QUIT"]


def test_an_early_connection_to_another_host_is_left_alone() -> None:
    transcript, _, _ = probe(early_host="localhost")

    assert transcript.outcome is StageStatus.OK


def test_what_fails_early_is_told_by_the_dialer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    early = EarlyConnection("127.0.0.1", port)
    options = ProbeOptions(timeout_s=2)

    transcript = asyncio.run(gather_probe(Target("127.0.0.1", port), options, TcpDialer(early=early), Recorded()))

    failure = transcript.exchanges[0].failure
    assert failure is not None
    assert failure.word == "refused"


def test_a_name_that_does_not_exist_is_told_by_the_dialer(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    early = EarlyConnection("nothing.example", 25)

    transcript = asyncio.run(
        gather_probe(Target("nothing.example", 25), ProbeOptions(timeout_s=2), TcpDialer(early=early), Recorded())
    )

    failure = transcript.exchanges[0].failure
    assert failure is not None
    assert failure.word == "no-address"


def test_a_closed_early_connection_gives_nothing_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        early = EarlyConnection("127.0.0.1", server.getsockname()[1])
        over = threading.Event()
        early.done.when(over.set)
        assert over.wait(3)
        early.close()

        assert early.take("127.0.0.1", early.port, None) is None


def test_beginning_early_loads_nothing_heavy() -> None:
    code = (
        "import sys; import smtpdoc.net.early; print([m for m in ('asyncio', 'ssl', 'aiosmtplib') if m in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
