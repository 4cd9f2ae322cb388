"""Names of both sides: what DNS is asked, and what the server says in passing."""

from __future__ import annotations

import pytest
from support.sessions import HOST, exchange, session
from support.zone import Zone, run_now

from smtpdoc.evidence.smtp import Stage
from smtpdoc.gather.identity import as_seen, gather_reverse, seen_as, with_names, worth_asking

ZONE = {
    "25.2.0.192.in-addr.arpa PTR": HOST,
    f"{HOST} A": "192.0.2.25",
    "7.113.0.203.in-addr.arpa PTR": "client.example",
    "client.example A": "203.0.113.7",
}


def test_both_sides_are_looked_up_and_confirmed() -> None:
    found = run_now(gather_reverse("192.0.2.25", "203.0.113.7", "client.example", Zone(ZONE)))

    assert found.server is not None
    assert found.ours is not None
    assert ((HOST,), True) == (found.server.ptr, found.server.forward_confirmed)
    assert (("client.example",), True) == (found.ours.ptr, found.ours.forward_confirmed)
    assert [("203.0.113.7",), ()] == [lookup.names for lookup in found.helo_lookups]


@pytest.mark.parametrize("ours", ["10.1.2.3", "100.64.1.1", "127.0.0.1", None])
def test_an_address_that_the_server_cannot_see_is_not_asked_about(ours: str | None) -> None:
    zone = Zone(ZONE)
    found = run_now(gather_reverse("192.0.2.25", ours, "[10.1.2.3]", zone))

    assert found.ours is None
    assert [("25.2.0.192.in-addr.arpa", "PTR"), (HOST, "A")] == zone.asked


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mx.example.net Hello client.example [203.0.113.7], pleased to meet you", "203.0.113.7"),
        ("mx.google.com at your service, [2001:db8::7]", "2001:db8::7"),
        ("mx.example.net Hello client (203.0.113.7)", "203.0.113.7"),
        ("mx.example.net Hello [IPv6:2001:db8::7]", "2001:db8::7"),
        ("mx.example.net", None),
        ("mx.example.net [192.0.2.25] Hello [203.0.113.7]", None),  # which of the two?
        ("mx.example.net Hello [1:2]", None),
    ],
)
def test_servers_say_where_they_see_us(line: str, expected: str | None) -> None:
    assert expected == seen_as([exchange(Stage.EHLO, f"250 {line}")])


def test_behind_nat_the_address_that_the_server_sees_counts() -> None:
    seen = session(exchange(Stage.EHLO, "250 mx Hello [203.0.113.7]"), source_address="10.1.2.3")
    zone = Zone(ZONE)
    before = run_now(gather_reverse("192.0.2.25", "10.1.2.3", "[10.1.2.3]", zone))
    found = run_now(as_seen(before, seen, zone))

    assert found.ours is not None
    assert ("203.0.113.7", True) == (found.ours.ip, found.ours.forward_confirmed)


def test_names_come_from_the_greeting_and_the_last_ehlo() -> None:
    talk = session(
        exchange(Stage.GREETING, "220 Gateway.example.net ESMTP"),
        exchange(Stage.EHLO, "250 first.example.net"),
        exchange(Stage.EHLO_TLS, "250 second.example.net"),
    )
    found = with_names(run_now(gather_reverse("192.0.2.25", None, "x", Zone(ZONE))), talk)

    assert ("gateway.example.net", "second.example.net") == (found.greeting_name, found.ehlo_name)


@pytest.mark.parametrize("words", ["220 ESMTP ready", "220 ****", "554 mx.example.net refuses"])
def test_a_greeting_without_a_host_name_has_none(words: str) -> None:
    found = with_names(
        run_now(gather_reverse("192.0.2.25", None, "x", Zone(ZONE))), session(exchange(Stage.GREETING, words))
    )

    assert found.greeting_name is None


def test_loopback_is_not_worth_a_question() -> None:
    assert [True, True, False, False] == [
        worth_asking(ip) for ip in ("192.0.2.25", "10.1.2.3", "127.0.0.1", "fe80::1%eth0")
    ]
