"""What can be asked of a mail server, asked of each: the step that decides, its reply, its explanation, the exit code.

The replies are those that the same servers gave to a plain socket; here they come through `smtpdoc probe`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.command import Ran, Smtpdoc
from support.lab import HOST, MailServer

pytestmark = pytest.mark.servers

WRONG = "wr0ng-Pa55word"
STRANGER = ("--from", "a@client.example")


class Answer(NamedTuple):
    """What came of the step that decides."""

    stage: str
    code: int | None
    enhanced: str | None
    reason: str | None
    exit_code: int


def to(recipient: str) -> tuple[str, ...]:
    return (*STRANGER, "--to", recipient)


#: Scenario → port and arguments.
ASKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "accepted": ("mx", to("bob@lab.example")),
    "unknown user": ("mx", to("nosuchuser@lab.example")),
    "relay denied": ("mx", to("bob@elsewhere.example")),
    "greylisted": ("mx", to("grey@lab.example")),
    "mailbox full": ("mx", to("full@lab.example")),
    "over quota": ("mx", to("big@lab.example")),
    "too many errors": ("mx", to("bounce421@lab.example")),
    "too big": ("mx", (*STRANGER, "--size", "99999999")),
    "sender blocked": ("mx", ("--from", "a@blocked.example", "--to", "bob@lab.example")),
    "bad HELO": ("mx", ("--tls", "none", "--helo", "bad_host!")),
    "no login": ("submission", to("bob@elsewhere.example")),
    "no TLS": ("submission", ("--tls", "none", *STRANGER)),
    "clear text to TLS": ("smtps", ("--tls", "starttls", "--timeout", "2")),
    "TLS to clear text": ("mx", ("--tls", "implicit")),
}

_ACCEPTED = ("ok", 0)
_UNKNOWN, _RELAY, _GREY, _FULL = ("user-unknown", 1), ("relay-denied", 1), ("greylisted", 3), ("mailbox-full", 3)
_QUOTA, _BIG, _BLOCKED = ("mailbox-full", 1), ("message-too-big", 1), ("sender-blocked", 1)
_LOGIN, _TLS = ("auth-required", 1), ("tls-required", 1)
_DOORS = {
    "clear text to TLS": Answer("greeting", None, None, None, 3),
    "TLS to clear text": Answer("tls", None, None, None, 1),
}

ANSWERED: dict[str, dict[str, Answer]] = {
    "postfix": {
        "accepted": Answer("rcpt", 250, "2.1.5", *_ACCEPTED),
        "unknown user": Answer("rcpt", 550, "5.1.1", *_UNKNOWN),
        "relay denied": Answer("rcpt", 554, "5.7.1", *_RELAY),
        "greylisted": Answer("rcpt", 450, "4.2.0", *_GREY),
        "mailbox full": Answer("rcpt", 452, "4.2.2", *_FULL),
        "over quota": Answer("rcpt", 552, "5.2.2", *_QUOTA),
        "too many errors": Answer("rcpt", 421, "4.7.0", "rate-limited", 3),
        "too big": Answer("mail", 552, "5.3.4", *_BIG),
        "sender blocked": Answer("mail", 554, "5.7.1", *_BLOCKED),
        "no login": Answer("rcpt", 554, "5.7.1", *_RELAY),
        "no TLS": Answer("mail", 530, "5.7.0", *_TLS),
        **_DOORS,
    },
    "exim": {
        "accepted": Answer("rcpt", 250, None, *_ACCEPTED),
        "unknown user": Answer("rcpt", 550, "5.1.1", *_UNKNOWN),
        "relay denied": Answer("rcpt", 550, "5.7.1", *_RELAY),
        "greylisted": Answer("rcpt", 451, "4.2.0", *_GREY),
        "mailbox full": Answer("rcpt", 451, "4.2.2", *_FULL),
        "over quota": Answer("rcpt", 550, "5.2.2", *_QUOTA),
        "too many errors": Answer("rcpt", 550, None, "rate-limited", 1),
        "too big": Answer("mail", 552, None, *_BIG),
        "sender blocked": Answer("mail", 550, "5.7.1", *_BLOCKED),
        "bad HELO": Answer("ehlo", 501, None, "protocol-error", 1),
        "no login": Answer("mail", 550, "5.7.0", *_LOGIN),
        "no TLS": Answer("mail", 550, "5.7.0", *_LOGIN),
        **_DOORS,
    },
    "opensmtpd": {
        "accepted": Answer("rcpt", 250, "2.1.5", *_ACCEPTED),
        "unknown user": Answer("rcpt", 550, None, *_UNKNOWN),
        "relay denied": Answer("rcpt", 550, None, *_UNKNOWN),  # it says the same of both
        "bad HELO": Answer("ehlo", 501, "5.5.4", "bad-helo", 1),
        "no login": Answer("mail", 530, "5.5.1", *_LOGIN),
        "no TLS": Answer("mail", 530, "5.5.1", *_TLS),
        **_DOORS,
    },
    "sendmail": {
        "accepted": Answer("rcpt", 250, "2.1.5", *_ACCEPTED),
        "unknown user": Answer("rcpt", 550, "5.1.1", *_UNKNOWN),
        "relay denied": Answer("rcpt", 550, "5.7.1", *_RELAY),
        "greylisted": Answer("rcpt", 450, "4.2.0", *_GREY),
        "mailbox full": Answer("rcpt", 452, "4.2.2", *_FULL),
        "over quota": Answer("rcpt", 552, "5.2.2", *_QUOTA),
        "too many errors": Answer("rcpt", 421, "4.7.0", "rate-limited", 3),
        "too big": Answer("mail", 552, "5.2.3", *_BIG),
        "bad HELO": Answer("ehlo", 501, "5.0.0", "bad-helo", 1),
        "no login": Answer("mail", 530, "5.7.0", *_LOGIN),
        "no TLS": Answer("mail", 530, "5.7.0", *_LOGIN),
        **_DOORS,
    },
    "dovecot": {
        "no login": Answer("mail", 530, "5.7.0", *_LOGIN),
        "no TLS": Answer("mail", 530, "5.7.0", *_LOGIN),
        "clear text to TLS": _DOORS["clear text to TLS"],
    },
}


def probe(smtpdoc: Smtpdoc, server: MailServer, port: int, *arguments: str) -> Ran:
    place = (f"{HOST}:{port}", "--resolve", f"{HOST}:{server.address}", "--ca-file", str(server.ca_file))
    helo = () if "--helo" in arguments else ("--helo", "probe.example")
    return smtpdoc("probe", *place, *helo, "--json", *arguments)


def decisive(ran: Ran, stage: str) -> Answer:
    (session,) = ran.json["evidence"]["sessions"]
    told: dict[str, Any] = [one for one in session["stages"] if one["stage"] == stage][-1]
    reply, explanation = told["reply"] or {}, told["explanation"] or {}
    return Answer(stage, reply.get("code"), reply.get("enhanced"), explanation.get("reason"), ran.code)


@pytest.mark.parametrize(
    ("name", "scenario"), [(name, scenario) for name, answers in ANSWERED.items() for scenario in answers]
)
def test_each_server_is_understood(smtpdoc: Smtpdoc, name: str, scenario: str, request: pytest.FixtureRequest) -> None:
    server: MailServer = request.getfixturevalue(name)
    (use, arguments), expected = ASKED[scenario], ANSWERED[name][scenario]

    assert expected == decisive(probe(smtpdoc, server, server.ports[use], *arguments), expected.stage)


#: A login that is refused, at each server: reply, and whether a token is known there at all.
REFUSED = {
    "postfix": (535, "5.7.8", True),
    "dovecot": (535, "5.7.8", True),
    "exim": (535, None, False),
    "opensmtpd": (535, None, False),
    "sendmail": (535, "5.7.0", False),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_password_is_understood(
    smtpdoc: Smtpdoc, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: MailServer = request.getfixturevalue(name)
    (tmp_path / "password").write_text(WRONG)
    login = ("--auth-user", server.user, "--auth-password-file", str(tmp_path / "password"), "--auth", "PLAIN")
    # Dovecot makes an address wait that failed once; a later test shall not.
    ran = probe(smtpdoc, server, server.submission_port, *login, "--source-ip", "127.0.0.9")
    code, enhanced, _ = REFUSED[name]

    assert Answer("auth", code, enhanced, "auth-failed", 1) == decisive(ran, "auth")


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_is_not_taken_is_understood(
    smtpdoc: Smtpdoc, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: MailServer = request.getfixturevalue(name)
    (tmp_path / "token").write_text("stale-token")
    login = ("--auth-user", server.user, "--auth-token-file", str(tmp_path / "token"), "--auth", "OAUTHBEARER")
    ran = probe(smtpdoc, server, server.submission_port, *login, "--source-ip", "127.0.0.10")
    code, enhanced, known = REFUSED[name]

    if known:
        assert Answer("auth", code, enhanced, "auth-failed", 1) == decisive(ran, "auth")
    else:
        assert Answer("auth", None, None, None, 1) == decisive(ran, "auth")
        assert "smtp.auth-not-offered" in {finding["id"] for finding in ran.json["findings"]}


def test_an_open_relay_is_told(smtpdoc: Smtpdoc, postfix: MailServer) -> None:
    ran = probe(smtpdoc, postfix, postfix.ports["open-relay"], *STRANGER, "--relay-test")
    levels = {finding["id"]: finding["level"] for finding in ran.json["findings"]}

    assert ran.code == 1
    assert levels["smtp.relay-accepted"] == "error"
    assert levels["smtp.relay-syntax-accepted"] == "warning"


def test_a_server_that_waits_for_a_proxy_header_is_no_verdict(smtpdoc: Smtpdoc, postfix: MailServer) -> None:
    ran = probe(smtpdoc, postfix, postfix.ports["proxy"], "--timeout", "2")

    assert Answer("greeting", None, None, None, 3) == decisive(ran, "greeting")
    assert "PROXY" in next(one for one in ran.json["findings"] if one["id"] == "smtp.silent")["why"]
