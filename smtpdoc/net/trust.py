"""Would a strict client trust this chain? Told by OpenSSL itself, after the fact and without a connection.

The session shakes hands without verification, so that it can go on whatever the certificate is. Python then hides
OpenSSL's verdict. To get it, the served chain is shown once more to a client that does verify: in a TLS 1.2
ServerHello and Certificate that we write ourselves. OpenSSL verifies when it reads Certificate, before any proof
of the private key is due, so the missing rest of the handshake does not matter.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# X509_V_ERR numbers (openssl/x509_vfy.h).
NOT_YET_VALID, EXPIRED, SELF_SIGNED = 9, 10, 18
HOSTNAME_MISMATCH, ADDRESS_MISMATCH = 62, 64

WEAK_KEY, WEAK_AUTHORITY, WEAK_HASH = 66, 67, 68

# A certificate decides which suites may be offered for it: ECDHE-RSA or ECDHE-ECDSA (also Ed25519), AES128-GCM.
_ECDSA = b"\xc0\x2b"
_SUITES = (b"\xc0\x2f", _ECDSA)
# id-ecPublicKey (RFC 5480 section 2.1.1), DER: where it stands, its suite is tried first.
_EC_KEY = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
# renegotiation_info (RFC 5746) and ec_point_formats, the two that an ECDHE client asks for.
_EXTENSIONS = bytes.fromhex("ff01000100000b00020100")
_RECORD_BYTES = 16000
# What clients ask of keys and hashes (112 bits), and nothing.
_SOUND, _ANYTHING = "ECDHE+AESGCM:@SECLEVEL=2", "ECDHE+AESGCM:@SECLEVEL=0"


#: Dates decide in a verdict, too.
VERDICT_KEEPS_S = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is OpenSSL's X509_V_ERR number, 0 when all is well, None when OpenSSL did not come to a verdict."""

    code: int | None
    error: str | None = None


def trust_store(ca_file: str | None = None) -> ssl.SSLContext:
    """Return a verifying context with the system's roots, or only those of `ca_file`. Slow: some 20 ms.

    Raises OSError or ssl.SSLError when the file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SOUND)
    # Python 3.13 is stricter by default than 3.11, and than any mail server: one verdict everywhere.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def verify(store: ssl.SSLContext, chain: Sequence[bytes], name: str) -> tuple[Verdict, Verdict]:
    """Return the verdicts on a chain and on its leaf's names, by one look where all is well.

    The addresses of a host, and the sessions of a repeated probe, show the same chain: it is judged once in a while.
    """
    return _judged(store, tuple(chain), name, int(time.time() // VERDICT_KEEPS_S))


# Its settings change from question to question, and threads may share it.
_store_in_use = threading.Lock()


@lru_cache(maxsize=256)
def _judged(store: ssl.SSLContext, chain: tuple[bytes, ...], name: str, period: int) -> tuple[Verdict, Verdict]:  # noqa: ARG001 - a chain may expire: the period is part of the question
    with _store_in_use:
        store.check_hostname = True
        try:
            if _verify(store, chain, name).code == 0:
                return Verdict(0), Verdict(0)
        except ValueError:  # a name that cannot be a host name
            pass
        return verify_chain(store, chain), verify_name(chain[0], name)


def verify_chain(store: ssl.SSLContext, chain: Sequence[bytes]) -> Verdict:
    """Return the verdict on a chain of DER certificates, leaf first, whatever its names."""
    store.check_hostname = False
    verdict = _verify(store, chain, None)
    if verdict.code not in (WEAK_KEY, WEAK_AUTHORITY, WEAK_HASH):
        return verdict
    # OpenSSL says this first. What a certificate says of its key and its hash shows without it; who issued it does not.
    store.set_ciphers(_ANYTHING)
    otherwise = _verify(store, chain, None)
    store.set_ciphers(_SOUND)
    return otherwise if otherwise.code else verdict


def leads_to(chain: Sequence[bytes], anchor: bytes) -> str:
    """Return "" when a chain (DER, leaf first) leads to this certificate, whoever issued that; else why it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(cadata=anchor)
    except (ssl.SSLError, ValueError) as error:
        return f"the authority's certificate cannot be read: {error}"
    verdict = _verify(context, chain, None)
    return "" if verdict.code == 0 else verdict.error or "the chain could not be verified"


def verify_name(leaf: bytes, name: str) -> Verdict:
    """Return whether a certificate is for this host name or address; its issuer, dates and key do not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=leaf)
        verdict = _verify(context, (leaf,), name)
    except (ssl.SSLError, ValueError) as error:  # ValueError: a name that cannot be a host name
        return Verdict(None, str(error))
    # The leaf is its own anchor here, and the name is looked at before the dates.
    return verdict if verdict.code in (None, HOSTNAME_MISMATCH, ADDRESS_MISMATCH) else Verdict(0)


def _verify(context: ssl.SSLContext, chain: Sequence[bytes], name: str | None) -> Verdict:
    undecided = Verdict(None, "the chain could not be verified")
    for suite in sorted(_SUITES, key=lambda suite: suite is not _ECDSA) if _EC_KEY in chain[0] else _SUITES:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname=None if name is None else name.encode())
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(_flight(chain, suite))
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            return Verdict(0)
        except ssl.SSLCertVerificationError as error:
            return Verdict(error.verify_code, error.verify_message)
        except ssl.SSLError as error:
            undecided = Verdict(None, error.reason or str(error))
    return undecided


def _flight(chain: Sequence[bytes], suite: bytes) -> bytes:
    """ServerHello and Certificate as a TLS 1.2 server sends them (RFC 5246 sections 7.4.1.3 and 7.4.2)."""
    hello = b"\x03\x03" + bytes(32) + b"\0" + suite + b"\0" + len(_EXTENSIONS).to_bytes(2) + _EXTENSIONS
    certificates = b"".join(len(one).to_bytes(3) + one for one in chain)
    body = _handshake(2, hello) + _handshake(11, len(certificates).to_bytes(3) + certificates)
    pieces = (body[start : start + _RECORD_BYTES] for start in range(0, len(body), _RECORD_BYTES))
    return b"".join(b"\x16\x03\x03" + len(piece).to_bytes(2) + piece for piece in pieces)


def _handshake(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body
