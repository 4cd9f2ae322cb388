"""Secrets: a wrapper that cannot be printed by accident, and a mask for text that gives one back."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import quote_from_bytes, quote_plus

#: What stands in place of a secret.
HIDDEN = "(hidden)"
# Up to this length a secret is masked as a whole word only: with a password of "a" no server text would survive,
# and the holes would spell the password.
_SHORT = 3
# A base64 core shorter than this says nothing about the secret and would be found in any token.
_CORE = 4
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Secret:
    """A password or token. `reveal()` is the only way to the value; `repr`, `str` and pickles never have it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret{HIDDEN}"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def base64_cores(secret: bytes) -> Iterator[bytes]:
    """Yield the part of a secret's base64 form that stays the same whatever stands around it, per alignment.

    Six bits a character: `skip` bytes before the secret spoil its first characters, the bytes after it the last.
    """
    for skip, spoilt in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(bytes(skip) + secret)
        whole = (skip + len(secret)) * 8 // 6
        core = encoded[spoilt:whole]
        if len(core) >= _CORE:
            yield core


class Mask:
    """Takes known secrets out of bytes: as they are, in base64 at any alignment, percent-encoded.

    Around a base64 form the whole token goes, since its neighbours hold the rest of the secret.
    """

    __slots__ = ("_pattern", "_secrets")

    def __init__(self) -> None:
        self._secrets: list[bytes] = []
        self._pattern: re.Pattern[bytes] | None = None

    def __repr__(self) -> str:
        return f"Mask({len(self._secrets)} secrets)"

    def add(self, *secrets: str | bytes) -> None:
        """Hide these from now on; empty ones are ignored."""
        for secret in secrets:
            if isinstance(secret, bytes):
                forms = [secret]
            else:
                forms = [secret.encode("utf-8", "surrogateescape")]
                if not secret.isascii():
                    forms.append(secret.encode("latin-1", "ignore"))
            self._secrets += [form for form in forms if form and form not in self._secrets]
        self._pattern = _pattern(self._secrets)

    def __call__(self, data: bytes) -> bytes:
        if self._pattern is None:
            return data
        kept: list[bytes] = []
        done = 0
        for match in self._pattern.finditer(data):
            start, end = match.span()
            if end <= done:
                continue
            if match["core"] is not None:
                start, end = _token(data, start, end)
            kept += [data[done : max(start, done)], HIDDEN.encode()]
            done = end
        return b"".join(kept) + data[done:]


def _token(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the whole base64 token around a part of it."""
    while start > 0 and data[start - 1] in _BASE64:
        start -= 1
    while end < len(data) and data[end] in _BASE64:
        end += 1
    while end < len(data) and data[end] == ord("="):
        end += 1
    return start, end


def _pattern(secrets: list[bytes]) -> re.Pattern[bytes] | None:
    cores: list[bytes] = []
    others: list[bytes] = []
    for secret in sorted(secrets, key=len, reverse=True):
        # base64 and base64url (RFC 4648 section 5) differ in two letters.
        cores += [re.escape(core).replace(rb"\+", b"[+-]").replace(b"/", b"[/_]") for core in base64_cores(secret)]
        escaped = {
            quote_from_bytes(secret, safe="").encode(),
            quote_from_bytes(secret).encode(),
            quote_plus(secret).encode(),
            b"".join(b"%%%02X" % byte for byte in secret),
        }
        others += [b"(?i:" + re.escape(form) + b")" for form in sorted(escaped - {secret})]
        if len(secret) <= _SHORT:
            others.append(rb"(?<![A-Za-z0-9])" + re.escape(secret) + rb"(?![A-Za-z0-9])")
        else:
            others.append(re.escape(secret))
    if not others:
        return None
    return re.compile(b"(?P<core>" + (b"|".join(cores) or rb"(?!)") + b")|" + b"|".join(others))
