"""Is there one SPF record, where receivers look, and can they read it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.spf.tree import (
    MAX_NAMED,
    changed,
    corrected_paste,
    named,
    nodes,
    owned,
    owner_fix,
    places,
    records,
    short,
)
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import SpfEvidence, SpfNode, TopicStatus
from smtpdoc.evidence.dns import Lookup
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.spf import is_spf, merge
from smtpdoc.grammar.spf_guess import REGISTERED
from smtpdoc.grammar.spf_terms import UnknownModifier

checks = CheckSet[SpfEvidence]("spf")


@checks.add(
    "dns-failed",
    title="SPF could not be determined, because DNS did not answer",
    level=Level.UNKNOWN,
    why="Without an answer nobody can tell whether there is a record. Receivers answer temperror, and many of them "
    "defer the mail until it works.",
    fix="Check the delegation, DNSSEC and firewalls of the name servers, then run this again.",
    sources=(rfc(7208, "4.4"), rfc(7208, "2.6.6")),
)
def dns_failed(spf: SpfEvidence) -> Iterator[Detail]:
    seen: set[tuple[str, str]] = set()
    for lookup in _lookups(spf):
        if not lookup.answered and (lookup.name, lookup.rdtype) not in seen:
            seen.add((lookup.name, lookup.rdtype))
            said = printable(lookup.detail) or lookup.status.value
            yield Detail(
                f"DNS gave no answer for {printable(lookup.name)} {lookup.rdtype}: {said}",
                subject=lookup.name,
                rdtype=lookup.rdtype,
                status=lookup.status.value,
            )


def _lookups(spf: SpfEvidence) -> Iterator[Lookup]:
    if spf.tree is not None and spf.tree.lookup is not None:
        yield spf.tree.lookup
    for place in places(spf):
        for lookup in (place.term.lookup, place.term.aaaa):
            if lookup is not None:
                yield lookup


# What people write in place of "v=spf1 ": the version without v=, with spaces, with another number or mark.
_NEARLY = re.compile(
    r"[\"'\\\s\u201c\u201d\u00a0\ufeff]*(?:v\s*[=:\-]?\s*(?:spf|sfp|spv|spf-)\s*v?[0-9l]{0,3}|spf\s*=?\s*v?[0-9l]{0,3})"
    r"(?![A-Za-z0-9_.])[\"';,:.=\s]*",
    re.IGNORECASE,
)
_TERMS = re.compile(
    r"(?:^|[\s;,])(?:[+\-~?]?all\b|include[:=]|ip[46][:=]|[+\-~?]?(?:a|mx)(?:[\s:/]|$)|redirect=)", re.IGNORECASE
)


def _misspelt(spf: SpfEvidence) -> list[str]:
    found = []
    for text in spf.txt:
        match = _NEARLY.match(text)
        if match is None or is_spf(text) or text.lower().startswith("spf2.0/"):
            continue
        rest = text[match.end() :]
        if _TERMS.search(rest) or not rest.strip("\"' "):
            found.append(text)
    return found


def _respelt(text: str) -> tuple[str, ...]:
    match = _NEARLY.match(text)
    rest = text[match.end() :].rstrip("\"'\\ \u201d") if match is not None else ""
    return corrected_paste(SpfNode("", f"v=spf1 {rest}".rstrip(), ()))


@checks.add(
    "misspelt-record",
    title="A record that was meant to be SPF is not seen as one",
    level=Level.ERROR,
    why='Receivers only look at TXT records that start with exactly "v=spf1" and a space. Anything else is ignored.',
    fix="Replace the record by the corrected one.",
    sources=(rfc(7208, "4.5"),),
)
def misspelt_record(spf: SpfEvidence) -> Iterator[Detail]:
    for text in _misspelt(spf):
        yield Detail(
            f'{spf.domain} publishes "{printable(short(text))}", which is no SPF record',
            subject=spf.domain,
            level=Level.WARNING if spf.record is not None else None,
            fix="Delete it: there is a real SPF record beside it." if spf.record is not None else None,
            paste=() if spf.record is not None else _respelt(text),
            record=text,
        )


@checks.add(
    "missing",
    title="There is no SPF record",
    level=Level.WARNING,
    why="Nothing says which servers send mail for this domain. Large providers ask senders for SPF or DKIM, and "
    "anybody may use the domain as a bounce address.",
    fix="Publish a TXT record at the domain: the first line when only its MX hosts send mail (add an include for "
    "each sending service), the second when it sends no mail at all.",
    sources=(rfc(7208, "4.5"),),
)
def missing(spf: SpfEvidence) -> Iterator[Detail]:
    if spf.status is TopicStatus.ABSENT and not _misspelt(spf):
        yield Detail(f"{spf.domain} has no SPF record", subject=spf.domain, paste=("v=spf1 mx ~all", "v=spf1 -all"))


@checks.add(
    "wrong-name",
    title="An SPF record stands at a name where nobody looks",
    level=Level.WARNING,
    why="Receivers ask for the domain of the sender address itself, not for a name beside or below it.",
    fix="Move the record to the domain itself. Many DNS panels add the zone's name on their own: leave the name "
    'empty there, or write "@".',
    sources=(rfc(7208, "3"),),
)
def wrong_name(spf: SpfEvidence) -> Iterator[Detail]:
    for name, text in zip(spf.elsewhere, spf.elsewhere_records, strict=True):
        yield Detail(
            f"{spf.domain} has no SPF record, but {name} has one",
            subject=name,
            paste=corrected_paste(SpfNode(name, text, ())),
            domain=spf.domain,
            found_at=name,
        )


@checks.add(
    "multiple-records",
    title="There is more than one SPF record",
    level=Level.ERROR,
    why="With two records receivers answer permerror and use neither.",
    fix="Replace them by one record that holds the mechanisms of all and a single all at its end.",
    sources=(rfc(7208, "4.5"), rfc(7208, "3.2")),
)
def multiple_records(spf: SpfEvidence) -> Iterator[Detail]:
    for node, _ in nodes(spf):
        if len(node.records) > 1:
            yield Detail(
                f"{printable(node.domain)} has {len(node.records)} SPF records, one is allowed",
                subject=node.domain,
                fix=owner_fix(spf, node, "Replace them all by the one below, which authorizes what they did together."),
                paste=(merge(node.records),) if owned(spf, node) else (),
                records=node.records,
            )


@checks.add(
    "sender-id-record",
    title="There is a Sender ID record beside SPF",
    level=Level.INFO,
    why="Records that start with spf2.0 belong to Sender ID, an experiment of 2006 that nobody evaluates any more.",
    fix="Delete the record.",
    sources=(rfc(6686, "6"),),
)
def sender_id_record(spf: SpfEvidence) -> Iterator[Detail]:
    for text in spf.txt:
        if text.lower().startswith("spf2.0/"):
            yield Detail(f'{spf.domain} still publishes "{printable(short(text))}"', subject=spf.domain, record=text)


@checks.add(
    "syntax-error",
    title="An SPF record has a syntax error",
    level=Level.ERROR,
    why="A single wrong term anywhere, in an included record too, makes receivers answer permerror before they "
    "look at anything else, so the record authorizes nobody.",
    fix="Correct the term.",
    sources=(rfc(7208, "4.6"), rfc(7208, "12")),
)
def syntax_error(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        own = owned(spf, node)
        for problem in record.problems:
            token = printable(short(problem.token))
            fix = None
            if problem.guess:
                fix = f'Probably meant: "{printable(problem.guess)}".'
            elif problem.guess == "":
                fix = f'Take "{token}" out.'
            yield Detail(
                f'"{token}" at character {problem.offset + 1} in the record of {printable(node.domain)}: '
                f"{printable(problem.message)}{_cut_words(node, problem.offset, problem.token)}",
                subject=node.domain,
                fix=fix if own else owner_fix(spf, node, ""),
                paste=corrected_paste(node) if own else (),
                token=problem.token,
                offset=problem.offset,
                guess=problem.guess,
            )


def _cut_words(node: SpfNode, offset: int, token: str) -> str:
    """Say when a token is broken where the record's character-strings meet (RFC 7208 section 3.3)."""
    texts = [] if node.lookup is None else [txt for txt in node.lookup.txt if txt.text == node.record]
    at = 0
    for string in texts[0].strings[:-1] if texts else ():
        at += len(string)
        if offset < at < offset + len(token):
            return "; two strings of the record meet inside it, and receivers join them with nothing between"
        around = (node.record or "")[at - 1 : at + 1]
        if " " in around and at - 1 <= offset <= at + 1:
            return "; the space before it stands where two strings of the record meet, and may not belong there"
    return ""


@checks.add(
    "unintended-term",
    title="A term of the SPF record is legal but does not do what it seems to",
    level=Level.WARNING,
    why="name=value is an unknown modifier that receivers ignore, and a missing space makes one long domain name "
    "of two terms. Neither gives an error; the sender just is not authorized.",
    fix="Correct the term.",
    sources=(rfc(7208, "4.6.1"), rfc(7208, "6")),
)
def unintended_term(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        own = owned(spf, node)
        for doubt in record.doubts:
            guess = f' Probably meant: "{printable(doubt.guess)}".' if doubt.guess else ""
            yield Detail(
                f'"{printable(short(doubt.token))}" in the record of {printable(node.domain)}: {doubt.message}'
                f"{_cut_words(node, doubt.offset, doubt.token)}",
                subject=node.domain,
                fix=owner_fix(spf, node, f"Correct the term.{guess}"),
                paste=corrected_paste(node) if own else (),
                token=doubt.token,
                offset=doubt.offset,
                guess=doubt.guess,
            )


@checks.add(
    "unknown-modifier",
    title="The SPF record has a modifier that receivers do not know",
    level=Level.INFO,
    why="Receivers ignore unknown modifiers, so it has no effect.",
    fix="Take it out.",
    sources=(rfc(7208, "6"),),
)
def unknown_modifier(spf: SpfEvidence) -> Iterator[Detail]:
    for node, record in records(spf):
        doubted = {doubt.offset for doubt in record.doubts}
        unknown = [
            term
            for term in record.terms
            if isinstance(term, UnknownModifier) and term.offset not in doubted and term.name not in REGISTERED
        ]
        if unknown:
            yield Detail(
                f"the record of {printable(node.domain)} has modifiers without effect: {named(term.text for term in unknown)}",
                subject=node.domain,
                paste=(changed(node, {term.offset: "" for term in unknown}),) if owned(spf, node) else (),
                terms=tuple(term.text for term in unknown[:MAX_NAMED]),
            )
