"""Secrets that cannot be printed, and text that has them masked."""

from __future__ import annotations

import pickle
from base64 import b64encode
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.secret import HIDDEN, Mask, Secret


def test_a_secret_shows_in_no_representation() -> None:
    secret = Secret("s3cret")

    assert "s3cret" not in f"{secret} {secret!r} {secret!s} {[secret]}"
    assert secret.reveal() == "s3cret"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(Secret("s3cret"))


def masked(text: bytes, *secrets: str) -> bytes:
    mask = Mask()
    mask.add(*secrets)
    return mask(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"535 hunter2!", b"535 (hidden)!"),
        (b"535 hunter2hunter2", b"535 (hidden)(hidden)"),
        (b"535 " + b64encode(b"hunter2") + b" bad", b"535 (hidden) bad"),
        (b"535 " + b64encode(b"\0alice\0hunter2") + b" bad", b"535 (hidden) bad"),
        (b"535 x=" + b64encode(b"a hunter2") + b";", b"535 x=(hidden);"),
        (b"535 %68%75%6e%74%65%72%32", b"535 (hidden)"),
        (b"535 %68%75%6E%74%65%72%32", b"535 (hidden)"),
        (b"535 nothing here", b"535 nothing here"),
    ],
)
def test_a_known_secret_is_taken_out(text: bytes, expected: bytes) -> None:
    assert masked(text, "hunter2") == expected


def test_letters_outside_ascii_are_found_in_both_encodings() -> None:
    assert masked("é wörd".encode() + b" " + "wörd".encode("latin-1"), "wörd") == "é (hidden) (hidden)".encode()


def test_a_very_short_secret_is_masked_as_a_word_only() -> None:
    """Masking each "a" would spell the secret in holes."""
    assert masked(b"535 a bad password: a", "a") == b"535 (hidden) bad password: (hidden)"
    assert masked(b"535 data", "a") == b"535 data"


def test_an_empty_secret_hides_nothing() -> None:
    assert masked(b"535 no", "") == b"535 no"


def test_the_mask_itself_tells_nothing() -> None:
    mask = Mask()
    mask.add("hunter2")

    assert "hunter2" not in repr(mask)


def test_a_long_line_is_searched_in_linear_time() -> None:
    line = b"A" * 8000

    assert masked(line * 50, "hunter2") == line * 50


@given(st.binary(max_size=12), st.text(st.characters(codec="utf-8"), min_size=6, max_size=20), st.binary(max_size=12))
def test_no_form_of_a_secret_survives(before: bytes, secret: str, after: bytes) -> None:
    raw = secret.encode()
    core = b64encode(bytes(3) + raw)[4:].rstrip(b"=")[:-1]

    for form in (raw, b64encode(before + raw + after), quote_from_bytes(raw, safe="").encode()):
        assert form not in masked(b"550 <" + form + b"> no", secret)
        assert HIDDEN.encode() in masked(b"550 <" + form + b"> no", secret)
    assert core not in masked(b64encode(bytes(3) + raw + after), secret)
