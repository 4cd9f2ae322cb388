"""What makes an SPF record slow, long, or other than its author thinks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.spf.tree import (
    ANSWER_OCTETS,
    RECORD_OCTETS,
    changed,
    distinct,
    editable,
    hidden_kind,
    named,
    nodes,
    owned,
    owner_fix,
    records,
    short,
    trail,
    without,
)
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import SpfEvidence, SpfNode
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.senders import own_bounce_domain
from smtpdoc.grammar.spf_macros import MacroString
from smtpdoc.grammar.spf_terms import Ip4, Ip6

checks = CheckSet[SpfEvidence]("spf")


@checks.add(
    "ptr",
    title="SPF uses ptr, which should not be used any more",
    level=Level.WARNING,
    why="It is slow, depends on the reverse DNS of strangers, and some receivers skip it.",
    fix="Write the addresses as ip4 and ip6, or the hosts with a.",
    sources=(rfc(7208, "5.5"),),
)
def ptr(spf: SpfEvidence) -> Iterator[Detail]:
    for place in distinct(spf):
        if place.term.kind == "ptr" and place.term.reached:
            yield Detail(
                f"{printable(place.term.term)} in the record of {printable(place.node.domain)}{trail(place)}",
                subject=place.node.domain,
                fix=owner_fix(spf, place.node, "Write the addresses as ip4 and ip6, or the hosts with a, then use:"),
                paste=(without(place.node, place.term),) if owned(spf, place.node) else (),
                term=place.term.term,
            )


@checks.add(
    "p-macro",
    title="SPF uses the %{p} macro, which should not be used any more",
    level=Level.WARNING,
    why="Its value is the client's reverse name, which takes up to eleven lookups and often is just unknown.",
    fix="Use %{i} (the address) in its place.",
    sources=(rfc(7208, "7.2"),),
)
def p_macro(spf: SpfEvidence) -> Iterator[Detail]:
    for node, text, spec in _specs(spf):
        if "p" in spec.letters:
            yield Detail(f"{printable(text)} in the record of {printable(node.domain)}", subject=node.domain, term=text)


@checks.add(
    "local-part-macro",
    title="SPF asks DNS for each sender's local part",
    level=Level.INFO,
    why="Every local part is another name, so that answers cannot be cached, most of them find nothing, and senders' "
    "names become visible to name servers on the way.",
    fix="Nothing to do if this is on purpose.",
    sources=(rfc(7208, "11.3"),),
)
def local_part_macro(spf: SpfEvidence) -> Iterator[Detail]:
    for node, text, spec in _specs(spf):
        if spec.letters & {"l", "s"}:
            yield Detail(f"{printable(text)} in the record of {printable(node.domain)}", subject=node.domain, term=text)


def _specs(spf: SpfEvidence) -> Iterator[tuple[SpfNode, str, MacroString]]:
    """Yield the domain-specs of all mechanisms and redirects, with their node and term."""
    for node, record in records(spf):
        for directive in record.directives:
            spec = getattr(directive.mechanism, "domain", None)
            if isinstance(spec, MacroString):
                yield node, directive.text, spec
        if record.redirect is not None:
            yield node, record.redirect.text, record.redirect.domain


@checks.add(
    "record-too-long",
    title="The SPF record is long",
    level=Level.WARNING,
    why="Above 450 octets the DNS answer may not fit into 512, and then needs TCP or EDNS, which fails at some "
    "receivers.",
    fix="Shorten it: take out what no longer sends, or move senders to a record of their own behind an include.",
    sources=(rfc(7208, "3.4"),),
)
def record_too_long(spf: SpfEvidence) -> Iterator[Detail]:
    for node, _ in nodes(spf):
        size = len((node.record or "").encode("utf-8", "surrogateescape"))
        if size > RECORD_OCTETS and owned(spf, node):
            yield Detail(
                f"the record of {printable(node.domain)} has {size} octets, {RECORD_OCTETS} is a safe size",
                subject=node.domain,
                size_bytes=size,
                limit=RECORD_OCTETS,
            )


@checks.add(
    "answer-too-large",
    title="The TXT records of the domain do not fit into a plain DNS answer",
    level=Level.WARNING,
    why="All TXT records at a name are sent together. Above 512 octets the answer needs EDNS or TCP, and where a "
    "firewall stops these, SPF ends as temperror.",
    fix="Delete verification records that are no longer needed, and see that TCP port 53 is open.",
    sources=(rfc(7208, "3.4"),),
)
def answer_too_large(spf: SpfEvidence) -> Iterator[Detail]:
    lookup = None if spf.tree is None else spf.tree.lookup
    if lookup is None or spf.record is None:
        return
    # Header, question and per record: compressed name, type, class, TTL, length; a length octet for each string.
    size = 12 + len(spf.domain) + 6 + sum(12 + sum(len(text) + 1 for text in txt.strings) for txt in lookup.txt)
    if size > ANSWER_OCTETS:
        yield Detail(
            f"the {len(lookup.txt)} TXT records of {spf.domain} make an answer of {size} octets, {ANSWER_OCTETS} always "
            "fit",
            subject=spf.domain,
            size_bytes=size,
            limit=ANSWER_OCTETS,
            records=len(lookup.txt),
        )


@checks.add(
    "host-bits",
    title="An SPF network is written with host bits",
    level=Level.INFO,
    why="Receivers ignore the bits behind the prefix. It often means that only one address was meant, or that the "
    "prefix is wrong.",
    fix="Write the network's own address, or drop the prefix if one host was meant.",
    sources=(rfc(7208, "5.6"),),
)
def host_bits(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        loose = {
            directive.offset: (directive.text, str(directive.mechanism.network))
            for directive in record.directives
            if isinstance(directive.mechanism, Ip4 | Ip6)
            and directive.mechanism.address != directive.mechanism.network.network_address
        }
        if loose and owned(spf, node):
            said = named(f"{text} is {network}" for text, network in loose.values())
            written = {offset: text.partition(":")[0] + f":{network}" for offset, (text, network) in loose.items()}
            yield Detail(
                f"in the record of {printable(node.domain)} {said}",
                subject=node.domain,
                paste=(changed(node, written),),
                terms=tuple(text for text, _ in loose.values()),
                networks=tuple(network for _, network in loose.values()),
            )


@checks.add(
    "private-address",
    title="SPF authorizes addresses that no receiver ever sees",
    level=Level.INFO,
    why="Private, loopback and link-local addresses are not used on the Internet, so that the term never matches there.",
    fix="Take the term out, and see that the public address of these servers is in the record.",
    sources=(rfc(6890),),
)
def private_address(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        kinds = {directive: kind for directive in record.directives if (kind := hidden_kind(directive)) is not None}
        if kinds and owned(spf, node):
            said = named(f"{directive.text} ({kind})" for directive, kind in kinds.items())
            yield Detail(
                f"the record of {printable(node.domain)} holds {said}",
                subject=node.domain,
                paste=(changed(node, {directive.offset: "" for directive in kinds}),),
                terms=tuple(directive.text for directive in kinds),
            )


@checks.add(
    "odd-case",
    title="The SPF record is written in capitals",
    level=Level.INFO,
    why="Names in a record are not case-sensitive, but some checkers and gateways refuse anything but lower case.",
    fix="Write the version and the terms in lower case.",
    sources=(rfc(7208, "4.6.1"), rfc(7208, "12")),
)
def odd_case(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.record is None:
        return
    heads = [spf.record[:6], *(re.split("[:=/]", token)[0] for token in spf.record[6:].split())]
    odd = [head for head in heads if head.isascii() and head != head.lower()]
    if odd:
        yield Detail(
            f"{spf.domain} writes {', '.join(dict.fromkeys(printable(short(head)) for head in odd))}",
            subject=spf.domain,
        )


@checks.add(
    "idle-include",
    title="An SPF include most likely has no effect",
    level=Level.INFO,
    why="SPF is asked at the domain of the bounce address. A service that bounces to a domain of its own never uses "
    "the record of yours.",
    fix="Look at the Return-Path of a message sent through the service. If it is not your domain, take the include out.",
    sources=(rfc(7208, "2.4"), rfc(9989, "4.4")),
)
def idle_include(spf: SpfEvidence) -> Iterator[Detail]:
    node = editable(spf)
    for term in () if node is None else node.terms:
        reason = own_bounce_domain(term.target or "") if term.kind == "include" else None
        if node is not None and reason is not None:
            yield Detail(
                f"{printable(term.term)} can likely go: {reason}",
                subject=node.domain,
                paste=(without(node, term),),
                term=term.term,
                lookups=term.lookups,
            )


_COPIED = re.compile(r"_netblocks[0-9]*\.google\.com", re.IGNORECASE)


@checks.add(
    "copied-include",
    title="A part of a provider's SPF record was copied",
    level=Level.WARNING,
    why="The provider may rename or empty its inner records at any time; only the outer name is promised.",
    fix="Include _spf.google.com in place of its parts.",
    sources=(rfc(7208, "5.2"),),
)
def copied_include(spf: SpfEvidence) -> Iterator[Detail]:
    node = editable(spf)
    if node is None:
        return
    parts = [term for term in node.terms if term.kind == "include" and _COPIED.fullmatch(term.target or "")]
    if parts:
        whole = any(term.target == "_spf.google.com" for term in node.terms)
        changes = {term.offset: "" for term in parts}
        if not whole:
            changes[parts[0].offset] = "include:_spf.google.com"
        yield Detail(
            f"{', '.join(term.term for term in parts)}: inner records of Google Workspace",
            subject=node.domain,
            paste=(changed(node, changes),),
            terms=tuple(term.term for term in parts),
        )
