"""The static SPF tree: every record behind a domain's, what each term costs, and what DNS could not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from smtpdoc.evidence.auth import SpfEvidence, SpfNode, SpfTerm, TopicStatus
from smtpdoc.evidence.dns import Lookup
from smtpdoc.gather.spf_check import LOOKUP_LIMIT, MX_LIMIT, VOID_LIMIT, SpfClient, check_spf, mechanism_name
from smtpdoc.grammar.senders import sender_of_include
from smtpdoc.grammar.spf import SpfRecord, is_spf, parse_spf
from smtpdoc.grammar.spf_macros import MacroString, MacroValues, can_be_asked, expand, target_name
from smtpdoc.grammar.spf_terms import A, Directive, Exists, Exp, Include, Mx, Redirect, Term
from smtpdoc.seams import Resolver

__all__ = ["SpfClient", "gather_spf"]

#: Bounds against hostile zones. A tree beyond them needs far more lookups than receivers make.
MAX_DEPTH = 12
MAX_NAMES = 60
MAX_QUESTIONS = 200

# Only these macros have the same value for every client; the sender is assumed to be at the domain itself.
_STATIC_LETTERS = frozenset("do")


async def gather_spf(domain: str, resolver: Resolver, *, clients: Sequence[SpfClient] = ()) -> SpfEvidence:
    """Read the whole tree behind a domain's record, then evaluate it for each client.

    The tree is fetched level by level, each level at once, so that time goes with its depth.
    """
    answers = await _fetch(domain, resolver)
    root = answers.known[domain, "TXT"]
    builder = _Builder(domain, answers)
    tree = builder.node(domain, ())
    total = builder.totals.get(domain, _Totals())
    result, status = _verdict(root, tree, builder, total)
    elsewhere: dict[str, str] = {}
    if status is TopicStatus.ABSENT:
        elsewhere = await _elsewhere(domain, resolver)
    return SpfEvidence(
        status=status,
        domain=domain,
        result=result,
        valid=tree.record is not None and not builder.invalid,
        record=tree.record,
        lookups=total.lookups,
        void_lookups=total.void,
        tree=tree,
        checks=tuple([await check_spf(client, domain, resolver) for client in clients]),
        txt=tuple(record.text for record in root.txt),
        void_lookups_ipv4=total.void_ipv4,
        void_lookups_ipv6=total.void_ipv6,
        elsewhere=tuple(elsewhere),
        elsewhere_records=tuple(elsewhere.values()),
        truncated=answers.truncated,
    )


def _verdict(root: Lookup, tree: SpfNode, builder: _Builder, total: _Totals) -> tuple[str, TopicStatus]:
    if not root.answered:
        return "temperror", TopicStatus.UNKNOWN
    if tree.record is None:
        return "none", TopicStatus.ABSENT
    if builder.broken or builder.invalid or total.lookups > LOOKUP_LIMIT or total.void > VOID_LIMIT:
        return "permerror", TopicStatus.INVALID
    return ("temperror" if builder.unanswered else "ok"), TopicStatus.FOUND


async def _elsewhere(domain: str, resolver: Resolver) -> dict[str, str]:
    """Return names beside the domain with the record there: a panel that adds the zone's name, or a wrong habit."""
    names = [name for name in (f"{domain}.{domain}", f"_spf.{domain}", f"spf.{domain}") if can_be_asked(name)]
    lookups = await resolver.lookup_all([(name, "TXT") for name in names]) if names else ()
    return {lookup.name: record.text for lookup in lookups for record in reversed(lookup.txt) if is_spf(record.text)}


@dataclass
class _Answers:
    """What was asked for the tree."""

    sender_domain: str
    known: dict[tuple[str, str], Lookup] = field(default_factory=dict)
    selected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    truncated: bool = False

    def records(self, name: str) -> tuple[str, ...]:
        """Return the texts of all v=spf1 records at a name that was asked."""
        if name not in self.selected:
            lookup = self.known.get((name, "TXT"))
            texts = () if lookup is None else (record.text for record in lookup.txt)
            self.selected[name] = tuple(text for text in texts if is_spf(text))
        return self.selected[name]

    def record(self, name: str) -> SpfRecord | None:
        """Return the record at a name, the first where there are several, or None."""
        texts = self.records(name)
        return parse_spf(texts[0]) if texts else None

    def target(self, term: Term, domain: str) -> str | None:
        """Return the name that a term asks for, or None where that depends on the client."""
        match term:
            case Redirect():
                spec: MacroString | None = term.domain
            case Directive(mechanism=Include() | A() | Mx() | Exists() as mechanism):
                spec = mechanism.domain
            case _:
                return None
        if spec is None:
            return domain
        if spec.letters - _STATIC_LETTERS:
            return None
        values = MacroValues(IPv4Address(0), f"postmaster@{self.sender_domain}", domain, self.sender_domain)
        name = target_name(expand(spec, values))
        return name if can_be_asked(name) else None


async def _fetch(domain: str, resolver: Resolver) -> _Answers:
    answers = _Answers(domain)
    asked = {(domain, "TXT")}
    level = [(domain, "TXT")]
    names = 1
    for _ in range(MAX_DEPTH):
        answers.known.update(zip(level, await resolver.lookup_all(level), strict=True))
        texts = [name for name, rdtype in level if rdtype == "TXT"]
        level = []
        for question in (question for name in texts for question in _questions(answers, name)):
            if question in asked:
                continue
            if len(asked) >= MAX_QUESTIONS or (question[1] == "TXT" and names >= MAX_NAMES):
                answers.truncated = True
                continue
            asked.add(question)
            names += question[1] == "TXT"
            level.append(question)
        if not level:
            break
    else:
        answers.truncated = True
    return answers


def _questions(answers: _Answers, name: str) -> Iterator[tuple[str, str]]:
    """Yield what the terms of one record ask for, leaving out what depends on the client."""
    record = answers.record(name)
    for term in () if record is None else record.terms:
        target = answers.target(term, name)
        if record is None or target is None or not record.reached(term):
            continue
        for rdtype in _rdtypes(term):
            yield target, rdtype


def _rdtypes(term: Term) -> tuple[str, ...]:
    match term:
        case Redirect() | Directive(mechanism=Include()):
            return ("TXT",)
        case Directive(mechanism=A()):
            return ("A", "AAAA")
        case Directive(mechanism=Mx()):
            return ("MX",)
        case Directive(mechanism=Exists()):
            return ("A",)
        case _:
            return ()


@dataclass(slots=True)
class _Totals:
    """What one record costs with everything below it, when no term matches (RFC 7208 section 4.6.4)."""

    lookups: int = 0
    void: int = 0
    void_ipv4: int = 0
    void_ipv6: int = 0

    def add(self, other: _Totals) -> None:
        self.lookups += other.lookups
        self.void += other.void
        self.void_ipv4 += other.void_ipv4
        self.void_ipv6 += other.void_ipv6


class _Builder:
    """Builds the tree from the answers, each name's terms once.

    `broken` is True when something but syntax is a permerror, `invalid` for syntax, `unanswered` when DNS failed.
    """

    def __init__(self, domain: str, answers: _Answers) -> None:
        self.totals: dict[str, _Totals] = {}
        self.broken = False
        self.invalid = False
        self.unanswered = False
        self._domain = domain
        self._answers = answers

    def node(self, name: str, above: tuple[str, ...]) -> SpfNode:
        lookup = self._answers.known.get((name, "TXT"))
        record = self._answers.record(name)
        records = self._answers.records(name)
        self.unanswered |= lookup is not None and not lookup.answered
        if record is None:
            return SpfNode(name, None, (), lookup)
        if name in above:
            self.broken = True
            return SpfNode(name, record.text, (), lookup, records, cycle=True)
        if name in self.totals:
            return SpfNode(name, record.text, (), lookup, records, repeated=True)
        self.invalid |= bool(record.problems) or len(records) > 1
        totals = _Totals()
        terms = [self._term(term, record, name, above, totals) for term in record.terms]
        terms += [
            SpfTerm(problem.token, 0, False, problem=problem.message, offset=problem.offset, kind="error")
            for problem in record.problems
        ]
        self.totals[name] = totals
        return SpfNode(name, record.text, tuple(sorted(terms, key=lambda term: term.offset)), lookup, records)

    def _term(self, term: Term, record: SpfRecord, name: str, above: tuple[str, ...], totals: _Totals) -> SpfTerm:
        kind = _kind(term)
        target = self._answers.target(term, name)
        follows = kind in ("include", "redirect")
        sender = sender_of_include(target or _written_target(term)) if follows else None
        if not record.reached(term):
            return SpfTerm(term.text, 0, False, sender, offset=term.offset, kind=kind, target=target, reached=False)
        own = _Totals(lookups=int(kind == "redirect" or (isinstance(term, Directive) and term.queries)))
        lookups = [self._answers.known.get((target, rdtype)) for rdtype in _rdtypes(term)] if target else []
        self._count_voids(own, lookups)
        self.unanswered |= any(lookup is not None and not lookup.answered for lookup in lookups)
        first = lookups[0] if lookups else None
        child = None
        if follows and target is not None and first is not None:
            child = self.node(target, (*above, name))
            if not child.cycle:
                own.add(self.totals.get(target, _Totals()))
            # RFC 7208 sections 5.2 and 6.1: a name without record is a permerror.
            self.broken |= first.answered and child.record is None
        if kind == "mx" and first is not None and len(first.mx) > MX_LIMIT:
            self.broken = True
        totals.add(own)
        return SpfTerm(
            term=term.text,
            lookups=own.lookups,
            void=first is not None and all(lookup is not None and lookup.void for lookup in lookups),
            sender=sender,
            child=child,
            offset=term.offset,
            kind=kind,
            target=target,
            lookup=first,
            aaaa=lookups[1] if len(lookups) > 1 else None,
        )

    @staticmethod
    def _count_voids(own: _Totals, lookups: list[Lookup | None]) -> None:
        voids = [lookup is not None and lookup.void for lookup in lookups]
        if voids:
            own.void = int(all(voids))
            own.void_ipv4 = int(voids[0])
            own.void_ipv6 = int(voids[-1])


def _kind(term: Term) -> str:
    match term:
        case Directive():
            return mechanism_name(term.mechanism)
        case Redirect():
            return "redirect"
        case Exp():
            return "exp"
        case _:
            return "modifier"


def _written_target(term: Term) -> str:
    """Return the domain-spec as written: a macro's name still ends in its sender's domain."""
    match term:
        case Directive(mechanism=Include() as include):
            return include.domain.text
        case Redirect():
            return term.domain.text
        case _:
            return ""
