"""Whether a domain is kept out of mail on purpose, by what it publishes."""

from __future__ import annotations

from smtpdoc.evidence.auth import SpfEvidence, TopicStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.grammar.spf import parse_spf
from smtpdoc.grammar.spf_terms import Qualifier


def sends_nothing(evidence: AuthEvidence) -> bool:
    """True for a domain whose SPF record refuses every server: `v=spf1 -all` (RFC 7208 section 10.1.2)."""
    spf = evidence.spf
    return spf is not None and spf.record is not None and refuses_all(spf)


def refuses_all(spf: SpfEvidence) -> bool:
    """True where the record authorizes nobody at all and fails everybody."""
    if spf.record is None or spf.result != "ok":
        return False
    record = parse_spf(spf.record)
    ends_in_fail = record.all is not None and record.all.qualifier is Qualifier.FAIL
    return ends_in_fail and all(directive.qualifier is Qualifier.FAIL for directive in record.directives)


def well_parked(evidence: AuthEvidence) -> bool:
    """True with a null MX, an SPF record that refuses everybody, and p=reject: nothing left to do (RFC 7505)."""
    mx, dmarc = evidence.mx, evidence.dmarc
    return (
        mx is not None
        and mx.null_mx
        and sends_nothing(evidence)
        and dmarc is not None
        and dmarc.status is TopicStatus.FOUND
        and dmarc.applies == "reject"
    )
