"""Findings about sessions: for each one case that raises it and one that nearly does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.scripted import reply
from support.sessions import HOST, session

from smtpdoc.catalog.checks import envelope, message, smtp, tls
from smtpdoc.evidence.explanation import Confidence, Explanation, Retry, Who
from smtpdoc.evidence.looks import VersionAnswer
from smtpdoc.evidence.smtp import (
    Certificate,
    Exchange,
    Failure,
    FailureKind,
    Stage,
    StageStatus,
    TlsFacts,
    Transcript,
)
from smtpdoc.findings import Finding, Level
from smtpdoc.grammar.reply import Reply

NOW = datetime.now(UTC)


def answered(stage: Stage, text: str, *, recipient: str | None = None, elapsed_s: float = 0.01) -> Exchange:
    statuses = {"4": StageStatus.DEFERRED, "5": StageStatus.REFUSED}
    status = statuses.get(text[0], StageStatus.OK)
    return Exchange(stage, "", reply(text), None, False, elapsed_s, recipient, status)


def failed(stage: Stage, kind: FailureKind, word: str, detail: str = "what happened") -> Exchange:
    status = StageStatus.SKIPPED if word in ("starttls-missing", "unsafe", "auth-not-offered") else StageStatus.FAILED
    return Exchange(stage, "", None, Failure(kind, stage, detail, word), False, 0.5, status=status)


CONNECTED = Exchange(Stage.CONNECT, "", None, None, False, 0.01)
GREETED = answered(Stage.GREETING, f"220 {HOST}")


def found(transcript: Transcript) -> list[tuple[str, str]]:
    return [(finding.id, finding.level.value) for finding in both(transcript)]


def both(transcript: Transcript) -> tuple[Finding, ...]:
    about_smtp = (*smtp.checks.run(transcript), *envelope.checks.run(transcript), *message.checks.run(transcript))
    return (*about_smtp, *tls.checks.run(transcript))


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (failed(Stage.CONNECT, FailureKind.DNS, "nxdomain"), [("smtp.name-not-found", "error")]),
        (failed(Stage.CONNECT, FailureKind.DNS, "no-address"), [("smtp.name-not-found", "error")]),
        (failed(Stage.CONNECT, FailureKind.DNS, "dns-servfail"), [("smtp.name-lookup-failed", "unknown")]),
        (failed(Stage.CONNECT, FailureKind.DNS, "dns-timeout"), [("smtp.name-lookup-failed", "unknown")]),
        (failed(Stage.CONNECT, FailureKind.DNS, "null-mx"), [("smtp.no-mail-wanted", "error")]),
        (failed(Stage.CONNECT, FailureKind.DNS, "no-mail-host"), [("smtp.no-mail-host", "error")]),
        (failed(Stage.CONNECT, FailureKind.REFUSED, "refused"), [("smtp.connection-refused", "unknown")]),
        (failed(Stage.CONNECT, FailureKind.UNREACHABLE, "no-route"), [("smtp.unreachable", "unknown")]),
        (failed(Stage.CONNECT, FailureKind.TIMEOUT, "connect-timeout"), [("smtp.unreachable", "unknown")]),
        (CONNECTED, []),
    ],
)
def test_each_way_not_to_be_reached_has_one_finding(exchange: Exchange, expected: list[tuple[str, str]]) -> None:
    assert found(session(exchange)) == expected


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (failed(Stage.GREETING, FailureKind.TIMEOUT, "timeout"), [("smtp.silent", "unknown")]),
        (failed(Stage.GREETING, FailureKind.TIMEOUT, "timeout-mid-reply"), [("smtp.no-answer", "unknown")]),
        (failed(Stage.GREETING, FailureKind.CLOSED, "eof"), [("smtp.no-answer", "unknown")]),
        (failed(Stage.GREETING, FailureKind.PROTOCOL, "not-smtp"), [("smtp.other-protocol", "error")]),
        (failed(Stage.GREETING, FailureKind.PROTOCOL, "other-protocol"), [("smtp.other-protocol", "error")]),
        (failed(Stage.GREETING, FailureKind.PROTOCOL, "reply-too-long"), [("smtp.runaway-reply", "error")]),
        (answered(Stage.GREETING, "554 no"), [("smtp.greeting-refused", "error")]),
        (answered(Stage.GREETING, "421 later"), [("smtp.greeting-deferred", "unknown")]),
        (answered(Stage.GREETING, "220 hi", elapsed_s=5.1), [("smtp.slow-greeting", "warning")]),
        (answered(Stage.GREETING, "220 hi", elapsed_s=4.9), []),
    ],
)
def test_each_greeting_has_its_finding(exchange: Exchange, expected: list[tuple[str, str]]) -> None:
    assert found(session(CONNECTED, exchange)) == expected


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ((answered(Stage.EHLO, "550 your name"),), [("smtp.ehlo-refused", "error")]),
        ((answered(Stage.EHLO, "450 later"),), [("smtp.ehlo-refused", "unknown")]),
        ((answered(Stage.EHLO, "502 what"), answered(Stage.EHLO, "250 hi")), [("smtp.ehlo-refused", "warning")]),
        ((answered(Stage.EHLO, "250 hi"),), []),
    ],
)
def test_ehlo(exchanges: tuple[Exchange, ...], expected: list[tuple[str, str]]) -> None:
    assert found(session(CONNECTED, GREETED, *exchanges)) == expected


MISSING = failed(Stage.STARTTLS, FailureKind.PROTOCOL, "starttls-missing")


@pytest.mark.parametrize(
    ("exchange", "changes", "expected"),
    [
        (MISSING, {}, [("smtp.starttls-missing", "error")]),
        (MISSING, {"opportunistic": True, "port": 25}, [("smtp.starttls-missing", "warning")]),
        (MISSING, {"capabilities_before_tls": {"XXXXXXXA": ""}}, [("smtp.starttls-stripped", "error")]),
        (answered(Stage.STARTTLS, "454 no"), {}, [("smtp.starttls-refused", "error")]),
        (answered(Stage.STARTTLS, "454 no"), {"opportunistic": True}, [("smtp.starttls-refused", "warning")]),
        (answered(Stage.STARTTLS, "220 go"), {}, []),
        (failed(Stage.TLS, FailureKind.PROTOCOL, "starttls-injection"), {}, [("smtp.starttls-injection", "error")]),
        (failed(Stage.TLS, FailureKind.PROTOCOL, "tls-clear-answer"), {}, [("smtp.starttls-not-started", "error")]),
        (failed(Stage.TLS, FailureKind.PROTOCOL, "tls-clear-deferral"), {}, [("smtp.starttls-not-started", "unknown")]),
        (
            failed(Stage.TLS, FailureKind.PROTOCOL, "tls-clear-answer"),
            {"tls_mode": "implicit"},
            [("smtp.other-protocol", "error")],
        ),
        (failed(Stage.TLS, FailureKind.TLS, "tls-failed"), {}, [("tls.handshake-failed", "error")]),
        (failed(Stage.TLS, FailureKind.TIMEOUT, "tls-timeout"), {}, [("tls.handshake-failed", "unknown")]),
    ],
)
def test_starttls(exchange: Exchange, changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(session(CONNECTED, GREETED, exchange, **changes)) == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"AUTH": "PLAIN LOGIN"}, ["smtp.auth-offered-in-clear"]),
        ({"AUTH": "CRAM-MD5 SCRAM-SHA-256"}, []),
        ({"SIZE": "1"}, []),
    ],
)
def test_logins_in_clear(capabilities: dict[str, str], expected: list[str]) -> None:
    transcript = session(CONNECTED, GREETED, capabilities_before_tls=capabilities)

    assert [finding for finding, _ in found(transcript)] == expected


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (failed(Stage.AUTH, FailureKind.PROTOCOL, "auth-not-offered"), ("smtp.auth-not-offered", "error")),
        (failed(Stage.AUTH, FailureKind.SKIPPED_UNSAFE, "unsafe"), ("smtp.auth-not-safe", "unknown")),
        (answered(Stage.AUTH, "535 5.7.8 no"), ("smtp.auth-refused", "error")),
        (answered(Stage.AUTH, "454 4.7.0 later"), ("smtp.auth-deferred", "unknown")),
        (failed(Stage.AUTH, FailureKind.CLOSED, "eof"), ("smtp.no-answer", "unknown")),
        (failed(Stage.MAIL, FailureKind.SKIPPED_UNSAFE, "unsafe"), ("smtp.envelope-not-safe", "unknown")),
        (answered(Stage.MAIL, "550 5.7.1 no"), ("smtp.mail-refused", "error")),
        (answered(Stage.MAIL, "451 4.3.0 later"), ("smtp.mail-deferred", "unknown")),
        (answered(Stage.RCPT, "550 5.1.1 no", recipient="bob@example.net"), ("smtp.rcpt-refused", "error")),
        (answered(Stage.RCPT, "450 4.2.0 later", recipient="bob@example.net"), ("smtp.rcpt-deferred", "unknown")),
    ],
)
def test_login_and_envelope(exchange: Exchange, expected: tuple[str, str]) -> None:
    """5yz is the server's no, 4yz is no verdict."""
    assert found(session(CONNECTED, GREETED, exchange, auth_user="alice", auth_mechanism="SCRAM-SHA-256")) == [expected]


def test_a_421_explains_the_end_of_the_connection_by_itself() -> None:
    transcript = session(
        *(CONNECTED, GREETED, answered(Stage.RCPT, "421 4.7.0 too many", recipient="a@example.net")),
        failed(Stage.RCPT, FailureKind.CLOSED, "eof"),
    )

    assert found(transcript) == [("smtp.rcpt-deferred", "unknown")]


def test_an_unanswered_quit_is_no_finding() -> None:
    assert found(session(CONNECTED, GREETED, failed(Stage.QUIT, FailureKind.TIMEOUT, "timeout"))) == []


def test_a_skipped_recipient_is_no_finding() -> None:
    skipped = replace(answered(Stage.RCPT, "503 5.5.1 order", recipient="a@b.example"), status=StageStatus.SKIPPED)

    assert found(session(CONNECTED, GREETED, skipped)) == []


def test_a_refusal_quotes_the_reply_and_takes_the_catalogs_advice() -> None:
    refused = answered(Stage.RCPT, "550 5.1.1 no such user", recipient="bob@example.net")
    assert refused.reply is not None
    explained = replace(refused, explanation=explanation(refused.reply))

    (finding,) = smtp.checks.run(session(CONNECTED, GREETED, explained))

    assert finding.message == f"{HOST} refused bob@example.net: 550 5.1.1 no such user (user-unknown)"
    assert finding.fix == "Check the address."
    assert finding.paste == ("smtpdoc explain user-unknown",)
    assert finding.subject == "bob@example.net"
    assert finding.facts == {"code": 550, "enhanced": "5.1.1", "reason": "user-unknown"}


def explanation(of: Reply) -> Explanation:
    return Explanation(
        reply=of,
        reply_class="permanent",
        reason="user-unknown",
        provider=None,
        action="suppress",
        retry=Retry(should=False),
        who=Who.SENDER,
        confidence=Confidence.CODE,
        title="no such user",
        meaning="The mailbox does not exist.",
        causes=(),
        steps=("Check the address.",),
        commands=("smtpdoc explain user-unknown",),
        entries=("enhanced.5.1.1",),
        sources=(),
    )


def test_a_strangers_text_is_made_printable_and_short() -> None:
    refused = answered(Stage.GREETING, "554 \x1b[31m" + "x" * 1000)

    (finding,) = smtp.checks.run(session(CONNECTED, refused))

    assert "\x1b" not in finding.message
    assert len(finding.message) < 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [("550 4.1.1 odd", ["smtp.codes-disagree", "smtp.rcpt-refused"]), ("550 5.1.1 fine", ["smtp.rcpt-refused"])],
)
def test_codes_that_disagree(text: str, expected: list[str]) -> None:
    transcript = session(CONNECTED, GREETED, answered(Stage.RCPT, text, recipient="a@b.example"))

    assert sorted(finding for finding, _ in found(transcript)) == expected


def test_faults_of_replies_are_told_once_each() -> None:
    greeting = replace(GREETED, reply=replace(reply("220 hi"), faults=("bare-lf", "8bit")))
    ehlo = replace(answered(Stage.EHLO, "250 hi"), reply=replace(reply("250 hi"), faults=("bare-lf",)))

    messages = [finding.message for finding in smtp.checks.run(session(CONNECTED, greeting, ehlo))]
    assert messages == [
        f"{HOST} sends lines that end in LF without CR, first at GREETING",
        f"{HOST} sends characters outside ASCII, first at GREETING",
    ]


@pytest.mark.parametrize(("text", "expected"), [("250 again", ["smtp.surplus-reply"]), ("421 bye", [])])
def test_surplus_replies(text: str, expected: list[str]) -> None:
    """421 is the one reply that may come at any time."""
    transcript = session(CONNECTED, GREETED, unsolicited=(reply(text),))

    assert [finding for finding, _ in found(transcript)] == expected


@pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind is not FailureKind.SKIPPED_UNSAFE])
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.QUIT, Stage.RSET)])
@pytest.mark.parametrize("mode", ["auto", "implicit"])
def test_no_failed_stage_is_without_a_finding(kind: FailureKind, stage: Stage, mode: str) -> None:
    """Or the exit code would say that all is well."""
    words = {
        FailureKind.TIMEOUT: ("timeout", "timeout-mid-reply", "tls-timeout", "connect-timeout"),
        FailureKind.REFUSED: ("refused",),
        FailureKind.UNREACHABLE: ("no-route", "no-network", "source-address", "unreachable", "forbidden-here"),
        FailureKind.CLOSED: ("eof", "eof-mid-reply", "reset", "lost"),
        FailureKind.TLS: ("tls-failed", "tls-closed", "tls-broken"),
        FailureKind.DNS: ("nxdomain", "dns-servfail", "a-new-word"),
        FailureKind.PROTOCOL: ("not-smtp", "line-too-long", "surplus-flood", "starttls-injection", "a-new-word"),
    }
    if (kind in (FailureKind.DNS, FailureKind.REFUSED, FailureKind.UNREACHABLE)) is not (stage is Stage.CONNECT):
        return
    for word in words[kind]:
        levels = [level for _, level in found(session(failed(stage, kind, word), tls_mode=mode))]

        assert set(levels) & {"error", "unknown"}, word


# Certificates


def certificate(**changes: Any) -> Certificate:
    given: dict[str, Any] = {
        "subject": f"CN={HOST}",
        "issuer": "CN=some authority",
        "names": (HOST,),
        "not_before": NOW - timedelta(days=30),
        "not_after": NOW + timedelta(days=60),
        "key": "EC P-256",
        "signature": "ecdsa-with-SHA256",
        "sha256": "00",
        "common_name": HOST,
    }
    return Certificate(**given | changes)


def handshake(leaf: Certificate | None = None, **changes: Any) -> TlsFacts:
    leaf = leaf or certificate()
    given: dict[str, Any] = {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "bits": 256,
        "chain": (leaf, certificate(subject="CN=some authority", issuer="CN=root", names=())),
        "trusted": True,
        "name_matches": True,
        "expired": False,
        "self_signed": False,
        "days_left": (leaf.not_after - NOW).days,
        "server_name": HOST,
        "verify_code": 0,
    }
    return TlsFacts(**given | changes)


@pytest.mark.parametrize("opportunistic", [True, False])
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            handshake(group="secp256r1", hello_retry=True),
            f"{HOST} asks for a second ClientHello, with a key for secp256r1",
        ),
        (handshake(hello_retry=True), f"{HOST} asks for a second ClientHello"),
    ],
)
def test_a_slower_handshake_is_a_note(facts: TlsFacts, expected: str, opportunistic: bool) -> None:
    (finding,) = tls.checks.run(session(CONNECTED, GREETED, tls=facts, opportunistic=opportunistic))

    assert (finding.id, finding.level, finding.message) == ("tls.hello-retry", Level.INFO, expected)


def test_a_short_prime_of_another_version_is_found() -> None:
    """What TLS 1.2 does is not seen in a session with TLS 1.3; --tls-versions looks."""
    tried = (VersionAnswer("TLSv1.2", True, "DHE-RSA-AES128-SHA", group="DHE", group_bits=1024),)
    both_versions = session(CONNECTED, GREETED, tls=handshake(group="x25519"), tls_versions=tried)
    itself = session(CONNECTED, tls=handshake(version="TLSv1.2", group="DHE", group_bits=1024), tls_versions=tried)

    (finding,) = tls.checks.run(both_versions)
    assert finding.message == f"{HOST} uses a Diffie-Hellman prime of 1024 bits with TLS 1.2"
    assert len(tls.checks.run(itself)) == 1


OLD = certificate(not_after=NOW - timedelta(days=10))
STRANGER = certificate(subject="CN=stranger", issuer="CN=stranger", names=())
UNTRUSTED: dict[str, Any] = {"trusted": False, "verify_error": "words of OpenSSL"}
CERTIFICATES: list[tuple[TlsFacts, list[str]]] = [
    (handshake(), []),
    (handshake(OLD, **UNTRUSTED, verify_code=10, expired=True), ["tls.certificate-expired"]),
    (handshake(**UNTRUSTED, verify_code=10), ["tls.certificate-expired"]),  # one above it
    (handshake(**UNTRUSTED, verify_code=9), ["tls.certificate-not-yet-valid"]),
    (handshake(**UNTRUSTED, verify_code=18, self_signed=True), ["tls.certificate-self-signed"]),
    (handshake(**UNTRUSTED, verify_code=20, chain=(certificate(),)), ["tls.chain-incomplete"]),
    (handshake(**UNTRUSTED, verify_code=20), ["tls.certificate-untrusted"]),  # its root, or one more in between
    (handshake(**UNTRUSTED, verify_code=20, chain=(certificate(), STRANGER)), ["tls.chain-incomplete"]),
    (handshake(**UNTRUSTED, verify_code=26), ["tls.certificate-untrusted"]),
    (handshake(**UNTRUSTED, verify_code=20, chain=()), ["tls.certificate-untrusted"]),
    (handshake(**UNTRUSTED, verify_code=10, expired=True, chain=()), ["tls.certificate-untrusted"]),
    (handshake(OLD, **UNTRUSTED, verify_code=10, expired=True, days_left=None), ["tls.certificate-expired"]),
    (handshake(**UNTRUSTED, verify_code=19), ["tls.certificate-untrusted"]),
    (handshake(**UNTRUSTED, verify_code=7), ["tls.certificate-untrusted"]),
    (handshake(**UNTRUSTED, verify_code=None), ["tls.certificate-not-judged"]),
    (handshake(certificate(key="RSA 1024"), **UNTRUSTED, verify_code=66), ["tls.weak-key"]),
    (
        handshake(certificate(key="RSA 1024"), **UNTRUSTED, verify_code=18, self_signed=True),
        ["tls.certificate-self-signed", "tls.weak-key"],
    ),
    # too weak for OpenSSL, for a reason that we do not know
    (handshake(certificate(key="DSA"), **UNTRUSTED, verify_code=66), ["tls.certificate-untrusted"]),
    (handshake(certificate(key="RSA 2048")), []),
    (handshake(certificate(signature="sha1WithRSAEncryption")), ["tls.weak-signature"]),
    (handshake(name_matches=False, verify_code=62), ["tls.name-mismatch"]),
    (handshake(certificate(names=())), ["tls.name-only-in-subject"]),
    (handshake(version="TLSv1.1"), ["tls.old-version"]),
    (handshake(version="TLSv1.2"), []),
    (handshake(version="TLSv1.2", group="DHE", group_bits=1024), ["tls.weak-key-exchange"]),
    (handshake(version="TLSv1.2", group="DHE", group_bits=2047), ["tls.weak-key-exchange"]),
    (handshake(version="TLSv1.2", group="DHE", group_bits=2048), []),
    (handshake(version="TLSv1.2", group="DHE"), []),  # how long it is nobody knows
    (handshake(group="x25519", group_bits=253), []),
    (handshake(group="secp256r1", group_bits=256), []),
]


@pytest.mark.parametrize(("facts", "expected"), CERTIFICATES)
def test_each_doubt_about_a_certificate_is_a_finding_of_its_own(facts: TlsFacts, expected: list[str]) -> None:
    strict = session(CONNECTED, GREETED, tls=facts)
    lenient = replace(strict, opportunistic=True)

    assert [finding for finding, _ in found(strict)] == expected
    assert [finding for finding, _ in found(lenient)] == expected
    # RFC 7435: where any encryption is better than none, nobody refuses to deliver for it
    assert all(level in ("warning", "unknown") for _, level in found(lenient))


@pytest.mark.parametrize(
    ("days", "cert_days", "level"),
    [
        (60, 14, None),
        (15, 14, None),
        (14, 14, "warning"),
        (4, 14, "warning"),
        (3, 14, "error"),
        (0, 14, "error"),
        (25, 30, "warning"),
    ],
)
def test_the_end_of_a_certificate_comes_in_sight(days: int, cert_days: int, level: str | None) -> None:
    leaf = certificate(not_after=NOW + timedelta(days=days, hours=1))
    transcript = session(CONNECTED, GREETED, tls=handshake(leaf), cert_days=cert_days)

    assert found(transcript) == ([("tls.certificate-expires-soon", level)] if level else [])


@pytest.mark.parametrize(
    ("issuer", "days", "level"),
    [("CN=root", 5, "warning"), ("CN=root", 20, None), ("CN=above", 5, None)],
    ids=["soon", "later", "a root"],
)
def test_so_does_the_end_of_one_above_it(issuer: str, days: int, level: str | None) -> None:
    above = replace(certificate(), subject="CN=above", issuer=issuer, not_after=NOW + timedelta(days=days, hours=1))
    tls = replace(handshake(certificate()), chain=(certificate(), above))

    assert found(session(CONNECTED, GREETED, tls=tls, observed_at=NOW)) == (
        [("tls.certificate-expires-soon", level)] if level else []
    )


def test_a_mismatch_names_the_names_and_how_to_ask_for_one() -> None:
    leaf = certificate(names=("*.example.org", "mail.example.org"), common_name="mail.example.org")

    (finding,) = tls.checks.run(session(tls=handshake(leaf, name_matches=False, verify_code=62)))

    assert finding.message == f"the certificate is for *.example.org, mail.example.org, not for {HOST}"
    assert finding.paste == (f"smtpdoc probe {HOST}:587 --server-name mail.example.org",)


SOON = NOW + timedelta(days=9)
ABOVE = certificate(subject="CN=some authority", issuer="CN=root", names=())


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        (
            {"verify_code": 10, "expired": True, "days_left": -1, "chain": (OLD, ABOVE)},
            [f"the certificate of {HOST} expired on {OLD.not_after:%Y-%m-%d}, less than a day ago"],
        ),
        (
            {"verify_code": 10, "expired": True, "days_left": -2, "chain": (OLD, ABOVE)},
            [f"the certificate of {HOST} expired on {OLD.not_after:%Y-%m-%d}, 1 day ago"],
        ),
        (
            {"verify_code": 10, "chain": (certificate(), replace(ABOVE, not_after=OLD.not_after))},
            [f"CN=some authority, above the certificate of {HOST} in its chain, expired on {OLD.not_after:%Y-%m-%d}"],
        ),
        (
            {"verify_code": 10},  # a root here, which was not sent
            [f"the certificate of {HOST} is current, but one above it in its chain has expired"],
        ),
        (
            {"verify_code": 9, "chain": (certificate(), replace(ABOVE, not_before=SOON))},
            [f"CN=some authority, above the certificate of {HOST} in its chain, begins on {SOON:%Y-%m-%d}"],
        ),
        (
            {"verify_code": 20},
            [f"the chain of {HOST} ends below CN=root, which is neither sent nor a root known here"],
        ),
        (
            {"verify_code": 19, "chain": (certificate(), replace(ABOVE, issuer=ABOVE.subject))},
            [f"the chain of {HOST} ends at CN=some authority, a root that is not trusted here"],
        ),
        (
            {"verify_code": 20, "chain": (certificate(), STRANGER)},
            [f"the certificate of {HOST} was issued by CN=some authority, which is neither sent nor a root known here"],
        ),
    ],
)
def test_it_is_said_where_a_chain_breaks(changes: dict[str, Any], messages: list[str]) -> None:
    facts = handshake(**{**UNTRUSTED, **changes})

    assert messages == [one.message for one in tls.checks.run(session(tls=facts, observed_at=NOW))]


def test_an_expired_certificate_that_nobody_needs_is_no_harm() -> None:
    chain = (certificate(), ABOVE, replace(STRANGER, not_after=OLD.not_after))

    assert found(session(tls=handshake(chain=chain), observed_at=NOW)) == []


@pytest.mark.parametrize(
    ("leaf", "asked", "message"),
    [
        (
            certificate(names=("192.0.2.1",)),
            "192.0.2.1",
            "the certificate has 192.0.2.1 as a host name, not as an address",
        ),
        (
            certificate(names=("www.example.net",)),
            HOST,
            f"the certificate is for www.example.net, not for {HOST}; its common name does not count beside those",
        ),
    ],
)
def test_a_name_in_the_wrong_place_is_told(leaf: Certificate, asked: str, message: str) -> None:
    (finding,) = tls.checks.run(session(tls=handshake(leaf, name_matches=False, server_name=asked, verify_code=64)))

    assert (finding.message, finding.paste[:1]) == (
        message,
        (f"smtpdoc probe {HOST}:587 --server-name www.example.net",) if asked == HOST else (),
    )


def test_the_version_that_a_second_look_found_is_named() -> None:
    transcript = session(failed(Stage.TLS, FailureKind.TLS, "tls-failed"), legacy_tls="TLSv1")

    assert found(transcript) == [("tls.handshake-failed", "error"), ("tls.old-version", "error")]
    assert "TLS 1.0" in both(transcript)[0].message
    assert "log" not in both(transcript)[0].fix, "the cause is known"


def test_an_address_that_did_not_answer_is_a_warning() -> None:
    failure = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "2001:db8::1 did not answer", "connect-timeout")

    (finding,) = smtp.checks.run(session(CONNECTED, GREETED, attempts=(("2001:db8::1", failure),)))

    assert (finding.id, finding.level, finding.subject) == ("smtp.address-unreachable", Level.WARNING, "2001:db8::1")


@pytest.mark.parametrize(
    ("address", "word", "level"),
    [
        ("2001:db8::1", "no-network", Level.INFO),
        ("192.0.2.1", "no-network", Level.INFO),
        ("2001:db8::1", "no-route", Level.INFO),  # as a machine without IPv6 hears it from its router
        ("192.0.2.1", "no-route", Level.WARNING),
        ("192.0.2.1", "forbidden-here", Level.INFO),
        ("192.0.2.1", "unreachable", Level.WARNING),
    ],
)
def test_what_lies_with_this_machine_is_not_held_against_the_server(address: str, word: str, level: Level) -> None:
    failure = Failure(FailureKind.UNREACHABLE, Stage.CONNECT, f"no way to {address}", word)

    (finding,) = smtp.checks.run(session(CONNECTED, GREETED, attempts=((address, failure),)))

    assert ("smtp.address-unreachable", level) == (finding.id, finding.level)


@pytest.mark.parametrize(
    "entry", [*smtp.ENTRIES, *envelope.ENTRIES, *message.ENTRIES, *tls.ENTRIES], ids=lambda entry: entry.id
)
def test_every_entry_has_words_that_end(entry: Any) -> None:
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.why.endswith(".")
    assert entry.fix
    assert "!" not in entry.title + entry.why + entry.fix
