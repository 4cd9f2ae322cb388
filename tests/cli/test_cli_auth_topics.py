"""The topics of auth-check beyond SPF, DKIM and DMARC, as a user meets them, on zone files."""

from pathlib import Path

import pytest
from support.command import Smtpdoc

DEMO_ZONE = str(Path(__file__).parents[2] / "smtpdoc" / "demo" / "demo.zone")

#: One root, so that no question leaves the machine.
ROOT = """$ORIGIN .
$TTL 3600
. SOA ns.example. hostmaster.example. 1 7200 3600 1209600 300
. NS ns.example.
ns.example. A 192.0.2.53
$ORIGIN example.com.
@ MX 10 mx1
mx1 A 192.0.2.10
10.2.0.192.in-addr.arpa. PTR mx1
"""
DIGEST = "00" * 32


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """A zone file that a test may write more records of example.com to."""
    path = tmp_path / "test.zone"
    path.write_text(ROOT)
    return path


def add(zone: Path, *records: str) -> str:
    zone.write_text(ROOT + "\n".join(records) + "\n")
    return str(zone)


def test_a_domain_without_tls_policies_gets_one_calm_line(smtpdoc: Smtpdoc) -> None:
    """Most domains have none of this, and nothing is wrong with them."""
    ran = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE)

    assert "TLS    ·  no MTA-STS, no TLS-RPT, no DANE" in ran.out
    assert "mta-sts.missing" not in ran.out
    assert "BIMI" not in ran.out
    assert 0 == ran.code


def test_verbose_tells_what_the_line_stands_for(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--verbose")

    assert "· mta-sts.missing" in ran.out
    assert "BIMI   ✔  no record" in ran.out


def test_what_is_missing_is_no_more_than_a_note(smtpdoc: Smtpdoc) -> None:
    topics = ("--only", "mta-sts", "--only", "tls-rpt", "--only", "tlsa", "--only", "bimi")
    report = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, *topics, "--json").json

    assert {"mta-sts.missing", "tls-rpt.missing", "tlsa.missing"} == {finding["id"] for finding in report["findings"]}
    assert "info" == report["level"]


@pytest.mark.parametrize("spelling", ["mta-sts", "mta_sts", "MTA-STS"])
def test_topics_are_found_in_any_spelling(smtpdoc: Smtpdoc, spelling: str) -> None:
    evidence = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--only", spelling, "--json").json["evidence"]

    assert {"domain", "mta_sts", "dns"} == set(evidence)


def test_an_unknown_topic_is_a_usage_error_that_names_them_all(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--only", "arc")

    assert 2 == ran.code
    assert "tls-rpt" in ran.err


def test_the_help_names_the_topics_that_there_are(smtpdoc: Smtpdoc) -> None:
    refused = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--only", "?").err
    topics = refused.partition("(")[2].partition(")")[0]

    assert topics in " ".join(smtpdoc("auth-check", "--help").out.split())


def test_a_zone_file_says_nothing_about_its_signatures(smtpdoc: Smtpdoc, zone: Path) -> None:
    """It is signed when it is published."""
    path = add(zone, f"_25._tcp.mx1 TLSA 3 1 1 {DIGEST}", '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@example.com"')
    ran = smtpdoc("auth-check", "example.com", "--zone", path, "--skip", "spf", "--skip", "dkim", "--skip", "dmarc")

    assert "TLS    ·  no MTA-STS, TLS-RPT, DANE\n" in ran.out
    assert "dnssec" not in ran.out
    assert "tlsa" not in ran.out


def test_the_evidence_of_tls_topics_is_in_the_json(smtpdoc: Smtpdoc, zone: Path) -> None:
    path = add(zone, f"_25._tcp.mx1 TLSA 3 1 1 {DIGEST}", '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@example.com"')
    evidence = smtpdoc("auth-check", "example.com", "--zone", path, "--json").json["evidence"]

    assert {
        "status": "found", "record": "v=TLSRPTv1; rua=mailto:tls@example.com", "rua": ["mailto:tls@example.com"],
    } == evidence["tls_rpt"]  # fmt: skip
    (host,) = evidence["tlsa"]["hosts"]
    assert ("mx1.example.com", "_25._tcp.mx1.example.com", False) == (host["host"], host["name"], host["secure"])
    assert [{"usage": 3, "selector": 1, "matching_type": 1, "data": DIGEST, "usable": True}] == host["records"]
    assert {"status": "absent", "record": None, "id": None, "policy": None} == evidence["mta_sts"]


def test_bimi_needs_dmarc_whether_or_not_that_topic_runs(smtpdoc: Smtpdoc, zone: Path) -> None:
    path = add(zone, 'default._bimi TXT "v=BIMI1; l=https://example.com/l.svg"', '_dmarc TXT "v=DMARC1; p=none"')
    ran = smtpdoc("auth-check", "example.com", "--zone", path, "--only", "bimi")

    assert 1 == ran.code
    assert "BIMI   ✖  without a mark certificate, logo https://example.com/l.svg" in ran.out
    assert "bimi.dmarc-too-weak" in ran.out
