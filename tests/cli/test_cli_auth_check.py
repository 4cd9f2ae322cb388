"""smtpdoc auth-check, as a user runs it, on zone files."""

import io
from pathlib import Path

import pytest
from support.command import Smtpdoc

DEMO_ZONE = str(Path(__file__).parents[2] / "smtpdoc" / "demo" / "demo.zone")
EXAMPLE_ZONE = str(Path(__file__).parents[2] / "examples" / "example.com.zone")


def test_a_domain_with_too_many_lookups_is_told_with_tree_and_fix(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE)

    assert 1 == ran.code
    assert "SPF    ✖  needs 12 lookups, receivers stop at 10" in ran.out
    assert "12 of 10" in ran.out
    assert "✖ spf.too-many-lookups" in ran.out
    assert "v=spf1 mx include:_spf.google.com include:spf.protection.outlook.com include:sendgrid.net ~all" in ran.out


def test_quiet_is_one_line(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--quiet")

    assert 1 == len(ran.out.splitlines())
    assert ran.out.startswith("✖ example.com")


def test_json_has_the_contract_s_keys(smtpdoc: Smtpdoc) -> None:
    report = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--json").json
    evidence = report["evidence"]

    assert ("auth-check", "example.com", "error", 1) == (
        report["command"], report["target"], report["level"], report["exit_code"],
    )  # fmt: skip
    topics = {"mx", "spf", "dkim", "dmarc", "mta_sts", "tls_rpt", "tlsa", "dnssec", "bimi", "bulk_senders"}
    assert {"domain", "dns", *topics} == set(evidence)
    assert (12, 0, True) == (evidence["spf"]["lookups"], evidence["spf"]["void_lookups"], evidence["spf"]["valid"])
    assert "none" == evidence["dmarc"]["applies"]
    assert {"google": 2048, "s1": 1024} == {
        selector["selector"]: selector["key_bits"] for selector in evidence["dkim"]["selectors"]
    }
    finding = next(finding for finding in report["findings"] if finding["id"] == "spf.too-many-lookups")
    assert ("spf", "error", "example.com") == (finding["topic"], finding["level"], finding["subject"])
    assert {"title": "RFC 7208", "section": "4.6.4"}.items() <= finding["sources"][0].items()


def test_ignored_findings_decide_nothing(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--ignore", "spf.", "--json")

    assert 0 == ran.code
    assert not [finding for finding in ran.json["findings"] if finding["id"].startswith("spf.")]


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("never", 0)])
def test_fail_on_moves_the_line(smtpdoc: Smtpdoc, fail_on: str, code: int) -> None:
    arguments = ("auth-check", "example.com", "--zone", DEMO_ZONE, "--ignore", "spf.", "--fail-on", fail_on)

    assert code == smtpdoc(*arguments).code


def test_the_answer_for_an_address_has_its_path(smtpdoc: Smtpdoc) -> None:
    report = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--ip", "198.51.100.10", "--json").json
    (check,) = report["evidence"]["spf"]["checks"]

    assert ("198.51.100.10", "postmaster@example.org", "pass") == (check["ip"], check["mail_from"], check["result"])
    assert check["path"]
    assert ["mx.example.org"] == report["evidence"]["ptr"]["addresses"][0]["names"]


def test_an_address_that_may_not_send_is_an_error(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--ip", "192.0.2.99", "--only", "spf")

    assert 1 == ran.code
    assert "192.0.2.99 fail" in ran.out


def test_only_the_topics_asked_for_run(smtpdoc: Smtpdoc) -> None:
    evidence = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--only", "dmarc", "--json").json["evidence"]

    assert {"domain", "dmarc", "dns"} == set(evidence)


def test_a_domain_in_other_letters_is_asked_by_its_a_labels_and_shown_both_ways(
    smtpdoc: Smtpdoc, tmp_path: Path
) -> None:
    zone = tmp_path / "zone"
    zone.write_text('$ORIGIN xn--strae-oqa.example.\n@ SOA ns h 1 2 3 4 5\n@ TXT "v=spf1 ip4:192.0.2.1 -all"\n')
    client = ("--ip", "192.0.2.1", "--mail-from", "bob@STRAẞE.example")
    ran = smtpdoc("auth-check", "Straße.example", "--zone", str(zone), "--only", "spf", *client)

    assert ran.out.startswith("xn--strae-oqa.example  straße.example  ")
    assert "192.0.2.1 pass" in ran.out


def test_a_domain_that_is_no_name_is_told_why(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "i❤.example")

    assert 2 == ran.code
    assert "❤ (U+2764) is not allowed" in ran.err


def test_a_domain_that_does_not_exist_is_one_finding_and_not_twelve(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "nosuch.example", "--zone", DEMO_ZONE, "--json")

    assert 1 == ran.code
    assert ["domain.does-not-exist"] == [finding["id"] for finding in ran.json["findings"]]


def test_a_dead_name_server_is_no_verdict(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--nameserver", "127.0.0.1:9", "--timeout", "2")

    assert 3 == ran.code
    assert "domain.no-answer" in ran.out
    assert "127.0.0.1:9" in ran.out
    assert "no record" not in ran.out


def test_several_domains_come_in_order_and_a_bad_one_stops_nothing(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("example.com\n# a comment\n\nnot a domain\nexample.org # mine\n"))

    ran = smtpdoc("auth-check", "--from-file", "-", "--zone", DEMO_ZONE, "--format", "jsonl")

    assert ["example.com", "example.org"] == [line["target"] for line in ran.lines]
    assert "not a domain" in ran.err
    assert 2 == ran.code


def test_several_domains_as_json_are_an_array(smtpdoc: Smtpdoc) -> None:
    reports = smtpdoc("auth-check", "example.com", "example.org", "--zone", DEMO_ZONE, "--json").json

    assert ["example.com", "example.org"] == [report["target"] for report in reports]


def test_selectors_come_from_the_environment_too(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPDOC_DKIM_SELECTORS", "s1, nothere")

    report = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--only", "dkim", "--json").json
    selectors = {selector["selector"]: selector["status"] for selector in report["evidence"]["dkim"]["selectors"]}

    assert "found" == selectors["s1"]
    assert "absent" == selectors["nothere"]


def test_the_example_zone_is_in_order(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", EXAMPLE_ZONE, "--skip", "mx", "--nameserver", "127.0.0.1:9")

    assert "SPF    ✔" in ran.out
    assert "s1 Ed25519" in ran.out
