"""What the TLSA records of a domain's MX hosts mean (RFC 7672, RFC 7671)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.transport import TlsaEvidence, TlsaHost
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.tlsa import TlsaVerdict, judge_tlsa

checks = CheckSet[TlsaEvidence]("tlsa")

_FAULTS = {
    "pkix-usage-not-for-smtp": "usages 0 and 1 are not for SMTP",
    "unknown-usage": "the usage is unknown",
    "unknown-selector": "the selector is unknown",
    "unknown-matching-type": "the matching type is unknown",
    "digest-length": "the digest has the wrong length",
    "no-data": "there is no data",
}


def _verdict(record: TlsaRecord) -> TlsaVerdict:
    return judge_tlsa(record.usage, record.selector, record.matching_type, record.data)


def _words(record: TlsaRecord) -> str:
    return f"{record.usage} {record.selector} {record.matching_type}"


def insecure_words(address: Lookup | None, records: Lookup) -> str:
    """Return what DNSSEC does not cover: a host's address, or else its TLSA records alone."""
    if address is not None and not (address.authenticated or address.local):
        return f"the address of {printable(address.name)} is not signed"
    return f"{printable(records.name)} is not signed"


def bogus_words(lookup: Lookup) -> str:
    said = printable(lookup.detail or lookup.status.value)
    return f"{printable(lookup.name)} {lookup.rdtype}: {said}; asked not to check signatures, it has an answer"


def _flagged(tlsa: TlsaEvidence, flag: str) -> Iterator[tuple[TlsaHost, TlsaRecord]]:
    for host in tlsa.hosts:
        yield from ((host, record) for record in host.records if flag in _verdict(record).flags)


@checks.add(
    "unknown",
    title="DANE could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer for a TLSA record. Where the host's zone is signed, senders with DANE hold the mail until there is one.",
    fix="Run the check again, or with another resolver (--nameserver). If it stays so, have the name server fixed: some fail for types that they do not know.",
    sources=(rfc(7672, "2.1"),),
)
def unknown(tlsa: TlsaEvidence) -> Iterator[Detail]:
    if not tlsa.mx.answered:
        yield Detail(f"DNS gave no answer for the MX of {tlsa.domain}", subject=tlsa.domain)
    for host in tlsa.hosts:
        if not host.lookup.answered and not host.bogus:
            # A server that answers for everything but TLSA, in a signed zone, stops the mail.
            refused = host.address.authenticated and host.lookup.status is LookupStatus.SERVFAIL
            yield Detail(
                f"DNS gave no answer for {host.name}: {printable(host.lookup.detail or host.lookup.status.value)}",
                subject=host.host,
                level=Level.ERROR if refused else None,
            )


@checks.add(
    "bogus",
    title="DNSSEC fails for a mail host",
    level=Level.ERROR,
    why="To senders that validate (the large services, and all that use DANE) it is as if the host's name servers were down: they pass the host over, and keep the mail when no other is left.",
    fix="Have the zone of the mail host signed again, or correct its DS record. It may belong to a provider.",
    sources=(rfc(7672, "2.1.1"), rfc(4035, "5.5")),
)
def bogus(tlsa: TlsaEvidence) -> Iterator[Detail]:
    for host in tlsa.hosts:
        for lookup in host.bogus:
            yield Detail(bogus_words(lookup), subject=host.host, paste=(f"dig {lookup.name} {lookup.rdtype} +cd",))


@checks.add(
    "missing",
    title="The mail hosts have no TLSA records",
    level=Level.INFO,
    why="DANE makes senders insist on TLS with the right key. It needs DNSSEC for the domain and for the mail hosts.",
    fix="Where both zones are signed, publish 3 1 1 records for the hosts' keys.",
    sources=(rfc(7672, "3.1"),),
)
def missing(tlsa: TlsaEvidence) -> Iterator[Detail]:
    if tlsa.hosts and tlsa.status is TopicStatus.ABSENT:
        yield Detail(f"no TLSA record at {', '.join(host.name for host in tlsa.hosts[:3])}", subject=tlsa.domain)


@checks.add(
    "not-on-every-host",
    title="Some mail hosts have no TLSA record",
    level=Level.INFO,
    why="An attacker can steer senders to the hosts without.",
    fix="Publish TLSA records for every MX host.",
    sources=(rfc(7672, "2.2.1"),),
)
def not_on_every_host(tlsa: TlsaEvidence) -> Iterator[Detail]:
    without = [host.host for host in tlsa.hosts if host.lookup.void]
    if without and tlsa.status is TopicStatus.FOUND:
        yield Detail(f"no TLSA record for {', '.join(without)}", subject=tlsa.domain)


@checks.add(
    "not-authenticated",
    title="TLSA records without DNSSEC",
    level=Level.WARNING,
    why="Senders use TLSA records only when the answers for the host's address and for the records are secure. Either a zone is not signed, or the resolver that was asked does not validate (then this is a note).",
    fix="Sign the zone of the mail host and publish its DS record. If it is signed, ask a validating resolver with --nameserver.",
    sources=(rfc(7672, "2.2.2"),),
)
def not_authenticated(tlsa: TlsaEvidence) -> Iterator[Detail]:
    blind = tlsa.resolver_validates is False
    for host in tlsa.hosts:
        if host.records and not host.secure and not host.bogus:
            why = (
                "the resolver that was asked does not validate" if blind else insecure_words(host.address, host.lookup)
            )
            yield Detail(f"{host.name}: {why}", subject=host.host, level=Level.INFO if blind else None)


@checks.add(
    "mx-not-authenticated",
    title="The mail hosts have DANE, but the domain that names them is not signed",
    level=Level.INFO,
    why="Many senders (Postfix is one) use the records all the same, so they have to fit. But who can forge the MX answer can name other hosts, and some senders want a signed MX before they use DANE at all.",
    fix="Sign the domain too.",
    sources=(rfc(7672, "2.2.1"),),
)
def mx_not_authenticated(tlsa: TlsaEvidence) -> Iterator[Detail]:
    if not tlsa.mx_secure and any(host.records and host.secure for host in tlsa.hosts):
        yield Detail(f"the MX of {tlsa.domain} is not signed, its mail hosts are", subject=tlsa.domain)


@checks.add(
    "unusable",
    title="TLSA records that senders cannot use",
    level=Level.WARNING,
    why="Senders skip such a record. When all records of a host are unusable, they fall back to TLS without a check of the key.",
    fix="Publish 3 1 1 with the SHA-256 of the host's public key, 64 hexadecimal digits.",
    sources=(rfc(7672, "3.1"), rfc(7671, "10.1")),
)
def unusable(tlsa: TlsaEvidence) -> Iterator[Detail]:
    for host in tlsa.hosts:
        none_left = not any(_verdict(record).usable for record in host.records)
        for record in host.records:
            reasons = "; ".join(_FAULTS[flag] for flag in _verdict(record).flags if flag in _FAULTS)
            if reasons:
                yield Detail(
                    f"{host.name} has {_words(record)}: {reasons}",
                    subject=host.host,
                    level=Level.ERROR if none_left else None,
                )


@checks.add(
    "certificate-bound",
    title="A TLSA record is bound to the certificate, not to its key",
    level=Level.INFO,
    why="With selector 0 every renewal of the certificate changes the record; when it is not changed first, mail is delayed.",
    fix="Use 3 1 1 and keep the key at renewals, or publish the next certificate's record before it is installed.",
    sources=(rfc(7671, "5.1"), rfc(7671, "8.1")),
)
def certificate_bound(tlsa: TlsaEvidence) -> Iterator[Detail]:
    for host, record in _flagged(tlsa, "full-cert-rotates"):
        yield Detail(f"{host.name} has {_words(record)}", subject=host.host)


@checks.add(
    "full-data",
    title="A TLSA record holds the whole certificate or key",
    level=Level.INFO,
    why="It makes large answers, which some resolvers and firewalls drop.",
    fix="Publish a SHA-256 digest (matching type 1).",
    sources=(rfc(7671, "10.1.2"),),
)
def full_data(tlsa: TlsaEvidence) -> Iterator[Detail]:
    for host, record in _flagged(tlsa, "full-data"):
        yield Detail(f"{host.name} has {_words(record)} with {len(record.data)} octets", subject=host.host)


ENTRIES = checks.entries
