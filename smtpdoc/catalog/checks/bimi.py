"""What a domain's BIMI record means (draft-brand-indicators-for-message-identification)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.transport import BimiEvidence
from smtpdoc.findings import Level, Source
from smtpdoc.grammar.dmarc import parse_dmarc
from smtpdoc.grammar.printable import printable

checks = CheckSet[BimiEvidence]("bimi")

DRAFT = Source(
    "Brand Indicators for Message Identification (draft)",
    None,
    "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/",
)

_FAULTS = {
    "bad-version": "it does not begin with v=BIMI1;",
    "bad-uri:l": "l= is no address",
    "bad-uri:a": "a= is no address",
    "not-https:l": "l= is not https",
    "not-https:a": "a= is not https",
    "missing-l": "l= is missing",
    "malformed-tag": "a part is no name=value",
}


@checks.add(
    "unknown",
    title="BIMI could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(DRAFT,),
)
def unknown(bimi: BimiEvidence) -> Iterator[Detail]:
    if bimi.status is TopicStatus.UNKNOWN:
        names = ", ".join(lookup.name for lookup in bimi.lookups if not lookup.answered)
        yield Detail(f"DNS gave no answer for {names}", subject=bimi.domain)


@checks.add(
    "several-records",
    title="Two BIMI records at one name",
    level=Level.ERROR,
    why="With more than one record receivers show no logo.",
    fix="Keep one.",
    sources=(DRAFT,),
)
def several_records(bimi: BimiEvidence) -> Iterator[Detail]:
    if len(bimi.records) > 1:
        yield Detail(f"{bimi.found_at} has {len(bimi.records)} records", subject=bimi.found_at or bimi.domain)


@checks.add(
    "bad-record",
    title="The BIMI record is not valid",
    level=Level.ERROR,
    why="Receivers ignore it and show no logo.",
    fix="Publish v=BIMI1; l=https://… with the SVG logo; a=https://… with the mark certificate where you have one.",
    sources=(DRAFT,),
)
def bad_record(bimi: BimiEvidence) -> Iterator[Detail]:
    faults = [
        f"{printable(flag.partition(':')[2])}= stands twice" if flag.startswith("duplicate-tag:") else _FAULTS[flag]
        for flag in bimi.flags
        if flag in _FAULTS or flag.startswith("duplicate-tag:")
    ]
    if faults:
        yield Detail(f"{bimi.found_at}: {'; '.join(faults)}", subject=bimi.found_at or bimi.domain, flags=bimi.flags)


@checks.add(
    "version-case",
    title="The version of the BIMI record is not in upper case",
    level=Level.WARNING,
    why="The value is BIMI1; not every receiver takes another spelling.",
    fix="Write v=BIMI1.",
    sources=(DRAFT,),
)
def version_case(bimi: BimiEvidence) -> Iterator[Detail]:
    if "version-case" in bimi.flags:
        _, separator, rest = bimi.records[0].partition(";")
        yield Detail(
            f"{bimi.found_at} does not say v=BIMI1 in upper case",
            subject=bimi.found_at or bimi.domain,
            paste=(printable(f"v=BIMI1{separator}{rest}"),),
        )


@checks.add(
    "declined",
    title="The domain wants no logo shown",
    level=Level.INFO,
    why="An empty l= and a= decline BIMI.",
    fix="Nothing to do if that is what you want.",
    sources=(DRAFT,),
)
def declined(bimi: BimiEvidence) -> Iterator[Detail]:
    if "declined" in bimi.flags:
        yield Detail(f"{bimi.found_at} declines BIMI", subject=bimi.found_at or bimi.domain)


@checks.add(
    "no-certificate",
    title="BIMI without a mark certificate",
    level=Level.INFO,
    why="Gmail and Apple show a logo only with a certificate (VMC, at Gmail also CMC) in a=; Yahoo shows it without.",
    fix="Get a mark certificate and name it in a=, if those receivers matter to you.",
    sources=(DRAFT,),
)
def no_certificate(bimi: BimiEvidence) -> Iterator[Detail]:
    if "no-evidence-document" in bimi.flags and bimi.status is TopicStatus.FOUND:
        yield Detail(f"{bimi.found_at} has no a=", subject=bimi.found_at or bimi.domain)


@checks.add(
    "dmarc-too-weak",
    title="DMARC is too weak for BIMI",
    level=Level.ERROR,
    why="Receivers show a logo only under p=quarantine or p=reject, without sp=none, t=y or a pct= under 100.",
    fix="Raise the DMARC policy first.",
    sources=(DRAFT,),
)
def dmarc_too_weak(bimi: BimiEvidence) -> Iterator[Detail]:
    dmarc = bimi.dmarc
    published = bimi.status in (TopicStatus.FOUND, TopicStatus.INVALID) and "declined" not in bimi.flags
    if dmarc is None or not published or dmarc.status is TopicStatus.UNKNOWN:
        return
    record = parse_dmarc(dmarc.record or "")
    reasons = [
        words
        for words, wrong in (
            ("no policy is enforced", dmarc.policy not in ("quarantine", "reject") or dmarc.applies == "none"),
            ("sp=none", dmarc.subdomain_policy == "none"),
            ("t=y", record.testing),
            (f"pct={printable(record.tag('pct') or '')}", record.tag("pct") not in (None, "100")),
        )
        if wrong
    ]
    if reasons:
        yield Detail(f"DMARC of {bimi.domain}: {', '.join(reasons)}", subject=bimi.domain)


ENTRIES = checks.entries
