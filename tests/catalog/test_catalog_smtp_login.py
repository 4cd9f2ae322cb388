"""Findings about logins: what was refused, broken, exposed or left out, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.scripted import reply
from support.sessions import exchange, handshake, session

from smtpdoc.catalog.checks import extensions, smtp
from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.smtp import (
    Exchange,
    Failure,
    FailureKind,
    Line,
    LineKind,
    Stage,
    StageStatus,
    Transcript,
)
from smtpdoc.findings import Finding

UNDER_TLS = {"tls": handshake(), "auth_user": "alice", "auth_mechanism": "PLAIN"}


def answered(text: str, **changes: Any) -> Exchange:
    """A login over TLS that was answered so, explained."""
    explanation = explain(reply(text), stage="auth")
    return replace(exchange(Stage.AUTH, text), encrypted=True, explanation=explanation, **changes)


def failed(word: str, detail: str, kind: FailureKind = FailureKind.PROTOCOL, **changes: Any) -> Exchange:
    return Exchange(Stage.AUTH, "", None, Failure(kind, Stage.AUTH, detail, word), True, 0.1, **changes)


def findings(transcript: Transcript) -> list[Finding]:
    return [finding for finding in smtp.checks.run(transcript) if finding.id.startswith(("smtp.auth", "smtp.no-"))]


def only(transcript: Transcript) -> Finding:
    (finding,) = findings(transcript)
    return finding


def test_a_refused_password_is_tried_again_by_hand() -> None:
    finding = only(session(answered("535 5.7.8 Error: authentication failed"), **UNDER_TLS))

    assert ("smtp.auth-refused", "error") == (finding.id, finding.level)
    assert ("smtpdoc probe mx.example.net:587 --auth-user alice",) == finding.paste


@pytest.mark.parametrize(
    ("mechanism", "fix", "command"),
    [
        ("XOAUTH2", "Get a new token", "--auth-user alice --auth XOAUTH2 --auth-token-file TOKEN-FILE"),
        ("OAUTHBEARER", "Get a new token", "--auth-user alice --auth OAUTHBEARER --auth-token-file TOKEN-FILE"),
        ("EXTERNAL", "client certificate", "--auth-user alice --auth EXTERNAL --client-cert CERT-FILE"),
    ],
)
def test_a_refused_token_or_certificate_is_not_called_a_password(mechanism: str, fix: str, command: str) -> None:
    refused = answered("535 5.7.8 Username and Password not accepted.")

    finding = only(session(refused, **UNDER_TLS | {"auth_mechanism": mechanism}))

    assert finding.fix.startswith(fix) or fix in finding.fix
    assert command in finding.paste[0]


def test_a_refusal_for_another_reason_keeps_its_advice() -> None:
    finding = only(session(answered("530 5.7.0 Must issue a STARTTLS command first"), **UNDER_TLS))

    assert "STARTTLS" in finding.fix


def test_a_login_name_that_a_shell_would_read_is_not_pasted() -> None:
    refused = answered("535 5.7.8 no")

    finding = only(session(refused, **UNDER_TLS | {"auth_user": "alice; rm -rf ~"}))

    assert () == finding.paste


def test_only_235_accepts_a_login() -> None:
    odd = answered("250 ok", status=StageStatus.REFUSED)

    finding = only(session(odd, **UNDER_TLS))

    assert "mx.example.net answered AUTH with 250 ok; only 235 says that a login is accepted" == finding.message


def test_a_broken_mechanism_is_the_servers_fault() -> None:
    broken = failed("sasl-broken", "the server breaks PLAIN: it asks on", status=StageStatus.FAILED)

    finding = only(session(broken, **UNDER_TLS))

    assert ("smtp.auth-broken", "error") == (finding.id, finding.level)
    assert "mx.example.net breaks PLAIN: it asks on" == finding.message


def test_a_server_without_proof_may_be_an_impostor() -> None:
    unproven = failed("server-unproven", "the server breaks SCRAM-SHA-256: no proof", status=StageStatus.FAILED)

    assert ("smtp.auth-unproven", "error") == (only(session(unproven, **UNDER_TLS)).id, "error")


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"tls": handshake(trusted=False), "tls_mode": "starttls"}, "--ca-file"),
        ({"tls": None, "tls_mode": "none"}, "Leave out --tls none."),
        ({"tls": None, "tls_mode": "auto"}, "--tls none --allow-cleartext-auth"),
    ],
)
def test_what_makes_a_login_safe_depends_on_what_is_wrong(changes: dict[str, Any], fix: str) -> None:
    unsafe = failed("unsafe", "no password goes", FailureKind.SKIPPED_UNSAFE, status=StageStatus.SKIPPED)

    assert fix in only(session(unsafe, **UNDER_TLS | changes)).fix


@pytest.mark.parametrize(
    ("detail", "offered", "fix"),
    [
        ("EXTERNAL is not offered, only PLAIN", "PLAIN", "--client-cert"),
        ("none of the mechanisms offered takes a password: XOAUTH2", "XOAUTH2", "--auth-token-file"),
        ("none of the mechanisms offered takes a password: GSSAPI", "GSSAPI", "leave out --auth"),
        ("none of the mechanisms offered takes a token: PLAIN", "PLAIN", "leave out --auth-token-file"),
    ],
)
def test_a_mechanism_that_is_not_offered_comes_with_another_way(detail: str, offered: str, fix: str) -> None:
    absent = failed("mechanism-not-offered", detail, status=StageStatus.SKIPPED)

    finding = only(session(absent, capabilities_after_tls={"AUTH": offered}, **UNDER_TLS))

    assert ("smtp.auth-not-offered", "error") == (finding.id, finding.level)
    assert fix in finding.fix


def test_a_mechanism_that_we_lack_is_no_fault_of_the_server() -> None:
    unknown = failed("mechanism-unknown", "NTLM is no mechanism that smtpdoc has", status=StageStatus.SKIPPED)

    assert "unknown" == only(session(unknown, **UNDER_TLS)).level


ACCEPTED = answered("235 2.7.0 ok")


def said(*texts: str) -> tuple[Line, ...]:
    """What we said of a login, as the transcript shows it."""
    return tuple(Line(LineKind.SENT, text, False, 0.0) for text in texts)


PLAIN = said("AUTH PLAIN (hidden)")


@pytest.mark.parametrize(
    ("login", "changes", "words"),
    [
        (replace(ACCEPTED, encrypted=False), {}, "the password went to mx.example.net in clear text, with AUTH PLAIN"),
        (
            replace(ACCEPTED, encrypted=False),
            {"auth_mechanism": "XOAUTH2", "lines": said("AUTH XOAUTH2", "(hidden)")},
            "the token went to mx.example.net in clear",
        ),
        (
            replace(ACCEPTED, encrypted=False),
            {"auth_mechanism": "LOGIN", "lines": said("AUTH LOGIN", "(hidden)", "(hidden)")},
            "the password went to mx.example.net in clear text, with AUTH LOGIN",
        ),
        (ACCEPTED, {"tls": handshake(trusted=False, verify_error="expired")}, "does not verify (expired)"),
        (ACCEPTED, {"tls": handshake(name_matches=False, verify_error="wrong name")}, "does not verify (wrong name)"),
    ],
)
def test_a_forced_login_says_that_the_password_is_out(login: Exchange, changes: dict[str, Any], words: str) -> None:
    finding = only(session(login, **UNDER_TLS | {"lines": PLAIN} | changes))

    assert ("smtp.auth-exposed", "warning") == (finding.id, finding.level)
    assert words in finding.message


@pytest.mark.parametrize(
    ("login", "changes"),
    [
        (ACCEPTED, {}),
        (replace(ACCEPTED, encrypted=False), {"auth_mechanism": "SCRAM-SHA-256", "tls": None}),
        (replace(ACCEPTED, encrypted=False), {"replayed_from": "telnet", "tls": None}),
        (  # answered before the password was asked for
            replace(ACCEPTED, encrypted=False),
            {"auth_mechanism": "LOGIN", "tls": None, "lines": said("AUTH LOGIN", "(hidden)")},
        ),
    ],
)
def test_a_login_that_shows_no_password_is_not_exposed(login: Exchange, changes: dict[str, Any]) -> None:
    assert [] == findings(session(login, **UNDER_TLS | {"lines": PLAIN} | changes))


@pytest.mark.parametrize("port", [587, 2525])
def test_auth_that_is_not_offered_belongs_on_a_submission_port(port: int) -> None:
    absent = failed("auth-not-offered", "AUTH is not offered", status=StageStatus.SKIPPED)

    finding = only(session(absent, port=port, **UNDER_TLS))

    assert (port != 587) is bool(finding.paste)
    assert ("turn it on there" in finding.fix) is (port == 587)


@pytest.mark.parametrize(
    ("word", "detail", "fix"),
    [
        ("auth-not-offered", "AUTH is not offered", "AUTH under TLS only"),
        ("mechanism-not-offered", "PLAIN is not offered, only CRAM-MD5", "more mechanisms under TLS"),
    ],
)
def test_a_login_in_clear_that_is_not_offered_may_be_offered_under_tls(word: str, detail: str, fix: str) -> None:
    absent = failed(word, detail, status=StageStatus.SKIPPED)
    in_clear = {"tls": None, "tls_mode": "none", "capabilities_before_tls": {"STARTTLS": ""}}

    finding = only(session(absent, **UNDER_TLS | in_clear))

    assert fix in finding.fix
    assert not any("--tls none" in line for line in finding.paste)


@pytest.mark.parametrize(("stage", "penalty"), [("auth", True), ("rcpt", False)])
def test_a_login_that_takes_long_may_be_a_penalty(stage: str, penalty: bool) -> None:
    slow = replace(exchange(Stage(stage), "235 ok"), elapsed_s=8.0)

    (finding,) = (one for one in extensions.checks.run(session(slow)) if one.id == "smtp.slow-reply")

    assert penalty is ("penalty" in finding.fix)
