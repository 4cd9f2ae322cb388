"""Findings of further looks and of sessions beside each other: one case that raises each, one that nearly does."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from support.scripted import reply
from support.sessions import HOST, INTERMEDIATE, certificate, exchange, handshake, session

from smtpdoc.catalog.checks import dane, enforcement, extensions, identity, parity, sts_delivery, tls_looks
from smtpdoc.evidence.auth import HostAddress, TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.looks import (
    Dane,
    Enforcement,
    Identity,
    StarttlsInjection,
    StsDelivery,
    TlsaMatch,
    VersionAnswer,
)
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.evidence.transport import MtaStsEvidence
from smtpdoc.findings import Finding


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.id, finding.level.value) for finding in findings]


# TLS


def versions(**works: bool | None) -> tuple[VersionAnswer, ...]:
    names = {"v10": "TLSv1", "v11": "TLSv1.1", "v12": "TLSv1.2", "v13": "TLSv1.3"}
    return tuple(VersionAnswer(names[name], answer, detail="why") for name, answer in works.items())


LOWER = certificate(subject="CN=lower", issuer="CN=intermediate", names=(), der=b"lower")
LEAF = certificate(issuer="CN=lower")
#: TLS 1.2 with RSA key transport, and 1.3, which has none.
RSA_ONLY = (
    VersionAnswer("TLSv1.2", True, "AES256-SHA", group="RSA"),
    VersionAnswer("TLSv1.3", True, "TLS_AES_128_GCM_SHA256", group="x25519"),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tls_versions": versions(v10=True, v12=True)}, [("tls.old-version-accepted", "warning")]),
        ({"tls_versions": versions(v11=True, v13=True), "opportunistic": True}, [("tls.old-version-accepted", "info")]),
        ({"tls_versions": versions(v10=False, v11=False, v12=True, v13=True)}, []),
        ({"tls_versions": versions(v10=True)}, []),  # only old ones: tls.old-version says so
        ({"tls_versions": versions(v12=True, v13=False)}, [("tls.no-current-version", "info")]),
        ({"tls_versions": versions(v12=True, v13=None)}, [("tls.versions-unknown", "unknown")]),
        ({"tls": handshake(version="TLSv1.2", cipher="ECDHE-RSA-AES256-GCM-SHA384")}, []),
        ({"tls": handshake(version="TLSv1.2", cipher="DHE-RSA-AES256-GCM-SHA384")}, []),
        ({"tls": handshake(version="TLSv1.2", cipher="AES256-GCM-SHA384")}, [("tls.weak-cipher", "warning")]),
        ({"tls": handshake(version="TLSv1", cipher="ECDHE-RSA-RC4-SHA")}, [("tls.weak-cipher", "error")]),
        ({"tls": handshake(cipher="DES-CBC3-SHA"), "opportunistic": True}, [("tls.weak-cipher", "warning")]),
        ({"tls": handshake(), "tls_versions": RSA_ONLY}, [("tls.weak-cipher", "warning")]),
        (
            {"tls": handshake(version="TLSv1.2", cipher="AES256-SHA"), "tls_versions": RSA_ONLY[:1]},
            [("tls.weak-cipher", "warning")],
        ),
        ({"legacy_tls": "TLSv1.2", "legacy_cipher": "AES128-SHA"}, [("tls.weak-cipher", "warning")]),
        (
            {"legacy_tls": "TLSv1.2", "legacy_cipher": "AES256-SHA", "tls_versions": RSA_ONLY[:1]},
            [("tls.weak-cipher", "warning")],
        ),
        ({"tls": handshake(chain=(LEAF, LOWER, INTERMEDIATE))}, []),
        ({"tls": handshake(chain=(LEAF, INTERMEDIATE, LOWER))}, [("tls.chain-order", "warning")]),
        ({"tls": handshake(chain=(LEAF, LOWER, INTERMEDIATE, LOWER))}, [("tls.chain-surplus", "info")]),
        ({"tls": handshake(chain=(LEAF, LEAF, LOWER))}, [("tls.chain-surplus", "info")]),
        ({"tls": handshake(chain=(certificate(issuer="CN=other"), INTERMEDIATE))}, [("tls.chain-surplus", "info")]),
        ({"tls": handshake(chain=(certificate(issuer="CN=other"),))}, []),
        ({"starttls_injection": StarttlsInjection("executed", "x")}, [("tls.command-injection", "error")]),
        (
            {"starttls_injection": StarttlsInjection("answered-in-clear", "x")},
            [("tls.command-injection-clear", "warning")],
        ),
        ({"starttls_injection": StarttlsInjection("discarded", "x")}, [("tls.command-injection-safe", "pass")]),
        ({"starttls_injection": StarttlsInjection("refused", "x")}, [("tls.command-injection-safe", "pass")]),
        ({"starttls_injection": StarttlsInjection("unknown", "x")}, [("tls.command-injection-unknown", "unknown")]),
    ],
)
def test_tls(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert expected == told(tls_looks.checks.run(session(**changes)))


def test_certificates_that_nobody_needs_are_numbered_as_they_were_sent() -> None:
    strangers = tuple(certificate(subject=f"CN=stranger {number}", der=bytes([number])) for number in range(4))

    (finding,) = tls_looks.checks.run(session(tls=handshake(chain=(LEAF, LEAF, LOWER, *strangers))))

    assert finding.message == (
        f"{HOST} sends 7 certificates; not needed: number 1 (CN={HOST}, sent before), number 3 (CN=stranger 0, which "
        "issued none of the others), number 4 (CN=stranger 1, which issued none of the others) and 2 more"
    )
    assert finding.facts == {"count": 5}


def test_a_version_that_our_own_openssl_lacks_is_a_note() -> None:
    answer = VersionAnswer("TLSv1", None, detail="OpenSSL on this machine does not have this version")

    assert [("tls.versions-unknown", "info")] == told(tls_looks.checks.run(session(tls_versions=(answer,))))


# Enforcement


@pytest.mark.parametrize(
    ("mail", "auth", "expected"),
    [
        ("530 5.7.0 Must issue STARTTLS", None, [("smtp.tls-enforced", "pass")]),
        ("250 OK", None, [("smtp.mail-taken-in-clear", "warning")]),
        ("530 no", "334 VXNlcm5hbWU6", [("smtp.auth-taken-in-clear", "error"), ("smtp.tls-enforced", "pass")]),
        ("530 no", "538 5.7.11 Encryption required", [("smtp.tls-enforced", "pass")]),
        (None, None, [("smtp.enforcement-unknown", "unknown")]),
    ],
)
def test_enforcement(mail: str | None, auth: str | None, expected: list[tuple[str, str]]) -> None:
    look = Enforcement((mail and reply(mail)) or None, (auth and reply(auth)) or None, "LOGIN")

    assert expected == told(enforcement.checks.run(session(enforcement=look)))


def test_between_servers_mail_is_taken_in_clear() -> None:
    look = Enforcement(reply("250 OK"))

    assert [] == told(enforcement.checks.run(session(enforcement=look, opportunistic=True, port=25)))


# DANE

KEY = TlsaRecord(3, 1, 1, sha256(b"key").digest())
OTHER = TlsaRecord(3, 1, 1, bytes(32))
TLSA = Lookup(f"_25._tcp.{HOST}", "TLSA", LookupStatus.FOUND, (KEY,))


def with_dane(status: str, *matches: TlsaMatch, secure: bool = True, **changes: Any) -> Transcript:
    looked = Dane(TLSA.name, status, secure, TLSA, matches, **changes)  # type: ignore[arg-type]  # a Literal
    return session(dane=looked, tls=handshake(), capabilities_before_tls={})


FITS = TlsaMatch(KEY, usable=True, position=0)
MISSES = TlsaMatch(OTHER, usable=True)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (with_dane("match", FITS), [("dane.match", "pass")]),
        (with_dane("match", FITS, MISSES), [("dane.one-record-stale", "info"), ("dane.match", "pass")]),
        (with_dane("mismatch", MISSES), [("dane.mismatch", "error")]),
        (
            with_dane("mismatch", MISSES, secure=False),
            [("dane.mismatch", "warning"), ("dane.not-authenticated", "warning")],
        ),
        (
            with_dane("match", FITS, secure=False, resolver_validates=False),
            [("dane.not-authenticated", "info"), ("dane.match", "pass")],
        ),
        (with_dane("unusable", TlsaMatch(OTHER, usable=False)), [("dane.unusable", "warning")]),
        (with_dane("none"), [("dane.none", "info")]),
        (with_dane("unknown"), [("dane.unknown", "unknown")]),
        (with_dane("no-tls", MISSES), [("dane.no-tls", "error")]),
    ],
)
def test_dane(seen: Transcript, expected: list[tuple[str, str]]) -> None:
    assert expected == told(dane.checks.run(seen))


def test_the_record_that_would_fit_is_there_to_paste() -> None:
    (finding,) = dane.checks.run(with_dane("mismatch", MISSES))

    assert (f"_25._tcp.{HOST}. IN TLSA 3 1 1 {sha256(b'key').hexdigest()}",) == finding.paste


# MTA-STS


def with_sts(verdict: StsDelivery, lookup: Lookup | None = None) -> ProbeEvidence:
    lookup = lookup or Lookup("_mta-sts.example.net", "TXT", LookupStatus.NXDOMAIN)
    policy = MtaStsEvidence(TopicStatus.ABSENT, "example.net", lookup, ())
    return ProbeEvidence((session(mta_sts=verdict),), (), mta_sts=policy)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (StsDelivery("example.net", "enforce", "*.example.net", (), True), [("mta-sts.host-passes", "pass")]),
        (StsDelivery("example.net", "enforce", None, ("mx-not-listed",), False), [("mta-sts.host-fails", "error")]),
        (StsDelivery("example.net", "testing", None, ("untrusted",), False), [("mta-sts.host-fails", "warning")]),
        (StsDelivery("example.net", "none"), []),
        (StsDelivery("example.net", None), [("mta-sts.no-usable-policy", "info")]),
    ],
)
def test_mta_sts(verdict: StsDelivery, expected: list[tuple[str, str]]) -> None:
    assert expected == told(sts_delivery.checks.run(with_sts(verdict)))


def test_a_policy_that_dns_does_not_tell_of_is_no_verdict() -> None:
    silent = with_sts(StsDelivery("example.net", None), Lookup("_mta-sts.example.net", "TXT", LookupStatus.TIMEOUT))

    assert [("mta-sts.no-usable-policy", "unknown")] == told(sts_delivery.checks.run(silent))


# Identity

FOUND = Lookup("x", "PTR", LookupStatus.FOUND)
VOID = Lookup("x", "PTR", LookupStatus.NXDOMAIN)
SERVER = HostAddress("192.0.2.25", (HOST,), True, lookup=FOUND)
OURS = HostAddress("203.0.113.7", ("client.example",), True, lookup=FOUND)


def who(port: int = 587, *exchanges: Exchange, **changes: Any) -> Transcript:
    about = {name: changes.pop(name) for name in tuple(changes) if name in Identity.__slots__}
    return session(*exchanges, port=port, identity=Identity(**about), source_address="203.0.113.7", **changes)


REFUSED = exchange(Stage.GREETING, "554 no PTR")
BAD_HELO = exchange(Stage.EHLO, "550 bad name")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (who(server=SERVER, greeting_name=HOST, ehlo_name=HOST), []),
        (who(server=HostAddress("192.0.2.25", (), False, lookup=VOID)), [("identity.ptr-missing", "info")]),
        (who(server=HostAddress("127.0.0.1", (), False, lookup=VOID)), []),
        (who(server=replace(SERVER, forward_confirmed=False)), [("identity.ptr-not-confirmed", "info")]),
        (who(server=replace(SERVER, forward_confirmed=None)), []),
        (who(server=replace(SERVER, forward_confirmed=None), wanted=True), [("identity.not-determined", "unknown")]),
        (who(timed_out=True), []),
        (who(timed_out=True, wanted=True), [("identity.not-determined", "unknown")]),
        (
            who(server=SERVER, greeting_name=HOST, ehlo_name="other.example.net"),
            [("identity.names-differ", "info")],
        ),
        (who(server=SERVER, greeting_name="unknown.example"), [("identity.name-unknown", "info")]),
        (
            who(server=SERVER, greeting_name="a.pool.example", tls=handshake(certificate(names=("*.pool.example",)))),
            [],
        ),
        (who(greeting_name="unknown.example"), []),  # nothing to compare with
        (who(ours=HostAddress("203.0.113.7", (), False, lookup=VOID)), []),  # nobody asked, and nobody refused
        (
            who(ours=HostAddress("203.0.113.7", (), False, lookup=VOID), wanted=True),
            [("identity.our-ptr-missing", "info")],
        ),
        (
            who(25, REFUSED, ours=HostAddress("203.0.113.7", (), False, lookup=VOID)),
            [("identity.our-ptr-missing", "warning")],
        ),
        (
            who(25, REFUSED, ours=replace(OURS, forward_confirmed=False)),
            [("identity.our-ptr-not-confirmed", "warning")],
        ),
        (who(25, REFUSED, ours=replace(OURS, generic=True)), [("identity.our-ptr-generic", "warning")]),
        (who(25, BAD_HELO, ours=OURS, helo="[203.0.113.7]"), [("identity.our-helo", "warning")]),
        (who(25, REFUSED, ours=OURS, helo="[203.0.113.7]"), []),  # it was never said
        (
            who(25, BAD_HELO, ours=OURS, helo_lookups=(Lookup("client.example", "A", LookupStatus.NXDOMAIN),)),
            [("identity.our-helo", "warning")],
        ),
        (
            who(wanted=True, helo_lookups=(Lookup("client.example", "A", LookupStatus.FOUND, ("203.0.113.7",)),)),
            [],
        ),
    ],
)
def test_identity(seen: Transcript, expected: list[tuple[str, str]]) -> None:
    assert expected == told(identity.checks.run(seen))


def test_a_name_that_leads_elsewhere_is_told_only_where_our_address_is_known() -> None:
    elsewhere = (Lookup("client.example", "A", LookupStatus.FOUND, ("198.51.100.9",)),)
    hidden = replace(who(wanted=True, helo_lookups=elsewhere), source_address="127.0.0.1")

    assert [("identity.our-helo", "info")] == told(identity.checks.run(who(wanted=True, helo_lookups=elsewhere)))
    assert [] == told(identity.checks.run(hidden))


def test_behind_nat_our_address_is_not_known() -> None:
    hidden = session(identity=Identity(wanted=True), source_address="192.168.1.2")
    told_by_server = session(identity=Identity(wanted=True, seen_as="203.0.113.7"), source_address="192.168.1.2")

    assert [("identity.our-address-unknown", "info")] == told(identity.checks.run(hidden))
    assert [] == told(identity.checks.run(told_by_server))


# Extensions and what stands between

ALL = {"PIPELINING": "", "8BITMIME": "", "SIZE": "1000", "ENHANCEDSTATUSCODES": ""}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (session(capabilities_before_tls=ALL), []),
        (session(), []),
        (session(capabilities_before_tls={"SIZE": ""}), [("smtp.extensions-missing", "info")]),
        (
            session(exchange(Stage.EHLO, f"250 {HOST}", command="HELO client.example"), capabilities_before_tls={}),
            [],
        ),
        (
            session(tls=handshake(), capabilities_before_tls={**ALL, "STARTTLS": ""}, capabilities_after_tls=ALL),
            [],
        ),
        (
            session(tls=handshake(), capabilities_before_tls={**ALL, "DSN": ""}, capabilities_after_tls=ALL),
            [("smtp.extensions-lost", "info")],
        ),
        (
            session(tls=handshake(), capabilities_before_tls={**ALL, "AUTH": "PLAIN"}, capabilities_after_tls=ALL),
            [("smtp.extensions-lost", "warning")],
        ),
        (
            session(
                tls=handshake(),
                capabilities_before_tls={**ALL, "AUTH": "PLAIN LOGIN"},
                capabilities_after_tls={**ALL, "AUTH": "PLAIN"},
            ),
            [("smtp.auth-differs", "info")],
        ),
        (session(exchange(Stage.GREETING, f"220 {HOST} ESMTP Exim 4.96 ready")), [("smtp.greeting-version", "info")]),
        (session(exchange(Stage.GREETING, f"220 {HOST} ESMTP Postfix")), []),
        (session(exchange(Stage.GREETING, "220 ****************************")), [("smtp.middlebox", "warning")]),
        (
            session(
                tls=handshake(certificate(issuer="CN=avast! Mail Scanner Root"), trusted=False),
                capabilities_after_tls=ALL,
            ),
            [("smtp.middlebox", "warning")],
        ),
        (session(exchange(Stage.RCPT, "250 ok", elapsed_s=6.0)), [("smtp.slow-reply", "warning")]),
        (session(exchange(Stage.RCPT, "250 ok", elapsed_s=4.9)), []),
        (session(exchange(Stage.GREETING, f"220 {HOST}", elapsed_s=6.0)), []),  # smtp.slow-greeting
    ],
)
def test_extensions(seen: Transcript, expected: list[tuple[str, str]]) -> None:
    assert expected == told(extensions.checks.run(seen))


# Beside each other


def hosts(*sessions: Transcript) -> ProbeEvidence:
    return ProbeEvidence(sessions, ())


ONE = session(
    exchange(Stage.GREETING, "220 mx1.example.net ESMTP Postfix 3.7"),
    host="mx1.example.net",
    capabilities_before_tls={**ALL, "STARTTLS": ""},
    capabilities_after_tls=ALL,
    tls=handshake(),
)
TWO = replace(
    ONE, host="mx2.example.net", exchanges=(exchange(Stage.GREETING, "220 mx2.example.net ESMTP Postfix 3.9"),)
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),  # another name and another version number: the same software
        ({"outcome": StageStatus.DEFERRED}, [("outcome", "warning")]),
        ({"tls": handshake(version="TLSv1.2")}, [("tls", "warning")]),
        ({"tls": handshake(trusted=False)}, [("certificate", "warning")]),
        ({"tls": handshake(expired=True, trusted=False)}, [("certificate", "warning")]),
        ({"capabilities_after_tls": {**ALL, "SIZE": "2000"}}, [("size", "info")]),
        ({"capabilities_after_tls": {**ALL, "DSN": ""}}, [("extensions", "info")]),
        ({"capabilities_after_tls": {**ALL, "AUTH": "PLAIN"}}, [("auth", "info")]),
        ({"exchanges": (exchange(Stage.GREETING, "220 mx2.example.net ESMTP Exim"),)}, [("greeting", "info")]),
        (
            {"tls": None, "capabilities_before_tls": ALL, "capabilities_after_tls": None},
            [("tls", "warning")],
        ),
    ],
)
def test_what_differs_between_hosts_is_named(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    findings = parity.checks.run(hosts(ONE, replace(TWO, **changes)))

    assert expected == [(finding.facts["what"], finding.level.value) for finding in findings]
    assert all(finding.id == "smtp.hosts-differ" and ".example.net" in finding.message for finding in findings)


def test_missing_extensions_are_told_by_the_hosts_that_lack_them() -> None:
    (finding,) = parity.checks.run(hosts(ONE, replace(TWO, capabilities_after_tls={**ALL, "DSN": ""})))

    assert "extensions: mx1.example.net without DSN" == finding.message


def test_a_host_that_could_not_be_reached_differs_in_its_outcome_only() -> None:
    silent = session(host="mx2.example.net", outcome=StageStatus.FAILED)

    assert ["outcome"] == [finding.facts["what"] for finding in parity.checks.run(hosts(ONE, silent))]


def dropped(address: str, port: int = 25) -> Transcript:
    failure = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer", "connect-timeout")
    tried = Exchange(Stage.CONNECT, "", None, failure, False, 5.0, status=StageStatus.FAILED)
    return session(tried, host=f"mx-{address}.example", address=address, port=port, outcome=StageStatus.FAILED)


def test_port_25_is_suspected_only_where_no_host_answers_on_it() -> None:
    both = (dropped("192.0.2.1"), dropped("192.0.2.2"))

    assert ["smtp.port-25-blocked"] == [one.id for one in parity.checks.run(hosts(*both))]
    assert [] == [one.id for one in parity.checks.run(hosts(dropped("192.0.2.1"), dropped("192.0.2.1")))]
    assert [] == [one.id for one in parity.checks.run(hosts(*(replace(one, port=587) for one in both)))]


def test_one_name_for_hosts_of_different_owners_looks_like_a_gateway() -> None:
    def greeted_as(name: str, host: str) -> Transcript:
        return replace(ONE, host=host, identity=Identity(greeting_name=name))

    gateway = hosts(greeted_as("fw.corp.example", "mx.one.test"), greeted_as("fw.corp.example", "mx.two.test"))
    provider = hosts(greeted_as("mx.one.test", "mx.one.test"), greeted_as("mx.one.test", "mx.two.test"))

    assert ["smtp.same-greeting"] == [one.id for one in parity.checks.run(gateway)]
    assert [] == [one.id for one in parity.checks.run(provider)]
