"""TLS-RPT: who wants reports about TLS failures (RFC 8460 section 3)."""

from __future__ import annotations

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.transport import TlsRptEvidence
from smtpdoc.grammar.tls_rpt import parse_tls_rpt
from smtpdoc.seams import Resolver


async def gather_tls_rpt(domain: str, resolver: Resolver) -> TlsRptEvidence:
    """Ask for the record at `_smtp._tls`."""
    lookup = await resolver.lookup(f"_smtp._tls.{domain}", "TXT")
    records = tuple(record for record in (parse_tls_rpt(txt.text) for txt in lookup.txt) if record.is_tls_rpt)
    texts = tuple(record.text for record in records)
    if not records:
        return TlsRptEvidence(TopicStatus.ABSENT if lookup.answered else TopicStatus.UNKNOWN, domain, lookup)
    # Section 3: with more than one record, senders act as if there were none.
    status = TopicStatus.FOUND if len(records) == 1 and records[0].valid else TopicStatus.INVALID
    return TlsRptEvidence(status, domain, lookup, texts, records[0].rua, records[0].flags)
