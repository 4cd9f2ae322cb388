"""Whether the domain is there at all: one finding instead of a dozen that are missing something.

What shows only when all topics are seen together is in domain_whole.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks import domain_whole
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Level, rfc

checks = CheckSet[AuthEvidence]("domain")


@checks.add(
    "does-not-exist",
    title="The domain does not exist",
    level=Level.ERROR,
    why="DNS answers NXDOMAIN: the name is not registered, or its zone is not delegated. Nothing can exist below it, so nothing else was checked.",
    fix="Check the spelling; if it is right, register the domain or have its zone delegated.",
    sources=(rfc(8020, "2"),),
)
def does_not_exist(evidence: AuthEvidence) -> Iterator[Detail]:
    if evidence.exists is False:
        yield Detail(f"DNS answers NXDOMAIN for {evidence.domain}", subject=evidence.domain)


@checks.add(
    "no-answer",
    title="DNS gave no answer about the domain",
    level=Level.UNKNOWN,
    why="The name servers of the domain, or the resolver that was asked, did not answer. That says nothing about what the domain publishes.",
    fix="Try another resolver with --nameserver. If that fails too, check the domain's delegation, its DNSSEC signatures and its firewalls.",
    sources=(rfc(2308, "7"),),
)
def no_answer(evidence: AuthEvidence) -> Iterator[Detail]:
    if evidence.exists is None:
        yield Detail(
            f"no DNS answer about {evidence.domain}" + (f": {evidence.trouble}" if evidence.trouble else ""),
            subject=evidence.domain,
        )


checks.include(domain_whole.checks)

ENTRIES = checks.entries
