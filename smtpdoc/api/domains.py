"""auth-check: gather what a domain publishes, diagnose it, report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from importlib import import_module
from ipaddress import ip_address

from smtpdoc.api.clock import Clock
from smtpdoc.api.topics import Job, chosen_topics, gather_topics
from smtpdoc.errors import TargetError
from smtpdoc.evidence.transport import PolicyFile
from smtpdoc.findings import Level
from smtpdoc.gather.spf import SpfClient
from smtpdoc.net.budget import BudgetedResolver
from smtpdoc.net.dns import open_resolver
from smtpdoc.report import Report
from smtpdoc.seams import PolicySource, Resolver
from smtpdoc.target import domain_name

AUTH_CHECK_TIMEOUT_S = 30.0
#: The share of one question with its retries; a dead name server must not use up the whole target's time.
QUESTION_TIMEOUT_S = 5.0

#: Piece by piece, so that answers are read in between.
_NEEDED_LATER = (
    "smtpdoc.catalog.model",
    "smtpdoc.catalog.checks.spf",
    "smtpdoc.catalog.checks.dkim",
    "smtpdoc.catalog.checks.dmarc",
    "smtpdoc.catalog.bulk_senders",
    "smtpdoc.api.diagnosis",
)
BREATH_S = 0.004


def question_time_s(timeout_s: float) -> float:
    """Return the time for one question of a target: less than the target's, so that the answer says who was silent."""
    return min(QUESTION_TIMEOUT_S, 0.8 * timeout_s)


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
    dnsbl: bool = False,
    nameservers: Sequence[str] = (),
    zone: str | None = None,
    offline: bool = False,
    policies: PolicySource | None = None,
    timeout_s: float = AUTH_CHECK_TIMEOUT_S,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Check what a domain publishes for mail: MX, SPF, DKIM, DMARC, TLS, BIMI, and PTR for the addresses in `ips`.

    `resolver` is shared between calls where one is given (its cache too); otherwise one is opened for this call with
    `nameservers` (IP or IP:PORT; the system's when empty) behind the zone file `zone`.
    With `offline` nothing but that file is asked. `dnsbl` asks block lists about the domain and its addresses.
    `policies` fetches MTA-STS policies (over HTTPS when None).
    Raises TargetError for a domain, address, topic or zone file that cannot be read.
    """
    clock = Clock()
    name = domain_name(domain)
    topics = chosen_topics(only, skip, dnsbl=dnsbl)
    if offline and zone is None and resolver is None:
        raise TargetError("expected a zone file to read when offline")
    clients = [SpfClient(_address(ip), mail_from or f"postmaster@{name}", helo or name) for ip in ips]
    async with AsyncExitStack() as stack:
        if resolver is None:
            source = None
            if zone is not None:
                from smtpdoc.net.zone import load_zone  # zone files bring their own parser along

                source = load_zone(zone, asked=name)
            question_s = question_time_s(timeout_s)
            resolver = await stack.enter_async_context(
                open_resolver(nameservers=nameservers, zone=source, timeout_s=question_s, offline=offline)
            )
            await stack.enter_async_context(loading())
        asked = BudgetedResolver(resolver, timeout_s)
        if policies is None and not offline:
            policies = _Https(asked)
        evidence = await gather_topics(Job(name, asked, topics, selectors, clients, helo, policies, asked.unchecked()))
    from smtpdoc.api.diagnosis import diagnose_domain

    evidence = replace(evidence, queries=asked.questions, elapsed_s=clock.elapsed_s, offline=offline)
    return clock.report("auth-check", name, evidence, diagnose_domain(evidence), fail_on, ignore)


@asynccontextmanager
async def loading(then: Callable[[], None] | None = None) -> AsyncGenerator[None, None]:
    """Load what judges the evidence while the first answers are on their way, and call `then` after that."""

    async def load() -> None:
        for module in _NEEDED_LATER:
            await asyncio.sleep(BREATH_S)
            import_module(module)
        if then is not None:
            then()

    task = asyncio.create_task(load())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()


class _Https:
    """A PolicySource that is loaded when there is a policy to fetch; most domains have none."""

    def __init__(self, resolver: BudgetedResolver) -> None:
        self._resolver = resolver

    async def fetch_policy(self, url: str) -> PolicyFile:
        from smtpdoc.net.https import HttpsPolicies

        return await HttpsPolicies(self._resolver, deadline=self._resolver.deadline).fetch_policy(url)


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise TargetError(f"expected an IP address like 192.0.2.1, got {text!r}") from None
