"""Secrets: a wrapper that cannot be printed by accident, and a mask for text that gives one back."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from smtpdoc.grammar.escapes import unescaped

#: What stands in place of a secret.
HIDDEN = "(hidden)"
# Up to this length a secret is masked as a whole word only: with a password of "a" no server text would survive,
# and the holes would spell the password.
_SHORT = 3
# A base64 core shorter than this says nothing about the secret and would be found in any token.
_CORE = 4
# Servers cut and wrap what they echo: so many letters from either end of a secret's base64 form, or so many in a row of
# it or of a long secret itself, give a token away. Fewer could be a word that the secret shares with the server.
_END = 10
_GRAM = 12
_LONG = 24
# A secret may stand in what a token says, in base64 again or as JSON writes it.
_DEPTH = 2
_SHORTEST_TOKEN = 8
# Words that servers use by themselves when they answer a login.
_SERVERS_WORDS = frozenset(
    b"account auth authenticate authenticated authentication bad bye closing connection credentials denied disabled "
    b"error esmtp expired fail failed failure hello incorrect invalid locked login mail mechanism name need not ok "
    b"okay password permission plain please proceed queued ready recipient reject rejected required secret sender "
    b"server service session smtp success successful sure temporary test user username welcome wrong".split()
)
#: "Username:" and "Password:", as servers ask with AUTH LOGIN.
_PROMPTS = (b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6")
_CODE = re.compile(rb"[2-5][0-9]{2}(?:[ -]|$)")
_WORD = re.compile(rb"[a-z0-9._-]+")
_TOKEN = re.compile(rb"[A-Za-z0-9+/_-]+=*")
#: base64url (RFC 4648 section 5) differs from base64 in two letters.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


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


@dataclass(frozen=True, slots=True)
class _Forms:
    """What to look for: `pattern` and `wholes` in the text; `cores` in its base64 tokens; `ends` of _END letters and
    `grams` of _GRAM in tokens that are written small.
    """

    pattern: re.Pattern[bytes]
    wholes: tuple[bytes, ...]
    cores: tuple[bytes, ...]
    ends: frozenset[bytes]
    grams: frozenset[bytes]

    def spans(self, data: bytes, start: int = 0, depth: int = _DEPTH) -> list[tuple[int, int]]:
        """Return where something from `start` on is to be hidden, in order; base64 is decoded `depth` times."""
        found = list(self._literal(data, start))
        for text, places in unescaped(data):
            found += [(places[begin], places[end]) for begin, end in self._literal(text) if places[begin] >= start]
        found += [match.span() for match in _TOKEN.finditer(data, start) if self._in_token(match[0], depth)]
        return sorted(found)

    def _literal(self, data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
        yield from (match.span() for match in self.pattern.finditer(data, start))
        for whole in self.wholes:
            at = data.find(whole, start)
            while at >= 0:
                end = at + len(whole)
                yield at, end
                at = data.find(whole, end)

    def _in_token(self, token: bytes, depth: int) -> bool:
        if token in _PROMPTS:
            return False
        token = token.translate(_URL_SAFE)
        small = token.lower()
        return (
            any(core in token for core in self.cores)
            or not self.ends.isdisjoint(_grams(small, _END))
            or not self.grams.isdisjoint(_grams(small, _GRAM))
            or (depth > 0 and len(token) >= _SHORTEST_TOKEN and bool(self.spans(_decoded(token), 0, depth - 1)))
        )


class Mask:
    """Takes known secrets out of bytes: as they are, with letters escaped in any usual way, in hex, and in base64 at
    any alignment, also where that is cut off, wrapped or in capitals.

    Around a base64 form the whole token goes, since its neighbours hold the rest of the secret. A reply code stays. So
    does a word that all servers use, or that this one said before it could know the secret: a hole in its place would
    tell more than the word.
    """

    __slots__ = ("_forms", "_said", "_secrets")

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._said: set[bytes] = set()
        self._forms: _Forms | None = None

    def __repr__(self) -> str:
        return f"Mask({len(self._secrets)} secrets)"

    def add(self, *secrets: str) -> None:
        """Hide these from now on; empty ones are ignored."""
        self._secrets += [secret for secret in dict.fromkeys(secrets) if secret and secret not in self._secrets]
        self._forms = None

    def __call__(self, data: bytes) -> bytes:
        code = _CODE.match(data)
        start = code.end() if code else 0
        if not self._secrets:
            self._said.update(_WORD.findall(data.lower(), start))
            return data
        if self._forms is None:
            self._forms = _forms(self._secrets, self._said)
        kept = [data[:start]]
        done = start
        for begin, end in self._forms.spans(data, start):
            if end > done:
                kept += [data[done:begin], HIDDEN.encode()] if begin >= done else []
                done = end
        return b"".join(kept) + data[done:]


def _forms(secrets: list[str], said: set[bytes]) -> _Forms:
    literals: list[bytes] = []
    cores: set[bytes] = set()
    ends: set[bytes] = set()
    grams: set[bytes] = set()
    for secret in sorted(secrets, key=len, reverse=True):
        literals += _literals(secret, said)
        for core in (found.translate(_URL_SAFE) for form in _encodings(secret) for found in base64_cores(form)):
            if len(core) < _END:
                cores.add(core)
            else:
                small = core.lower()
                ends |= {small[:_END], small[-_END:]}
                grams.update(_grams(small, _GRAM))
        for form in _encodings(secret):
            for token in _TOKEN.findall(form + b" " + form.hex().encode()) if len(form) >= _LONG else ():
                grams.update(_grams(token.translate(_URL_SAFE).lower(), _GRAM))
    pattern = re.compile(b"|".join(literals) or rb"(?!)")
    wholes = tuple(form for secret in secrets for form in _wholes(secret))
    return _Forms(pattern, wholes, tuple(cores), frozenset(ends), frozenset(grams))


def _literals(secret: str, said: set[bytes]) -> Iterator[bytes]:
    """Yield patterns for a secret outside base64, none for a long one: see _wholes, and the grams of its hex form."""
    for raw in _encodings(secret):
        if len(raw) >= _LONG:
            continue
        if len(raw) >= _CORE:
            yield b"(?i:" + raw.hex().encode() + b")"
        word = raw.lower()
        if word in _SERVERS_WORDS or word in said or (len(raw) <= _SHORT and raw.isdigit()):
            continue
        if len(raw) > _SHORT:
            yield re.escape(raw)
        elif raw:
            yield rb"(?<![A-Za-z0-9])" + re.escape(raw) + rb"(?![A-Za-z0-9])"
    if _SHORT < len(secret) < _LONG:
        yield re.escape(_raw(secret[::-1]))


def _wholes(secret: str) -> Iterator[bytes]:
    """Yield the forms of a long secret outside base64. They are not part of a pattern: where a secret repeats itself,
    that would take a time that grows with its square."""
    yield from (raw for raw in _encodings(secret) if len(raw) >= _LONG)
    if len(secret) >= _LONG:
        yield _raw(secret[::-1])


def _decoded(token: bytes) -> bytes:
    """Return what a token of base64url says, as far as it goes."""
    letters = token.rstrip(b"=")
    return urlsafe_b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")


def _encodings(secret: str) -> set[bytes]:
    return {_raw(secret), *([secret.encode("latin-1")] if max(secret) <= "\xff" else [])}


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _grams(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(len(text) - size + 1))
