"""DKIM key records: all cases of the suite, and what stands beside them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.errors import ParseError
from smtpdoc.grammar.dkim import compose_key, looks_like_key, parse_dkim_key, rsa_bits

CASES = json.loads((Path(__file__).parent.parent / "data" / "dkim-key" / "cases.json").read_text())["cases"]

#: Flags beyond those that the suite asks for: it passes over the bare PKCS#1 form.
BEYOND_THE_SUITE = {"pkcs1-key"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_suite(case: dict[str, Any]) -> None:
    key = parse_dkim_key(case["input"])
    read = {
        "k": key.key_type,
        "h": None if key.hashes is None else list(key.hashes),
        "s": list(key.services),
        "t": list(key.key_flags),
        "bits": key.bits,
        "revoked": key.revoked,
        "usable_for_email": key.usable,
        "flags": sorted(set(key.flags) - BEYOND_THE_SUITE),
    }

    assert case["expect"] == read


def _der(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + contents


def _bare_key(bits: int) -> bytes:
    modulus = (1 << (bits - 1)) | 1
    return _der(0x30, _der(0x02, modulus.to_bytes(bits // 8 + 1, "big")) + _der(0x02, b"\1\0\1"))


@pytest.mark.parametrize(
    ("bits", "flag"),
    [
        (512, "key-too-short"),
        (1016, "key-too-short"),
        (1024, "key-weak-1024"),
        (1536, "key-weak"),
        (2048, None),
        (4096, None),
        (4104, "key-very-long"),
    ],
)
def test_sizes(bits: int, flag: str | None) -> None:
    """RFC 8301 section 3.2: under 1024 never, 2048 advised, more than 4096 is the verifier's choice."""
    key = parse_dkim_key("v=DKIM1; p=" + base64.b64encode(_bare_key(bits)).decode())

    assert key.bits == bits
    assert {"pkcs1-key", *((flag,) if flag else ())} == set(key.flags)
    assert key.usable == (flag != "key-too-short")


@pytest.mark.parametrize("cut", [1, 5, 40, 139])
def test_a_truncated_key_is_none(cut: int) -> None:
    with pytest.raises(ParseError):
        rsa_bits(_bare_key(1024)[:-cut])


def test_octets_after_the_key_are_refused() -> None:
    with pytest.raises(ParseError):
        rsa_bits(_bare_key(1024) + b"\0")


@given(st.binary(max_size=200))
def test_any_octets_give_a_size_or_a_parse_error(data: bytes) -> None:
    try:
        bits, _ = rsa_bits(data)
    except ParseError:
        return

    assert bits > 0


@given(st.text(max_size=120))
def test_any_text_is_read(text: str) -> None:
    assert parse_dkim_key(text).record == text


@pytest.mark.parametrize(
    ("record", "flag"),
    [
        ("v=DKIM1; h=sha1; p=", "h-no-sha256"),
        ("v=DKIM1; s=tlsrpt; p=", "not-for-email"),
        ("v=DKIM1; g=; p=", "empty-g"),
        (r"v=DKIM1\; p=", "escaped-semicolon"),
        ('"v=DKIM1; p="', "quoted"),
        ("v=DKIM1; p; q=1", "malformed-tag"),
        ("v=DKIM1; P=QUI=", "unknown-tag:P"),  # tag names are case-sensitive
    ],
)
def test_more_flags(record: str, flag: str) -> None:
    assert flag in parse_dkim_key(record).flags


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("v=DKIM1; p=", True),
        ("v=dkim1; p=", True),
        ("p=MIGf", True),
        ('"v=DKIM1; p=', True),
        ("v=spf1 -all", False),
        ("v=DMARC1; p=reject", False),
        ("google-site-verification=x", False),
        ("", False),
    ],
)
def test_what_is_meant_to_be_a_key(text: str, key: bool) -> None:
    assert key == looks_like_key(text)


def test_a_record_is_written_anew_without_what_is_wrong() -> None:
    assert compose_key("k=rsa; v=dkim1; g=*; t=y; x; p=MI Gf; p=b", "t") == "v=DKIM1; k=rsa; p=MIGf"
