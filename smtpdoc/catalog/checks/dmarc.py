"""What a domain's DMARC means (RFC 9989, RFC 9990), and where receivers that follow RFC 7489 decide differently."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks import alignment
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DmarcEvidence, ReportDestination, TopicStatus
from smtpdoc.evidence.dns import Lookup
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.dmarc import DmarcRecord, compose, parse_dmarc, repair
from smtpdoc.grammar.names import registered_guess
from smtpdoc.grammar.printable import printable

checks = CheckSet[DmarcEvidence]("dmarc")

#: RFC 7489 section 6.3 lets a reporter stop after two URIs.
REPORT_URIS = 2


def _record(dmarc: DmarcEvidence) -> DmarcRecord | None:
    return parse_dmarc(dmarc.record) if dmarc.record is not None else None


def _found(dmarc: DmarcEvidence) -> tuple[DmarcRecord, str] | None:
    """Return the record that was found and the domain it belongs to, or None."""
    record = _record(dmarc)
    return None if record is None or dmarc.found_at is None else (record, dmarc.found_at.removeprefix("_dmarc."))


def _flags(dmarc: DmarcEvidence, *kinds: str) -> list[str]:
    """Return what stands behind the colon of these flags, or the flag itself when it has none."""
    found = (flag.partition(":") for flag in dmarc.flags)
    return [value or kind for kind, _, value in found if kind in kinds]


def _tags(names: list[str]) -> str:
    return ", ".join(f"{printable(name)}=" for name in names)


def _corrected(dmarc: DmarcEvidence, **changes: str | None) -> tuple[str, ...]:
    record = _record(dmarc)
    return () if record is None else (compose(record, **changes),)


def _asked(dmarc: DmarcEvidence) -> list[Lookup]:
    """Return the answers that policy discovery reads, in the walk's order."""
    return [lookup for lookup in dmarc.lookups if lookup.name in dmarc.queries]


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
    found = _found(dmarc)
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
    record = _record(dmarc)
    for name in _flags(dmarc, "invalid-value") if record else ():
        if record is not None and name in ("p", "sp", "np"):
            outcome = "receivers act as if it said p=none" if record.applies else "receivers ignore the whole record"
            yield Detail(
                f"{dmarc.found_at} says {name}={printable(record.tag(name) or '')}; {outcome}",
                subject=dmarc.found_at or dmarc.domain,
                paste=_corrected(dmarc),
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
            paste=_corrected(dmarc),
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
    names = _flags(dmarc, "duplicate-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {_tags(names)} more than once", subject=where, paste=_corrected(dmarc))


# --- the policy ----------------------------------------------------------------------------------------------------


@checks.add(
    "policy-none",
    title="DMARC only watches",
    level=Level.WARNING,
    why="With p=none receivers deliver mail that fails DMARC as if nothing had happened; anyone can send as this domain.",
    fix="Read the reports until every service that sends for you passes with your domain, then ask for quarantine, and for reject when that goes well.",
    sources=(rfc(9989, "5.1"), rfc(9989, "4.7")),
)
def policy_none(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    # An invalid or missing policy, or a test, has its own finding.
    if dmarc.applies == "none" and record is not None and not record.treated_as_none and not record.testing:
        tag = dmarc.decided_by or "p"
        yield Detail(
            f"{dmarc.found_at} says {tag}=none, so nothing is enforced for {dmarc.domain}",
            subject=dmarc.domain,
            paste=_corrected(dmarc, **{tag: "quarantine"}, **_with_reports(dmarc, record)),
        )


def _with_reports(dmarc: DmarcEvidence, record: DmarcRecord) -> dict[str, str]:
    """Return a rua= for a record without: nobody should enforce a policy without reading what it does."""
    owner = (dmarc.found_at or dmarc.domain).removeprefix("_dmarc.")
    usable = any(uri.host is not None for uri in record.rua)
    return {} if usable else {"rua": f"mailto:dmarc-reports@{owner}"}


@checks.add(
    "subdomains-open",
    title="Subdomains are open to spoofing",
    level=Level.WARNING,
    why="The domain itself is protected, but sp=none (or np=none) leaves every name below it free for others to use.",
    fix="Take the tag away, so that subdomains follow p=, once the subdomains that send mail pass DMARC.",
    sources=(rfc(9989, "4.7"),),
)
def subdomains_open(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    if record is None or not record.applies or record.policy == "none" or dmarc.found_at != f"_dmarc.{dmarc.domain}":
        return
    for name, value in (("sp", record.subdomain_policy), ("np", record.nonexistent_policy)):
        if record.tag(name) and value == "none":
            yield Detail(
                f"{dmarc.found_at} says p={record.policy} but {name}=none",
                subject=dmarc.domain,
                paste=_corrected(dmarc, **{name: None}),
            )


@checks.add(
    "subdomain-tags-unused",
    title="sp= and np= have no effect here",
    level=Level.INFO,
    why="They are read in the record of an organizational domain (or a public suffix) only; for mail from this very name p= decides.",
    fix="Nothing breaks; remove them, or publish records at the subdomains.",
    sources=(rfc(9989, "4.7"),),
)
def subdomain_tags_unused(dmarc: DmarcEvidence) -> Iterator[Detail]:
    found = _found(dmarc)
    if found is None or dmarc.organizational_domain in (None, found[1]) or found[0].psd == "y":
        return
    names = [name for name in ("sp", "np") if found[0].tag(name)]
    if names:
        yield Detail(
            f"{dmarc.found_at} has {_tags(names)}, but the organizational domain is {dmarc.organizational_domain}",
            subject=dmarc.found_at or dmarc.domain,
        )


@checks.add(
    "policy-reject",
    title="Mail that fails DMARC is to be refused",
    level=Level.INFO,
    why="The strictest policy. Mailing lists and forwarders change messages, so mail of people who write to lists may be lost; it should not rest on SPF alone, which every forwarder breaks.",
    fix="Right for domains that send only automatic mail, with DKIM on all of it. Where people have mailboxes, read the reports for lists and forwarders.",
    sources=(rfc(9989, "7.4"), rfc(9989, "8")),
)
def policy_reject(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if dmarc.applies == "reject":
        yield Detail(f"{dmarc.found_at} asks receivers to refuse mail that fails", subject=dmarc.domain)


@checks.add(
    "testing",
    title="DMARC is in test mode",
    level=Level.WARNING,
    why="With t=y receivers apply the policy one level lower: quarantine for reject, nothing for quarantine. Receivers that follow RFC 7489 do not know the tag and apply the policy in full.",
    fix="Take t=y away when the reports are good.",
    sources=(rfc(9989, "4.7"),),
)
def testing(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    if record is not None and record.testing and record.applies:
        yield Detail(
            f"{dmarc.found_at} says t=y: what applies to {dmarc.domain} is {dmarc.applies}",
            subject=dmarc.domain,
            paste=_corrected(dmarc, t=None),
        )


@checks.add(
    "old-receivers-differ",
    title="Receivers that follow RFC 7489 read the record differently",
    level=Level.INFO,
    why="RFC 9989 replaced it in May 2026; many receivers still follow the old rules, with the public suffix list in place of the tree walk and without np=, psd= and t=.",
    fix="Publish a record at the domain itself, with p= as its second tag and both policies spelt out, where both kinds of receivers have to agree.",
    sources=(rfc(9989, "4.10"), rfc(7489, "6.6.3")),
)
def old_receivers_differ(dmarc: DmarcEvidence) -> Iterator[Detail]:
    found = _found(dmarc)
    if found is None or not found[0].applies:
        return
    record, owner = found
    if dmarc.decided_by == "np" and record.nonexistent_policy != record.subdomain_policy:
        yield Detail(
            f"np= is not known to them: they apply sp={record.subdomain_policy} to {dmarc.domain}", subject=dmarc.domain
        )
    if record.psd == "n" and owner.count(".") > 1:
        yield Detail(
            f"psd=n makes {owner} an organizational domain; they take the one that the public suffix list gives",
            subject=owner,
        )
    if owner != dmarc.domain and owner.count(".") == 0:
        yield Detail(f"the record of {owner} is that of a public suffix, at which they do not look", subject=owner)
    elif record.psd == "u":
        yield from _by_suffix_list(dmarc, owner)


def _by_suffix_list(dmarc: DmarcEvidence, owner: str) -> Iterator[Detail]:
    """Tell where the public suffix list most likely gives another organizational domain than the walk."""
    guess = registered_guess(dmarc.domain)
    if dmarc.organizational_domain in (None, guess):
        return
    if owner not in (dmarc.domain, guess):
        above = "" if guess == dmarc.domain else f" and, by the public suffix list, most likely at _dmarc.{guess}"
        yield Detail(
            f"they look at _dmarc.{dmarc.domain}{above}, and not at the record of {owner}",
            subject=dmarc.domain,
            organizational_domain=dmarc.organizational_domain,
            by_suffix_list=guess,
        )
    elif (dmarc.adkim, dmarc.aspf) != ("s", "s"):
        yield Detail(
            f"what aligns with {dmarc.domain} differs: its organizational domain is {dmarc.organizational_domain} by "
            f"the tree walk, and most likely {guess} by the public suffix list",
            subject=dmarc.domain,
            organizational_domain=dmarc.organizational_domain,
            by_suffix_list=guess,
        )


@checks.add(
    "partial-percent",
    title="pct= is gone, and old receivers still use it",
    level=Level.WARNING,
    why="RFC 9989 removed pct=: receivers apply the policy to all mail that fails. Receivers of the old school apply it to this share only, and BIMI refuses such a record.",
    fix="Take pct= away; use t=y to test.",
    sources=(rfc(9989, "A.6"),),
)
def partial_percent(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    percent = record.tag("pct") if record is not None else None
    if record is not None and percent not in (None, "100") and record.policy in ("quarantine", "reject"):
        yield Detail(
            f"{dmarc.found_at} says pct={printable(percent or '')}",
            subject=dmarc.found_at or dmarc.domain,
            paste=_corrected(dmarc, t="y"),
        )


@checks.add(
    "removed-tag",
    title="The DMARC record has tags that no longer exist",
    level=Level.INFO,
    why="pct=, rf= and ri= were removed in RFC 9989; receivers ignore them.",
    fix="Remove them.",
    sources=(rfc(9989, "C"), rfc(9989, "A.6")),
)
def removed_tag(dmarc: DmarcEvidence) -> Iterator[Detail]:
    names = _flags(dmarc, "removed-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {_tags(names)}", subject=where, paste=_corrected(dmarc))


@checks.add(
    "policy-order",
    title="p= is not the second tag",
    level=Level.INFO,
    why="Any order is right since RFC 9989; receivers that follow RFC 7489 may ignore a record whose second tag is not p=.",
    fix="Put p= right after v=DMARC1.",
    sources=(rfc(9989, "4.8"), rfc(7489, "6.4")),
)
def policy_order(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if "p-not-second" in dmarc.flags:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has other tags before p=", subject=where, paste=_corrected(dmarc))


# --- the other tags ------------------------------------------------------------------------------------------------


@checks.add(
    "invalid-value",
    title="A DMARC tag has a value that does not exist",
    level=Level.WARNING,
    why="Receivers use the tag's default in place of it.",
    fix="Correct the value, or remove the tag.",
    sources=(rfc(9989, "4.7"), rfc(9989, "4.8")),
)
def invalid_value(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    for name in _flags(dmarc, "invalid-value"):
        if record is not None and name not in ("p", "sp", "np"):
            yield Detail(
                f"{dmarc.found_at} says {name}={printable(record.tag(name) or '')}",
                subject=dmarc.found_at or dmarc.domain,
                paste=_corrected(dmarc),
                tag=name,
            )


@checks.add(
    "malformed-tag",
    title="A part of the DMARC record is no tag",
    level=Level.WARNING,
    why="Between semicolons a record has name=value. Receivers that follow RFC 9989 drop what is malformed; others may drop the record.",
    fix="Correct or remove it.",
    sources=(rfc(9989, "4.8"),),
)
def malformed_tag(dmarc: DmarcEvidence) -> Iterator[Detail]:
    where = dmarc.found_at or dmarc.domain
    for kind, says in (
        ("malformed-tag", "has a part that is no name=value"),
        ("empty-tag", "has ;; with nothing between"),
    ):
        if kind in dmarc.flags:
            level = Level.INFO if kind == "empty-tag" else None
            yield Detail(f"{where} {says}", subject=where, level=level, paste=_corrected(dmarc))
    names = _flags(dmarc, "empty-value")
    if names:
        yield Detail(f"{where} has {_tags(names)} without a value", subject=where, paste=_corrected(dmarc))


@checks.add(
    "unknown-tag",
    title="The DMARC record has unknown tags",
    level=Level.INFO,
    why="Receivers ignore tags that they do not know, so a misspelt one has no effect.",
    fix="Check the spelling, or remove them.",
    sources=(rfc(9989, "4.7"),),
)
def unknown_tag(dmarc: DmarcEvidence) -> Iterator[Detail]:
    names = _flags(dmarc, "unknown-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {_tags(names)}", subject=where, paste=_corrected(dmarc))


@checks.add(
    "failure-options",
    title="fo= does not do what it seems to",
    level=Level.INFO,
    why="fo= says when failure reports are wanted. Without a usable ruf= none are sent; 0 and 1 exclude each other, and an option counts once.",
    fix="Remove fo=, or add a ruf= for the reports.",
    sources=(rfc(9989, "4.7"),),
)
def failure_options(dmarc: DmarcEvidence) -> Iterator[Detail]:
    where = dmarc.found_at or dmarc.domain
    says = {
        "fo-without-ruf": "has fo= but no usable ruf=",
        "fo-0-and-1": "has both 0 and 1 in fo=",
        "repeated-option:fo": "repeats an option in fo=",
    }
    for flag, words in says.items():
        if flag in dmarc.flags:
            fo = "1" if dmarc.ruf else None
            yield Detail(f"{where} {words}", subject=where, paste=_corrected(dmarc, fo=fo))


# --- the reports ---------------------------------------------------------------------------------------------------


@checks.add(
    "no-reports",
    title="Nobody receives DMARC reports",
    level=Level.INFO,
    why="Without rua= the owner never learns who sends as the domain, nor which of the own services fail.",
    fix="Add rua=mailto: with a mailbox, or a report service's address.",
    sources=(rfc(9989, "5.1"), rfc(9990)),
)
def no_reports(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    if record is not None and not record.rua:
        owner = (dmarc.found_at or dmarc.domain).removeprefix("_dmarc.")
        yield Detail(
            f"{dmarc.found_at} has no usable rua=",
            subject=owner,
            level=Level.WARNING if record.policy in (None, "none") else None,
            paste=_corrected(dmarc, **_with_reports(dmarc, record)),
        )


@checks.add(
    "bad-report-address",
    title="A report address is no URI",
    level=Level.WARNING,
    why="rua= and ruf= hold URIs separated by commas; a mail address needs mailto: before it. Receivers drop what they cannot read, and no report arrives.",
    fix="Write mailto:name@domain.",
    sources=(rfc(9989, "4.6"), rfc(9989, "4.8")),
)
def bad_report_address(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    for name in _flags(dmarc, "bad-uri"):
        value = (record.tag(name) or "") if record is not None else ""
        usable = record.rua if record is not None and name == "rua" else record.ruf if record is not None else ()
        hint = "; mailto: is missing" if f"missing-mailto:{name}" in dmarc.flags else ""
        fixed = ",".join(
            part if ":" in part else f"mailto:{part}"
            for part in (piece.strip() for piece in value.split(","))
            if "@" in part
        )
        yield Detail(
            f"{dmarc.found_at} says {name}={printable(value)}{hint}",
            subject=dmarc.found_at or dmarc.domain,
            level=None if usable else Level.ERROR,
            paste=tuple(printable(line) for line in _corrected(dmarc, **{name: fixed})) if hint else (),
        )


@checks.add(
    "unsupported-report-address",
    title="A report address that nobody sends to",
    level=Level.WARNING,
    why="Reports are sent by mail. No receiver is known to support another scheme.",
    fix="Use mailto:.",
    sources=(rfc(9990, "3.5"),),
)
def unsupported_report_address(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = _record(dmarc)
    for destination in dmarc.destinations:
        if destination.host is None and record is not None:
            yield Detail(
                f"{dmarc.found_at} asks for reports to {printable(destination.uri)}",
                subject=dmarc.found_at or dmarc.domain,
                paste=_corrected(dmarc, **_with_reports(dmarc, record)),
            )


@checks.add(
    "report-size-limit",
    title="A size limit on a report address",
    level=Level.INFO,
    why="The !size suffix is obsolete; receivers that do not know it may take it for a part of the address.",
    fix="Remove the ! and what follows it.",
    sources=(rfc(9989, "4.6"), rfc(9989, "C")),
)
def report_size_limit(dmarc: DmarcEvidence) -> Iterator[Detail]:
    names = _flags(dmarc, "obsolete-size")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has a size limit in {_tags(names)}", subject=where, paste=_corrected(dmarc))


@checks.add(
    "many-report-addresses",
    title="More report addresses than every receiver serves",
    level=Level.INFO,
    why="Receivers that follow RFC 7489 may stop after two addresses of a tag.",
    fix="Put the address that matters first, and keep two.",
    sources=(rfc(7489, "6.3"),),
)
def many_report_addresses(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for name, uris in (("rua", dmarc.rua), ("ruf", dmarc.ruf)):
        if len(uris) > REPORT_URIS:
            where = dmarc.found_at or dmarc.domain
            yield Detail(f"{where} has {len(uris)} addresses in {name}=", subject=where, addresses=len(uris))


def _by_host(dmarc: DmarcEvidence) -> Iterator[ReportDestination]:
    """Yield one destination for each host."""
    yield from {destination.host: destination for destination in dmarc.destinations if destination.host}.values()


@checks.add(
    "reports-not-authorized",
    title="The report receiver has not agreed to take the reports",
    level=Level.WARNING,
    why="Reports go to a host of another organization only when a record there says so; otherwise receivers drop the address and no report is sent.",
    fix="Ask whoever runs that domain (usually the report service, where your domain must be registered) to publish the TXT record below.",
    sources=(rfc(9990, "4"), rfc(7489, "7.1")),
)
def reports_not_authorized(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for destination in _by_host(dmarc):
        if destination.external and destination.authorized is False and destination.lookup is not None:
            name = destination.lookup.name
            yield Detail(
                f"{destination.host} does not accept reports about {(dmarc.found_at or '').removeprefix('_dmarc.')}: "
                f"no record at {name}",
                subject=destination.host or "",
                paste=(f'{name}. IN TXT "v=DMARC1;"',),
            )


@checks.add(
    "report-host-unreachable",
    title="The report address cannot receive mail",
    level=Level.WARNING,
    why="The mailbox's domain does not exist, has a null MX, or has neither MX nor address, so reports bounce.",
    fix="Correct the address in rua= or ruf=.",
    sources=(rfc(5321, "5.1"), rfc(7505, "3")),
)
def report_host_unreachable(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for destination in _by_host(dmarc):
        if destination.receives is False:
            yield Detail(
                f"{destination.host} receives no mail ({destination.tag}=)",
                subject=destination.host or "",
                paste=_without_host(dmarc, destination),
            )


def _without_host(dmarc: DmarcEvidence, gone: ReportDestination) -> tuple[str, ...]:
    """Return the record without the addresses at a host; nothing where it was the only one: the owner has to choose."""
    left = {
        tag: ",".join(uri.uri for uri in dmarc.destinations if uri.tag == tag and uri.host not in (None, gone.host))
        for tag in {destination.tag for destination in dmarc.destinations}
    }
    return _corrected(dmarc, **left) if left.get(gone.tag) else ()


@checks.add(
    "reports-unknown",
    title="Whether reports arrive could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer about the report address's host.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(9990, "4"),),
)
def reports_unknown(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for destination in _by_host(dmarc):
        if (destination.external and destination.authorized is None) or destination.receives is None:
            yield Detail(
                f"DNS gave no answer about {destination.host} ({destination.tag}=)", subject=destination.host or ""
            )


checks.include(alignment.checks)

ENTRIES = checks.entries
