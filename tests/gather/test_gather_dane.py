"""TLSA records against a served chain: which record fits what, and which answers have to be secure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256, sha512

import pytest
from support.sessions import HOST, INTERMEDIATE, certificate, handshake
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.looks import Dane
from smtpdoc.evidence.smtp import TlsFacts
from smtpdoc.gather.dane import LeadsTo, TlsaAnswer, gather_tlsa_records, hold_against
from smtpdoc.seams import Resolver

LEAF = certificate()
NAME = f"_25._tcp.{HOST}"
WRONG = bytes(32)


def leads(chain: Sequence[bytes], anchor: bytes) -> str:
    """Every chain leads to its own end."""
    return "" if chain[-1] == anchor else "it does not"


def zone(*records: TlsaRecord, **more: object) -> Zone:
    return Zone({f"{HOST} A": "192.0.2.25", f"{NAME} TLSA": list(records)})


def asked(resolver: Resolver, *, domain: str | None = None) -> TlsaAnswer:
    answer = run_now(gather_tlsa_records(HOST, 25, resolver, domain))
    assert answer is not None
    return answer


def dane_of(resolver: Zone, tls: TlsFacts | None, leads_to: LeadsTo = leads) -> Dane:
    return hold_against(asked(resolver), tls, leads_to)


def held(*records: TlsaRecord, tls: TlsFacts | None = None) -> Dane:
    return dane_of(zone(*records), tls or handshake(LEAF))


@pytest.mark.parametrize(
    ("record", "position"),
    [
        (TlsaRecord(3, 1, 1, sha256(LEAF.public_key).digest()), 0),
        (TlsaRecord(3, 0, 1, sha256(LEAF.der).digest()), 0),
        (TlsaRecord(3, 1, 2, sha512(LEAF.public_key).digest()), 0),
        (TlsaRecord(3, 1, 0, LEAF.public_key), 0),
        (TlsaRecord(2, 0, 1, sha256(INTERMEDIATE.der).digest()), 1),
        (TlsaRecord(2, 1, 1, sha256(INTERMEDIATE.public_key).digest()), 1),
        (TlsaRecord(2, 0, 1, sha256(LEAF.der).digest()), None),  # an authority is above the leaf
        (TlsaRecord(3, 0, 1, sha256(INTERMEDIATE.der).digest()), None),  # and a leaf is no authority
        (TlsaRecord(3, 1, 1, WRONG), None),
    ],
)
def test_what_a_record_fits(record: TlsaRecord, position: int | None) -> None:
    dane = held(record)

    assert position == dane.matches[0].position
    assert ("match" if position is not None else "mismatch") == dane.status


def test_one_record_that_fits_is_enough() -> None:
    dane = held(TlsaRecord(3, 1, 1, WRONG), TlsaRecord(3, 1, 1, sha256(LEAF.public_key).digest()))

    assert "match" == dane.status
    assert [None, 0] == [match.position for match in dane.matches]


def test_records_for_authorities_of_browsers_are_not_usable() -> None:
    assert "unusable" == held(TlsaRecord(1, 1, 1, sha256(LEAF.public_key).digest())).status


def test_names_and_dates_matter_for_an_authority_and_not_for_a_key() -> None:
    wrong = handshake(LEAF, name_matches=False, expired=True, trusted=False)

    assert "match" == held(TlsaRecord(3, 1, 1, sha256(LEAF.public_key).digest()), tls=wrong).status
    assert "mismatch" == held(TlsaRecord(2, 0, 1, sha256(INTERMEDIATE.der).digest()), tls=wrong).status


def test_a_chain_that_does_not_lead_to_the_authority_does_not_match() -> None:
    records = zone(TlsaRecord(2, 0, 1, sha256(INTERMEDIATE.der).digest()))
    dane = dane_of(records, handshake(LEAF), lambda _chain, _anchor: "signature failure")

    assert ("mismatch", "signature failure") == (dane.status, dane.matches[0].problem)


def test_without_records_without_answers_and_without_tls() -> None:
    silent = Zone({f"{HOST} A": "192.0.2.25", f"{NAME} TLSA": LookupStatus.SERVFAIL})
    unknown = dane_of(silent, handshake())
    fits = zone(TlsaRecord(3, 1, 1, sha256(LEAF.public_key).digest()))
    no_tls = dane_of(fits, None)

    assert "none" == held().status
    assert "unknown" == unknown.status
    assert "no-tls" == no_tls.status


def test_an_address_has_no_records() -> None:
    assert run_now(gather_tlsa_records("192.0.2.25", 25, zone())) is None


class Secure:
    """A resolver that validates, but for some names."""

    def __init__(self, inner: Zone, *insecure: str) -> None:
        self._inner = inner
        self._insecure = insecure

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        answers = await self._inner.lookup_all(questions)
        return tuple(replace(one, authenticated=one.name not in self._insecure) for one in answers)


@pytest.mark.parametrize("insecure", [HOST, NAME])
def test_the_answers_about_the_host_have_to_be_authenticated(insecure: str) -> None:
    records = Zone({f"{HOST} A": "192.0.2.25", f"{NAME} TLSA": TlsaRecord(3, 1, 1, WRONG), "example.net MX": (1, HOST)})

    assert asked(Secure(records), domain="example.net").host.secure is True
    assert asked(Secure(records, insecure), domain="example.net").host.secure is False


def test_an_unsigned_mx_is_told_beside_and_does_not_make_the_host_insecure() -> None:
    """RFC 7672 section 2.2.1: senders may use the records all the same."""
    records = Zone({f"{HOST} A": "192.0.2.25", f"{NAME} TLSA": TlsaRecord(3, 1, 1, WRONG), "example.net MX": (1, HOST)})
    answer = asked(Secure(records, "example.net"), domain="example.net")

    assert (True, False) == (answer.host.secure, answer.mx_secure)
    assert asked(Secure(records)).mx_secure is None


ALIAS: dict[str, Answer] = {
    f"{HOST} CNAME": "host.provider.example",
    "host.provider.example A": "192.0.2.25",
    "_25._tcp.host.provider.example TLSA": TlsaRecord(3, 1, 1, WRONG),
}


def test_the_canonical_name_of_an_alias_comes_first() -> None:
    own: dict[str, Answer] = {f"{NAME} TLSA": TlsaRecord(3, 1, 1, WRONG)}

    assert "_25._tcp.host.provider.example" == asked(Zone(ALIAS | own)).host.name
    assert NAME == asked(Zone({**ALIAS, **own, "_25._tcp.host.provider.example TLSA": []})).host.name


def test_of_a_signed_alias_that_leads_out_of_dnssec_its_own_records_count() -> None:
    """RFC 7672 section 2.2.2: what the alias leads to is not secure, the alias is."""

    class Half(Secure):
        """The alias is signed; following it leads to an address that is not."""

        async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
            answers = await super().lookup_all(questions)
            return tuple(replace(one, authenticated=False) if one.aliases else one for one in answers)

    records = Zone(ALIAS | {f"{NAME} TLSA": TlsaRecord(3, 1, 1, WRONG)})
    answer = asked(Half(records, "host.provider.example", "_25._tcp.host.provider.example"))

    assert (NAME, True, "CNAME") == (answer.host.name, answer.host.secure, answer.host.address.rdtype)


def test_a_certificate_under_an_authority_may_be_for_the_name_that_has_the_records() -> None:
    """RFC 7672 section 3.2.2: the TLSA base domain, or the domain whose secure MX led here."""
    records: dict[str, Answer] = {
        f"{HOST} CNAME": "mail.example.net",
        "mail.example.net A": "192.0.2.25",
        "_25._tcp.mail.example.net TLSA": TlsaRecord(2, 0, 1, sha256(INTERMEDIATE.der).digest()),
        "mail.example.net MX": (1, HOST),
    }
    for_canonical = handshake(replace(LEAF, names=("*.example.net",)), name_matches=False)
    for_nobody = handshake(replace(LEAF, names=("other.example",)), name_matches=False)

    assert "match" == dane_of(Zone(records), for_canonical).status
    (missed,) = dane_of(Zone(records), for_nobody).matches
    assert f"the certificate is not for {HOST} or mail.example.net" == missed.problem
