"""DKIM: ask for the keys at the selectors named by the user and at those that senders commonly use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from smtpdoc.evidence.auth import DkimEvidence, DkimSelector, TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.grammar.dkim import looks_like_key, parse_dkim_key
from smtpdoc.grammar.selectors import COMMON_SELECTORS, selector_sender, selectors_of
from smtpdoc.seams import Resolver

#: As many names with one and the same answer are a wildcard, not keys.
_WILDCARD_AT = 8


async def gather_dkim(
    domain: str, resolver: Resolver, *, selectors: Sequence[str] = (), hints: Sequence[str] = ()
) -> DkimEvidence:
    """Ask for all selectors at once, together with `_domainkey.<domain>`, whose NXDOMAIN proves that there are none.

    `selectors` are the user's; `hints` are names of senders seen in MX and SPF ("Google Workspace"): their selectors
    are listed first.
    """
    # People paste whole names too: "s1._domainkey.example.com".
    requested = tuple(dict.fromkeys(selector.lower().strip(".").partition("._domainkey")[0] for selector in selectors))
    tried = tuple(dict.fromkeys((*requested, *selectors_of(tuple(hints)), *COMMON_SELECTORS)))
    parent = f"_domainkey.{domain}"
    above, *answers = await resolver.lookup_all(
        [(parent, "TXT"), *((f"{selector}.{parent}", "TXT") for selector in tried)]
    )
    wildcard = _wildcard(answers, above)
    found = []
    for selector, lookup in zip(tried, answers, strict=True):
        everywhere = wildcard is not None and _told(lookup) == wildcard
        if selector in requested or (not everywhere and _worth_telling(lookup)):
            found.append(_selector(selector, lookup, requested=selector in requested))
    if wildcard is not None and any(looks_like_key(text) for text in wildcard):
        sample = next(lookup for lookup in answers if _told(lookup) == wildcard)
        found.append(_selector("*", sample, requested=False))

    # RFC 8020: nothing exists below a name that does not exist. A key below it is a fault of the server.
    proven_absent = above.status is LookupStatus.NXDOMAIN and not any(
        selector.lookup.status is LookupStatus.FOUND for selector in found
    )
    return DkimEvidence(
        status=_status(found, proven_absent=proven_absent),
        domain=domain,
        selectors=tuple(found),
        tried=len(tried),
        proven_absent=proven_absent,
        wildcard=wildcard is not None,
        unanswered=sum(not lookup.answered for lookup in answers),
        parent=above,
    )


def _status(found: Sequence[DkimSelector], *, proven_absent: bool) -> TopicStatus:
    """FOUND with one usable or revoked key, INVALID with broken ones only, ABSENT when proven.

    UNKNOWN otherwise: a key may stand at a name that was not tried, or DNS did not answer.
    """
    states = {selector.status for selector in found}
    if proven_absent:
        return TopicStatus.ABSENT
    return next((state for state in (TopicStatus.FOUND, TopicStatus.INVALID) if state in states), TopicStatus.UNKNOWN)


def _told(lookup: Lookup) -> tuple[str, ...]:
    """What an answer says, to compare it with others: its texts, or the names that a dangling CNAME leads to."""
    if lookup.status is LookupStatus.FOUND:
        return tuple(sorted(record.text for record in lookup.txt))
    return lookup.aliases if lookup.void else ()


def _wildcard(answers: Sequence[Lookup], above: Lookup) -> tuple[str, ...] | None:
    """Return what a wildcard says at every name, or None (RFC 4592; RFC 7208 section 3.5)."""
    counts = Counter(told for lookup in answers if (told := _told(lookup)))
    if counts[_told(above)] > 1:
        return _told(above)
    return next((told for told, count in counts.most_common(1) if count >= _WILDCARD_AT), None)


def _worth_telling(lookup: Lookup) -> bool:
    """A key, or a CNAME that leads nowhere; not text that belongs to something else."""
    if lookup.status is LookupStatus.FOUND:
        return any(looks_like_key(text) for text in _told(lookup))
    return bool(_told(lookup))


def _selector(selector: str, lookup: Lookup, *, requested: bool) -> DkimSelector:
    cname = lookup.aliases[-1] if lookup.aliases else None
    sender = selector_sender(selector, cname)
    if lookup.status is not LookupStatus.FOUND:
        status = TopicStatus.ABSENT if lookup.void else TopicStatus.UNKNOWN
        return DkimSelector(selector, status, lookup, cname=cname, sender=sender, requested=requested)
    texts = tuple(record.text for record in lookup.txt)
    keys = tuple(text for text in texts if looks_like_key(text))
    if not keys:
        return DkimSelector(
            selector,
            TopicStatus.INVALID,
            lookup,
            records=texts,
            cname=cname,
            sender=sender,
            requested=requested,
            problems=("not-a-key",),
        )
    key = parse_dkim_key(keys[0])
    # RFC 6376 section 3.6.2.2: TXT records MUST be unique for a selector; with several the result is undefined.
    several = len(texts) > 1
    return DkimSelector(
        selector,
        TopicStatus.FOUND if (key.usable or key.revoked) and not several else TopicStatus.INVALID,
        lookup,
        record=keys[0],
        records=texts,
        key_type=key.key_type,
        key_bits=key.bits,
        revoked=key.revoked,
        testing=key.testing,
        cname=cname,
        sender=sender,
        requested=requested,
        problems=(*key.flags, "several-records") if several else key.flags,
    )
