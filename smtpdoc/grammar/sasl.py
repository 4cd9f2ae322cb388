"""SASL mechanisms as dialogues without I/O (RFC 4422, RFC 4954).

A mechanism is a generator: it yields what the client sends (None: nothing yet, wait for the server's challenge) and is
sent each challenge, decoded. It ends when it has nothing more to say, and raises SaslError when the server breaks the
mechanism; the client then cancels with "*". After a 235 it is sent what came with that, mostly nothing: a mechanism
that still waits for the server's proof says then that there was none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Generator
from typing import TypeAlias

from smtpdoc.errors import SmtpdocError
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.secret import Secret

Dialogue: TypeAlias = Generator[bytes | None, bytes, None]

#: RFC 7677 section 4 wants at least 4096; the upper bound keeps a hostile server from burning our time.
SCRAM_MIN_ITERATIONS = 4096
SCRAM_MAX_ITERATIONS = 600_000
_CHALLENGE_LIMIT_BYTES = 16384

#: What we would choose, best first. Under TLS PLAIN is the one that every server has right; in clear a mechanism
#: that does not show the password comes first.
PASSWORD_PREFERENCE = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5")
CLEAR_TEXT_PREFERENCE = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
TOKEN_PREFERENCE = ("OAUTHBEARER", "XOAUTH2")
TOKEN_MECHANISMS = frozenset(TOKEN_PREFERENCE)


#: RFC 7628 section 3.2.2 and RFC 6750 section 3.1; Gmail and Microsoft answer with the numbers of HTTP.
_BEARER_STATUS = {
    "400": "the token is malformed, or not one for this user",
    "401": "the token is wrong, expired or revoked",
    "403": "the token does not allow this",
    "invalid_request": "the token is malformed, or not one for this user",
    "invalid_token": "the token is wrong, expired or revoked",
    "insufficient_scope": "the token does not allow sending mail",
}
#: RFC 5802 section 7, of its words those that are about the user.
_SCRAM_ERRORS = {
    "invalid-proof": "the password is wrong",
    "unknown-user": "there is no such user",
    "invalid-username-encoding": "the user name is written in a way that it does not take",
    "channel-binding-not-supported": "it wants nothing bound to the TLS session",
    "server-does-support-channel-binding": "it wants the login bound to the TLS session",
    "no-resources": "it lacks resources now",
}


class SaslError(SmtpdocError, ValueError):
    """A challenge that the mechanism does not allow; the message goes on from "the server breaks PLAIN: "."""


class ProofError(SaslError):
    """The server did not show that it knows the password itself."""

    def __init__(self) -> None:
        super().__init__("it did not prove that it knows the password itself, so it may be an impostor")


def _bytes(text: str) -> bytes:
    """Return a name or secret as it was read: bytes that are no UTF-8 came as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def plain(user: str, secret: Secret) -> Dialogue:
    """RFC 4616."""
    yield _bytes(f"\0{user}\0{secret.reveal()}")


def login(user: str, secret: Secret) -> Dialogue:
    """Never standardised: user name and password on a prompt each, whose wording differs from server to server."""
    yield None
    yield _bytes(user)
    yield _bytes(secret.reveal())


def cram_md5(user: str, secret: Secret) -> Dialogue:
    """RFC 2195."""
    challenge = yield None
    digest = hmac.new(_bytes(secret.reveal()), challenge, hashlib.md5).hexdigest()
    yield _bytes(f"{user} {digest}")


def external(user: str, _secret: Secret) -> Dialogue:
    """RFC 4422 appendix A: who we are was shown by the client certificate."""
    yield _bytes(user)


def xoauth2(user: str, secret: Secret) -> Dialogue:
    """Google's and Microsoft's mechanism. A 334 after the token carries the error as JSON and wants an empty line."""
    yield _bytes(f"user={user}\1auth=Bearer {secret.reveal()}\1\1")
    yield b""


def oauthbearer(user: str, secret: Secret) -> Dialogue:
    """RFC 7628. A 334 after the token carries the error as JSON and wants one %x01 (section 3.2.3)."""
    yield _bytes(f"n,a={_scram_name(user)},\1auth=Bearer {secret.reveal()}\1\1")
    yield b"\1"


def scram(user: str, secret: Secret, algorithm: str = "sha256", nonce: str | None = None) -> Dialogue:
    """RFC 5802 and RFC 7677, without channel binding: Python's ssl has no tls-exporter."""
    nonce = nonce or base64.b64encode(os.urandom(18)).decode()
    client_first = _bytes(f"n={_scram_name(_prepared(user))},r={nonce}")
    server_first = yield b"n,," + client_first
    if scram_error(server_first) is not None:
        yield b""
        raise ProofError
    server_nonce, salt, iterations = _scram_first(server_first, nonce)
    salted = hashlib.pbkdf2_hmac(algorithm, _bytes(_prepared(secret.reveal())), salt, iterations)

    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, algorithm).digest()

    client_key = mac(salted, b"Client Key")
    client_final = f"c=biws,r={server_nonce}".encode()
    signed = client_first + b"," + server_first + b"," + client_final
    signature = mac(hashlib.new(algorithm, client_key).digest(), signed)
    proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
    server_final = yield client_final + b",p=" + base64.b64encode(proof)
    expected = b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), signed))
    if not hmac.compare_digest(server_final.partition(b",")[0], expected):
        if scram_error(server_final) is not None:
            yield b""
        raise ProofError
    yield b""


def _scram_first(message: bytes, nonce: str) -> tuple[str, bytes, int]:
    """Return the nonce, salt and iteration count of a server's first message; raise SaslError unless it has them."""
    fields = _scram_fields(message)
    server_nonce, salt, count = (fields.get(key, "") for key in "rsi")
    if not server_nonce.startswith(nonce) or server_nonce == nonce:
        raise SaslError("its nonce does not go on from ours, so this is the answer to another login")
    if not salt:
        raise SaslError("its challenge has no salt")
    if not (count.isascii() and count.isdigit()):
        raise SaslError("its challenge has no iteration count")
    shown = count if len(count) <= 12 else f"{count[:12]}..."
    iterations = int(count) if len(count) <= 12 else SCRAM_MAX_ITERATIONS + 1
    if iterations < SCRAM_MIN_ITERATIONS:
        raise SaslError(
            f"its iteration count is {shown}, and below {SCRAM_MIN_ITERATIONS} our answer lets the password be guessed"
        )
    if iterations > SCRAM_MAX_ITERATIONS:
        raise SaslError(f"its iteration count is {shown}; above {SCRAM_MAX_ITERATIONS} it only burns our time")
    return server_nonce, _decode(salt.encode()), iterations


def _prepared(text: str) -> str:
    """Return a name or password as SCRAM hashes it (RFC 5802 section 2.2)."""
    if text.isascii():
        return text
    from smtpdoc.grammar.saslprep import saslprep  # brings tables along

    return saslprep(text)


def _scram_name(user: str) -> str:
    return user.replace("=", "=3D").replace(",", "=2C")


def _scram_fields(message: bytes) -> dict[str, str]:
    try:
        parts = message.decode().split(",")
    except UnicodeDecodeError:
        raise SaslError("its challenge is not UTF-8") from None
    if parts[0].startswith("m="):  # RFC 5802 section 5.1: an extension we do not know must end the exchange
        raise SaslError(f"it demands an extension that nobody knows, {_shown(parts[0])}")
    return {key: value for key, equals, value in (part.partition("=") for part in parts) if equals}


def scram_error(challenge: bytes) -> str | None:
    """Return the error that a SCRAM server tells in its message (RFC 5802 section 7), explained, or None.

    >>> scram_error(b"e=invalid-proof")
    'invalid-proof (the password is wrong)'
    """
    if not challenge.startswith(b"e="):
        return None
    word = challenge[2:].partition(b",")[0].decode("utf-8", "replace")[:60]
    return f"{word} ({meaning})" if (meaning := _SCRAM_ERRORS.get(word)) else word


def _scram_sha1(user: str, secret: Secret) -> Dialogue:
    return scram(user, secret, "sha1")


_MECHANISMS: dict[str, Callable[[str, Secret], Dialogue]] = {
    "PLAIN": plain,
    "LOGIN": login,
    "CRAM-MD5": cram_md5,
    "SCRAM-SHA-256": scram,
    "SCRAM-SHA-1": _scram_sha1,
    "XOAUTH2": xoauth2,
    "OAUTHBEARER": oauthbearer,
    "EXTERNAL": external,
}
MECHANISMS = tuple(_MECHANISMS)


def dialogue(mechanism: str, user: str, secret: Secret) -> Dialogue:
    """Return the client's side of one of MECHANISMS."""
    return _MECHANISMS[mechanism](user, secret)


def choose(offered: tuple[str, ...], *, token: bool, encrypted: bool) -> str | None:
    """Return the mechanism to try with a password (or token), or None when nothing offered will do."""
    preference = TOKEN_PREFERENCE if token else PASSWORD_PREFERENCE if encrypted else CLEAR_TEXT_PREFERENCE
    return next((mechanism for mechanism in preference if mechanism in offered), None)


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SaslError(f"{_shown(text.decode('utf-8', 'replace'))} is not base64") from None


def _shown(text: str) -> str:
    return f'"{printable(text[:40])}{"..." if len(text) > 40 else ""}"'


def parse_challenge(text: str) -> bytes:
    """Return the challenge in a 334 reply's text; raise SaslError when it is no base64.

    A lone "=" and an empty text are the empty challenge.
    """
    stripped = text.strip()
    if stripped in ("", "="):
        return b""
    if len(stripped) > _CHALLENGE_LIMIT_BYTES:
        raise SaslError(f"its challenge is longer than {_CHALLENGE_LIMIT_BYTES} bytes")
    return _decode(stripped.encode("utf-8", "surrogateescape"))


def encode_response(response: bytes) -> str:
    """Return a response as it goes over the wire."""
    return base64.b64encode(response).decode("ascii")


def bearer_error(challenge: bytes) -> str | None:
    """Return the reason in the JSON that answers a bad bearer token (RFC 7628 section 3.2.2), explained, or None.

    >>> bearer_error(b'{"status":"invalid_token","scope":"mail"}')
    'status invalid_token (the token is wrong, expired or revoked), scope mail'
    """
    try:
        error = json.loads(challenge)
    except (ValueError, RecursionError):
        return None
    if not isinstance(error, dict):
        return None
    told = [f"{key} {error[key]}" for key in ("status", "schemes", "scope") if isinstance(error.get(key), str | int)]
    if told and (meaning := _BEARER_STATUS.get(str(error.get("status")).lower())):
        told[0] += f" ({meaning})"
    return ", ".join(told) or None
