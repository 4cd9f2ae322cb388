"""Servers that do anything at all: each gets a transcript, a finding if it failed, and no secret."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
from support.hostile import CLOSE, RESET, TLS, C, Pause, Raw, Read, Step, hostile_server
from support.pki import server_context
from support.probing import gather_probe
from support.scripted import Recorded

from smtpdoc.catalog.checks import smtp, tls
from smtpdoc.evidence.smtp import StageStatus, Transcript
from smtpdoc.findings import Level
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.target import Target

PASSWORD = "s3cret-Pa55"
TIMEOUT_S = 0.25
AT_ONCE = 8

EHLO = b"250-mx\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5\r\n250 PIPELINING\r\n"
GOOD: tuple[Step, ...] = (
    *(b"220 hi\r\n", C, EHLO, C, b"220 go\r\n", TLS, C, EHLO, C, b"235 ok\r\n"),
    *(Read(3), b"250 ok\r\n550 no\r\n221 bye\r\n"),
)
PIECES: tuple[Step, ...] = (
    *(b"220 hi\r\n", EHLO, b"250 ok\r\n", b"334 \r\n", b"334 VXNlcm5hbWU6\r\n", b"235 ok\r\n", b"535 no\r\n"),
    *(b"421 bye\r\n", b"450 later\r\n", b"221 bye\r\n", b"25", b"0-", b"\xff\0", b"\x15\x03\x01\0\x02\x02\x46"),
    *(b"\x16\x03\x03\0\x05abcde", b"junk\r\n", b"250 a\n", b"354 go\r\n", b"535 " + PASSWORD.encode() + b"\r\n"),
    *(TLS, C, C, C, Raw(), Pause(0.01), CLOSE, RESET),
)


def script(chance: random.Random) -> list[Step]:
    """A good session with a few steps lost, doubled or replaced."""
    steps = list(GOOD)
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(steps))
        steps[place : place + chance.randint(0, 2)] = [chance.choice(PIECES) for _ in range(chance.randint(0, 2))]
        steps = steps or [CLOSE]
    return steps


@pytest.mark.parametrize("batch", range(4))
def test_whatever_a_server_does_there_is_an_answer(shelf: Path, batch: int) -> None:
    context = server_context(shelf, "ec")

    async def session(seed: int, slots: asyncio.Semaphore) -> tuple[Transcript, float]:
        chance = random.Random(seed)
        options = ProbeOptions(
            timeout_s=TIMEOUT_S,
            helo="probe.example",
            ca_file=str(shelf / "ca.pem"),
            tls=chance.choice(["auto", "optional", "none", "starttls"]),
            auth_user="alice",
            secret=Secret(PASSWORD),
            auth_mechanism=chance.choice([None, "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"]),
            allow_cleartext_auth=chance.random() < 0.5,
            mail_from="a@client.example",
            recipients=("bob@lab.example",),
        )
        async with slots, hostile_server(script(chance), context) as server:
            began = time.monotonic()
            transcript = await gather_probe(Target("127.0.0.1", server.port), options, TcpDialer(), Recorded())
            return transcript, time.monotonic() - began

    async def sessions() -> list[tuple[Transcript, float]]:
        # asyncio's own TLS server complains when it is treated badly; the client is what is tested here.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        slots = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(session(batch * 100 + number, slots) for number in range(40)))

    for transcript, elapsed_s in asyncio.run(sessions()):
        levels = {finding.level for finding in (*smtp.checks.run(transcript), *tls.checks.run(transcript))}

        assert transcript.outcome is StageStatus.OK or levels & {Level.ERROR, Level.UNKNOWN}
        assert elapsed_s < TIMEOUT_S + 0.5
        assert PASSWORD not in repr(transcript)
