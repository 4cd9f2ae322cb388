"""The topics of auth-check beyond SPF, DKIM and DMARC, as a user meets them, on zone files."""

import subprocess
import sys
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
    assert "BIMI   ·  no record" in ran.out


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

    assert "TLS    ·  TLS-RPT, DANE, no MTA-STS\n" in ran.out
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


LISTED = (
    "2.0.0.127.zen.spamhaus.org. A 127.0.0.2",
    "9.2.0.192.zen.spamhaus.org. A 127.0.0.4",
    "dbltest.com.dbl.spamhaus.org. A 127.255.255.254",
)
BLOCK_LISTS = ("--dnsbl", "--only", "dnsbl", "--ip", "192.0.2.9")


def test_a_policy_is_fetched_from_the_address_that_the_zone_gives(smtpdoc: Smtpdoc, zone: Path) -> None:
    path = add(zone, '_mta-sts TXT "v=STSv1; id=1"', "mta-sts A 127.0.0.99")
    ran = smtpdoc("auth-check", "example.com", "--zone", path, "--only", "mta-sts")

    assert 1 == ran.code
    assert "✖ mta-sts.policy-unavailable" in ran.out
    assert "127.0.0.99:443 refuses connections" in " ".join(ran.out.split())


def test_what_few_runs_need_is_loaded_by_those_only() -> None:
    program = (
        "import sys; from smtpdoc import auth_check; "
        f"auth_check('example.org', zone={DEMO_ZONE!r}); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert "smtpdoc.gather.tlsa" in ran.stdout.split()
    assert {"smtpdoc.net.https", "smtpdoc.gather.dnsbl", "smtpdoc.grammar.dnsbl"}.isdisjoint(ran.stdout.split())


@pytest.mark.parametrize(("variable", "value"), [("SMTPDOC_DNSBL", "1"), ("SMTPDOC_ONLY", "dnsbl")])
def test_block_lists_can_be_asked_for_from_the_environment(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert "dnsbl" in smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--json").json["evidence"]


def test_offline_can_be_set_in_the_environment(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPDOC_OFFLINE", "1")

    assert 2 == smtpdoc("auth-check", "example.org").code


def test_block_lists_are_asked_only_on_request(smtpdoc: Smtpdoc, zone: Path) -> None:
    path = add(zone, *LISTED)
    without = smtpdoc("auth-check", "example.com", "--zone", path, "--ip", "192.0.2.9", "--json").json
    named = smtpdoc("auth-check", "example.com", "--zone", path, "--ip", "192.0.2.9", "--json", "--dnsbl").json

    assert "dnsbl" not in without["evidence"]
    assert {"dnsbl", "spf", "ptr"} <= set(named["evidence"])


def test_a_listing_is_told_with_its_page(smtpdoc: Smtpdoc, zone: Path) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", add(zone, *LISTED), *BLOCK_LISTS)

    assert 1 == ran.code
    assert "DNSBL  ✖  192.0.2.9 on Spamhaus ZEN; 10 lists left out" in ran.out
    assert "✖ dnsbl.address-listed" in ran.out
    assert "https://check.spamhaus.org/" in ran.out


def test_a_list_that_answers_with_an_error_leaves_no_verdict(smtpdoc: Smtpdoc, zone: Path) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", add(zone, *LISTED), "--only", "dnsbl")

    assert 3 == ran.code
    assert "? dnsbl.list-refuses" in ran.out


def test_listings_in_the_json(smtpdoc: Smtpdoc, zone: Path) -> None:
    report = smtpdoc("auth-check", "example.com", "--zone", add(zone, *LISTED), *BLOCK_LISTS, "--json").json
    dnsbl = report["evidence"]["dnsbl"]

    assert "found" == dnsbl["status"]
    assert {"subject": "192.0.2.9", "role": "sender", "host": None} in dnsbl["subjects"]
    assert {"subject": "192.0.2.10", "role": "mx", "host": "mx1.example.com"} in dnsbl["subjects"]
    assert [("192.0.2.9", "zen.spamhaus.org", ["127.0.0.4"], "https://check.spamhaus.org/")] == [
        (listing["subject"], listing["list"], listing["codes"], listing["page"]) for listing in dnsbl["listings"]
    ]
    assert {"zen.spamhaus.org": "working", "dbl.spamhaus.org": "refuses", "bl.spamcop.net": "broken"}.items() <= {
        one["list"]: one["state"] for one in dnsbl["lists"]
    }.items()


def test_offline_needs_a_zone_file(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--offline")

    assert 2 == ran.code
    assert "--zone" in ran.err


OWN_ZONE = """$ORIGIN example.com.
$TTL 3600
@ SOA ns1 hostmaster 1 7200 3600 1209600 300
@ NS ns1
@ MX 10 mx.example.net.
@ TXT "v=spf1 include:_spf.example.net -all"
_mta-sts TXT "v=STSv1; id=1"
mta-sts A 127.0.0.1
"""


def test_offline_asks_nobody_and_a_zone_in_order_passes(smtpdoc: Smtpdoc, zone: Path) -> None:
    """A pull request with a DNS change is checked where there is no network."""
    zone.write_text(OWN_ZONE)
    arguments = ("auth-check", "example.com", "--zone", str(zone), "--nameserver", "127.0.0.1:9", "--skip", "dkim")
    online = smtpdoc(*arguments, "--skip", "mta-sts")
    offline = smtpdoc(*arguments, "--offline")

    assert (3, 0) == (online.code, offline.code)
    assert "(offline: only the zone file was asked)" in " ".join(offline.out.split())
    assert "127.0.0.1:9" not in offline.out
    assert "MTA-STS record, policy not fetched" in offline.out


def test_offline_a_client_that_was_asked_for_stays_without_verdict(smtpdoc: Smtpdoc, zone: Path) -> None:
    zone.write_text(OWN_ZONE)
    ran = smtpdoc("auth-check", "example.com", "--zone", str(zone), "--offline", "--ip", "192.0.2.9", "--only", "spf")

    assert 3 == ran.code
    assert "? spf.client-temperror" in ran.out


def test_offline_a_domain_that_is_not_in_the_file_is_no_verdict(smtpdoc: Smtpdoc, zone: Path) -> None:
    zone.write_text(OWN_ZONE)
    ran = smtpdoc("auth-check", "example.net", "--zone", str(zone), "--offline")

    assert 3 == ran.code
    assert "? domain.no-answer" in ran.out
    assert "TLS    ?  could not be determined" in ran.out
