"""TLS over bytes instead of over a socket: the contexts, the handshake, and the facts about it afterwards."""

from __future__ import annotations

import os
import ssl
import threading
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

from smtpdoc.errors import TargetError
from smtpdoc.evidence.smtp import Certificate, TlsFacts, version_name
from smtpdoc.grammar.der import DerParseError
from smtpdoc.grammar.handshake import read_handshake
from smtpdoc.net import trust
from smtpdoc.net.certificates import read_certificate
from smtpdoc.seams import TlsPolicy

_READ_BYTES = 65536
# Of a handshake, as much as is kept to read from: TLS 1.2 names its group behind all certificates.
_HEARD_BYTES = 1 << 17
_ANY_CIPHER = "ALL:@SECLEVEL=0"
# What mail servers take from each other. Python's own choice leaves out what it finds weak (no forward secrecy), and
# would call a server broken that everybody else delivers to; here that is a finding.
_USUAL_CIPHERS = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=1"
_BY_NAME = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def session_context(policy: TlsPolicy) -> ssl.SSLContext:
    """Return a context that shakes hands with anybody; the certificate is judged afterwards (net/trust.py).

    Sessions without anything special share one. Raises TargetError when the client certificate or key cannot be used.
    """
    if not (policy.legacy or policy.version or policy.client_cert):
        return _usual_context()
    context = _unverifying_context()
    if policy.legacy:
        with warnings.catch_warnings():  # Python deprecates the old versions; naming them is the point here
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.2 too: a server may have old ciphers or keys only
        context.set_ciphers(_ANY_CIPHER)
    elif policy.version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = _BY_NAME[policy.version]
        # The oldest sign with SHA-1, which is below the usual level.
        context.set_ciphers(_ANY_CIPHER if policy.version in ("TLSv1", "TLSv1.1") else _USUAL_CIPHERS)
    else:
        context.set_ciphers(_USUAL_CIPHERS)
    if policy.client_cert:
        try:
            # An empty password: without one OpenSSL would ask for it on the terminal.
            context.load_cert_chain(policy.client_cert, policy.client_key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise TargetError(f"cannot use the client certificate {policy.client_cert}: {_reason(error)}") from None
    return context


@cache
def _usual_context() -> ssl.SSLContext:
    context = _unverifying_context()
    context.set_ciphers(_USUAL_CIPHERS)
    return context


def _unverifying_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_stores: dict[tuple[str | None, int], ssl.SSLContext] = {}
_stores_lock = threading.Lock()


def known_trust(policy: TlsPolicy) -> ssl.SSLContext | None:
    """Return the roots to verify with if they have been read; sessions to many servers share them."""
    try:
        return _stores.get(_store_key(policy))
    except OSError:
        return None


def load_trust(policy: TlsPolicy) -> ssl.SSLContext:
    """Return the roots to verify with; raise TargetError when the file that the user gave cannot be used.

    Slow the first time, so it is called in a thread.
    """
    try:
        key = _store_key(policy)
        with _stores_lock:
            store = _stores.get(key)
            if store is None:
                store = _stores[key] = trust.trust_store(policy.ca_file)
            return store
    except (OSError, ssl.SSLError) as error:
        raise TargetError(f"cannot read certificates from {policy.ca_file}: {_reason(error)}") from None


def _store_key(policy: TlsPolicy) -> tuple[str | None, int]:
    return policy.ca_file, os.stat(policy.ca_file).st_mtime_ns if policy.ca_file else 0


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it holds no usable certificate or key").replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)


class Channel:
    """One TLS session: what the peer sent goes in, what to send comes out. Raises ssl.SSLError where it breaks."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Bytes: text would go through the idna codec, which takes longer to load than the handshake.
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name.encode())
        self.established = False
        self._heard = bytearray()

    def handshake(self, data: bytes = b"") -> bool:
        """Go on with the handshake; True when it is done."""
        if data:
            self._heard += data[: _HEARD_BYTES - len(self._heard)]
            self._incoming.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def decrypt(self, data: bytes = b"") -> tuple[bytes, bool]:
        """Return what these bytes decrypt to, and whether the peer has said that no more will come."""
        if data:
            self._incoming.write(data)
        clear = bytearray()
        with suppress(ssl.SSLWantReadError):
            try:
                while chunk := self._object.read(_READ_BYTES):
                    clear += chunk
            except ssl.SSLZeroReturnError:
                pass
            return bytes(clear), True
        return bytes(clear), False

    def encrypt(self, data: bytes) -> None:
        self._object.write(data)

    def outgoing(self) -> bytes:
        """Return and forget what must be sent now."""
        return self._outgoing.read()

    def facts(self, store: ssl.SSLContext, policy: TlsPolicy) -> TlsFacts:
        """Return what was negotiated, and whether a strict client would have gone on."""
        chain = self._chain()
        certificates = _readable(chain)
        clear = read_handshake(bytes(self._heard))
        self._heard.clear()
        name, version, bits = self._object.cipher() or ("", "", 0)
        chain_verdict, name_verdict = trust.Verdict(None, "no certificate was sent"), trust.Verdict(None)
        if chain:
            chain_verdict, name_verdict = trust.verify(store, chain, policy.server_name)
        worse = name_verdict if chain_verdict.code == 0 else chain_verdict
        leaf = certificates[0] if certificates else None
        now = datetime.now(UTC)
        return TlsFacts(
            version=self._object.version() or version,
            cipher=name,
            bits=bits,
            chain=certificates,
            trusted=chain_verdict.code == 0,
            name_matches=name_verdict.code == 0,
            expired=leaf is not None and leaf.not_after < now,
            self_signed=chain_verdict.code == trust.SELF_SIGNED,
            days_left=None if leaf is None else (leaf.not_after - now).days,
            server_name=policy.server_name,
            verify_code=worse.code,
            verify_error=worse.error,
            group=clear.group,
            group_bits=clear.bits,
            hello_retry=clear.hello_retry,
            implicit=policy.implicit,
        )

    def _chain(self) -> tuple[bytes, ...]:
        """The certificates as the server sent them, DER, leaf first."""
        if hasattr(self._object, "get_unverified_chain"):  # public since Python 3.13
            return tuple(bytes(one) for one in self._object.get_unverified_chain())
        # Before that only the object below has it; without it the leaf is what we know.
        below = getattr(self._object, "_sslobj", None)
        if below is not None and hasattr(below, "get_unverified_chain"):
            return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in below.get_unverified_chain() or ())
        leaf = self._object.getpeercert(binary_form=True)
        return (leaf,) if leaf else ()


def _readable(chain: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    """As many as we can read up to the first that we cannot: the first is the leaf, each has the place it was sent at.
    OpenSSL reads more than we do; its verdict covers the whole chain."""
    certificates: list[Certificate] = []
    with suppress(DerParseError):
        for data in chain:
            certificates.append(read_certificate(data))  # noqa: PERF401 - those before the error count
    return tuple(certificates)


def summary(facts: TlsFacts) -> str:
    """Return the transcript's line about a handshake."""
    name = facts.chain[0].common_name or (facts.chain[0].names or ("nobody",))[0] if facts.chain else "nobody"
    if facts.trusted and facts.name_matches:
        few = {None: "", 0: ", less than a day left", 1: ", 1 day left"}
        verdict = "trusted" + few.get(facts.days_left, f", {facts.days_left} days left")
    elif facts.trusted:
        verdict = f"trusted, but not for {facts.server_name}"
    else:
        verdict = f"not trusted: {facts.verify_error}"
    return f"{version_name(facts.version)}, {facts.cipher}; certificate for {name}, {verdict}"
