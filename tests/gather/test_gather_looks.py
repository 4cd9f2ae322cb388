"""Further looks at a server: what they ask, that they are polite, and what they make of the answers."""

from __future__ import annotations

import pytest
from support.scripted import Answer, ScriptedDialer, ScriptedSession
from support.sessions import HOST, handshake, session
from support.zone import run_now

from smtpdoc.evidence.looks import Enforcement, StarttlsInjection
from smtpdoc.evidence.smtp import Failure, FailureKind, Stage, TlsFacts, Transcript
from smtpdoc.gather.enforcement import gather_enforcement
from smtpdoc.gather.look import Place, place_of
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.starttls_injection import gather_starttls_injection
from smtpdoc.gather.tls_versions import gather_tls_version, known_version, versions_to_ask

EHLO = f"250-{HOST}\n250-PIPELINING\n250 STARTTLS"
HELLO: tuple[Answer, ...] = (f"220 {HOST}", EHLO)


def place(tls_mode: str = "auto") -> Place:
    found = place_of(session(tls_mode=tls_mode), ProbeOptions(), 30.0)
    assert found is not None
    return found


def tls_failure(word: str = "tls-failed", detail: str = "alert protocol version") -> Failure:
    return Failure(FailureKind.TLS, Stage.TLS, detail, word)


# Versions


def ask_version(*answers: Answer, tls: TlsFacts | Failure | None = None, mode: str = "auto") -> tuple[object, ...]:
    talk = ScriptedSession(answers, tls)
    dialer = ScriptedDialer(talk)
    answer = run_now(gather_tls_version(place(mode), "TLSv1.1", dialer))
    ((_, _, policy),) = dialer.dialled
    assert policy is not None
    assert policy.version == "TLSv1.1"
    assert talk.closed
    return answer.works, answer.cipher, talk.commands


def test_a_version_that_works_is_left_with_a_quit() -> None:
    works, cipher, commands = ask_version(*HELLO, "220 go", "221 bye", tls=handshake(cipher="AES128-SHA"))

    assert (True, "AES128-SHA") == (works, cipher)
    assert ["EHLO client.example", "STARTTLS", "QUIT"] == commands


def test_with_implicit_tls_the_greeting_is_waited_for() -> None:
    works, _, commands = ask_version(f"220 {HOST}", "221 bye", tls=handshake(), mode="implicit")

    assert works is True
    assert ["QUIT"] == commands


@pytest.mark.parametrize(
    ("answers", "tls", "expected"),
    [
        ((*HELLO, "220 go"), tls_failure(), False),
        ((*HELLO, "220 go"), tls_failure("tls-closed", "closed"), False),
        ((*HELLO, "220 go"), tls_failure(detail="failed: no protocols available"), None),  # ours cannot
        ((*HELLO, "220 go"), tls_failure(detail="the server wants a client certificate that it trusts"), None),
        ((*HELLO, "220 go"), Failure(FailureKind.TIMEOUT, Stage.TLS, "silence", "tls-timeout"), None),
        ((*HELLO, "454 not now"), None, None),
        (("421 too many connections",), None, None),
    ],
)
def test_only_a_refused_handshake_says_that_a_version_does_not_work(
    answers: tuple[Answer, ...], tls: Failure | None, expected: bool | None
) -> None:
    assert expected is ask_version(*answers, tls=tls)[0]


def test_a_connection_that_cannot_be_opened_is_no_verdict() -> None:
    failure = Failure(FailureKind.REFUSED, Stage.CONNECT, "nothing listens there", "refused")
    answer = run_now(gather_tls_version(place(), "TLSv1.2", ScriptedDialer(failure)))

    assert (None, "nothing listens there") == (answer.works, answer.detail)


def test_the_version_of_the_session_itself_costs_no_connection() -> None:
    seen = session(tls=handshake(version="TLSv1.3"))

    assert ("TLSv1", "TLSv1.1", "TLSv1.2") == versions_to_ask(seen)
    assert ["TLSv1.3"] == [one.version for one in known_version(seen)]


def test_a_version_that_works_with_old_ciphers_only_is_not_called_refused() -> None:
    seen = session(capabilities_before_tls={"STARTTLS": ""}, legacy_tls="TLSv1.2", legacy_cipher="AES128-SHA")

    assert ("TLSv1", "TLSv1.1", "TLSv1.3") == versions_to_ask(seen)
    assert [("TLSv1.2", True, "AES128-SHA")] == [(one.version, one.works, one.cipher) for one in known_version(seen)]


def test_a_server_without_starttls_is_not_asked_four_times() -> None:
    assert () == versions_to_ask(session(capabilities_before_tls={"SIZE": ""}))
    assert 4 == len(versions_to_ask(session(capabilities_before_tls={"STARTTLS": ""})))


# Injection


def inject(*answers: Answer, tls: TlsFacts | Failure | None = None) -> tuple[StarttlsInjection, ScriptedSession]:
    talk = ScriptedSession(answers, tls)
    return run_now(gather_starttls_injection(place(), ScriptedDialer(talk))), talk


def test_starttls_and_noop_leave_in_one_packet() -> None:
    _, talk = inject(*HELLO, "220 go", "221 bye", tls=handshake())

    assert [("EHLO client.example",), ("STARTTLS", "NOOP"), ("QUIT",)] == talk.sent


@pytest.mark.parametrize(
    ("answers", "tls", "expected"),
    [
        ((*HELLO, "220 go", "221 bye"), handshake(), "discarded"),
        ((*HELLO, "220 go", "250 OK", "221 bye"), handshake(), "executed"),
        ((*HELLO, "220 go", "503 EHLO first", "221 bye"), handshake(), "executed"),
        ((*HELLO, "220 go", "250 OK", "250 OK"), handshake(), "unknown"),
        ((*HELLO, "500 no pipelining"), None, "refused"),
        ((*HELLO, "220 go"), tls_failure(), "refused"),
        ((*HELLO, "220 go"), tls_failure("tls-closed"), "refused"),
        ((*HELLO, "220 go", Failure(FailureKind.CLOSED, Stage.STARTTLS, "closed", "eof")), handshake(), "refused"),
        (
            (*HELLO, "220 go"),
            Failure(FailureKind.PROTOCOL, Stage.TLS, "250 OK in clear", "starttls-injection"),
            "answered-in-clear",
        ),
        ((*HELLO, "220 go"), Failure(FailureKind.TIMEOUT, Stage.TLS, "silence", "tls-timeout"), "unknown"),
        ((f"220 {HOST}", f"250 {HOST}"), None, "unknown"),
        (("554 no",), None, "unknown"),
    ],
)
def test_what_becomes_of_an_injected_noop(
    answers: tuple[Answer, ...], tls: TlsFacts | Failure | None, expected: str
) -> None:
    assert expected == inject(*answers, tls=tls)[0].verdict


# Enforcement

OFFERS_LOGIN = session(
    capabilities_before_tls={"STARTTLS": ""}, capabilities_after_tls={"AUTH": "SCRAM-SHA-256 PLAIN LOGIN"}
)


def enforce(seen: Transcript, *answers: Answer) -> tuple[Enforcement, list[str]]:
    talk = ScriptedSession(answers)
    dialer = ScriptedDialer(talk)
    look = run_now(gather_enforcement(place(), seen, dialer))
    assert [None] == [policy for _, _, policy in dialer.dialled]  # no TLS on this connection
    return look, talk.commands


def test_a_login_that_is_taken_up_is_cancelled_and_sends_no_credentials() -> None:
    look, commands = enforce(
        OFFERS_LOGIN, *HELLO, "530 5.7.0 STARTTLS first", "334 VXNlcm5hbWU6", "501 cancelled", "221 bye"
    )

    assert ["EHLO client.example", "MAIL FROM:<>", "AUTH LOGIN", "*", "QUIT"] == commands
    assert look.auth is not None
    assert look.mail is not None
    assert (530, 334, "LOGIN") == (look.mail.code, look.auth.code, look.mechanism)


def test_a_sender_that_is_taken_is_reset() -> None:
    look, commands = enforce(session(mail_from="a@example.com"), *HELLO, "250 OK", "250 OK", "221 bye")

    assert ["EHLO client.example", "MAIL FROM:<a@example.com>", "RSET", "QUIT"] == commands
    assert look.mail is not None
    assert look.mail.positive
    assert look.auth is None


def test_a_mechanism_that_cannot_be_cancelled_is_not_begun() -> None:
    _, commands = enforce(session(capabilities_after_tls={"AUTH": "GSSAPI"}), *HELLO, "530 no", "221 bye")

    assert not any(command.startswith("AUTH") for command in commands)


def test_a_server_that_turns_us_away_leaves_enforcement_open() -> None:
    look, _ = enforce(OFFERS_LOGIN, "421 too many connections")

    assert (None, None) == (look.mail, look.auth)
    assert "421 too many connections" in look.problem


def test_without_an_address_there_is_nothing_to_look_at() -> None:
    assert place_of(session(address=None), ProbeOptions(), 30.0) is None
