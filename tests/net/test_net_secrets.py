"""No secret in anything that a probe keeps, tells or raises, whatever the server does with it."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.hostile import TLS, C, HostileServer, Step, hostile_server
from support.pki import server_context
from support.shelf import HOST

from smtpdoc.catalog.checks import smtp as smtp_checks
from smtpdoc.evidence.smtp import Exchange, Line, Stage, Transcript
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.target import Target

PASSWORD = "s3cret+Pa55/wörd?"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER")


class Watched:
    def __init__(self) -> None:
        self.seen: list[Line | Exchange] = []

    def line(self, line: Line) -> None:
        self.seen.append(line)

    def exchange(self, exchange: Exchange) -> None:
        self.seen.append(exchange)


def forms(secret: str) -> list[str]:
    """The secret as it is, percent-encoded, and in base64 at every alignment, cut to the part that stays the same."""
    raw = secret.encode()
    found = [secret, quote(secret), quote(secret, safe="")]
    for encode in (b64encode, urlsafe_b64encode):
        found += [encode(bytes(skip) + raw + bytes(3)).decode()[4:20] for skip in range(3)]
    return found


def probe(
    shelf: Path, mechanism: str, answers: tuple[Step, ...], caplog: pytest.LogCaptureFixture
) -> tuple[str, Transcript, HostileServer]:
    """Return all that a probe says anywhere, as one text, with the transcript and the server."""
    caplog.set_level(logging.DEBUG)
    ehlo = f"250-{HOST}\r\n250 AUTH {mechanism}\r\n".encode()
    script = (b"220 hi\r\n", C, b"250-mx\r\n250 STARTTLS\r\n", C, b"220 go\r\n", TLS, C, ehlo, C, *answers)
    context = server_context(shelf, "ec")
    options = ProbeOptions(
        timeout_s=2,
        helo="probe.example",
        ca_file=str(shelf / "ca.pem"),
        auth_user="alice",
        auth_mechanism=mechanism,
        secret=Secret(PASSWORD),
        token=mechanism in ("XOAUTH2", "OAUTHBEARER"),
    )
    watcher = Watched()

    async def session() -> tuple[Transcript, HostileServer, list[Any]]:
        async with hostile_server(script, context) as server:
            dialer = TcpDialer(overrides={HOST: ("127.0.0.1",)})
            run = Probe(Target(HOST, server.port), options, dialer, watcher)
            await run.run()
            run.close()
            return run.transcript(), server, [run, vars(run)]

    transcript, server, inner = asyncio.run(session())
    findings = smtp_checks.checks.run(transcript)
    told = (repr(transcript), repr(watcher.seen), repr(findings), repr(options), str(options), repr(inner), caplog.text)
    return "\n".join(told), transcript, server


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("answer", [b"235 2.7.0 welcome\r\n", b"535 5.7.8 no\r\n", b"334 \r\n", b"5"])
def test_a_login_leaves_no_trace_of_the_secret(
    shelf: Path, mechanism: str, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told, transcript, server = probe(shelf, mechanism, (answer, C, b"535 5.7.8 no\r\n", C, b"221 bye\r\n"), caplog)

    assert server.secure[1].startswith(f"AUTH {mechanism}")
    assert [form for form in forms(PASSWORD) if form in told] == []
    assert any(one.stage is Stage.AUTH for one in transcript.exchanges)


@pytest.mark.parametrize("form", forms(PASSWORD)[:3])
def test_a_server_that_echoes_the_secret_is_masked(shelf: Path, form: str, caplog: pytest.LogCaptureFixture) -> None:
    echo = f"535-5.7.8 bad password {form}!\r\n535 5.7.8 got {form}\r\n".encode()

    told, transcript, _ = probe(shelf, "PLAIN", (echo, C, b"221 bye\r\n"), caplog)

    assert [one for one in forms(PASSWORD) if one in told] == []
    reply = next(one.reply for one in transcript.exchanges if one.stage is Stage.AUTH)
    assert reply is not None
    assert reply.text == "bad password (hidden)! got (hidden)"


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"\0alice\0"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_server_that_echoes_base64_is_masked(
    shelf: Path, before: bytes, encode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    echo = b"535 5.7.8 you sent " + encode(before + PASSWORD.encode() + b"tail") + b" to me\r\n"

    told, transcript, _ = probe(shelf, "LOGIN", (echo, C, b"221 bye\r\n"), caplog)

    assert [one for one in forms(PASSWORD) if one in told] == []
    reply = next(one.reply for one in transcript.exchanges if one.stage is Stage.AUTH)
    assert reply is not None
    assert reply.text == "you sent (hidden) to me"


@pytest.mark.parametrize("ending", [b" and then nothing", b""])
def test_half_a_reply_with_the_secret_is_masked(shelf: Path, ending: bytes, caplog: pytest.LogCaptureFixture) -> None:
    told, transcript, _ = probe(shelf, "PLAIN", (b"535 no " + PASSWORD.encode() + ending, "close"), caplog)

    assert [one for one in forms(PASSWORD) if one in told] == []
    assert any(one.failure is not None and "(hidden)" in one.failure.detail for one in transcript.exchanges)


def test_no_reply_is_half_a_secret_in_what_is_no_smtp(shelf: Path, caplog: pytest.LogCaptureFixture) -> None:
    told, transcript, _ = probe(shelf, "PLAIN", (b"you said " + PASSWORD.encode() + b"\r\n",), caplog)

    assert [one for one in forms(PASSWORD) if one in told] == []
    assert any(one.failure is not None and one.failure.word == "not-smtp" for one in transcript.exchanges)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_what_the_server_says_about_a_token_is_not_taken_for_the_token(
    shelf: Path, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its JSON has words that the client's message has, too: "Bearer", and often the user name."""
    reason = b64encode(b'{"status":"401","schemes":"Bearer","scope":"user=alice"}')

    told, transcript, _ = probe(shelf, mechanism, (b"334 " + reason + b"\r\n", C, b"535 no\r\n", C, b"221\r\n"), caplog)

    (login,) = (one for one in transcript.exchanges if one.stage is Stage.AUTH)
    assert login.reply is not None
    assert login.reply.code == 535
    assert "status 401 (the token is wrong, expired or revoked), schemes Bearer, scope user=alice" in told
