"""Would a sender that follows the domain's MTA-STS policy deliver to this host (RFC 8461)?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[ProbeEvidence]("mta-sts")

_PROBLEMS = {
    "mx-not-listed": "its name fits no mx of the policy",
    "no-starttls": "it does not come to TLS",
    "old-tls": "it speaks nothing newer than TLS 1.1",
    "untrusted": "its certificate is not trusted",
    "name": "its certificate is for another name",
}


def _words(problem: str, session: Transcript) -> str:
    why = session.tls.verify_error if problem == "untrusted" and session.tls is not None else None
    return f"{_PROBLEMS[problem]} ({printable(why)})" if why else _PROBLEMS[problem]


def _sessions(evidence: ProbeEvidence) -> Iterator[Transcript]:
    return (session for session in evidence.sessions if session.mta_sts is not None)


@checks.add(
    "host-fails",
    title="A sender that follows MTA-STS would not deliver to this host",
    level=Level.ERROR,
    why="With mode enforce such senders (Gmail, Microsoft and others) pass over a host that breaks the policy, and keep the "
    "mail when no host is left. In testing mode they deliver, and report it.",
    fix="Mend the host's TLS, or correct the policy file, then change the id in the DNS record so that senders read it again.",
    sources=(rfc(8461, "4.2"), rfc(8461, "5")),
)
def host_fails(evidence: ProbeEvidence) -> Iterator[Detail]:
    for session in _sessions(evidence):
        verdict = session.mta_sts
        if verdict is None or not verdict.problems:
            continue
        told = " and ".join(_words(problem, session) for problem in verdict.problems)
        enforced = verdict.mode == "enforce"
        then = "senders pass it over" if enforced else "senders only report it, since the mode is testing"
        yield Detail(
            f"{session.host} breaks the policy of {verdict.domain}: {told}; {then}",
            subject=session.port_name,
            level=Level.ERROR if enforced else Level.WARNING,
            paste=(f"mx: {printable(session.host)}",) if "mx-not-listed" in verdict.problems else (),
            problems=verdict.problems,
            mode=verdict.mode,
        )


@checks.add(
    "host-passes",
    title="A sender that follows MTA-STS delivers to this host",
    level=Level.PASS,
    why="The host is listed in the policy and its certificate holds.",
    fix="",
    sources=(rfc(8461, "4.2"),),
)
def host_passes(evidence: ProbeEvidence) -> Iterator[Detail]:
    for session in _sessions(evidence):
        verdict = session.mta_sts
        if verdict is not None and verdict.delivers:
            yield Detail(
                f"{session.host} keeps the policy of {verdict.domain} (mode {verdict.mode}, mx {verdict.pattern})",
                subject=session.port_name,
            )


@checks.add(
    "no-usable-policy",
    title="There is no MTA-STS policy that senders can follow",
    level=Level.INFO,
    why="Without one senders use TLS when they see it, and go on in clear when somebody removes it.",
    fix="Mend what is named here, or publish a policy, first with mode testing; auth-check says more.",
    sources=(rfc(8461, "3"),),
)
def no_usable_policy(evidence: ProbeEvidence) -> Iterator[Detail]:
    sts = evidence.mta_sts
    if sts is None or any(one.mta_sts is not None and one.mta_sts.mode is not None for one in evidence.sessions):
        return
    paste = (f"smtpdoc auth-check {sts.domain} --only mta-sts",)
    if sts.lookup.answered and not sts.records:
        yield Detail(f"{sts.domain} has no MTA-STS record", subject=sts.domain, paste=paste)
        return
    unanswered = not sts.lookup.answered or (sts.file is not None and not sts.file.answered)
    problem = (sts.file.problem if sts.file is not None else None) or sts.lookup.detail or "it is not valid"
    yield Detail(
        f"the policy of {sts.domain} could not be used: {printable(problem)}",
        subject=sts.domain,
        level=Level.UNKNOWN if unanswered else Level.WARNING,
        paste=paste,
    )


ENTRIES = checks.entries
