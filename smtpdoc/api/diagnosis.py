"""What the evidence of auth-check means: the checks of each topic, and what is left out where DNS gave no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from smtpdoc.api.topics import DNSBL, TOPICS
from smtpdoc.catalog.checks import bimi as bimi_checks
from smtpdoc.catalog.checks import dkim as dkim_checks
from smtpdoc.catalog.checks import dmarc as dmarc_checks
from smtpdoc.catalog.checks import dns as dns_checks
from smtpdoc.catalog.checks import dnssec as dnssec_checks
from smtpdoc.catalog.checks import domain as domain_checks
from smtpdoc.catalog.checks import mta_sts as mta_sts_checks
from smtpdoc.catalog.checks import mx as mx_checks
from smtpdoc.catalog.checks import ptr as ptr_checks
from smtpdoc.catalog.checks import spf as spf_checks
from smtpdoc.catalog.checks import tls_rpt as tls_rpt_checks
from smtpdoc.catalog.checks import tlsa as tlsa_checks
from smtpdoc.catalog.checks.domain_whole import in_context
from smtpdoc.catalog.model import CheckSet
from smtpdoc.evidence.dnssec import DnssecState
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding, Level
from smtpdoc.report import Section

#: The checks of each topic. A topic's evidence is the attribute of AuthEvidence with its name, "-" written "_".
CHECKS: Mapping[str, CheckSet[Any]] = MappingProxyType(
    {
        "mx": mx_checks.checks,
        "spf": spf_checks.checks,
        "dkim": dkim_checks.checks,
        "dmarc": dmarc_checks.checks,
        "ptr": ptr_checks.checks,
        "mta-sts": mta_sts_checks.checks,
        "tls-rpt": tls_rpt_checks.checks,
        "tlsa": tlsa_checks.checks,
        "dnssec": dnssec_checks.checks,
        "bimi": bimi_checks.checks,
    }
)


def diagnose_domain(evidence: AuthEvidence) -> tuple[Section, ...]:
    """Return the findings of every topic that ran, in the order of TOPICS."""
    whole = domain_checks.checks.run(evidence)
    bogus = evidence.dnssec is not None and evidence.dnssec.state is DnssecState.BOGUS
    if bogus:
        # its own finding says why there is no answer, and what to do
        whole = tuple(finding for finding in whole if finding.id != "domain.no-answer")
    sections = [Section("domain", whole)]
    if evidence.resolver is not None:
        sections.append(Section("dns", dns_checks.checks.run(evidence.resolver)))
    for topic in TOPICS:
        gathered = getattr(evidence, topic.replace("-", "_"))
        if gathered is not None:
            found = in_context(evidence, _checks(topic).run(gathered))
            if evidence.exists is None or bogus:
                found = _known(found)
            elif evidence.offline:
                found = tuple(map(_not_asked, found))
            sections.append(Section(topic, found))
    return tuple(sections)


def _checks(topic: str) -> CheckSet[Any]:
    if topic == DNSBL:
        from smtpdoc.catalog.checks import dnsbl

        return dnsbl.checks
    return CHECKS[topic]


#: What the user asked for by name stays without a verdict when offline.
_ASKED_FOR = frozenset({"spf.client-temperror"})


def _not_asked(finding: Finding) -> Finding:
    """Make a note of what lies outside the zone file: with --offline it was left out on purpose."""
    if finding.level is not Level.UNKNOWN or finding.id in _ASKED_FOR:
        return finding
    return replace(finding, level=Level.INFO, message=f"{finding.message} (offline: only the zone file was asked)")


def _known(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out what each topic could not tell: the domain's own finding has said why DNS does not answer."""
    return tuple(finding for finding in findings if finding.level is not Level.UNKNOWN)
