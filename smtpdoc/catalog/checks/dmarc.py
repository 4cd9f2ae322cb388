"""What a domain's DMARC means (RFC 9989, RFC 9990), and where receivers that follow RFC 7489 decide differently."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks import alignment, dmarc_record, dmarc_reports
from smtpdoc.catalog.checks.dmarc_record import corrected, flagged, found_record, record_of, tag_names, with_reports
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DmarcEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.names import registered_guess
from smtpdoc.grammar.printable import printable

checks = CheckSet[DmarcEvidence]("dmarc")
checks.include(dmarc_record.checks)


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
    record = record_of(dmarc)
    # An invalid or missing policy, or a test, has its own finding.
    if dmarc.applies == "none" and record is not None and not record.treated_as_none and not record.testing:
        tag = dmarc.decided_by or "p"
        yield Detail(
            f"{dmarc.found_at} says {tag}=none, so nothing is enforced for {dmarc.domain}",
            subject=dmarc.domain,
            paste=corrected(dmarc, **{tag: "quarantine"}, **with_reports(dmarc, record)),
        )


@checks.add(
    "subdomains-open",
    title="Subdomains are open to spoofing",
    level=Level.WARNING,
    why="The domain itself is protected, but sp=none (or np=none) leaves every name below it free for others to use.",
    fix="Take the tag away, so that subdomains follow p=, once the subdomains that send mail pass DMARC.",
    sources=(rfc(9989, "4.7"),),
)
def subdomains_open(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = record_of(dmarc)
    if record is None or not record.applies or record.policy == "none" or dmarc.found_at != f"_dmarc.{dmarc.domain}":
        return
    for name, value in (("sp", record.subdomain_policy), ("np", record.nonexistent_policy)):
        if record.tag(name) and value == "none":
            yield Detail(
                f"{dmarc.found_at} says p={record.policy} but {name}=none",
                subject=dmarc.domain,
                paste=corrected(dmarc, **{name: None}),
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
    found = found_record(dmarc)
    if found is None or dmarc.organizational_domain in (None, found[1]) or found[0].psd == "y":
        return
    names = [name for name in ("sp", "np") if found[0].tag(name)]
    if names:
        yield Detail(
            f"{dmarc.found_at} has {tag_names(names)}, but the organizational domain is {dmarc.organizational_domain}",
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
    record = record_of(dmarc)
    if record is not None and record.testing and record.applies:
        yield Detail(
            f"{dmarc.found_at} says t=y: what applies to {dmarc.domain} is {dmarc.applies}",
            subject=dmarc.domain,
            paste=corrected(dmarc, t=None),
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
    found = found_record(dmarc)
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
    record = record_of(dmarc)
    percent = record.tag("pct") if record is not None else None
    if record is not None and percent not in (None, "100") and record.policy in ("quarantine", "reject"):
        yield Detail(
            f"{dmarc.found_at} says pct={printable(percent or '')}",
            subject=dmarc.found_at or dmarc.domain,
            paste=corrected(dmarc, t="y"),
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
    names = flagged(dmarc, "removed-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {tag_names(names)}", subject=where, paste=corrected(dmarc))


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
        yield Detail(f"{where} has other tags before p=", subject=where, paste=corrected(dmarc))


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
    record = record_of(dmarc)
    for name in flagged(dmarc, "invalid-value"):
        if record is not None and name not in ("p", "sp", "np"):
            yield Detail(
                f"{dmarc.found_at} says {name}={printable(record.tag(name) or '')}",
                subject=dmarc.found_at or dmarc.domain,
                paste=corrected(dmarc),
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
            yield Detail(f"{where} {says}", subject=where, level=level, paste=corrected(dmarc))
    names = flagged(dmarc, "empty-value")
    if names:
        yield Detail(f"{where} has {tag_names(names)} without a value", subject=where, paste=corrected(dmarc))


@checks.add(
    "unknown-tag",
    title="The DMARC record has unknown tags",
    level=Level.INFO,
    why="Receivers ignore tags that they do not know, so a misspelt one has no effect.",
    fix="Check the spelling, or remove them.",
    sources=(rfc(9989, "4.7"),),
)
def unknown_tag(dmarc: DmarcEvidence) -> Iterator[Detail]:
    names = flagged(dmarc, "unknown-tag")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has {tag_names(names)}", subject=where, paste=corrected(dmarc))


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
            yield Detail(f"{where} {words}", subject=where, paste=corrected(dmarc, fo=fo))


checks.include(dmarc_reports.checks, alignment.checks)

ENTRIES = checks.entries
