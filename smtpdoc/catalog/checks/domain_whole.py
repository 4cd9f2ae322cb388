"""What only shows when SPF, DKIM, DMARC and MX are looked at together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpdoc.catalog.checks.spf.tree import with_ending
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.catalog.parked import sends_nothing, well_parked
from smtpdoc.evidence.auth import DkimEvidence, DmarcEvidence, SpfEvidence, TopicStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding, Level, rfc
from smtpdoc.grammar.dmarc import compose, parse_dmarc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.spf import parse_spf
from smtpdoc.grammar.spf_terms import Qualifier

checks = CheckSet[AuthEvidence]("domain")

_ENFORCED = ("quarantine", "reject")


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
    if mx is None or spf is None or dmarc is None or well_parked(evidence):
        return
    if TopicStatus.UNKNOWN in (mx.status, spf.status, dmarc.status):
        return
    no_hosts = mx.status is TopicStatus.ABSENT or mx.implicit or mx.null_mx
    bare = spf.status is TopicStatus.ABSENT and dmarc.status is TopicStatus.ABSENT
    if not sends_nothing(evidence) and not (no_hosts and bare):
        return
    missing = []
    if no_hosts and not mx.null_mx:
        missing.append(("a null MX", f"{evidence.domain}. IN MX 0 ."))
    if not sends_nothing(evidence):
        missing.append(("an SPF record", f'{evidence.domain}. IN TXT "v=spf1 -all"'))
    if dmarc.applies != "reject":
        missing.append(("DMARC with p=reject", f'_dmarc.{evidence.domain}. IN TXT "v=DMARC1; p=reject"'))
    if missing:
        means = "says that it sends no mail" if sends_nothing(evidence) else "has no mail hosts"
        yield Detail(
            f"{evidence.domain} {means}, but it lacks {_listed(name for name, _ in missing)}",
            subject=evidence.domain,
            level=None if dmarc.applies not in _ENFORCED else Level.INFO,
            paste=tuple(line for _, line in missing),
        )


def _listed(names: Iterable[str]) -> str:
    """Return names as people list them.

    >>> _listed(["SPF", "DKIM", "DMARC"])
    'SPF, DKIM and DMARC'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


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
    if spf is None or dkim is None or dmarc is None or dmarc.record is None or sends_nothing(evidence):
        return
    record = parse_dmarc(dmarc.record)
    if dmarc.found_at != f"_dmarc.{evidence.domain}" or record.testing or record.treated_as_none or dkim.unanswered:
        return
    before = _before_enforcing(spf, dkim, dmarc)
    # p=none with nothing in the way has its own finding, with the record to publish.
    if dmarc.policy == "none" and before:
        yield Detail(
            f"p=none is the right place for {evidence.domain} until {_listed(before)}",
            subject=evidence.domain,
            next="quarantine",
        )
    elif dmarc.policy == "quarantine" and not before:
        yield Detail(
            f"p=quarantine with SPF and DKIM in place: the next step for {evidence.domain} is p=reject, unless its "
            "people write to mailing lists",
            subject=evidence.domain,
            paste=(compose(record, p="reject"),),
            next="reject",
        )


def _before_enforcing(spf: SpfEvidence, dkim: DkimEvidence, dmarc: DmarcEvidence) -> list[str]:
    """Return what has to be there first, as ends of a sentence that begins with "until"."""
    steps = []
    if not _signs(dkim):
        steps.append("mail is signed with DKIM" if dkim.proven_absent else "a DKIM key is known (--selector)")
    if spf.result in ("none", "permerror"):
        steps.append("SPF works")
    if not dmarc.rua:
        steps.append("reports arrive (rua=)")
    return steps


# -- what need not be said -------------------------------------------------------------

#: Findings that mean nothing for a domain that sends no mail, by its own word.
_MOOT_WITHOUT_SENDING = frozenset(
    ("dkim.absent", "dkim.not-found", "dkim.wildcard", "dkim.revoked", "dmarc.policy-reject", "spf.no-sender")
)
#: The same for one that is well parked: it said on purpose what these notes repeat.
_MOOT_WHEN_PARKED = frozenset(("mx.null", "dmarc.no-reports", "mta-sts.missing", "tls-rpt.missing", "tlsa.missing"))


def without_moot(evidence: AuthEvidence, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out what does not matter for a domain that sends no mail, but for selectors that the user named."""
    if not sends_nothing(evidence):
        return findings
    moot = _MOOT_WITHOUT_SENDING | (_MOOT_WHEN_PARKED if well_parked(evidence) else frozenset())
    return tuple(finding for finding in findings if finding.id not in moot)
