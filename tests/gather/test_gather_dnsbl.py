"""Block lists: test points first, no more rounds than the MX needs anyway, and what the answers lead to."""

from __future__ import annotations

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks import dnsbl as dnsbl_checks
from smtpdoc.catalog.replies.dnsbl import ENTRIES as REPLIES
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.dnsbl import DnsblEvidence, ListState
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.dnsbl import gather_dnsbl
from smtpdoc.grammar.dnsbl import LISTS, BlockList

ZEN, SPAMCOP, PSBL, DBL = (
    next(one for one in LISTS if one.zone == zone)
    for zone in ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com", "dbl.spamhaus.org")
)
WORKING: dict[str, Answer] = {
    "example.com MX": (10, "mx.example.com"),
    "mx.example.com A": "192.0.2.10",
    "2.0.0.127.zen.spamhaus.org A": "127.0.0.2",
    "2.0.0.127.psbl.surriel.com A": "127.0.0.2",
    "dbltest.com.dbl.spamhaus.org A": "127.0.1.2",
}


def gather(
    answers: dict[str, Answer] | None = None, *ips: str, lists: tuple[BlockList, ...] = (ZEN, PSBL, DBL)
) -> tuple[DnsblEvidence, Zone]:
    zone = Zone({**WORKING, **(answers or {})})
    return run_now(gather_dnsbl("example.com", ips, zone, lists)), zone


def findings(answers: dict[str, Answer], *ips: str, lists: tuple[BlockList, ...] = (ZEN, PSBL, DBL)) -> list[Finding]:
    return list(dnsbl_checks.checks.run(gather(answers, *ips, lists=lists)[0]))


def levels(answers: dict[str, Answer], *ips: str, lists: tuple[BlockList, ...] = (ZEN, PSBL, DBL)) -> dict[str, Level]:
    return {finding.id: finding.level for finding in findings(answers, *ips, lists=lists)}


def test_nothing_listed_is_nothing_to_tell() -> None:
    evidence, zone = gather({}, "192.0.2.9")

    assert TopicStatus.ABSENT is evidence.status
    assert () == dnsbl_checks.checks.run(evidence)
    assert ["192.0.2.9", "example.com", "192.0.2.10"] == [subject.name for subject in evidence.subjects]
    assert 3 == len(zone.rounds)


def test_test_points_and_what_is_known_are_asked_in_the_first_round() -> None:
    _, zone = gather({}, "192.0.2.9")

    assert {
        ("2.0.0.127.zen.spamhaus.org", "A"),
        ("1.0.0.127.zen.spamhaus.org", "A"),
        ("9.2.0.192.zen.spamhaus.org", "A"),
        ("example.com.dbl.spamhaus.org", "A"),
        ("example.com", "MX"),
    } <= set(zone.rounds[0])


def test_a_listed_sender_is_an_error_with_the_list_its_reason_and_its_page() -> None:
    answers: dict[str, Answer] = {
        "9.2.0.192.zen.spamhaus.org A": "127.0.0.4",
        "9.2.0.192.zen.spamhaus.org TXT": "see https://www.spamhaus.org/\x1b[31m",
    }
    (finding,) = findings(answers, "192.0.2.9")

    assert ("dnsbl.address-listed", Level.ERROR, "192.0.2.9") == (finding.id, finding.level, finding.subject)
    assert finding.message.startswith("192.0.2.9 is on Spamhaus ZEN (XBL: infected or open host), which says")
    assert "\x1b" not in finding.message
    assert ("https://check.spamhaus.org/",) == finding.paste
    assert ("zen.spamhaus.org", ("127.0.0.4",)) == (finding.facts["list"], finding.facts["codes"])


@pytest.mark.parametrize(
    ("answers", "ips", "level"),
    [
        ({"9.2.0.192.psbl.surriel.com A": "127.0.0.2"}, ("192.0.2.9",), Level.WARNING),
        ({"10.2.0.192.zen.spamhaus.org A": "127.0.0.4"}, (), Level.WARNING),
        ({"10.2.0.192.zen.spamhaus.org A": "127.0.0.10"}, (), Level.INFO),
        (
            {
                "example.com MX": (10, "aspmx.l.google.com"),
                "aspmx.l.google.com A": "192.0.2.8",
                "8.2.0.192.zen.spamhaus.org A": "127.0.0.3",
            },
            (),
            Level.INFO,
        ),
    ],
    ids=["a list that few use", "an MX host", "an MX host in the PBL", "a mail service's MX host"],
)
def test_what_matters_less_counts_less(answers: dict[str, Answer], ips: tuple[str, ...], level: Level) -> None:
    assert {"dnsbl.address-listed": level} == levels(answers, *ips)


def test_a_listed_domain_is_an_error() -> None:
    assert {"dnsbl.domain-listed": Level.ERROR} == levels({"example.com.dbl.spamhaus.org A": "127.0.1.2"})


@pytest.mark.parametrize("error", ["127.255.255.254", "203.0.113.7"])
def test_an_error_answer_is_no_listing_and_no_clean_bill(error: str) -> None:
    """Many programs take these for listings."""
    evidence, _ = gather({"2.0.0.127.zen.spamhaus.org A": error, "9.2.0.192.zen.spamhaus.org A": error}, "192.0.2.9")

    assert ListState.REFUSES is evidence.lists[0].state
    assert {"dnsbl.list-refuses": Level.UNKNOWN} == {
        finding.id: finding.level for finding in dnsbl_checks.checks.run(evidence)
    }


def test_an_error_for_one_question_only_is_told_too() -> None:
    assert {"dnsbl.list-refuses": Level.UNKNOWN} == levels(
        {"9.2.0.192.zen.spamhaus.org A": "127.255.255.255"}, "192.0.2.9"
    )


@pytest.mark.parametrize(
    "answers",
    [
        {"2.0.0.127.psbl.surriel.com A": []},
        {"1.0.0.127.psbl.surriel.com A": "127.0.0.2", "9.2.0.192.psbl.surriel.com A": "127.0.0.2"},
    ],
    ids=["lists nothing any more", "lists the whole world"],
)
def test_a_list_that_fails_its_test_points_is_not_believed(answers: dict[str, Answer]) -> None:
    """RFC 5782 section 5."""
    assert {"dnsbl.list-broken": Level.INFO} == levels(answers, "192.0.2.9")


@pytest.mark.parametrize("name", ["2.0.0.127.psbl.surriel.com A", "9.2.0.192.psbl.surriel.com A"])
def test_a_silent_list_is_undetermined(name: str) -> None:
    assert {"dnsbl.no-answer": Level.UNKNOWN} == levels({name: LookupStatus.TIMEOUT}, "192.0.2.9")


def test_an_mx_on_loopback_is_no_test_point() -> None:
    evidence, _ = gather({"mx.example.com A": "127.0.0.2"})

    assert ["example.com"] == [subject.name for subject in evidence.subjects]


def test_without_mx_the_domain_s_own_address_counts() -> None:
    evidence, _ = gather({"example.com MX": [], "example.com A": "192.0.2.7"})

    assert ["example.com", "192.0.2.7"] == [subject.name for subject in evidence.subjects]


def test_no_list_at_all_answers() -> None:
    evidence, _ = gather({}, lists=(SPAMCOP,))

    assert TopicStatus.UNKNOWN is evidence.status


@pytest.mark.parametrize("block_list", LISTS, ids=lambda one: one.zone)
def test_replies_send_people_to_the_same_page(block_list: BlockList) -> None:
    """What `explain` advises for a bounce and what auth-check advises must not differ."""
    import re

    text = f"554 5.7.1 Service unavailable; client blocked using {block_list.zone}"
    entry = next(entry for entry in REPLIES if re.search(entry.text, text, re.IGNORECASE))
    pages = {*(source.url for source in entry.sources), *re.findall(r"https://[^\s,;]+", " ".join(entry.steps))}

    assert block_list.page.rstrip("/.") in {(page or "").rstrip("/.") for page in pages}
