"""DANE from end to end: zones signed on NSD, validated by unbound, held against what Postfix serves."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.command import Ran, Smtpdoc
from support.dnssec import Apex, validating
from support.lab import HOST, MailServer

pytestmark = pytest.mark.servers

STALE = "3 1 1 " + "00" * 32
FORGED = "3 1 1 " + "ff" * 32


def chain_of(server: MailServer, name: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((server.ca_file.parent / f"{name}.chain.pem").read_bytes())


def tlsa(server: MailServer, name: str, usage: int, selector: int) -> str:
    """Return the record that fits the certificate of this name on the shelf, or the authority above it."""
    certificate = chain_of(server, name)[1 if usage == 2 else 0]
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = key if selector else certificate.public_bytes(Encoding.DER)
    return f"{usage} {selector} 1 {sha256(data).hexdigest()}"


def zones_for(server: MailServer) -> dict[str, Apex]:
    def records(name: str, *texts: str, host: str = "mx") -> str:
        return "".join(f"_{server.certificate_port(name)}._tcp.{host} TLSA {text}\n" for text in texts)

    good = tlsa(server, "good", 3, 1)
    hosts = (
        f"@ MX 10 mx\nmx A {server.address}\nwild A {server.address}\n"
        + records("good", good)
        + records("ec", tlsa(server, "ec", 2, 1))
        + records("wildcard", STALE, tlsa(server, "wildcard", 3, 0))
        + records("expired", tlsa(server, "expired", 3, 1))
        + records("self-signed", tlsa(server, "self-signed", 3, 1), "1 1 1 " + "00" * 32)
        + records("wrong-name", tlsa(server, "wrong-name", 2, 0))
        + records("weak", STALE)
        + records("soon", "0 1 1 " + "00" * 32)
        + f"_{server.ports['no-starttls']}._tcp.mx TLSA {good}\n"
        + f"*._tcp.wild TLSA {good}\n"
    )
    plain = f"mx A {server.address}\n" + records("good", good) + records("weak", STALE)
    port = server.certificate_port("good")
    return {
        "lab.example": Apex(hosts),
        "hosted.example": Apex(f"@ MX 10 {HOST}.\n", signed=False),
        "plain.example": Apex(f"@ MX 10 mx\n{plain}", signed=False),
        "half.example": Apex("@ MX 10 mx.plain.example.\n"),
        "wild.example": Apex("@ MX 10 wild.lab.example.\n"),
        "alias.example": Apex(f"@ MX 10 alias\nalias CNAME {HOST}.\n_{port}._tcp.alias TLSA {STALE}\n"),
        "leads-out.example": Apex(f"@ MX 10 alias\nalias CNAME mx.plain.example.\n_{port}._tcp.alias TLSA {good}\n"),
        "hashed.example": Apex(f"@ MX 10 mx\nmx A {server.address}\n", nsec3=True),
        "expired.example": Apex(f"@ MX 10 mx\nmx A {server.address}\n", expired=True),
        "forged.example": Apex(
            f"@ MX 10 mx\nmx A {server.address}\n_{port}._tcp.mx TLSA {STALE}\n", forged=(STALE, FORGED)
        ),
    }


@pytest.fixture(scope="module")
def resolver(postfix: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with validating(zones_for(postfix), tmp_path_factory.mktemp("dane")) as address:
        yield address


@pytest.fixture
def probed(postfix: MailServer, resolver: str, smtpdoc: Smtpdoc) -> Any:
    """Probe the MX of a domain on the port of a certificate, or on this port."""

    def run(domain: str, port: str | int, *more: str) -> Ran:
        number = postfix.certificate_port(port) if isinstance(port, str) else port
        trust = ("--ca-file", str(postfix.ca_file))
        return smtpdoc("probe", "--mx", f"{domain}:{number}", "--dane", "--nameserver", resolver, *trust, *more)

    return run


def seen(ran: Ran) -> tuple[str, bool, bool | None]:
    dane = ran.json["evidence"]["sessions"][0]["dane"]
    return dane["status"], dane["authenticated"], dane["mx_authenticated"]


def dane_findings(ran: Ran) -> dict[str, str]:
    return {one["id"]: one["level"] for one in ran.json["findings"] if one["id"].startswith("dane.")}


@pytest.mark.parametrize(
    ("certificate", "status", "findings"),
    [
        ("good", "match", {"dane.match": "pass"}),
        ("ec", "match", {"dane.match": "pass"}),
        ("wildcard", "match", {"dane.match": "pass", "dane.one-record-stale": "info"}),
        ("expired", "match", {"dane.match": "pass"}),  # RFC 7671 section 5.1: a bound key makes dates and names moot
        ("self-signed", "match", {"dane.match": "pass"}),
        ("wrong-name", "mismatch", {"dane.mismatch": "error"}),  # an authority's certificates are for names
        ("weak", "mismatch", {"dane.mismatch": "error"}),
        ("soon", "unusable", {"dane.unusable": "warning"}),
    ],
)
def test_a_signed_domain(probed: Any, certificate: str, status: str, findings: dict[str, str]) -> None:
    ran = probed("lab.example", certificate, "--json")

    assert (status, True, True) == seen(ran)
    assert findings == dane_findings(ran)


@pytest.mark.parametrize(
    ("certificate", "finding"),
    [("self-signed", "tls.certificate-self-signed"), ("expired", "tls.certificate-expired")],
)
def test_between_servers_a_bound_key_needs_no_authority(probed: Any, certificate: str, finding: str) -> None:
    """RFC 7672 section 3.1.1."""
    ran = probed("lab.example", certificate, "--tls", "optional", "--json")

    assert (0, "info") == (ran.code, {one["id"]: one["level"] for one in ran.json["findings"]}[finding])


def test_starttls_that_is_gone_stops_mail_where_records_are_signed(postfix: MailServer, probed: Any) -> None:
    ran = probed("lab.example", postfix.ports["no-starttls"], "--json")

    assert ("no-tls", {"dane.no-tls": "error"}) == (seen(ran)[0], dane_findings(ran))


def test_an_unsigned_domain_at_a_signed_host(probed: Any) -> None:
    """RFC 7672 section 2.2.1: senders may use the host's records all the same."""
    fits, misses = probed("hosted.example", "good", "--json"), probed("hosted.example", "weak", "--json")

    assert ("match", True, False) == seen(fits)
    assert {"dane.match": "pass", "dane.mx-not-authenticated": "info"} == dane_findings(fits)
    assert {"dane.mismatch": "error", "dane.mx-not-authenticated": "info"} == dane_findings(misses)


@pytest.mark.parametrize("domain", ["plain.example", "half.example"])
def test_records_of_an_unsigned_host_are_not_usable(probed: Any, domain: str) -> None:
    fits, misses = probed(domain, "good", "--json"), probed(domain, "weak", "--json")

    assert {"dane.match": "pass", "dane.not-authenticated": "warning"} == dane_findings(fits)
    assert {"dane.mismatch": "warning", "dane.not-authenticated": "warning"} == dane_findings(misses)
    assert "the address of mx.plain.example is not signed" in fits.out


def test_a_wildcard_record(probed: Any) -> None:
    ran = probed("wild.example", "good", "--json")

    assert ("match", True, True) == seen(ran)


def test_of_an_alias_the_canonical_name_counts(probed: Any) -> None:
    ran = probed("alias.example", "good", "--json")

    assert ("match", True, True) == seen(ran)
    assert ran.json["evidence"]["sessions"][0]["dane"]["name"].endswith(f"_tcp.{HOST}")


def test_of_an_alias_that_leads_out_of_dnssec_its_own_records_count(probed: Any) -> None:
    ran = probed("leads-out.example", "good", "--json")

    assert ("match", True, True) == seen(ran)
    assert ran.json["evidence"]["sessions"][0]["dane"]["name"].endswith("_tcp.alias.leads-out.example")


@pytest.mark.parametrize("domain", ["lab.example", "hashed.example"])
def test_that_there_is_no_record_is_proved_by_nsec_and_nsec3(postfix: MailServer, probed: Any, domain: str) -> None:
    ran = probed(domain, postfix.mx_port, "--json")

    assert ("none", True, True) == seen(ran)
    assert {"dane.none": "info"} == dane_findings(ran)
    assert "as DNSSEC proves" in ran.out


def test_a_forged_record_is_bogus_and_not_merely_undetermined(probed: Any) -> None:
    ran = probed("forged.example", "good")

    assert 1 == ran.code
    assert "DNSSEC fails for _" in ran.out
    assert "SERVFAIL: the DNSSEC signatures are not valid" in " ".join(ran.out.split())
    assert {"dane.bogus": "error"} == dane_findings(probed("forged.example", "good", "--json"))


def test_a_domain_with_expired_signatures_is_not_called_a_silent_one(probed: Any) -> None:
    ran = probed("expired.example", "good", "--json")

    assert (1, ["smtp.name-bogus"]) == (ran.code, [one["id"] for one in ran.json["findings"]])


def test_a_resolver_that_does_not_validate_cannot_tell(postfix: MailServer, smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    good = tlsa(postfix, "good", 3, 1)
    port = postfix.certificate_port("good")
    zones = {"lab.example": Apex(f"@ MX 10 mx\nmx A {postfix.address}\n_{port}._tcp.mx TLSA {good}\n")}
    with validating(zones, tmp_path, validates=False) as resolver:
        trust = ("--ca-file", str(postfix.ca_file))
        ran = smtpdoc("probe", "--mx", f"lab.example:{port}", "--dane", "--nameserver", resolver, *trust, "--json")
        checked = smtpdoc("auth-check", "lab.example", "--only", "tlsa", "--only", "dnssec", "--nameserver", resolver)

    assert {"dane.match": "pass", "dane.not-authenticated": "info"} == dane_findings(ran)
    assert "the resolver that was asked does not validate" in ran.out
    assert "DNSSEC unknown to this resolver" in checked.out
