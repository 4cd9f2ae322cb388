"""The recorder explains and tells everything in order, but never while there is something to be said."""

from __future__ import annotations

import asyncio

import pytest
from support.scripted import Recorded

from smtpdoc.api.recorder import Recorder
from smtpdoc.errors import TargetError
from smtpdoc.evidence.smtp import Exchange, Line, LineKind, Stage, StageStatus
from smtpdoc.grammar.reply import Reply, parse_reply


def line(text: str) -> Line:
    return Line(LineKind.NOTE, text, False, 0.0)


def exchange(stage: Stage, reply: str = "") -> Exchange:
    read: Reply | None = parse_reply(reply) if reply else None
    return Exchange(stage, "", read, None, False, 0.0, status=StageStatus.OK)


def test_outside_a_session_everything_is_told_at_once() -> None:
    seen = Recorded()
    recorder = Recorder(seen)

    recorder.line(line("one"))
    recorder.exchange(exchange(Stage.RCPT, "550 5.1.1 no such user"))

    assert [one.text for one in seen.lines] == ["one"]
    assert [one.explanation is not None for one in seen.exchanges] == [True]
    assert [one.lines_before for one in recorder.exchanges] == [1]


def test_within_a_session_the_watcher_waits_for_the_wire() -> None:
    seen = Recorded()

    async def session() -> tuple[int, int]:
        recorder = Recorder(seen)
        async with recorder.telling():
            recorder.line(line("one"))
            recorder.exchange(exchange(Stage.GREETING, "220 mx.example"))
            at_once = len(seen.lines)
            await asyncio.sleep(0.1)
            later = len(seen.lines)
        return at_once, later

    assert asyncio.run(session()) == (0, 1)


def test_the_end_of_a_session_and_its_exchanges_tell_all() -> None:
    seen = Recorded()

    async def session() -> int:
        recorder = Recorder(seen)
        async with recorder.telling():
            recorder.line(line("one"))
            recorder.exchange(exchange(Stage.CONNECT))
            asked = len(recorder.exchanges)
            recorder.line(line("two"))
        return asked

    assert asyncio.run(session()) == 1
    assert [one.text for one in seen.lines] == ["one", "two"]


def test_nothing_is_told_before_what_tells_it_is_loaded() -> None:
    seen = Recorded()

    async def session() -> tuple[int, int]:
        loaded = asyncio.get_running_loop().create_future()
        recorder = Recorder(seen, loaded=loaded)
        async with recorder.telling():
            recorder.line(line("one"))
            await asyncio.sleep(0.05)
            before = len(seen.lines)
            loaded.set_result(None)
            await asyncio.sleep(0.05)
            after = len(seen.lines)
        return before, after

    assert asyncio.run(session()) == (0, 1)


def test_a_session_that_ends_before_everything_is_loaded_tells_all() -> None:
    seen = Recorded()

    async def session() -> bool:
        loaded = asyncio.get_running_loop().create_future()
        recorder = Recorder(seen, loaded=loaded)
        async with recorder.telling():
            recorder.line(line("one"))
        return loaded.cancelled()

    assert not asyncio.run(session())
    assert [one.text for one in seen.lines] == ["one"]


class Broken(Recorded):
    def line(self, line: Line) -> None:
        raise BrokenPipeError


def test_a_watcher_that_fails_ends_the_session_with_its_own_error() -> None:
    async def session() -> None:
        recorder = Recorder(Broken())
        async with recorder.telling():
            recorder.line(line("one"))
            await asyncio.sleep(5)

    with pytest.raises(BrokenPipeError):
        asyncio.run(session())


def test_what_the_session_raises_comes_out_as_it_is() -> None:
    async def session() -> None:
        async with Recorder().telling():
            raise TargetError("no")

    with pytest.raises(TargetError, match="no"):
        asyncio.run(session())


def test_what_the_greeting_tells_is_a_hint_for_the_replies_after_it() -> None:
    recorder = Recorder()
    recorder.exchange(exchange(Stage.GREETING, "220 mx.lab.test ESMTP Postfix (Debian/GNU)"))
    recorder.exchange(exchange(Stage.RCPT, "450 4.2.0 <bob@lab.test>: Recipient address rejected: Greylisted"))
    recorder.exchange(exchange(Stage.MESSAGE, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred"))

    found = [one.explanation and one.explanation.provider for one in recorder.exchanges]

    # Server software is a weak hint: a receiver's own mark says more.
    assert ["postfix", "postfix", "yahoo"] == found


def test_an_unknown_greeting_hints_at_nothing() -> None:
    recorder = Recorder()
    recorder.exchange(exchange(Stage.GREETING, "220 mx.lab.test ESMTP ready"))
    recorder.exchange(exchange(Stage.RCPT, "550 not today"))

    assert [None, None] == [one.explanation and one.explanation.provider for one in recorder.exchanges]
