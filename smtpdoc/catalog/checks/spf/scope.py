"""Whom an SPF record authorizes, and what it says of everybody else."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.spf.tree import (
    changed,
    corrected_paste,
    hidden_kind,
    named,
    owned,
    owner_fix,
    records,
    with_ending,
)
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import SpfEvidence, SpfNode
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.spf import parse_spf
from smtpdoc.grammar.spf_terms import A, Directive, Ip4, Ip6, Mx, Qualifier

checks = CheckSet[SpfEvidence]("spf")


@checks.add(
    "allows-everyone",
    title="SPF authorizes the whole Internet",
    level=Level.ERROR,
    why="Anybody may send as this domain and pass SPF, and with it DMARC. It is worse than no record.",
    fix="Name the servers that send, and end the record with ~all or -all.",
    sources=(rfc(7208, "5.1"), rfc(7208, "11.4")),
)
def allows_everyone(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        for directive in record.directives:
            if directive.qualifier is not Qualifier.PASS or not record.reached(directive) or not _everyone(directive):
                continue
            is_all = directive is record.all
            paste = with_ending(node, "~all") if is_all else changed(node, {directive.offset: ""})
            yield Detail(
                f"{printable(directive.text)} in the record of {printable(node.domain)} authorizes every address",
                subject=node.domain,
                fix=owner_fix(spf, node, "Name the servers that send, and end the record with ~all or -all."),
                paste=(paste,) if owned(spf, node) else (),
                term=directive.text,
            )


def _everyone(directive: Directive) -> bool:
    match directive.mechanism:
        case Ip4(prefix=0) | Ip6(prefix=0):
            return True
        case A() | Mx():
            return 0 in (directive.mechanism.prefix4, directive.mechanism.prefix6)
        case _:
            return directive.text.lower() in ("all", "+all")


@checks.add(
    "huge-range",
    title="SPF authorizes a very large part of the address space",
    level=Level.ERROR,
    why="Many strangers hold addresses in a range of this size, and every one of them passes SPF for this domain.",
    fix="Narrow it to the addresses that send for you.",
    sources=(rfc(7208, "11.4"),),
)
def huge_range(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        wide = [
            directive
            for directive in record.directives
            if directive.qualifier is Qualifier.PASS
            and not _everyone(directive)
            and record.reached(directive)
            and hidden_kind(directive) is None
        ]
        ip4 = [term for term in wide if isinstance(term.mechanism, Ip4) and term.mechanism.prefix < 16]
        total = sum(2 ** (32 - term.mechanism.prefix) for term in ip4 if isinstance(term.mechanism, Ip4))
        ip6 = [term for term in wide if isinstance(term.mechanism, Ip6) and term.mechanism.prefix < 24]
        if total >= 2**24 or ip6:
            yield Detail(
                f"the record of {printable(node.domain)} authorizes {named(term.text for term in (*ip4, *ip6))}"
                + (f": {total:,} IPv4 addresses" if total else ""),
                subject=node.domain,
                fix=owner_fix(spf, node, "Narrow it to the addresses that send for you."),
                terms=tuple(term.text for term in (*ip4, *ip6)),
                addresses=total,
            )


@checks.add(
    "neutral-all",
    title="SPF says nothing about other senders (?all)",
    level=Level.WARNING,
    why="With ?all every other server is neutral, which receivers treat like no record.",
    fix="End the record with ~all (with DMARC beside it), or with -all.",
    sources=(rfc(7208, "4.7"), rfc(7208, "8.2")),
)
def neutral_all(spf: SpfEvidence) -> Iterator[Detail]:
    node = _last(spf)
    if node is None or node.record is None:
        return
    ending = parse_spf(node.record).all
    if ending is not None and ending.qualifier is Qualifier.NEUTRAL:
        yield Detail(
            f"the record of {printable(node.domain)} ends in {printable(ending.text)}",
            subject=node.domain,
            fix=owner_fix(spf, node, "End the record with ~all (with DMARC beside it), or with -all."),
            paste=(with_ending(node, "~all"),) if owned(spf, node) else (),
        )


@checks.add(
    "no-all",
    title="The SPF record has no all at its end",
    level=Level.WARNING,
    why="A record without all or redirect ends as neutral: every other server may send, which receivers treat like "
    "no record.",
    fix="End the record with ~all (with DMARC beside it), or with -all.",
    sources=(rfc(7208, "4.7"),),
)
def no_all(spf: SpfEvidence) -> Iterator[Detail]:
    node = _last(spf)
    if node is None or node.record is None:
        return
    record = parse_spf(node.record)
    fixed = " ".join(corrected_paste(node)).lower().split()
    if record.all is None and record.redirect is None and not any(term.lstrip("+-~?") == "all" for term in fixed):
        yield Detail(
            f"the record of {printable(node.domain)} has neither all nor redirect",
            subject=node.domain,
            fix=owner_fix(spf, node, "End the record with ~all (with DMARC beside it), or with -all."),
            paste=(with_ending(node, "~all"),) if owned(spf, node) else (),
        )


def _last(spf: SpfEvidence) -> SpfNode | None:
    """Return the node that decides for everybody else, at the end of the redirects; None where it is not known."""
    node = spf.tree
    while node is not None and not node.cycle and not node.repeated:
        behind = [term for term in node.terms if term.kind == "redirect" and term.reached]
        if not behind:
            return node
        node = behind[0].child
    return None


@checks.add(
    "no-sender",
    title="SPF says that this domain sends no mail",
    level=Level.INFO,
    why="A record of nothing but -all refuses every server. That is right for a domain that sends no mail.",
    fix="Nothing to do, unless the domain sends mail.",
    sources=(rfc(7208, "10.1.2"),),
)
def no_sender(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.record is not None and spf.record.lower().split() == ["v=spf1", "-all"]:
        yield Detail(f"{spf.domain} sends no mail: its record is nothing but -all", subject=spf.domain)


@checks.add(
    "terms-after-all",
    title="SPF terms after all are never looked at",
    level=Level.WARNING,
    why="all matches everything, so that evaluation ends there. Senders named after it are not authorized.",
    fix="Move the terms before all, or delete them.",
    sources=(rfc(7208, "5.1"),),
)
def terms_after_all(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        lost = [term for term in record.directives if not record.reached(term)]
        if lost and record.all is not None:
            moved = " ".join(term.text for term in lost if term.text.lower().lstrip("+-~?") != "all")
            paste = changed(
                node, {term.offset: "" for term in lost} | {record.all.offset: f"{moved} {record.all.text}".strip()}
            )
            yield Detail(
                f"{named(term.text for term in lost)} in the record of "
                f"{printable(node.domain)} stands after {record.all.text}",
                subject=node.domain,
                fix=owner_fix(spf, node, "If these servers send for you, use the record below; else delete the terms."),
                paste=(paste,) if owned(spf, node) else (),
                terms=tuple(term.text for term in lost),
            )


@checks.add(
    "redirect-ignored",
    title="The SPF redirect has no effect, because the record has all",
    level=Level.WARNING,
    why="A redirect is only followed where no mechanism matches, and all always does.",
    fix="Delete one of the two: the redirect when the record is complete, all when the other record should decide.",
    sources=(rfc(7208, "6.1"),),
)
def redirect_ignored(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        if record.all is not None and record.redirect is not None:
            yield Detail(
                f"{printable(record.redirect.text)} in the record of {printable(node.domain)} is ignored beside "
                f"{record.all.text}",
                subject=node.domain,
                fix=owner_fix(spf, node, "Delete one of the two: first line without redirect, second without all."),
                paste=(changed(node, {record.redirect.offset: ""}), changed(node, {record.all.offset: ""}))
                if owned(spf, node)
                else (),
            )
