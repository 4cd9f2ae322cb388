"""The parts of aiosmtplib that net/smtp.py relies on: they are public, but the protocol class is not in its manual."""

from __future__ import annotations

import asyncio
import inspect

import aiosmtplib.protocol
import pytest
from aiosmtplib.errors import SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse
from support.hostile import C, hostile_server

from smtpdoc.grammar.reply import ReplyLine
from smtpdoc.net.smtp import Ending, TimedReply, Wire
from smtpdoc.net.tls import Channel

OVERRIDDEN = ("connection_made", "connection_lost", "data_received", "eof_received", "write", "read_response")


class Deaf:
    """A Listener that does nothing."""

    def line_received(self, line: ReplyLine, *, solicited: bool, encrypted: bool) -> None: ...

    def reply_unsolicited(self, reply: TimedReply) -> None: ...

    def secured(self, channel: Channel) -> None: ...

    def ended(self, ending: Ending, *, encrypted: bool) -> None: ...


def test_the_protocol_class_is_public() -> None:
    assert "SMTPProtocol" in aiosmtplib.protocol.__all__


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_is_overridden_exists_with_the_same_parameters(name: str) -> None:
    theirs, ours = (list(inspect.signature(getattr(one, name)).parameters) for one in (SMTPProtocol, Wire))

    assert ours == theirs
    assert not name.startswith("_")


def test_the_loop_can_be_handed_in() -> None:
    assert "loop" in inspect.signature(SMTPProtocol.__init__).parameters


def test_a_response_is_a_code_and_a_message() -> None:
    assert SMTPResponse(250, "ok")._asdict() == {"code": 250, "message": "ok"}


def test_their_execute_command_works_on_our_wire() -> None:
    async def session() -> tuple[SMTPResponse, SMTPResponse, int]:
        loop = asyncio.get_running_loop()
        async with hostile_server((b"220 hello\r\n", C, b"250-one\r\n250 two\r\n")) as server:
            wire = Wire(loop, Deaf(), loop.time)
            await loop.create_connection(lambda: wire, "127.0.0.1", server.port)
            greeting = await wire.read_response(1)
            answer = await wire.execute_command(b"NOOP", timeout=1)
            wire.close()
        return greeting, answer, wire.round_trips

    greeting, answer, round_trips = asyncio.run(session())

    assert (greeting, answer) == (SMTPResponse(220, "hello"), SMTPResponse(250, "one\ntwo"))
    assert round_trips == 3


def test_their_guard_against_injected_commands_stands_before_our_wire() -> None:
    async def session() -> None:
        loop = asyncio.get_running_loop()
        async with hostile_server((b"220 hello\r\n",)) as server:
            wire = Wire(loop, Deaf(), loop.time)
            await loop.create_connection(lambda: wire, "127.0.0.1", server.port)
            with pytest.raises(ValueError, match="control character"):
                await wire.execute_command(b"NOOP\r\nQUIT", timeout=1)
            wire.close()

    asyncio.run(session())


def test_a_dead_wire_raises_their_error_for_their_callers() -> None:
    async def session() -> None:
        loop = asyncio.get_running_loop()
        async with hostile_server((b"220 hello\r\n",)) as server:
            wire = Wire(loop, Deaf(), loop.time)
            await loop.create_connection(lambda: wire, "127.0.0.1", server.port)
            await wire.read_response(1)
            wire.close()
            with pytest.raises(SMTPServerDisconnected):
                await wire.read_response(1)

    asyncio.run(session())
