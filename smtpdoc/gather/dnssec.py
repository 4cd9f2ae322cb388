"""DNSSEC: is the domain signed, as far as the resolver's flags tell (RFC 4035 section 3.2, RFC 6840 section 5.7)."""

from __future__ import annotations

from dataclasses import replace

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.dnssec import DnssecEvidence, DnssecState, ResolverEvidence
from smtpdoc.seams import Resolver

#: The root is signed and has no address: a short answer, which every cache holds.
ROOT_QUESTION = (".", "A")


async def gather_dnssec(domain: str, resolver: Resolver, unchecked: Resolver | None = None) -> DnssecEvidence:
    """Ask for the MX and about the root; then, at once, for what is still open. Two rounds at most.

    `unchecked` answers without DNSSEC validation; without it no domain proves to be bogus.
    """
    mx, root = await resolver.lookup_all([(domain, "MX"), ROOT_QUESTION])
    evidence = DnssecEvidence(domain, DnssecState.UNKNOWN, mx, root)
    if mx.local:
        return evidence  # a zone file is signed when it is published
    if mx.authenticated:
        return replace(evidence, state=DnssecState.SIGNED)
    if not mx.answered:
        if mx.status is not LookupStatus.SERVFAIL or unchecked is None:
            return evidence
        anyway = await unchecked.lookup(domain, "MX")
        state = DnssecState.BOGUS if anyway.answered else DnssecState.UNKNOWN
        return replace(evidence, state=state, unchecked=anyway)
    if evidence.resolver_validates:
        ds, dnskey = await resolver.lookup_all([(domain, "DS"), (domain, "DNSKEY")])
        return replace(evidence, state=DnssecState.UNSIGNED, ds=ds, dnskey=dnskey)
    ds, dnskey, apex = await resolver.lookup_all([(domain, "DS"), (domain, "DNSKEY"), (domain, "NS")])
    # Without DS at a delegation nothing below can be secure. A name inside a zone has none in any case.
    unsigned = ds.void and bool(apex.records)
    state = DnssecState.UNSIGNED if unsigned else DnssecState.UNKNOWN
    return replace(evidence, state=state, ds=ds, dnskey=dnskey, apex=apex)


async def gather_resolver(nonexistent: str, resolver: Resolver) -> ResolverEvidence:
    """Ask for the address of a name that cannot exist."""
    return ResolverEvidence(await resolver.lookup(nonexistent, "A"))
