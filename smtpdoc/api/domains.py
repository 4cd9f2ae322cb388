"""auth-check: gather what a domain publishes, diagnose it, report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import ip_address
from typing import TypeVar

from smtpdoc.api.clock import Clock
from smtpdoc.catalog.checks import dkim as dkim_checks
from smtpdoc.catalog.checks import dmarc as dmarc_checks
from smtpdoc.catalog.checks import domain as domain_checks
from smtpdoc.catalog.checks import mx as mx_checks
from smtpdoc.catalog.checks import ptr as ptr_checks
from smtpdoc.catalog.checks import spf as spf_checks
from smtpdoc.errors import TargetError
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.dkim import gather_dkim
from smtpdoc.gather.dmarc import gather_dmarc
from smtpdoc.gather.mx import gather_mx
from smtpdoc.gather.ptr import gather_ptr
from smtpdoc.gather.spf import SpfClient, gather_spf
from smtpdoc.net.budget import BudgetedResolver
from smtpdoc.net.dns import open_resolver
from smtpdoc.report import Report, Section
from smtpdoc.seams import Resolver
from smtpdoc.target import domain_name

T = TypeVar("T")

#: The topics of auth-check, in the order in which they are told.
TOPICS = ("mx", "spf", "dkim", "dmarc", "ptr")

AUTH_CHECK_TIMEOUT_S = 30.0
#: The share of one question with its retries; a dead name server must not use up the whole target's time.
QUESTION_TIMEOUT_S = 5.0


async def auth_check(
    domain: str,
    *,
    resolver: Resolver | None = None,
    selectors: Sequence[str] = (),
    ips: Sequence[str] = (),
    mail_from: str | None = None,
    helo: str | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    nameservers: Sequence[str] = (),
    zone: str | None = None,
    timeout_s: float = AUTH_CHECK_TIMEOUT_S,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Check what a domain publishes for mail: MX, SPF, DKIM, DMARC, and PTR for the addresses in `ips`.

    `resolver` is shared between calls where one is given (its cache too); otherwise one is opened for this call with
    `nameservers` (IP or IP:PORT; the system's when empty) behind the zone file `zone`. Raises TargetError for a
    domain, address, topic or zone file that cannot be read.
    """
    clock = Clock()
    name = domain_name(domain)
    topics = chosen_topics(only, skip)
    clients = [SpfClient(_address(ip), mail_from or f"postmaster@{name}", helo or name) for ip in ips]
    async with AsyncExitStack() as stack:
        if resolver is None:
            source = None
            if zone is not None:
                from smtpdoc.net.zone import load_zone  # zone files bring their own parser along

                source = load_zone(zone, asked=name)
            resolver = await stack.enter_async_context(
                open_resolver(nameservers=nameservers, zone=source, timeout_s=min(QUESTION_TIMEOUT_S, timeout_s))
            )
        asked = BudgetedResolver(resolver, timeout_s)
        evidence = await _gather(name, asked, topics, selectors, clients, helo)
    evidence = replace(evidence, queries=asked.questions, elapsed_s=clock.elapsed_s)
    return clock.report("auth-check", name, evidence, diagnose_domain(evidence), fail_on, ignore)


def chosen_topics(only: Sequence[str], skip: Sequence[str]) -> frozenset[str]:
    """Return the topics to run; raise TargetError for one that does not exist."""
    for topic in (*only, *skip):
        if topic not in TOPICS:
            raise TargetError(f"expected a topic ({', '.join(TOPICS)}), got {topic!r}")
    return frozenset(only or TOPICS) - frozenset(skip)


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise TargetError(f"expected an IP address like 192.0.2.1, got {text!r}") from None


async def _gather(
    domain: str,
    resolver: Resolver,
    topics: frozenset[str],
    selectors: Sequence[str],
    clients: Sequence[SpfClient],
    helo: str | None,
) -> AuthEvidence:
    """Run the topics side by side; whether the domain exists is known from the questions they ask anyway."""
    async with asyncio.TaskGroup() as group:
        present = group.create_task(resolver.lookup_all([(domain, "MX"), (domain, "TXT")]))
        mx = group.create_task(gather_mx(domain, resolver)) if "mx" in topics else None
        spf = group.create_task(gather_spf(domain, resolver, clients=clients)) if "spf" in topics else None
        dkim = group.create_task(gather_dkim(domain, resolver, selectors=selectors)) if "dkim" in topics else None
        dmarc = group.create_task(gather_dmarc(domain, resolver)) if "dmarc" in topics else None
        ips = [client.ip for client in clients]
        ptr = group.create_task(gather_ptr(ips, resolver, helo)) if "ptr" in topics and ips else None
    answers = present.result()
    if any(answer.status is LookupStatus.NXDOMAIN for answer in answers):
        # RFC 8020: nothing exists below it; a dozen "missing" would only hide that
        return AuthEvidence(domain, False, 0, 0.0, ptr=_result(ptr))
    exists = True if any(answer.answered for answer in answers) else None
    return AuthEvidence(
        domain,
        exists,
        0,
        0.0,
        mx=_result(mx),
        spf=_result(spf),
        dkim=_result(dkim),
        dmarc=_result(dmarc),
        ptr=_result(ptr),
        trouble="" if exists else answers[0].detail,
    )


def _result(task: asyncio.Task[T] | None) -> T | None:
    return None if task is None else task.result()


def diagnose_domain(evidence: AuthEvidence) -> tuple[Section, ...]:
    """Return the findings of every topic that ran, in the order of TOPICS."""
    sections = [Section("domain", domain_checks.checks.run(evidence))]
    if evidence.mx is not None:
        sections.append(Section("mx", mx_checks.checks.run(evidence.mx)))
    if evidence.spf is not None:
        sections.append(Section("spf", spf_checks.checks.run(evidence.spf)))
    if evidence.dkim is not None:
        sections.append(Section("dkim", dkim_checks.checks.run(evidence.dkim)))
    if evidence.dmarc is not None:
        sections.append(Section("dmarc", dmarc_checks.checks.run(evidence.dmarc)))
    if evidence.ptr is not None:
        sections.append(Section("ptr", ptr_checks.checks.run(evidence.ptr)))
    if evidence.exists is None:
        sections = [sections[0], *(Section(section.name, _known(section.findings)) for section in sections[1:])]
    return tuple(sections)


def _known(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out what each topic could not tell: the domain's own finding has said that DNS does not answer."""
    return tuple(finding for finding in findings if finding.level is not Level.UNKNOWN)
