"""MTA-STS: the record, the policy host and, through a seam, the policy (RFC 8461 section 3)."""

from __future__ import annotations

from dataclasses import replace

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.transport import MtaStsEvidence
from smtpdoc.grammar.mta_sts import parse_sts_record
from smtpdoc.seams import PolicySource, Resolver


async def gather_mta_sts(domain: str, resolver: Resolver, source: PolicySource | None = None) -> MtaStsEvidence:
    """Ask for the record, the policy host and the MX at once; then fetch the policy where a `source` is given."""
    host = f"mta-sts.{domain}"
    lookup, a, aaaa, mx = await resolver.lookup_all(
        [(f"_mta-sts.{domain}", "TXT"), (host, "A"), (host, "AAAA"), (domain, "MX")]
    )
    records = tuple(record for record in (parse_sts_record(txt.text) for txt in lookup.txt) if record.is_sts)
    evidence = MtaStsEvidence(
        status=TopicStatus.ABSENT if lookup.answered else TopicStatus.UNKNOWN,
        domain=domain,
        lookup=lookup,
        host_lookups=(a, aaaa),
        records=tuple(record.text for record in records),
        mx_hosts=tuple(record.host for record in mx.mx if record.host != ".") if mx.answered else None,
    )
    if not records:
        return evidence
    # Section 3.1: with any number of records other than one, senders act as if there were none.
    valid = len(records) == 1 and records[0].valid
    evidence = replace(
        evidence,
        status=TopicStatus.FOUND if valid else TopicStatus.INVALID,
        id=records[0].id,
        flags=records[0].flags,
    )
    if source is None or LookupStatus.FOUND not in (a.status, aaaa.status):
        return evidence
    return replace(evidence, file=await source.fetch_policy(f"https://{host}/.well-known/mta-sts.txt"))
