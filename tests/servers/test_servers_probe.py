"""A probe of real servers: what gather/probe.py writes down when Postfix, Exim and the others speak for themselves."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from support.lab import HOST, MailServer
from support.probing import gather_probe

from smtpdoc.evidence.smtp import Exchange, FailureKind, Line, Stage, StageStatus, TlsFacts, Transcript
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.target import Target

pytestmark = pytest.mark.servers

OK, REFUSED, DEFERRED, FAILED, SKIPPED = (
    *(StageStatus.OK, StageStatus.REFUSED, StageStatus.DEFERRED),
    *(StageStatus.FAILED, StageStatus.SKIPPED),
)

WRONG_PASSWORD = "wr0ng-Pa55word"

PASSWORD_MECHANISMS = {
    "dovecot": ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"),
    "postfix": ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"),
    "exim": ("PLAIN", "LOGIN", "CRAM-MD5"),
    "opensmtpd": ("PLAIN", "LOGIN"),
    "sendmail": ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"),
}

#: What a server that knows greylisting and quotas says to whom: recipient → code, enhanced, status.
VERDICTS: dict[str, dict[str, tuple[int, str | None, StageStatus]]] = {
    "postfix": {
        "bob@lab.example": (250, "2.1.5", OK),
        "nosuchuser@lab.example": (550, "5.1.1", REFUSED),
        "bob@elsewhere.example": (554, "5.7.1", REFUSED),
        "grey@lab.example": (450, "4.2.0", DEFERRED),
        "full@lab.example": (452, "4.2.2", DEFERRED),
        "big@lab.example": (552, "5.2.2", REFUSED),
    },
    "exim": {
        "bob@lab.example": (250, None, OK),
        "nosuchuser@lab.example": (550, "5.1.1", REFUSED),
        "bob@elsewhere.example": (550, "5.7.1", REFUSED),
        "grey@lab.example": (451, "4.2.0", DEFERRED),
        "full@lab.example": (451, "4.2.2", DEFERRED),
        "big@lab.example": (550, "5.2.2", REFUSED),
    },
    "opensmtpd": {
        "bob@lab.example": (250, "2.1.5", OK),
        "nosuchuser@lab.example": (550, None, REFUSED),
        "bob@elsewhere.example": (550, None, REFUSED),
    },
    "sendmail": {
        "bob@lab.example": (250, "2.1.5", OK),
        "nosuchuser@lab.example": (550, "5.1.1", REFUSED),
        "bob@elsewhere.example": (550, "5.7.1", REFUSED),
        "grey@lab.example": (450, "4.2.0", DEFERRED),
        "full@lab.example": (452, "4.2.2", DEFERRED),
        "big@lab.example": (552, "5.2.2", REFUSED),
    },
}

#: Certificate of the shelf → trusted, name matches, OpenSSL's X509_V_ERR number.
CERTIFICATES = {
    "good": (True, True, 0),
    "ec": (True, True, 0),
    "wildcard": (True, True, 0),
    "soon": (True, True, 0),
    "common-name-only": (True, True, 0),  # what MTAs accept; RFC 9525 section 6.3 no longer does
    "no-intermediate": (False, True, 20),
    "expired": (False, True, 10),
    "future": (False, True, 9),
    "self-signed": (False, True, 18),
    "untrusted": (False, True, 20),
    "wrong-name": (True, False, 62),
    "weak": (False, True, 66),
}


class Unwatched:
    """A Watcher that looks away."""

    def line(self, line: Line) -> None:
        pass

    def exchange(self, exchange: Exchange) -> None:
        pass


def talk(server: MailServer, port: int, **options: Any) -> Transcript:
    """Probe a port of the server under its real name, trusting the lab's root."""
    wanted = ProbeOptions(**{"ca_file": str(server.ca_file), "helo": "probe.example", **options})
    dialer = TcpDialer(overrides={HOST: (server.address,)})
    target = Target(HOST, port, implicit_tls=port == server.smtps_port)
    return asyncio.run(gather_probe(target, wanted, dialer, Unwatched()))


def log_in(server: MailServer, mechanism: str | None = None, password: str | None = None, **options: Any) -> Transcript:
    secret = Secret(server.password if password is None else password)
    port = options.pop("port", server.submission_port)
    return talk(server, port, auth_user=server.user, auth_mechanism=mechanism, secret=secret, **options)


def only(transcript: Transcript, stage: Stage) -> Exchange:
    (exchange,) = (exchange for exchange in transcript.exchanges if exchange.stage is stage)
    return exchange


def code(exchange: Exchange) -> int | None:
    return None if exchange.reply is None else exchange.reply.code


def tls_of(transcript: Transcript) -> TlsFacts:
    assert transcript.tls is not None
    return transcript.tls


# Greeting, EHLO, STARTTLS


def test_a_session_with_starttls_is_written_down_stage_by_stage(mail_server: MailServer) -> None:
    transcript = talk(mail_server, mail_server.submission_port)

    assert [(exchange.stage, exchange.status, code(exchange)) for exchange in transcript.exchanges] == [
        (Stage.CONNECT, OK, None),
        (Stage.GREETING, OK, 220),
        (Stage.EHLO, OK, 250),
        (Stage.STARTTLS, OK, 220),
        (Stage.TLS, OK, None),
        (Stage.EHLO_TLS, OK, 250),
        (Stage.QUIT, OK, 221),
    ]
    assert [exchange.encrypted for exchange in transcript.exchanges] == [False] * 4 + [True] * 3
    assert transcript.outcome is OK
    greeting = only(transcript, Stage.GREETING).reply
    assert greeting is not None
    assert greeting.lines[0].startswith(HOST)


def test_capabilities_are_kept_apart_before_and_after_tls(mail_server: MailServer) -> None:
    transcript = talk(mail_server, mail_server.submission_port)
    before, after = transcript.capabilities_before_tls, transcript.capabilities_after_tls

    assert before is not None
    assert after is not None
    assert "STARTTLS" in before
    assert "STARTTLS" not in after
    assert {"PLAIN", "LOGIN"} <= set(after["AUTH"].split())
    assert after["SIZE"] == "10240000"


def test_the_labs_certificate_is_trusted_under_its_name(mail_server: MailServer) -> None:
    tls = tls_of(talk(mail_server, mail_server.submission_port))

    assert (tls.version, tls.trusted, tls.name_matches, tls.verify_code) == ("TLSv1.3", True, True, 0)
    assert [certificate.common_name for certificate in tls.chain[:2]] == [HOST, "lab intermediate"]
    assert tls.chain[0].key == "RSA 2048"
    assert tls.days_left in (89, 90)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("mx", ("TLSv1.3", "x25519", 253, False)),
        ("p-384", ("TLSv1.3", "secp384r1", 384, True)),
        ("dh-1024", ("TLSv1.2", "DHE", 1024, False)),
        ("rsa-key-exchange", ("TLSv1.2", "RSA", None, False)),
    ],
)
def test_the_key_exchange_is_told(postfix: MailServer, use: str, expected: tuple[str, str, int | None, bool]) -> None:
    tls = tls_of(talk(postfix, postfix.ports[use]))

    assert (tls.version, tls.group, tls.group_bits, tls.hello_retry) == expected


def test_sendmail_asks_for_a_second_client_hello(sendmail: MailServer) -> None:
    tls = tls_of(talk(sendmail, sendmail.submission_port))

    assert (tls.version, tls.group, tls.hello_retry) == ("TLSv1.3", "secp256r1", True)


def test_implicit_tls_greets_encrypted(mail_server: MailServer) -> None:
    transcript = talk(mail_server, mail_server.smtps_port)

    assert [exchange.stage for exchange in transcript.exchanges][:3] == [Stage.CONNECT, Stage.TLS, Stage.GREETING]
    assert only(transcript, Stage.GREETING).encrypted
    assert (tls_of(transcript).implicit, tls_of(transcript).trusted) == (True, True)
    assert transcript.outcome is OK


@pytest.mark.parametrize(
    ("quit_after", "last"),
    [("greeting", Stage.GREETING), ("ehlo", Stage.EHLO), ("starttls", Stage.EHLO_TLS)],
)
def test_quit_comes_after_the_stage_that_was_asked_for(postfix: MailServer, quit_after: str, last: Stage) -> None:
    transcript = talk(postfix, postfix.mx_port, quit_after=quit_after, recipients=("bob@lab.example",))

    assert [exchange.stage for exchange in transcript.exchanges][-2:] == [last, Stage.QUIT]


# AUTH


@pytest.mark.parametrize(
    ("mail_server", "mechanism"),
    [(name, mechanism) for name, mechanisms in PASSWORD_MECHANISMS.items() for mechanism in mechanisms],
    indirect=["mail_server"],
)
def test_every_mechanism_logs_in_with_the_right_password(mail_server: MailServer, mechanism: str) -> None:
    transcript = log_in(mail_server, mechanism)
    auth = only(transcript, Stage.AUTH)

    assert (code(auth), auth.status, auth.encrypted) == (235, OK, True)
    assert transcript.auth_mechanism == mechanism
    assert_secret_is_nowhere(transcript, mail_server.password)


@pytest.mark.parametrize(
    ("mail_server", "mechanism"),
    [
        *((name, None) for name in PASSWORD_MECHANISMS),
        *(("postfix", mechanism) for mechanism in PASSWORD_MECHANISMS["postfix"]),
    ],
    indirect=["mail_server"],
)
def test_a_wrong_password_is_tried_once_and_refused(mail_server: MailServer, mechanism: str | None) -> None:
    transcript = log_in(mail_server, mechanism, WRONG_PASSWORD, recipients=("bob@elsewhere.example",))
    auth = only(transcript, Stage.AUTH)

    assert (code(auth), auth.status) == (535, REFUSED)
    assert transcript.outcome is REFUSED
    assert [exchange.stage for exchange in transcript.exchanges][-2:] == [Stage.AUTH, Stage.QUIT]
    assert_secret_is_nowhere(transcript, WRONG_PASSWORD)


@pytest.mark.parametrize(("token", "expected"), [(None, (235, OK)), ("stale-token", (535, REFUSED))])
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_a_token_logs_in_or_is_refused(
    postfix: MailServer, mechanism: str, token: str | None, expected: tuple[int, StageStatus]
) -> None:
    transcript = log_in(postfix, mechanism, token or postfix.token, token=True)
    auth = only(transcript, Stage.AUTH)

    assert (code(auth), auth.status) == expected
    assert_secret_is_nowhere(transcript, token or postfix.token)


def test_after_a_login_the_submission_server_relays(mail_server: MailServer) -> None:
    transcript = log_in(mail_server, mail_from="alice@lab.example", recipients=("bob@elsewhere.example",))
    rcpt = only(transcript, Stage.RCPT)

    assert (rcpt.reply and rcpt.reply.code, rcpt.status) == (250, OK)


def test_without_a_login_the_submission_server_asks_for_one(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.submission_port, recipients=("bob@elsewhere.example",))
    rcpt = only(transcript, Stage.RCPT)

    assert (code(rcpt), rcpt.status) == (554, REFUSED)


@pytest.mark.parametrize("name", ["expired", "self-signed", "wrong-name", "untrusted"])
def test_no_password_goes_to_a_server_that_cannot_be_verified(postfix: MailServer, name: str) -> None:
    transcript = log_in(postfix, "PLAIN", port=postfix.certificate_port(name))
    auth = only(transcript, Stage.AUTH)

    assert auth.status is SKIPPED
    assert auth.failure is not None
    assert auth.failure.kind is FailureKind.SKIPPED_UNSAFE
    assert not any("AUTH" in line.text for line in transcript.lines if line.kind == "sent")


def test_no_password_goes_over_clear_text(postfix: MailServer) -> None:
    port = postfix.ports["auth-in-clear"]
    careful, forced = (
        only(log_in(postfix, "PLAIN", port=port, tls="none", allow_cleartext_auth=allowed), Stage.AUTH)
        for allowed in (False, True)
    )

    assert (careful.status, code(careful)) == (SKIPPED, None)
    assert (forced.status, code(forced), forced.encrypted) == (OK, 235, False)


def assert_secret_is_nowhere(transcript: Transcript, secret: str) -> None:
    everything = repr(transcript)
    plain = b64encode(f"\0alice\0{secret}".encode()).decode()

    assert secret not in everything
    assert b64encode(secret.encode()).decode() not in everything
    assert plain not in everything


# Recipients


@pytest.mark.parametrize(
    ("mx_server", "recipient", "expected"),
    [(name, recipient, verdict) for name, verdicts in VERDICTS.items() for recipient, verdict in verdicts.items()],
    indirect=["mx_server"],
)
def test_a_recipient_gets_the_servers_verdict(
    mx_server: MailServer, recipient: str, expected: tuple[int, str | None, StageStatus]
) -> None:
    transcript = talk(mx_server, mx_server.mx_port, mail_from="sender@sender.example", recipients=(recipient,))
    rcpt = only(transcript, Stage.RCPT)

    assert rcpt.reply is not None
    assert (rcpt.reply.code, rcpt.reply.enhanced and str(rcpt.reply.enhanced), rcpt.status) == expected
    assert rcpt.recipient == recipient
    assert transcript.outcome is expected[2]


def test_several_recipients_are_told_apart(mx_server: MailServer) -> None:
    verdicts = VERDICTS[mx_server.name]
    transcript = talk(mx_server, mx_server.mx_port, mail_from="sender@sender.example", recipients=tuple(verdicts))
    answers = {exchange.recipient: exchange.status for exchange in transcript.exchanges if exchange.stage is Stage.RCPT}

    assert answers == {recipient: status for recipient, (_, _, status) in verdicts.items()}
    assert transcript.exchanges[-1].stage is Stage.QUIT
    assert not transcript.unsolicited


def test_nothing_past_rcpt_is_ever_sent(mx_server: MailServer) -> None:
    transcript = talk(mx_server, mx_server.mx_port, mail_from="sender@sender.example", recipients=("bob@lab.example",))
    verbs = [line.text.split(":")[0].split()[0] for line in transcript.lines if line.kind == "sent"]

    assert verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "QUIT"]


@pytest.mark.parametrize("mx_server", ["postfix", "exim", "opensmtpd", "sendmail"], indirect=True)
def test_a_refused_sender_decides_nothing_about_recipients(mx_server: MailServer) -> None:
    transcript = talk(mx_server, mx_server.mx_port, mail_from="a@blocked.example", recipients=("bob@lab.example",))
    refused = [exchange for exchange in transcript.exchanges if exchange.status is REFUSED]

    assert transcript.outcome is REFUSED
    # Sendmail and OpenSMTPD decide about the sender when they hear the recipient.
    assert {exchange.stage for exchange in refused} <= {Stage.MAIL, Stage.RCPT}
    if mx_server.name in ("postfix", "exim"):
        assert only(transcript, Stage.MAIL).status is REFUSED
        assert only(transcript, Stage.RCPT).status is SKIPPED


def test_a_421_ends_the_session(postfix: MailServer) -> None:
    recipients = ("bounce421@lab.example",)
    transcript = talk(postfix, postfix.mx_port, mail_from="sender@sender.example", recipients=recipients)
    rcpt = only(transcript, Stage.RCPT)

    assert (code(rcpt), rcpt.status) == (421, DEFERRED)


def test_a_server_that_thinks_too_long_leaves_no_verdict(postfix: MailServer) -> None:
    recipients = ("silent@lab.example",)
    transcript = talk(postfix, postfix.mx_port, mail_from="s@sender.example", recipients=recipients, timeout_s=1.5)
    rcpt = only(transcript, Stage.RCPT)

    assert rcpt.failure is not None
    assert (rcpt.status, rcpt.failure.kind) == (FAILED, FailureKind.TIMEOUT)
    assert transcript.outcome is FAILED


# Certificates


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_is_reported_as_what_it_is_and_the_session_goes_on(postfix: MailServer, name: str) -> None:
    trusted, name_matches, verify_code = CERTIFICATES[name]
    transcript = talk(postfix, postfix.certificate_port(name))
    tls = tls_of(transcript)

    assert (tls.trusted, tls.name_matches, tls.verify_code) == (trusted, name_matches, verify_code)
    assert (tls.expired, tls.self_signed) == (name == "expired", name == "self-signed")
    assert bool(tls.verify_error) == (verify_code != 0)
    assert only(transcript, Stage.EHLO_TLS).status is OK


def test_a_certificate_tells_its_key_its_names_and_its_days(postfix: MailServer) -> None:
    weak, soon, wildcard, nameless = (
        tls_of(talk(postfix, postfix.certificate_port(name)))
        for name in ("weak", "soon", "wildcard", "common-name-only")
    )

    assert weak.chain[0].key == "RSA 1024"
    assert (soon.days_left, soon.chain[0].key) == (5, "EC P-256")
    assert wildcard.chain[0].names == ("*.lab.example",)
    assert nameless.chain[0].names == ()


def test_a_server_is_verified_under_the_name_that_was_asked_for(postfix: MailServer) -> None:
    tls = tls_of(talk(postfix, postfix.certificate_port("wrong-name"), server_name="other.example"))

    assert (tls.trusted, tls.name_matches, tls.server_name) == (True, True, "other.example")


def test_without_the_labs_root_nothing_is_trusted(postfix: MailServer) -> None:
    tls = tls_of(talk(postfix, postfix.mx_port, ca_file=None))

    assert (tls.trusted, tls.name_matches) == (False, True)


# Servers that are not as they should be


def test_a_missing_starttls_is_no_reason_to_go_on_in_clear(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.ports["no-starttls"], recipients=("bob@lab.example",))
    starttls = only(transcript, Stage.STARTTLS)

    assert starttls.status is SKIPPED
    assert starttls.failure is not None
    assert starttls.failure.word == "starttls-missing"
    assert not any(line.text.startswith("MAIL") for line in transcript.lines)


def test_optional_tls_goes_on_in_clear(postfix: MailServer) -> None:
    port = postfix.ports["no-starttls"]
    transcript = talk(postfix, port, tls="optional", mail_from="s@sender.example", recipients=("bob@lab.example",))

    assert only(transcript, Stage.RCPT).status is OK
    assert transcript.tls is None


def test_a_554_greeting_is_a_refusal_and_still_gets_its_quit(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.ports["refuses"])
    greeting = only(transcript, Stage.GREETING)

    assert (code(greeting), greeting.status) == (554, REFUSED)
    assert [exchange.stage for exchange in transcript.exchanges] == [Stage.CONNECT, Stage.GREETING, Stage.QUIT]
    assert transcript.outcome is REFUSED


def test_postscreen_is_waited_for(postfix: MailServer) -> None:
    """Whoever speaks within its two seconds is taken for a spammer."""
    transcript = talk(postfix, postfix.ports["postscreen"])

    assert only(transcript, Stage.GREETING).elapsed_s > 1.5
    assert transcript.outcome is OK


def test_a_server_with_tls_1_0_only_is_named_as_that(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.ports["old-tls"])
    tls = only(transcript, Stage.TLS)

    assert tls.failure is not None
    assert (tls.status, tls.failure.kind) == (FAILED, FailureKind.TLS)
    assert transcript.legacy_tls == "TLSv1"


def test_a_server_without_any_capability_has_none(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.ports["bare-ehlo"], tls="optional")

    assert transcript.capabilities_before_tls == {}


def test_tls_at_once_on_a_port_that_speaks_first_fails_with_what_was_heard(postfix: MailServer) -> None:
    transcript = talk(postfix, postfix.mx_port, tls="implicit")
    tls = only(transcript, Stage.TLS)

    assert tls.failure is not None
    assert tls.status is FAILED
    assert tls.failure.detail


def test_clear_text_on_a_port_that_wants_tls_ends_with_a_sentence(postfix: MailServer) -> None:
    dialer = TcpDialer(overrides={HOST: (postfix.address,)})
    target = Target(HOST, postfix.smtps_port, implicit_tls=False)
    transcript = asyncio.run(gather_probe(target, ProbeOptions(timeout_s=2), dialer, Unwatched()))
    greeting = only(transcript, Stage.GREETING)

    assert greeting.status is FAILED
    assert greeting.failure is not None
    assert "TLS" in greeting.failure.detail


def test_a_closed_port_is_a_value(postfix: MailServer) -> None:
    transcript = talk(postfix, 1)
    connect = only(transcript, Stage.CONNECT)

    assert connect.failure is not None
    assert (connect.status, connect.failure.kind) == (FAILED, FailureKind.REFUSED)
