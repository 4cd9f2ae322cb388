"""Greylisting waited for: the same triplet again, and the second answer decides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from support.hostile import C, Step, hostile_server
from support.scripted import reply

from smtpdoc.api import greylist
from smtpdoc.api.sessions import probe
from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus
from smtpdoc.report import ExitCode, Report

HOST = "mx.lab.example"
HELLO: tuple[Step, ...] = (b"220 mx.lab.example ESMTP\r\n", C, b"250 mx.lab.example\r\n", C, b"250 ok\r\n")
GREY = b"450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted, retry in 7 seconds\r\n"
BYE: tuple[Step, ...] = (C, b"221 bye\r\n")


def rcpts(*replies: bytes) -> tuple[Step, ...]:
    return (*HELLO, *(step for one in replies for step in (C, one)), *BYE)


def run(
    first: Sequence[Step],
    second: Sequence[Step],
    *recipients: str,
    wait: float | Literal["auto"] = 0.05,
    **wanted: Any,
) -> tuple[Report, list[str]]:
    """Probe a server that follows the second script once the wait has begun."""

    async def session() -> tuple[Report, list[str]]:
        async with hostile_server(first) as server:

            def waiting(left_s: float) -> None:
                server.script = second

            report = await probe(
                f"{HOST}:{server.port}",
                resolve={HOST: ("127.0.0.1",)},
                tls="none",
                helo="probe.example",
                recipients=recipients or ("bob@example.net",),
                greylist_wait=wait,
                progress=waiting,
                timeout_s=5,
                **wanted,
            )
            return report, server.commands

    return asyncio.run(session())


def ids(report: Report) -> list[str]:
    return [finding.id for finding in report.findings if finding.level.value != "pass"]


def test_the_second_answer_decides() -> None:
    report, commands = run(rcpts(GREY), rcpts(b"250 ok\r\n"))

    assert commands[:4] == commands[4:], "the same client, sender and recipient"
    assert isinstance(report.evidence, ProbeEvidence)
    first, second = report.evidence.sessions
    assert (first.superseded, first.outcome, first.attempt) == (True, StageStatus.DEFERRED, 1)
    assert (second.superseded, second.outcome, second.attempt) == (False, StageStatus.OK, 2)
    assert second.waited_s == 0.05
    assert report.exit_code is ExitCode.OK
    assert "smtp.greylisted-then-accepted" in ids(report)
    assert "smtp.rcpt-deferred" not in ids(report)


@pytest.mark.parametrize(
    ("again", "code", "expected"),
    [
        (GREY, ExitCode.NO_VERDICT, "smtp.rcpt-deferred"),
        (b"550 5.1.1 User unknown\r\n", ExitCode.FINDINGS, "smtp.rcpt-refused"),
    ],
)
def test_a_second_no_is_told_as_it_is(again: bytes, code: ExitCode, expected: str) -> None:
    report, _ = run(rcpts(GREY), rcpts(again))

    assert report.exit_code is code
    assert expected in ids(report)


def test_only_those_that_were_put_off_are_asked_again_and_the_others_are_not_forgotten() -> None:
    first = rcpts(b"550 5.1.1 User unknown\r\n", GREY)
    report, commands = run(first, rcpts(b"250 ok\r\n"), "nobody@example.net", "bob@example.net")

    assert [one for one in commands if one.startswith("RCPT")] == [
        "RCPT TO:<nobody@example.net>",
        "RCPT TO:<bob@example.net>",
        "RCPT TO:<bob@example.net>",
    ]
    assert [one for one in ids(report) if "rcpt" in one or "grey" in one] == [
        "smtp.rcpt-refused",
        "smtp.greylisted-then-accepted",
    ]


@pytest.mark.parametrize("answer", [b"250 ok\r\n", b"452 4.2.2 Mailbox full\r\n", b"550 5.1.1 User unknown\r\n"])
def test_no_other_answer_is_waited_for(answer: bytes) -> None:
    report, commands = run(rcpts(answer), rcpts(b"250 ok\r\n"))

    assert isinstance(report.evidence, ProbeEvidence)
    assert len(report.evidence.sessions) == 1
    assert len(commands) == 4


def test_an_interrupt_during_the_wait_gives_the_report_so_far() -> None:
    reports: list[Report] = []

    async def session() -> None:
        async with hostile_server(rcpts(GREY)) as server:
            begun = asyncio.Event()
            task = asyncio.create_task(
                probe(
                    f"{HOST}:{server.port}",
                    resolve={HOST: ("127.0.0.1",)},
                    tls="none",
                    recipients=("bob@example.net",),
                    greylist_wait=60,
                    progress=lambda left_s: begun.set(),
                    interrupted=reports.append,
                )
            )
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(session())

    (report,) = reports
    assert isinstance(report.evidence, ProbeEvidence)
    (transcript,) = report.evidence.sessions
    assert not transcript.superseded
    assert "smtp.rcpt-deferred" in ids(report)
    assert transcript.lines[-1].text == "greylisted; the same again in 60 s, as a mail server would"


def said(text: str, stage: Stage = Stage.RCPT) -> Exchange:
    answer = reply(text)
    return Exchange(
        *(stage, "", answer, None, False, 0.0, "bob@example.net"),
        status=StageStatus.DEFERRED,
        explanation=explain(answer, stage=stage.value),
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("450 4.2.0 Greylisted, retry in 60 seconds", 61),
        ("451 4.7.1 Greylisting in action, please come back later", 300),
        ("450 4.7.1 Greylisted for 10 minutes", 601),
        ("450 4.2.0 Greylisted, retry in 86400 seconds", 3600),
    ],
)
def test_how_long_a_server_makes_us_wait(text: str, seconds: float) -> None:
    assert greylist.hinted_s([said(text)]) == seconds


def test_a_greylisted_sender_puts_off_everybody() -> None:
    exchanges = [said("451 4.7.1 Greylisting in action", Stage.MAIL), said("503 no sender")]

    assert greylist.put_off(exchanges) == ("bob@example.net",)


@pytest.mark.parametrize("stage", [Stage.DATA, Stage.MESSAGE])
def test_a_greylisted_message_puts_off_those_that_it_was_for(stage: Stage) -> None:
    accepted = Exchange(Stage.RCPT, "", reply("250 ok"), None, False, 0.0, "bob@example.net")
    refused = replace(accepted, recipient="nobody@example.net", status=StageStatus.REFUSED)

    assert greylist.put_off([accepted, refused, said("451 4.7.1 Greylisting in action", stage)]) == ("bob@example.net",)
    assert greylist.put_off([accepted, said("451 4.3.0 Error: queue file write error", stage)]) == ()
