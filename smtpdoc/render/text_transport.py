"""The lines of `auth-check` about TLS and about the logo."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dnssec import DnssecEvidence, DnssecState
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.transport import BimiEvidence, MtaStsEvidence, TlsaEvidence, TlsRptEvidence
from smtpdoc.grammar.bimi import parse_bimi

#: The topics of the TLS line, and the notes that only repeat what it says.
TLS_TOPICS = ("mta-sts", "tls-rpt", "tlsa", "dnssec")
SAID_BY_TLS_LINE = frozenset(
    {"mta-sts.missing", "tls-rpt.missing", "tlsa.missing", "dnssec.unsigned", "dnssec.not-validated"}
)


NO_RECORD = "no record"
UNDETERMINED = "could not be determined"


def tls_words(evidence: AuthEvidence) -> str:
    """Return the TLS line, what there is before what is missing; "" when none of its topics ran."""
    parts = sorted(_tls_parts(evidence), key=lambda part: part.startswith("no "))
    open_parts = [part for part in parts if part.endswith(UNDETERMINED)]
    if len(open_parts) < 2:
        return ", ".join(parts)
    known = [part for part in parts if part not in open_parts]
    rest = f"the rest {UNDETERMINED}" if known else f"{UNDETERMINED}: DNS did not answer"
    return ", ".join([*known, rest])


def _tls_parts(evidence: AuthEvidence) -> Iterator[str]:
    if evidence.mta_sts is not None:
        yield _mta_sts_words(evidence.mta_sts)
    if evidence.tls_rpt is not None:
        yield _tls_rpt_words(evidence.tls_rpt)
    if evidence.tlsa is not None:
        yield _dane_words(evidence.tlsa)
    if evidence.dnssec is not None and not evidence.dnssec.lookup.local:
        yield _dnssec_words(evidence.dnssec)


def _mta_sts_words(sts: MtaStsEvidence) -> str:
    match sts.status:
        case TopicStatus.UNKNOWN:
            return "MTA-STS could not be determined"
        case TopicStatus.ABSENT:
            return "no MTA-STS"
        case TopicStatus.INVALID:
            return "MTA-STS record broken"
    if sts.file is None:
        return "MTA-STS record, policy not fetched"
    policy = sts.file.policy
    if policy is None:
        return "MTA-STS without a policy" if sts.file.answered else "MTA-STS policy could not be determined"
    if not policy.valid:
        return "MTA-STS policy broken"
    return {"enforce": "MTA-STS enforced", "testing": "MTA-STS in testing"}.get(policy.mode or "", "MTA-STS mode none")


def _tls_rpt_words(rpt: TlsRptEvidence) -> str:
    return {
        TopicStatus.FOUND: "TLS-RPT",
        TopicStatus.ABSENT: "no TLS-RPT",
        TopicStatus.INVALID: "TLS-RPT record broken",
    }.get(rpt.status, "TLS-RPT could not be determined")


def _dane_words(tlsa: TlsaEvidence) -> str:
    if any(host.bogus for host in tlsa.hosts):
        return "DANE broken (DNSSEC fails for a mail host)"
    if tlsa.status is TopicStatus.UNKNOWN:
        return "DANE could not be determined"
    with_records = [host for host in tlsa.hosts if host.records]
    if not with_records:
        return "no DANE"
    if not all(host.secure for host in with_records):
        seen = tlsa.resolver_validates is not False
        return "DANE records without DNSSEC" if seen else "DANE records, DNSSEC not seen"
    if len(with_records) < len(tlsa.hosts):
        return f"DANE on {len(with_records)} of {len(tlsa.hosts)} hosts"
    return "DANE"


def _dnssec_words(dnssec: DnssecEvidence) -> str:
    match dnssec.state:
        case DnssecState.SIGNED:
            return "DNSSEC"
        case DnssecState.UNSIGNED:
            return "no DNSSEC"
        case DnssecState.BOGUS:
            return "DNSSEC broken"
    if dnssec.lookup.answered:
        return "DNSSEC unknown to this resolver"
    return "DNSSEC could not be determined"


def bimi_words(bimi: BimiEvidence) -> str:
    if bimi.status is TopicStatus.UNKNOWN:
        return "could not be determined: DNS did not answer"
    if bimi.status is TopicStatus.ABSENT:
        return NO_RECORD
    record = parse_bimi(bimi.records[0])
    if bimi.status is TopicStatus.INVALID:
        return "a record that receivers will not use"
    if record.declined:
        return "declined: no logo is to be shown"
    certified = "with a mark certificate" if record.evidence else "without a mark certificate"
    return f"{certified}, logo {record.location}"
