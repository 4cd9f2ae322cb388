"""DMARC records: all cases of the suite, and what stands beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.dmarc import DmarcRecord, compose, parse_dmarc, parse_report_uri, repair

CASES = json.loads((Path(__file__).parent.parent / "data" / "dmarc" / "cases.json").read_text())["cases"]

#: Flags beyond those that the suite asks for: it does not tell a forgotten mailto: from other bad URIs.
BEYOND_THE_SUITE = {"missing-mailto:rua"}


def _read(record: DmarcRecord) -> dict[str, Any]:
    return {
        "is_dmarc": record.is_dmarc,
        "applies": record.applies,
        "treated_as_p_none": record.treated_as_none,
        "p": record.policy,
        "sp": record.subdomain_policy,
        "np": record.nonexistent_policy,
        "adkim": record.adkim,
        "aspf": record.aspf,
        "t": "y" if record.testing else "n",
        "psd": record.psd,
        "fo": sorted(record.failure_options),
        "rua": [uri.uri for uri in record.rua],
        "ruf": [uri.uri for uri in record.ruf],
        "flags": sorted(set(record.flags) - BEYOND_THE_SUITE),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_suite(case: dict[str, Any]) -> None:
    """A null in `expect` is a question that the RFCs leave open."""
    read = _read(parse_dmarc(case["input"]))
    expected = {name: value for name, value in case["expect"].items() if value is not None}

    assert expected == {name: read[name] for name in expected}


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        (" v=DMARC1; p=none", "leading-space"),
        ('"v=DMARC1; p=none"', "quoted"),
        ("\ufeffv=DMARC1; p=none", "stray-character"),
        ("v=DMARC1, p=none", "missing-semicolon"),
        ("v=DMARC1.; p=none", "missing-semicolon"),
        ("DMARC1; p=none", "missing-version"),
    ],
)
def test_near_misses(text: str, flag: str) -> None:
    record = parse_dmarc(text)

    assert not record.is_dmarc
    assert flag in record.flags


@pytest.mark.parametrize(
    ("record", "flag"),
    [
        ("v=DMARC1; p=none; fo=1:1; ruf=mailto:a@example.com", "repeated-option:fo"),
        ("v=DMARC1; p=none; rua=https://example.com/x", "unsupported-scheme:rua"),
        ("v=DMARC1; p=none; rua=mailto:a@example.com!x", "bad-uri:rua"),
        ("v=DMARC1; p=none; rua=mailto:a@", "bad-uri:rua"),
        ("v=DMARC1; p=none; rua=mailto:a%2@example.com", "bad-uri:rua"),
        ("v=DMARC1; p=none; aspf=strict", "invalid-value:aspf"),
    ],
)
def test_more_flags(record: str, flag: str) -> None:
    assert flag in parse_dmarc(record).flags


def test_an_encoded_comma_and_exclamation_mark_are_part_of_the_address() -> None:
    """RFC 9989 section 4.8: a comma, semicolon or exclamation mark in a URI must be percent-encoded."""
    assert parse_dmarc("v=DMARC1; p=none; rua=mailto:a%2Cb%21c@example.com").rua[0].host == "example.com"


@pytest.mark.parametrize("uri", ["mailto:a@example.com?subject=x", "MAILTO:a@example.com", "mailto:a@EXAMPLE.com."])
def test_mailboxes(uri: str) -> None:
    read = parse_report_uri(uri)

    assert read is not None
    assert read.host == "example.com"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("p=reject; v=DMARC1", "v=DMARC1; p=reject"),
        ('"v=DMARC1; p=reject"', "v=DMARC1; p=reject"),
        ("v=DMARC1 p=reject", "v=DMARC1; p=reject"),
        ("DMARC1; p=reject", "v=DMARC1; p=reject"),
        ("v=dmarc1;p=none;rua=mailto:a@example.com", "v=DMARC1; p=none; rua=mailto:a@example.com"),
        ("v=spf1 -all", None),
        ("nothing", None),
    ],
)
def test_what_it_was_meant_to_be(text: str, fixed: str | None) -> None:
    assert fixed == repair(text)


def test_compose_keeps_what_is_usable_in_the_old_order() -> None:
    """p= second, because receivers that follow RFC 7489 want it there."""
    record = parse_dmarc("v=DMARC1; rua=mailto:a@example.com!10m,b; pct=50; sp=bad; fo=1; adkim=x; aspf=s; p=reject")

    assert compose(record) == "v=DMARC1; p=reject; aspf=s; rua=mailto:a@example.com"


@given(st.text(alphabet="v=DMARC1;pscnoeruatmail:@.,!\\ \t", max_size=60))
def test_any_text_is_read_and_what_is_composed_is_clean(text: str) -> None:
    record = parse_dmarc("v=DMARC1;" + text)

    assert record.is_dmarc
    assert not any(
        flag.partition(":")[0] in ("malformed-tag", "bad-uri") for flag in parse_dmarc(compose(record)).flags
    )
