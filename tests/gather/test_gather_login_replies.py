"""What servers answer to a login, through a whole dialogue: the finding says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.probing import gather_probe
from support.scripted import Recorded, ScriptedDialer, ScriptedSession
from support.zone import run_now

from smtpdoc.catalog.checks import smtp
from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus, Transcript
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.target import Target

HOST = "mx.example.net"
OUTLOOK = "[AM5PR0301CA0021.eurprd03.prod.outlook.com]"


def login(*answers: str, mechanism: str = "PLAIN", token: bool = False) -> Transcript:
    """Log in over clear text, which is allowed here, and explain what came back."""
    session = ScriptedSession((f"220 {HOST} ESMTP", f"250-{HOST}\n250 AUTH {mechanism}", *answers, "221 bye"))
    options = ProbeOptions(
        tls="none",
        helo="probe.example",
        auth_user="alice",
        auth_mechanism=mechanism,
        secret=Secret("pw"),
        token=token,
        allow_cleartext_auth=True,
    )
    transcript = run_now(gather_probe(Target(HOST, 587), options, ScriptedDialer(session), Recorded()))
    return replace(transcript, exchanges=tuple(map(explained, transcript.exchanges)))


def explained(exchange: Exchange) -> Exchange:
    if exchange.reply is None:
        return exchange
    return replace(exchange, explanation=explain(exchange.reply, stage=exchange.stage.value))


@pytest.mark.parametrize(
    ("answer", "reason", "advice"),
    [
        ("535 5.7.8 Error: authentication failed:", "auth-failed", "lock accounts"),
        ("534 5.7.9 Authentication mechanism is too weak", "auth-failed", "stronger mechanism"),
        (
            (
                "534-5.7.9 Application-specific password required. For more information, go to\n"
                "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor abc123 - gsmtp"
            ),
            "auth-failed",
            "app password",
        ),
        ("530 5.7.0 Must issue a STARTTLS command first", "tls-required", "STARTTLS"),
        ("504 5.7.4 Unrecognized authentication type", "protocol-error", "mechanism"),
        ("538 5.7.11 Encryption required for requested authentication mechanism", "tls-required", "STARTTLS"),
        ("525 5.7.13 User Account Disabled", "auth-failed", "switch the account on"),
        (
            f"535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. {OUTLOOK}",
            "auth-failed",
            "outlook.office.com",
        ),
        (
            (
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
                f"Visit https://aka.ms/smtp_auth_disabled for more information. {OUTLOOK}"
            ),
            "auth-failed",
            "admin center",
        ),
        (
            f"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. {OUTLOOK}",
            "auth-failed",
            "Authenticated SMTP",
        ),
        (
            f"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. {OUTLOOK}",
            "auth-failed",
            "OAuth",
        ),
        (
            (
                "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults "
                f"policy. Contact your administrator. {OUTLOOK}"
            ),
            "auth-failed",
            "OAuth",
        ),
    ],
)
def test_a_refused_login_says_what_to_do(answer: str, reason: str, advice: str) -> None:
    (finding,) = (one for one in smtp.checks.run(login(answer)) if one.id == "smtp.auth-refused")

    assert finding.facts["reason"] == reason
    assert advice in finding.fix


@pytest.mark.parametrize(
    "answer", ["454 4.7.0 Temporary authentication failure", "432 4.7.12 A password transition is needed"]
)
def test_a_login_that_could_not_be_checked_is_no_refusal(answer: str) -> None:
    found = {one.id for one in smtp.checks.run(login(answer))}

    assert "smtp.auth-deferred" in found
    assert "smtp.auth-refused" not in found


@pytest.mark.parametrize(
    ("mechanism", "challenge", "words"),
    [
        (
            "XOAUTH2",  # {"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}
            "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==",
            "status 400 (the token is malformed, or not one for this user), schemes Bearer, scope https://mail.google.com/",
        ),
        (
            "OAUTHBEARER",  # {"status":"invalid_token","scope":"mail"} (RFC 7628 section 3.2.2)
            "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=",
            "status invalid_token (the token is wrong, expired or revoked), scope mail",
        ),
    ],
)
def test_the_json_about_a_refused_token_is_decoded(mechanism: str, challenge: str, words: str) -> None:
    transcript = login(f"334 {challenge}", "535 5.7.8 no", mechanism=mechanism, token=True)
    (auth,) = (one for one in transcript.exchanges if one.stage is Stage.AUTH)

    assert auth.status is StageStatus.REFUSED
    assert f"the server's reason for refusing the token: {words}" in [line.text for line in transcript.lines]


@pytest.mark.parametrize(
    "answer", ["454 4.7.0 Temporary authentication failure", "454 4.7.0 Temporary authentication failure: no backend"]
)
def test_a_server_that_cannot_check_logins_casts_no_doubt_on_the_password(answer: str) -> None:
    """RFC 4954 section 6 has these words for every server; they are not about Exchange alone."""
    transcript = login(answer)

    (finding,) = (one for one in smtp.checks.run(transcript) if one.id == "smtp.auth-deferred")
    (exchange,) = (one for one in transcript.exchanges if one.stage is Stage.AUTH)
    assert exchange.explanation is not None
    assert exchange.explanation.title in (
        "The server cannot check logins just now",
        "The server cannot reach its login service",
    )
    assert "again" in finding.fix
