"""DMARC findings: each raised once, and nearly; every flag of the suite has an id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks.dmarc import checks
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.dmarc import gather_dmarc
from smtpdoc.grammar.dmarc import parse_dmarc

CASES = json.loads((Path(__file__).parent.parent / "data" / "dmarc" / "cases.json").read_text())["cases"]

GOOD = "v=DMARC1; p=quarantine; rua=mailto:a@example.com"

#: The suite's flag names and the ids under which users meet them; "name:tag" where the tag decides.
IDS = {
    "bad-uri": "dmarc.bad-report-address",
    "duplicate-tag": "dmarc.duplicate-tag",
    "empty-tag": "dmarc.malformed-tag",
    "empty-value": "dmarc.malformed-tag",
    "escaped-semicolon": "dmarc.not-a-record",
    "fo-0-and-1": "dmarc.failure-options",
    "fo-without-ruf": "dmarc.failure-options",
    "invalid-value": "dmarc.invalid-value",
    "invalid-value:np": "dmarc.invalid-policy",
    "invalid-value:p": "dmarc.invalid-policy",
    "invalid-value:sp": "dmarc.invalid-policy",
    "malformed-tag": "dmarc.malformed-tag",
    "missing-p": "dmarc.missing-policy",
    "missing-rua": "dmarc.no-reports",
    "missing-semicolon": "dmarc.not-a-record",
    "obsolete-size": "dmarc.report-size-limit",
    "p-not-second": "dmarc.policy-order",
    "removed-tag": "dmarc.removed-tag",
    "unknown-tag": "dmarc.unknown-tag",
    "unsupported-scheme": "dmarc.unsupported-report-address",
    "version-case": "dmarc.not-a-record",
    "version-not-first": "dmarc.not-a-record",
    "whole-record-invalid-rfc6376-3.2": "dmarc.duplicate-tag",
}


def _findings(answers: dict[str, Answer], domain: str = "example.com") -> tuple[Finding, ...]:
    # Names outside the test's interest have a mail host, so that only what is tested is raised.
    return checks.run(run_now(gather_dmarc(domain, Zone({"example.com MX": (10, "mx.example.com")} | answers))))


def _ids(answers: dict[str, Answer], domain: str = "example.com") -> dict[str, Level]:
    return {finding.id: finding.level for finding in _findings(answers, domain)}


def _at(*texts: str, name: str = "_dmarc.example.com") -> dict[str, Answer]:
    return {f"{name} TXT": list(texts)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_every_flag_of_the_suite_is_a_finding(case: dict[str, Any]) -> None:
    raised = _ids(_at(case["input"]))

    assert {IDS.get(flag) or IDS[flag.partition(":")[0]] for flag in case["expect"]["flags"]} <= set(raised)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_every_record_that_is_offered_is_a_good_one(case: dict[str, Any]) -> None:
    for finding in _findings(_at(case["input"])):
        for record in (parse_dmarc(line) for line in finding.paste if " IN TXT " not in line):
            assert record.is_dmarc
            assert record.applies
            assert not set(record.flags) - {"missing-rua"}


def test_a_good_record_raises_nothing() -> None:
    assert _ids(_at(GOOD)) == {}


@pytest.mark.parametrize(
    ("texts", "raised", "level"),
    [
        ((), "dmarc.missing", Level.WARNING),
        (("x",), "dmarc.missing", Level.WARNING),
        (("x",), "dmarc.foreign-text", Level.INFO),
        (("v=spf1 -all", GOOD), "dmarc.foreign-text", Level.WARNING),
        (("v=dmarc1; p=none",), "dmarc.not-a-record", Level.ERROR),
        ((GOOD, GOOD), "dmarc.several-records", Level.ERROR),
        (("v=DMARC1; p=none; rua=mailto:a@example.com",), "dmarc.policy-none", Level.WARNING),
        (("v=DMARC1; p=none",), "dmarc.no-reports", Level.WARNING),
        (("v=DMARC1; p=reject",), "dmarc.no-reports", Level.INFO),
        (("v=DMARC1; p=reject",), "dmarc.policy-reject", Level.INFO),
        (("v=DMARC1; p=rejct; rua=mailto:a@example.com",), "dmarc.invalid-policy", Level.ERROR),
        (("v=DMARC1; rua=mailto:a@example.com",), "dmarc.missing-policy", Level.WARNING),
        (("v=DMARC1; aspf=r",), "dmarc.missing-policy", Level.ERROR),
        ((GOOD + "; sp=none",), "dmarc.subdomains-open", Level.WARNING),
        ((GOOD + "; np=none",), "dmarc.subdomains-open", Level.WARNING),
        ((GOOD + "; t=y",), "dmarc.testing", Level.WARNING),
        ((GOOD + "; pct=50",), "dmarc.partial-percent", Level.WARNING),
        ((GOOD + "; pct=100",), "dmarc.removed-tag", Level.INFO),
        ((GOOD + "; p=reject",), "dmarc.duplicate-tag", Level.ERROR),
        ((GOOD + "; adkim=strict",), "dmarc.invalid-value", Level.WARNING),
        ((GOOD + "; fo:1",), "dmarc.malformed-tag", Level.WARNING),
        ((GOOD + ";; adkim=r",), "dmarc.malformed-tag", Level.INFO),
        ((GOOD + "; policy=x",), "dmarc.unknown-tag", Level.INFO),
        ((GOOD + "; fo=1",), "dmarc.failure-options", Level.INFO),
        (("v=DMARC1; p=reject; rua=a@example.com",), "dmarc.bad-report-address", Level.ERROR),
        ((GOOD + ",b@example.com",), "dmarc.bad-report-address", Level.WARNING),
        ((GOOD + ",https://example.com/",), "dmarc.unsupported-report-address", Level.WARNING),
        ((GOOD + "!10m",), "dmarc.report-size-limit", Level.INFO),
        ((GOOD + ",mailto:b@example.com,mailto:c@example.com",), "dmarc.many-report-addresses", Level.INFO),
        ((GOOD + ",mailto:b@r.example",), "dmarc.reports-not-authorized", Level.WARNING),
        ((GOOD + ",mailto:b@r.example",), "dmarc.report-host-unreachable", Level.WARNING),
    ],
)
def test_raised(texts: tuple[str, ...], raised: str, level: Level) -> None:
    assert level is _ids(_at(*texts)).get(raised)


@pytest.mark.parametrize(
    ("texts", "not_raised"),
    [
        (("v=DMARC1; p=none; sp=none",), "dmarc.subdomains-open"),  # nothing is enforced above either
        ((GOOD + "; sp=quarantine",), "dmarc.subdomains-open"),
        ((GOOD + "; pct=100",), "dmarc.partial-percent"),
        (("v=DMARC1; p=none; pct=50",), "dmarc.partial-percent"),
        ((GOOD + "; fo=1; ruf=mailto:f@example.com",), "dmarc.failure-options"),
        ((GOOD + ",mailto:b@example.com",), "dmarc.many-report-addresses"),
        (("v=DMARC1; p=quarantine; t=y",), "dmarc.policy-none"),  # the test mode has its own finding
        (("google-site-verification=x", GOOD), "dmarc.missing"),
    ],
)
def test_nearly_raised(texts: tuple[str, ...], not_raised: str) -> None:
    assert not_raised not in _ids(_at(*texts))


def test_a_receiver_that_agreed() -> None:
    answers = _at(GOOD + ",mailto:b@r.example") | {
        "r.example MX": (10, "mx.r.example"),
        "example.com._report._dmarc.r.example TXT": "v=DMARC1",
    }

    assert _ids(answers) == {}


def test_no_answer_about_the_receiver_is_unknown() -> None:
    answers = _at(GOOD + ",mailto:b@r.example") | {
        "r.example MX": (10, "mx.r.example"),
        "example.com._report._dmarc.r.example TXT": LookupStatus.SERVFAIL,
    }

    assert _ids(answers) == {"dmarc.reports-unknown": Level.UNKNOWN}


@pytest.mark.parametrize("name", ["_dmarc.example.com", "_dmarc.com"])
def test_no_answer_is_unknown_and_nothing_else(name: str) -> None:
    assert _ids({f"{name} TXT": LookupStatus.TIMEOUT}) == {"dmarc.unknown": Level.UNKNOWN}


def test_no_answer_above_a_record_leaves_the_organizational_domain_open() -> None:
    """The policy is certain then, so the run still has its verdict."""
    raised = _ids(_at(GOOD) | {"_dmarc.com TXT": LookupStatus.TIMEOUT})

    assert raised == {"dmarc.organizational-domain-unknown": Level.INFO}


def test_a_dangling_cname() -> None:
    raised = _ids({"_dmarc.example.com CNAME": "gone.example.net"})

    assert Level.ERROR is raised["dmarc.dangling-cname"]


def test_a_cname_that_leads_somewhere_is_followed() -> None:
    assert _ids({"_dmarc.example.com CNAME": "x.example.net", "x.example.net TXT": GOOD}) == {}


@pytest.mark.parametrize("name", ["example.com", "_dmarc.example.com.example.com"])
def test_a_record_at_the_wrong_name(name: str) -> None:
    raised = _ids(_at(GOOD, name=name))

    assert raised == {"dmarc.misplaced": Level.ERROR}


def test_a_policy_from_above() -> None:
    raised = _ids(_at(GOOD), "mail.example.com")

    assert raised == {"dmarc.inherited": Level.INFO}


def test_old_receivers_do_not_know_np() -> None:
    (first, second) = _findings(_at(GOOD + "; np=reject"), "ghost.example.com")[::2]

    assert ("dmarc.inherited", "dmarc.old-receivers-differ") == (first.id, second.id)
    assert "sp=quarantine" in second.message


@pytest.mark.parametrize(
    ("domain", "records", "differs"),
    [
        ("a.b.example.com", ["b.example.com"], "most likely at _dmarc.example.com"),
        ("mail.example.com", ["mail.example.com"], "most likely example.com"),
        ("mail.example.com", ["mail.example.com", "example.com"], None),
        ("mail.example.com", ["example.com"], None),
        ("example.co.uk", ["example.co.uk"], None),
        ("shop.example.co.uk", ["shop.example.co.uk"], "most likely example.co.uk"),
        ("example.co.uk", ["co.uk"], "not at the record of co.uk"),
    ],
)
def test_where_the_public_suffix_list_most_likely_differs(domain: str, records: list[str], differs: str | None) -> None:
    answers: dict[str, Answer] = {f"{domain} A": "192.0.2.1"}
    answers.update({f"_dmarc.{name} TXT": GOOD for name in records})
    raised = [finding for finding in _findings(answers, domain) if finding.id == "dmarc.old-receivers-differ"]

    assert bool(raised) is (differs is not None)
    if differs:
        assert differs in raised[0].message


def test_strict_alignment_is_the_same_for_old_and_new_receivers() -> None:
    answers = _at(GOOD + "; adkim=s; aspf=s", name="_dmarc.mail.example.com")

    assert "dmarc.old-receivers-differ" not in _ids(answers, "mail.example.com")


def test_a_record_between_the_domain_and_its_organizational_domain() -> None:
    answers = _at(GOOD) | _at(GOOD, name="_dmarc.b.example.com")
    raised = _ids(answers, "a.b.example.com")

    assert {"dmarc.record-not-used": Level.WARNING, "dmarc.inherited": Level.INFO} == raised


def test_subdomain_tags_in_the_record_of_a_subdomain() -> None:
    answers = _at(GOOD) | _at(GOOD + "; sp=reject", name="_dmarc.mail.example.com")

    assert _ids(answers, "mail.example.com") == {"dmarc.subdomain-tags-unused": Level.INFO}


def test_the_first_record_to_publish() -> None:
    finding = next(finding for finding in _findings({}) if finding.id == "dmarc.missing")

    assert finding.paste == ("v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com",)


def test_the_next_step_of_the_policy_keeps_the_rest() -> None:
    answers = _at("v=DMARC1; p=none; rua=mailto:a@example.com; adkim=s")
    finding = next(finding for finding in _findings(answers) if finding.id == "dmarc.policy-none")

    assert finding.paste == ("v=DMARC1; p=quarantine; adkim=s; rua=mailto:a@example.com",)


def test_a_forgotten_mailto_is_put_back() -> None:
    answers = _at("v=DMARC1; p=quarantine; rua=a@example.com")
    finding = next(finding for finding in _findings(answers) if finding.id == "dmarc.bad-report-address")

    assert finding.paste == ("v=DMARC1; p=quarantine; rua=mailto:a@example.com",)
