"""What the checks of SPF share: the way through a tree, and writing corrected records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from smtpdoc.evidence.auth import SpfEvidence, SpfNode, SpfTerm
from smtpdoc.grammar.names import is_within, special_use
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.spf import SpfRecord, corrected, parse_spf, rewrite
from smtpdoc.grammar.spf_terms import Directive, Ip4, Ip6

#: RFC 7208 section 4.6.4.
LOOKUP_LIMIT = 10
VOID_LIMIT = 2
MX_LIMIT = 10

#: RFC 7208 section 3.4: a record in 450 octets keeps the answer within 512.
RECORD_OCTETS = 450
ANSWER_OCTETS = 512

#: Terms named in one sentence; a record with more of a kind was not written by hand.
MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A term, the node it stands in, and the domains from the first record down to that node."""

    term: SpfTerm
    node: SpfNode
    trail: tuple[str, ...]


def nodes(spf: SpfEvidence) -> Iterator[tuple[SpfNode, tuple[str, ...]]]:
    """Yield every node with the domains that lead to it, each domain's record once, from the top down."""
    if spf.tree is not None:
        yield from _below(spf.tree, (spf.tree.domain,))


def _below(node: SpfNode, trail: tuple[str, ...]) -> Iterator[tuple[SpfNode, tuple[str, ...]]]:
    if node.cycle or node.repeated:
        return
    yield node, trail
    for term in node.terms:
        if term.child is not None:
            yield from _below(term.child, (*trail, term.child.domain))


def places(spf: SpfEvidence) -> Iterator[Place]:
    """Yield every term of every record once, from the top down."""
    for node, trail in nodes(spf):
        for term in node.terms:
            yield Place(term, node, trail)


def distinct(spf: SpfEvidence) -> Iterator[Place]:
    """Yield as places() does, but a term that a record repeats word for word only once."""
    seen: set[tuple[str, str]] = set()
    for place in places(spf):
        key = (place.node.domain, place.term.term.lower())
        if key not in seen:
            seen.add(key)
            yield place


def records(spf: SpfEvidence) -> Iterator[tuple[SpfNode, SpfRecord]]:
    """Yield every node that has a record, with the record read again."""
    for node, _ in nodes(spf):
        if node.record is not None:
            yield node, parse_spf(node.record)


def owned(spf: SpfEvidence, node: SpfNode) -> bool:
    """True where the record is most likely edited by whoever runs the domain."""
    return is_within(node.domain, spf.domain)


def editable(spf: SpfEvidence) -> SpfNode | None:
    """Return the node whose record has to change: the first, or what it does nothing but redirect to."""
    node = spf.tree
    while node is not None and node.record is not None:
        behind = [term for term in node.terms if term.kind == "redirect" and term.child is not None]
        if any(term.kind == "include" for term in node.terms) or not behind or behind[0].child is None:
            return node
        child = behind[0].child
        if child.cycle or child.record is None or not owned(spf, child):
            return node
        node = child
    return None


def without(node: SpfNode, *terms: SpfTerm) -> str:
    """Return a node's record without some of its terms."""
    gone = {term.offset for term in terms}
    return changed(node, dict.fromkeys(gone, ""))


def changed(node: SpfNode, changes: dict[int, str]) -> str:
    """Return a node's record with the tokens at some offsets replaced, on single spaces, known faults put right.

    A record to paste never ends in +all: it says ~all there.
    """
    record = parse_spf(node.record or "v=spf1")
    fixes = {problem.offset: problem.guess for problem in (*record.doubts, *record.problems)}

    def change(offset: int, token: str) -> str:
        if offset in changes:
            return changes[offset]
        guess = fixes.get(offset, token)
        return token if guess is None else guess

    return _closed(rewrite(record, change))


def _closed(text: str) -> str:
    return " ".join("~all" if token.lower() in ("all", "+all") else token for token in text.split(" "))


def with_term(node: SpfNode, text: str) -> str:
    """Return a node's record with one more mechanism, before `all` or a redirect."""
    ending = next((term for term in node.terms if term.kind in ("all", "redirect")), None)
    if ending is None:
        return f"{changed(node, {})} {text}"
    return changed(node, {ending.offset: f"{text} {ending.term}"})


def with_ending(node: SpfNode, ending: str) -> str:
    """Return a node's record with another `all` at its end and nothing after it."""
    terms = [term for term in node.terms if term.kind == "all" or not term.reached or term.kind == "redirect"]
    return f"{without(node, *terms)} {ending}"


#: Address space that no receiver on the Internet ever sees a client in.
_HIDDEN = frozenset({"private", "loopback", "link-local", "carrier-grade NAT"})


def hidden_kind(directive: Directive) -> str | None:
    """Return the kind of special-purpose address space that an ip4 or ip6 lies in; None for a public one."""
    match directive.mechanism:
        case Ip4() | Ip6() as mechanism if mechanism.prefix >= 7:
            kind = special_use(str(mechanism.address))
            return kind if kind in _HIDDEN else None
        case _:
            return None


def corrected_paste(node: SpfNode) -> tuple[str, ...]:
    """Return the whole corrected record as lines to paste; empty where some fault has no good guess."""
    text = corrected(parse_spf(node.record)) if node.record is not None else None
    return () if text is None else (_closed(text),)


def without_dead(node: SpfNode) -> str:
    """Return a node's record without the terms that lead to nothing."""
    return without(node, *(term for term in node.terms if dead(term)))


def dead(term: SpfTerm) -> bool:
    """True for a term whose own lookup was void, or that leads to a name without record."""
    answered = term.lookup is not None and term.lookup.answered
    return term.void or (answered and term.child is not None and term.child.record is None)


def short(text: str) -> str:
    """Return a stranger's text cut to a length that still fits into a sentence."""
    return text if len(text) <= 100 else text[:97] + "..."


def named(texts: Iterable[str]) -> str:
    """Return some terms or names for one sentence: each once, safe to print, not too many of them."""
    once = list(dict.fromkeys(texts))
    more = f" and {len(once) - MAX_NAMED} more" if len(once) > MAX_NAMED else ""
    return ", ".join(printable(short(text)) for text in once[:MAX_NAMED]) + more


def trail(place: Place) -> str:
    """Say how a term is reached, for a message; empty in the first record."""
    return f" (reached by {' → '.join(printable(name) for name in place.trail)})" if len(place.trail) > 1 else ""


def owner_fix(spf: SpfEvidence, node: SpfNode, fix: str) -> str:
    """Return the fix for a record of one's own, or what to do about somebody else's."""
    if owned(spf, node):
        return fix
    return (
        f"The record belongs to {printable(node.domain)}: tell them, and take the term that leads to it out of "
        "yours if nothing is sent through them."
    )
