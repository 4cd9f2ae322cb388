"""A message over the wire: whole, at the server's pace, and with an end whatever the server does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path

import pytest
from support.hostile import CLOSE, RESET, TLS, C, Chunk, HostileServer, Message, Pause, Read, Step, hostile_server
from support.pki import server_context
from support.probing import gather_probe
from support.scripted import Recorded
from support.shelf import HOST

from smtpdoc.evidence.smtp import Exchange, FailureKind, LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.grammar.message import Message as Mail
from smtpdoc.grammar.message import parse_message
from smtpdoc.net.dial import TcpDialer
from smtpdoc.target import Target

TIMEOUT_S = 2.0
HELLO: tuple[Step, ...] = (b"220 mx.lab.example ESMTP\r\n", C, b"250 mx.lab.example\r\n", C)
ENVELOPE: tuple[Step, ...] = (b"250 ok\r\n", C, b"250 ok\r\n", C, b"354 go\r\n")
QUEUED: tuple[Step, ...] = (b"250 2.0.0 Ok: queued as 4F2a9\r\n", C, b"221 bye\r\n")
HEADER = b"From: a@client.example\r\nDate: x\r\nMessage-ID: <1@client.example>\r\n\r\n"


def send(
    script: Sequence[Step], message: Mail, shelf: Path | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[Transcript, HostileServer]:
    async def session() -> tuple[Transcript, HostileServer]:
        context = None
        if shelf is not None:
            context = server_context(shelf, "ec")
        async with hostile_server(script, context) as server:
            options = ProbeOptions(
                tls="optional",
                helo="probe.example",
                mail_from="a@client.example",
                recipients=("bob@example.net",),
                timeout_s=timeout_s,
                ca_file=None if shelf is None else str(shelf / "ca.pem"),
                message=message,
            )
            dialer = TcpDialer(overrides={HOST: ("127.0.0.1",)})
            return await gather_probe(Target(HOST, server.port), options, dialer, Recorded()), server

    return asyncio.run(session())


def end(transcript: Transcript) -> Exchange:
    (exchange,) = (one for one in transcript.exchanges if one.stage is Stage.MESSAGE)
    return exchange


def large() -> Mail:
    line = b".0123456789 abcdefghijklmnopqrstuvwxyz 0123456789\r\n"
    return parse_message(HEADER + line * 80_000)  # 4 MB, every line with a dot to double


def huge() -> Mail:
    """More than the buffers of two kernels take in."""
    block = b"0123456789 abcdefghijklmnopqrstuvwxyz 0123456789\r\n" * 2000
    return parse_message(lambda: chain([HEADER], repeat(block, 1000)))


def test_a_message_arrives_as_it_was_meant() -> None:
    message = parse_message(HEADER + b".\r\nhello\r\n")
    transcript, server = send((*HELLO, *ENVELOPE, Message(), *QUEUED), message)

    assert server.messages == [HEADER + b"..\r\nhello\r\n.\r\n"]
    assert end(transcript).status is StageStatus.OK
    assert [line.text for line in transcript.lines if line.kind is LineKind.SENT][-2:] == ["DATA", "QUIT"]


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_large_message_goes_at_the_servers_pace(encrypted: bool, shelf: Path) -> None:
    first: tuple[Step, ...] = HELLO
    if encrypted:
        offer = (b"250-mx.lab.example\r\n250 STARTTLS\r\n", C, b"220 go\r\n", TLS, C)
        first = (HELLO[0], C, *offer, b"250 mx.lab.example\r\n", C)
    message = large()
    script = (*first, *ENVELOPE, Pause(0.2), Message(8192), *QUEUED)
    transcript, server = send(script, message, shelf if encrypted else None, timeout_s=20)

    assert server.messages == [b"".join(message.wire())]
    assert end(transcript).status is StageStatus.OK
    assert end(transcript).encrypted is encrypted


def test_a_server_that_stops_reading_costs_the_timeout_and_no_more() -> None:
    message = huge()
    began = time.monotonic()
    transcript, _ = send((*HELLO, *ENVELOPE, Pause(30)), message, timeout_s=0.7)

    assert time.monotonic() - began < 0.7 + 0.5
    failure = end(transcript).failure
    assert failure is not None
    assert (failure.kind, failure.word) == (FailureKind.TIMEOUT, "message-cut-off")
    assert failure.detail.endswith(
        "did not answer the message in time; its end had not been sent yet, so nobody gets it"
    )


@pytest.mark.parametrize("how", [CLOSE, RESET])
def test_a_server_that_goes_away_in_the_middle_has_no_whole_message(how: str) -> None:
    transcript, _ = send((*HELLO, *ENVELOPE, Read(3), how), huge())
    failure = end(transcript).failure

    assert failure is not None
    assert failure.word == "message-cut-off"


def test_a_server_that_goes_away_at_the_end_may_have_taken_the_message() -> None:
    transcript, _ = send((*HELLO, *ENVELOPE, Message(), CLOSE), large(), timeout_s=20)
    failure = end(transcript).failure

    assert failure is not None
    assert failure.word == "eof"


def test_a_refusal_in_the_middle_is_the_answer() -> None:
    """Servers that see the limit pass by may say so and hang up."""
    script = (*HELLO, *ENVELOPE, Read(3), b"552 5.3.4 Message too big\r\n", Pause(0.2), CLOSE)
    transcript, _ = send(script, large())

    assert end(transcript).status is StageStatus.REFUSED


def test_no_word_of_the_message_is_in_the_transcript() -> None:
    message = parse_message(HEADER + b"a secret of the company\r\n")
    transcript, _ = send((*HELLO, *ENVELOPE, Message(), *QUEUED), message)

    assert "company" not in repr(transcript)
    assert "company" not in repr(ProbeOptions(message=message)) + repr(message)


# BDAT


BINARY: tuple[Step, ...] = (
    HELLO[0],
    C,
    b"250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n",
    C,
    b"250 ok\r\n",
    C,
    b"250 ok\r\n",
    C,
)


def binary(monkeypatch: pytest.MonkeyPatch, chunk_bytes: int) -> tuple[Mail, bytes]:
    monkeypatch.setattr("smtpdoc.gather.message.CHUNK_BYTES", chunk_bytes)
    raw = HEADER + b"\0.\n.\r\xff" * 50_000
    return parse_message(raw, binary=True), raw


def test_a_binary_message_goes_in_chunks_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    message, raw = binary(monkeypatch, 200_000)
    rest = len(raw) - 200_000
    script = (*BINARY, Chunk(200_000), b"250 200000 octets received\r\n", C, Chunk(rest), *QUEUED)
    transcript, server = send(script, message)
    sent = [line.text for line in transcript.lines if line.kind is LineKind.SENT]

    assert b"".join(server.messages) == raw
    assert server.commands[1].endswith(" BODY=BINARYMIME")
    assert sent[-3:] == ["BDAT 200000", f"BDAT {rest} LAST", "QUIT"]
    assert [one.stage for one in transcript.exchanges][-3:] == [Stage.DATA, Stage.MESSAGE, Stage.QUIT]
    assert end(transcript).status is StageStatus.OK


def test_after_a_refused_chunk_no_other_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    message, _ = binary(monkeypatch, 100_000)
    script = (*BINARY, Chunk(100_000), b"552 5.3.4 too much\r\n", C, b"221 bye\r\n")
    transcript, server = send(script, message)

    assert server.commands[-2:] == ["BDAT 100000", "QUIT"]
    assert transcript.outcome is StageStatus.REFUSED


def test_a_server_that_goes_away_between_chunks_has_no_whole_message(monkeypatch: pytest.MonkeyPatch) -> None:
    message, _ = binary(monkeypatch, 100_000)
    transcript, _ = send((*BINARY, Chunk(100_000), CLOSE), message)
    (chunk,) = (one for one in transcript.exchanges if one.stage is Stage.DATA)

    assert chunk.failure is not None
    assert chunk.failure.word == "message-cut-off"


def test_a_binary_message_is_not_pressed_through_data() -> None:
    script = (*HELLO, b"250 ok\r\n", C, b"250 ok\r\n", C, b"221 bye\r\n")
    transcript, server = send(script, parse_message(HEADER + b"\0", binary=True))
    (data,) = (one for one in transcript.exchanges if one.stage is Stage.DATA)

    assert server.commands[-1] == "QUIT"
    assert data.failure is not None
    assert data.failure.detail.endswith("mx.lab.example does not offer BINARYMIME and CHUNKING")
