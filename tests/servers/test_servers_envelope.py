"""The envelope as real servers take it: parameters, made-up and foreign recipients, VRFY and EXPN, a message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.lab import HOST, MailServer

from smtpdoc.api.sessions import probe
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Purpose, Stage, StageStatus, Transcript
from smtpdoc.grammar.message import parse_message
from smtpdoc.grammar.secret import Secret
from smtpdoc.report import Report

pytestmark = pytest.mark.servers

MAIL_SERVERS = ("postfix", "exim", "opensmtpd", "sendmail")
BOB = "bob@lab.example"


def ask(server: MailServer, port: int | None = None, **wanted: Any) -> Report:
    options = {"ca_file": str(server.ca_file), "helo": "probe.example", "mail_from": "a@client.example", **wanted}
    place = f"{HOST}:{server.mx_port if port is None else port}"
    return asyncio.run(probe(place, resolve={HOST: (server.address,)}, timeout_s=20, identity=False, **options))


def logged_in(server: MailServer, **wanted: Any) -> Report:
    secret = Secret(server.password)
    return ask(server, server.submission_port, auth_user=server.user, secret=secret, mail_from=BOB, **wanted)


def last(report: Report) -> Transcript:
    assert isinstance(report.evidence, ProbeEvidence)
    return report.evidence.sessions[-1]


def at(report: Report, stage: Stage, purpose: Purpose | None = None) -> list[Exchange]:
    return [one for one in last(report).exchanges if one.stage is stage and one.purpose is purpose]


def codes(exchanges: list[Exchange]) -> list[tuple[int | None, str | None]]:
    return [(one.reply.code, one.reply.enhanced) if one.reply else (None, None) for one in exchanges]


def ids(report: Report) -> set[str]:
    return {finding.id.removeprefix("smtp.") for finding in report.findings}


@pytest.fixture(params=MAIL_SERVERS)
def exchanger(request: pytest.FixtureRequest) -> MailServer:
    """Each server that takes mail from strangers."""
    server: MailServer = request.getfixturevalue(request.param)
    return server


# Parameters


def test_parameters_that_are_offered_are_taken(exchanger: MailServer) -> None:
    report = ask(
        exchanger,
        recipients=(BOB,),
        size_bytes=1000,
        body="8bitmime",
        dsn_ret="hdrs",
        dsn_envid="a b",
        dsn_notify=("never",),
        dsn_orcpt=True,
    )

    assert last(report).parameters == (
        *("SIZE=1000", "BODY=8BITMIME", "RET=HDRS", "ENVID=a+20b"),
        *("NOTIFY=NEVER", f"ORCPT=rfc822;{BOB}"),
    )
    assert last(report).withheld == ()
    assert last(report).outcome is StageStatus.OK


def test_requiretls_is_not_said_where_it_is_not_offered(exchanger: MailServer) -> None:
    report = ask(exchanger, recipients=(BOB,), require_tls=True)

    assert last(report).outcome is StageStatus.OK
    assert "parameter-not-offered" in ids(report)


#: What MAIL FROM gets with a size of 99 MB, and the finding that follows.
TOO_BIG = {
    "postfix": ((552, "5.3.4"), "mail-refused"),
    "exim": ((552, None), "mail-refused"),
    "opensmtpd": ((250, "2.0.0"), "size-over-limit"),  # names a limit, and does not hold MAIL FROM to it
    "sendmail": ((552, "5.2.3"), "mail-refused"),
}


def test_a_size_above_the_limit(exchanger: MailServer) -> None:
    report = ask(exchanger, size_bytes=99_999_999)
    expected, finding = TOO_BIG[exchanger.name]
    (mail,) = at(report, Stage.MAIL)

    assert codes([mail]) == [expected]
    assert finding in ids(report)
    if mail.status is StageStatus.REFUSED:
        assert mail.explanation is not None
        assert mail.explanation.reason == "message-too-big"


def test_dovecot_wants_a_login_before_any_parameter(dovecot: MailServer) -> None:
    report = ask(dovecot, dovecot.submission_port, size_bytes=99_999_999, verify=("bob",), expand=("list",))
    (mail,), (vrfy,) = at(report, Stage.MAIL), at(report, Stage.VRFY)

    assert codes([mail, vrfy]) == [(530, "5.7.0")] * 2
    assert mail.explanation is not None
    assert mail.explanation.reason == "auth-required"
    assert "vrfy-discloses" not in ids(report)


def test_the_null_sender_reaches_the_recipient(exchanger: MailServer) -> None:
    report = ask(exchanger, mail_from="<>", recipients=(BOB,))

    assert last(report).exchanges[-3].command == "MAIL FROM:<>"
    assert last(report).outcome is StageStatus.OK


def test_a_mailbox_that_is_not_ascii(exchanger: MailServer) -> None:
    """Postfix and Exim offer SMTPUTF8 and do not know the mailbox; the others cannot be told its name."""
    report = ask(exchanger, recipients=("rené@lab.example",))
    (rcpt,) = at(report, Stage.RCPT)

    if exchanger.name in ("postfix", "exim"):
        assert last(report).parameters == ("SMTPUTF8",)
        assert "reply-faults" not in ids(report), "with SMTPUTF8 a reply may name the address as it is"
        assert rcpt.status is StageStatus.REFUSED
        assert "rcpt-refused" in ids(report)
    else:
        assert (rcpt.reply, rcpt.status) == (None, StageStatus.SKIPPED)
        assert "smtputf8-not-offered" in ids(report)


# Made-up and foreign recipients


def test_no_server_of_the_lab_accepts_everybody_or_relays(exchanger: MailServer) -> None:
    report = ask(exchanger, recipients=(BOB,), catch_all=True, relay_test=True)

    assert [one.status for one in at(report, Stage.RCPT, Purpose.CONTROL)] == [StageStatus.REFUSED]
    assert [one.status for one in at(report, Stage.RCPT, Purpose.RELAY)] == [StageStatus.REFUSED] * 5
    assert {"unknown-refused", "relay-refused"} <= ids(report)
    assert not ids(report) & {"catch-all", "relay-accepted", "relay-syntax-accepted", "rcpt-refused"}
    assert last(report).outcome is StageStatus.OK


# VRFY and EXPN: (name → answer), and what is found

ASKED: dict[str, tuple[list[tuple[int, str | None]], set[str]]] = {
    "postfix": ([(252, "2.0.0"), (550, "5.1.1"), (500, "5.5.2")], {"vrfy-discloses", "vrfy-guarded"}),
    "exim": ([(250, None), (501, None), (550, None)], {"vrfy-discloses", "vrfy-guarded"}),
    "opensmtpd": ([(500, "5.5.1"), (500, "5.5.1"), (500, "5.5.1")], {"vrfy-guarded"}),
    "sendmail": ([(250, "2.1.5"), (550, "5.1.1"), (250, "2.1.5")], {"vrfy-discloses", "expn-discloses"}),
}


def test_what_servers_tell_about_their_mailboxes(exchanger: MailServer) -> None:
    report = ask(exchanger, verify=(BOB, "nosuchuser"), expand=("list",))
    answers, found = ASKED[exchanger.name]

    assert codes(at(report, Stage.VRFY) + at(report, Stage.EXPN)) == answers
    assert ids(report) & {"vrfy-discloses", "expn-discloses", "vrfy-guarded"} == found


# A message


def test_a_message_is_taken_and_its_queue_id_found(exchanger: MailServer) -> None:
    message = parse_message(b"Subject: a message\n\n.dots\n..\nand the end\n")
    report = ask(exchanger, recipients=(BOB,), message=message)
    (end,) = at(report, Stage.MESSAGE)

    assert [code for code, _ in codes([*at(report, Stage.DATA), end])] == [354, 250]
    (finding,) = (one for one in report.findings if one.id == "smtp.message-accepted")
    assert end.reply is not None
    assert finding.facts["queue_id"]
    assert str(finding.facts["queue_id"]) in end.reply.text


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_chunks_are_counted_as_real_servers_count_them(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them offers BINARYMIME, so this message is text, but it goes by BDAT."""
    monkeypatch.setattr("smtpdoc.gather.message.Delivery.obstacle", lambda *_: None)
    monkeypatch.setattr("smtpdoc.gather.message.CHUNK_BYTES", 1000)
    raw = b"From: a@client.example\r\nSubject: chunks\r\n\r\n" + b".a line with a dot\r\n" * 200
    report = ask(request.getfixturevalue(name), recipients=(BOB,), message=parse_message(raw, binary=True))
    said = [line.text for line in last(report).lines if line.text.startswith("BDAT")]

    assert said[:-1] == ["BDAT 1000"] * 4
    assert said[-1].endswith(" LAST")
    assert [code for code, _ in codes([*at(report, Stage.DATA), *at(report, Stage.MESSAGE)])] == [250] * 5
    assert "message-accepted" in ids(report)


def test_a_binary_message_stays_here_where_it_is_not_offered(exchanger: MailServer) -> None:
    report = ask(exchanger, recipients=(BOB,), message=parse_message(b"From: a@client.example\r\n\r\n\0", binary=True))

    assert at(report, Stage.MESSAGE) == []
    assert {"message-not-sent", "parameter-not-offered"} <= ids(report)


def test_after_a_login_a_message_is_taken_for_elsewhere_than_strangers_may(postfix: MailServer) -> None:
    report = logged_in(postfix, recipients=(BOB,), message=parse_message("Subject: x\n\né\n".encode()))

    assert "BODY=8BITMIME" in last(report).parameters
    assert "message-accepted" in ids(report)


def test_greylisting_is_waited_for_and_may_be_greylisting_still(postfix: MailServer) -> None:
    report = ask(postfix, recipients=(BOB, "grey@lab.example"), greylist_wait=0.1)
    assert isinstance(report.evidence, ProbeEvidence)
    first, second = report.evidence.sessions

    assert (first.outcome, second.outcome) == (StageStatus.DEFERRED, StageStatus.DEFERRED)
    assert [one.recipient for one in at(report, Stage.RCPT)] == ["grey@lab.example"]
    assert second.source_address == first.source_address
