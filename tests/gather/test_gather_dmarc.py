"""Policy discovery and alignment (RFC 9989 section 4), report destinations (RFC 9990 section 4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.auth import DmarcEvidence, TopicStatus
from smtpdoc.evidence.dns import LookupStatus, TxtRecord
from smtpdoc.gather.dmarc import gather_alignment, gather_dmarc
from smtpdoc.grammar.names import tree_walk

DATA = Path(__file__).parent.parent / "data"
DISCOVERY = json.loads((DATA / "dmarc-discovery" / "cases.json").read_text())["cases"]
EXTERNAL = json.loads((DATA / "dmarc-external" / "cases.json").read_text())["cases"]


def _record(rdtype: str, written: Any) -> Any:
    if rdtype == "TXT":
        strings = written if isinstance(written, list) else [written]
        return TxtRecord(tuple(string.encode() for string in strings))
    if rdtype == "MX":
        preference, host = written.split()
        return int(preference), host
    return written


def _zone(written: dict[str, dict[str, Any]]) -> Zone:
    answers: dict[str, Answer] = {}
    for name, types in written.items():
        for rdtype, records in types.items():
            if rdtype == "error":
                answers[f"{name} *"] = LookupStatus(records.lower())
            else:
                answers[f"{name} {rdtype}"] = [_record(rdtype, record) for record in records]
    return Zone(answers)


def _gather(domain: str, answers: dict[str, Answer]) -> tuple[DmarcEvidence, Zone]:
    zone = Zone(answers)
    return run_now(gather_dmarc(domain, zone)), zone


@pytest.mark.parametrize("case", DISCOVERY, ids=lambda case: case["id"])
def test_discovery_suite(case: dict[str, Any]) -> None:
    zone = _zone(case["zone"])
    dmarc = run_now(gather_dmarc(case["author_domain"], zone))
    read: dict[str, Any] = {
        "queries": list(dmarc.queries),
        "record_domain": dmarc.found_at and dmarc.found_at.removeprefix("_dmarc."),
        "applies": dmarc.valid,
        "org_domain": dmarc.organizational_domain,
        "tag": dmarc.decided_by,
        "policy": {"p": dmarc.policy, "sp": dmarc.subdomain_policy, "np": dmarc.np}.get(dmarc.decided_by or ""),
        "policy_in_test_mode": dmarc.applies,
        "adkim": dmarc.adkim,
        "aspf": dmarc.aspf,
        "aligned": {
            f"{method}:{name}": run_now(
                gather_alignment(
                    case["author_domain"], name, dmarc.adkim if method == "dkim" else dmarc.aspf, _zone(case["zone"])
                )
            )
            for method, name in case["identifiers"]
        },
    }

    assert case["expect"] == {name: read[name] for name in case["expect"]}
    # A walk that asks everything at once must not ask other names.
    walk = {f"_dmarc.{name}" for name in tree_walk(case["author_domain"])}
    assert walk == {name for name, _ in zone.rounds[0] if name.startswith("_dmarc.")}


@pytest.mark.parametrize("case", EXTERNAL, ids=lambda case: case["id"])
def test_external_suite(case: dict[str, Any]) -> None:
    policy = {f"_dmarc.{case['policy_domain']}": {"TXT": [f"v=DMARC1; p=none; rua={case['uri']}"]}}
    dmarc = run_now(gather_dmarc(case["policy_domain"], _zone(case["zone"] | policy)))
    (destination,) = dmarc.destinations

    assert case["expect"]["authorized"] == (not destination.external or destination.authorized)


def test_questions_are_the_walk_and_whether_the_domain_exists_then_what_the_uris_need() -> None:
    _, zone = _gather(
        "example.com",
        {
            "_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@reports.example",
            "example.com MX": (10, "mx.example.com"),
            "reports.example MX": (10, "mx.reports.example"),
        },
    )

    assert zone.rounds == [
        (("_dmarc.example.com", "TXT"), ("_dmarc.com", "TXT"), ("example.com", "MX")),
        (
            ("example.com", "MX"),
            ("reports.example", "MX"),
            ("example.com._report._dmarc.reports.example", "TXT"),
        ),
    ]


def test_without_report_addresses_nothing_more_is_asked() -> None:
    _, zone = _gather("example.com", {"_dmarc.example.com TXT": "v=DMARC1; p=reject"})

    assert len(zone.rounds) == 1


def test_a_host_below_the_organizational_domain_is_inside() -> None:
    dmarc, zone = _gather(
        "example.com",
        {"_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@r.example.com", "r.example.com A": "192.0.2.1"},
    )

    assert not dmarc.destinations[0].external
    assert dmarc.destinations[0].receives is True
    assert ("_dmarc.r.example.com", "TXT") in zone.asked


def test_psd_n_on_the_way_puts_a_host_outside() -> None:
    """RFC 9989 section 4.10.2: psd=n makes a name an organizational domain of its own."""
    dmarc, zone = _gather(
        "example.com",
        {
            "_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@r.example.com",
            "_dmarc.r.example.com TXT": "v=DMARC1; p=none; psd=n",
        },
    )

    assert dmarc.destinations[0].external
    assert dmarc.destinations[0].authorized is False
    assert ("example.com._report._dmarc.r.example.com", "TXT") in zone.asked


@pytest.mark.parametrize(
    ("answers", "receives"),
    [
        ({"r.example MX": (10, "mx.r.example")}, True),
        ({"r.example MX": (0, ".")}, False),  # null MX
        ({"r.example A": "192.0.2.1"}, True),  # implicit MX
        ({"r.example TXT": "x"}, False),
        ({}, False),  # NXDOMAIN
        ({"r.example MX": LookupStatus.TIMEOUT}, None),
        ({"r.example TXT": "x", "r.example A": LookupStatus.SERVFAIL}, None),
    ],
)
def test_whether_the_report_address_receives_mail(answers: dict[str, Answer], receives: bool | None) -> None:
    dmarc, _ = _gather("example.com", {"_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@r.example"} | answers)

    assert receives is dmarc.destinations[0].receives


def test_no_answer_about_consent_is_not_a_refusal() -> None:
    dmarc, _ = _gather(
        "example.com",
        {
            "_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@r.example",
            "example.com._report._dmarc.r.example TXT": LookupStatus.TIMEOUT,
        },
    )

    assert dmarc.destinations[0].external
    assert dmarc.destinations[0].authorized is None


def test_no_answer_at_the_author_domain_is_unknown_even_where_a_record_stands_above() -> None:
    dmarc, _ = _gather(
        "mail.example.com",
        {"_dmarc.mail.example.com TXT": LookupStatus.SERVFAIL, "_dmarc.example.com TXT": "v=DMARC1; p=reject"},
    )

    assert (TopicStatus.UNKNOWN, None, None) == (dmarc.status, dmarc.applies, dmarc.organizational_domain)


def test_no_answer_above_leaves_the_policy_but_not_the_organizational_domain() -> None:
    dmarc, _ = _gather(
        "example.com", {"_dmarc.example.com TXT": "v=DMARC1; p=reject", "_dmarc.com TXT": LookupStatus.TIMEOUT}
    )

    assert (TopicStatus.FOUND, "reject", None) == (dmarc.status, dmarc.applies, dmarc.organizational_domain)


def test_a_domain_that_exists_by_other_records_only_follows_sp() -> None:
    """RFC 9989 appendix A.4: only NXDOMAIN is non-existent."""
    dmarc, _ = _gather(
        "a.example.com",
        {"_dmarc.example.com TXT": "v=DMARC1; p=none; sp=reject; np=quarantine", "x.a.example.com A": "x"},
    )

    assert ("sp", "reject", True) == (dmarc.decided_by, dmarc.applies, dmarc.exists)


def test_a_text_that_was_meant_to_be_a_record_is_invalid_not_absent() -> None:
    dmarc, _ = _gather("example.com", {"_dmarc.example.com TXT": r"v=DMARC1\; p=reject"})

    assert dmarc.status is TopicStatus.INVALID


def test_a_record_that_is_not_found_is_looked_for_where_it_often_stands() -> None:
    dmarc, zone = _gather("example.com", {"_dmarc.example.com.example.com TXT": "v=DMARC1; p=none"})

    assert dmarc.status is TopicStatus.ABSENT
    assert zone.rounds[-1] == (("example.com", "TXT"), ("_dmarc.example.com.example.com", "TXT"))


def test_a_hostile_record_does_not_decide_how_much_is_asked() -> None:
    uris = ",".join(f"mailto:a@r{number}.example" for number in range(200))
    dmarc, zone = _gather("example.com", {"_dmarc.example.com TXT": f"v=DMARC1; p=none; rua={uris}"})

    assert len(dmarc.rua) == 200
    assert len(zone.asked) < 50


def test_alignment_without_an_answer_is_unknown() -> None:
    zone = Zone({"_dmarc.example.com TXT": LookupStatus.TIMEOUT})

    assert run_now(gather_alignment("example.com", "mail.example.com", "r", zone)) is None


def test_the_same_name_is_aligned_without_a_question() -> None:
    zone = Zone()

    assert run_now(gather_alignment("example.com", "example.com", "r", zone)) is True
    assert zone.asked == []
