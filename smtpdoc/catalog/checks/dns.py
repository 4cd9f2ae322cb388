"""What the resolver itself does to the answers that all other checks rest on."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.dnssec import ResolverEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[ResolverEvidence]("dns")


@checks.add(
    "resolver-rewrites-nxdomain",
    title="The resolver invents answers for names that do not exist",
    level=Level.WARNING,
    why="It answers with an address of its own, usually of a search page, where it ought to say NXDOMAIN. Hosts that are gone then seem to exist, block lists seem to list everything, and nothing that is missing is found out. Other findings of this run may be wrong.",
    fix="Switch that service off at the provider, or ask another resolver: --nameserver IP.",
    sources=(rfc(8020, "2"), rfc(6761, "6.4")),
)
def rewrites_nxdomain(resolver: ResolverEvidence) -> Iterator[Detail]:
    if resolver.rewrites and resolver.nonexistent is not None:
        answer = ", ".join(printable(name) for name in resolver.nonexistent.names[:3])
        yield Detail(
            f"the resolver answers {answer} for {resolver.nonexistent.name}, a name that cannot exist",
            subject=resolver.nonexistent.name,
        )


ENTRIES = checks.entries
