"""What a reply means: the value that `explain` answers with and that stands under a probed reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smtpdoc.findings import NO_FACTS, Entry, Fact, Source
from smtpdoc.grammar.reply import Reply


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
class CatalogRow:
    """One entry of the catalog in a list. `provider` is None for a wording or a code that anybody may use."""

    id: str
    reason: str
    title: str
    provider: str | None = None
    code: int | None = None
    enhanced: str | None = None


#: The title of a code's page when it has none.
UNLISTED = "a code that no standard and no list names"


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """What the catalog holds under a name that is no reply.

    `kind` is "code", "reason", "provider", "entry", "finding" or "list"; `rows` are the replies that belong to it, in
    the catalog's order; `finding` is set for the id of a finding.
    """

    kind: str
    name: str
    title: str
    rows: tuple[CatalogRow, ...] = ()
    finding: Entry | None = None


@dataclass(frozen=True, slots=True)
class ExplainEvidence:
    """What `explain` was given, and its answer.

    `explanation` is None for a line without a reply in it and for a page that is a list or a finding; `page` is set
    when a name of the catalog was asked for.
    """

    input: str
    explanation: Explanation | None
    page: CatalogPage | None = None
