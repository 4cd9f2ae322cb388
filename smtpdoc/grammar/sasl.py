"""SASL mechanisms as dialogues without I/O (RFC 4422, RFC 4954).

A mechanism is a generator: it yields what the client sends (None: nothing yet, wait for the server's challenge) and is
sent each challenge, decoded. It ends when it has nothing more to say, and raises SaslError when the server breaks the
mechanism; the client then cancels with "*".
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

from smtpdoc.errors import ParseError
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


class SaslError(ParseError):
    """A challenge that the mechanism does not allow."""


def plain(user: str, secret: Secret) -> Dialogue:
    """RFC 4616."""
    yield f"\0{user}\0{secret.reveal()}".encode()


def login(user: str, secret: Secret) -> Dialogue:
    """Never standardised: user name and password on a prompt each, whose wording differs from server to server."""
    yield None
    yield user.encode()
    yield secret.reveal().encode()


def cram_md5(user: str, secret: Secret) -> Dialogue:
    """RFC 2195."""
    challenge = yield None
    digest = hmac.new(secret.reveal().encode(), challenge, hashlib.md5).hexdigest()
    yield f"{user} {digest}".encode()


def external(user: str, _secret: Secret) -> Dialogue:
    """RFC 4422 appendix A: who we are was shown by the client certificate."""
    yield user.encode()


def xoauth2(user: str, secret: Secret) -> Dialogue:
    """Google's and Microsoft's mechanism. A 334 after the token carries the error as JSON and wants an empty line."""
    yield f"user={user}\1auth=Bearer {secret.reveal()}\1\1".encode()
    yield b""


def oauthbearer(user: str, secret: Secret) -> Dialogue:
    """RFC 7628. A 334 after the token carries the error as JSON and wants one %x01 (section 3.2.3)."""
    yield f"n,a={_scram_name(user)},\1auth=Bearer {secret.reveal()}\1\1".encode()
    yield b"\1"


def scram(user: str, secret: Secret, algorithm: str = "sha256", nonce: str | None = None) -> Dialogue:
    """RFC 5802 and RFC 7677, without channel binding: Python's ssl has no tls-exporter."""
    nonce = nonce or base64.b64encode(os.urandom(18)).decode()
    client_first = f"n={_scram_name(user)},r={nonce}"
    server_first = yield f"n,,{client_first}".encode()
    fields = _scram_fields(server_first)
    server_nonce, salt_text, count_text = (fields.get(key, "") for key in "rsi")
    if not server_nonce.startswith(nonce) or server_nonce == nonce:
        raise SaslError("a server nonce that begins with ours", "another nonce")
    iterations = int(count_text) if count_text.isascii() and count_text.isdigit() and len(count_text) < 10 else 0
    if not SCRAM_MIN_ITERATIONS <= iterations <= SCRAM_MAX_ITERATIONS:
        raise SaslError(
            f"an iteration count between {SCRAM_MIN_ITERATIONS} and {SCRAM_MAX_ITERATIONS}", count_text[:20]
        )
    salted = hashlib.pbkdf2_hmac(algorithm, secret.reveal().encode(), _decode(salt_text.encode()), iterations)

    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, algorithm).digest()

    client_key = mac(salted, b"Client Key")
    client_final = f"c=biws,r={server_nonce}"
    signed = f"{client_first},".encode() + server_first + f",{client_final}".encode()
    signature = mac(hashlib.new(algorithm, client_key).digest(), signed)
    proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
    server_final = yield f"{client_final},p={base64.b64encode(proof).decode()}".encode()
    expected = b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), signed))
    if not hmac.compare_digest(server_final, expected):
        raise SaslError("a server signature that shows knowledge of the password", "another one")
    yield b""


def _scram_name(user: str) -> str:
    return user.replace("=", "=3D").replace(",", "=2C")


def _scram_fields(message: bytes) -> dict[str, str]:
    try:
        parts = message.decode().split(",")
    except UnicodeDecodeError:
        raise SaslError("a SCRAM message", "bytes that are no UTF-8") from None
    if parts[0].startswith("m="):  # RFC 5802 section 5.1: an extension we do not know must end the exchange
        raise SaslError("a SCRAM message without mandatory extensions", parts[0][:40])
    fields = {key: value for key, equals, value in (part.partition("=") for part in parts) if equals}
    if "e" in fields:
        raise SaslError("a SCRAM challenge", f"the error {fields['e'][:40]}")
    return fields


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
    """Return the client's side of a mechanism; raise SaslError for one that we do not speak."""
    try:
        return _MECHANISMS[mechanism](user, secret)
    except KeyError:
        raise SaslError(f"one of {', '.join(MECHANISMS)}", mechanism) from None


def choose(offered: tuple[str, ...], *, token: bool, encrypted: bool) -> str | None:
    """Return the mechanism to try with a password (or token), or None when nothing offered will do."""
    preference = TOKEN_PREFERENCE if token else PASSWORD_PREFERENCE if encrypted else CLEAR_TEXT_PREFERENCE
    return next((mechanism for mechanism in preference if mechanism in offered), None)


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SaslError("base64", text[:40].decode("ascii", "backslashreplace")) from None


def parse_challenge(text: str) -> bytes:
    """Return the challenge in a 334 reply's text; raise SaslError when it is no base64.

    A lone "=" and an empty text are the empty challenge.
    """
    stripped = text.strip()
    if stripped in ("", "="):
        return b""
    if len(stripped) > _CHALLENGE_LIMIT_BYTES:
        raise SaslError(f"a challenge of at most {_CHALLENGE_LIMIT_BYTES} bytes", stripped[:40])
    return _decode(stripped.encode("utf-8", "surrogateescape"))


def encode_response(response: bytes) -> str:
    """Return a response as it goes over the wire."""
    return base64.b64encode(response).decode("ascii")


def bearer_error(challenge: bytes) -> str | None:
    """Return the reason in the JSON that answers a bad bearer token (RFC 7628 section 3.2.2), or None.

    >>> bearer_error(b'{"status":"invalid_token","scope":"mail"}')
    'status invalid_token, scope mail'
    """
    try:
        error = json.loads(challenge)
    except ValueError:
        return None
    if not isinstance(error, dict):
        return None
    told = [f"{key} {error[key]}" for key in ("status", "schemes", "scope") if isinstance(error.get(key), str | int)]
    return ", ".join(told) or None
