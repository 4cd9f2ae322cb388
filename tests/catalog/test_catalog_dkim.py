"""DKIM findings: each raised once, and nearly; every flag of the suite has an id."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks.dkim import checks
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.dkim import gather_dkim

CASES = json.loads((Path(__file__).parent.parent / "data" / "dkim-key" / "cases.json").read_text())["cases"]

ED25519 = "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(32)).decode()
RSA_1024 = next(case["input"] for case in CASES if case["id"] == "dkim-key-go-msgauth-02")
RSA_2048 = next(case["input"] for case in CASES if case["id"] == "dkim-key-dkimpy-10").replace("g=*; ", "")

#: The suite's flag names and the ids under which users meet them.
IDS = {
    "bad-base64": "dkim.bad-base64",
    "bad-key": "dkim.bad-key",
    "bad-version": "dkim.bad-version",
    "duplicate-tag": "dkim.duplicate-tag",
    "h-allows-sha1": "dkim.allows-sha1",
    "key-too-short": "dkim.short-key",
    "key-weak-1024": "dkim.weak-key",
    "missing-p": "dkim.missing-key",
    "missing-version": "dkim.missing-version",
    "obsolete-tag": "dkim.obsolete-tag",
    "revoked": "dkim.revoked",
    "strict-i-domain": "dkim.strict-identity",
    "testing": "dkim.testing",
    "unknown-key-type": "dkim.unknown-key-type",
    "unknown-tag": "dkim.unknown-tag",
    "version-not-first": "dkim.version-not-first",
}


def _findings(answers: dict[str, Answer], *selectors: str) -> tuple[Finding, ...]:
    return checks.run(run_now(gather_dkim("example.com", Zone(answers), selectors=selectors)))


def _ids(answers: dict[str, Answer], *selectors: str) -> dict[str, Level]:
    return {finding.id: finding.level for finding in _findings(answers, *selectors)}


def _at(selector: str, *texts: str) -> dict[str, Answer]:
    return {f"{selector}._domainkey.example.com TXT": list(texts)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_every_flag_of_the_suite_is_a_finding(case: dict[str, Any]) -> None:
    """An empty text or a DMARC record at a selector is no key at all, which says more than its flags."""
    raised = _ids(_at("mine", case["input"]), "mine")
    no_key = case["input"] == "" or case["input"].startswith("v=DMARC1")
    expected = {"dkim.not-a-key"} if no_key else {IDS[flag.partition(":")[0]] for flag in case["expect"]["flags"]}

    assert expected <= set(raised)
    assert case["expect"]["usable_for_email"] == (not case["expect"]["revoked"] and Level.ERROR not in raised.values())


def test_a_good_key_raises_nothing() -> None:
    assert _ids(_at("google", RSA_2048)) == {}


def test_proven_absence_is_a_warning() -> None:
    assert _ids({"example.com TXT": "x"}) == {"dkim.absent": Level.WARNING}


def test_not_found_is_a_note_that_says_how_to_find_the_selector() -> None:
    (finding,) = _findings(_at("unguessable", RSA_2048))

    assert ("dkim.not-found", Level.INFO) == (finding.id, finding.level)
    assert "--selector" in finding.fix
    assert "missing" not in finding.message


def test_no_answer_is_unknown_and_never_absence() -> None:
    assert _ids(_at("s1") | {"s1._domainkey.example.com TXT": LookupStatus.TIMEOUT}) == {
        "dkim.unknown": Level.UNKNOWN,
        "dkim.not-found": Level.INFO,
    }


def test_an_unanswered_guess_beside_a_key_is_not_worth_a_word() -> None:
    assert _ids(_at("google", RSA_2048) | {"s1._domainkey.example.com TXT": LookupStatus.TIMEOUT}) == {}


def test_an_unanswered_selector_that_was_asked_for_is_unknown() -> None:
    raised = _ids(_at("google", RSA_2048) | {"mine._domainkey.example.com TXT": LookupStatus.SERVFAIL}, "mine")

    assert raised == {"dkim.unknown": Level.UNKNOWN}


def test_a_requested_selector_that_is_not_there_is_an_error() -> None:
    assert _ids(_at("google", RSA_2048), "mine") == {"dkim.selector-not-found": Level.ERROR}


@pytest.mark.parametrize(
    ("requested", "level"), [((), Level.WARNING), (("s1",), Level.ERROR)], ids=["guessed", "requested"]
)
def test_a_dangling_cname(requested: tuple[str, ...], level: Level) -> None:
    cname: dict[str, Answer] = {"s1._domainkey.example.com CNAME": "s1.domainkey.u1.wl.sendgrid.net"}

    assert level is _ids(_at("google", RSA_2048) | cname, *requested)["dkim.dangling-cname"]


def test_the_second_selector_of_microsoft_365_may_dangle() -> None:
    """It publishes only the key in use."""
    answers: dict[str, Answer] = {
        f"selector{number}._domainkey.example.com CNAME": f"selector{number}-example-com._domainkey.x.onmicrosoft.com"
        for number in (1, 2)
    }
    answers["selector1-example-com._domainkey.x.onmicrosoft.com TXT"] = RSA_2048

    assert _ids(answers) == {"dkim.dangling-cname": Level.INFO}


@pytest.mark.parametrize(
    ("texts", "raised"),
    [
        ((RSA_2048, RSA_1024), "dkim.several-records"),
        ((RSA_2048.replace("k=rsa", "h=sha1"),), "dkim.no-sha256"),
        ((RSA_2048.replace("k=rsa", "s=tlsrpt"),), "dkim.not-for-email"),
        ((RSA_2048.replace("k=rsa", "k=rsa; oops"),), "dkim.malformed"),
        ((RSA_2048.replace(";", "\\;"),), "dkim.escaped-semicolon"),
        ((f'"{RSA_2048}"',), "dkim.quotes"),
        ((ED25519,), "dkim.ed25519-only"),
    ],
)
def test_raised(texts: tuple[str, ...], raised: str) -> None:
    assert raised in _ids(_at("google", *texts))


@pytest.mark.parametrize(
    "text",
    [RSA_2048.replace("k=rsa", "h=sha256"), RSA_2048.replace("k=rsa", "s=email:tlsrpt"), RSA_2048 + ";"],
)
def test_nearly_raised(text: str) -> None:
    assert _ids(_at("google", text)) == {}


def test_an_rsa_key_beside_ed25519_is_as_it_should_be() -> None:
    assert _ids(_at("google", RSA_2048) | _at("s1", ED25519)) == {}


def test_one_key_at_two_selectors() -> None:
    assert _ids(_at("google", RSA_2048) | _at("s1", RSA_2048)) == {"dkim.same-key": Level.INFO}


def test_two_cnames_for_one_record_are_one_key() -> None:
    answers: dict[str, Answer] = {
        "k2._domainkey.example.com CNAME": "dkim2.mcsv.net",
        "k3._domainkey.example.com CNAME": "dkim2.mcsv.net",
        "dkim2.mcsv.net TXT": RSA_2048,
    }

    assert _ids(answers) == {}


def test_a_wildcard_is_a_warning_and_its_text_no_key() -> None:
    raised = _ids({"*.example.com TXT": "v=spf1 -all", "example.com TXT": "v=spf1 -all"})

    assert Level.WARNING is raised["dkim.wildcard"]
    assert "dkim.not-a-key" not in raised


def test_a_denied_name_above_a_key() -> None:
    answers = _at("google", RSA_2048) | {"_domainkey.example.com TXT": LookupStatus.NXDOMAIN}

    assert _ids(answers) == {"dkim.empty-non-terminal": Level.WARNING}


def test_a_revoked_key_is_a_note_unless_it_was_asked_for() -> None:
    assert _ids(_at("google", "v=DKIM1; p=")) == {"dkim.revoked": Level.INFO}
    assert _ids(_at("google", "v=DKIM1; p="), "google") == {"dkim.revoked": Level.WARNING}


def test_the_corrected_record_is_offered_whole() -> None:
    testing = RSA_2048.replace("k=rsa", "k=rsa; t=y")
    (finding,) = _findings(_at("google", testing))

    assert finding.paste == (RSA_2048,)


def test_a_hostile_record_cannot_steer_the_terminal() -> None:
    (finding,) = _findings(_at("mine", "\x1b[2Jx"), "mine")[:1]

    assert "\x1b" not in finding.message
