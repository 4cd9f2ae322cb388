"""What only shows when all topics are seen together: each raised once, and nearly."""

from __future__ import annotations

import pytest
from support.domain import RSA_2048, examine, findings_of
from support.zone import Answer

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Finding, Level

SENDS: dict[str, Answer] = {
    "example.com MX": (10, "mx.example.com"),
    "mx.example.com A": "192.0.2.1",
    "1.2.0.192.in-addr.arpa PTR": "mx.example.com",
    "example.com TXT": "v=spf1 mx ~all",
    "google._domainkey.example.com TXT": RSA_2048,
    "_dmarc.example.com TXT": "v=DMARC1; p=quarantine; rua=mailto:a@example.com",
}
PARKED: dict[str, Answer] = {
    "example.com MX": (0, "."),
    "example.com TXT": "v=spf1 -all",
    "_dmarc.example.com TXT": "v=DMARC1; p=reject",
}
NO_KEYS = {key: answer for key, answer in SENDS.items() if "_domainkey" not in key}
REJECT: dict[str, Answer] = {"_dmarc.example.com TXT": "v=DMARC1; p=reject; rua=mailto:a@example.com"}


def _raised(answers: dict[str, Answer]) -> dict[str, Finding]:
    return {finding.id: finding for finding in findings_of(examine(answers))}


def _levels(answers: dict[str, Answer]) -> dict[str, Level]:
    return {name: finding.level for name, finding in _raised(answers).items()}


def test_a_well_parked_domain_is_one_note() -> None:
    assert {"domain.well-parked": Level.INFO} == _levels(PARKED)


def test_a_withdrawn_key_for_every_selector_is_good_parking() -> None:
    assert {"domain.well-parked": Level.INFO} == _levels(PARKED | {"*._domainkey.example.com TXT": "v=DKIM1; p="})


@pytest.mark.parametrize(
    ("more", "raised", "paste"),
    [
        ({"_dmarc.example.com TXT": LookupStatus.NODATA}, "dmarc.missing", "v=DMARC1; p=reject"),
        ({"_dmarc.example.com TXT": "v=DMARC1; p=none; sp=none"}, "dmarc.policy-none", "v=DMARC1; p=reject"),
        ({"_dmarc.example.com TXT": "v=DMARC1; p=quarantine"}, "domain.dmarc-next-step", "v=DMARC1; p=reject"),
        ({"example.com MX": LookupStatus.NODATA}, "mx.missing", "example.com. IN MX 0 ."),
        (
            {"example.com MX": LookupStatus.NODATA, "example.com A": "192.0.2.1"},
            "mx.implicit",
            "example.com. IN MX 0 .",
        ),
    ],
)
def test_a_domain_that_sends_nothing_goes_to_the_end_at_once(more: dict[str, Answer], raised: str, paste: str) -> None:
    """No step by step where no mail can be lost."""
    assert (paste,) == _raised(PARKED | more)[raised].paste


def test_a_domain_without_any_record_is_offered_three() -> None:
    finding = _raised({"example.com A": "192.0.2.80"})["domain.open-to-spoofing"]

    assert finding.paste == (
        "example.com. IN MX 0 .",
        'example.com. IN TXT "v=spf1 -all"',
        '_dmarc.example.com. IN TXT "v=DMARC1; p=reject"',
    )


@pytest.mark.parametrize(
    "answers",
    [
        SENDS,
        {"example.com MX": (10, "mx.example.com")},  # receives mail, so it may well send some
        {"example.com A": "192.0.2.80", "_dmarc.example.com TXT": LookupStatus.SERVFAIL},
        {"example.com A": "192.0.2.80", "_dmarc.com TXT": "v=DMARC1; psd=y; p=reject"},
    ],
)
def test_nearly_open_to_spoofing(answers: dict[str, Answer]) -> None:
    assert "domain.open-to-spoofing" not in _raised(answers)


@pytest.mark.parametrize(
    ("spf", "raised"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", True),
        ("v=spf1 redirect=_spf.google.com", True),
        ("v=spf1 -all", False),
        ("v=spf1 ~all", False),
    ],
)
def test_a_null_mx_and_senders(spf: str, raised: bool) -> None:
    assert raised is ("domain.sends-but-null-mx" in _raised(PARKED | {"example.com TXT": spf}))


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        (NO_KEYS | REJECT, Level.WARNING),
        (NO_KEYS, Level.WARNING),
        (NO_KEYS | REJECT | {"x.y._domainkey.example.com TXT": RSA_2048}, Level.INFO),  # one may be there
        (NO_KEYS | REJECT | {"google._domainkey.example.com TXT": LookupStatus.TIMEOUT}, None),
        (SENDS | REJECT, None),
        (NO_KEYS | {"_dmarc.example.com TXT": "v=DMARC1; p=none"}, None),
    ],
)
def test_enforcement_that_rests_on_spf_alone(answers: dict[str, Answer], level: Level | None) -> None:
    assert level is _levels(answers).get("domain.enforcement-without-dkim")


@pytest.mark.parametrize(
    ("more", "raised"),
    [
        ({"example.com TXT": "v=spf1 mx -all"}, True),
        ({"example.com TXT": "v=spf1 mx ~all"}, False),
        ({"example.com TXT": "v=spf1 mx -all", "_dmarc.example.com TXT": "v=DMARC1; p=none"}, False),
    ],
)
def test_all_fail_beside_enforcement(more: dict[str, Answer], raised: bool) -> None:
    finding = _raised(SENDS | more).get("domain.hard-fail-before-dkim")

    assert raised is (finding is not None)
    if finding is not None:
        assert finding.paste == ("v=spf1 mx ~all",)


def test_the_step_after_quarantine() -> None:
    finding = _raised(SENDS)["domain.dmarc-next-step"]

    assert finding.paste == ("v=DMARC1; p=reject; rua=mailto:a@example.com",)


def test_what_comes_before_quarantine() -> None:
    answers = NO_KEYS | {"_dmarc.example.com TXT": "v=DMARC1; p=none", "example.com TXT": "v=spf1 ip5:1 ~all"}
    message = _raised(answers)["domain.dmarc-next-step"].message

    assert message.endswith("until mail is signed with DKIM and SPF works")


@pytest.mark.parametrize(
    "answers",
    [
        SENDS | {"_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@example.com"},  # dmarc.policy-none says it
        SENDS | REJECT,
        SENDS | {"_dmarc.example.com TXT": "v=DMARC1; p=quarantine; t=y; rua=mailto:a@example.com"},
        NO_KEYS,
    ],
)
def test_no_next_step(answers: dict[str, Answer]) -> None:
    assert "domain.dmarc-next-step" not in _raised(answers)


def test_a_service_that_aligns_by_neither() -> None:
    more: dict[str, Answer] = {
        "example.com TXT": "v=spf1 mx include:servers.mcsv.net ~all",
        "servers.mcsv.net TXT": "v=spf1 ip4:203.0.113.0/28 ?all",
    }

    assert Level.INFO is _levels(SENDS | more)["dmarc.sender-unaligned"]
    assert Level.WARNING is _levels(NO_KEYS | more)["dmarc.sender-unaligned"]
    assert "dmarc.sender-unaligned" not in _raised(SENDS | more | {"k1._domainkey.example.com TXT": RSA_2048})


def test_a_bounce_domain_that_passes_and_does_not_align() -> None:
    answers = SENDS | {"esp.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
    evidence = examine(answers, ips=["192.0.2.1"], mail_from="bounce@esp.example")

    (finding,) = [finding for finding in findings_of(evidence) if finding.id == "dmarc.client-unaligned"]
    assert (Level.WARNING, "192.0.2.1") == (finding.level, finding.subject)
