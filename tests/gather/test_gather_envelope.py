"""The envelope: parameters, made-up and foreign recipients, VRFY and EXPN, and a message that is really sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.probing import gather_probe
from support.scripted import Answer, Recorded, ScriptedDialer, ScriptedSession
from support.zone import run_now

from smtpdoc.errors import ParseError
from smtpdoc.evidence.smtp import (
    Certificate,
    Exchange,
    Failure,
    FailureKind,
    LineKind,
    Purpose,
    Stage,
    StageStatus,
    TlsFacts,
    Transcript,
    Withheld,
)
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.grammar.message import parse_message
from smtpdoc.grammar.secret import Secret
from smtpdoc.target import Target

HOST = "mx.example.net"
GREETING = f"220 {HOST} ESMTP"
BYE = "221 bye"
BOB = "bob@example.net"
SENDER = "a@client.example"
MESSAGE = parse_message(b"From: a@client.example\nDate: x\nMessage-ID: <1@client.example>\n\n.hello\n")
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def ehlo(*keywords: str) -> str:
    lines = (HOST, *keywords)
    return "\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)


def tls(**changes: Any) -> TlsFacts:
    leaf = Certificate("CN=mx", "CN=ca", (HOST,), NOW, NOW, "EC P-256", "ecdsa-with-SHA256", "00")
    given: dict[str, Any] = {"trusted": True, "name_matches": True, "verify_code": 0} | changes
    return TlsFacts(
        "TLSv1.3", "x", 256, (leaf,), expired=False, self_signed=False, days_left=9, server_name=HOST, **given
    )


def probe(
    *answers: Answer, port: int = 25, tls_facts: TlsFacts | None = None, **wanted: Any
) -> tuple[Transcript, ScriptedSession]:
    """A session on port 25 in clear, unless told otherwise."""
    session = ScriptedSession(answers, tls_facts)
    options = ProbeOptions(**{"helo": "probe.example", "mail_from": SENDER, **wanted})
    dialer = ScriptedDialer(session)
    return run_now(gather_probe(Target(HOST, port, port == 465), options, dialer, Recorded())), session


def told(transcript: Transcript, *stages: Stage) -> list[str]:
    return [f"{one.stage} {one.status}" for one in transcript.exchanges if not stages or one.stage in stages]


# Parameters

EVERYTHING = ("SIZE 1000", "8BITMIME", "BINARYMIME", "DSN", "REQUIRETLS", "SMTPUTF8")
WISHES: dict[str, Any] = {
    "size_bytes": 99,
    "body": "binarymime",
    "dsn_notify": ("success", "failure"),
    "dsn_ret": "hdrs",
    "dsn_envid": "a b",
    "require_tls": True,
}


def test_parameters_are_said_where_they_are_offered() -> None:
    answers = (GREETING, ehlo("STARTTLS"), "220 go", ehlo(*EVERYTHING), "250 ok", "250 ok", BYE)
    transcript, session = probe(*answers, recipients=(BOB,), tls_facts=tls(), **WISHES)

    assert session.commands[-3:-1] == [
        f"MAIL FROM:<{SENDER}> SIZE=99 BODY=BINARYMIME RET=HDRS ENVID=a+20b REQUIRETLS",
        f"RCPT TO:<{BOB}> NOTIFY=SUCCESS,FAILURE",
    ]
    assert transcript.withheld == ()
    assert transcript.parameters[0] == "SIZE=99"


def test_parameters_that_are_not_offered_stay_home() -> None:
    transcript, session = probe(GREETING, ehlo("HELP"), "250 ok", "250 ok", BYE, recipients=(BOB,), **WISHES)

    assert session.commands[1:3] == [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{BOB}>"]
    assert Withheld("RET=HDRS", "DSN") in transcript.withheld
    assert {one.keyword for one in transcript.withheld} == {"SIZE", "BINARYMIME", "DSN", "REQUIRETLS"}


def test_each_recipient_may_be_named_in_orcpt_and_nobody_else() -> None:
    transcript, session = probe(
        *(GREETING, ehlo("DSN"), *["250 ok"] * 4, BYE),
        recipients=(BOB, "eve@example.net"),
        dsn_orcpt=True,
        dsn_notify=("never",),
        catch_all=True,
        control_name="nobody",
    )

    assert session.commands[2:5] == [
        f"RCPT TO:<{BOB}> NOTIFY=NEVER ORCPT=rfc822;{BOB}",
        "RCPT TO:<eve@example.net> NOTIFY=NEVER ORCPT=rfc822;eve@example.net",
        "RCPT TO:<nobody@example.net>",
    ]
    assert transcript.parameters == ("NOTIFY=NEVER", f"ORCPT=rfc822;{BOB}", "ORCPT=rfc822;eve@example.net")


def test_what_is_not_offered_is_told_once() -> None:
    transcript, _ = probe(GREETING, ehlo(), *["250 ok"] * 3, BYE, recipients=(BOB, "eve@example.net"), dsn_orcpt=True)

    assert transcript.withheld == (Withheld("ORCPT", "DSN"),)


def test_a_goodbye_is_nobodys_verdict() -> None:
    """A server that answers fewer replies than it was sent commands: its 221 is for QUIT, whoever waits for one."""
    transcript, _ = probe(
        GREETING, ehlo("PIPELINING"), "250 ok", "550 no", BYE, recipients=(BOB, "eve@example.net", "max@example.net")
    )
    _, unanswered, last, end = transcript.exchanges[-4:]

    assert told(transcript, Stage.RCPT) == ["rcpt refused", "rcpt failed", "rcpt failed"]
    assert (unanswered.reply, last.reply) == (None, None)
    assert unanswered.failure is not None
    assert "(221) with 2 commands unanswered" in unanswered.failure.detail
    assert (end.stage, end.command, end.status) == (Stage.QUIT, "QUIT", StageStatus.OK)


@pytest.mark.parametrize("facts", [tls(trusted=False), tls(name_matches=False), None])
def test_requiretls_is_not_said_where_tls_itself_is_not_verified(facts: TlsFacts | None) -> None:
    answers = (GREETING, ehlo("STARTTLS"), "220 go") if facts is not None else (GREETING,)
    transcript, session = probe(*answers, ehlo("REQUIRETLS"), "250 ok", BYE, tls_facts=facts, require_tls=True)
    (withheld,) = transcript.withheld

    assert f"MAIL FROM:<{SENDER}>" in session.commands
    assert withheld.detail.startswith("it wants verified TLS")


def test_a_parameter_alone_asks_for_the_sender() -> None:
    _, session = probe(GREETING, ehlo("SIZE"), "250 ok", BYE, mail_from=None, size_bytes=5)

    assert session.commands[1:] == ["MAIL FROM:<postmaster@probe.example> SIZE=5", "QUIT"]


def test_the_null_sender() -> None:
    _, session = probe(GREETING, ehlo(), "250 ok", "250 ok", BYE, mail_from="<>", recipients=(BOB,))

    assert session.commands[1] == "MAIL FROM:<>"


# Addresses that are not ASCII


def test_without_smtputf8_a_domain_is_told_in_a_labels() -> None:
    transcript, session = probe(GREETING, ehlo(), "250 ok", "250 ok", BYE, recipients=("bob@bücher.example",))

    assert session.commands[2] == "RCPT TO:<bob@xn--bcher-kva.example>"
    assert transcript.exchanges[-2].recipient == "bob@bücher.example"


def test_a_domain_is_told_in_the_labels_of_idna_2008() -> None:
    _, plain = probe(GREETING, ehlo(), "250 ok", "250 ok", BYE, recipients=("bob@STRAẞE.example",))
    _, utf8 = probe(GREETING, ehlo("SMTPUTF8"), "250 ok", "250 ok", BYE, recipients=("rené@STRAẞE。example",))

    assert plain.commands[2] == "RCPT TO:<bob@xn--strae-oqa.example>"
    assert utf8.commands[2] == "RCPT TO:<rené@straße.example>"


def test_without_smtputf8_a_mailbox_in_other_letters_is_not_told_at_all() -> None:
    wanted = ("rené@example.net", BOB)
    transcript, session = probe(GREETING, ehlo("PIPELINING"), "250 ok", "250 ok", BYE, recipients=wanted)

    assert session.commands[1:] == [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{BOB}>", "QUIT"]
    assert told(transcript, Stage.RCPT) == ["rcpt ok", "rcpt skipped"]
    assert transcript.outcome is StageStatus.FAILED


def test_a_sender_in_other_letters_needs_smtputf8_too() -> None:
    transcript, session = probe(GREETING, ehlo(), BYE, mail_from="rené@client.example", recipients=(BOB,))

    assert session.commands[1:] == ["QUIT"]
    assert told(transcript, Stage.MAIL) == ["mail skipped"]


# Made-up and foreign recipients


def test_a_control_at_each_domain_once() -> None:
    recipients = (BOB, "carol@EXAMPLE.net", "dan@example.org", "postmaster")
    answers = ["250 ok"] * 5 + ["550 no", "550 no"]
    transcript, session = probe(
        GREETING, ehlo(), *answers, BYE, recipients=recipients, catch_all=True, control_name="made-up"
    )

    assert session.commands[-3:-1] == ["RCPT TO:<made-up@example.net>", "RCPT TO:<made-up@example.org>"]
    assert [one.purpose for one in transcript.exchanges if one.stage is Stage.RCPT][-2:] == [Purpose.CONTROL] * 2
    assert transcript.outcome is StageStatus.OK, "a refusal of a control is no refusal"


def test_controls_are_made_up_anew() -> None:
    names = set()
    for _ in range(3):
        _, session = probe(GREETING, ehlo(), "250 ok", "250 ok", "550 no", BYE, recipients=(BOB,), catch_all=True)
        names.add(session.commands[3])

    assert len(names) == 3
    assert all(name.startswith("RCPT TO:<no-such-mailbox-") for name in names)


def test_relaying_is_tried_in_five_forms_and_never_with_a_message() -> None:
    refused = ["554 5.7.1 Relay access denied"] * 5
    transcript, session = probe(
        GREETING, ehlo(), "250 ok", *refused, BYE, relay_test=True, relay_to="x@elsewhere.example"
    )

    assert session.commands[2:] == [
        "RCPT TO:<x@elsewhere.example>",
        f"RCPT TO:<x%elsewhere.example@{HOST}>",
        f"RCPT TO:<elsewhere.example!x@{HOST}>",
        f'RCPT TO:<"x@elsewhere.example"@{HOST}>',
        f"RCPT TO:<@{HOST}:x@elsewhere.example>",
        "QUIT",
    ]
    assert transcript.relay_to == "x@elsewhere.example"
    assert transcript.outcome is StageStatus.OK


def test_relay_syntax_uses_the_recipients_domain() -> None:
    _, session = probe(GREETING, ehlo(), *["250 ok"] * 2, *["550 no"] * 5, BYE, relay_test=True, recipients=(BOB,))

    assert session.commands[4] == "RCPT TO:<relay-test%example.com@example.net>"


# VRFY and EXPN


def test_questions_come_one_by_one_before_the_envelope() -> None:
    answers = ("252 ok", "550 no", "502 no", "250 ok", "250 ok")
    transcript, session = probe(
        GREETING,
        ehlo("PIPELINING"),
        *answers,
        BYE,
        verify=("alice", "x@y.example"),
        expand=("list",),
        recipients=(BOB,),
    )

    assert session.sent[1:4] == [("VRFY alice",), ("VRFY x@y.example",), ("EXPN list",)]
    assert told(transcript, Stage.VRFY, Stage.EXPN) == ["vrfy ok", "vrfy refused", "expn refused"]
    assert transcript.outcome is StageStatus.OK


def test_a_question_in_other_letters_needs_smtputf8() -> None:
    transcript, session = probe(GREETING, ehlo(), BYE, mail_from=None, verify=("rené",))
    _, other = probe(GREETING, ehlo("SMTPUTF8"), "252 ok", BYE, mail_from=None, verify=("rené",))

    assert session.commands[1:] == ["QUIT"]
    assert told(transcript, Stage.VRFY) == ["vrfy skipped"]
    assert other.commands[1] == "VRFY rené SMTPUTF8"


@pytest.mark.parametrize("name", ["", "a\r\nQUIT", "a\x00", "x" * 501])
def test_what_is_no_question(name: str) -> None:
    with pytest.raises(ParseError):
        probe(verify=(name,))


# A message


def test_a_message_goes_out_after_the_recipients_and_quit_after_it() -> None:
    answers = ("250 ok", "250 ok", "550 no", "354 go", "250 2.0.0 queued as 4F2a9")
    transcript, session = probe(
        GREETING,
        ehlo("PIPELINING", "SIZE 1000"),
        *answers,
        BYE,
        recipients=(BOB, "nobody@example.net"),
        message=MESSAGE,
    )

    assert session.sent[1:] == [
        (f"MAIL FROM:<{SENDER}> SIZE={len(MESSAGE.data)}", f"RCPT TO:<{BOB}>", "RCPT TO:<nobody@example.net>"),
        ("DATA",),
        ("QUIT",),
    ]
    assert session.messages == [b"".join(MESSAGE.wire())]
    assert told(transcript, Stage.DATA, Stage.MESSAGE) == ["data ok", "message ok"]
    assert [line.text for line in transcript.lines if line.kind is LineKind.NOTE][-1] == "message, 75 bytes"
    assert not any("hello" in line.text for line in transcript.lines)


def test_what_was_added_is_told() -> None:
    transcript, session = probe(
        GREETING, ehlo(), *["250 ok"] * 2, "354 go", "250 ok", BYE, recipients=(BOB,), message=parse_message(b"hello")
    )

    assert session.messages[0].startswith(b"Date: ")
    assert b"\r\nFrom: a@client.example\r\n\r\nhello\r\n.\r\n" in session.messages[0]
    assert transcript.message is not None
    assert transcript.message.added == ("Date", "From")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("250 ok", "550 no"), ["data skipped"]),
        (("550 no",), ["data skipped"]),
        (("250 ok", "250 ok", "554 no"), ["data refused"]),
        (("250 ok", "250 ok", "250 what"), ["data refused"]),
        (("250 ok", "250 ok", "354 go", "552 too big"), ["data ok", "message refused"]),
        (("250 ok", "250 ok", "354 go", "354 again"), ["data ok", "message refused"]),
    ],
)
def test_no_message_without_leave(answers: tuple[str, ...], expected: list[str]) -> None:
    transcript, session = probe(GREETING, ehlo(), *answers, BYE, recipients=(BOB,), message=MESSAGE)

    assert told(transcript, Stage.DATA, Stage.MESSAGE) == expected
    assert bool(session.messages) is (expected[0] == "data ok")


def test_a_server_that_goes_away_in_the_middle_of_a_message() -> None:
    gone = Failure(FailureKind.CLOSED, Stage.MESSAGE, "closed", "eof")
    transcript, _ = probe(GREETING, ehlo(), "250 ok", "250 ok", "354 go", gone, recipients=(BOB,), message=MESSAGE)

    assert told(transcript, Stage.MESSAGE) == ["message failed"]
    assert transcript.outcome is StageStatus.FAILED


class Vanishing(ScriptedSession):
    """Goes away once it has accepted a recipient, and nobody has noticed yet."""

    async def reply(self) -> Exchange:
        exchange = await super().reply()
        self.alive = self.alive and exchange.stage is not Stage.RCPT
        return exchange


def test_a_server_that_goes_away_before_data_has_not_got_the_message() -> None:
    gone = Failure(FailureKind.CLOSED, Stage.DATA, "closed", "eof")
    session = Vanishing([GREETING, ehlo(), "250 ok", "250 ok", gone])
    options = ProbeOptions(helo="probe.example", tls="none", mail_from=SENDER, recipients=(BOB,), message=MESSAGE)
    transcript = run_now(gather_probe(Target(HOST, 25), options, ScriptedDialer(session), Recorded()))

    assert told(transcript, Stage.DATA) == ["data failed"]
    assert transcript.outcome is StageStatus.FAILED


def test_a_message_that_wants_tls_all_the_way_is_not_sent_in_clear_between_servers_either() -> None:
    answers = (GREETING, ehlo("REQUIRETLS"), "250 ok", "250 ok", BYE)
    transcript, session = probe(*answers, port=25, recipients=(BOB,), message=MESSAGE, require_tls=True)
    (data,) = (one for one in transcript.exchanges if one.stage is Stage.DATA)

    assert session.messages == []
    assert data.failure is not None
    assert data.failure.kind is FailureKind.SKIPPED_UNSAFE


@pytest.mark.parametrize(
    ("keywords", "raw", "options", "words"),
    [
        ((), "Subject: x\n\né\n", {}, "does not offer 8BITMIME"),
        (("8BITMIME",), "Subject: é\n\nx\n", {}, "does not offer SMTPUTF8"),
        (("SIZE 20",), "Subject: x\n\nmore than that\n", {}, "takes 20"),
        ((), "Subject: x\n\ny\n", {"require_tls": True}, "does not offer REQUIRETLS"),
        ((), "Subject: x\n\ny\n", {"mail_from": "<>"}, "no From field"),
        (("SMTPUTF8", "8BITMIME"), "Subject: \udce9\n\ny\n", {}, "neither ASCII nor UTF-8"),
        (("BINARYMIME", "CHUNKING"), "Subject: x\n\ny\n", {"body": "binarymime"}, "was read as text"),
    ],
)
def test_a_message_that_this_server_cannot_take_stays_here(
    keywords: tuple[str, ...], raw: str, options: dict[str, Any], words: str
) -> None:
    message = parse_message(raw.encode("utf-8", "surrogateescape"))
    transcript, session = probe(
        GREETING, ehlo(*keywords), "250 ok", "250 ok", BYE, recipients=(BOB,), message=message, **options
    )
    (data,) = (one for one in transcript.exchanges if one.stage is Stage.DATA)

    assert session.messages == []
    assert data.failure is not None
    assert words in data.failure.detail
    assert transcript.outcome is StageStatus.FAILED


def test_eight_bits_are_announced() -> None:
    message = parse_message("From: a@client.example\nDate: x\n\né\n".encode())
    _, session = probe(
        GREETING, ehlo("8BITMIME"), "250 ok", "250 ok", "354 go", "250 ok", BYE, recipients=(BOB,), message=message
    )

    assert session.commands[1] == f"MAIL FROM:<{SENDER}> BODY=8BITMIME"


@pytest.mark.parametrize(
    ("facts", "wanted", "sent"),
    [
        (tls(), {}, True),
        (tls(trusted=False, verify_error="self-signed certificate"), {}, False),
        (tls(name_matches=False), {}, False),
        (tls(trusted=False), {"tls": "optional"}, True),
        (tls(trusted=False), {"allow_cleartext_auth": True}, True),
    ],
)
def test_on_a_submission_port_a_message_wants_verified_tls(facts: TlsFacts, wanted: dict[str, Any], sent: bool) -> None:
    answers = (GREETING, ehlo("STARTTLS"), "220 go", ehlo(), "250 ok", "250 ok")
    end = ("354 go", "250 ok", BYE) if sent else (BYE,)
    transcript, session = probe(*answers, *end, port=587, tls_facts=facts, recipients=(BOB,), message=MESSAGE, **wanted)

    assert bool(session.messages) is sent
    assert told(transcript, Stage.DATA) == (["data ok"] if sent else ["data skipped"])


def test_a_login_that_is_not_safe_keeps_the_message_here() -> None:
    _, session = probe(
        GREETING, ehlo("AUTH PLAIN"), BYE, auth_user="alice", secret=Secret("pw"), recipients=(BOB,), message=MESSAGE
    )

    assert session.commands == ["EHLO probe.example", "QUIT"]
    assert session.messages == []


def test_nobody_gets_the_message_who_was_not_named() -> None:
    _, session = probe(
        *(GREETING, ehlo(), "250 ok", "250 ok", "354 go", "250 ok", BYE),
        recipients=(BOB,),
        message=MESSAGE,
        catch_all=True,
        relay_test=True,
    )

    assert [one for one in session.commands if one.startswith("RCPT")] == [f"RCPT TO:<{BOB}>"]
