"""What a server says in clear while it shakes hands: a HelloRetryRequest, the group of the key exchange, the length
of a Diffie-Hellman prime. TLS libraries keep these to themselves; the bytes on the wire do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HANDSHAKE_RECORD = 22
_CHANGE_CIPHER_SPEC_RECORD = 20
_SERVER_HELLO, _SERVER_KEY_EXCHANGE, _SERVER_HELLO_DONE = 2, 12, 14
_SUPPORTED_VERSIONS, _KEY_SHARE = 43, 51
_TLS_1_3 = b"\x03\x04"
_NAMED_CURVE = 3

#: The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3).
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

# IANA's TLS Supported Groups, with the bits that `openssl s_client` names for them.
_GROUPS: dict[int, tuple[str, int | None]] = {
    19: ("secp192r1", 192),
    21: ("secp224r1", 224),
    22: ("secp256k1", 256),
    23: ("secp256r1", 256),
    24: ("secp384r1", 384),
    25: ("secp521r1", 521),
    26: ("brainpoolP256r1", 256),
    27: ("brainpoolP384r1", 384),
    28: ("brainpoolP512r1", 512),
    29: ("x25519", 253),
    30: ("x448", 448),
    31: ("brainpoolP256r1tls13", 256),
    32: ("brainpoolP384r1tls13", 384),
    33: ("brainpoolP512r1tls13", 512),
    41: ("curveSM2", 256),
    256: ("ffdhe2048", 2048),
    257: ("ffdhe3072", 3072),
    258: ("ffdhe4096", 4096),
    259: ("ffdhe6144", 6144),
    260: ("ffdhe8192", 8192),
    512: ("MLKEM512", None),
    513: ("MLKEM768", None),
    514: ("MLKEM1024", None),
    4587: ("SecP256r1MLKEM768", None),
    4588: ("X25519MLKEM768", None),
    4589: ("SecP384r1MLKEM1024", None),
    4590: ("curveSM2MLKEM768", None),
    25497: ("X25519Kyber768Draft00", None),
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """The server's side of a key exchange, as far as it could be read.

    `group` is IANA's name ("x25519"), "group 4711" for a number without one, "DHE" for a prime of the server's own,
    "RSA" where the client's secret travels under the server's key, None where nobody knows. `bits` is None where the
    group has no one length. `hello_retry`: the server asked for a second ClientHello (RFC 8446 section 4.1.4).
    """

    hello_retry: bool = False
    group: str | None = None
    bits: int | None = None


def read_handshake(data: bytes) -> Handshake:
    """Return what the first bytes of a server's TLS stream tell; never raises, whatever they are.

    Reading ends where the server begins to encrypt; what follows there, and what is no TLS, says nothing.

    >>> read_handshake(b"220 no TLS at all")
    Handshake(hello_retry=False, group=None, bits=None)
    """
    retry = False
    group: tuple[str, int | None] | None = None
    for kind, body in _messages(_clear_handshake(data)):
        try:
            if kind == _SERVER_HELLO:
                number, version_1_3 = _key_share(_Reader(body))
                group = _named(number) if number is not None else group
                if body[2:34] == RETRY_RANDOM:
                    retry = True
                elif version_1_3:
                    break  # all that follows is encrypted
            elif kind == _SERVER_KEY_EXCHANGE:
                # Neither says which it is: the one that fits to its last byte.
                group = _elliptic(_Reader(body)) or _finite(_Reader(body))
                break
            elif kind == _SERVER_HELLO_DONE:
                group = ("RSA", None)  # it gives no key of its own; pre-shared keys are nothing that we offer
                break
        except _ShortError:
            break
    name, bits = group or (None, None)
    return Handshake(retry, name, bits)


def _clear_handshake(data: bytes) -> bytes:
    """Join the handshake records up to the first of another kind (RFC 8446 section 5.1).

    A change_cipher_spec may stand behind a HelloRetryRequest, for middleboxes (RFC 8446 appendix D.4).
    """
    parts: list[bytes] = []
    at = 0
    while at + 5 <= len(data) and data[at + 1] == 3:
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5])
        if data[at] == _HANDSHAKE_RECORD:
            parts.append(data[at + 5 : end])
        elif data[at] != _CHANGE_CIPHER_SPEC_RECORD:
            break
        at = end
    return b"".join(parts)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each whole handshake message."""
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4])
        if end > len(data):
            return
        yield data[at], data[at + 4 : end]
        at = end


class _ShortError(Exception):
    """A message ends before its fields do."""


class _Reader:
    """Takes fields from the front of a message; raises _ShortError where there are not so many bytes."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        if self.left < count:
            raise _ShortError
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, length_size: int) -> bytes:
        return self.take(self.number(length_size))


def _key_share(hello: _Reader) -> tuple[int | None, bool]:
    """Return the group of a ServerHello, and whether it is TLS 1.3's; TLS 1.2 names its group later."""
    hello.take(2 + 32)  # legacy_version, random
    hello.vector(1)  # the session id
    hello.take(2 + 1)  # cipher suite, compression
    group, version_1_3 = None, False
    extensions = _Reader(hello.vector(2) if hello.left else b"")
    while extensions.left:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _KEY_SHARE and len(content) >= 2:
            group = int.from_bytes(content[:2])
        version_1_3 = version_1_3 or (kind == _SUPPORTED_VERSIONS and content == _TLS_1_3)
    return group, version_1_3


def _elliptic(exchange: _Reader) -> tuple[str, int | None] | None:
    """Read a ServerKeyExchange of ECDHE (RFC 8422 section 5.4), or return None where it is another's."""
    try:
        kind, group = exchange.number(1), exchange.number(2)
        exchange.vector(1)  # the point
    except _ShortError:
        return None
    return _named(group) if kind == _NAMED_CURVE and _signature_is_all(exchange) else None


def _finite(exchange: _Reader) -> tuple[str, int | None] | None:
    """Read a ServerKeyExchange of DHE (RFC 5246 section 7.4.3), or return None where it is another's."""
    try:
        prime, _generator, _public = (exchange.vector(2) for _ in range(3))
    except _ShortError:
        return None
    return ("DHE", int.from_bytes(prime).bit_length()) if _signature_is_all(exchange) else None


def _signature_is_all(exchange: _Reader) -> bool:
    """Is the rest a signature: with its algorithm (TLS 1.2), without (1.0, 1.1), or none (anonymous)?"""
    rest = exchange.data[exchange.at :]
    return not rest or any(
        len(rest) >= head and head + int.from_bytes(rest[head - 2 : head]) == len(rest) for head in (4, 2)
    )


def _named(group: int) -> tuple[str, int | None]:
    return _GROUPS.get(group, (f"group {group}", None))
