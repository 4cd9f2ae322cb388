"""MX hosts with their addresses, and reverse DNS: questions, order, and every kind of answer."""

from __future__ import annotations

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.auth import MxEvidence, TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.gather.mx import gather_mx
from smtpdoc.gather.ptr import gather_addresses, gather_ptr

PTR_10 = "10.2.0.192.in-addr.arpa"


def _gather(answers: dict[str, Answer]) -> tuple[MxEvidence, Zone]:
    zone = Zone(answers)
    return run_now(gather_mx("example.com", zone)), zone


def test_four_rounds_and_no_question_too_many() -> None:
    mx, zone = _gather(
        {
            "example.com MX": [(20, "mx2.example.com"), (10, "mx1.example.com")],
            "mx1.example.com A": "192.0.2.10",
            "mx2.example.com AAAA": "2001:db8::2",
            f"{PTR_10} PTR": "mx1.example.com",
        }
    )

    assert ["mx1.example.com", "mx2.example.com"] == [host.host for host in mx.hosts]
    assert [len(questions) for questions in zone.rounds] == [1, 4, 2, 1]
    assert zone.rounds[3] == (("mx1.example.com", "A"),)
    assert [True, False] == [host.addresses[0].forward_confirmed for host in mx.hosts]


def test_a_host_named_twice_is_asked_once() -> None:
    mx, zone = _gather({"example.com MX": [(10, "mx.example.com"), (20, "mx.example.com")]})

    assert len(mx.hosts) == 2
    assert len(zone.rounds[1]) == 2


def test_null_mx() -> None:
    mx, zone = _gather({"example.com MX": (0, ".")})

    assert (TopicStatus.FOUND, True, ()) == (mx.status, mx.null_mx, mx.hosts)
    assert len(zone.asked) == 1


def test_a_null_mx_beside_others_is_none() -> None:
    mx, _ = _gather({"example.com MX": [(0, "."), (10, "mx.example.com")]})

    assert (False, 1) == (mx.null_mx, len(mx.hosts))


def test_implicit_mx() -> None:
    mx, _ = _gather({"example.com A": "192.0.2.10"})

    assert (TopicStatus.FOUND, True, "example.com") == (mx.status, mx.implicit, mx.hosts[0].host)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"example.com TXT": "x"}, TopicStatus.ABSENT),
        ({}, TopicStatus.ABSENT),
        ({"example.com MX": LookupStatus.SERVFAIL}, TopicStatus.UNKNOWN),
        ({"example.com TXT": "x", "example.com A": LookupStatus.TIMEOUT}, TopicStatus.UNKNOWN),
    ],
)
def test_no_mx(answers: dict[str, Answer], status: TopicStatus) -> None:
    mx, _ = _gather(answers)

    assert status is mx.status


def test_what_is_no_name_is_not_looked_up() -> None:
    mx, zone = _gather({"example.com MX": [(10, "192.0.2.1"), (20, "localhost")]})

    assert len(zone.asked) == 1
    assert [None, None] == [host.a for host in mx.hosts]


def test_a_zone_with_many_hosts_is_bounded() -> None:
    records: list[tuple[int, str]] = [(number, f"mx{number}.example.com") for number in range(500)]
    mx, zone = _gather({"example.com MX": records})

    assert len(mx.hosts) == 500
    assert len(zone.asked) < 100


@pytest.mark.parametrize(
    ("answers", "confirmed"),
    [
        ({f"{PTR_10} PTR": "a.example", "a.example A": "192.0.2.10"}, True),
        ({f"{PTR_10} PTR": ["b.example", "a.example"], "a.example A": ["192.0.2.9", "192.0.2.10"]}, True),
        ({f"{PTR_10} PTR": "a.example", "a.example A": "192.0.2.11"}, False),
        ({f"{PTR_10} PTR": "a.example"}, False),
        ({}, False),
        ({f"{PTR_10} PTR": LookupStatus.TIMEOUT}, None),
        ({f"{PTR_10} PTR": "a.example", "a.example A": LookupStatus.SERVFAIL}, None),
        # RFC 8601 section 2.7.3: one name that confirms is enough.
        (
            {
                f"{PTR_10} PTR": ["a.example", "b.example"],
                "a.example A": LookupStatus.SERVFAIL,
                "b.example A": "192.0.2.10",
            },
            True,
        ),
    ],
)
def test_forward_confirmation(answers: dict[str, Answer], confirmed: bool | None) -> None:
    (address,) = run_now(gather_addresses(["192.0.2.10"], Zone(answers)))

    assert confirmed is address.forward_confirmed


def test_an_ipv6_address_is_confirmed_by_aaaa() -> None:
    zone = Zone({"1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa PTR": "a.example", "a.example AAAA": "2001:db8::1"})
    (address,) = run_now(gather_addresses(["2001:db8::1"], zone))

    assert address.forward_confirmed is True
    assert zone.asked[-1] == ("a.example", "AAAA")


def test_addresses_are_compared_as_addresses() -> None:
    zone = Zone({"1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa PTR": "a.example", "a.example AAAA": "2001:0DB8:0::1"})
    (address,) = run_now(gather_addresses(["2001:DB8:0:0::1"], zone))

    assert ("2001:db8::1", True) == (address.ip, address.forward_confirmed)


def test_a_hundred_names_cost_ten_questions() -> None:
    zone = Zone({f"{PTR_10} PTR": [f"a{number}.example" for number in range(100)]})
    (address,) = run_now(gather_addresses(["192.0.2.10", "192.0.2.10"], zone))

    assert len(address.ptr) == 100
    assert len(zone.asked) == 11


@pytest.mark.parametrize(
    ("names", "generic"), [(["dsl-1.isp.example"], True), (["dsl-1.isp.example", "mail.example"], False)]
)
def test_one_proper_name_is_enough(names: list[str], generic: bool) -> None:
    (address,) = run_now(gather_addresses(["192.0.2.10"], Zone({f"{PTR_10} PTR": names})))

    assert generic == address.generic


def test_the_helo_name_is_resolved_in_the_families_of_the_addresses() -> None:
    zone = Zone({"mail.example A": "192.0.2.10"})
    ptr = run_now(gather_ptr(["192.0.2.10"], zone, "mail.example"))

    assert ptr.helo == "mail.example"
    assert zone.asked == [(PTR_10, "PTR"), ("mail.example", "A")]


def test_without_addresses_nothing_is_asked() -> None:
    zone = Zone()

    assert run_now(gather_addresses([], zone)) == ()
    assert zone.asked == []
