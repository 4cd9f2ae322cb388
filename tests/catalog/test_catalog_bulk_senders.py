"""The rules for bulk senders: what DNS shows of each, for whom, and in which words."""

from __future__ import annotations

import pytest
from support.domain import RSA_2048, examine
from support.zone import Answer

from smtpdoc.catalog.bulk_senders import SOURCES, level, summary
from smtpdoc.catalog.replies import gmail, outlookcom, yahoo
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Level

GOOD: dict[str, Answer] = {
    "example.com MX": (10, "mx.example.com"),
    "mx.example.com A": "192.0.2.1",
    "1.2.0.192.in-addr.arpa PTR": "mx.example.com",
    "example.com TXT": "v=spf1 ip4:192.0.2.1 ~all",
    "google._domainkey.example.com TXT": RSA_2048,
    "_dmarc.example.com TXT": "v=DMARC1; p=none; rua=mailto:a@example.com",
}


def _without(*names: str) -> dict[str, Answer]:
    return {key: answer for key, answer in GOOD.items() if not key.startswith(names)}


def _states(answers: dict[str, Answer], *ips: str) -> dict[str, str]:
    return {rule.rule: rule.state.value for rule in examine(answers, ips=ips).bulk_senders}


def test_a_domain_that_does_what_dns_can_show() -> None:
    rules = examine(GOOD, ips=["192.0.2.1"]).bulk_senders

    assert [rule.rule for rule in rules if rule.state.value == "met"] == ["spf", "dkim", "dmarc", "alignment", "ptr"]
    assert [rule.rule for rule in rules if rule.state.value == "not-visible"] == ["tls", "complaints", "unsubscribe"]
    assert "Gmail, Yahoo, Outlook.com: DNS side met" == summary(rules)
    assert Level.PASS is level(rules)


@pytest.mark.parametrize(
    ("answers", "rule", "state"),
    [
        (_without("example.com TXT"), "spf", "not-met"),
        (GOOD | {"example.com TXT": "v=spf1 ip5:192.0.2.1 ~all"}, "spf", "not-met"),
        (GOOD | {"example.com TXT": LookupStatus.SERVFAIL}, "spf", "unknown"),
        (_without("google"), "dkim", "not-met"),  # _domainkey is NXDOMAIN
        (_without("google") | {"unusual._domainkey.example.com TXT": RSA_2048}, "dkim", "not-visible"),
        (GOOD | {"google._domainkey.example.com TXT": "v=DKIM1; p=%%"}, "dkim", "not-met"),
        (GOOD | {"google._domainkey.example.com TXT": "v=DKIM1; p="}, "dkim", "not-visible"),  # merely withdrawn
        (_without("_dmarc"), "dmarc", "not-met"),
        (GOOD | {"_dmarc.example.com TXT": "v=DMARC1; p=rejct"}, "dmarc", "not-met"),
        (GOOD | {"_dmarc.example.com TXT": LookupStatus.TIMEOUT}, "dmarc", "unknown"),
        (GOOD, "ptr", "not-visible"),  # no --ip
    ],
)
def test_one_rule(answers: dict[str, Answer], rule: str, state: str) -> None:
    assert state == _states(answers)[rule]


def test_an_address_without_reverse_name_is_gmail_s_and_yahoo_s_matter() -> None:
    answers = GOOD | {"example.com TXT": "v=spf1 ip4:192.0.2.0/24 ~all"}
    rules = examine(answers, ips=["192.0.2.9"]).bulk_senders

    assert "Gmail, Yahoo: DNS side not met (PTR) · Outlook.com: DNS side met" == summary(rules)
    assert Level.WARNING is level(rules)


def test_an_address_that_spf_does_not_authorize() -> None:
    assert "not-met" == _states(GOOD, "192.0.2.9")["spf"]


def test_without_a_key_spf_alone_can_align() -> None:
    """A bounce address at the domain itself is enough for alignment, not for the DKIM rule."""
    states = _states(_without("google"))

    assert ("not-met", "met") == (states["dkim"], states["alignment"])


def test_without_a_key_and_with_bounces_elsewhere_nothing_aligns() -> None:
    answers = _without("google") | {
        "example.com TXT": "v=spf1 include:servers.mcsv.net ~all",
        "servers.mcsv.net TXT": "v=spf1 ip4:192.0.2.0/24 ?all",
    }

    assert "not-met" == _states(answers)["alignment"]


def test_an_address_that_was_named_decides_about_alignment() -> None:
    """Others may align; this one passes SPF for a domain that does not count."""
    answers = _without("google") | {"esp.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
    rules = examine(answers, ips=["192.0.2.1"], mail_from="a@esp.example").bulk_senders

    assert ["not-met"] == [rule.state.value for rule in rules if rule.rule == "alignment"]


def test_a_key_that_is_not_seen_is_not_said_to_be_missing() -> None:
    rules = examine(_without("google") | {"unusual._domainkey.example.com TXT": RSA_2048}).bulk_senders

    assert "Gmail, Yahoo, Outlook.com: DNS side met, but DKIM cannot be seen from DNS" == summary(rules)
    assert Level.INFO is level(rules)


@pytest.mark.parametrize(
    "answers",
    [
        {"example.com TXT": "v=spf1 -all", "_dmarc.example.com TXT": "v=DMARC1; p=reject"},
        {"example.com *": LookupStatus.SERVFAIL},
    ],
)
def test_no_rules_for_a_domain_that_sends_nothing_or_is_not_known(answers: dict[str, Answer]) -> None:
    assert () == examine(answers).bulk_senders


def test_no_rules_where_a_topic_was_left_out() -> None:
    assert () == examine(GOOD, only=["spf", "dmarc"]).bulk_senders


def test_nothing_calls_a_sender_compliant() -> None:
    for answers in (GOOD, _without("google"), _without("_dmarc", "example.com TXT")):
        for rule in examine(answers).bulk_senders:
            assert "complian" not in rule.because


def test_every_provider_is_cited_and_every_refusal_is_in_the_catalog() -> None:
    """The codes that a rule names are those of replies that `smtpdoc explain` knows for this provider."""
    known = {"Gmail": gmail.ENTRIES, "Yahoo": yahoo.ENTRIES, "Outlook.com": outlookcom.ENTRIES}
    for rule in examine(GOOD).bulk_senders:
        assert set(rule.asked_by) <= set(SOURCES)
        for refusal in rule.refusals:
            provider, code, *rest = refusal.split(" ")
            said = [
                line.replace("-", " ", 1)
                for entry in known[provider]
                for example in (entry.example, *entry.examples)
                for line in example.splitlines()
            ]
            assert provider in rule.asked_by
            assert [line for line in said if line.startswith(" ".join((code, *rest)))], refusal
