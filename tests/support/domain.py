"""A domain as auth-check sees it: all topics gathered from a zone in memory, and judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from smtpdoc.api.diagnosis import diagnose_domain
from smtpdoc.api.topics import Job, chosen_topics, gather_topics
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding
from smtpdoc.gather.spf import SpfClient
from smtpdoc.seams import Resolver
from support.zone import Answer, Zone

#: RSA keys of 1024 and 2048 bits, made for tests.
RSA_1024 = (
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDVzNwUmi7II9z2AlFxlhvmydpKxTxr9y57v+uI5QeTGVVqYpvMSMqfAswb"
    "p+9FkN6IDWOWZ2mCvx253bTacWYzTtS2QrJ6B+I5j4I56t+I9Nyaaa9g8vwhaB4ttdD/9SferNxEcgDzIbKuGj6H+nFTVJH9a5FLY9tGGX8RqY9qww"
    "IDAQAB"
)
RSA_2048 = (
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqzuoB0rxWw6S9rY+pUIJFc9uhLCS+P5E/Htu9VTJaOAnUKv7/SRq"
    "ljYdTG5caLS1POC4YtSsJlV9Ifv79FKNnsweWV87v5vc/pFZEUEWW+EOCtXGgoCTP50kBlJIlI9Tdm85d66945NZZwiVXEG9qvS/Bupma03pTwLIx4"
    "vvkinhiAwME1InM6hK2/h405dOSRap320shD/fVBqEg2YstyEAtQJbqgpJZ9VVtTbQvNPMdLX7vpj0jEMc8hFRlCgSE5SHlY2DGbPS+KHrHEQ1Osud"
    "6MdhUwKh17u4UU3PwGyp4g1Ols5XDcUG3iKVA3zLcuvuhUr0kW76hY33q08c5QIDAQAB"
)


def examine(
    answers: Mapping[str, Answer] | Resolver,
    domain: str = "example.com",
    *,
    ips: Sequence[str] = (),
    mail_from: str | None = None,
    only: Sequence[str] = ("mx", "spf", "dkim", "dmarc", "ptr"),
    selectors: Sequence[str] = (),
) -> AuthEvidence:
    """Gather the topics `only` of a domain; without `mail_from` the --ip clients send as postmaster of the domain."""
    resolver = Zone(answers) if isinstance(answers, Mapping) else answers
    clients = [SpfClient(ip, mail_from or f"postmaster@{domain}", domain) for ip in ips]
    job = Job(domain, resolver, chosen_topics(only, ()), selectors=selectors, clients=clients)
    return asyncio.run(gather_topics(job))


def findings_of(evidence: AuthEvidence) -> tuple[Finding, ...]:
    return tuple(finding for section in diagnose_domain(evidence) for finding in section.findings)
