"""DANE: the TLSA records of the MX hosts (RFC 7672 section 2.2)."""

from __future__ import annotations

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.evidence.dnssec import validates
from smtpdoc.evidence.transport import TlsaEvidence, TlsaHost
from smtpdoc.gather.dnssec import ROOT_QUESTION
from smtpdoc.gather.mx import MAX_HOSTS, has_address_records
from smtpdoc.seams import Resolver


async def gather_tlsa(domain: str, resolver: Resolver) -> TlsaEvidence:
    """Ask for the MX and whether the resolver validates, then for the hosts' addresses and TLSA records at once.

    A host that is an alias is asked again under its canonical name, which comes first (section 2.2.2).
    """
    mx, root = await resolver.lookup_all([(domain, "MX"), ROOT_QUESTION])
    usable = (record for record in mx.mx if record.host != "." and has_address_records(record))
    ordered = sorted(usable, key=lambda record: record.preference)
    hosts = tuple(dict.fromkeys(record.host for record in ordered))[:MAX_HOSTS]
    if not hosts:
        return TlsaEvidence(TopicStatus.ABSENT if mx.answered else TopicStatus.UNKNOWN, domain, mx)
    answers = await resolver.lookup_all(
        [*((host, "A") for host in hosts), *((f"_25._tcp.{host}", "TLSA") for host in hosts)]
    )
    addresses = dict(zip(hosts, answers, strict=False))
    tlsa = dict(zip(hosts, answers[len(hosts) :], strict=True))
    aliased = [host for host in hosts if addresses[host].aliases and addresses[host].status is LookupStatus.FOUND]
    if aliased:
        again = await resolver.lookup_all([(f"_25._tcp.{addresses[host].aliases[-1]}", "TLSA") for host in aliased])
        tlsa |= {host: lookup for host, lookup in zip(aliased, again, strict=True) if lookup.tlsa}
    found = tuple(_host(host, mx, addresses[host], tlsa[host]) for host in hosts)
    return TlsaEvidence(_status(found), domain, mx, found, validates(root))


def _host(host: str, mx: Lookup, address: Lookup, lookup: Lookup) -> TlsaHost:
    secure = mx.authenticated and address.authenticated and lookup.authenticated
    return TlsaHost(host, lookup.name, lookup, secure, lookup.tlsa)


def _status(hosts: tuple[TlsaHost, ...]) -> TopicStatus:
    if any(host.records for host in hosts):
        return TopicStatus.FOUND
    return TopicStatus.ABSENT if all(host.lookup.answered for host in hosts) else TopicStatus.UNKNOWN
