"""Secrets that cannot be printed, and text that has them masked."""

from __future__ import annotations

import json
import pickle
from base64 import b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_from_bytes, quote_plus

import pytest
from hypothesis import assume, given
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


PASSWORD = 's3cret/Pa55 "w\u00f6rd" <&>'


@pytest.mark.parametrize(
    "form",
    [
        quote(PASSWORD, safe=""),
        quote(PASSWORD),
        quote_plus(PASSWORD),
        "".join(f"%{byte:02x}" for byte in PASSWORD.encode()),
        "".join(f"={byte:02X}" for byte in PASSWORD.encode()),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        "".join(f"\\x{byte:02x}" for byte in PASSWORD.encode()),
        "".join(f"&#{ord(char)};" for char in PASSWORD),
        "".join(f"&#x{ord(char):X};" for char in PASSWORD),
        escape(PASSWORD),
        PASSWORD.encode().hex(),
        PASSWORD.encode().hex().upper(),
        PASSWORD[::-1],
        b64encode(PASSWORD.encode()).decode().upper(),
        b64encode(b64encode(PASSWORD.encode())).decode(),
        b64encode(json.dumps({"scope": PASSWORD}).encode()).decode(),
        b64encode(b64encode(json.dumps({"scope": PASSWORD}).encode())).decode(),
        b64encode(b"\0alice\0" + PASSWORD.encode()).decode()[:24],
        b64encode(b"\0alice\0" + PASSWORD.encode()).decode()[14:],
        b64encode(b"\0alice\0" + PASSWORD.encode()).decode()[14:30].upper(),
    ],
)
def test_a_secret_is_found_in_any_usual_writing(form: str) -> None:
    assert masked(f"535 you said [{form}] to me".encode(), PASSWORD) == b"535 you said [(hidden)] to me"


@pytest.mark.parametrize("password", ["stale-token", "bad_token", "Bearer ya29.x", "wrong-Pa55"])
def test_a_word_that_the_secret_shares_with_a_challenge_gives_nothing_away(password: str) -> None:
    """What a server says about a token has to be read, and people call tokens tokens."""
    challenge = b"334 " + b64encode(b'{"status":"invalid_token","schemes":"bearer"}')

    assert challenge == masked(challenge, password)


def test_a_token_that_is_cut_off_or_wrapped_is_hidden_too() -> None:
    """Sendmail quotes what it did not understand, up to a length."""
    token = "ya29.A0ARrdaM-abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    assert b"500 (hidden)... what?" == masked(f"500 {token[5:40]}... what?".encode(), token)
    assert b"500 (hidden)" == masked(f"500 {token[-30:]}".encode(), token)


def test_a_reply_code_stays_whatever_the_password_is() -> None:
    assert b"250 2.1.0 250 (hidden)" == masked(b"250 2.1.0 250 " + b64encode(b"\x00250250"), "250", "250250")
    assert b"535-5.7.8 no" == masked(b"535-5.7.8 no", "535-")


@pytest.mark.parametrize("word", ["password", "OK", "Authentication", "250"])
def test_a_word_that_all_servers_use_is_not_hidden(word: str) -> None:
    """A hole in the usual place would tell the password."""
    line = f"235 2.7.0 {word} accepted".encode()

    assert line == masked(line, word)
    assert b"535 (hidden)" == masked(b"535 " + b64encode(b"\0alice\0" + word.encode() * 2), word * 2)


def test_a_word_that_the_server_used_before_it_knew_the_secret_is_its_own() -> None:
    mask = Mask()
    mask(b"220 mx.lab.example ESMTP Postfix")
    mask.add("mx.lab.example")

    assert b"221 2.0.0 mx.lab.example closes" == mask(b"221 2.0.0 mx.lab.example closes")
    assert b"535 (hidden)" == mask(b"535 " + b64encode(b"mx.lab.example"))


def test_a_long_secret_is_none_of_the_servers_words() -> None:
    mask = Mask()
    mask(b"220 ya29-0123456789abcdef0123456789abcdef")
    mask.add("ya29-0123456789abcdef0123456789abcdef")

    assert b"221 (hidden)" == mask(b"221 ya29-0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize("prompt", [b"334 VXNlcm5hbWU6", b"334 UGFzc3dvcmQ6"])
def test_the_prompts_of_login_stay(prompt: bytes) -> None:
    """The password begins as the prompt does, which says "Password:" in base64."""
    assert prompt == masked(prompt, "Password1", "Username1")


def test_half_of_a_secret_in_an_encoding_that_lacks_the_rest_is_not_looked_for() -> None:
    assert b"250 1 of 1" == masked(b"250 1 of 1", "\u043f\u0430\u0440\u043e\u043b\u044c1")


def test_bytes_that_are_no_utf_8_are_hidden() -> None:
    secret = b"caf\xe9caf\xe9".decode("utf-8", "surrogateescape")

    assert b"535 (hidden)" == masked(b"535 caf\xe9caf\xe9", secret)


@pytest.mark.parametrize("size", [1024, 65536])
def test_a_very_long_secret_is_hidden_in_little_time(size: int) -> None:
    secret = "".join(chr(33 + (number * 7919) % 90) for number in range(size))

    assert b"535 (hidden)" == masked(b"535 " + secret.encode(), secret)


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
WRITINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: text.encode().hex(),
)


@given(
    st.text(LETTERS, min_size=4, max_size=40).map("7{}".format),
    st.sampled_from(WRITINGS),
    st.sampled_from(["", "alice:", "x\t"]),
)
def test_no_writing_of_any_secret_survives(secret: str, writing: Callable[[str], str], before: str) -> None:
    form = writing(secret)

    assert form not in masked(f"535 {before}{form}!".encode(), secret).decode().replace(HIDDEN, "")


@given(st.text(LETTERS, min_size=24, max_size=60), st.binary(max_size=9), st.integers(0, 8), st.integers(0, 8))
def test_no_cut_of_any_base64_form_survives(secret: str, before: bytes, head: int, tail: int) -> None:
    whole = b64encode(before + secret.encode() + b"tail")
    cut = whole[head : len(whole) - tail]
    kept = masked(b"500 what is [" + cut + b"]", secret)

    assert kept == b"500 what is [(hidden)]"


@given(st.binary(max_size=12), st.text(st.characters(codec="utf-8"), min_size=6, max_size=20), st.binary(max_size=12))
def test_no_form_of_a_secret_survives(before: bytes, secret: str, after: bytes) -> None:
    assume(secret not in HIDDEN)
    raw = secret.encode()
    core = b64encode(bytes(3) + raw)[4:].rstrip(b"=")[:-1]

    for form in (raw, b64encode(before + raw + after), quote_from_bytes(raw, safe="").encode()):
        assert form not in masked(b"550 <" + form + b"> no", secret)
        assert HIDDEN.encode() in masked(b"550 <" + form + b"> no", secret)
    assert core not in masked(b64encode(bytes(3) + raw + after), secret)
