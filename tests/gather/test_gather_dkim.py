"""DKIM selectors: what is asked, and the three states found, proven absent, not found."""

from __future__ import annotations

import base64

from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.auth import DkimEvidence, TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.gather.dkim import gather_dkim
from smtpdoc.grammar.selectors import COMMON_SELECTORS

ED25519 = "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(32)).decode()


def _gather(answers: dict[str, Answer], *selectors: str, hints: tuple[str, ...] = ()) -> tuple[DkimEvidence, Zone]:
    zone = Zone(answers)
    return run_now(gather_dkim("example.com", zone, selectors=selectors, hints=hints)), zone


def test_all_selectors_and_the_name_above_them_are_asked_in_one_round() -> None:
    dkim, zone = _gather({}, "mine")

    assert len(zone.rounds) == 1
    assert zone.asked[:2] == [("_domainkey.example.com", "TXT"), ("mine._domainkey.example.com", "TXT")]
    assert len(zone.asked) == len(set(zone.asked)) == len(COMMON_SELECTORS) + 2
    assert dkim.tried == len(COMMON_SELECTORS) + 1


def test_selectors_are_unique() -> None:
    assert len(COMMON_SELECTORS) == len(set(COMMON_SELECTORS))
    assert len(COMMON_SELECTORS) >= 70


def test_hinted_senders_come_first_and_add_no_question() -> None:
    _, zone = _gather({}, hints=("Microsoft 365",))

    assert zone.asked[1] == ("selector1._domainkey.example.com", "TXT")
    assert len(zone.asked) == len(COMMON_SELECTORS) + 1


def test_a_key_that_is_found() -> None:
    dkim, _ = _gather({"google._domainkey.example.com TXT": ED25519})
    (selector,) = dkim.selectors

    assert dkim.status is TopicStatus.FOUND
    assert ("google", "ed25519", 256, "Google Workspace", False) == (
        selector.selector,
        selector.key_type,
        selector.key_bits,
        selector.sender,
        selector.requested,
    )


def test_nxdomain_above_proves_that_there_is_none() -> None:
    """RFC 8020: nothing exists below a name that does not exist."""
    dkim, _ = _gather({"example.com TXT": "x"})

    assert (TopicStatus.ABSENT, True) == (dkim.status, dkim.proven_absent)


def test_a_key_at_an_unknown_selector_is_never_called_absent() -> None:
    dkim, _ = _gather({"unguessable._domainkey.example.com TXT": ED25519})

    assert (TopicStatus.UNKNOWN, False, 0) == (dkim.status, dkim.proven_absent, dkim.unanswered)


def test_no_answers_are_counted() -> None:
    dkim, _ = _gather(
        {"_domainkey.example.com TXT": LookupStatus.TIMEOUT, "s1._domainkey.example.com TXT": LookupStatus.SERVFAIL}
    )

    assert (TopicStatus.UNKNOWN, 1) == (dkim.status, dkim.unanswered)


def test_a_requested_selector_is_told_whatever_its_answer() -> None:
    dkim, _ = _gather({"s1._domainkey.example.com TXT": ED25519}, "MINE", "s1", "mine._domainkey.example.com")

    assert [("mine", TopicStatus.ABSENT, True), ("s1", TopicStatus.FOUND, True)] == [
        (selector.selector, selector.status, selector.requested) for selector in dkim.selectors
    ]


def test_a_cname_is_followed_and_names_the_sender() -> None:
    dkim, _ = _gather(
        {
            "s1._domainkey.example.com CNAME": "s1.domainkey.u1.wl.sendgrid.net",
            "s1.domainkey.u1.wl.sendgrid.net TXT": ED25519,
            "s2._domainkey.example.com CNAME": "s2.domainkey.u1.wl.sendgrid.net",
        }
    )

    assert [("s1", "SendGrid", TopicStatus.FOUND), ("s2", "SendGrid", TopicStatus.ABSENT)] == [
        (selector.selector, selector.sender, selector.status) for selector in dkim.selectors
    ]
    assert dkim.status is TopicStatus.FOUND


def test_spf_text_by_a_wildcard_is_no_key() -> None:
    dkim, _ = _gather({"*.example.com TXT": "v=spf1 -all", "example.com TXT": "v=spf1 -all"})

    assert (True, (), TopicStatus.UNKNOWN) == (dkim.wildcard, dkim.selectors, dkim.status)


def test_text_at_a_guessed_selector_that_is_no_key_is_passed_over() -> None:
    dkim, _ = _gather({"mail._domainkey.example.com TXT": "v=spf1 -all"})

    assert dkim.selectors == ()


def test_text_at_a_requested_selector_that_is_no_key_is_told() -> None:
    dkim, _ = _gather({"mail._domainkey.example.com TXT": "v=spf1 -all"}, "mail")

    assert (TopicStatus.INVALID, ("not-a-key",)) == (dkim.selectors[0].status, dkim.selectors[0].problems)


def test_a_wildcard_key_is_told_once() -> None:
    dkim, _ = _gather({"*._domainkey.example.com TXT": ED25519})

    assert ["*"] == [selector.selector for selector in dkim.selectors]
    assert dkim.wildcard


def test_a_wildcard_cname_to_nothing_is_not_ninety_dangling_selectors() -> None:
    dkim, _ = _gather({"*.example.com CNAME": "gone.example.net", "example.com TXT": "x"})

    assert (True, ()) == (dkim.wildcard, dkim.selectors)


def test_several_records_are_invalid() -> None:
    dkim, _ = _gather({"s1._domainkey.example.com TXT": [ED25519, "v=DKIM1; p="]})

    assert dkim.status is TopicStatus.INVALID
    assert "several-records" in dkim.selectors[0].problems


def test_a_server_that_denies_the_name_above_a_key_proves_nothing() -> None:
    dkim, _ = _gather({"_domainkey.example.com TXT": LookupStatus.NXDOMAIN, "s1._domainkey.example.com TXT": ED25519})

    assert (TopicStatus.FOUND, False) == (dkim.status, dkim.proven_absent)
