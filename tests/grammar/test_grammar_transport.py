"""MTA-STS, TLS-RPT, TLSA and BIMI records: all cases of the suites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.bimi import parse_bimi
from smtpdoc.grammar.mta_sts import is_text_plain, matches, parse_sts_policy, parse_sts_record
from smtpdoc.grammar.tls_rpt import parse_tls_rpt
from smtpdoc.grammar.tlsa import judge_tlsa

DATA = Path(__file__).parent.parent / "data"


def _cases(suite: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((DATA / suite / "cases.json").read_text())["cases"]
    return cases


def _pairs(pairs: tuple[tuple[str, str], ...]) -> list[list[str]]:
    return [list(pair) for pair in pairs]


def _read_sts(kind: str, given_: Any) -> dict[str, Any]:
    if kind == "record":
        record = parse_sts_record(given_)
        return {
            "is_sts": record.is_sts,
            "valid": record.valid,
            "id": record.id,
            "extensions": _pairs(record.extensions),
            "flags": list(record.flags),
        }
    if kind == "policy":
        policy = parse_sts_policy(given_)
        return {
            "valid": policy.valid,
            "mode": policy.mode,
            "max_age": policy.max_age_s,
            "mx": list(policy.mx),
            "extensions": dict(policy.extensions),
            "flags": list(policy.flags),
        }
    if kind == "mx-match":
        return {"match": matches(given_["pattern"], given_["mx"])}
    return {"ok": is_text_plain(given_["content_type"])}


def _compare(expect: dict[str, Any], read: dict[str, Any]) -> None:
    """A null in `expect` is a question that the specifications leave open."""
    expected = {name: value for name, value in expect.items() if value is not None}

    assert expected == {name: read[name] for name in expected}


@pytest.mark.parametrize("case", _cases("mta-sts"), ids=lambda case: case["id"])
def test_mta_sts_suite(case: dict[str, Any]) -> None:
    _compare(case["expect"], _read_sts(case["kind"], case["input"]))


@pytest.mark.parametrize("case", _cases("tls-rpt"), ids=lambda case: case["id"])
def test_tls_rpt_suite(case: dict[str, Any]) -> None:
    record = parse_tls_rpt(case["input"])
    read = {
        "is_tlsrpt": record.is_tls_rpt,
        "valid": record.valid,
        "rua": list(record.rua),
        "extensions": _pairs(record.extensions),
        "flags": list(record.flags),
    }

    _compare(case["expect"], read)


@pytest.mark.parametrize("case", _cases("tlsa"), ids=lambda case: case["id"])
def test_tlsa_suite(case: dict[str, Any]) -> None:
    usage, selector, matching_type, data = case["input"].split()
    verdict = judge_tlsa(int(usage), int(selector), int(matching_type), bytes.fromhex(data))

    _compare(case["expect"], {"usable": verdict.usable, "flags": list(verdict.flags)})


@pytest.mark.parametrize("case", _cases("bimi"), ids=lambda case: case["id"])
def test_bimi_suite(case: dict[str, Any]) -> None:
    record = parse_bimi(case["input"])

    _compare(case["expect"], {"valid": record.valid, "declined": record.declined, "flags": list(record.flags)})


@pytest.mark.parametrize(
    ("usage", "selector", "matching_type", "octets", "flag"),
    [
        (3, 2, 1, 32, "unknown-selector"),
        (3, 1, 2, 32, "digest-length"),  # SHA-512 has 64 octets
        (2, 0, 0, 0, "no-data"),
    ],
)
def test_more_of_tlsa(usage: int, selector: int, matching_type: int, octets: int, flag: str) -> None:
    verdict = judge_tlsa(usage, selector, matching_type, bytes(octets))

    assert not verdict.usable
    assert flag in verdict.flags


def test_a_policy_in_mode_none_needs_no_mx() -> None:
    assert parse_sts_policy("version: STSv1\nmode: none\nmax_age: 86400\n").valid


def test_an_mx_line_with_an_upper_case_name_is_read() -> None:
    assert parse_sts_policy("version: STSv1\nmode: enforce\nmx: MX.Example.com\nmax_age: 1\n").mx == ("mx.example.com",)


@given(st.text(max_size=100))
def test_any_text_is_read(text: str) -> None:
    assert parse_sts_record("v=STSv1;" + text).is_sts
    assert parse_tls_rpt("v=TLSRPTv1;" + text).is_tls_rpt
    assert parse_bimi(text).text == text
    assert len(parse_sts_policy(text).mx) <= text.count("mx")
