"""Host names, the names of the DMARC walk, and names that look like those of access lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smtpdoc.grammar.names import is_generic, is_hostname, is_within, reverse_name, special_use, tree_walk

RDNS = json.loads((Path(__file__).parent.parent / "data" / "rdns" / "cases.json").read_text())["cases"]


@pytest.mark.parametrize("case", RDNS, ids=lambda case: case["id"])
def test_suite_of_generic_names(case: dict[str, Any]) -> None:
    assert case["expect"]["generic"] == is_generic(case["input"]["ip"], case["input"]["ptr"])


@pytest.mark.parametrize(
    ("ip", "name", "generic"),
    [
        ("192.0.2.10", "mx10.example.com", False),  # one number of four is chance
        ("192.0.2.10", "a2-10.mail.example.com", False),  # two as well
        ("192.0.2.10", "192000002010.isp.example", True),  # with leading zeros
        ("192.0.2.10", "mail.pool.example", False),  # a company's own name is no evidence
        ("192.0.2.10", "cpe-77.dsl.isp.example", True),
        ("192.0.2.10", "customer.isp-name.example", True),
        ("192.0.2.10", "localhost", False),
        ("2001:db8::1:2:3", "2001-db8--1-2-3.isp.example", True),
        ("2001:db8::a", "20010db800000000000000000000000a.isp.example", True),
        ("2001:db8::a", "a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.isp.example", True),
        ("2001:db8::a", "mx-a.example.com", False),
    ],
)
def test_generic_names(ip: str, name: str, generic: bool) -> None:
    assert generic == is_generic(ip, name)


@pytest.mark.parametrize(
    ("domain", "walk"),
    [
        ("com", ("com",)),
        ("example.com", ("example.com", "com")),
        # Seven labels are still walked one by one; eight jump to seven (RFC 9989 section 4.10 step 4).
        ("a.b.c.d.e.example.com", None),
        ("z.a.b.c.d.e.example.com", ("z.a.b.c.d.e.example.com", "a.b.c.d.e.example.com")),
        ("y.z.a.b.c.d.e.example.com", ("y.z.a.b.c.d.e.example.com", "a.b.c.d.e.example.com")),
    ],
)
def test_names_of_the_walk(domain: str, walk: tuple[str, ...] | None) -> None:
    names = tree_walk(domain)
    expected = walk or tuple(".".join(domain.split(".")[cut:]) for cut in range(domain.count(".") + 1))

    assert expected == names[: len(expected)]
    assert len(names) <= 8
    assert names[-1] == "com"


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("mx.example.com", True),
        ("1.example", True),
        ("xn--bcher-kva.example", True),
        ("mx_1.example.com", False),
        ("-mx.example.com", False),
        ("mx-.example.com", False),
        ("a..b", False),
        ("", False),
        ("a" * 64 + ".example", False),
    ],
)
def test_host_names(name: str, valid: bool) -> None:
    assert valid == is_hostname(name)


def test_a_name_is_within_itself_and_its_ancestors_only() -> None:
    assert is_within("example.com", "example.com")
    assert not is_within("example.com", "mail.example.com")


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("100.64.0.1", "carrier-grade NAT"),
        ("127.0.0.1", "loopback"),
        ("192.0.2.1", "documentation"),
        ("fe80::1", "link-local"),
        ("8.8.8.8", None),
        ("2606:4700::1", None),
    ],
)
def test_special_purpose_addresses(ip: str, kind: str | None) -> None:
    assert kind == special_use(ip)


def test_reverse_name_of_ipv6() -> None:
    assert reverse_name("2001:db8::1").startswith("1.0.0.0.")
    assert reverse_name("2001:db8::1").endswith(".8.b.d.0.1.0.0.2.ip6.arpa")
