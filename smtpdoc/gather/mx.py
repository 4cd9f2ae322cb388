"""MX: where a domain receives mail, the addresses of those hosts, and their reverse DNS."""

from __future__ import annotations

from ipaddress import ip_address

from smtpdoc.evidence.auth import HostAddress, MailHost, MxEvidence, TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus, MxRecord
from smtpdoc.gather.ptr import gather_addresses
from smtpdoc.grammar.names import is_address
from smtpdoc.seams import Resolver

#: Hosts and addresses that are looked into; a zone with more is named by its MX records alone.
MAX_HOSTS = 20
MAX_ADDRESSES = 40


async def gather_mx(domain: str, resolver: Resolver) -> MxEvidence:
    """Ask for MX, then all addresses, then all PTR names, then their addresses: four rounds at most.

    Hosts are in the order of preference, the answer's order among equals. Without MX the domain's own addresses are
    the implicit MX (RFC 5321 section 5.1), with preference 0.
    """
    lookup = await resolver.lookup(domain, "MX")
    if not lookup.answered:
        return MxEvidence(TopicStatus.UNKNOWN, domain, lookup)
    if lookup.void:
        if lookup.status is LookupStatus.NXDOMAIN:
            return MxEvidence(TopicStatus.ABSENT, domain, lookup)
        return await _implicit(domain, lookup, resolver)
    records = sorted(lookup.mx, key=lambda record: record.preference)
    hosts = await _hosts(tuple(record for record in records if record.host != "."), resolver)
    # RFC 7505 section 3: a null MX stands alone.
    return MxEvidence(TopicStatus.FOUND, domain, lookup, hosts, null_mx=bool(records) and not hosts)


async def _implicit(domain: str, lookup: Lookup, resolver: Resolver) -> MxEvidence:
    (host,) = await _hosts((MxRecord(0, domain),), resolver)
    if host.addresses:
        return MxEvidence(TopicStatus.FOUND, domain, lookup, (host,), implicit=True)
    answered = all(answer is None or answer.answered for answer in (host.a, host.aaaa))
    return MxEvidence(TopicStatus.ABSENT if answered else TopicStatus.UNKNOWN, domain, lookup)


def has_address_records(record: MxRecord) -> bool:
    """Whether it makes sense to ask for the host's addresses: it is a name of the DNS."""
    return not is_address(record.host) and record.host not in ("localhost", "")


async def _hosts(records: tuple[MxRecord, ...], resolver: Resolver) -> tuple[MailHost, ...]:
    names = tuple(dict.fromkeys(record.host for record in records if has_address_records(record)))[:MAX_HOSTS]
    questions = [(name, family) for name in names for family in ("A", "AAAA")]
    answers = dict(zip(questions, await resolver.lookup_all(questions) if questions else (), strict=True))
    ips = tuple(dict.fromkeys(str(ip_address(ip)) for answer in answers.values() for ip in answer.names))[
        :MAX_ADDRESSES
    ]
    known = dict(zip(ips, await gather_addresses(ips, resolver), strict=True))
    return tuple(_host(record, answers, known) for record in records)


def _host(record: MxRecord, answers: dict[tuple[str, str], Lookup], known: dict[str, HostAddress]) -> MailHost:
    a, aaaa = answers.get((record.host, "A")), answers.get((record.host, "AAAA"))
    ips = [str(ip_address(ip)) for answer in (a, aaaa) if answer is not None for ip in answer.names]
    # Past MAX_ADDRESSES nothing was asked: not confirmed, not refuted.
    addresses = tuple(known.get(ip, HostAddress(ip, (), None)) for ip in ips)
    return MailHost(record.preference, record.host, addresses, a, aaaa)
