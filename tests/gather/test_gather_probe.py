"""The steps of a session: what is asked, in which order, and what is never asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.probing import gather_probe
from support.scripted import Answer, Recorded, ScriptedDialer, ScriptedSession
from support.zone import run_now

from smtpdoc.errors import ParseError, TargetError
from smtpdoc.evidence.smtp import Certificate, Exchange, Failure, FailureKind, Stage, StageStatus, TlsFacts, Transcript
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.target import Target

HOST = "mx.example.net"
GREETING = f"220 {HOST} ESMTP"
EHLO = f"250-{HOST}\n250-PIPELINING\n250 STARTTLS"
EHLO_TLS = f"250-{HOST}\n250-PIPELINING\n250 AUTH PLAIN LOGIN"
BARE_EHLO = f"250-{HOST}\n250 SIZE 1000"
READY = "220 go ahead"
BYE = "221 bye"

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LEAF = Certificate("CN=mx", "CN=ca", (HOST,), NOW, NOW, "EC P-256", "ecdsa-with-SHA256", "00")


def facts(**changes: Any) -> TlsFacts:
    given: dict[str, Any] = {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "bits": 256,
        "chain": (LEAF,),
        "trusted": True,
        "name_matches": True,
        "expired": False,
        "self_signed": False,
        "days_left": 60,
        "server_name": HOST,
        "verify_code": 0,
    }
    return TlsFacts(**given | changes)


def closed(stage: Stage) -> Failure:
    return Failure(FailureKind.CLOSED, stage, "closed", "eof")


def probe(
    *answers: Answer, port: int = 587, tls_facts: TlsFacts | Failure | None = None, **wanted: Any
) -> tuple[Transcript, ScriptedSession]:
    session = ScriptedSession(answers, tls_facts)
    options = ProbeOptions(**{"helo": "probe.example", **wanted})
    implicit = port == 465
    dialer = ScriptedDialer(session)
    return run_now(gather_probe(Target(HOST, port, implicit), options, dialer, Recorded())), session


def told(transcript: Transcript) -> list[str]:
    return [f"{one.stage} {one.status}" for one in transcript.exchanges]


def test_a_whole_session_in_order() -> None:
    transcript, session = probe(
        *(GREETING, EHLO, READY, EHLO_TLS, "235 ok", "250 ok", "250 ok", "550 5.1.1 no", BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("pw"),
        mail_from="a@client.example",
        recipients=("bob@example.net", "nobody@example.net"),
    )

    assert session.sent == [
        ("EHLO probe.example",),
        ("STARTTLS",),
        ("(with Finished)", "EHLO probe.example"),
        ("AUTH PLAIN AGFsaWNlAHB3",),
        ("MAIL FROM:<a@client.example>", "RCPT TO:<bob@example.net>", "RCPT TO:<nobody@example.net>", "QUIT"),
    ]
    assert told(transcript) == [
        *("connect ok", "greeting ok", "ehlo ok", "starttls ok", "tls ok", "ehlo-tls ok"),
        *("auth ok", "mail ok", "rcpt ok", "rcpt refused", "quit ok"),
    ]
    assert transcript.outcome is StageStatus.REFUSED
    assert dict(transcript.capabilities_before_tls or {}) == {"PIPELINING": "", "STARTTLS": ""}
    assert dict(transcript.capabilities_after_tls or {}) == {"PIPELINING": "", "AUTH": "PLAIN LOGIN"}
    assert session.closed


@pytest.mark.parametrize(
    ("quit_after", "answers", "last"),
    [
        ("greeting", (GREETING, BYE), "QUIT"),
        ("ehlo", (GREETING, EHLO, BYE), "QUIT"),
        ("starttls", (GREETING, EHLO, READY, EHLO_TLS, BYE), "QUIT"),
        ("auth", (GREETING, EHLO, READY, EHLO_TLS, "235 ok", BYE), "QUIT"),
        ("mail", (GREETING, EHLO, READY, EHLO_TLS, "235 ok", "250 ok", BYE), "QUIT"),
        ("rcpt", (GREETING, EHLO, READY, EHLO_TLS, "235 ok", "250 ok", "250 ok", BYE), "QUIT"),
    ],
)
def test_quit_after_is_the_last_stage(quit_after: str, answers: tuple[str, ...], last: str) -> None:
    """ "starttls" includes the EHLO after it."""
    transcript, session = probe(
        *answers,
        tls_facts=facts(),
        quit_after=quit_after,
        auth_user="alice",
        secret=Secret("pw"),
        recipients=("bob@example.net",),
    )

    assert session.commands[-1] == last
    assert len(transcript.exchanges) == len(answers) + (2 if len(answers) > 4 else 1)
    assert transcript.outcome is StageStatus.OK


def test_without_recipients_nothing_is_said_about_mail() -> None:
    _, session = probe(GREETING, EHLO, READY, EHLO_TLS, BYE, tls_facts=facts())

    assert session.commands[-1] == "QUIT"
    assert not any(command.startswith(("MAIL", "RCPT", "AUTH")) for command in session.commands)


def test_implicit_tls_shakes_hands_before_the_greeting() -> None:
    transcript, _ = probe(GREETING, EHLO_TLS, BYE, port=465, tls_facts=facts(implicit=True))

    assert told(transcript) == ["connect ok", "tls ok", "greeting ok", "ehlo ok", "quit ok"]
    assert transcript.tls_mode == "implicit"
    assert transcript.capabilities_before_tls is None
    assert "AUTH" in (transcript.capabilities_after_tls or {})


# Where the envelope may go in clear


@pytest.mark.parametrize(
    ("port", "tls", "sent"),
    [
        (587, "auto", False),
        (2525, "auto", False),
        (25, "auto", True),  # between servers clear text is better than no mail (RFC 7435)
        (25, "starttls", False),
        (587, "starttls", False),
        (587, "optional", True),
        (587, "none", True),
    ],
)
def test_without_starttls_the_envelope_goes_in_clear_only_where_that_is_usual_or_wanted(
    port: int, tls: str, sent: bool
) -> None:
    answers = (GREETING, BARE_EHLO, "250 ok", "250 ok", BYE) if sent else (GREETING, BARE_EHLO, BYE)

    transcript, session = probe(*answers, port=port, tls=tls, recipients=("bob@example.net",))

    assert any(command.startswith("MAIL") for command in session.commands) is sent
    assert transcript.outcome is (StageStatus.OK if sent else StageStatus.FAILED)


@pytest.mark.parametrize(
    ("tls_facts", "allowed", "sent"),
    [
        (facts(), False, True),
        (facts(trusted=False, verify_code=20), False, False),
        (facts(name_matches=False, verify_code=62), False, False),
        (facts(trusted=False, verify_code=None), False, False),
        (facts(trusted=False, verify_code=18), True, True),
    ],
)
def test_a_login_needs_a_certificate_that_verifies_unless_it_is_forced(
    tls_facts: TlsFacts, allowed: bool, sent: bool
) -> None:
    answers = (GREETING, EHLO, READY, EHLO_TLS, *(["235 ok"] if sent else []), BYE)

    transcript, session = probe(
        *answers, tls_facts=tls_facts, auth_user="alice", secret=Secret("pw"), allow_cleartext_auth=allowed
    )

    assert any(command.startswith("AUTH") for command in session.commands) is sent
    assert ("auth skipped" in told(transcript)) is not sent


@pytest.mark.parametrize(
    ("tls", "answers", "allowed", "sent"),
    [
        ("none", (f"250-{HOST}\n250 AUTH PLAIN",), False, False),
        ("none", (f"250-{HOST}\n250 AUTH PLAIN",), True, True),
        ("optional", (f"250-{HOST}\n250 AUTH PLAIN",), True, True),
        ("auto", (f"250-{HOST}\n250 AUTH PLAIN",), True, False),
        # STARTTLS was there and is lost: whoever stands between would get the password
        ("optional", (f"250-{HOST}\n250-STARTTLS\n250 AUTH PLAIN", "454 no"), True, False),
    ],
)
def test_a_login_in_clear_has_to_be_forced_and_never_follows_a_downgrade(
    tls: str, answers: tuple[str, ...], allowed: bool, sent: bool
) -> None:
    last = ("235 ok", BYE) if sent else (BYE,)

    _, session = probe(
        GREETING, *answers, *last, tls=tls, auth_user="alice", secret=Secret("pw"), allow_cleartext_auth=allowed
    )

    assert any(command.startswith("AUTH") for command in session.commands) is sent


# AUTH


@pytest.mark.parametrize("reply", ["535 5.7.8 no", "454 4.7.0 later"])
def test_after_a_failed_login_nothing_more_is_tried(reply: str) -> None:
    transcript, session = probe(
        *(GREETING, EHLO, READY, EHLO_TLS, reply, BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("pw"),
        recipients=("bob@example.net",),
    )

    assert [command.split()[0] for command in session.commands[-2:]] == ["AUTH", "QUIT"]
    assert transcript.auth_mechanism == "PLAIN"


def test_login_waits_for_its_prompts() -> None:
    _, session = probe(
        *(GREETING, EHLO, READY, f"250-{HOST}\n250 AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok", BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("pw"),
    )

    assert session.commands[-4:] == ["AUTH LOGIN", "YWxpY2U=", "cHc=", "QUIT"]


def test_a_long_token_waits_for_the_challenge() -> None:
    """RFC 4954 section 4: a command line has 512 octets."""
    _, session = probe(
        *(GREETING, EHLO, READY, f"250-{HOST}\n250 AUTH XOAUTH2", "334 ", "235 ok", BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("t" * 1000),
        token=True,
    )

    assert session.commands[-3] == "AUTH XOAUTH2"
    assert len(session.commands[-2]) > 1000


def test_the_reason_for_a_refused_token_is_noted() -> None:
    json = "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0="
    transcript, session = probe(
        *(GREETING, EHLO, READY, f"250-{HOST}\n250 AUTH XOAUTH2", f"334 {json}", "535 5.7.8 no", BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("token"),
        token=True,
    )

    assert session.commands[-2] == ""
    assert any("status 401" in line.text for line in transcript.lines)


@pytest.mark.parametrize(
    ("ehlo", "mechanism", "word"),
    [
        (BARE_EHLO, None, "auth-not-offered"),
        (EHLO_TLS, "SCRAM-SHA-256", "mechanism-not-offered"),
        (f"250-{HOST}\n250 AUTH GSSAPI NTLM", None, "mechanism-not-offered"),
    ],
)
def test_what_is_not_offered_is_not_tried(ehlo: str, mechanism: str | None, word: str) -> None:
    transcript, session = probe(
        *(GREETING, EHLO, READY, ehlo, BYE),
        tls_facts=facts(),
        auth_user="alice",
        auth_mechanism=mechanism,
        secret=Secret("pw"),
    )

    auth = next(one for one in transcript.exchanges if one.stage is Stage.AUTH)
    assert (auth.status, auth.failure and auth.failure.word) == (StageStatus.SKIPPED, word)
    assert session.commands[-1] == "QUIT"


def test_what_is_sent_for_a_login_is_hidden_before_it_is_sent() -> None:
    transcript, session = probe(
        *(GREETING, EHLO, READY, EHLO_TLS, "235 ok", BYE),
        tls_facts=facts(),
        auth_user="alice",
        secret=Secret("hunter2"),
    )

    assert {"hunter2", "AGFsaWNlAGh1bnRlcjI="} <= set(session.hidden)
    assert next(one.command for one in transcript.exchanges if one.stage is Stage.AUTH) == "AUTH PLAIN (hidden)"


# The envelope


@pytest.mark.parametrize(
    ("wanted", "sender"),
    [
        ({"mail_from": "a@client.example"}, "<a@client.example>"),
        ({"mail_from": "<>"}, "<>"),
        ({}, "<postmaster@probe.example>"),
        ({"helo": None}, "<>"),  # only an address literal to go by
    ],
)
def test_the_sender_is_the_given_one_or_a_sensible_one(wanted: dict[str, Any], sender: str) -> None:
    transcript, session = probe(
        GREETING, BARE_EHLO, "250 ok", "250 ok", BYE, tls="none", recipients=("bob@example.net",), **wanted
    )

    assert session.commands[1] == f"MAIL FROM:{sender}"
    assert transcript.mail_from == sender.strip("<>")


def test_a_login_that_is_an_address_is_the_sender() -> None:
    _, session = probe(
        *(GREETING, EHLO, READY, EHLO_TLS, "235 ok", "250 ok", "250 ok", BYE),
        tls_facts=facts(),
        auth_user="alice@example.org",
        secret=Secret("pw"),
        recipients=("bob@example.net",),
    )

    assert "MAIL FROM:<alice@example.org>" in session.commands


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    transcript, session = probe(
        *(GREETING, BARE_EHLO, "250 ok", "550 no", "251 elsewhere", BYE),
        tls="none",
        recipients=("a@example.net", "b@example.net"),
    )

    assert all(len(group) == 1 for group in session.sent)
    assert told(transcript)[3:] == ["mail ok", "rcpt refused", "rcpt ok", "quit ok"]


def test_without_an_accepted_sender_recipients_are_not_asked() -> None:
    transcript, session = probe(
        GREETING, BARE_EHLO, "550 no", BYE, tls="none", recipients=("a@example.net", "b@example.net")
    )

    assert session.commands[-1] == "QUIT"
    assert told(transcript)[3:] == ["mail refused", "rcpt skipped", "rcpt skipped", "quit ok"]


def test_many_recipients_go_in_groups() -> None:
    recipients = tuple(f"r{number}@example.net" for number in range(120))

    _, session = probe(
        *(GREETING, f"250-{HOST}\n250 PIPELINING", *["250 ok"] * 121, BYE), tls="none", recipients=recipients
    )

    assert [len(group) for group in session.sent] == [1, 50, 50, 22]
    assert session.commands[-1] == "QUIT"


def test_smtputf8_is_asked_for_where_it_is_needed_and_offered() -> None:
    _, session = probe(
        GREETING, f"250-{HOST}\n250 SMTPUTF8", "250 ok", "250 ok", BYE, tls="none", recipients=("rené@example.net",)
    )

    assert session.commands[1] == "MAIL FROM:<postmaster@probe.example> SMTPUTF8"


@pytest.mark.parametrize("wanted", [{"recipients": ("bob@example.net\r\nDATA",)}, {"helo": "a b"}, {"mail_from": "x"}])
def test_what_is_no_argument_is_refused_before_anything_is_sent(wanted: dict[str, Any]) -> None:
    session = ScriptedSession(())
    with pytest.raises(ParseError):
        run_now(gather_probe(Target(HOST, 587), ProbeOptions(**wanted), ScriptedDialer(session), Recorded()))

    assert session.sent == []


@pytest.mark.parametrize("name", ["", "a..b", ".example", "x" * 64 + ".example", "a b"])
def test_a_server_name_that_is_none_is_refused_before_anything_is_sent(name: str) -> None:
    session = ScriptedSession(())
    with pytest.raises(TargetError):
        run_now(gather_probe(Target(HOST, 587), ProbeOptions(server_name=name), ScriptedDialer(session), Recorded()))

    assert session.sent == []


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (None, HOST),
        ("Mail.Example.", "mail.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_the_name_to_verify_is_the_host_unless_another_is_given(given: str | None, asked: str) -> None:
    dialer = ScriptedDialer(Failure(FailureKind.REFUSED, Stage.CONNECT, "refused", "refused"))

    run_now(gather_probe(Target(HOST, 587), ProbeOptions(server_name=given), dialer, Recorded()))

    policy = dialer.dialled[0][2]
    assert policy is not None
    assert policy.server_name == asked


# Other answers


@pytest.mark.parametrize("greeting", ["554 no", "250 odd"])
def test_a_greeting_that_is_no_220_ends_in_quit(greeting: str) -> None:
    transcript, session = probe(greeting, BYE)

    assert session.commands == ["QUIT"]
    assert transcript.outcome is StageStatus.REFUSED


def test_a_closed_connection_ends_the_session_without_quit() -> None:
    transcript, session = probe(GREETING, closed(Stage.EHLO))

    assert session.commands == ["EHLO probe.example"]
    assert transcript.outcome is StageStatus.FAILED


def test_a_name_without_an_address_is_the_whole_answer() -> None:
    failure = Failure(FailureKind.DNS, Stage.CONNECT, "no such name", "nxdomain")
    watcher = Recorded()

    transcript = run_now(gather_probe(Target(HOST, 587), ProbeOptions(), ScriptedDialer(addresses=failure), watcher))

    assert [one.failure for one in transcript.exchanges] == [failure]
    assert transcript.address is None
    assert [line.text for line in watcher.lines] == ["no such name"]


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    failure = Failure(FailureKind.UNREACHABLE, Stage.CONNECT, "no route", "no-route")
    session = ScriptedSession((GREETING, BARE_EHLO, BYE))
    dialer = ScriptedDialer(failure, session, addresses=("2001:db8::25", "192.0.2.25"))

    transcript = run_now(gather_probe(Target(HOST, 25), ProbeOptions(tls="none"), dialer, Recorded()))

    assert transcript.attempts == (("2001:db8::25", failure),)
    assert (transcript.address, transcript.family) == ("192.0.2.25", "ipv4")
    assert transcript.outcome is StageStatus.OK


@pytest.mark.parametrize(
    ("wanted", "prepared"),
    [
        ({}, True),
        ({"tls": "none"}, False),
        ({"quit_after": "ehlo"}, False),
        ({"tls": "implicit", "quit_after": "ehlo"}, True),
    ],
)
def test_roots_are_read_only_where_tls_can_come_up(wanted: dict[str, Any], prepared: bool) -> None:
    dialer = ScriptedDialer(Failure(FailureKind.REFUSED, Stage.CONNECT, "refused", "refused"))

    run_now(gather_probe(Target(HOST, 587), ProbeOptions(**wanted), dialer, Recorded()))

    assert (dialer.dialled[0][2] is not None) is prepared


def test_a_failed_handshake_is_looked_at_again_with_old_versions_and_nothing_private() -> None:
    failure = Failure(FailureKind.TLS, Stage.TLS, "protocol version", "tls-failed")
    first = ScriptedSession((GREETING, EHLO, READY), failure)
    second = ScriptedSession((GREETING, EHLO, READY), facts(version="TLSv1"))
    dialer = ScriptedDialer(first, second)
    options = ProbeOptions(
        helo="probe.example",
        auth_user="alice",
        secret=Secret("pw"),
        recipients=("bob@example.net",),
        client_cert="cert.pem",
    )

    transcript = run_now(gather_probe(Target(HOST, 587), options, dialer, Recorded()))

    policy = dialer.dialled[1][2]
    assert policy is not None
    assert (policy.legacy, policy.client_cert) == (True, None)
    assert second.commands == ["EHLO probe.example", "STARTTLS"]
    assert second.closed
    assert transcript.legacy_tls == "TLSv1"
    assert told(transcript)[-1] == "tls failed"


@pytest.mark.parametrize(
    ("port", "options", "opportunistic"),
    [
        (587, {}, False),
        (25, {}, True),
        (2525, {"between_servers": True}, True),
        (2525, {"between_servers": True, "tls": "starttls"}, False),
        (587, {"tls": "optional"}, True),
    ],
)
def test_clear_text_is_better_than_nothing_between_servers(
    port: int, options: dict[str, Any], opportunistic: bool
) -> None:
    dialer = ScriptedDialer(ScriptedSession(["220 mx", "250 mx", "221 bye"]))
    transcript = run_now(gather_probe(Target(HOST, port), ProbeOptions(**options), dialer, Recorded()))

    assert opportunistic == transcript.opportunistic


class Interrupting(Recorded):
    def exchange(self, exchange: Exchange) -> None:
        super().exchange(exchange)
        if exchange.stage is Stage.EHLO:
            raise KeyboardInterrupt


def test_a_session_that_was_interrupted_is_no_success() -> None:
    dialer = ScriptedDialer(ScriptedSession([GREETING, BARE_EHLO]))
    run = Probe(Target(HOST, 25), ProbeOptions(), dialer, Interrupting())
    with pytest.raises(KeyboardInterrupt):
        run_now(run.run())

    assert run.transcript().outcome is StageStatus.FAILED


@pytest.mark.parametrize(("typed", "said"), [("bücher.example", "xn--bcher-kva.example"), ("MX.Example", "MX.Example")])
def test_a_name_for_ehlo_is_said_in_ascii(typed: str, said: str) -> None:
    session = ScriptedSession([GREETING, BARE_EHLO, BYE])
    run_now(gather_probe(Target(HOST, 25), ProbeOptions(helo=typed), ScriptedDialer(session), Recorded()))

    assert session.commands[0] == f"EHLO {said}"
