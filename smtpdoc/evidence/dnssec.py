"""Whether a domain is signed with DNSSEC, and what the resolver that was asked can tell about it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup


class DnssecState(StrEnum):
    """BOGUS: the resolver refuses the answer, and gives it when asked not to check (RFC 4035 section 4.3)."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    BOGUS = "bogus"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DnssecEvidence:
    """`lookup` is the domain's MX, whose AD flag decides; `root` a question about the root, which is signed, so that
    its AD flag says whether the resolver validates at all.

    `ds` and `dnskey` are asked for where the domain does not prove to be signed, `apex` (NS) where the resolver does
    not validate, and `unchecked` where it failed.
    """

    domain: str
    state: DnssecState
    lookup: Lookup
    root: Lookup
    ds: Lookup | None = None
    dnskey: Lookup | None = None
    apex: Lookup | None = None
    unchecked: Lookup | None = None

    @property
    def status(self) -> TopicStatus:
        return {
            DnssecState.SIGNED: TopicStatus.FOUND,
            DnssecState.UNSIGNED: TopicStatus.ABSENT,
            DnssecState.BOGUS: TopicStatus.INVALID,
        }.get(self.state, TopicStatus.UNKNOWN)

    @property
    def resolver_validates(self) -> bool | None:
        """None: the resolver gave no answer about the root, or a zone file did."""
        return validates(self.root)


@dataclass(frozen=True, slots=True)
class ResolverEvidence:
    """What the resolver says about a name that cannot exist (RFC 6761 section 6.4); None: it did not say in time."""

    nonexistent: Lookup | None

    @property
    def rewrites(self) -> bool | None:
        """Whether it invents answers for names that do not exist; None: not known."""
        if self.nonexistent is None or not self.nonexistent.answered or self.nonexistent.local:
            return None
        return bool(self.nonexistent.records)


def validates(root: Lookup) -> bool | None:
    """Return whether the resolver that answered a question about the root validates; None when it is not known."""
    return root.authenticated if root.answered and not root.local else None
