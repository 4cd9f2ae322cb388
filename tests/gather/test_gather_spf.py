"""The static SPF tree: costs, void lookups, circles, and how the questions are asked."""

from __future__ import annotations

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.auth import SpfEvidence, SpfNode, SpfTerm, TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.gather.spf import MAX_DEPTH, MAX_NAMES, MAX_QUESTIONS, SpfClient, gather_spf

REFERS = "v=spf1 include:b.example"
SERVFAIL = LookupStatus.SERVFAIL


def _gather(zone: dict[str, Answer]) -> SpfEvidence:
    return run_now(gather_spf("example.com", Zone(zone)))


def _terms(node: SpfNode | None) -> dict[str, SpfTerm]:
    assert node is not None
    return {term.term: term for term in node.terms}


def test_every_term_is_counted_with_what_is_below_it() -> None:
    spf = _gather(
        {
            "example.com TXT": "v=spf1 ip4:192.0.2.1 a include:_spf.google.com include:b.example -all",
            "example.com A": "192.0.2.1",
            "_spf.google.com TXT": "v=spf1 include:c.example exists:%{i}.example ~all",
            "b.example TXT": "v=spf1 ip4:192.0.2.2 -all",
            "c.example TXT": "v=spf1 mx ptr -all",
            "c.example MX": (10, "mail.example"),
        }
    )

    terms = _terms(spf.tree)
    assert [0, 1, 5, 1, 0] == [term.lookups for term in terms.values()]
    assert "Google Workspace" == terms["include:_spf.google.com"].sender
    assert (7, 0, "ok", TopicStatus.FOUND, True) == (spf.lookups, spf.void_lookups, spf.result, spf.status, spf.valid)


def test_a_level_of_the_tree_is_one_round() -> None:
    """Time goes with the depth: what a record names is asked at once, includes and addresses alike."""
    zone = Zone(
        {
            "example.com TXT": "v=spf1 a mx:m.example include:b.example include:c.example redirect=never.example",
            "b.example TXT": "v=spf1 include:d.example",
            "c.example TXT": "v=spf1 include:d.example exists:e.example",
            "d.example TXT": "v=spf1 ip4:192.0.2.1",
        }
    )

    run_now(gather_spf("example.com", zone))

    assert [
        {("example.com", "TXT")},
        {
            ("example.com", "A"),
            ("example.com", "AAAA"),
            ("m.example", "MX"),
            ("b.example", "TXT"),
            ("c.example", "TXT"),
            ("never.example", "TXT"),
        },
        {("d.example", "TXT"), ("e.example", "A")},
    ] == [set(questions) for questions in zone.rounds]


def test_terms_that_are_never_reached_cost_nothing_and_are_not_asked() -> None:
    zone = Zone({"example.com TXT": "v=spf1 ~all mx include:b.example redirect=c.example"})

    spf = run_now(gather_spf("example.com", zone))

    assert (0, [("example.com", "TXT")]) == (spf.lookups, zone.asked)
    assert [True, False, False, False] == [term.reached for term in _terms(spf.tree).values()]


@pytest.mark.parametrize(
    ("zone", "void"),
    [
        ({}, (1, 1, 1)),
        ({"x.example A": "192.0.2.1"}, (0, 0, 1)),
        ({"x.example AAAA": "2001:db8::1"}, (0, 1, 0)),
        ({"x.example A": "192.0.2.1", "x.example AAAA": "2001:db8::1"}, (0, 0, 0)),
        ({"x.example *": LookupStatus.SERVFAIL}, (0, 0, 0)),
    ],
)
def test_which_term_is_void_and_for_whom(zone: dict[str, Answer], void: tuple[int, int, int]) -> None:
    spf = _gather({"example.com TXT": "v=spf1 a:x.example -all", **zone})

    assert void == (spf.void_lookups, spf.void_lookups_ipv4, spf.void_lookups_ipv6)
    assert bool(void[0]) == _terms(spf.tree)["a:x.example"].void


def test_a_record_included_twice_counts_twice_and_is_shown_once() -> None:
    spf = _gather(
        {
            "example.com TXT": "v=spf1 include:b.example include:c.example -all",
            "b.example TXT": "v=spf1 include:c.example",
            "c.example TXT": "v=spf1 a:x.example",
            "x.example A": "192.0.2.1",
        }
    )

    again = _terms(spf.tree)["include:c.example"]
    assert (5, 2) == (spf.lookups, again.lookups)
    assert again.child is not None
    assert (True, ()) == (again.child.repeated, again.child.terms)


@pytest.mark.parametrize("record", ["v=spf1 include:example.com -all", "v=spf1 redirect=example.com"])
def test_a_circle_is_marked_and_ends(record: str) -> None:
    spf = _gather({"example.com TXT": record})

    (term,) = [term for term in _terms(spf.tree).values() if term.child]
    assert term.child is not None
    assert (True, "permerror", 1) == (term.child.cycle, spf.result, spf.lookups)


@pytest.mark.parametrize(
    ("zone", "result", "status"),
    [
        ({}, "none", TopicStatus.ABSENT),
        ({"example.com TXT": "hello"}, "none", TopicStatus.ABSENT),
        ({"example.com TXT": LookupStatus.TIMEOUT}, "temperror", TopicStatus.UNKNOWN),
        ({"example.com TXT": ["v=spf1 -all", "v=spf1 -all"]}, "permerror", TopicStatus.INVALID),
        ({"example.com TXT": "v=spf1 moo"}, "permerror", TopicStatus.INVALID),
        ({"example.com TXT": "v=spf1 include:b.example"}, "permerror", TopicStatus.INVALID),
        ({"example.com TXT": REFERS, "b.example TXT": "v=spf1 moo"}, "permerror", TopicStatus.INVALID),
        ({"example.com TXT": REFERS, "b.example TXT": SERVFAIL}, "temperror", TopicStatus.FOUND),
        ({"example.com TXT": "v=spf1 a:b.example", "b.example *": SERVFAIL}, "temperror", TopicStatus.FOUND),
        ({"example.com TXT": "v=spf1 " + "ptr " * 11}, "permerror", TopicStatus.INVALID),
        ({"example.com TXT": "v=spf1 " + "ptr " * 10}, "ok", TopicStatus.FOUND),
    ],
)  # fmt: skip
def test_results(zone: dict[str, Answer], result: str, status: TopicStatus) -> None:
    spf = _gather(zone)

    assert (result, status) == (spf.result, spf.status)


def test_macros_of_the_domain_are_followed_others_only_counted() -> None:
    zone = Zone(
        {"example.com TXT": "v=spf1 include:_spf.%{d} include:%{i}.b.example -all", "_spf.example.com TXT": "v=spf1"}
    )

    spf = run_now(gather_spf("example.com", zone))

    assert (2, "ok") == (spf.lookups, spf.result)
    assert [("example.com", "TXT"), ("_spf.example.com", "TXT")] == zone.asked


def test_a_record_one_level_off_is_found() -> None:
    spf = _gather({"example.com A": "192.0.2.1", "example.com.example.com TXT": "v=spf1 -all"})

    assert ("example.com.example.com",) == spf.elsewhere


def test_errors_keep_their_place_in_the_tree() -> None:
    spf = _gather({"example.com TXT": "v=spf1 ip4:192.0.2.1 moo -all"})

    assert ["ip4", "error", "all"] == [term.kind for term in _terms(spf.tree).values()]
    assert (False, 21) == (spf.valid, _terms(spf.tree)["moo"].offset)


def test_clients_are_evaluated_beside_the_tree() -> None:
    zone = Zone({"example.com TXT": "v=spf1 ip4:192.0.2.1 ~all"})

    spf = run_now(gather_spf("example.com", zone, clients=[SpfClient("192.0.2.1"), SpfClient("192.0.2.2")]))

    assert ["pass", "softfail"] == [check.result.value for check in spf.checks]


def test_a_hostile_fan_is_bounded() -> None:
    zone: dict[str, Answer] = {
        "example.com TXT": "v=spf1 " + " ".join(f"include:n{n}.example a:a{n}.example" for n in range(2000))
    }
    asked = Zone(zone)

    spf = run_now(gather_spf("example.com", asked))

    assert len(asked.asked) <= MAX_QUESTIONS
    assert MAX_NAMES == sum(rdtype == "TXT" for _, rdtype in asked.asked)
    assert (True, "permerror", 4000) == (spf.truncated, spf.result, spf.lookups)


def test_a_hostile_chain_is_bounded() -> None:
    zone = Zone(
        {"example.com TXT": "v=spf1 include:1.example"}
        | {f"{n}.example TXT": f"v=spf1 include:{n + 1}.example include:{n + 1}.example" for n in range(1, 99)}
    )

    spf = run_now(gather_spf("example.com", zone))

    assert MAX_DEPTH == len(zone.rounds)
    assert (True, "permerror") == (spf.truncated, spf.result)
