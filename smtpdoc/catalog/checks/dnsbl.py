"""What the answers of DNS block lists mean (RFC 5782)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.dnsbl import DnsblAnswer, DnsblEvidence, ListState, Role
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.dnsbl import PBL
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.senders import host_provider

checks = CheckSet[DnsblEvidence]("dnsbl")

_REASON_CHARS = 200


def _detail(answer: DnsblAnswer, fix: str, level: Level | None) -> Detail:
    one, subject = answer.block_list, answer.subject
    where = f" ({printable(subject.host)})" if subject.host else ""
    meanings = f" ({'; '.join(answer.meanings)})" if answer.meanings else ""
    reason = printable(answer.reason)[:_REASON_CHARS] if answer.reason else ""
    return Detail(
        f"{subject.name}{where} is on {one.name}{meanings}" + (f', which says "{reason}"' if reason else ""),
        subject=subject.name,
        fix=fix,
        level=level,
        paste=(one.page,),
        list=one.zone,
        page=one.page,
        codes=answer.lookup.names,
        meanings=answer.meanings,
        reason=reason or None,
    )


def _level(answer: DnsblAnswer) -> Level | None:
    """The entry's own level for a sender on a list that many use; less where less depends on it."""
    if answer.subject.role is Role.MX:
        # It matters for sending only, which another service's hosts do not do for us, and PBL hosts never do.
        harmless = host_provider(answer.subject.host or "") or answer.meanings == (PBL,)
        return Level.INFO if harmless else Level.WARNING
    return None if answer.block_list.widely_used else Level.WARNING


@checks.add(
    "address-listed",
    title="An address is on a block list",
    level=Level.ERROR,
    why="Receivers that ask this list refuse mail from the address, or count it as a sign of spam. An MX host that does not send mail is not affected.",
    fix="Find the cause (a hacked account or device, old address lists, missing reverse DNS), stop it, then ask for removal on the list's page.",
    sources=(rfc(5782, "2.1"),),
)
def address_listed(dnsbl: DnsblEvidence) -> Iterator[Detail]:
    for answer in dnsbl.listed:
        if answer.subject.role is Role.DOMAIN:
            continue
        fix = "Find and stop the cause first, or the entry comes back; then ask for removal here:"
        if answer.meanings == (PBL,):
            fix = "Send through your provider's submission server (port 587, with login). Only a real mail server with a fixed address and its own reverse name should be removed here:"
        yield _detail(answer, fix, _level(answer))


@checks.add(
    "domain-listed",
    title="The domain is on a block list",
    level=Level.ERROR,
    why="Receivers that ask this list refuse mail from the domain, or with links to it, whatever server sends it.",
    fix="Find the cause (mail to people who did not ask for it, a web site that was broken into), stop it, then ask for removal on the list's page.",
    sources=(rfc(5782, "3"),),
)
def domain_listed(dnsbl: DnsblEvidence) -> Iterator[Detail]:
    for answer in dnsbl.listed:
        if answer.subject.role is Role.DOMAIN:
            yield _detail(
                answer,
                "Find and stop the cause (spam, a web site that was broken into); then ask for removal here:",
                None,
            )


@checks.add(
    "list-refuses",
    title="A block list answers with an error",
    level=Level.UNKNOWN,
    why="Such an answer is no listing, although many programs take it for one: the list does not serve this resolver. The usual cause is a public resolver, or one that is shared by too many.",
    fix="Ask through a resolver of your own (--nameserver), or look it up by hand:",
    sources=(rfc(5782, "2.1"),),
)
def list_refuses(dnsbl: DnsblEvidence) -> Iterator[Detail]:
    told = set()
    for one in dnsbl.lists:
        if one.state is ListState.REFUSES:
            told.add(one.block_list.zone)
            yield Detail(
                f"{one.block_list.name} gave no answer but {printable(one.detail)}",
                subject=one.block_list.zone,
                paste=(one.block_list.page,),
            )
    for answer in dnsbl.answers:
        if answer.error is not None and answer.block_list.zone not in told:
            told.add(answer.block_list.zone)
            yield Detail(
                f"{answer.block_list.name} gave no answer about {answer.subject.name} but {printable(answer.error)}",
                subject=answer.block_list.zone,
                paste=(answer.block_list.page,),
            )


@checks.add(
    "no-answer",
    title="A block list did not answer",
    level=Level.UNKNOWN,
    why="DNS gave no answer from the list, so nothing is known about entries on it.",
    fix="Run the check again, or with another resolver (--nameserver). By hand:",
    sources=(rfc(5782, "2.1"),),
)
def no_answer(dnsbl: DnsblEvidence) -> Iterator[Detail]:
    for one in dnsbl.lists:
        silent = [
            answer.subject.name
            for answer in dnsbl.answers
            if answer.block_list is one.block_list and not answer.lookup.answered
        ]
        if one.state is ListState.UNKNOWN or silent:
            about = f" about {', '.join(silent[:3])}" if silent else ""
            yield Detail(
                f"DNS gave no answer from {one.block_list.name}{about}",
                subject=one.block_list.zone,
                paste=(one.block_list.page,),
            )


@checks.add(
    "list-broken",
    title="A block list is out of order, and was left out",
    level=Level.INFO,
    why="Every list has to hold a test entry and must not hold another. One that fails this is closed, or lists the whole world; receivers that still ask it refuse mail for no reason.",
    fix="Nothing to do for you. Where a bounce names this list, tell the receiver's postmaster.",
    sources=(rfc(5782, "5"),),
)
def list_broken(dnsbl: DnsblEvidence) -> Iterator[Detail]:
    for one in dnsbl.lists:
        if one.state is ListState.BROKEN:
            yield Detail(f"{one.block_list.name}: {one.detail}", subject=one.block_list.zone)


ENTRIES = checks.entries
