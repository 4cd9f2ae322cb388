"""Further looks at real servers: certificates get the right findings, versions and enforcement the right answers."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.lab import HOST, MailServer
from support.zone import Zone

from smtpdoc import aio
from smtpdoc.evidence.dns import TlsaRecord
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.report import Report
from smtpdoc.target import Target

pytestmark = pytest.mark.servers

#: Certificate of the shelf → findings about TLS, with their levels.
FINDINGS: dict[str, list[tuple[str, str]]] = {
    "good": [],
    "ec": [],
    "wildcard": [],
    "soon": [("tls.certificate-expires-soon", "warning")],
    "common-name-only": [("tls.name-only-in-subject", "warning")],
    "no-intermediate": [("tls.chain-incomplete", "error")],
    "expired": [("tls.certificate-expired", "error")],
    "future": [("tls.certificate-not-yet-valid", "error")],
    "self-signed": [("tls.certificate-self-signed", "error")],
    "untrusted": [("tls.chain-incomplete", "error")],  # one certificate, whose issuer nobody here knows
    "wrong-name": [("tls.name-mismatch", "error")],
    "weak": [("tls.weak-key", "error")],
}

#: A record that fits, by usage: the server's own key, or the authority above it.
USAGES = {"key": (3, 1), "certificate": (3, 0), "authority": (2, 0)}


def probe(server: MailServer, port: int, **wanted: Any) -> Report:
    target = Target(HOST, port, implicit_tls=port == server.smtps_port)
    given: dict[str, Any] = {"resolve": {HOST: (server.address,)}, "ca_file": str(server.ca_file), "timeout_s": 30}
    return asyncio.run(aio.probe(target, helo="probe.example", **{**given, **wanted}))


def seen(report: Report) -> Transcript:
    assert isinstance(report.evidence, ProbeEvidence)
    return report.evidence.sessions[0]


def findings(report: Report, topic: str) -> list[tuple[str, str]]:
    return [(one.id, one.level.value) for one in report.findings if one.topic == topic]


@pytest.mark.parametrize("name", FINDINGS)
def test_every_certificate_of_the_shelf_gets_its_finding(postfix: MailServer, name: str) -> None:
    assert FINDINGS[name] == findings(probe(postfix, postfix.certificate_port(name)), "tls")


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("p-384", [("tls.hello-retry", "info")]),
        ("dh-1024", [("tls.weak-key-exchange", "warning")]),
        ("rsa-key-exchange", [("tls.weak-cipher", "warning")]),
    ],
)
def test_how_keys_are_exchanged_gets_its_finding(
    postfix: MailServer, use: str, expected: list[tuple[str, str]]
) -> None:
    assert expected == findings(probe(postfix, postfix.ports[use]), "tls")


def test_versions_are_tried_one_by_one(mail_server: MailServer) -> None:
    report = probe(mail_server, mail_server.submission_port, tls_versions=True)
    works = {one.version: one.works for one in seen(report).tls_versions}

    assert ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] == list(works)
    assert works["TLSv1.2"] is works["TLSv1.3"] is True
    assert None not in works.values()


def test_versions_are_tried_with_implicit_tls_too(mail_server: MailServer) -> None:
    report = probe(mail_server, mail_server.smtps_port, tls_versions=True)

    assert seen(report).tls_versions[3].works is True


def test_a_server_with_tls_1_0_only(postfix: MailServer) -> None:
    report = probe(postfix, postfix.ports["old-tls"], tls_versions=True)

    assert [("TLSv1", True), ("TLSv1.1", False), ("TLSv1.2", False), ("TLSv1.3", False)] == [
        (one.version, one.works) for one in seen(report).tls_versions
    ]
    assert {"tls.handshake-failed", "tls.old-version"} == {one for one, _ in findings(report, "tls")}


def test_no_current_server_executes_what_came_before_tls(mail_server: MailServer) -> None:
    look = seen(probe(mail_server, mail_server.submission_port, starttls_injection=True)).starttls_injection

    assert look is not None
    assert look.verdict in ("discarded", "refused")


def test_submission_servers_insist_on_tls_or_a_login(mail_server: MailServer) -> None:
    look = seen(probe(mail_server, mail_server.submission_port, check_enforcement=True)).enforcement

    assert look is not None
    assert look.mail is not None
    assert look.mail.permanent


def test_a_login_in_clear_is_noticed_and_cancelled(postfix: MailServer) -> None:
    report = probe(postfix, postfix.ports["auth-in-clear"], check_enforcement=True)

    assert ("smtp.auth-taken-in-clear", "error") in findings(report, "smtp")


@pytest.mark.parametrize("which", USAGES)
def test_a_tlsa_record_that_fits(postfix: MailServer, which: str) -> None:
    usage, selector = USAGES[which]
    chain = [x509.load_der_x509_certificate(one.der) for one in _chain(postfix)]
    certificate = chain[1 if usage == 2 else 0]
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = sha256(key if selector else certificate.public_bytes(Encoding.DER)).digest()

    assert "match" == _dane(postfix, TlsaRecord(usage, selector, 1, data))
    assert "mismatch" == _dane(postfix, TlsaRecord(usage, selector, 1, bytes(32)))


def _chain(server: MailServer) -> tuple[Any, ...]:
    tls = seen(probe(server, server.submission_port)).tls
    assert tls is not None
    return tls.chain


def _dane(server: MailServer, record: TlsaRecord) -> str:
    port = server.submission_port
    zone = Zone({f"{HOST} A": server.address, f"_{port}._tcp.{HOST} TLSA": record})
    found = seen(probe(server, port, dane=True, resolver=zone)).dane
    assert found is not None
    return found.status
