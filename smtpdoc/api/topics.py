"""The topics of auth-check: what is gathered for each, side by side."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from smtpdoc.errors import TargetError
from smtpdoc.evidence.auth import DmarcEvidence
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.transport import BimiEvidence
from smtpdoc.gather.alignment import with_alignment
from smtpdoc.gather.bimi import DEFAULT_SELECTOR, gather_bimi
from smtpdoc.gather.dkim import gather_dkim
from smtpdoc.gather.dmarc import gather_dmarc
from smtpdoc.gather.dnssec import gather_dnssec, gather_resolver
from smtpdoc.gather.mta_sts import gather_mta_sts
from smtpdoc.gather.mx import gather_mx
from smtpdoc.gather.ptr import gather_ptr
from smtpdoc.gather.spf import SpfClient, gather_spf
from smtpdoc.gather.tls_rpt import gather_tls_rpt
from smtpdoc.gather.tlsa import gather_tlsa
from smtpdoc.seams import PolicySource, Resolver

if TYPE_CHECKING:
    from smtpdoc.evidence.dnsbl import DnsblEvidence

#: The topics that run unless others are named, in the order in which they are told.
USUAL = ("mx", "spf", "dkim", "dmarc", "ptr", "mta-sts", "tls-rpt", "tlsa", "dnssec", "bimi")
#: Runs only when it is named: block lists learn who is asked about, and count who asks. Loaded only then, too.
DNSBL = "dnsbl"
TOPICS = (*USUAL, DNSBL)

#: A name that nobody can have registered (RFC 6761 section 6.4), the same for the whole run: it is asked for once.
NONEXISTENT = f"smtpdoc-{secrets.token_hex(6)}.invalid"

_OTHER_NAMES = {"dane": "tlsa", "mtasts": "mta-sts", "tlsrpt": "tls-rpt"}


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted about one domain, and whom to ask.

    Without `policies` no policy file is fetched; `unchecked` answers what fails DNSSEC (seams.CheckingResolver).
    """

    domain: str
    resolver: Resolver
    topics: frozenset[str]
    selectors: Sequence[str] = ()
    clients: Sequence[SpfClient] = ()
    helo: str | None = None
    policies: PolicySource | None = None
    unchecked: Resolver | None = None

    @property
    def ips(self) -> list[str]:
        return [client.ip for client in self.clients]


def chosen_topics(only: Sequence[str], skip: Sequence[str], *, dnsbl: bool = False) -> frozenset[str]:
    """Return the topics to run; raise TargetError for one that does not exist.

    >>> sorted(chosen_topics(["SPF", "mta_sts", "dane"], ["spf"]))
    ['mta-sts', 'tlsa']
    """
    wanted = frozenset(map(_topic, only)) if only else frozenset(USUAL)
    return (wanted | {DNSBL} if dnsbl else wanted) - frozenset(map(_topic, skip))


def _topic(name: str) -> str:
    topic = name.strip().lower().replace("_", "-")
    topic = _OTHER_NAMES.get(topic, topic)
    if topic not in TOPICS:
        raise TargetError(f"expected a topic ({', '.join(TOPICS)}), got {name!r}")
    return topic


async def gather_topics(job: Job) -> AuthEvidence:
    """Run the topics side by side, and look meanwhile at what the resolver does to names that do not exist."""
    rewriting = asyncio.create_task(gather_resolver(NONEXISTENT, job.resolver))
    try:
        evidence = await _gather(job)
        # Nobody waits for this one: some firewalls swallow such questions.
        return replace(evidence, resolver=rewriting.result() if rewriting.done() else None)
    finally:
        rewriting.cancel()


async def _gather(job: Job) -> AuthEvidence:
    """Run the topics; whether the domain exists is known from the questions they ask anyway."""
    domain, resolver = job.domain, job.resolver
    async with asyncio.TaskGroup() as group:
        present = group.create_task(resolver.lookup_all([(domain, "MX"), (domain, "TXT")]))
        work: dict[str, Callable[[], Awaitable[Any]]] = {
            "mx": lambda: gather_mx(domain, resolver),
            "spf": lambda: gather_spf(domain, resolver, clients=job.clients),
            "dkim": lambda: gather_dkim(domain, resolver, selectors=job.selectors),
            "mta-sts": lambda: gather_mta_sts(domain, resolver, job.policies),
            "tls-rpt": lambda: gather_tls_rpt(domain, resolver),
            "tlsa": lambda: gather_tlsa(domain, resolver, job.unchecked),
            "dnssec": lambda: gather_dnssec(domain, resolver, job.unchecked),
            DNSBL: lambda: _dnsbl(domain, job.ips, resolver),
        }
        if job.topics & {"dmarc", "bimi"}:
            dmarc = group.create_task(gather_dmarc(domain, resolver))
            work["dmarc"] = lambda: dmarc
            work["bimi"] = lambda: _bimi(domain, resolver, dmarc)  # BIMI rests on DMARC
        if job.ips:
            work["ptr"] = lambda: gather_ptr(job.ips, resolver, job.helo)
        running = {topic: group.create_task(_run(begin)) for topic, begin in work.items() if topic in job.topics}
    found = {topic.replace("-", "_"): task.result() for topic, task in running.items()}
    answers = present.result()
    if any(answer.status is LookupStatus.NXDOMAIN for answer in answers):
        # RFC 8020: nothing exists below it; a dozen "missing" would only hide that
        return AuthEvidence(domain, False, 0, 0.0, ptr=found.get("ptr"), dnsbl=found.get(DNSBL))
    exists = True if any(answer.answered for answer in answers) else None
    evidence = AuthEvidence(domain, exists, 0, 0.0, trouble="" if exists else answers[0].detail)
    evidence = await with_alignment(replace(evidence, **found), resolver)
    from smtpdoc.catalog.bulk_senders import bulk_senders  # the catalog is loaded while answers are on their way

    return replace(evidence, bulk_senders=bulk_senders(evidence))


async def _run(begin: Callable[[], Awaitable[Any]]) -> Any:
    return await begin()


async def _dnsbl(domain: str, ips: Sequence[str], resolver: Resolver) -> DnsblEvidence:
    from smtpdoc.gather.dnsbl import gather_dnsbl

    return await gather_dnsbl(domain, ips, resolver)


async def _bimi(domain: str, resolver: Resolver, dmarc: Awaitable[DmarcEvidence]) -> BimiEvidence:
    """Ask for the domain's own record now, so that only a subdomain's fallback has to wait for DMARC."""
    _, policy = await asyncio.gather(resolver.lookup(f"{DEFAULT_SELECTOR}._bimi.{domain}", "TXT"), dmarc)
    return await gather_bimi(domain, resolver, policy)
