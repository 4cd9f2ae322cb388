"""Findings about the envelope and about a message: what was asked, what was answered, and what that does not prove."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted import reply

from smtpdoc.catalog.checks import envelope, message, smtp
from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.smtp import (
    Exchange,
    Failure,
    FailureKind,
    MessageFacts,
    Purpose,
    Stage,
    StageStatus,
    Transcript,
    Withheld,
)

HOST = "mx.example.net"
BOB = "bob@example.net"
MADE_UP = "no-such-mailbox-1@example.net"
FOREIGN = "relay-test@example.com"
CONTROL, RELAY = Purpose.CONTROL, Purpose.RELAY
ACCEPTED = "250 2.1.5 Ok"
UNKNOWN = "550 5.1.1 <x>: Recipient address rejected: User unknown in local recipient table"
DENIED = "554 5.7.1 <x>: Relay access denied"
GREY = "450 4.2.0 <x>: Recipient address rejected: Greylisted, see http://postgrey.example"
LISTED = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"


def said(stage: Stage, text: str, recipient: str | None = None, purpose: Purpose | None = None) -> Exchange:
    answer = reply(text)
    status = {"4": StageStatus.DEFERRED, "5": StageStatus.REFUSED}.get(text[0], StageStatus.OK)
    explained = explain(answer, stage=stage.value)
    return Exchange(stage, "", answer, None, False, 0.0, recipient, status, explained, purpose=purpose)


def rcpt(text: str, recipient: str = BOB, purpose: Purpose | None = None) -> Exchange:
    return said(Stage.RCPT, text, recipient, purpose)


def session(*exchanges: Exchange, **changes: Any) -> Transcript:
    given: dict[str, Any] = {"mail_from": "a@client.example", "relay_to": FOREIGN} | changes
    return Transcript(HOST, "192.0.2.25", 25, "ipv4", "auto", StageStatus.OK, exchanges, (), **given)


def ids(transcript: Transcript) -> list[str]:
    runs = (checks.run(transcript) for checks in (smtp.checks, envelope.checks, message.checks))
    return [finding.id.removeprefix("smtp.") for run in runs for finding in run]


@pytest.mark.parametrize(
    ("real", "made_up", "expected"),
    [
        (ACCEPTED, ACCEPTED, ["catch-all"]),
        (ACCEPTED, UNKNOWN, ["unknown-refused"]),
        (ACCEPTED, "550 no", ["unknown-refused"]),  # whatever it says: the other one was accepted
        (UNKNOWN, UNKNOWN, ["rcpt-refused", "unknown-refused"]),
        (UNKNOWN, ACCEPTED, ["rcpt-refused", "catch-all"]),
        (LISTED, LISTED, ["rcpt-refused", "catch-all-unknown"]),
        (GREY, GREY, ["rcpt-deferred", "catch-all-unknown"]),
    ],
)
def test_a_made_up_recipient_tells_what_acceptance_is_worth(real: str, made_up: str, expected: list[str]) -> None:
    assert ids(session(rcpt(real), rcpt(made_up, MADE_UP, CONTROL))) == expected


def test_catch_all_says_what_is_not_proven() -> None:
    (finding,) = envelope.checks.run(session(rcpt(ACCEPTED), rcpt(ACCEPTED, MADE_UP, CONTROL)))

    assert finding.message == (
        f"{HOST} accepts every address at example.net, a made-up one too: its acceptance of {BOB} proves nothing"
    )


@pytest.mark.parametrize(
    ("plain", "hacked", "expected"),
    [
        (DENIED, DENIED, ["relay-refused"]),
        ("550 Invalid recipient: <x@example.com>", UNKNOWN, ["relay-refused"]),
        ("530 5.7.0 Authentication required.", DENIED, ["relay-refused"]),
        (ACCEPTED, DENIED, ["relay-accepted"]),
        (DENIED, ACCEPTED, ["relay-syntax-accepted"]),
        (ACCEPTED, ACCEPTED, ["relay-accepted", "relay-syntax-accepted"]),
        (GREY, GREY, ["relay-unclear"]),
        (LISTED, LISTED, ["relay-unclear"]),
    ],
)
def test_a_foreign_recipient_tells_whether_strangers_may_relay(plain: str, hacked: str, expected: list[str]) -> None:
    percent = "relay-test%example.com@example.net"

    assert ids(session(rcpt(plain, FOREIGN, RELAY), rcpt(hacked, percent, RELAY))) == expected


def test_routing_syntax_proves_nothing_where_every_address_is_accepted() -> None:
    percent = rcpt(ACCEPTED, "relay-test%example.com@example.net", RELAY)

    assert ids(session(rcpt(DENIED, FOREIGN, RELAY), percent, rcpt(ACCEPTED, MADE_UP, CONTROL))) == ["catch-all"]


@pytest.mark.parametrize(
    ("stage", "text", "expected"),
    [
        (Stage.VRFY, "252 2.0.0 alice", ["vrfy-guarded"]),
        (Stage.VRFY, "250 2.1.5 <alice@mx.example.net>", ["vrfy-discloses"]),
        (Stage.VRFY, UNKNOWN, ["vrfy-discloses"]),
        (Stage.VRFY, "502 5.5.1 VRFY command is disabled", ["vrfy-guarded"]),
        (Stage.VRFY, "530 5.7.0 Authentication required.", ["vrfy-guarded"]),
        (Stage.EXPN, "250-bob@example.net\n250 carol@example.net", ["expn-discloses"]),
        (Stage.EXPN, "550 Administrative prohibition", ["vrfy-guarded"]),
        (Stage.EXPN, "500 5.5.2 Error: command not recognized", ["vrfy-guarded"]),
    ],
)
def test_vrfy_and_expn(stage: Stage, text: str, expected: list[str]) -> None:
    assert ids(session(said(stage, text, "alice"))) == expected


def test_252_after_vrfy_is_explained_as_what_it_is() -> None:
    assert "neither confirms nor denies" in explain(reply("252 2.0.0 alice"), stage="vrfy").meaning


def test_parameters_that_were_not_sent() -> None:
    withheld = (Withheld("RET=HDRS", "DSN"), Withheld("REQUIRETLS", "REQUIRETLS"))
    messages = [found.message for found in envelope.checks.run(session(withheld=withheld))]

    assert messages[0].startswith(f"RET=HDRS was not sent: {HOST} does not offer DSN, which sends delivery")
    assert len(messages) == 2


def test_a_parameter_that_this_connection_is_too_weak_for_is_not_blamed_on_the_server() -> None:
    withheld = (Withheld("REQUIRETLS", "REQUIRETLS", "it wants verified TLS"),)
    (finding,) = envelope.checks.run(session(withheld=withheld))

    assert finding.message == "REQUIRETLS was not sent: it wants verified TLS"
    assert "Mend TLS" in finding.fix


def test_an_address_that_needs_smtputf8() -> None:
    failure = Failure(FailureKind.PROTOCOL, Stage.RCPT, "not sent", "smtputf8-not-offered")
    skipped = Exchange(Stage.RCPT, "", None, failure, False, 0.0, "rené@example.net", StageStatus.SKIPPED)

    assert ids(session(skipped)) == ["smtputf8-not-offered"]


@pytest.mark.parametrize(
    ("size_bytes", "text", "expected"),
    [(1001, "250 ok", ["size-over-limit"]), (1000, "250 ok", []), (1001, "552 5.3.4 too big", ["mail-refused"])],
)
def test_a_size_above_the_limit_that_is_accepted(size_bytes: int, text: str, expected: list[str]) -> None:
    transcript = session(
        said(Stage.MAIL, text), capabilities_before_tls={"SIZE": "1000"}, declared_size_bytes=size_bytes
    )

    assert ids(transcript) == expected


def test_greylisting_that_let_us_pass_the_second_time() -> None:
    second = {"attempt": 2, "waited_s": 300.0, "greylisted": (BOB,)}
    (finding,) = envelope.checks.run(session(rcpt(ACCEPTED), rcpt(ACCEPTED, "carol@example.net"), **second))

    assert finding.id == "smtp.greylisted-then-accepted"
    assert finding.message == f"{HOST} put {BOB} off at first and accepted it 300 s later"
    assert ids(session(rcpt(GREY), **second)) == ["rcpt-deferred"]


FACTS = MessageFacts(1234)


@pytest.mark.parametrize(
    ("data", "end", "expected"),
    [
        ("354 go", "250 2.0.0 Ok: queued as 4F2a9", ["message-accepted"]),
        ("354 go", "550 5.7.1 Message content rejected", ["message-refused"]),
        ("354 go", "451 4.3.0 Error: queue file write error", ["message-deferred"]),
        ("554 5.5.1 Error: no valid recipients", None, ["message-refused"]),
        ("451 4.3.2 not now", None, ["message-deferred"]),
    ],
)
def test_what_became_of_a_message(data: str, end: str | None, expected: list[str]) -> None:
    answers = [rcpt(ACCEPTED), said(Stage.DATA, data)] + ([said(Stage.MESSAGE, end)] if end else [])

    assert ids(session(*answers, message=FACTS)) == expected


def test_an_accepted_message_is_told_with_its_queue_id_and_not_as_delivered() -> None:
    answers = (rcpt(ACCEPTED), said(Stage.DATA, "354 go"), said(Stage.MESSAGE, "250 2.0.0 Ok: queued as 4F2a9"))
    (finding,) = message.checks.run(session(*answers, message=FACTS))

    assert finding.message == f"{HOST} accepted 1,234 bytes for {BOB}; in its log it is 4F2a9"
    assert finding.facts["queue_id"] == "4F2a9"
    assert "Accepted is not delivered" in finding.why


def test_a_message_that_went_out_twice_was_for_different_people() -> None:
    """The second session after a wait for greylisting sends it to those that were put off."""
    sent = (said(Stage.DATA, "354 go"), said(Stage.MESSAGE, "250 2.0.0 Ok: queued as 4F2a9"))
    again = (said(Stage.DATA, "354 go"), said(Stage.MESSAGE, "554 5.7.1 no"))
    found = list(message.checks.run(session(rcpt(ACCEPTED), *sent, rcpt(ACCEPTED, "eve@example.net"), *again)))

    assert [one.id for one in found] == ["smtp.message-accepted", "smtp.message-refused"]
    assert found[0].facts["recipients"] == (BOB,)


@pytest.mark.parametrize(
    ("stage", "kind", "word", "expected"),
    [
        (Stage.MESSAGE, FailureKind.TIMEOUT, "timeout", ["message-unconfirmed"]),
        (Stage.MESSAGE, FailureKind.TIMEOUT, "message-cut-off", ["message-cut-off"]),
        (Stage.DATA, FailureKind.CLOSED, "message-cut-off", ["message-cut-off"]),
        (Stage.DATA, FailureKind.PROTOCOL, "message-not-sent", ["message-not-sent"]),
        (Stage.DATA, FailureKind.SKIPPED_UNSAFE, "unsafe", ["message-not-safe"]),
        (Stage.DATA, FailureKind.PROTOCOL, "not-tried", []),  # the recipients' refusals are told
    ],
)
def test_a_message_without_an_answer(stage: Stage, kind: FailureKind, word: str, expected: list[str]) -> None:
    status = StageStatus.FAILED if stage is Stage.MESSAGE else StageStatus.SKIPPED
    failed = Exchange(stage, "", None, Failure(kind, stage, "why", word), False, 0.0, status=status)

    assert ids(session(failed, message=FACTS)) == expected


def unanswered(recipient: str, word: str = "eof") -> Exchange:
    failure = Failure(FailureKind.CLOSED, Stage.RCPT, f"{HOST}:25 closed the connection", word)
    return Exchange(Stage.RCPT, "", None, failure, False, 0.0, recipient, StageStatus.FAILED)


def test_whoever_hangs_up_after_a_refusal_is_asked_for_one_recipient_at_a_time() -> None:
    transcript = session(rcpt(UNKNOWN, "nobody@example.net"), unanswered(BOB), unanswered("eve@example.net"))
    (finding,) = (one for one in smtp.checks.run(transcript) if one.id == "smtp.no-answer")

    assert finding.message == f"{HOST}:25 closed the connection, once it had refused nobody@example.net"
    assert finding.fix.startswith("Ask for one recipient at a time")
    assert finding.paste == (f"smtpdoc probe {HOST}:25 --from a@client.example --to {BOB}",)


@pytest.mark.parametrize(
    ("others", "words"),
    [(("eve@example.net",), "; eve@example.net got"), (("eve@x", "max@x"), "; 2 recipients after it")],
)
def test_whoever_hangs_up_with_421_leaves_the_others_without_an_answer(others: tuple[str, ...], words: str) -> None:
    transcript = session(rcpt("421 4.7.0 too many errors"), *(unanswered(one) for one in others))
    (finding,) = smtp.checks.run(transcript)

    assert finding.id == "smtp.rcpt-deferred"
    assert words in finding.message


def test_after_an_acceptance_the_recipients_are_not_to_blame() -> None:
    (finding,) = smtp.checks.run(session(rcpt(ACCEPTED), unanswered("eve@example.net")))

    assert (finding.id, finding.message) == ("smtp.no-answer", f"{HOST}:25 closed the connection")


def test_a_refused_size_is_not_called_a_refused_sender() -> None:
    refused = said(Stage.MAIL, "552 5.3.4 Message size exceeds fixed limit")
    (plain,) = smtp.checks.run(session(refused, declared_size_bytes=99_999_999))
    offered = {"PIPELINING": "", "8BITMIME": "", "ENHANCEDSTATUSCODES": "", "SIZE": "10240000"}
    (limited,) = smtp.checks.run(
        session(refused, declared_size_bytes=99_999_999, capabilities_before_tls=offered, opportunistic=True)
    )

    assert plain.message.startswith(f"{HOST} refused a message of 99,999,999 bytes: 552")
    assert limited.message.startswith(
        f"{HOST} takes 10,240,000 bytes at most, and refused a message of 99,999,999: 552"
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bob", "501 bob: recipient address must contain a domain", "was not understood; ask with a domain"),
        ("bob", "252 2.0.0 bob", "neither confirms nor denies"),
        ("bob", "502 5.5.1 VRFY command is disabled", "gives nothing away"),
    ],
)
def test_what_an_answer_to_vrfy_keeps_to_itself(name: str, text: str, words: str) -> None:
    (finding,) = envelope.checks.run(session(said(Stage.VRFY, text, name)))

    assert finding.id == "smtp.vrfy-guarded"
    assert words in finding.message


def test_a_greylisted_recipient_comes_with_the_command_that_waits() -> None:
    (finding,) = smtp.checks.run(session(rcpt(GREY)))

    assert finding.paste == (f"smtpdoc probe {HOST}:25 --from a@client.example --to {BOB} --greylist-wait",)
