"""auth-check over a real validating resolver: what it says about DNSSEC and DANE, zone by zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.command import Ran, Smtpdoc
from support.dnssec import Apex, validating

from smtpdoc.net import dns as resolving
from smtpdoc.net.nameservers import parse_nameserver

pytestmark = pytest.mark.servers

HOST = "mx A 192.0.2.25\n"
FITS = "3 1 1 " + "ab" * 32
FORGED = "3 1 1 " + "cd" * 32
TLSA = f"_25._tcp.mx TLSA {FITS}\n"
MX = "@ MX 10 mx\n"

ZONES = {
    "signed.example": Apex(MX + HOST + TLSA),
    "hashed.example": Apex(MX + HOST + TLSA, nsec3=True),
    "no-tlsa.example": Apex(MX + HOST),
    "no-tlsa-hashed.example": Apex(MX + HOST, nsec3=True),
    "plain.example": Apex(MX + HOST + TLSA, signed=False),
    "island.example": Apex(MX + HOST + TLSA, forgotten=True),
    "expired.example": Apex(MX + HOST + TLSA, expired=True),
    "wrong-ds.example": Apex(MX + HOST + TLSA, wrong_ds=True),
    "forged-mx.example": Apex(MX + HOST + TLSA, forged=("MX 10 mx", "MX 10 evil.mx")),
    "forged-address.example": Apex(MX + HOST + TLSA, forged=("192.0.2.25", "192.0.2.66")),
    "forged-tlsa.example": Apex(MX + HOST + TLSA, forged=(FITS, FORGED)),
    "hosted.example": Apex("@ MX 10 mx.signed.example.\n", signed=False),
    "half.example": Apex("@ MX 10 mx.plain.example.\n"),
    "wild.example": Apex(MX + HOST + f"*._tcp.mx TLSA {FITS}\n"),
    "alias.example": Apex(MX + "mx CNAME mx.signed.example.\n"),
    "leads-out.example": Apex(MX + "mx CNAME mx.plain.example.\n" + TLSA),
    "mixed.example": Apex(MX + HOST + TLSA + "_25._tcp.mx TLSA 1 1 1 " + "00" * 32 + "\n"),
    "two.example": Apex(MX + HOST + TLSA + "@ MX 20 mx.no-tlsa.example.\n"),
}

#: Zone → the DNSSEC state, the words of the TLS line, and the findings.
EXPECTED: dict[str, tuple[str, str, dict[str, str]]] = {
    "signed.example": ("signed", "DANE, DNSSEC", {}),
    "hashed.example": ("signed", "DANE, DNSSEC", {}),
    "no-tlsa.example": ("signed", "DNSSEC, no DANE", {"tlsa.missing": "info"}),
    "no-tlsa-hashed.example": ("signed", "DNSSEC, no DANE", {"tlsa.missing": "info"}),
    "plain.example": (
        "unsigned",
        "DANE records without DNSSEC, no DNSSEC",
        {"tlsa.not-authenticated": "warning", "dnssec.unsigned": "info"},
    ),
    "island.example": (
        "unsigned",
        "DANE records without DNSSEC, no DNSSEC",
        {"tlsa.not-authenticated": "warning", "dnssec.no-ds": "info"},
    ),
    "expired.example": ("bogus", "DNSSEC broken", {"dnssec.bogus": "error"}),
    "wrong-ds.example": ("bogus", "DNSSEC broken", {"dnssec.bogus": "error"}),
    "forged-mx.example": ("bogus", "DNSSEC broken", {"dnssec.bogus": "error"}),
    "forged-address.example": ("signed", "DANE broken", {"tlsa.bogus": "error"}),
    "forged-tlsa.example": ("signed", "DANE broken", {"tlsa.bogus": "error"}),
    "hosted.example": (
        "unsigned",
        "DANE, no DNSSEC",
        {"tlsa.mx-not-authenticated": "info", "dnssec.unsigned": "info"},
    ),
    "half.example": ("signed", "DANE records without DNSSEC, DNSSEC", {"tlsa.not-authenticated": "warning"}),
    "wild.example": ("signed", "DANE, DNSSEC", {}),
    "alias.example": ("signed", "DANE, DNSSEC", {}),
    "leads-out.example": ("signed", "DANE, DNSSEC", {}),
    "mixed.example": ("signed", "DANE, DNSSEC", {"tlsa.unusable": "warning"}),
    "two.example": ("signed", "DANE on 1 of 2 hosts, DNSSEC", {"tlsa.not-on-every-host": "info"}),
}


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with validating(ZONES, tmp_path_factory.mktemp("validating")) as address:
        yield address


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with validating(ZONES, tmp_path_factory.mktemp("blind"), validates=False) as address:
        yield address


def check(smtpdoc: Smtpdoc, domain: str, *more: str) -> Ran:
    return smtpdoc("auth-check", domain, "--only", "tlsa", "--only", "dnssec", *more)


def raised(ran: Ran) -> dict[str, str]:
    return {one["id"]: one["level"] for one in ran.json["findings"]}


@pytest.mark.parametrize("domain", EXPECTED)
def test_what_is_said_about_a_zone(smtpdoc: Smtpdoc, resolver: str, domain: str) -> None:
    state, words, findings = EXPECTED[domain]
    report = check(smtpdoc, domain, "--nameserver", resolver, "--json")
    page = check(smtpdoc, domain, "--nameserver", resolver)

    assert (state, findings) == (report.json["evidence"]["dnssec"]["state"], raised(report))
    assert words in page.out


@pytest.mark.parametrize(
    ("domain", "words"),
    [("expired.example", "expired.example MX: "), ("forged-tlsa.example", "_25._tcp.mx.forged-tlsa.example TLSA: ")],
)
def test_the_reason_is_the_resolver_s_own(smtpdoc: Smtpdoc, resolver: str, domain: str, words: str) -> None:
    """RFC 8914: which of the reasons unbound gives depends on what it has in its cache."""
    ran = check(smtpdoc, domain, "--nameserver", resolver)
    text = " ".join(ran.out.split())

    assert f"{words}{resolver} answered SERVFAIL: " in text
    assert "DNSSEC" in text.partition("SERVFAIL: ")[2].partition(";")[0]
    assert "asked not to check signatures, it has an answer" in text


@pytest.mark.parametrize("domain", ["signed.example", "plain.example", "expired.example"])
def test_a_resolver_that_does_not_validate_judges_nothing(smtpdoc: Smtpdoc, blind: str, domain: str) -> None:
    report = check(smtpdoc, domain, "--nameserver", blind, "--json")

    assert "error" not in raised(report).values()
    assert "warning" not in raised(report).values()
    assert report.json["evidence"]["dnssec"]["resolver_validates"] is False
    assert "the resolver that was asked does not validate" in report.out


def test_the_system_s_resolver_is_trusted_alike(
    smtpdoc: Smtpdoc, resolver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "system_nameservers", lambda: (parse_nameserver(resolver),))

    assert "signed" == check(smtpdoc, "signed.example", "--json").json["evidence"]["dnssec"]["state"]


def test_the_json_says_what_is_secure(smtpdoc: Smtpdoc, resolver: str) -> None:
    def tlsa(domain: str) -> Any:
        return check(smtpdoc, domain, "--nameserver", resolver, "--json").json["evidence"]["tlsa"]

    hosted, forged = tlsa("hosted.example"), tlsa("forged-tlsa.example")

    assert (False, True, False) == (hosted["mx_secure"], hosted["hosts"][0]["secure"], hosted["hosts"][0]["bogus"])
    assert (True, False, True) == (forged["mx_secure"], forged["hosts"][0]["secure"], forged["hosts"][0]["bogus"])
