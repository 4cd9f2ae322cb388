"""A connection begun before the program is loaded: used when it is the wanted one, and never in the way."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from support.hostile import RESET, C, Flood, HostileServer, Pause, Step, hostile_server
from support.probing import gather_probe
from support.scripted import Recorded
from support.zone import Zone

from smtpdoc.evidence.smtp import LineKind, StageStatus, Transcript
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.early import EarlyConnection
from smtpdoc.target import Target

SCRIPT = (b"220 mx.example ESMTP\r\n", C, b"250 mx.example\r\n", C, b"221 bye\r\n")
#: The program is loading so long.
LOADING_S = 0.1


def probe(
    *,
    early_host: str = "127.0.0.1",
    resolver: Zone | None = None,
    early_helo: str | None = None,
    script: Sequence[Step] = SCRIPT,
    **wanted: Any,
) -> tuple[Transcript, HostileServer]:
    async def session() -> tuple[Transcript, HostileServer]:
        async with hostile_server(script) as server:
            early = EarlyConnection(early_host, server.port, helo=early_helo)
            await asyncio.sleep(LOADING_S)
            dialer = TcpDialer(resolver, early=early)
            options = ProbeOptions(**{"tls": "none", "helo": "probe.example", "timeout_s": 3, **wanted})
            transcript = await gather_probe(Target("127.0.0.1", server.port), options, dialer, Recorded())
            early.close()
            await asyncio.sleep(0.05)
            return transcript, server

    return asyncio.run(session())


def test_the_early_connection_is_the_session() -> None:
    transcript, server = probe()

    assert transcript.outcome is StageStatus.OK
    assert server.sessions == 1
    assert server.commands == ["EHLO probe.example", "QUIT"]


def test_what_was_said_early_is_told_with_its_own_time() -> None:
    transcript, server = probe(early_helo="probe.example")

    texts = [line.text for line in transcript.lines]
    assert texts[2:5] == ["220 mx.example ESMTP", "EHLO probe.example", "250 mx.example"]
    assert [line.at_s for line in transcript.lines] == sorted(line.at_s for line in transcript.lines)
    assert transcript.lines[4].at_s < LOADING_S < transcript.lines[5].at_s
    assert transcript.exchanges[2].elapsed_s < LOADING_S
    assert (transcript.elapsed_s > LOADING_S, transcript.round_trips) == (True, 4)
    assert (server.sessions, server.commands) == (1, ["EHLO probe.example", "QUIT"])


@pytest.mark.parametrize(
    ("script", "spoken"),
    [
        ((b"220-mx.example\r\n220 ESMTP\r\n", *SCRIPT[1:]), True),
        ((b"220\r\n", *SCRIPT[1:]), True),
        ((b"220-mx.example\r\n", Pause(0.3), b"220 ESMTP\r\n", *SCRIPT[1:]), False),
        ((b"220 mx.example ES", Pause(0.3), b"MTP\r\n", *SCRIPT[1:]), False),
        ((b"554 not today\r\n", C, b"221 bye\r\n"), False),
        ((b"220 mx.example\n", *SCRIPT[1:]), False),
        ((b"220-mx.example\r\n250 ESMTP\r\n", *SCRIPT[1:]), False),
        ((b"220 mx.example\r\n220 mx.example\r\n", *SCRIPT[1:]), False),
        ((b"220 " + b"x" * 600 + b"\r\n", *SCRIPT[1:]), False),
        ((RESET,), False),
    ],
)
def test_only_a_plain_greeting_is_answered_early_and_the_session_is_the_same_as_ever(
    script: Sequence[Step], spoken: bool
) -> None:
    early, server = probe(early_helo="probe.example", script=script)
    usual, _ = probe(script=script)

    assert _texts(usual) == _texts(early)
    assert [(one.stage, one.status) for one in usual.exchanges] == [(one.stage, one.status) for one in early.exchanges]
    said = [line.at_s for line in early.lines if line.kind is LineKind.SENT]
    assert spoken == (said[:1] < [LOADING_S] if said else False)
    assert server.sessions == 1


def _texts(transcript: Transcript) -> list[str]:
    return [line.text.replace(f":{transcript.port}", ":PORT") for line in transcript.lines]


def test_a_connection_on_which_another_name_was_given_is_not_the_wanted_one() -> None:
    transcript, server = probe(early_helo="other.example")

    assert transcript.outcome is StageStatus.OK
    assert server.sessions == 2


def test_a_connection_on_which_ehlo_was_said_is_not_for_a_session_without() -> None:
    transcript, server = probe(early_helo="probe.example", quit_after="greeting")

    assert "EHLO" not in " ".join(line.text for line in transcript.lines)
    assert server.sessions == 2


def test_without_a_name_we_give_our_own() -> None:
    transcript, server = probe(early_helo="", helo=None)

    assert server.sessions == 1
    assert server.commands[0] == f"EHLO {transcript.helo}"


def test_what_a_server_says_for_ever_is_not_kept() -> None:
    transcript, _ = probe(early_helo="probe.example", script=(SCRIPT[0], C, Flood(b"250-x\r\n" * 100)), timeout_s=2)

    assert transcript.exchanges[-1].failure is not None
    assert transcript.exchanges[-1].failure.word == "reply-too-long"


def test_a_connection_from_another_address_is_not_the_wanted_one() -> None:
    transcript, server = probe(source_ip="127.0.0.7")

    assert transcript.outcome is StageStatus.OK
    assert server.sessions == 2
    assert server.commands == ["EHLO probe.example", "QUIT"]


def test_an_early_connection_to_another_host_is_left_alone() -> None:
    transcript, _ = probe(early_host="localhost")

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


@pytest.mark.parametrize("helo", [None, "probe.example"])
def test_a_closed_early_connection_gives_nothing_away(helo: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        early = EarlyConnection("127.0.0.1", server.getsockname()[1], helo=helo)
        over = threading.Event()
        early.done.when(over.set)
        assert over.wait(3)
        early.close()

        assert early.take("127.0.0.1", early.port, None, helo) is None


def test_beginning_early_loads_nothing_heavy() -> None:
    heavy = ("asyncio", "ssl", "aiosmtplib", "typing", "dataclasses")
    code = f"import sys; import smtpdoc.net.early; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
