"""What a domain's TLS-RPT record means (RFC 8460)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.transport import TlsRptEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.tls_rpt import parse_tls_rpt

checks = CheckSet[TlsRptEvidence]("tls-rpt")

_FAULTS = {
    "missing-rua": "rua= is missing",
    "bad-uri": "an address in rua= is neither mailto: nor https:",
    "malformed-field": "a field is malformed",
    "empty-field": "two semicolons follow each other",
}


def _name(rpt: TlsRptEvidence) -> str:
    return f"_smtp._tls.{rpt.domain}"


@checks.add(
    "unknown",
    title="TLS-RPT could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(8460, "3"),),
)
def unknown(rpt: TlsRptEvidence) -> Iterator[Detail]:
    if rpt.status is TopicStatus.UNKNOWN:
        yield Detail(f"DNS gave no answer for {_name(rpt)}", subject=rpt.domain)


@checks.add(
    "missing",
    title="Nobody receives reports about TLS failures",
    level=Level.INFO,
    why="With TLS-RPT senders say daily how many sessions failed and why; without it a broken certificate shows only in missing mail.",
    fix="Publish the TXT record.",
    sources=(rfc(8460, "3"),),
)
def missing(rpt: TlsRptEvidence) -> Iterator[Detail]:
    if rpt.status is TopicStatus.ABSENT:
        yield Detail(
            f"no record at {_name(rpt)}",
            subject=rpt.domain,
            paste=(f"v=TLSRPTv1; rua=mailto:tls-reports@{rpt.domain}",),
        )


@checks.add(
    "several-records",
    title="Two TLS-RPT records at one name",
    level=Level.ERROR,
    why="With more than one record senders act as if there were none.",
    fix="Keep one; its rua= may hold several addresses.",
    sources=(rfc(8460, "3"),),
)
def several_records(rpt: TlsRptEvidence) -> Iterator[Detail]:
    if len(rpt.records) > 1:
        rua = dict.fromkeys(uri for record in map(parse_tls_rpt, rpt.records) for uri in record.rua)
        yield Detail(
            f"{_name(rpt)} has {len(rpt.records)} records",
            subject=_name(rpt),
            paste=(f"v=TLSRPTv1; rua={printable(','.join(rua))}",) if rua else (),
            records=len(rpt.records),
        )


@checks.add(
    "bad-record",
    title="The TLS-RPT record is not valid",
    level=Level.ERROR,
    why="Senders ignore it, so no report arrives.",
    fix="Publish the corrected record; rua= takes mailto: and https: addresses.",
    sources=(rfc(8460, "3"),),
)
def bad_record(rpt: TlsRptEvidence) -> Iterator[Detail]:
    if rpt.flags:
        reasons = "; ".join(_FAULTS[flag] for flag in rpt.flags)
        rua = ",".join(rpt.rua) or f"mailto:tls-reports@{rpt.domain}"
        yield Detail(f"{_name(rpt)}: {reasons}", subject=_name(rpt), paste=(f"v=TLSRPTv1; rua={rua}",), flags=rpt.flags)


ENTRIES = checks.entries
