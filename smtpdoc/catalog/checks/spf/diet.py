"""How an SPF record comes down to ten lookups: what can go, what can be written as addresses, what has to move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from smtpdoc.catalog.checks.spf.tree import LOOKUP_LIMIT, changed, editable, named, places
from smtpdoc.evidence.auth import SpfEvidence, SpfNode, SpfTerm
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.senders import own_bounce_domain
from smtpdoc.grammar.spf_terms import A, Directive, is_term, parse_term


@dataclass(frozen=True, slots=True)
class Diet:
    """Terms of one record: `idle` ones can go, `flat` ones can be written as addresses, `costly` ones have to move.

    `lookups` is what the whole tree needs after that.
    """

    node: SpfNode
    idle: tuple[SpfTerm, ...]
    flat: tuple[SpfTerm, ...]
    costly: tuple[SpfTerm, ...]
    lookups: int

    @property
    def record(self) -> str:
        """The record after the diet."""
        gone = {term.offset: "" for term in (*self.idle, *self.costly)}
        return changed(self.node, gone | {term.offset: addresses(term) for term in self.flat})

    @property
    def leaves_senders(self) -> bool:
        """True where somebody is still authorized afterwards."""
        return any(token.lower().lstrip("+-~?") != "all" for token in self.record.split()[1:])


def diet(spf: SpfEvidence) -> Diet | None:
    """Choose just enough terms of the first record: those without effect, then addresses, then the most expensive."""
    node = editable(spf)
    if node is None:
        return None
    by_cost = sorted((term for term in node.terms if term.lookups), key=lambda term: term.lookups, reverse=True)
    again = _again(spf, by_cost)
    left = spf.lookups
    chosen: dict[str, list[SpfTerm]] = {"idle": [], "flat": [], "costly": []}
    stages: tuple[tuple[str, Callable[[SpfTerm], bool]], ...] = (
        ("idle", lambda term: _is_idle(term) or term.offset in again),
        ("flat", lambda term: term.kind == "a" and bool(addresses(term))),
        ("costly", lambda term: term.kind == "include"),
    )
    taken: set[int] = set()
    for name, fits in stages:
        for term in by_cost:
            if left > LOOKUP_LIMIT and term.offset not in taken and fits(term):
                chosen[name].append(term)
                taken.add(term.offset)
                left -= term.lookups
    return Diet(node, tuple(chosen["idle"]), tuple(chosen["flat"]), tuple(chosen["costly"]), left)


def _is_idle(term: SpfTerm) -> bool:
    return (
        term.void or term.kind == "ptr" or (term.kind == "include" and own_bounce_domain(term.target or "") is not None)
    )


def _again(spf: SpfEvidence, terms: list[SpfTerm]) -> set[int]:
    """Return the offsets of includes that stand elsewhere in the tree too, leaving one of each in place."""
    counts = Counter(place.term.target for place in places(spf) if place.term.kind == "include")
    found = set()
    for term in terms:
        if term.kind == "include" and term.target is not None and counts[term.target] > 1:
            counts[term.target] -= 1
            found.add(term.offset)
    return found


def addresses(term: SpfTerm) -> str:
    """Return the ip4 and ip6 terms that an `a` term stands for today; empty where they are not all known."""
    lookups = [lookup for lookup in (term.lookup, term.aaaa) if lookup is not None]
    if not is_term(term.term) or not all(lookup.answered for lookup in lookups):
        return ""
    directive = parse_term(term.term)
    if not isinstance(directive, Directive) or not isinstance(directive.mechanism, A):
        return ""
    sign = directive.qualifier.value if term.term[0] in "+-~?" else ""
    prefix4 = f"/{directive.mechanism.prefix4}".removesuffix("/32")
    prefix6 = f"/{directive.mechanism.prefix6}".removesuffix("/128")
    return " ".join(
        f"{sign}ip6:{address}{prefix6}" if ":" in address else f"{sign}ip4:{address}{prefix4}"
        for lookup in lookups
        for address in lookup.names
    )


def words(spf: SpfEvidence, plan: Diet) -> str:
    """Say what to do, as sentences."""
    where = "" if plan.node.domain == spf.domain else f"In the record of {printable(plan.node.domain)}: "
    said = [f"Remove {printable(term.term)} ({_idle_reason(spf, term)})." for term in plan.idle]
    if plan.flat:
        said.append(
            f"Write {named(term.term for term in plan.flat)} as addresses, which cost no lookup but have to be kept up to "
            "date."
        )
    if plan.costly:
        said.append(
            "Move the most expensive senders to a subdomain with a record of its own, or drop them if they no longer "
            f"send: {named(f'{term.term} ({term.lookups})' for term in plan.costly)}."
        )
    return f"{where}{' '.join(said)} That leaves {plan.lookups} of {LOOKUP_LIMIT}:"


def _idle_reason(spf: SpfEvidence, term: SpfTerm) -> str:
    if term.void:
        return "its name has no records"
    if term.kind == "ptr":
        return "ptr should not be used at all"
    reason = own_bounce_domain(term.target or "")
    if reason is not None:
        return f"{reason}, so SPF at {spf.domain} is not asked"
    return "the same record is included a second time"
