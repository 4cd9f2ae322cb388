"""What a reply means: the value that `explain` answers with and that stands under a probed reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from smtpdoc.findings import NO_FACTS, Fact, Source
from smtpdoc.grammar.reply import Reply

if TYPE_CHECKING:  # a reply has no page
    from smtpdoc.evidence.catalog_page import CatalogPage


class Confidence(StrEnum):
    """Which kind of catalog entry decided, best first."""

    EXACT = "exact"  # an entry for this text of this provider
    PATTERN = "pattern"  # words that mean the same wherever they stand
    CODE = "code"  # the enhanced or basic code only
    CLASS = "class"  # the first digit only


class Who(StrEnum):
    """Who must act. `sender` is the person or system that mails, `sender-admin` runs its server or DNS."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    RECEIVER_ADMIN = "receiver-admin"
    SENDER_ADMIN = "sender-admin"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Retry:
    """Whether and when to try again: seconds before each further try, and after how many seconds to give up."""

    should: bool
    schedule_s: tuple[int, ...] = ()
    give_up_s: int | None = None

    @property
    def first_s(self) -> int | None:
        return self.schedule_s[0] if self.schedule_s else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reply explained. See contract.md, "explain -> evidence", for the meaning of each field.

    `reason` is a name of the taxonomy or None when nothing but the class is known; `provider` is None when the
    text could be anybody's. `entries` are catalog ids, most specific first, never empty. `notes` are sentences
    about doubts: codes that contradict each other, a text that contradicts its code.
    """

    reply: Reply
    reply_class: str | None
    reason: str | None
    provider: str | None
    action: str
    retry: Retry
    who: Who
    confidence: Confidence
    title: str
    meaning: str
    causes: tuple[str, ...]
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    entries: tuple[str, ...]
    sources: tuple[Source, ...]
    facts: Mapping[str, Fact] = field(default_factory=lambda: NO_FACTS)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainEvidence:
    """What `explain` was given, and its answer.

    `explanation` is None for a line without a reply in it and for a page that is a list or a finding; `page` is set
    when a name of the catalog was asked for.
    """

    input: str
    explanation: Explanation | None
    page: CatalogPage | None = None
