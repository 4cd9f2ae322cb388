"""The limits of RFC 7208 section 4.6.4, and the includes and redirects that break them."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.spf.diet import diet
from smtpdoc.catalog.checks.spf.diet import words as diet_words
from smtpdoc.catalog.checks.spf.tree import (
    LOOKUP_LIMIT,
    MX_LIMIT,
    VOID_LIMIT,
    Place,
    changed,
    dead,
    distinct,
    named,
    owned,
    owner_fix,
    places,
    records,
    trail,
    without,
    without_dead,
)
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import SpfEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[SpfEvidence]("spf")


@checks.add(
    "too-many-lookups",
    title="SPF needs more DNS lookups than receivers will make",
    level=Level.ERROR,
    why="Receivers stop at ten terms that need DNS, counted over all included records, and answer permerror. "
    "Which mail is hit depends on how far down the sending server is found.",
    fix="Take out includes that no longer send for you; give the most expensive senders a subdomain of their own, or "
    "ask them for a record that holds addresses only.",
    sources=(rfc(7208, "4.6.4"),),
)
def too_many_lookups(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.lookups <= LOOKUP_LIMIT:
        return
    plan = diet(spf)
    enough = plan is not None and plan.lookups <= LOOKUP_LIMIT and plan.leaves_senders
    yield Detail(
        f"{spf.domain} needs {spf.lookups} of {LOOKUP_LIMIT} lookups: receivers answer permerror",
        subject=spf.domain,
        fix=diet_words(spf, plan) if plan is not None and enough else None,
        paste=(plan.record,) if plan is not None and enough else (),
        lookups=spf.lookups,
        limit=LOOKUP_LIMIT,
    )


@checks.add(
    "near-lookup-limit",
    title="SPF is close to the limit of ten DNS lookups",
    level=Level.WARNING,
    why="Included records change without notice. One more lookup in any of them, and receivers answer permerror.",
    fix="Make room: take out includes that no longer send for you.",
    sources=(rfc(7208, "4.6.4"),),
)
def near_lookup_limit(spf: SpfEvidence) -> Iterator[Detail]:
    if LOOKUP_LIMIT - 1 <= spf.lookups <= LOOKUP_LIMIT:
        yield Detail(
            f"{spf.domain} needs {spf.lookups} of {LOOKUP_LIMIT} lookups",
            subject=spf.domain,
            lookups=spf.lookups,
            limit=LOOKUP_LIMIT,
        )


@checks.add(
    "too-many-void-lookups",
    title="Too many SPF terms lead to names without any record",
    level=Level.ERROR,
    why="After two lookups that find nothing receivers answer permerror.",
    fix="Take the dead terms out.",
    sources=(rfc(7208, "4.6.4"),),
)
def too_many_void_lookups(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.void_lookups <= VOID_LIMIT:
        return
    void = [place.term.term for place in places(spf) if place.term.void]
    node = spf.tree
    yield Detail(
        f"{spf.domain} makes {spf.void_lookups} lookups that find nothing, receivers allow {VOID_LIMIT}: {named(void)}",
        subject=spf.domain,
        paste=(without_dead(node),) if node is not None and any(dead(term) for term in node.terms) else (),
        void_lookups=spf.void_lookups,
        limit=VOID_LIMIT,
        terms=tuple(void),
    )


@checks.add(
    "void-lookup",
    title="An SPF term leads to a name without any record",
    level=Level.WARNING,
    why="The term authorizes nobody and uses up a lookup; after two such terms receivers answer permerror.",
    fix="Take the term out, or correct its name.",
    sources=(rfc(7208, "4.6.4"),),
)
def void_lookup(spf: SpfEvidence) -> Iterator[Detail]:
    for place in distinct(spf):
        term = place.term
        if not term.void or term.lookup is None or term.kind in ("include", "redirect"):
            continue
        what = "has no MX record" if term.kind == "mx" else "has no address"
        if term.lookup.status.value == "nxdomain":
            what = "does not exist"
        name = printable(term.target or "")
        yield Detail(
            f"{printable(term.term)} in the record of {printable(place.node.domain)} finds nothing: {name} {what}"
            f"{trail(place)}",
            subject=place.node.domain,
            fix=owner_fix(spf, place.node, "Take the term out, or correct its name."),
            paste=(without_dead(place.node),) if owned(spf, place.node) else (),
            term=term.term,
            name=term.target,
            status=term.lookup.status.value,
        )


@checks.add(
    "void-lookups-one-family",
    title="For clients of one address family too many SPF terms find nothing",
    level=Level.INFO,
    why="a terms are looked up as A for an IPv4 client and as AAAA for an IPv6 client. A name that only has the "
    "other kind counts as a lookup that found nothing, and strict receivers answer permerror after two.",
    fix="Replace a terms by ip4 and ip6 where the addresses are stable.",
    sources=(rfc(7208, "4.6.4"), rfc(7208, "5.3")),
)
def void_lookups_one_family(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.void_lookups > VOID_LIMIT:
        return
    for family, count in (("IPv4", spf.void_lookups_ipv4), ("IPv6", spf.void_lookups_ipv6)):
        if count > VOID_LIMIT:
            yield Detail(
                f"for a client with an {family} address {count} terms of {spf.domain} find nothing, receivers allow "
                f"{VOID_LIMIT}",
                subject=spf.domain,
                family=family,
                void_lookups=count,
                limit=VOID_LIMIT,
            )


@checks.add(
    "too-many-mx-hosts",
    title="An SPF mx term leads to more than ten MX hosts",
    level=Level.ERROR,
    why="Receivers look up at most ten hosts for one mx term, and answer permerror where there are more.",
    fix="Write the addresses of the sending servers as ip4 and ip6 in place of mx.",
    sources=(rfc(7208, "4.6.4"),),
)
def too_many_mx_hosts(spf: SpfEvidence) -> Iterator[Detail]:
    for place in distinct(spf):
        lookup = place.term.lookup
        if place.term.kind == "mx" and lookup is not None and len(lookup.mx) > MX_LIMIT:
            yield Detail(
                f"{printable(place.term.term)} leads to {len(lookup.mx)} MX hosts of {printable(lookup.name)}, "
                f"receivers allow {MX_LIMIT}",
                subject=place.node.domain,
                fix=owner_fix(spf, place.node, "Write the sending servers' addresses as ip4 and ip6 in place of mx."),
                term=place.term.term,
                hosts=len(lookup.mx),
                limit=MX_LIMIT,
            )


@checks.add(
    "dangling-include",
    title="An SPF include or redirect leads to a name without an SPF record",
    level=Level.ERROR,
    why="Receivers answer permerror when they come to it, whatever else the record says. Whoever can register or "
    "claim the name may also send as this domain.",
    fix="Take the term out, or correct its name.",
    sources=(rfc(7208, "5.2"), rfc(7208, "6.1")),
)
def dangling_include(spf: SpfEvidence) -> Iterator[Detail]:
    for place in distinct(spf):
        term = place.term
        if term.child is None or term.child.record is not None or term.lookup is None or not term.lookup.answered:
            continue
        what = "does not exist" if term.lookup.status.value == "nxdomain" else "has no SPF record"
        yield Detail(
            f"{printable(term.term)} in the record of {printable(place.node.domain)}: {printable(term.child.domain)} "
            f"{what}{trail(place)}",
            subject=place.node.domain,
            fix=owner_fix(spf, place.node, "Take the term out, or correct its name."),
            paste=(without_dead(place.node),) if owned(spf, place.node) else (),
            term=term.term,
            name=term.child.domain,
        )


@checks.add(
    "include-loop",
    title="SPF records include each other in a circle",
    level=Level.ERROR,
    why="Receivers go round until they reach ten lookups, and answer permerror.",
    fix="Take out the include that closes the circle.",
    sources=(rfc(7208, "4.6.4"),),
)
def include_loop(spf: SpfEvidence) -> Iterator[Detail]:
    for place in distinct(spf):
        child = place.term.child
        if child is None or not child.cycle:
            continue
        cycle = (*place.trail[place.trail.index(child.domain) :], child.domain)
        yield Detail(
            f"{printable(place.term.term)} closes a circle: {' → '.join(printable(name) for name in cycle)}",
            subject=place.node.domain,
            fix=owner_fix(spf, place.node, f"Take {printable(place.term.term)} out."),
            paste=(without(place.node, place.term),) if owned(spf, place.node) else (),
            cycle=cycle,
        )


@checks.add(
    "duplicate-include",
    title="The same SPF record is included more than once",
    level=Level.WARNING,
    why="Each time counts to the ten lookups, and a second time adds nothing.",
    fix="Take one of them out.",
    sources=(rfc(7208, "4.6.4"),),
)
def duplicate_include(spf: SpfEvidence) -> Iterator[Detail]:
    counted: dict[str, list[Place]] = {}
    for place in places(spf):
        if place.term.child is not None and not place.term.child.cycle and place.term.kind == "include":
            counted.setdefault(place.term.child.domain, []).append(place)
    for name, twice in counted.items():
        if len(twice) < 2:
            continue
        where = named(place.node.domain for place in twice)
        mine = [place for place in twice if owned(spf, place.node)]
        yield Detail(
            f"{printable(name)} is included {len(twice)} times, by {where}: "
            f"{sum(place.term.lookups for place in twice[1:])} lookups for nothing",
            subject=spf.domain,
            paste=(without(mine[-1].node, mine[-1].term),) if mine else (),
            name=name,
            times=len(twice),
        )


@checks.add(
    "duplicate-term",
    title="The SPF record says the same thing twice",
    level=Level.INFO,
    why="The second time has no effect and makes the record longer.",
    fix="Take one of them out.",
    sources=(rfc(7208, "4.6"),),
)
def duplicate_term(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        if not owned(spf, node):
            continue
        known: set[str] = set()
        again = []
        for directive in record.directives:
            text = directive.text.lower().lstrip("+")
            if text in known and not text.startswith("include:") and record.reached(directive):
                again.append(directive)
            known.add(text)
        if again:
            yield Detail(
                f"the record of {printable(node.domain)} repeats {named(term.text for term in again)}",
                subject=node.domain,
                paste=(changed(node, {term.offset: "" for term in again}),),
                terms=tuple(term.text for term in again),
            )
