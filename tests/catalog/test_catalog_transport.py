"""MTA-STS, TLS-RPT, DANE and BIMI findings: each raised once, and nearly; every flag of the suites has an id."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks import bimi, mta_sts, tls_rpt, tlsa
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.transport import PolicyFile, TlsaEvidence
from smtpdoc.findings import Level
from smtpdoc.gather.bimi import gather_bimi
from smtpdoc.gather.dmarc import gather_dmarc
from smtpdoc.gather.mta_sts import gather_mta_sts
from smtpdoc.gather.tls_rpt import gather_tls_rpt
from smtpdoc.gather.tlsa import gather_tlsa
from smtpdoc.grammar.mta_sts import parse_sts_policy

DATA = Path(__file__).parent.parent / "data"
MX: dict[str, Answer] = {"example.com MX": (10, "mx.example.com")}
STS: dict[str, Answer] = MX | {"_mta-sts.example.com TXT": "v=STSv1; id=1", "mta-sts.example.com A": "192.0.2.1"}
POLICY = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"

#: The suites' flag names and the ids under which users meet them.
TLSA_IDS = {
    "digest-length": "tlsa.unusable",
    "full-cert-rotates": "tlsa.certificate-bound",
    "full-data": "tlsa.full-data",
    "pkix-usage-not-for-smtp": "tlsa.unusable",
    "unknown-matching-type": "tlsa.unusable",
    "unknown-usage": "tlsa.unusable",
}
BIMI_IDS = {
    "bad-uri": "bimi.bad-record",
    "bad-version": "bimi.bad-record",
    "declined": "bimi.declined",
    "duplicate-tag": "bimi.bad-record",
    "no-evidence-document": "bimi.no-certificate",
    "not-https": "bimi.bad-record",
    "version-case": "bimi.version-case",
}


def _cases(suite: str, kind: str | None = None) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((DATA / suite / "cases.json").read_text())["cases"]
    return [case for case in cases if case.get("kind") == kind]


@dataclass
class File:
    text: str
    problem: str | None = None

    async def fetch_policy(self, url: str) -> PolicyFile:
        return PolicyFile(url, None if self.problem else parse_sts_policy(self.text), self.problem)


def _sts(answers: dict[str, Answer], policy: str = POLICY, problem: str | None = None) -> dict[str, Level]:
    sts = run_now(gather_mta_sts("example.com", Zone(answers), File(policy, problem)))
    return {finding.id: finding.level for finding in mta_sts.checks.run(sts)}


def _rpt(answer: Answer) -> dict[str, Level]:
    rpt = run_now(gather_tls_rpt("example.com", Zone({"_smtp._tls.example.com TXT": answer})))
    return {finding.id: finding.level for finding in tls_rpt.checks.run(rpt)}


def _signed(lookup: Lookup) -> Lookup:
    return replace(lookup, authenticated=True)


def _tlsa(*records: TlsaRecord, secure: bool = True, answers: dict[str, Answer] | None = None) -> dict[str, Level]:
    zone = Zone(MX | {"_25._tcp.mx.example.com TLSA": list(records)} | (answers or {}))
    found = run_now(gather_tlsa("example.com", zone))
    hosts = tuple(
        replace(host, secure=secure, address=replace(host.address, authenticated=secure)) for host in found.hosts
    )
    evidence = TlsaEvidence(found.status, found.domain, _signed(found.mx) if secure else found.mx, hosts)
    return {finding.id: finding.level for finding in tlsa.checks.run(evidence)}


def _bimi(answer: Answer, dmarc: str = "v=DMARC1; p=reject") -> dict[str, Level]:
    zone = Zone({"default._bimi.example.com TXT": answer, "_dmarc.example.com TXT": dmarc})
    evidence = run_now(gather_bimi("example.com", zone, run_now(gather_dmarc("example.com", zone))))
    return {finding.id: finding.level for finding in bimi.checks.run(evidence)}


@pytest.mark.parametrize("case", _cases("mta-sts", "record"), ids=lambda case: case["id"])
def test_flags_of_mta_sts_records(case: dict[str, Any]) -> None:
    raised = _sts(STS | {"_mta-sts.example.com TXT": case["input"]})

    assert bool(case["expect"]["flags"]) == ("mta-sts.bad-record" in raised)


@pytest.mark.parametrize("case", _cases("mta-sts", "policy"), ids=lambda case: case["id"])
def test_flags_of_mta_sts_policies(case: dict[str, Any]) -> None:
    raised = _sts(STS, case["input"])
    flags = case["expect"]["flags"]

    assert any(not flag.startswith("duplicate-key:") for flag in flags) == ("mta-sts.bad-policy" in raised)
    assert any(flag.startswith("duplicate-key:") for flag in flags) == ("mta-sts.duplicate-key" in raised)


@pytest.mark.parametrize("case", _cases("tls-rpt"), ids=lambda case: case["id"])
def test_flags_of_tls_rpt(case: dict[str, Any]) -> None:
    assert bool(case["expect"]["flags"]) == ("tls-rpt.bad-record" in _rpt(case["input"]))


@pytest.mark.parametrize("case", _cases("tlsa"), ids=lambda case: case["id"])
def test_flags_of_tlsa(case: dict[str, Any]) -> None:
    usage, selector, matching_type, data = case["input"].split()
    raised = _tlsa(TlsaRecord(int(usage), int(selector), int(matching_type), bytes.fromhex(data)))

    assert {TLSA_IDS[flag] for flag in case["expect"]["flags"]} == set(raised)


@pytest.mark.parametrize("case", _cases("bimi"), ids=lambda case: case["id"])
def test_flags_of_bimi(case: dict[str, Any]) -> None:
    """A text without v=BIMI in front is not taken for a record at all."""
    raised = _bimi(case["input"])
    flags = case["expect"]["flags"] if case["input"].lower().startswith("v=bimi") else []

    assert {BIMI_IDS[flag.partition(":")[0]] for flag in flags} == set(raised)


def test_all_in_order() -> None:
    assert _sts(STS) == {}
    assert _rpt("v=TLSRPTv1; rua=mailto:a@example.com") == {}
    assert _tlsa(TlsaRecord(3, 1, 1, bytes(32))) == {}
    assert _bimi("v=BIMI1; l=https://example.com/l.svg; a=https://example.com/c.pem") == {}


@pytest.mark.parametrize(
    ("answers", "policy", "raised", "level"),
    [
        (MX, POLICY, "mta-sts.missing", Level.INFO),
        (MX | {"mta-sts.example.com A": "192.0.2.1"}, POLICY, "mta-sts.no-record", Level.INFO),
        (STS | {"_mta-sts.example.com TXT": LookupStatus.TIMEOUT}, POLICY, "mta-sts.unknown", Level.UNKNOWN),
        (STS | {"_mta-sts.example.com TXT": ["v=STSv1; id=1"] * 2}, POLICY, "mta-sts.several-records", Level.ERROR),
        (STS | {"mta-sts.example.com A": []}, POLICY, "mta-sts.no-policy-host", Level.ERROR),
        (STS, POLICY.replace("mx.ex", "b.ex"), "mta-sts.mx-not-covered", Level.ERROR),
        (STS, POLICY.replace("mx.ex", "b.ex").replace("enforce", "testing"), "mta-sts.mx-not-covered", Level.WARNING),
        (STS, POLICY + "mx: b.example.com\n", "mta-sts.unused-pattern", Level.INFO),
        (STS, POLICY.replace("604800", "86399"), "mta-sts.short-max-age", Level.WARNING),
        (STS, POLICY.replace("604800", "604799"), "mta-sts.short-max-age", Level.INFO),
        (STS, POLICY.replace("enforce", "testing"), "mta-sts.not-enforced", Level.INFO),
    ],
)
def test_mta_sts_raised(answers: dict[str, Answer], policy: str, raised: str, level: Level) -> None:
    assert level is _sts(answers, policy).get(raised)


def test_a_policy_host_by_a_wildcard_is_not_called_a_missing_record_twice() -> None:
    assert _sts(MX | {"*.example.com A": "192.0.2.1"}) == {"mta-sts.no-record": Level.INFO}


def test_a_policy_that_cannot_be_fetched_says_why() -> None:
    assert _sts(STS, problem="status 404") == {"mta-sts.policy-unavailable": Level.ERROR}


@pytest.mark.parametrize(
    ("answer", "raised", "level"),
    [
        ([], "tls-rpt.missing", Level.INFO),
        (LookupStatus.SERVFAIL, "tls-rpt.unknown", Level.UNKNOWN),
        (["v=TLSRPTv1; rua=mailto:a@example.com"] * 2, "tls-rpt.several-records", Level.ERROR),
    ],
)
def test_tls_rpt_raised(answer: Answer, raised: str, level: Level) -> None:
    assert _rpt(answer) == {raised: level}


def test_tlsa_of_nobody_is_a_note() -> None:
    assert _tlsa() == {"tlsa.missing": Level.INFO}


def test_tlsa_without_dnssec() -> None:
    assert _tlsa(TlsaRecord(3, 1, 1, bytes(32)), secure=False) == {"tlsa.not-authenticated": Level.WARNING}


def test_one_usable_record_beside_an_unusable_one() -> None:
    raised = _tlsa(TlsaRecord(3, 1, 1, bytes(32)), TlsaRecord(1, 1, 1, bytes(32)))

    assert raised == {"tlsa.unusable": Level.WARNING}


@pytest.mark.parametrize(("secure", "level"), [(True, Level.ERROR), (False, Level.UNKNOWN)])
def test_a_server_that_fails_for_tlsa_stops_mail_in_a_signed_zone(secure: bool, level: Level) -> None:
    """RFC 7672 section 2.1: the sender holds the mail."""
    raised = _tlsa(secure=secure, answers={"_25._tcp.mx.example.com TLSA": LookupStatus.SERVFAIL})

    assert raised == {"tlsa.unknown": level}


def test_a_host_without_tlsa_beside_one_with() -> None:
    second: dict[str, Answer] = {"example.com MX": [(10, "mx.example.com"), (20, "b.example.com")]}

    assert _tlsa(TlsaRecord(3, 1, 1, bytes(32)), answers=second) == {"tlsa.not-on-every-host": Level.INFO}


@pytest.mark.parametrize(
    "dmarc", ["v=DMARC1; p=none", "v=DMARC1; p=reject; sp=none", "v=DMARC1; p=reject; pct=50", "x"]
)
def test_bimi_needs_an_enforced_policy(dmarc: str) -> None:
    raised = _bimi("v=BIMI1; l=https://example.com/l.svg; a=https://example.com/c.pem", dmarc)

    assert raised == {"bimi.dmarc-too-weak": Level.ERROR}


def test_a_declined_logo_needs_nothing() -> None:
    assert _bimi("v=BIMI1; l=; a=", "v=DMARC1; p=none") == {"bimi.declined": Level.INFO}


def test_two_bimi_records() -> None:
    record = "v=BIMI1; l=https://example.com/l.svg; a=https://example.com/c.pem"

    assert _bimi([record, record]) == {"bimi.several-records": Level.ERROR}


def test_bimi_without_an_answer() -> None:
    assert _bimi(LookupStatus.TIMEOUT) == {"bimi.unknown": Level.UNKNOWN}
