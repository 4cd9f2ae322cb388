"""Whether a domain has a DMARC record, and which one applies (RFC 9989 section 4.10); how checks read and correct it."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DmarcEvidence, TopicStatus
from smtpdoc.evidence.dns import Lookup
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.dmarc import DmarcRecord, compose, parse_dmarc, repair
from smtpdoc.grammar.printable import printable

checks = CheckSet[DmarcEvidence]("dmarc")


def record_of(dmarc: DmarcEvidence) -> DmarcRecord | None:
    """Return the record that was found, read."""
    return parse_dmarc(dmarc.record) if dmarc.record is not None else None


def found_record(dmarc: DmarcEvidence) -> tuple[DmarcRecord, str] | None:
    """Return the record that was found and the domain it belongs to, or None."""
    record = record_of(dmarc)
    return None if record is None or dmarc.found_at is None else (record, dmarc.found_at.removeprefix("_dmarc."))


def flagged(dmarc: DmarcEvidence, *kinds: str) -> list[str]:
    """Return what stands behind the colon of these flags, or the flag itself when it has none."""
    found = (flag.partition(":") for flag in dmarc.flags)
    return [value or kind for kind, _, value in found if kind in kinds]


def tag_names(names: list[str]) -> str:
    return ", ".join(f"{printable(name)}=" for name in names)


def corrected(dmarc: DmarcEvidence, **changes: str | None) -> tuple[str, ...]:
    """Return the record to publish, with these tags changed, or taken away where None."""
    record = record_of(dmarc)
    return () if record is None else (compose(record, **changes),)


def _asked(dmarc: DmarcEvidence) -> list[Lookup]:
    """Return the answers that policy discovery reads, in the walk's order."""
    return [lookup for lookup in dmarc.lookups if lookup.name in dmarc.queries]


def with_reports(dmarc: DmarcEvidence, record: DmarcRecord) -> dict[str, str]:
    """Return a rua= for a record without: nobody should enforce a policy without reading what it does."""
    owner = (dmarc.found_at or dmarc.domain).removeprefix("_dmarc.")
    usable = any(uri.host is not None for uri in record.rua)
    return {} if usable else {"rua": f"mailto:dmarc-reports@{owner}"}


def _first_record(domain: str) -> str:
    return f"v=DMARC1; p=none; rua=mailto:dmarc-reports@{domain}"


# --- whether there is a record ---------------------------------------------------------------------------------------


@checks.add(
    "unknown",
    title="DMARC could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer for a name that policy discovery needs. Receivers that meet this keep the mail, or treat it as if there were no DMARC.",
    fix="Run the check again, or with another resolver (--nameserver). If it stays so, check the zone's delegation and DNSSEC.",
    sources=(rfc(9989, "4.10"),),
)
def unknown(dmarc: DmarcEvidence) -> Iterator[Detail]:
    silent = [lookup.name for lookup in dmarc.lookups if not lookup.answered]
    if dmarc.status is TopicStatus.UNKNOWN:
        names = ", ".join(name for name in silent if name in dmarc.queries)
        yield Detail(f"DNS gave no answer for {names}", subject=dmarc.domain, names=tuple(silent))


@checks.add(
    "organizational-domain-unknown",
    title="The organizational domain could not be determined",
    level=Level.INFO,
    why="DNS gave no answer for a name above the domain. The policy is the domain's own and does not depend on it; which subdomains count as aligned does.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(9989, "4.10.2"),),
)
def organizational_domain_unknown(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if dmarc.organizational_domain is None and dmarc.status is not TopicStatus.UNKNOWN:
        silent = tuple(lookup.name for lookup in dmarc.lookups if not lookup.answered)
        yield Detail(f"DNS gave no answer for {', '.join(silent)}", subject=dmarc.domain, names=silent)


@checks.add(
    "missing",
    title="The domain has no DMARC record",
    level=Level.WARNING,
    why="Anyone can put the domain into a From address, and nobody tells its owner. Gmail, Yahoo and Microsoft ask senders of more than 5,000 messages a day for a record.",
    fix="Publish a TXT record that asks for reports only; it changes nothing for your mail. Raise the policy when the reports show that all of your mail passes.",
    sources=(rfc(9989, "5.1"), rfc(9989, "4.10.1")),
)
def missing(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if dmarc.status is TopicStatus.ABSENT and not list(_misplaced(dmarc)):
        yield Detail(
            f"no DMARC record at {', '.join(dmarc.queries)}",
            subject=dmarc.domain,
            fix=f"Publish this TXT record at _dmarc.{dmarc.domain}. It asks for reports only and changes nothing for your mail.",
            paste=(_first_record(dmarc.domain),),
        )


def _misplaced(dmarc: DmarcEvidence) -> Iterator[tuple[str, str]]:
    for lookup in dmarc.misplaced:
        for record in lookup.txt:
            if parse_dmarc(record.text).is_dmarc:
                yield lookup.name, record.text


@checks.add(
    "misplaced",
    title="The DMARC record stands at the wrong name",
    level=Level.ERROR,
    why="Receivers look at _dmarc.<domain> only. At any other name the record does nothing.",
    fix="Publish it at _dmarc.<domain>. Most DNS panels add the domain by themselves: enter the host name _dmarc alone.",
    sources=(rfc(9989, "4.10"),),
)
def misplaced(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for name, text in _misplaced(dmarc):
        yield Detail(
            f"the DMARC record stands at {name} instead of _dmarc.{dmarc.domain}",
            subject=name,
            paste=(printable(text),),
        )


_NEAR_MISSES = {
    "version-case": "v=DMARC1 has to be in upper case",
    "missing-semicolon": "a semicolon is missing after v=DMARC1",
    "missing-version": "v= is missing before DMARC1",
    "version-not-first": "v=DMARC1 is not at the beginning",
    "escaped-semicolon": "its semicolons have backslashes, which belong to zone files only",
    "quoted": "quotation marks became part of it",
    "leading-space": "it begins with a space",
    "stray-character": "an invisible character stands before or after it",
}


@checks.add(
    "not-a-record",
    title="A text that was meant to be a DMARC record is none",
    level=Level.ERROR,
    why="A DMARC record begins with v=DMARC1 and a semicolon, exactly so. Receivers pass over anything else, as if nothing were there.",
    fix="Publish the corrected record.",
    sources=(rfc(9989, "4.8"), rfc(9989, "4.10")),
)
def not_a_record(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for lookup in _asked(dmarc):
        for text in (record.text for record in lookup.txt):
            flags = parse_dmarc(text).flags if not parse_dmarc(text).is_dmarc else ()
            reasons = "; ".join(_NEAR_MISSES[flag] for flag in flags)
            if reasons:
                fixed = repair(text)
                yield Detail(
                    f"{lookup.name} is no DMARC record: {reasons}",
                    subject=lookup.name,
                    paste=() if fixed is None else (printable(fixed),),
                    flags=flags,
                )


@checks.add(
    "several-records",
    title="Two DMARC records at one name",
    level=Level.ERROR,
    why="Where more than one DMARC record stands at a name, all of them are discarded.",
    fix="Keep one.",
    sources=(rfc(9989, "4.10"),),
)
def several_records(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for lookup in _asked(dmarc):
        records = [record for record in map(parse_dmarc, (txt.text for txt in lookup.txt)) if record.is_dmarc]
        if len(records) > 1:
            yield Detail(
                f"{lookup.name} has {len(records)} DMARC records, so none counts",
                subject=lookup.name,
                paste=(compose(records[0]),),
                records=len(records),
            )


@checks.add(
    "dangling-cname",
    title="The DMARC name points to nothing",
    level=Level.ERROR,
    why="_dmarc is a CNAME whose target has no record, so there is no DMARC. Where the target's domain can be registered by others, they decide about your mail.",
    fix="Finish the set-up at the service, or delete the CNAME and publish a record of your own.",
    sources=(rfc(1034, "3.6.2"),),
)
def dangling_cname(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for lookup in _asked(dmarc):
        if lookup.aliases and lookup.void:
            yield Detail(
                f"{lookup.name} is a CNAME for {printable(lookup.aliases[-1])}, which has no record",
                subject=lookup.name,
            )


@checks.add(
    "foreign-text",
    title="Text that is not DMARC stands at the DMARC name",
    level=Level.INFO,
    why="Receivers pass over it. Often a wildcard TXT record answers for this name as well.",
    fix="Exclude _dmarc from the wildcard, or delete what does not belong there.",
    sources=(rfc(9989, "4.10"), rfc(4592, "2.1")),
)
def foreign_text(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for lookup in _asked(dmarc):
        others = [txt.text for txt in lookup.txt if not (parse_dmarc(txt.text).is_dmarc or parse_dmarc(txt.text).flags)]
        if others:
            spf = any(text.lower().startswith("v=spf1") for text in others)
            yield Detail(
                f'{lookup.name} also says "{printable(others[0])[:60]}"',
                subject=lookup.name,
                level=Level.WARNING if spf else None,
            )


# --- which record applies ------------------------------------------------------------------------------------------


@checks.add(
    "inherited",
    title="The policy comes from another name",
    level=Level.INFO,
    why="The domain has no record of its own, so the one of its organizational domain (or of the public suffix above it) applies, with sp= for subdomains and np= for names that do not exist.",
    fix="Nothing to do if that is what you want; a record at the domain itself would come first.",
    sources=(rfc(9989, "4.10.1"), rfc(9989, "4.7")),
)
def inherited(dmarc: DmarcEvidence) -> Iterator[Detail]:
    found = found_record(dmarc)
    if found is None or found[1] == dmarc.domain or not found[0].applies:
        return
    record, owner = found
    kind = "does not exist" if dmarc.decided_by == "np" else "exists" if dmarc.exists else "may exist"
    message = f"{dmarc.domain} has no record and {kind}; {dmarc.decided_by or 'p'}= of {owner} applies: {dmarc.applies}"
    if record.psd == "y":
        message += "; receivers that follow RFC 7489 do not look at a public suffix and apply nothing"
    yield Detail(message, subject=dmarc.domain, found_at=dmarc.found_at, tag=dmarc.decided_by)


@checks.add(
    "record-not-used",
    title="A DMARC record that nobody uses",
    level=Level.WARNING,
    why="Receivers use the record of the From domain, or else of its organizational domain. A record at a name between the two applies to mail from that name only.",
    fix="Publish a record at the domain itself if the policy is meant for it, or psd=n in the record between if that name is to be an organizational domain.",
    sources=(rfc(9989, "4.10.1"), rfc(9989, "4.10.2")),
)
def record_not_used(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for lookup in _asked(dmarc)[1:]:
        if lookup.name == dmarc.found_at:
            break
        if any(parse_dmarc(txt.text).is_dmarc for txt in lookup.txt):
            yield Detail(f"the record at {lookup.name} is not used for {dmarc.domain}", subject=lookup.name)


@checks.add(
    "invalid-policy",
    title="The DMARC policy has a value that does not exist",
    level=Level.ERROR,
    why="p=, sp= and np= are none, quarantine or reject. With any other value receivers act as if the record said p=none when it has a usable rua=, and ignore it otherwise.",
    fix="Correct the value.",
    sources=(rfc(9989, "4.10.1"), rfc(9989, "4.7")),
)
def invalid_policy(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = record_of(dmarc)
    for name in flagged(dmarc, "invalid-value") if record else ():
        if record is not None and name in ("p", "sp", "np"):
            outcome = "receivers act as if it said p=none" if record.applies else "receivers ignore the whole record"
            yield Detail(
                f"{dmarc.found_at} says {name}={printable(record.tag(name) or '')}; {outcome}",
                subject=dmarc.found_at or dmarc.domain,
                paste=corrected(dmarc),
                tag=name,
            )


@checks.add(
    "missing-policy",
    title="The DMARC record has no policy",
    level=Level.WARNING,
    why="Without p= receivers act as if it said p=none when a usable rua= is there, and ignore the record otherwise. Receivers that still follow RFC 7489 ignore it in any case.",
    fix="Add p=none, or the policy that you want.",
    sources=(rfc(9989, "4.7"), rfc(9989, "4.10.1"), rfc(7489, "6.3")),
)
def missing_policy(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if "missing-p" in dmarc.flags:
        outcome = "receivers act as if it said p=none" if dmarc.valid else "receivers ignore the whole record"
        yield Detail(
            f"{dmarc.found_at} has no p=; {outcome}",
            subject=dmarc.found_at or dmarc.domain,
            level=None if dmarc.valid else Level.ERROR,
            paste=corrected(dmarc),
        )


@checks.add(
    "duplicate-tag",
    title="A tag stands twice in the DMARC record",
    level=Level.ERROR,
    why="In a tag list no name may be repeated; strict receivers discard the whole record, others read the first or the last one.",
    fix="Keep one of each.",
    sources=(rfc(6376, "3.2"), rfc(9989, "4.8")),
)
def duplicate_tag(dmarc: DmarcEvidence) -> Iterator[Detail]:
    names = flagged(dmarc, "duplicate-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {tag_names(names)} more than once", subject=where, paste=corrected(dmarc))
