"""Alignment seen ahead: who sends by an SPF record, and what of it can pass DMARC."""

from __future__ import annotations

import pytest
from support.domain import RSA_2048, examine
from support.zone import Answer

from smtpdoc.evidence.auth import SpfResult
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.senders import SenderAlignment

BASE: dict[str, Answer] = {
    "example.com MX": (10, "mx.example.com"),
    "mx.example.com A": "192.0.2.1",
    "_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@example.com",
    "_spf.google.com TXT": "v=spf1 ip4:203.0.113.0/28 ~all",
    "sendgrid.net TXT": "v=spf1 ip4:203.0.113.16/28 include:ab.sendgrid.net ~all",
    "ab.sendgrid.net TXT": "v=spf1 ip4:203.0.113.32/28 ~all",
    "servers.mcsv.net TXT": "v=spf1 ip4:203.0.113.48/28 ?all",
    "mail.zendesk.com TXT": "v=spf1 ip4:203.0.113.64/28 ?all",
    "spf.agency.example TXT": "v=spf1 ip4:203.0.113.80/28 include:_spf.google.com ?all",
    "_spf.example.com TXT": "v=spf1 ip4:192.0.2.0/28 ?all",
}


def _alignment(spf: str, more: dict[str, Answer] | None = None, **options: object) -> dict[str, SenderAlignment]:
    evidence = examine(BASE | {"example.com TXT": spf} | (more or {}), **options)  # type: ignore[arg-type]

    assert evidence.dmarc is not None
    return {sender.sender: sender for sender in evidence.dmarc.alignment}


@pytest.mark.parametrize(
    ("terms", "senders"),
    [
        ("mx ip4:192.0.2.1", {"own servers": ("mx", "ip4:192.0.2.1")}),
        ("include:_spf.google.com", {"Google Workspace": ("include:_spf.google.com",)}),
        ("include:sendgrid.net", {"SendGrid": ("include:sendgrid.net",)}),  # once, with what is below it
        ("include:_spf.example.com", {"own servers": ("include:_spf.example.com",)}),  # one's own record
        (
            "include:spf.agency.example",
            {
                "spf.agency.example": ("include:spf.agency.example",),
                "Google Workspace": ("include:spf.agency.example",),
            },
        ),
        ("redirect=_spf.google.com", {"Google Workspace": ("redirect=_spf.google.com",)}),
        ("include:%{i}._spf.vali.email", {"Valimail": ("include:%{i}._spf.vali.email",)}),
        ("-ip4:192.0.2.1 ?include:_spf.google.com", {}),  # authorizes nobody
        ("-all ip4:192.0.2.1", {}),  # never reached
        ("include:nosuch.example", {}),
    ],
)
def test_who_sends(terms: str, senders: dict[str, tuple[str, ...]]) -> None:
    assert senders == {name: sender.via for name, sender in _alignment(f"v=spf1 {terms}").items()}


@pytest.mark.parametrize(
    ("include", "aspf", "aligned"),
    [
        ("_spf.google.com", "r", True),
        ("_spf.google.com", "s", True),  # bounces go to the author's own address
        ("servers.mcsv.net", "r", False),
        ("sendgrid.net", "r", False),  # not as it is set up by default
        ("mail.zendesk.com", "r", None),
    ],
)
def test_whether_spf_aligns(include: str, aspf: str, aligned: bool | None) -> None:
    dmarc: dict[str, Answer] = {"_dmarc.example.com TXT": f"v=DMARC1; p=none; aspf={aspf}"}
    (sender,) = _alignment(f"v=spf1 include:{include} ~all", dmarc).values()

    assert aligned is sender.spf


def test_strict_alignment_leaves_no_room_for_a_return_path_below_the_domain() -> None:
    dmarc: dict[str, Answer] = {"_dmarc.example.com TXT": "v=DMARC1; p=none; aspf=s"}

    assert "aspf=s" in _alignment("v=spf1 include:sendgrid.net ~all", dmarc)["SendGrid"].spf_because


@pytest.mark.parametrize(
    ("keys", "signs", "selectors"),
    [
        ({"google._domainkey.example.com TXT": RSA_2048}, None, ()),  # somebody else's
        ({"s1._domainkey.example.com TXT": RSA_2048}, True, ("s1",)),  # a name that SendGrid uses
        (
            {
                "x._domainkey.example.com CNAME": "x.domainkey.u1.wl.sendgrid.net",
                "x.domainkey.u1.wl.sendgrid.net TXT": RSA_2048,
            },
            True,
            ("x",),
        ),
        ({"s1._domainkey.example.com TXT": "v=DKIM1; p="}, None, ()),  # withdrawn
        ({"deep.er._domainkey.example.com TXT": RSA_2048}, None, ()),  # not at a name that was tried
        ({}, False, ()),  # NXDOMAIN at _domainkey
    ],
)
def test_whether_dkim_aligns(keys: dict[str, Answer], signs: bool | None, selectors: tuple[str, ...]) -> None:
    sender = _alignment("v=spf1 include:sendgrid.net ~all", keys)["SendGrid"]

    assert (signs, selectors) == (sender.dkim, sender.selectors)


def test_a_key_of_nobody_in_particular_is_that_of_the_own_servers() -> None:
    found = _alignment("v=spf1 mx include:sendgrid.net ~all", {"mail._domainkey.example.com TXT": RSA_2048})

    assert (True, None) == (found["own servers"].dkim, found["SendGrid"].dkim)


def test_a_selector_that_the_user_named_may_be_anybody_s() -> None:
    keys: dict[str, Answer] = {"rotating7._domainkey.example.com TXT": RSA_2048}
    found = _alignment("v=spf1 include:sendgrid.net ~all", keys, selectors=["rotating7"])

    assert True is found["SendGrid"].dkim


@pytest.mark.parametrize(
    ("mail_from", "aspf", "aligned"),
    [
        ("a@bounce.example.com", "r", True),
        ("a@bounce.example.com", "s", False),
        ("a@esp.example", "r", False),
    ],
)
def test_an_address_with_another_envelope_domain(mail_from: str, aspf: str, aligned: bool) -> None:
    more: dict[str, Answer] = {
        "_dmarc.example.com TXT": f"v=DMARC1; p=none; aspf={aspf}",
        f"{mail_from.partition('@')[2]} TXT": "v=spf1 ip4:192.0.2.1 -all",
    }
    found = _alignment("v=spf1 -all", more, ips=["192.0.2.1"], mail_from=mail_from)["192.0.2.1"]

    assert (aligned, True, (mail_from,)) == (found.spf, found.passes, found.via)


def test_an_address_that_sends_as_the_domain_itself_needs_no_line() -> None:
    assert {"own servers"} == set(_alignment("v=spf1 mx ~all", ips=["192.0.2.1"]))


def test_an_envelope_domain_in_other_letters_is_the_same_domain() -> None:
    domain = "xn--strae-oqa.example"
    zone: dict[str, Answer] = {
        f"{domain} TXT": "v=spf1 ip4:192.0.2.1 -all",
        f"_dmarc.{domain} TXT": "v=DMARC1; p=none; aspf=s",
    }
    evidence = examine(zone, domain, ips=["192.0.2.1"], mail_from="bob@STRAẞE.example")

    assert evidence.spf is not None
    assert evidence.dmarc is not None
    assert [SpfResult.PASS] == [check.result for check in evidence.spf.checks]
    assert ["own servers"] == [sender.sender for sender in evidence.dmarc.alignment]


def test_no_answer_about_the_envelope_domain() -> None:
    more: dict[str, Answer] = {"esp.example TXT": LookupStatus.TIMEOUT}
    found = _alignment("v=spf1 -all", more, ips=["192.0.2.1"], mail_from="a@esp.example")["192.0.2.1"]

    assert (None, None) == (found.spf, found.passes)


def test_without_spf_there_is_no_preview() -> None:
    assert {} == _alignment("v=spf1 mx ~all", only=["dmarc"])
