"""DANE: the TLSA records of mail hosts, and whether senders may look at them (RFC 7672 section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.evidence.dnssec import validates
from smtpdoc.evidence.transport import TlsaEvidence, TlsaHost
from smtpdoc.gather.dnssec import ROOT_QUESTION
from smtpdoc.gather.mx import MAX_HOSTS, has_address_records
from smtpdoc.seams import Resolver
from smtpdoc.target import SMTP_PORT

_Question: TypeAlias = "tuple[str, str]"


async def gather_tlsa(domain: str, resolver: Resolver, unchecked: Resolver | None = None) -> TlsaEvidence:
    """Ask for the MX and whether the resolver validates, then about the hosts.

    `unchecked` answers without DNSSEC validation; without it no answer proves to be bogus.
    """
    mx, root = await resolver.lookup_all([(domain, "MX"), ROOT_QUESTION])
    usable = (record for record in mx.mx if record.host != "." and has_address_records(record))
    ordered = sorted(usable, key=lambda record: record.preference)
    hosts = tuple(dict.fromkeys(record.host for record in ordered))[:MAX_HOSTS]
    if not hosts:
        return TlsaEvidence(TopicStatus.ABSENT if mx.answered else TopicStatus.UNKNOWN, domain, mx)
    found = await gather_tlsa_hosts(hosts, SMTP_PORT, resolver, unchecked)
    return TlsaEvidence(_status(found), domain, mx, found, validates(root))


def _status(hosts: tuple[TlsaHost, ...]) -> TopicStatus:
    if any(host.records for host in hosts):
        return TopicStatus.FOUND
    return TopicStatus.ABSENT if all(host.lookup.answered for host in hosts) else TopicStatus.UNKNOWN


async def gather_tlsa_hosts(
    hosts: Sequence[str], port: int, resolver: Resolver, unchecked: Resolver | None = None
) -> tuple[TlsaHost, ...]:
    """Ask for the hosts' addresses and TLSA records, then about the aliases among them, then whether what failed is
    there without DNSSEC: three rounds at most."""
    told = await _ask(resolver, [one for host in hosts for one in (*_addresses(host), _tlsa(host, port))])
    more: list[_Question] = []
    for host in hosts:
        address = _address(told, host)
        if address.aliases:
            more.append(_tlsa(address.aliases[-1], port))
            more += [] if _is_secure(address) else [(host, "CNAME")]
    told |= await _ask(resolver, more)
    found = tuple(_host(told, host, port) for host in hosts)
    if unchecked is None:
        return found
    failed = {(one.name, one.rdtype) for host in found for one in (host.address, host.lookup) if _is_failure(one)}
    anyway = await _ask(unchecked, sorted(failed))
    bogus = {question for question, one in anyway.items() if one.answered}
    return tuple(replace(host, bogus=_among(bogus, host.address, host.lookup)) for host in found)


async def _ask(resolver: Resolver, questions: Sequence[_Question]) -> dict[_Question, Lookup]:
    return dict(zip(questions, await resolver.lookup_all(questions), strict=True)) if questions else {}


def _addresses(host: str) -> tuple[_Question, _Question]:
    return (host, "A"), (host, "AAAA")


def _tlsa(host: str, port: int) -> _Question:
    return f"_{port}._tcp.{host}", "TLSA"


def _address(told: Mapping[_Question, Lookup], host: str) -> Lookup:
    """Return the answer that has addresses, else the one that failed."""
    both = [told[question] for question in _addresses(host)]
    found = [one for one in both if one.status is LookupStatus.FOUND]
    return next(iter(found + [one for one in both if not one.answered] + both))


def _host(told: Mapping[_Question, Lookup], host: str, port: int) -> TlsaHost:
    """Choose the name that senders take the records from (RFC 7672 section 2.2.2)."""
    address, lookup = _address(told, host), told[_tlsa(host, port)]
    alias = told.get((host, "CNAME"))
    if alias is not None and alias.authenticated:
        # The alias is secure, only what it leads to is not: senders look at the alias's own name alone.
        address = alias
    elif address.aliases:
        canonical = told[_tlsa(address.aliases[-1], port)]
        lookup = canonical if canonical.tlsa or not canonical.answered else lookup
    secure = _is_secure(address) and _is_secure(lookup)
    return TlsaHost(host, lookup.name, lookup, secure, lookup.tlsa, address)


def _is_secure(lookup: Lookup) -> bool:
    """What a zone file answers is signed when it is published."""
    return lookup.authenticated or lookup.local


def _is_failure(lookup: Lookup) -> bool:
    return lookup.status is LookupStatus.SERVFAIL


def _among(questions: set[_Question], *lookups: Lookup) -> tuple[Lookup, ...]:
    return tuple(one for one in lookups if (one.name, one.rdtype) in questions)
