"""The findings of what was looked at beside the sessions; a topic is loaded only where there is something to judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpdoc.catalog.checks import extensions, tls_looks
from smtpdoc.catalog.model import CheckSet
from smtpdoc.evidence.probe import MxHost, ProbeEvidence
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
    if evidence.mx and evidence.mx[0].mx is not None:
        yield Section("mx", tuple(_mx(evidence.mx)))
    if any(session.dane is not None for session in sessions):
        from smtpdoc.catalog.checks import dane

        yield Section("dane", _each(dane.checks, sessions))
    if evidence.mta_sts is not None:
        from smtpdoc.catalog.checks import sts_delivery

        yield Section("mta-sts", sts_delivery.checks.run(evidence))
    if any(session.identity is not None for session in sessions):
        from smtpdoc.catalog.checks import identity

        yield Section("identity", _each(identity.checks, sessions))


#: Checks of MX records that the sessions themselves stand for: they found no address, or reached one.
_SHOWN_BY_SESSIONS = frozenset({"mx.unknown", "mx.no-address", "mx.special-address"})


def _mx(hosts: Sequence[MxHost]) -> Iterator[Finding]:
    """Judge the records that led to the hosts, as auth-check does."""
    from smtpdoc.catalog.checks import mx
    from smtpdoc.evidence.auth import HostAddress, MailHost, MxEvidence, TopicStatus

    lookup = hosts[0].mx
    if lookup is None:
        return
    mail_hosts = tuple(
        MailHost(one.preference, one.host, tuple(HostAddress(ip, (), None) for ip in one.addresses), one.a, one.aaaa)
        for one in hosts
    )
    one_family = any(one.a is None or one.aaaa is None for one in hosts)
    for found in mx.checks.run(MxEvidence(TopicStatus.FOUND, lookup.name, lookup, mail_hosts, implicit=lookup.void)):
        if found.id not in _SHOWN_BY_SESSIONS and not (one_family and found.id == "mx.only-ipv6"):
            yield found


def _each(checks: CheckSet[Transcript], sessions: Sequence[Transcript]) -> tuple[Finding, ...]:
    return tuple(finding for session in sessions for finding in checks.run(session))
