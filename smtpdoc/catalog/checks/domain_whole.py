"""What only shows when SPF, DKIM, DMARC and MX are looked at together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from smtpdoc.catalog.checks.spf.tree import with_ending
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.catalog.parked import sends_nothing, well_parked
from smtpdoc.evidence.auth import DkimEvidence, SpfEvidence, TopicStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding, Level, rfc
from smtpdoc.grammar.dmarc import compose, parse_dmarc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.spf import parse_spf
from smtpdoc.grammar.spf_terms import Qualifier

checks = CheckSet[AuthEvidence]("domain")

_ENFORCED = ("quarantine", "reject")
PARKED_DMARC = "v=DMARC1; p=reject"


# -- domains without mail -----------------------------------------------------------


@checks.add(
    "well-parked",
    title="The domain is kept out of mail, and well",
    level=Level.INFO,
    why="A null MX, an SPF record that refuses every server, and p=reject: nobody can send as this domain and be believed, and mail to it comes back at once.",
    fix="Nothing to do while the domain has nothing to do with mail.",
    sources=(rfc(7505, "3"), rfc(7208, "10.1.2"), rfc(9989, "4.7")),
)
def is_well_parked(evidence: AuthEvidence) -> Iterator[Detail]:
    if well_parked(evidence):
        yield Detail(
            f"{evidence.domain} neither sends nor receives mail, and says so: null MX, SPF -all, p=reject",
            subject=evidence.domain,
        )


@checks.add(
    "open-to-spoofing",
    title="A domain without mail that anyone can send as",
    level=Level.WARNING,
    why="Domains that send nothing are popular in forged mail, because nobody looks after them. Where no mail is sent none can be lost, so the strictest records are right from the first day.",
    fix="If the domain is not for mail, publish the records below. If it is, give it an MX and the records that the other findings name.",
    sources=(rfc(7505, "3"), rfc(7208, "10.1.2"), rfc(9989, "4.7")),
)
def open_to_spoofing(evidence: AuthEvidence) -> Iterator[Detail]:
    mx, spf, dmarc = evidence.mx, evidence.spf, evidence.dmarc
    if mx is None or spf is None or dmarc is None:
        return
    no_hosts = mx.status is TopicStatus.ABSENT or mx.implicit or mx.null_mx
    if no_hosts and spf.status is TopicStatus.ABSENT and dmarc.status is TopicStatus.ABSENT:
        null_mx = () if mx.null_mx else (f"{evidence.domain}. IN MX 0 .",)
        yield Detail(
            f"{evidence.domain} has no mail hosts, and neither SPF nor DMARC keeps others from sending as it",
            subject=evidence.domain,
            paste=(
                *null_mx,
                f'{evidence.domain}. IN TXT "v=spf1 -all"',
                f'_dmarc.{evidence.domain}. IN TXT "{PARKED_DMARC}"',
            ),
        )


@checks.add(
    "sends-but-null-mx",
    title="The domain sends mail that cannot be answered",
    level=Level.WARNING,
    why="A null MX says that the domain takes no mail, not even bounces. Receivers may refuse mail from such a domain (550 5.7.27), while its SPF record authorizes servers to send.",
    fix='Give the domain an MX record, or, if it sends no mail after all, publish "v=spf1 -all".',
    sources=(rfc(7505, "4.2"),),
)
def sends_but_null_mx(evidence: AuthEvidence) -> Iterator[Detail]:
    if evidence.mx is None or not evidence.mx.null_mx or evidence.spf is None or evidence.spf.record is None:
        return
    record = parse_spf(evidence.spf.record)
    if record.redirect is not None or any(term.qualifier is Qualifier.PASS for term in record.directives):
        yield Detail(
            f'{evidence.domain} has a null MX, but its SPF record authorizes senders: "{printable(record.text)[:100]}"',
            subject=evidence.domain,
            paste=(f"{evidence.domain}. IN MX 10 mail.{evidence.domain}.",),
        )


# -- DMARC on top of SPF and DKIM ----------------------------------------------------


@checks.add(
    "enforcement-without-dkim",
    title="DMARC is enforced, and rests on SPF alone",
    level=Level.WARNING,
    why="Every forwarder and mailing list breaks SPF. Without an aligned DKIM signature such mail is then refused or goes to the spam folder; p=reject must not rest on SPF alone.",
    fix="Sign all mail with DKIM as this domain before enforcing DMARC. If it is signed, name the selector with --selector.",
    sources=(rfc(9989, "8"), rfc(9989, "7.4")),
)
def enforcement_without_dkim(evidence: AuthEvidence) -> Iterator[Detail]:
    dkim, dmarc = evidence.dkim, evidence.dmarc
    if dkim is None or dmarc is None or dmarc.applies not in _ENFORCED or sends_nothing(evidence):
        return
    if _signs(dkim) or (dkim.unanswered and not dkim.proven_absent):
        return
    seen = "there are no DKIM keys" if dkim.proven_absent else f"no usable DKIM key was seen at {dkim.tried} names"
    yield Detail(
        f"{dmarc.found_at} says p={dmarc.applies}, and {seen}",
        subject=evidence.domain,
        level=None if dkim.proven_absent else Level.INFO,
    )


def _signs(dkim: DkimEvidence) -> bool:
    return any(selector.status is TopicStatus.FOUND and not selector.revoked for selector in dkim.selectors)


@checks.add(
    "hard-fail-before-dkim",
    title="Some receivers refuse on SPF's -all before they look at DKIM",
    level=Level.INFO,
    why="A receiver may refuse right after MAIL FROM because of -all. Forwarded mail is then lost, although its DKIM signature would have passed DMARC. With DMARC enforced, ~all protects as well.",
    fix="End the SPF record with ~all, and leave the refusing to DMARC.",
    sources=(rfc(9989, "7.1"),),
)
def hard_fail_before_dkim(evidence: AuthEvidence) -> Iterator[Detail]:
    spf, dkim, dmarc = evidence.spf, evidence.dkim, evidence.dmarc
    if spf is None or spf.record is None or spf.tree is None or dkim is None or dmarc is None:
        return
    ending = parse_spf(spf.record).all
    if ending is None or ending.qualifier is not Qualifier.FAIL or sends_nothing(evidence):
        return
    if dmarc.applies in _ENFORCED and _signs(dkim):
        yield Detail(
            f"the SPF record of {evidence.domain} ends in -all, with DMARC p={dmarc.applies} and DKIM beside it",
            subject=evidence.domain,
            paste=(with_ending(spf.tree, "~all"),),
        )


@checks.add(
    "dmarc-next-step",
    title="The next step for DMARC",
    level=Level.INFO,
    why="DMARC goes in steps: p=none until the reports show that all of one's own mail passes, then quarantine, then reject. Domains whose people write to mailing lists do well to stay at quarantine (RFC 9989 section 7.4).",
    fix="Read the reports of some weeks first; take the step when no mail of yours fails in them.",
    sources=(rfc(9989, "5.1"), rfc(9989, "7.4")),
)
def dmarc_next_step(evidence: AuthEvidence) -> Iterator[Detail]:
    spf, dkim, dmarc = evidence.spf, evidence.dkim, evidence.dmarc
    if spf is None or dkim is None or dmarc is None or dmarc.record is None:
        return
    record = parse_dmarc(dmarc.record)
    if dmarc.found_at != f"_dmarc.{evidence.domain}" or record.testing or record.treated_as_none or dkim.unanswered:
        return
    if sends_nothing(evidence):
        if dmarc.policy == "quarantine":
            message = f"{evidence.domain} sends no mail, so nothing keeps it from p=reject"
            yield Detail(message, subject=evidence.domain, paste=(compose(record, p="reject"),), next="reject")
        return
    before = _before_enforcing(spf, dkim)
    # p=none with nothing in the way has its own finding, with the record to publish.
    if dmarc.policy == "none" and before:
        yield Detail(
            f"p=none is the right place for {evidence.domain} until {' and '.join(before)}",
            subject=evidence.domain,
            next="quarantine",
        )
    elif dmarc.policy == "quarantine" and not before and dmarc.rua:
        yield Detail(
            f"p=quarantine with SPF and DKIM in place: the next step for {evidence.domain} is p=reject, unless its "
            "people write to mailing lists",
            subject=evidence.domain,
            paste=(compose(record, p="reject"),),
            next="reject",
        )


def _before_enforcing(spf: SpfEvidence, dkim: DkimEvidence) -> list[str]:
    """Return what has to be there first, as ends of a sentence that begins with "until"."""
    steps = []
    if not _signs(dkim):
        steps.append("mail is signed with DKIM" if dkim.proven_absent else "a DKIM key is known (--selector)")
    if spf.result in ("none", "permerror"):
        steps.append("SPF works")
    return steps


# -- findings of other topics, as they read for a domain without mail -----------------------

#: Findings that mean nothing for a domain that sends no mail, by its own word.
_MOOT_WITHOUT_SENDING = frozenset(
    ("dkim.absent", "dkim.not-found", "dkim.wildcard", "dkim.revoked", "dmarc.policy-reject", "spf.no-sender")
)
#: The same for one that is well parked: it said on purpose what these notes repeat.
_MOOT_WHEN_PARKED = frozenset(("mx.null", "dmarc.no-reports", "mta-sts.missing", "tls-rpt.missing", "tlsa.missing"))


def in_context(evidence: AuthEvidence, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return a topic's findings as they read beside the other topics.

    For a domain that sends no mail some mean nothing, and others have a better fix: no step by step where there is
    nothing to lose.
    """
    if not sends_nothing(evidence):
        return findings
    moot = _MOOT_WITHOUT_SENDING | (_MOOT_WHEN_PARKED if well_parked(evidence) else frozenset())
    return tuple(_for_no_mail(evidence, finding) for finding in findings if finding.id not in moot)


def _for_no_mail(evidence: AuthEvidence, finding: Finding) -> Finding:
    match finding.id:
        case "dmarc.missing" | "dmarc.policy-none":
            own = evidence.dmarc is not None and evidence.dmarc.found_at == f"_dmarc.{evidence.domain}"
            record = evidence.dmarc.record if own and evidence.dmarc is not None else None
            return replace(
                finding,
                fix=f"{evidence.domain} sends no mail, by its SPF record, so none can be lost: publish the strictest "
                f"policy at _dmarc.{evidence.domain} at once.",
                paste=(PARKED_DMARC if record is None else compose(parse_dmarc(record), p="reject", sp=None, np=None),),
            )
        case "mx.missing" | "mx.implicit":
            return replace(
                finding,
                fix="If the domain is not for mail at all, say so with a null MX; senders then give up at once.",
                paste=(f"{evidence.domain}. IN MX 0 .",),
            )
        case _:
            return finding
