"""The findings of what was looked at beside the sessions; a topic is loaded only where there is something to judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpdoc.catalog.checks import extensions, tls_looks
from smtpdoc.catalog.model import CheckSet
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.findings import Finding
from smtpdoc.report import Section


def with_looks(
    sections: Sequence[Section], evidence: ProbeEvidence, sessions: Sequence[Transcript]
) -> tuple[Section, ...]:
    """Return the sections with these findings added: to "smtp" and "tls", and in sections of their own behind them."""
    more = {"smtp": tuple(_smtp(evidence, sessions)), "tls": _each(tls_looks.checks, sessions)}
    grown = tuple(Section(one.name, (*one.findings, *more.get(one.name, ()))) for one in sections)
    return (*grown, *_own(evidence, sessions))


def _smtp(evidence: ProbeEvidence, sessions: Sequence[Transcript]) -> Iterator[Finding]:
    yield from _each(extensions.checks, sessions)
    if any(session.enforcement is not None for session in sessions):
        from smtpdoc.catalog.checks import enforcement

        yield from _each(enforcement.checks, sessions)
    if len(sessions) > 1:
        from smtpdoc.catalog.checks import parity

        yield from parity.checks.run(ProbeEvidence(tuple(sessions), evidence.mx, evidence.left_out))


def _own(evidence: ProbeEvidence, sessions: Sequence[Transcript]) -> Iterator[Section]:
    if any(session.dane is not None for session in sessions):
        from smtpdoc.catalog.checks import dane

        yield Section("dane", _each(dane.checks, sessions))
    if evidence.mta_sts is not None:
        from smtpdoc.catalog.checks import sts_delivery

        yield Section("mta-sts", sts_delivery.checks.run(evidence))
    if any(session.identity is not None for session in sessions):
        from smtpdoc.catalog.checks import identity

        yield Section("identity", _each(identity.checks, sessions))


def _each(checks: CheckSet[Transcript], sessions: Sequence[Transcript]) -> tuple[Finding, ...]:
    return tuple(finding for session in sessions for finding in checks.run(session))
