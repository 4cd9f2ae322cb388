"""BIMI: the assertion record (draft-brand-indicators-for-message-identification section 7.2)."""

from __future__ import annotations

from smtpdoc.evidence.auth import DmarcEvidence, TopicStatus
from smtpdoc.evidence.transport import BimiEvidence
from smtpdoc.grammar.bimi import parse_bimi
from smtpdoc.seams import Resolver

DEFAULT_SELECTOR = "default"


async def gather_bimi(
    domain: str, resolver: Resolver, dmarc: DmarcEvidence | None = None, selector: str = DEFAULT_SELECTOR
) -> BimiEvidence:
    """Ask for the record at the domain and at its organizational domain (from `dmarc`) at once; the first counts."""
    organizational = dmarc.organizational_domain if dmarc is not None else None
    names = tuple(dict.fromkeys(f"{selector}._bimi.{name}" for name in (domain, organizational) if name))
    lookups = await resolver.lookup_all([(name, "TXT") for name in names])
    for lookup in lookups:
        if not lookup.answered:
            return BimiEvidence(TopicStatus.UNKNOWN, domain, selector, lookups, dmarc=dmarc)
        texts = tuple(txt.text for txt in lookup.txt if txt.text.lower().replace(" ", "").startswith("v=bimi"))
        if texts:
            record = parse_bimi(texts[0])
            status = TopicStatus.FOUND if record.valid and len(texts) == 1 else TopicStatus.INVALID
            return BimiEvidence(status, domain, selector, lookups, lookup.name, texts, record.flags, dmarc)
    return BimiEvidence(TopicStatus.ABSENT, domain, selector, lookups, dmarc=dmarc)
