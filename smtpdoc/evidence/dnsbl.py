"""What DNS block lists said about a domain and its addresses, and whether they work at all. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup
from smtpdoc.grammar.dnsbl import BlockList


class ListState(StrEnum):
    """What the test points of a list show (RFC 5782 section 5). Only a WORKING list is believed.

    BROKEN: it does not list what every list must, or lists what none may. REFUSES: it answers with an error, so it
    works for others. UNKNOWN: it did not answer.
    """

    WORKING = "working"
    BROKEN = "broken"
    REFUSES = "refuses"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """Why something was looked up: an address named with --ip, one of an MX host, or the domain itself."""

    SENDER = "sender"
    MX = "mx"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class ListHealth:
    """`detail` says in words what is wrong, and is empty for a list that works."""

    block_list: BlockList
    state: ListState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """An address or a domain that was looked up; `host` is the MX host that an address belongs to."""

    name: str
    role: Role
    host: str | None = None


@dataclass(frozen=True, slots=True)
class DnsblAnswer:
    """What one working list says about one subject.

    `listed` is None where it did not say: no answer, or an error in `error`. `reason` is the list's own text (TXT).
    """

    block_list: BlockList
    subject: Subject
    lookup: Lookup
    listed: bool | None
    meanings: tuple[str, ...] = ()
    error: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DnsblEvidence:
    """`lists` are all that were asked; `answers` those of the working ones, list by list."""

    domain: str
    lists: tuple[ListHealth, ...]
    subjects: tuple[Subject, ...]
    answers: tuple[DnsblAnswer, ...] = ()

    @property
    def listed(self) -> tuple[DnsblAnswer, ...]:
        return tuple(answer for answer in self.answers if answer.listed)

    @property
    def status(self) -> TopicStatus:
        """FOUND: something is listed. UNKNOWN: no list said anything."""
        if self.listed:
            return TopicStatus.FOUND
        told = any(answer.listed is False for answer in self.answers)
        return TopicStatus.ABSENT if told else TopicStatus.UNKNOWN
