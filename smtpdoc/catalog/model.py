"""How the catalog is written: checks that notice something, and entries that explain replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Generic, TypeVar

from smtpdoc.errors import CatalogError
from smtpdoc.evidence.explanation import Retry, Who
from smtpdoc.findings import NO_FACTS, Entry, Fact, Finding, Level, Source

E_contra = TypeVar("E_contra")


class Detail:
    """What a check saw: today's sentence, and what of the entry's words is different today.

    `subject` names the domain, host or record; `fix` and `level` replace the entry's; `paste` holds lines to copy;
    all other keyword arguments become the finding's facts.
    """

    __slots__ = ("facts", "fix", "level", "message", "paste", "subject")

    def __init__(
        self,
        message: str,
        *,
        subject: str = "",
        fix: str | None = None,
        level: Level | None = None,
        paste: tuple[str, ...] = (),
        **facts: Fact,
    ) -> None:
        self.message = message
        self.subject = subject
        self.fix = fix
        self.level = level
        self.paste = paste
        self.facts: Mapping[str, Fact] = MappingProxyType(facts) if facts else NO_FACTS


#: A stranger's record may hold thousands of faults of one kind; nobody reads further than this.
MAX_DETAILS = 50

Check = Callable[[E_contra], Iterator[Detail]]


class CheckSet(Generic[E_contra]):
    """The checks of one topic, in the order in which their findings are told."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._checks: list[tuple[Entry, Check[E_contra]]] = []

    def add(
        self, slug: str, *, title: str, level: Level, why: str, fix: str, sources: tuple[Source, ...] = ()
    ) -> Callable[[Check[E_contra]], Check[E_contra]]:
        """Register a check under the id `topic.slug`; raise CatalogError when the id is taken."""
        entry = Entry(f"{self.topic}.{slug}", title, level, why, fix, sources)
        if any(known.id == entry.id for known, _ in self._checks):
            raise CatalogError(f"two checks have the id {entry.id}")

        def register(check: Check[E_contra]) -> Check[E_contra]:
            self._checks.append((entry, check))
            return check

        return register

    def include(self, *others: CheckSet[E_contra]) -> None:
        """Take over the checks of other sets, after those that are here: a large topic stands in several modules."""
        for other in others:
            self._checks.extend(other._checks)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for entry, _ in self._checks)

    def run(self, evidence: E_contra) -> tuple[Finding, ...]:
        """Return the findings for some evidence, in the order in which the checks were added, MAX_DETAILS of a kind."""
        return tuple(
            Finding(
                id=entry.id,
                level=detail.level or entry.level,
                title=entry.title,
                message=detail.message,
                why=entry.why,
                fix=entry.fix if detail.fix is None else detail.fix,
                subject=detail.subject,
                facts=detail.facts,
                sources=entry.sources,
                paste=detail.paste,
            )
            for entry, check in self._checks
            for detail in islice(check(evidence), MAX_DETAILS)
        )


@dataclass(frozen=True, slots=True)
class ReplyEntry:
    """What we know about one reply: of a provider, a server, a kind of wording, or a code.

    `id` is `provider.what-it-says` ("gmail.dmarc-unauthenticated"), or `phrase.…`, `enhanced.…`, `reply.…`.
    `text` is a regular expression that is searched, without regard to case, in a reply's text with white space
    folded; "" means that the codes decide. `code` and `enhanced` narrow the entry when given; `enhanced` may have
    X for its class ("X.7.26"), and `codes` lists further reply codes. Empty or None fields are filled from the
    reason's own advice (replies/reasons.py). `commands` are smtpdoc commands with {domain}, {ip}, {host}, {address}
    places that are filled with facts of the reply, or left as YOUR.SENDING.IP style words.
    `example` is a real reply with names anonymised: it has to match this entry before any other.
    """

    id: str
    reason: str
    title: str
    meaning: str
    provider: str | None = None
    text: str = ""
    code: int | None = None
    codes: tuple[int, ...] = ()
    enhanced: str | None = None
    causes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    action: str | None = None
    who: Who | None = None
    retry: Retry | None = None
    commands: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    example: str = ""
    examples: tuple[str, ...] = ()
