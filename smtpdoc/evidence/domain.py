"""All that was asked about one domain, topic by topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smtpdoc.evidence.auth import DkimEvidence, DmarcEvidence, MxEvidence, PtrEvidence, SpfEvidence
from smtpdoc.evidence.dnssec import DnssecEvidence, ResolverEvidence
from smtpdoc.evidence.senders import BulkRule
from smtpdoc.evidence.transport import BimiEvidence, MtaStsEvidence, TlsaEvidence, TlsRptEvidence

if TYPE_CHECKING:  # few runs ask block lists
    from smtpdoc.evidence.dnsbl import DnsblEvidence


@dataclass(frozen=True, slots=True)
class AuthEvidence:
    """All topics that ran (None: not asked for, or not worth asking because the domain does not exist).

    `trouble` says in words why DNS did not answer, where `exists` is None; `offline`: only a zone file was asked.
    `bulk_senders` is empty where SPF, DKIM and DMARC were not all asked for, and for a domain that sends no mail.
    """

    domain: str
    exists: bool | None  # None: DNS did not answer; False: NXDOMAIN, and nothing else was asked
    queries: int
    elapsed_s: float
    mx: MxEvidence | None = None
    spf: SpfEvidence | None = None
    dkim: DkimEvidence | None = None
    dmarc: DmarcEvidence | None = None
    ptr: PtrEvidence | None = None
    mta_sts: MtaStsEvidence | None = None
    tls_rpt: TlsRptEvidence | None = None
    tlsa: TlsaEvidence | None = None
    dnssec: DnssecEvidence | None = None
    bimi: BimiEvidence | None = None
    dnsbl: DnsblEvidence | None = None
    resolver: ResolverEvidence | None = None
    trouble: str = ""
    offline: bool = False
    bulk_senders: tuple[BulkRule, ...] = ()
