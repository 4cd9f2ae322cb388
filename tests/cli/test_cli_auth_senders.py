"""auth-check for those who send: the line about bulk rules, and what --verbose shows behind it."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support.command import Smtpdoc

DEMO_ZONE = str(Path(__file__).parents[2] / "smtpdoc" / "demo" / "demo.zone")
ZONES = Path(__file__).parents[1] / "data" / "zones"


def test_one_line_for_the_bulk_rules_and_no_more(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE)

    assert "\nBulk   ▲  Gmail, Yahoo, Outlook.com: DNS side not met (SPF)\n" in ran.out
    assert "Bulk senders" not in ran.out
    assert "Alignment" not in ran.out


def test_verbose_shows_each_rule_and_each_sender(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--verbose")
    rules, _, senders = ran.out.partition("\nAlignment with example.com, by sender")

    assert "▲ SPF         not met      the SPF record is broken (permerror)\n" in rules
    assert "✔ DKIM        met          key at google, s1\n" in rules
    assert "· PTR         not in DNS   name the sending address with --ip (Gmail, Yahoo)\n" in rules
    assert "✔ SendGrid                   SPF no     DKIM yes (s1)\n" in senders
    assert "· Mailchimp                  SPF no     DKIM not seen\n" in senders


@pytest.mark.parametrize("path", sorted(ZONES.glob("domain-*.zone")), ids=lambda path: path.stem)
def test_no_line_is_wider_than_the_terminal_unless_it_is_to_be_copied(smtpdoc: Smtpdoc, path: Path) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", str(path), "--verbose")

    assert [] == [line for line in ran.out.splitlines() if len(line) > 80 and not line.startswith(" " * 8)]


def test_a_domain_that_sends_nothing_has_no_bulk_line(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("auth-check", "example.com", "--zone", str(ZONES / "domain-half-parked.zone"))

    assert "Bulk" not in ran.out


def test_the_json_names_rules_and_senders(smtpdoc: Smtpdoc) -> None:
    evidence = smtpdoc("auth-check", "example.com", "--zone", DEMO_ZONE, "--json").json["evidence"]
    dkim = next(rule for rule in evidence["bulk_senders"] if rule["rule"] == "dkim")
    mailchimp = next(sender for sender in evidence["dmarc"]["alignment"] if sender["sender"] == "Mailchimp")

    assert ("met", ["Gmail", "Yahoo", "Outlook.com"]) == (dkim["state"], dkim["asked_by"])
    assert "Gmail 550 5.7.30" in dkim["refusals"]
    assert ["https"] * 3 == [source["url"].partition(":")[0] for source in dkim["sources"]]
    assert (False, None, ["include:servers.mcsv.net"]) == (mailchimp["spf"], mailchimp["dkim"], mailchimp["via"])


@pytest.mark.parametrize("path", sorted(ZONES.glob("*.zone")), ids=lambda path: path.stem)
def test_every_zone_keeps_the_schema(smtpdoc: Smtpdoc, path: Path) -> None:
    schema = smtpdoc("schema").json
    report = smtpdoc("auth-check", "example.com", "--zone", str(path), "--json").json

    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(report)]
