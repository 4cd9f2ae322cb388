"""Certificates: our reading of them against cryptography's, and OpenSSL's verdict without a connection."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pki import SHELF
from support.shelf import HOST

from smtpdoc.errors import TargetError
from smtpdoc.grammar.der import DerParseError
from smtpdoc.net.certificates import read_certificate
from smtpdoc.net.tls import load_trust, session_context
from smtpdoc.net.trust import leads_to, trust_store, verify_chain, verify_name
from smtpdoc.seams import TlsPolicy

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
END = datetime(2056, 1, 2, 3, 4, 5, tzinfo=UTC)


def chain_of(shelf: Path, name: str) -> list[bytes]:
    pems = x509.load_pem_x509_certificates((shelf / f"{name}.chain.pem").read_bytes())
    return [one.public_bytes(Encoding.DER) for one in pems]


@pytest.mark.parametrize("name", SHELF)
def test_what_we_read_is_what_cryptography_reads(shelf: Path, name: str) -> None:
    for data in chain_of(shelf, name):
        theirs = x509.load_der_x509_certificate(data)
        ours = read_certificate(data)

        assert ours.subject == theirs.subject.rfc4514_string().replace(",", ", ")
        assert ours.issuer == theirs.issuer.rfc4514_string().replace(",", ", ")
        assert ours.not_before == theirs.not_valid_before_utc
        assert ours.not_after == theirs.not_valid_after_utc
        assert ours.sha256 == theirs.fingerprint(hashes.SHA256()).hex()


Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def made(key: Key, *, algorithm: Hash | None = None, pss: bool = False) -> bytes:
    """A self-signed certificate with all sorts of names in it."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "AT"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Büro, GmbH"),
            x509.NameAttribute(NameOID.COMMON_NAME, HOST),
        ]
    )
    names = [x509.DNSName(HOST), x509.RFC822Name("a@b.example"), x509.DNSName("*.lab.example")]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(2**150)
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    if pss:
        assert isinstance(key, rsa.RSAPrivateKey)
        how = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        return builder.sign(key, hashes.SHA256(), rsa_padding=how).public_bytes(Encoding.DER)
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("key", "algorithm", "pss", "kind", "signature"),
    [
        (rsa.generate_private_key(65537, 2048), hashes.SHA384(), False, "RSA 2048", "sha384WithRSAEncryption"),
        (rsa.generate_private_key(65537, 2048), None, True, "RSA 2048", "rsassaPss"),
        (ec.generate_private_key(ec.SECP256R1()), hashes.SHA256(), False, "EC P-256", "ecdsa-with-SHA256"),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA512(), False, "EC P-384", "ecdsa-with-SHA512"),
        (ed25519.Ed25519PrivateKey.generate(), None, False, "Ed25519", "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), None, False, "Ed448", "Ed448"),
    ],
    ids=["rsa", "pss", "p256", "p384", "ed25519", "ed448"],
)
def test_keys_and_signatures_have_their_names(
    key: Key, algorithm: Hash | None, pss: bool, kind: str, signature: str
) -> None:
    certificate = read_certificate(made(key, algorithm=algorithm, pss=pss))

    assert (certificate.key, certificate.signature) == (kind, signature)
    assert certificate.names == (HOST, "*.lab.example")
    assert certificate.common_name == HOST
    assert certificate.subject == f"CN={HOST}, O=Büro, GmbH, C=AT"
    assert (certificate.not_before, certificate.not_after) == (START, END)


GOOD = made(ec.generate_private_key(ec.SECP256R1()), algorithm=hashes.SHA256())


@pytest.mark.parametrize("cut", [0, 1, 2, 4, 10, 100, -1])
def test_half_a_certificate_is_none(cut: int) -> None:
    with pytest.raises(DerParseError):
        read_certificate(GOOD[:cut])


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_damaged_certificate_is_read_or_refused_and_nothing_else(offset: int, damage: bytes) -> None:
    data = GOOD[:offset] + damage + GOOD[offset + len(damage) :]
    try:
        certificate = read_certificate(data)
    except DerParseError:
        return

    assert len(certificate.sha256) == 64


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_in_the_same_way(data: bytes) -> None:
    with pytest.raises(DerParseError):
        read_certificate(data)


#: certificate → OpenSSL's X509_V_ERR number for the chain, and whether the name matches
VERDICTS = {
    "good": (0, True),
    "ec": (0, True),
    "wildcard": (0, True),
    "soon": (0, True),
    "common-name-only": (0, True),
    "wrong-name": (0, False),
    "no-intermediate": (20, True),
    "untrusted": (20, True),
    "self-signed": (18, True),
    "expired": (10, True),
    "future": (9, True),
    "weak": (66, True),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_of_openssl_without_a_connection(shelf: Path, name: str) -> None:
    """Chain and name are judged apart: an expired certificate can still be for the right name."""
    chain = chain_of(shelf, name)

    code = verify_chain(trust_store(str(shelf / "ca.pem")), chain).code
    matches = verify_name(chain[0], HOST).code == 0
    assert (code, matches) == VERDICTS[name]


def test_a_forged_signature_is_noticed(shelf: Path) -> None:
    leaf, *rest = chain_of(shelf, "good")
    forged = leaf[:-5] + bytes([leaf[-5] ^ 1]) + leaf[-4:]

    assert verify_chain(trust_store(str(shelf / "ca.pem")), [forged, *rest]).code == 7


def test_the_private_authority_is_not_trusted_by_the_system(shelf: Path) -> None:
    assert verify_chain(trust_store(), chain_of(shelf, "good")).code in (19, 20)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 3072),
    ],
    ids=["ed25519", "p384", "rsa3072"],
)
def test_every_kind_of_key_gets_a_verdict(key: Key) -> None:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()

    assert verify_chain(trust_store(), [made(key, algorithm=algorithm)]).code == 18


def test_a_key_that_is_too_short_hides_nothing_else(shelf: Path) -> None:
    """OpenSSL speaks of it first; and the next chain is judged as strictly as before."""
    store = trust_store(str(shelf / "ca.pem"))

    weak_and_self_signed = [made(rsa.generate_private_key(65537, 1024), algorithm=hashes.SHA256())]
    assert verify_chain(store, weak_and_self_signed).code == 18
    assert verify_chain(store, chain_of(shelf, "weak")).code == 66


def test_what_is_no_certificate_gets_no_verdict() -> None:
    verdict = verify_chain(trust_store(), [b"\x30\x03abc"])

    assert verdict.code is None
    assert verdict.error


@pytest.mark.parametrize(
    ("name", "matches"),
    [(HOST, True), ("MX.lab.EXAMPLE", True), ("lab.example", False), ("127.0.0.1", True), ("192.0.2.1", False)],
)
def test_names_and_addresses_are_matched_by_openssl(shelf: Path, name: str, matches: bool) -> None:
    assert (verify_name(chain_of(shelf, "good")[0], name).code == 0) is matches


def test_a_chain_of_many_records_is_verified(shelf: Path) -> None:
    """A TLS record holds 16 kB; long chains need several."""
    leaf, intermediate = chain_of(shelf, "good")

    assert verify_chain(trust_store(str(shelf / "ca.pem")), [leaf, intermediate, *[intermediate] * 60]).code == 0


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()

    for file in (str(tmp_path / "missing.pem"), str(empty)):
        with pytest.raises(TargetError, match=r"\.pem"):
            load_trust(TlsPolicy(HOST, ca_file=file))
        with pytest.raises(TargetError, match=r"\.pem"):
            session_context(TlsPolicy(HOST, client_cert=file))


def test_a_session_context_verifies_nothing_and_says_so() -> None:
    context = session_context(TlsPolicy(HOST))

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_dates_before_2050_and_after_are_both_read() -> None:
    """RFC 5280 section 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050."""
    certificate = read_certificate(GOOD)

    assert certificate.not_after - certificate.not_before > timedelta(days=29 * 365)


def test_a_chain_leads_to_its_own_authority_and_to_no_other(shelf: Path) -> None:
    leaf, intermediate = chain_of(shelf, "good")
    other = chain_of(shelf, "self-signed")[0]

    assert leads_to([leaf, intermediate], intermediate) == ""
    assert leads_to([leaf], intermediate) == ""
    assert leads_to([leaf, intermediate], other) != ""
    assert "cannot be read" in leads_to([leaf], b"\x30\x03abc")


def test_an_expired_certificate_leads_to_nobody(shelf: Path) -> None:
    assert "expired" in leads_to(chain_of(shelf, "expired")[:1], chain_of(shelf, "expired")[1])
