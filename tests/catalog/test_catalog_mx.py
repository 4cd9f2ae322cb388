"""MX and reverse DNS findings: each raised once, and nearly; every flag of the suite has an id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks.mx import checks as mx_checks
from smtpdoc.catalog.checks.ptr import checks as ptr_checks
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.mx import gather_mx
from smtpdoc.gather.ptr import gather_ptr

CASES = json.loads((Path(__file__).parent.parent / "data" / "mx" / "cases.json").read_text())["cases"]

#: The suite's flag names and the ids under which users meet them.
IDS = {
    "duplicate-mx": "mx.duplicate",
    "mx-bad-hostname": "mx.bad-hostname",
    "mx-localhost": "mx.localhost",
    "null-mx-preference": "mx.null-preference",
}

PTR_10 = "10.2.0.192.in-addr.arpa PTR"
GOOD: dict[str, Answer] = {
    "example.com MX": (10, "mx.example.com"),
    "mx.example.com A": "192.0.2.10",
    PTR_10: "mx.example.com",
}


def _ids(answers: dict[str, Answer]) -> dict[str, Level]:
    return {finding.id: finding.level for finding in mx_checks.run(run_now(gather_mx("example.com", Zone(answers))))}


def _ptr(answers: dict[str, Answer], ip: str = "192.0.2.10", helo: str | None = None) -> tuple[Finding, ...]:
    return ptr_checks.run(run_now(gather_ptr([ip], Zone(answers), helo)))


def _ptr_ids(answers: dict[str, Answer], ip: str = "192.0.2.10", helo: str | None = None) -> dict[str, Level]:
    raised = {finding.id: finding.level for finding in _ptr(answers, ip, helo)}
    # The tests' own addresses are documentation addresses, which is always noted.
    return {name: level for name, level in raised.items() if (name, level) != ("ptr.special-address", Level.INFO)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_suite(case: dict[str, Any]) -> None:
    records: list[tuple[int, str]] = [(int(text.split()[0]), text.split()[1]) for text in case["input"]]
    mx = run_now(gather_mx("example.com", Zone({"example.com MX": records})))
    raised = {finding.id for finding in mx_checks.run(mx)}
    about_the_set = raised & {*IDS.values(), "mx.null-with-others", "mx.address-as-host"}

    assert case["expect"]["null_mx"] == mx.null_mx
    assert {IDS[flag] for flag in case["expect"]["flags"]} == about_the_set


def test_a_good_set_raises_nothing() -> None:
    assert _ids(GOOD) == {}


@pytest.mark.parametrize(
    ("answers", "raised", "level"),
    [
        ({}, "mx.missing", Level.ERROR),
        ({"example.com TXT": "x"}, "mx.missing", Level.ERROR),
        ({"example.com A": "192.0.2.10"}, "mx.implicit", Level.WARNING),
        ({"example.com MX": (0, ".")}, "mx.null", Level.INFO),
        (GOOD | {"example.com MX": [(0, "."), (10, "mx.example.com")]}, "mx.null-with-others", Level.ERROR),
        ({"example.com MX": (10, "192.0.2.10")}, "mx.address-as-host", Level.ERROR),
        ({"example.com MX": (10, "mx.example.com")}, "mx.no-address", Level.ERROR),
        (GOOD | {"mx.example.com A": "10.0.0.1"}, "mx.special-address", Level.ERROR),
        (GOOD | {"mx.example.com A": [], "mx.example.com AAAA": "2001:db8::1"}, "mx.only-ipv6", Level.WARNING),
        (
            GOOD | {"example.com MX": [(10, "mx.example.com"), (20, "b.example.com")], "b.example.com A": "192.0.2.10"},
            "mx.one-machine",
            Level.WARNING,
        ),
        (
            {
                "example.com MX": (10, "mx.example.com"),
                "mx.example.com CNAME": "a.example",
                "a.example A": "192.0.2.10",
            },
            "mx.alias",
            Level.WARNING,
        ),
        (GOOD | {PTR_10: []}, "mx.ptr-missing", Level.WARNING),
        (GOOD | {PTR_10: "other.example"}, "mx.ptr-not-confirmed", Level.WARNING),
        (GOOD | {PTR_10: "192-0-2-10.dyn.isp.example"}, "mx.ptr-generic", Level.INFO),
        (GOOD | {PTR_10: LookupStatus.TIMEOUT}, "mx.ptr-unknown", Level.UNKNOWN),
        (GOOD | {"example.com MX": LookupStatus.SERVFAIL}, "mx.unknown", Level.UNKNOWN),
        (GOOD | {"mx.example.com A": LookupStatus.SERVFAIL}, "mx.unknown", Level.UNKNOWN),
        ({"example.com TXT": "x", "example.com A": LookupStatus.TIMEOUT}, "mx.unknown", Level.UNKNOWN),
    ],
)
def test_raised(answers: dict[str, Answer], raised: str, level: Level) -> None:
    assert level is _ids(answers).get(raised)


@pytest.mark.parametrize(
    ("answers", "not_raised"),
    [
        (GOOD | {"example.com MX": LookupStatus.SERVFAIL}, "mx.missing"),
        (GOOD | {"mx.example.com A": LookupStatus.SERVFAIL}, "mx.no-address"),
        (GOOD | {"mx.example.com AAAA": "2001:db8::1"}, "mx.only-ipv6"),
        (
            GOOD | {"example.com MX": [(10, "mx.example.com"), (10, "b.example.com")], "b.example.com A": "192.0.2.11"},
            "mx.one-machine",
        ),
        (GOOD | {PTR_10: LookupStatus.TIMEOUT}, "mx.ptr-missing"),
        ({"example.com MX": (0, ".")}, "mx.missing"),
    ],
)
def test_nearly_raised(answers: dict[str, Answer], not_raised: str) -> None:
    assert not_raised not in _ids(answers)


def test_reverse_names_of_a_mail_service_are_not_yours_to_set() -> None:
    answers: dict[str, Answer] = {"example.com MX": (1, "smtp.google.com"), "smtp.google.com A": "192.0.2.10"}

    assert _ids(answers) == {"mx.ptr-missing": Level.INFO}


@pytest.mark.parametrize(
    ("host", "hinted"),
    [("mx.example.com.example.com", True), ("192.0.2.10.example.com", True), ("mx.example.com", False)],
)
def test_a_final_dot_that_was_forgotten(host: str, hinted: bool) -> None:
    (finding,) = mx_checks.run(run_now(gather_mx("example.com", Zone({"example.com MX": (10, host)}))))

    assert hinted == ("final dot" in finding.message)


def test_a_sending_address_in_order() -> None:
    answers: dict[str, Answer] = {PTR_10: "mx.example.com", "mx.example.com A": "192.0.2.10"}

    assert _ptr_ids(answers, helo="mx.example.com") == {}


@pytest.mark.parametrize(
    ("answers", "raised", "level"),
    [
        ({}, "ptr.missing", Level.ERROR),
        ({PTR_10: "mx.example.com"}, "ptr.not-confirmed", Level.ERROR),
        ({PTR_10: "192-0-2-10.dyn.isp.example"}, "ptr.generic", Level.WARNING),
        ({PTR_10: "mail"}, "ptr.bad-name", Level.WARNING),
        ({PTR_10: [f"a{number}.example" for number in range(4)]}, "ptr.many-names", Level.INFO),
        ({PTR_10: LookupStatus.TIMEOUT}, "ptr.unknown", Level.UNKNOWN),
        ({PTR_10: "a.example", "a.example A": LookupStatus.SERVFAIL}, "ptr.unknown", Level.UNKNOWN),
    ],
)
def test_reverse_names(answers: dict[str, Answer], raised: str, level: Level) -> None:
    assert level is _ptr_ids(answers).get(raised)


def test_no_answer_is_not_a_missing_name() -> None:
    assert _ptr_ids({PTR_10: LookupStatus.SERVFAIL}) == {"ptr.unknown": Level.UNKNOWN}


def test_three_names_are_not_many() -> None:
    assert "ptr.many-names" not in _ptr_ids({PTR_10: [f"a{number}.example" for number in range(3)]})


def test_a_private_sending_address() -> None:
    raised = _ptr_ids({}, ip="10.0.0.1")

    assert Level.WARNING is raised["ptr.special-address"]


@pytest.mark.parametrize(
    ("helo", "answers", "raised"),
    [
        ("mx.example.com", {}, set()),
        ("b.example", {"b.example A": "192.0.2.10"}, {"ptr.helo-differs"}),
        ("b.example", {"b.example A": "192.0.2.11"}, {"ptr.helo-differs", "ptr.helo-not-resolving"}),
        ("b.example", {"b.example A": LookupStatus.TIMEOUT}, {"ptr.helo-differs", "ptr.unknown"}),
    ],
)
def test_the_helo_name(helo: str, answers: dict[str, Answer], raised: set[str]) -> None:
    confirmed: dict[str, Answer] = {PTR_10: "mx.example.com", "mx.example.com A": "192.0.2.10"}

    assert raised == set(_ptr_ids(confirmed | answers, helo=helo))


def test_the_missing_record_is_written_out() -> None:
    finding = next(finding for finding in _ptr({}, helo="mx.example.com") if finding.id == "ptr.missing")

    assert finding.paste == ("10.2.0.192.in-addr.arpa. IN PTR mx.example.com.",)
