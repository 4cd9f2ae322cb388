"""DMARC: the tree walk, the record that applies, and its report destinations (RFC 9989 section 4.10, RFC 9990)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smtpdoc.evidence.auth import DmarcEvidence, ReportDestination, TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.grammar.dmarc import DmarcRecord, parse_dmarc
from smtpdoc.grammar.names import is_within, tree_walk
from smtpdoc.seams import Resolver

#: Report URIs that are looked into; nobody sends to more, and a stranger's record decides how many there are.
MAX_DESTINATIONS = 10

_WEAKER = {"reject": "quarantine", "quarantine": "none", "none": "none"}


@dataclass(frozen=True, slots=True)
class Step:
    """One name of the walk. `record` is the one DMARC record there; None for none, for several, or no answer."""

    domain: str
    lookup: Lookup
    records: tuple[DmarcRecord, ...]

    @property
    def record(self) -> DmarcRecord | None:
        # RFC 9989 section 4.10: "If multiple DMARC Policy Records are returned, they are all discarded."
        return self.records[0] if len(self.records) == 1 else None

    @property
    def psd(self) -> str:
        return self.record.psd if self.record else "u"


@dataclass(frozen=True, slots=True)
class _Choice:
    """The policy that applies: where its record stands and the tag that decides."""

    step: Step
    record: DmarcRecord
    policy: str | None
    tag: str | None


async def gather_dmarc(domain: str, resolver: Resolver) -> DmarcEvidence:
    """Ask for all names of the walk at once, then for what the report URIs need.

    The domain's MX is asked too, for whether the name exists (appendix A.4): np applies to names that do not.
    """
    names = tree_walk(domain)
    *answers, existence = await resolver.lookup_all([*((f"_dmarc.{name}", "TXT") for name in names), (domain, "MX")])
    steps = tuple(_step(name, lookup) for name, lookup in zip(names, answers, strict=True))
    walked = _until_psd(steps)
    found_first = steps[0].record is not None
    asked = steps[:1] if found_first else walked
    evidence = DmarcEvidence(
        status=TopicStatus.UNKNOWN,
        domain=domain,
        organizational_domain=organizational_domain(walked) if _answered(walked) else None,
        queries=tuple(step.lookup.name for step in asked),
        records=tuple(record.text for record in steps[0].records),
        lookups=tuple(answers),
        exists=existence.status is not LookupStatus.NXDOMAIN if existence.answered else None,
    )
    if not _answered(asked):
        return evidence
    choice = _choose(walked, existence)
    if choice is None:
        published = any(step.records or _near_miss(step) for step in asked)
        return replace(
            evidence,
            status=TopicStatus.INVALID if published else TopicStatus.ABSENT,
            misplaced=await resolver.lookup_all([(domain, "TXT"), (f"_dmarc.{domain}.{domain}", "TXT")]),
        )
    return await _with_record(evidence, choice, walked, resolver)


def _step(domain: str, lookup: Lookup) -> Step:
    records = (parse_dmarc(record.text) for record in lookup.txt)
    return Step(domain, lookup, tuple(record for record in records if record.is_dmarc))


def _near_miss(step: Step) -> bool:
    return any(parse_dmarc(record.text).flags for record in step.lookup.txt)


def _answered(steps: Sequence[Step]) -> bool:
    return all(step.lookup.answered for step in steps)


def _until_psd(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Cut the walk after the first record with psd=y or psd=n (section 4.10 steps 2 and 7)."""
    end = next((number for number, step in enumerate(steps, 1) if step.psd in ("y", "n")), len(steps))
    return steps[:end]


def organizational_domain(walk: Sequence[Step]) -> str:
    """Return the organizational domain of a walk's first domain (section 4.10.2). `walk` ends where psd= ended it."""
    start = walk[0].domain
    last = walk[-1]
    if last.psd == "n":
        return last.domain
    if last.psd == "y" and last.domain != start:
        return ".".join(start.split(".")[-last.domain.count(".") - 2 :])
    return next((step.domain for step in reversed(walk) if step.record is not None), start)


async def gather_alignment(author_domain: str, identifier: str, mode: str, resolver: Resolver) -> bool | None:
    """Whether a domain that passed SPF or DKIM is aligned with the author domain (section 4.4); None without answer.

    `mode` is "s" (the names are equal) or "r" (their organizational domains are, each found by a walk of its own).
    """
    if author_domain == identifier or mode == "s":
        return author_domain == identifier
    walks = [tree_walk(author_domain), tree_walk(identifier)]
    answers = await _ask(resolver, [(f"_dmarc.{name}", "TXT") for walk in walks for name in walk])
    steps = [_until_psd(tuple(_step(name, answers[f"_dmarc.{name}", "TXT"]) for name in walk)) for walk in walks]
    if not all(_answered(walk) for walk in steps):
        return None
    return organizational_domain(steps[0]) == organizational_domain(steps[1])


def _choose(walk: tuple[Step, ...], existence: Lookup) -> _Choice | None:
    """Return the record that applies: the author domain's, else the organizational domain's, else the PSD's."""
    author = walk[0]
    if author.record is not None:
        return _Choice(author, author.record, author.record.policy, "p")
    organizational = organizational_domain(walk)
    for step in walk:
        if step.record is not None and (step.domain == organizational or step.psd == "y"):
            record = step.record
            missing = existence.status is LookupStatus.NXDOMAIN  # appendix A.4: only NXDOMAIN is non-existent
            policy = record.nonexistent_policy if missing else record.subdomain_policy
            tag = next((name for name in ("np", "sp", "p") if record.tag(name) and (missing or name != "np")), None)
            return _Choice(step, record, policy, "p" if record.treated_as_none else tag)
    return None


async def _with_record(
    evidence: DmarcEvidence, choice: _Choice, walk: tuple[Step, ...], resolver: Resolver
) -> DmarcEvidence:
    record = choice.record
    # Section 4.7, t=y: the policy is applied one level lower.
    applies = choice.policy and (_WEAKER[choice.policy] if record.testing else choice.policy)
    return replace(
        evidence,
        status=TopicStatus.FOUND if record.applies else TopicStatus.INVALID,
        record=record.text,
        found_at=choice.step.lookup.name,
        policy=record.policy,
        subdomain_policy=record.subdomain_policy,
        np=record.nonexistent_policy,
        applies=applies,
        decided_by=choice.tag if record.applies else None,
        adkim=record.adkim,
        aspf=record.aspf,
        rua=tuple(uri.uri for uri in record.rua),
        ruf=tuple(uri.uri for uri in record.ruf),
        valid=record.applies,
        flags=record.flags,
        destinations=await _destinations(choice.step, record, walk, resolver),
    )


async def _destinations(
    policy: Step, record: DmarcRecord, walk: tuple[Step, ...], resolver: Resolver
) -> tuple[ReportDestination, ...]:
    """Return the report URIs with the consent of hosts outside the organizational domain (RFC 9990 section 4)."""
    uris = [*(("rua", uri) for uri in record.rua), *(("ruf", uri) for uri in record.ruf)][:MAX_DESTINATIONS]
    hosts = tuple(dict.fromkeys(uri.host for _, uri in uris if uri.host is not None))
    own = organizational_domain(walk[walk.index(policy) :])
    consent = {host: (_consent_name(policy.domain, host), "TXT") for host in hosts}
    outside = {host for host in hosts if not is_within(host, own)}
    # A host below the organizational domain is inside, unless a psd= tag between the two says otherwise.
    between = {
        host: [name for name in tree_walk(host) if is_within(name, own) and name != own]
        for host in hosts
        if host not in outside and host != policy.domain
    }
    answers = await _ask(
        resolver,
        [
            *((host, "MX") for host in hosts),
            *(consent[host] for host in hosts if host in outside),
            *((f"_dmarc.{name}", "TXT") for names in between.values() for name in names),
        ],
    )
    for host, names in between.items():
        steps = _until_psd(tuple(_step(name, answers[f"_dmarc.{name}", "TXT"]) for name in names))
        if steps and steps[-1].psd in ("y", "n") and organizational_domain(steps) != own:
            outside.add(host)
    bare = [host for host in hosts if answers[host, "MX"].status is LookupStatus.NODATA]
    answers |= await _ask(
        resolver,
        [
            *(consent[host] for host in hosts if host in outside and consent[host] not in answers),
            *((host, family) for host in bare for family in ("A", "AAAA")),
        ],
    )
    return tuple(
        ReportDestination(
            tag,
            uri.uri,
            uri.host,
            external=uri.host in outside,
            authorized=_agrees(answers[consent[uri.host]]) if uri.host in outside else None,
            lookup=answers[consent[uri.host]] if uri.host in outside else None,
            receives=None if uri.host is None else _receives(uri.host, answers),
        )
        for tag, uri in uris
    )


async def _ask(resolver: Resolver, questions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Lookup]:
    questions = tuple(dict.fromkeys(questions))
    return dict(zip(questions, await resolver.lookup_all(questions), strict=True)) if questions else {}


def _consent_name(policy_domain: str, host: str) -> str:
    return f"{policy_domain}._report._dmarc.{host}"


def _agrees(lookup: Lookup) -> bool | None:
    """Whether the receiver's record is there: one TXT that starts with v=DMARC1 (RFC 9990 section 4)."""
    if not lookup.answered:
        return None
    return any(parse_dmarc(record.text).is_dmarc for record in lookup.txt)


def _receives(host: str, answers: dict[tuple[str, str], Lookup]) -> bool | None:
    """Whether a host can receive mail at all: an MX that is not null, or an address (RFC 5321 section 5.1)."""
    mx = answers[host, "MX"]
    if mx.status is LookupStatus.FOUND:
        return any(record.host != "." for record in mx.mx)
    if mx.status is not LookupStatus.NODATA:
        return False if mx.status is LookupStatus.NXDOMAIN else None
    addresses = [answers[host, family] for family in ("A", "AAAA")]
    if any(answer.status is LookupStatus.FOUND for answer in addresses):
        return True
    return False if all(answer.answered for answer in addresses) else None
