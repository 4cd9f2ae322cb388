"""Greylisting as Debian's postgrey does it behind a Postfix: put off at first, let in after two seconds."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import pytest
from support.lab import HOST, MailServer
from support.zone import Zone

from smtpdoc.api.sessions import probe
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.grammar.message import parse_message
from smtpdoc.report import ExitCode, Report

pytestmark = pytest.mark.servers

ALICE, BOB = "alice@lab.example", "bob@lab.example"
OTHER_HOST = "mx2.lab.example"
HOSTS = (HOST, OTHER_HOST)


def ask(server: MailServer, *recipients: str, place: str = HOST, port: str = "greylist", **wanted: Any) -> Report:
    """Probe with a sender that nobody has seen before: the server remembers every triplet."""
    options = {"helo": "probe.example", "mail_from": f"s{secrets.token_hex(6)}@client.example", **wanted}
    return asyncio.run(
        probe(
            f"{place}:{server.ports[port]}",
            resolve=dict.fromkeys(HOSTS, (server.address,)),
            recipients=recipients,
            ca_file=str(server.ca_file),
            timeout_s=20,
            identity=False,
            **options,
        )
    )


def sessions(report: Report) -> tuple[Transcript, ...]:
    assert isinstance(report.evidence, ProbeEvidence)
    return report.evidence.sessions


def asked(session: Transcript) -> dict[str | None, StageStatus]:
    return {one.recipient: one.status for one in session.exchanges if one.stage is Stage.RCPT}


def ids(report: Report) -> list[str]:
    return [one.id.removeprefix("smtp.") for one in report.findings if "grey" in one.id or "rcpt" in one.id]


def test_the_server_says_how_long_and_lets_us_in_after_that(postfix: MailServer) -> None:
    began = time.monotonic()
    told: list[float] = []
    report = ask(postfix, ALICE, greylist_wait="auto", progress=told.append)
    first, second = sessions(report)

    assert first.exchanges[-2].reply is not None
    assert "please try again in 2 seconds" in first.exchanges[-2].reply.text
    assert (first.outcome, second.outcome) == (StageStatus.DEFERRED, StageStatus.OK)
    assert second.waited_s == 3, "what it said, and a second for clocks that differ"
    assert 3 <= time.monotonic() - began < 8
    assert [round(left) for left in told] == [3, 2, 1]
    assert report.exit_code is ExitCode.OK
    assert ids(report) == ["greylisted-then-accepted"]


def test_a_wait_that_is_long_enough_may_be_given(postfix: MailServer) -> None:
    report = ask(postfix, ALICE, greylist_wait=2.5)

    assert [one.outcome for one in sessions(report)] == [StageStatus.DEFERRED, StageStatus.OK]
    assert ids(report) == ["greylisted-then-accepted"]


def test_a_wait_that_is_too_short_is_greylisted_again(postfix: MailServer) -> None:
    report = ask(postfix, ALICE, greylist_wait=0.2)

    assert [one.outcome for one in sessions(report)] == [StageStatus.DEFERRED] * 2
    assert report.exit_code is ExitCode.NO_VERDICT
    assert ids(report) == ["rcpt-deferred"]


def test_of_several_recipients_only_the_one_put_off_is_asked_again(postfix: MailServer) -> None:
    report = ask(postfix, BOB, ALICE, "bob@elsewhere.example", greylist_wait=2.5)
    first, second = sessions(report)

    assert asked(first) == {
        BOB: StageStatus.OK,
        ALICE: StageStatus.DEFERRED,
        "bob@elsewhere.example": StageStatus.REFUSED,
    }
    assert asked(second) == {ALICE: StageStatus.OK}
    assert report.exit_code is ExitCode.FINDINGS
    assert ids(report) == ["rcpt-refused", "greylisted-then-accepted"]


def test_nobody_is_waited_for_who_is_let_in_at_once(postfix: MailServer) -> None:
    began = time.monotonic()
    report = ask(postfix, BOB, greylist_wait=30)

    assert len(sessions(report)) == 1
    assert time.monotonic() - began < 10


def test_each_of_several_mx_hosts_is_tried_again_at_the_same_time(postfix: MailServer) -> None:
    """They share what they have seen, as the hosts of one domain often do: both waits run side by side."""
    zone = Zone({"lab.example MX": [(10, HOST), (20, OTHER_HOST)], **{f"{name} A": postfix.address for name in HOSTS}})
    began = time.monotonic()
    report = ask(postfix, ALICE, place="lab.example", mx=True, resolver=zone, greylist_wait=2.5)

    assert [(one.host, one.attempt, one.outcome) for one in sessions(report)] == [
        (HOST, 1, StageStatus.DEFERRED),
        (HOST, 2, StageStatus.OK),
        (OTHER_HOST, 1, StageStatus.DEFERRED),
        (OTHER_HOST, 2, StageStatus.OK),
    ]
    assert time.monotonic() - began < 5


def message_answers(session: Transcript) -> list[tuple[Stage, StageStatus]]:
    return [(one.stage, one.status) for one in session.exchanges if one.stage in (Stage.DATA, Stage.MESSAGE)]


TAKEN = [(Stage.DATA, StageStatus.OK), (Stage.MESSAGE, StageStatus.OK)]


def test_a_message_goes_to_each_recipient_once(postfix: MailServer) -> None:
    report = ask(postfix, BOB, ALICE, message=parse_message(b"Subject: x\n\ny\n"), greylist_wait=2.5)

    assert [message_answers(one) for one in sessions(report)] == [TAKEN, TAKEN]
    accepted = [one.facts["recipients"] for one in report.findings if one.id == "smtp.message-accepted"]
    assert accepted == [(BOB,), (ALICE,)]


def test_a_message_that_is_put_off_at_data_is_sent_again(postfix: MailServer) -> None:
    message = parse_message(b"Subject: x\n\ny\n")
    report = ask(postfix, ALICE, port="greylist-at-data", message=message, greylist_wait="auto")
    first, second = sessions(report)

    assert message_answers(first) == [(Stage.DATA, StageStatus.DEFERRED)]
    assert message_answers(second) == TAKEN
    assert report.exit_code is ExitCode.OK
    assert "greylisted-then-accepted" in ids(report)
    assert not any(one.id == "smtp.message-deferred" for one in report.findings)
