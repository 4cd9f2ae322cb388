"""Block lists: how they are asked and what their answers mean; the table is plain data and holds together."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.dnsbl import LISTS, PBL, Kind, read_answer

BY_ZONE = {one.zone: one for one in LISTS}
ZEN, DBL, SURBL, URIBL = (
    BY_ZONE[zone] for zone in ("zen.spamhaus.org", "dbl.spamhaus.org", "multi.surbl.org", "multi.uribl.com")
)
SPAMCOP = BY_ZONE["bl.spamcop.net"]


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("192.0.2.10", "10.2.0.192.zen.spamhaus.org"),
        ("2001:db8::1", "1.0.0.0." + "0.0.0.0." * 5 + "8.b.d.0.1.0.0.2.zen.spamhaus.org"),
    ],
)
def test_addresses_are_asked_for_in_reverse(subject: str, name: str) -> None:
    """RFC 5782 sections 2.1 and 2.4."""
    assert name == ZEN.name_of(subject)


def test_a_list_without_ipv6_is_not_asked_about_it() -> None:
    assert SPAMCOP.name_of("2001:db8::1") is None


def test_domains_are_asked_for_as_they_are() -> None:
    assert DBL.name_of("example.com") == "example.com.dbl.spamhaus.org"


@pytest.mark.parametrize(
    ("zone", "addresses", "meanings"),
    [
        ("zen.spamhaus.org", ["127.0.0.2"], ("SBL: listed by hand",)),
        ("zen.spamhaus.org", ["127.0.0.10", "127.0.0.11"], (PBL,)),
        ("zen.spamhaus.org", ["127.0.0.77"], ()),
        ("dbl.spamhaus.org", ["127.0.1.4"], ("phishing domain",)),
        ("multi.surbl.org", ["127.0.0.80"], ("malware", "abuse")),
        ("multi.uribl.com", ["127.0.0.2"], ("black: spam",)),
        ("bl.spamcop.net", ["127.0.0.2"], ()),
    ],
)
def test_listings(zone: str, addresses: list[str], meanings: tuple[str, ...]) -> None:
    read = read_answer(BY_ZONE[zone], addresses)

    assert (True, meanings, None) == (read.listed, read.meanings, read.error)


@pytest.mark.parametrize(
    ("zone", "addresses"),
    [
        ("zen.spamhaus.org", ["127.255.255.252"]),
        ("zen.spamhaus.org", ["127.255.255.254"]),
        ("bl.spamcop.net", ["127.255.255.1"]),
        ("zen.spamhaus.org", ["127.0.0.2", "127.255.255.255"]),
        ("dbl.spamhaus.org", ["127.0.1.255"]),
        ("multi.surbl.org", ["127.0.0.1"]),
        ("multi.uribl.com", ["127.0.0.1"]),
        ("bl.spamcop.net", ["203.0.113.9"]),
        ("bl.spamcop.net", ["not an address"]),
    ],
)
def test_errors_of_a_list_are_never_listings(zone: str, addresses: list[str]) -> None:
    """RFC 5782 section 2.1; Spamhaus's error codes; parked domains; resolvers that rewrite."""
    read = read_answer(BY_ZONE[zone], addresses)

    assert not read.listed
    assert read.error


def test_no_answer_is_no_listing() -> None:
    assert (False, None) == (read_answer(ZEN, []).listed, read_answer(ZEN, []).error)


def test_the_table_holds_together() -> None:
    assert len(BY_ZONE) == len(LISTS)
    assert {Kind.IP, Kind.DOMAIN} == {one.kind for one in LISTS}
    for one in LISTS:
        assert one.page.startswith("https://")
        assert one.listed_test != one.clean_test
        assert not one.ipv6 or one.kind is Kind.IP
        assert all(word.isdigit() for word in one.words) == (one.bits or not one.words)
