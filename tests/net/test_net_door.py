"""A port that says nothing is tried for TLS, once, and nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.hostile import TLS, C, HostileServer, Pause, Raw, Step, hostile_server
from support.pki import server_context
from support.probing import gather_probe
from support.scripted import Recorded

from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.net import dial, session
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.failures import describe
from smtpdoc.net.smtp import Ending
from smtpdoc.target import Target

GREETING = b"220 mx.lab.example ESMTP\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SILENCE_S", 0.1)


def probe(shelf: Path, *script: Step, **wanted: Any) -> tuple[Transcript, HostileServer]:
    async def run() -> tuple[Transcript, HostileServer]:
        async with hostile_server(script, server_context(shelf, "ec")) as server:
            options = ProbeOptions(**{"helo": "probe.example", "timeout_s": 1.0, **wanted})
            target = Target("127.0.0.1", server.port)
            return await gather_probe(target, options, TcpDialer(), Recorded()), server

    return asyncio.run(run())


def greeting_failure(transcript: Transcript) -> str | None:
    failure = transcript.exchanges[1].failure
    return None if failure is None else failure.word


def test_a_port_that_waits_for_tls_is_named_before_the_time_is_over(shelf: Path) -> None:
    transcript, server = probe(shelf, TLS, GREETING, timeout_s=3)

    assert greeting_failure(transcript) == "speaks-tls"
    assert transcript.elapsed_s < 1
    assert (server.sessions, server.commands) == (2, [])


def test_a_web_server_waits_for_the_client_and_answers_tls_in_its_own_way(shelf: Path) -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\nno"
    transcript, _ = probe(shelf, Raw(), answer, timeout_s=3)
    failure = transcript.exchanges[1].failure

    assert failure is not None
    assert failure.word == "other-protocol"
    assert 'speaks HTTP, not SMTP (it sent "HTTP/1.1 400 Bad Request")' in failure.detail
    assert transcript.elapsed_s < 1


def test_a_port_that_is_known_for_something_else_is_not_taken_for_submission() -> None:
    ending = Ending("not-smtp", protocol="TLS")
    failure = describe(ending, Stage.GREETING, "mx.example", 443, implicit=False, greeted=False)

    assert failure.word == "other-protocol"
    assert failure.detail == "mx.example:443 speaks TLS from the start; port 443 is usually HTTPS, not SMTP"


def test_a_port_that_is_silent_for_good_is_waited_for(shelf: Path) -> None:
    transcript, server = probe(shelf, Pause(9))

    assert greeting_failure(transcript) == "timeout"
    assert server.sessions == 2


def test_a_late_greeting_is_taken(shelf: Path) -> None:
    late: Sequence[Step] = (Pause(0.3), GREETING, C, b"250 mx.lab.example\r\n", C, b"221 bye\r\n")
    transcript, server = probe(shelf, *late, tls="optional", timeout_s=3)

    assert transcript.outcome is StageStatus.OK
    assert "EHLO probe.example" in server.commands


@pytest.mark.parametrize("wanted", [{"tls": "none"}, {"tls": "implicit"}, {"quit_after": "ehlo"}])
def test_no_door_is_tried_that_the_session_would_not_use(shelf: Path, wanted: dict[str, Any]) -> None:
    _, server = probe(shelf, Pause(9), **wanted)

    assert server.sessions == 1


def test_between_servers_silence_is_patience(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> int:
        async with hostile_server((Pause(9),), server_context(shelf, "ec")) as server:
            monkeypatch.setattr(dial, "SMTP_PORT", server.port)
            await gather_probe(Target("127.0.0.1", server.port), ProbeOptions(timeout_s=0.5), TcpDialer(), Recorded())
            return server.sessions

    assert asyncio.run(run()) == 1
