"""What the DKIM keys of a domain mean: are there any, and at which selectors (RFC 6376, RFC 8463)?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks import dkim_record
from smtpdoc.catalog.checks.dkim_record import corrected, flagged, key_name
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DkimEvidence, DkimSelector, TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.dkim import RSA_ADVISED_BITS, looks_like_key
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.tags import parse_tags

checks = CheckSet[DkimEvidence]("dkim")

HOW_TO_FIND = (
    "Open a message that {domain} sent, view its source, and look for the DKIM-Signature header with d={domain}: "
    "the selector is the value of s=. Then name it: --selector NAME."
)


@checks.add(
    "unknown",
    title="DKIM could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer for some of the names, so a key may stand there or not.",
    fix="Run the check again, or with another resolver (--nameserver). If that fails too, check the zone's delegation and DNSSEC.",
    sources=(rfc(6376, "6.1.2"),),
)
def unknown(dkim: DkimEvidence) -> Iterator[Detail]:
    unanswered = [selector for selector in dkim.selectors if selector.status is TopicStatus.UNKNOWN]
    if unanswered:
        names = ", ".join(key_name(dkim, selector) for selector in unanswered)
        yield Detail(f"DNS gave no answer for {names}", subject=dkim.domain, unanswered=dkim.unanswered)
    elif dkim.unanswered and dkim.status is TopicStatus.UNKNOWN:
        yield Detail(
            f"DNS gave no answer for {dkim.unanswered} of the {dkim.tried} names tried",
            subject=dkim.domain,
            unanswered=dkim.unanswered,
        )


@checks.add(
    "absent",
    title="The domain has no DKIM keys",
    level=Level.WARNING,
    why="DNS answers NXDOMAIN for _domainkey, and nothing exists below a name that does not exist. No mail can be signed as this domain, so DMARC rests on SPF alone, which forwarding breaks.",
    fix="Turn on DKIM signing for this domain at the service that sends its mail, and publish the record it names.",
    sources=(rfc(8020, "2"), rfc(6376, "3.6.2.1")),
)
def absent(dkim: DkimEvidence) -> Iterator[Detail]:
    if dkim.proven_absent:
        yield Detail(f"_domainkey.{dkim.domain} does not exist, so no selector can", subject=dkim.domain)


@checks.add(
    "not-found",
    title="No DKIM key at the names tried",
    level=Level.INFO,
    why="Selectors cannot be listed in DNS, only guessed. The domain may well sign with a selector that was not tried.",
    fix=HOW_TO_FIND.format(domain="your domain"),
    sources=(rfc(6376, "3.1"),),
)
def not_found(dkim: DkimEvidence) -> Iterator[Detail]:
    if dkim.proven_absent or any(selector.lookup.status is LookupStatus.FOUND for selector in dkim.selectors):
        return
    if dkim.unanswered < dkim.tried:
        yield Detail(
            f"no key at the {dkim.tried - dkim.unanswered} names tried, which does not prove that there is none: name the "
            "selector (s= in a DKIM-Signature header) with --selector",
            subject=dkim.domain,
            fix=HOW_TO_FIND.format(domain=dkim.domain),
            tried=dkim.tried,
        )


@checks.add(
    "selector-not-found",
    title="The selector you named has no key",
    level=Level.ERROR,
    why="Receivers look the key up at exactly this name. Without it every signature with this selector fails.",
    fix="Compare the selector with s= in a DKIM-Signature header, and the record's name with what the signer asks for; some DNS panels add the domain by themselves, so that it stands there twice.",
    sources=(rfc(6376, "6.1.2"),),
)
def selector_not_found(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector in dkim.selectors:
        if selector.requested and selector.status is TopicStatus.ABSENT and not selector.cname:
            name = key_name(dkim, selector)
            yield Detail(f"{name} does not exist or has no TXT record", subject=name, selector=selector.selector)


@checks.add(
    "dangling-cname",
    title="A DKIM selector points to nothing",
    level=Level.WARNING,
    why="The selector is a CNAME whose target has no record: the set-up at the service was never finished, or was cancelled. Where the target's domain can be registered by others, they can sign as you.",
    fix="Finish the domain's verification at the service, or delete the CNAME.",
    sources=(rfc(1034, "3.6.2"),),
)
def dangling_cname(dkim: DkimEvidence) -> Iterator[Detail]:
    alive = {selector.sender for selector in dkim.selectors if selector.record}
    for selector in dkim.selectors:
        if selector.cname is None or selector.status is not TopicStatus.ABSENT:
            continue
        name = key_name(dkim, selector)
        # Microsoft 365 publishes only the key in use; its second selector points to nothing until the next rotation.
        spare = selector.sender == "Microsoft 365" and selector.sender in alive
        level = Level.INFO if spare else Level.ERROR if selector.requested else None
        yield Detail(
            f"{name} is a CNAME for {printable(selector.cname)}, which has no record"
            + ("; Microsoft 365 fills it at the next key rotation" if spare else ""),
            subject=name,
            level=level,
            fix="Nothing to do while the other selector holds a key." if spare else None,
            target=selector.cname,
        )


@checks.add(
    "not-a-key",
    title="The text at a selector is no DKIM key",
    level=Level.ERROR,
    why="Receivers find a TXT record there, but not a key, so signatures with this selector fail.",
    fix="Publish the signer's key at this name, and exclude names below _domainkey from a wildcard TXT record if there is one.",
    sources=(rfc(6376, "3.6.1"),),
)
def not_a_key(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector, name, _ in flagged(dkim, "not-a-key"):
        text = printable(selector.records[0])
        yield Detail(f'{name} says "{text[:80]}", which is no DKIM key', subject=name, selector=selector.selector)


@checks.add(
    "wildcard",
    title="A wildcard answers for every DKIM selector",
    level=Level.WARNING,
    why="Every name below _domainkey gives the same answer. A receiver cannot tell a selector that was never published from one that was, and a key found that way is good for any selector.",
    fix="Exclude the names below _domainkey from the wildcard, and publish each selector by itself.",
    sources=(rfc(4592, "2.1"), rfc(6376, "3.6.2.1")),
)
def wildcard(dkim: DkimEvidence) -> Iterator[Detail]:
    if dkim.wildcard:
        yield Detail(f"every name below _domainkey.{dkim.domain} gives the same answer", subject=dkim.domain)


@checks.add(
    "several-records",
    title="Two TXT records at one DKIM selector",
    level=Level.ERROR,
    why="What receivers do with more than one record at a selector is undefined: some take the first, some refuse both.",
    fix="Keep one. A new key goes under a new selector.",
    sources=(rfc(6376, "3.6.2.2"),),
)
def several_records(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector, name, _ in flagged(dkim, "several-records"):
        count = len(selector.records)
        keys = [text for text in selector.records if looks_like_key(text)]
        yield Detail(
            f"{name} has {count} TXT records, one is allowed",
            subject=name,
            # Which of two keys the signer uses cannot be seen; what is no key can go.
            paste=corrected(selector) if len(keys) == 1 else (),
            records=count,
        )


checks.include(dkim_record.checks)


@checks.add(
    "empty-non-terminal",
    title="The name server denies _domainkey although keys stand below it",
    level=Level.WARNING,
    why="NXDOMAIN says that nothing exists below a name. Resolvers that believe it (RFC 8020) will not find the keys.",
    fix="Ask the DNS host to answer NOERROR for names that only have names below them.",
    sources=(rfc(8020, "2"), rfc(4592, "2.2.2")),
)
def empty_non_terminal(dkim: DkimEvidence) -> Iterator[Detail]:
    denied = dkim.parent is not None and dkim.parent.status is LookupStatus.NXDOMAIN
    if denied and any(selector.lookup.status is LookupStatus.FOUND for selector in dkim.selectors):
        yield Detail(f"_domainkey.{dkim.domain} is NXDOMAIN, but keys exist below it", subject=dkim.domain)


@checks.add(
    "ed25519-only",
    title="Only Ed25519 keys were found",
    level=Level.INFO,
    why="Few receivers verify Ed25519 signatures yet; to the others such mail is unsigned.",
    fix=f"Sign twice: add an RSA {RSA_ADVISED_BITS} selector beside the Ed25519 one.",
    sources=(rfc(8463, "4"),),
)
def ed25519_only(dkim: DkimEvidence) -> Iterator[Detail]:
    usable = [selector for selector in dkim.selectors if selector.key_bits and selector.status is TopicStatus.FOUND]
    if usable and all(selector.key_type == "ed25519" for selector in usable):
        names = ", ".join(key_name(dkim, selector) for selector in usable)
        yield Detail(f"all keys found are Ed25519: {names}", subject=dkim.domain)


@checks.add(
    "same-key",
    title="One DKIM key at several selectors",
    level=Level.INFO,
    why="Changing the selector then does not change the key, so a rotation protects nobody.",
    fix="Give each selector a key of its own.",
    sources=(rfc(6376, "3.1"),),
)
def same_key(dkim: DkimEvidence) -> Iterator[Detail]:
    holders: dict[str, list[DkimSelector]] = {}
    for selector in dkim.selectors:
        tag = parse_tags(selector.record).get("p") if selector.record and selector.key_bits else None
        if tag is not None:
            holders.setdefault("".join(tag.value.split()), []).append(selector)
    for group in holders.values():
        targets = {selector.cname for selector in group if selector.cname}
        if len(group) > 1 and len(targets) != 1:  # two CNAMEs for one name are one record
            names = ", ".join(key_name(dkim, selector) for selector in group)
            yield Detail(f"the same key stands at {names}", subject=dkim.domain)


checks.include(dkim_record.notes)

ENTRIES = checks.entries
