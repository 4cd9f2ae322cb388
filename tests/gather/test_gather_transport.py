"""MTA-STS, TLS-RPT, DANE and BIMI: what is asked and what is written down."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import LookupStatus, TlsaRecord
from smtpdoc.evidence.transport import PolicyFile
from smtpdoc.gather.bimi import gather_bimi
from smtpdoc.gather.dmarc import gather_dmarc
from smtpdoc.gather.mta_sts import gather_mta_sts
from smtpdoc.gather.tls_rpt import gather_tls_rpt
from smtpdoc.gather.tlsa import gather_tlsa
from smtpdoc.grammar.mta_sts import parse_sts_policy

STS: dict[str, Answer] = {
    "_mta-sts.example.com TXT": "v=STSv1; id=1",
    "mta-sts.example.com A": "192.0.2.1",
    "example.com MX": (10, "mx.example.com"),
}
RECORD = TlsaRecord(3, 1, 1, bytes(32))


@dataclass
class Files:
    """A PolicySource that answers every URL with one policy and remembers what it was asked."""

    text: str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"
    asked: list[str] = field(default_factory=list)

    async def fetch_policy(self, url: str) -> PolicyFile:
        self.asked.append(url)
        return PolicyFile(url, parse_sts_policy(self.text), text=self.text)


def test_the_record_the_host_and_the_mx_are_asked_at_once_then_the_file() -> None:
    zone, files = Zone(STS), Files()
    sts = run_now(gather_mta_sts("example.com", zone, files))

    assert len(zone.rounds) == 1
    assert files.asked == ["https://mta-sts.example.com/.well-known/mta-sts.txt"]
    assert (TopicStatus.FOUND, "1", ("mx.example.com",)) == (sts.status, sts.id, sts.mx_hosts)
    assert sts.file is not None


@pytest.mark.parametrize("missing", ["_mta-sts.example.com TXT", "mta-sts.example.com A"])
def test_without_record_or_host_no_file_is_asked_for(missing: str) -> None:
    files = Files()
    zone = Zone({key: value for key, value in STS.items() if key != missing})
    run_now(gather_mta_sts("example.com", zone, files))

    assert files.asked == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (["v=STSv1; id=1", "v=STSv1; id=2"], TopicStatus.INVALID),
        ("v=STSv1; id=a-b", TopicStatus.INVALID),
        (["v=STSv1; id=1", "v=spf1 -all"], TopicStatus.FOUND),
        ("v=spf1 -all", TopicStatus.ABSENT),
        (LookupStatus.NXDOMAIN, TopicStatus.ABSENT),
        (LookupStatus.TIMEOUT, TopicStatus.UNKNOWN),
    ],
)
def test_states_of_mta_sts(answer: Answer, status: TopicStatus) -> None:
    assert status is run_now(gather_mta_sts("example.com", Zone({"_mta-sts.example.com TXT": answer}))).status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("v=TLSRPTv1; rua=mailto:a@example.com", TopicStatus.FOUND),
        ("v=TLSRPTv1; rua=a@example.com", TopicStatus.INVALID),
        (["v=TLSRPTv1; rua=mailto:a@example.com"] * 2, TopicStatus.INVALID),
        ("x", TopicStatus.ABSENT),
        (LookupStatus.SERVFAIL, TopicStatus.UNKNOWN),
    ],
)
def test_states_of_tls_rpt(answer: Answer, status: TopicStatus) -> None:
    zone = Zone({"_smtp._tls.example.com TXT": answer})

    assert status is run_now(gather_tls_rpt("example.com", zone)).status
    assert zone.asked == [("_smtp._tls.example.com", "TXT")]


def test_tlsa_of_all_hosts_is_asked_in_one_round() -> None:
    zone = Zone(
        {
            "example.com MX": [(20, "b.example.com"), (10, "a.example.com")],
            "_25._tcp.a.example.com TLSA": RECORD,
            "a.example.com A": "192.0.2.1",
        }
    )
    tlsa = run_now(gather_tlsa("example.com", zone))

    assert len(zone.rounds) == 2
    assert TopicStatus.FOUND is tlsa.status
    assert [("a.example.com", (RECORD,)), ("b.example.com", ())] == [(host.host, host.records) for host in tlsa.hosts]


def test_tlsa_at_the_canonical_name_comes_first() -> None:
    """RFC 7672 section 2.2.2."""
    zone = Zone(
        {
            "example.com MX": (10, "a.example.com"),
            "a.example.com CNAME": "b.example.com",
            "b.example.com A": "192.0.2.1",
            "_25._tcp.b.example.com TLSA": RECORD,
        }
    )
    (host,) = run_now(gather_tlsa("example.com", zone)).hosts

    assert ("a.example.com", "_25._tcp.b.example.com") == (host.host, host.name)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({}, TopicStatus.ABSENT),
        ({"example.com MX": (0, ".")}, TopicStatus.ABSENT),
        ({"example.com MX": LookupStatus.TIMEOUT}, TopicStatus.UNKNOWN),
        (
            {"example.com MX": (10, "a.example.com"), "_25._tcp.a.example.com TLSA": LookupStatus.SERVFAIL},
            TopicStatus.UNKNOWN,
        ),
    ],
)
def test_states_of_tlsa(answers: dict[str, Answer], status: TopicStatus) -> None:
    assert status is run_now(gather_tlsa("example.com", Zone(answers))).status


def test_bimi_falls_back_to_the_organizational_domain() -> None:
    zone = Zone(
        {
            "_dmarc.example.com TXT": "v=DMARC1; p=reject",
            "default._bimi.example.com TXT": "v=BIMI1; l=https://example.com/logo.svg",
        }
    )
    dmarc = run_now(gather_dmarc("mail.example.com", zone))
    bimi = run_now(gather_bimi("mail.example.com", zone, dmarc))

    assert (TopicStatus.FOUND, "default._bimi.example.com") == (bimi.status, bimi.found_at)
    assert zone.rounds[-1] == (("default._bimi.mail.example.com", "TXT"), ("default._bimi.example.com", "TXT"))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("v=BIMI1; l=", TopicStatus.FOUND),
        ("v=BIMI1; l=http://example.com/x.svg", TopicStatus.INVALID),
        ("v=spf1 -all", TopicStatus.ABSENT),
        (LookupStatus.TIMEOUT, TopicStatus.UNKNOWN),
    ],
)
def test_states_of_bimi(answer: Answer, status: TopicStatus) -> None:
    zone = Zone({"x._bimi.example.com TXT": answer})

    assert status is run_now(gather_bimi("example.com", zone, selector="x")).status
