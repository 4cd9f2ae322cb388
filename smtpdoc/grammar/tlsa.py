"""TLSA records as SMTP uses them (RFC 6698 section 2.1, RFC 7671, RFC 7672 section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

PKIX_TA, PKIX_EE, DANE_TA, DANE_EE = range(4)
FULL_CERTIFICATE, PUBLIC_KEY = range(2)
FULL_DATA, SHA256, SHA512 = range(3)

_DIGEST_OCTETS = {SHA256: 32, SHA512: 64}


@dataclass(frozen=True, slots=True)
class TlsaVerdict:
    """Whether an SMTP client can use a record, and what is to say about it; `flags` are sorted."""

    usable: bool
    flags: tuple[str, ...]


def judge_tlsa(usage: int, selector: int, matching_type: int, data: bytes) -> TlsaVerdict:
    """Say whether an SMTP client that follows RFC 7672 can use this record.

    >>> judge_tlsa(3, 1, 1, bytes(32))
    TlsaVerdict(usable=True, flags=())
    >>> judge_tlsa(1, 1, 1, bytes(32)).flags
    ('pkix-usage-not-for-smtp',)
    """
    broken: set[str] = set()
    notes: set[str] = set()
    if usage in (PKIX_TA, PKIX_EE):
        broken.add("pkix-usage-not-for-smtp")  # RFC 7672 section 3.1.3
    elif usage not in (DANE_TA, DANE_EE):
        broken.add("unknown-usage")
    if selector not in (FULL_CERTIFICATE, PUBLIC_KEY):
        broken.add("unknown-selector")
    if matching_type == FULL_DATA:
        notes.add("full-data")  # RFC 7671 section 10.1.2: large answers; DANE-TA(2) with it is for bare keys
        if not data:
            broken.add("no-data")
    elif matching_type not in _DIGEST_OCTETS:
        broken.add("unknown-matching-type")
    elif len(data) != _DIGEST_OCTETS[matching_type]:
        broken.add("digest-length")
    if usage == DANE_EE and selector == FULL_CERTIFICATE:
        notes.add("full-cert-rotates")  # RFC 7671 section 5.1: every renewal changes the certificate, not the key
    return TlsaVerdict(not broken, tuple(sorted(broken | notes)))
