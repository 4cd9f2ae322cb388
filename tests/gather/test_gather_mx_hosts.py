"""Which hosts take mail for a domain (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.probe import MxHost
from smtpdoc.gather.mx_hosts import resolve_mx

ZONE: dict[str, Answer] = {
    "example.com MX": [(20, "b.example.com"), (10, "mx.example.com"), (20, "a.example.com")],
    "mx.example.com A": "192.0.2.10",
    "mx.example.com AAAA": "2001:db8::10",
    "a.example.com A": "192.0.2.21",
    "null.example MX": (0, "."),
    "plain.example A": "192.0.2.30",
    "bare.example TXT": "nothing here",
    "broken.example MX": LookupStatus.SERVFAIL,
    "half.example A": LookupStatus.TIMEOUT,
    "half.example AAAA": LookupStatus.TIMEOUT,
    "half.example TXT": "so that it exists",
}


def test_hosts_come_by_preference_then_name_with_their_addresses() -> None:
    found = run_now(resolve_mx("example.com", Zone(ZONE)))

    assert found.hosts == (
        MxHost(10, "mx.example.com", ("2001:db8::10", "192.0.2.10")),
        MxHost(20, "a.example.com", ("192.0.2.21",)),
        MxHost(20, "b.example.com", ()),
    )
    assert (found.implicit, found.null_mx, found.failure) == (False, False, None)


def test_all_addresses_are_asked_for_in_one_round() -> None:
    zone = Zone(ZONE)

    run_now(resolve_mx("example.com", zone))

    assert [len(questions) for questions in zone.rounds] == [1, 6]


def test_a_family_narrows_the_addresses() -> None:
    zone = Zone(ZONE)

    found = run_now(resolve_mx("example.com", zone, "ipv4"))

    assert found.hosts[0].addresses == ("192.0.2.10",)
    assert not any(rdtype == "AAAA" for _, rdtype in zone.asked)


def test_without_mx_the_domain_itself_takes_its_mail() -> None:
    found = run_now(resolve_mx("plain.example", Zone(ZONE)))

    assert found.implicit
    assert found.hosts == (MxHost(0, "plain.example", ("192.0.2.30",)),)


@pytest.mark.parametrize(
    ("domain", "word"),
    [
        ("null.example", "null-mx"),
        ("bare.example", "no-mail-host"),
        ("nothing.example", "no-domain"),
        ("broken.example", "dns-servfail"),
        ("half.example", "dns-servfail"),
    ],
)
def test_without_hosts_there_is_a_reason(domain: str, word: str) -> None:
    found = run_now(resolve_mx(domain, Zone(ZONE)))

    assert found.hosts == ()
    assert found.failure is not None
    assert found.failure.word == word
    assert domain in found.failure.detail
    assert found.null_mx is (word == "null-mx")
