"""A certificate authority for tests, and a shelf of server certificates, good and bad."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: Every certificate on the shelf and what is the matter with it.
SHELF = {
    "good": "RSA 2048, complete chain",
    "ec": "EC P-256, complete chain",
    "no-intermediate": "its intermediate is not served",
    "expired": "ended in 2020",
    "future": "starts in twenty years",
    "self-signed": "signed by itself",
    "untrusted": "signed by a root that nobody knows",
    "wrong-name": "for other.example",
    "common-name-only": "no subjectAltName",
    "wildcard": "for *.lab.example",
    "soon": "ends in five days",
    "weak": "RSA 1024",
}

#: Parameters for DHE that are too short: the Second Oakley Group of RFC 2409 section 6.2.
DH_1024 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


@dataclass(frozen=True, slots=True)
class Issuer:
    certificate: x509.Certificate
    key: PrivateKey


def server_context(shelf: Path, name: str) -> ssl.SSLContext:
    """Return what a server with a certificate of the shelf takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shelf / f"{name}.chain.pem", shelf / f"{name}.key")
    return context


def write_shelf(directory: Path, host: str, address: str) -> None:
    """Write ca.pem, and NAME.key and NAME.chain.pem for every name of SHELF; the good ones name host and address.

    The keys are readable by everybody, because the servers run under users of their own.
    """
    root = _authority("lab root", None)
    intermediate = _authority("lab intermediate", root)
    stranger = _authority("some other root", None)
    (directory / "ca.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))

    now = datetime.now(UTC).replace(microsecond=0)
    served = (intermediate,)

    def shelve(
        name: str,
        names: Sequence[str] = (host, "localhost", address),
        *,
        key: PrivateKey | None = None,
        issuer: Issuer | None = intermediate,
        chain: Sequence[Issuer] = served,
        common_name: str = host,
        start: datetime = now - timedelta(days=1),
        end: datetime = now + timedelta(days=90),
    ) -> None:
        key = key or _ec_key()
        certificate = _leaf(common_name, names, key, issuer, start, end)
        pems = (certificate, *(link.certificate for link in chain))
        (directory / f"{name}.chain.pem").write_bytes(b"".join(pem.public_bytes(Encoding.PEM) for pem in pems))
        (directory / f"{name}.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    shelve("good", key=rsa.generate_private_key(65537, 2048))
    shelve("ec")
    shelve("no-intermediate", chain=())
    shelve("expired", start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2020, 4, 1, tzinfo=UTC))
    shelve("future", start=now + timedelta(days=20 * 365), end=now + timedelta(days=21 * 365))
    shelve("self-signed", issuer=None, chain=())
    shelve("untrusted", issuer=stranger, chain=())
    shelve("wrong-name", ["other.example"], common_name="other.example")
    shelve("common-name-only", [])
    shelve("wildcard", [f"*.{host.partition('.')[2]}"], common_name=f"*.{host.partition('.')[2]}")
    shelve("soon", end=now + timedelta(days=5, hours=12))
    shelve("weak", key=rsa.generate_private_key(65537, 1024))


def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority(common_name: str, issuer: Issuer | None) -> Issuer:
    key = _ec_key()
    signing_key = issuer.key if issuer else key
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(issuer.certificate.subject if issuer else _name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2019, 1, 1, tzinfo=UTC))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return Issuer(certificate, key)


def _leaf(
    common_name: str, names: Sequence[str], key: PrivateKey, issuer: Issuer | None, start: datetime, end: datetime
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(issuer.certificate.subject if issuer else _name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
