"""What a served certificate says: names, dates, key. Read here and not by a library, whose import would cost more
time than the whole session (cryptography: 50 ms); tests compare both."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address

from smtpdoc.evidence.smtp import Certificate
from smtpdoc.grammar import der
from smtpdoc.grammar.der import DerParseError, Node

_NAME_TYPES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.10": "secp256k1",
}
_PLAIN_KEYS = {"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448", "1.2.840.10040.4.1": "DSA"}
_RSA_KEYS = ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10")
_EC_KEY = "1.2.840.10045.2.1"
_SUBJECT_ALT_NAME = "2.5.29.17"


@lru_cache(maxsize=512)  # the hosts of a run share intermediates, and often certificates
def read_certificate(data: bytes) -> Certificate:
    """Return the fields of a certificate in DER form (RFC 5280 section 4.1); raise DerParseError when it is none."""
    outer = der.read(data).expect(der.SEQUENCE, "a certificate").children()
    fields = list(outer[0].expect(der.SEQUENCE, "a certificate").children()) if outer else []
    if fields and fields[0].tag == 0xA0:  # version; absent means 1
        del fields[0]
    if len(fields) < 6:
        raise DerParseError("six fields of a certificate", f"{len(fields)} fields")
    _serial, algorithm, issuer, validity, subject, key, *rest = fields
    dates = validity.expect(der.SEQUENCE, "the validity").children()
    if len(dates) != 2:
        raise DerParseError("two dates", f"{len(dates)}")
    signature = _algorithm(algorithm)
    subject_parts = _name(subject)
    return Certificate(
        subject=_joined(subject_parts),
        issuer=_joined(_name(issuer)),
        names=_alternative_names(rest),
        not_before=der.time(dates[0]),
        not_after=der.time(dates[1]),
        key=_key(key),
        signature=_SIGNATURES.get(signature, signature),
        sha256=sha256(data).hexdigest(),
        common_name=next((value for kind, value in reversed(subject_parts) if kind == "CN"), None),
        der=data,
        public_key=key.whole,
        public_key_sha256=sha256(key.whole).hexdigest(),
    )


def _algorithm(node: Node) -> str:
    parts = node.expect(der.SEQUENCE, "an algorithm").children()
    if not parts:
        raise DerParseError("an algorithm", "nothing")
    return der.object_identifier(parts[0].expect(der.OID, "an algorithm").content)


def _name(node: Node) -> tuple[tuple[str, str], ...]:
    parts: list[tuple[str, str]] = []
    for relative in node.expect(der.SEQUENCE, "a name").children():
        for pair in relative.children():
            kind, value = (*pair.children(), None, None)[:2]
            if kind is None or value is None:
                raise DerParseError("a type and a value in a name", "less")
            oid = der.object_identifier(kind.content)
            parts.append((_NAME_TYPES.get(oid, oid), der.text(value)))
    return tuple(parts)


def _joined(parts: tuple[tuple[str, str], ...]) -> str:
    """Most specific part first, as RFC 4514 writes names; without its escapes, since this is for eyes."""
    return ", ".join(f"{kind}={value}" for kind, value in reversed(parts))


def _key(node: Node) -> str:
    algorithm, bits = (*node.expect(der.SEQUENCE, "a public key").children(), None, None)[:2]
    if algorithm is None or bits is None:
        raise DerParseError("an algorithm and a key", "less")
    parts = algorithm.children()
    oid = _algorithm(algorithm)
    if oid in _RSA_KEYS:
        modulus = der.read(bits.content[1:]).children()[0]
        return f"RSA {der.integer(modulus).bit_length()}"
    if oid == _EC_KEY:
        curve = der.object_identifier(parts[1].content) if len(parts) > 1 and parts[1].tag == der.OID else "unnamed"
        return f"EC {_CURVES.get(curve, curve)}"
    return _PLAIN_KEYS.get(oid, oid)


def _alternative_names(rest: list[Node]) -> tuple[str, ...]:
    """dNSName and iPAddress of the subjectAltName extension (RFC 5280 section 4.2.1.6), in order."""
    found: list[str] = []
    extensions = next((node for node in rest if node.tag == 0xA3), None)
    for extension in extensions.children()[0].children() if extensions else ():
        parts = extension.children()
        if len(parts) < 2 or der.object_identifier(parts[0].content) != _SUBJECT_ALT_NAME:
            continue
        for name in der.read(parts[-1].content).children():
            if name.tag == 0x82:
                found.append(name.content.decode("utf-8", "backslashreplace"))
            elif name.tag == 0x87 and len(name.content) in (4, 16):
                found.append(str(ip_address(name.content)))
    return tuple(found)
