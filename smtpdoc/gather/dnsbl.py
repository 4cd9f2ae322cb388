"""DNS block lists: the test points first, then what the working lists say (RFC 5782)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from smtpdoc.evidence.dns import Lookup
from smtpdoc.evidence.dnsbl import DnsblAnswer, DnsblEvidence, ListHealth, ListState, Role, Subject
from smtpdoc.gather.mx import MAX_HOSTS, has_address_records
from smtpdoc.grammar.dnsbl import LISTS, BlockList, Kind, Reading, read_answer
from smtpdoc.seams import Resolver

#: Addresses that are looked up; each costs a question per list.
MAX_ADDRESSES = 20


async def gather_dnsbl(
    domain: str, ips: Sequence[str], resolver: Resolver, lists: Sequence[BlockList] = LISTS
) -> DnsblEvidence:
    """Ask about the domain, the sending addresses `ips` and those of the MX hosts.

    Four rounds: the test points beside what is known already and the MX, the addresses of the MX hosts, what the
    working lists say about those, and the reasons of what is listed.
    """
    known = [Subject(str(ip_address(ip)), Role.SENDER) for ip in dict.fromkeys(ips)]
    known = [*known, Subject(domain, Role.DOMAIN)]
    tests = [(f"{test}.{one.zone}", "A") for one in lists for test in (one.listed_test, one.clean_test)]
    first = await resolver.lookup_all([*tests, *_questions(lists, known), (domain, "MX")])
    health = tuple(
        _health(one, listed, clean)
        for one, listed, clean in zip(lists, first[0 : len(tests) : 2], first[1 : len(tests) : 2], strict=True)
    )
    working = [one.block_list for one in health if one.state is ListState.WORKING]
    hosts = await _mx_subjects(domain, first[-1], resolver, {subject.name for subject in known})
    subjects = (*known, *hosts)
    asked = [(one, subject) for one in working for subject in subjects if _name(one, subject) is not None]
    lookups = await resolver.lookup_all(_questions(working, subjects))  # most are known by now
    answers = [_answer(one, subject, lookup) for (one, subject), lookup in zip(asked, lookups, strict=True)]
    return DnsblEvidence(domain, health, subjects, await _with_reasons(answers, resolver))


def _name(block_list: BlockList, subject: Subject) -> str | None:
    if (subject.role is Role.DOMAIN) != (block_list.kind is Kind.DOMAIN):
        return None
    return block_list.name_of(subject.name)


def _questions(lists: Sequence[BlockList], subjects: Sequence[Subject]) -> list[tuple[str, str]]:
    names = (_name(one, subject) for one in lists for subject in subjects)
    return [(name, "A") for name in names if name is not None]


async def _mx_subjects(domain: str, mx: Lookup, resolver: Resolver, known: set[str]) -> list[Subject]:
    """Return the addresses of the MX hosts, or of the domain itself where it has no MX (RFC 5321 section 5.1)."""
    records = sorted(mx.mx, key=lambda record: record.preference)
    hosts = [record.host for record in records if record.host != "." and has_address_records(record)]
    if mx.void:
        hosts = [domain]
    questions = [(host, rdtype) for host in dict.fromkeys(hosts[:MAX_HOSTS]) for rdtype in ("A", "AAAA")]
    lookups = await resolver.lookup_all(questions) if questions else ()
    found: dict[str, Subject] = {}
    for (host, _), lookup in zip(questions, lookups, strict=True):
        for text in lookup.names:
            ip = ip_address(text)
            # 127.0.0.2 is a test point and stands on every list
            if not ip.is_loopback and str(ip) not in known:
                found.setdefault(str(ip), Subject(str(ip), Role.MX, host))
    return list(found.values())[:MAX_ADDRESSES]


def _health(block_list: BlockList, listed: Lookup, clean: Lookup) -> ListHealth:
    for lookup in (listed, clean):
        if not lookup.answered:
            return ListHealth(block_list, ListState.UNKNOWN, lookup.detail or "no answer")
        error = read_answer(block_list, lookup.names).error
        if error is not None:
            return ListHealth(block_list, ListState.REFUSES, error)
    if not listed.records:
        return ListHealth(block_list, ListState.BROKEN, f"it does not list {listed.name}, which every list has to")
    if clean.records:
        return ListHealth(block_list, ListState.BROKEN, f"it lists {clean.name}, which no list may")
    return ListHealth(block_list, ListState.WORKING)


def _answer(block_list: BlockList, subject: Subject, lookup: Lookup) -> DnsblAnswer:
    read = read_answer(block_list, lookup.names) if lookup.answered else Reading(False)
    listed = read.listed if lookup.answered and read.error is None else None
    return DnsblAnswer(block_list, subject, lookup, listed, read.meanings, read.error)


async def _with_reasons(answers: Sequence[DnsblAnswer], resolver: Resolver) -> tuple[DnsblAnswer, ...]:
    """Ask for the text beside each listing (RFC 5782 section 2.1)."""
    questions = [(answer.lookup.name, "TXT") for answer in answers if answer.listed]
    if not questions:
        return tuple(answers)
    texts = {lookup.name: lookup.txt for lookup in await resolver.lookup_all(questions)}
    return tuple(
        replace(answer, reason=texts[answer.lookup.name][0].text) if texts.get(answer.lookup.name) else answer
        for answer in answers
    )
