"""What a domain's MTA-STS means (RFC 8461)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.transport import MtaStsEvidence, PolicyFile
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.mta_sts import StsPolicy, matches, parse_sts_record
from smtpdoc.grammar.printable import printable

checks = CheckSet[MtaStsEvidence]("mta-sts")

DAY_S = 86_400
WEEK_S = 7 * DAY_S

_RECORD_FAULTS = {
    "missing-id": "id= is missing",
    "bad-id": "id= has more than 32 characters, or others than letters and digits",
    "duplicate-id": "id= stands twice",
    "malformed-field": "a field is malformed",
    "empty-field": "two semicolons follow each other",
}
_POLICY_FAULTS = {
    "malformed-line": "a line is no key: value",
    "missing-version": "version is missing",
    "missing-mode": "mode is missing",
    "missing-max_age": "max_age is missing",
    "missing-mx": "no mx is named",
    "bad-version": "version is not STSv1",
    "bad-mode": "mode is none of enforce, testing and none",
    "bad-max_age": "max_age is no number of seconds up to 31557600",
    "bad-mx": "an mx is no host name or *.name",
}


def _name(sts: MtaStsEvidence) -> str:
    return f"_mta-sts.{sts.domain}"


def _policy(sts: MtaStsEvidence) -> StsPolicy | None:
    """Return the policy when senders can use it."""
    policy = sts.file.policy if sts.file is not None else None
    return policy if policy is not None and policy.valid else None


def _no_policy(sts: MtaStsEvidence, file: PolicyFile) -> Detail:
    host = f"mta-sts.{sts.domain}"
    problem = printable(file.problem or "no policy")
    fix = None
    if problem.startswith("the certificate"):
        fix = f"Give the web server a certificate for {host} from a public authority, with its intermediate ones."
    elif file.location is not None:
        fix = "Serve the file at this address itself, without a redirect."
    return Detail(f"{file.url}: {problem}", subject=host, paste=(f"curl -i {file.url}",), fix=fix, problem=problem)


def _covered(policy: StsPolicy, host: str) -> bool:
    return any(matches(pattern, host) for pattern in policy.mx)


@checks.add(
    "unknown",
    title="MTA-STS could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(8461, "3.1"),),
)
def unknown(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.status is TopicStatus.UNKNOWN:
        yield Detail(f"DNS gave no answer for {_name(sts)}", subject=sts.domain)


@checks.add(
    "missing",
    title="The domain has no MTA-STS",
    level=Level.INFO,
    why="Without it (or DANE) senders encrypt when they can, and an attacker on the way can keep them from it.",
    fix="Publish a policy file in mode testing at https://mta-sts.<domain>/.well-known/mta-sts.txt, then the TXT record; raise it to enforce when TLS-RPT reports are clean.",
    sources=(rfc(8461, "3"),),
)
def missing(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.status is TopicStatus.ABSENT and sts.mx_hosts and not _has_host(sts):
        yield Detail(f"no record at {_name(sts)}", subject=sts.domain)


@checks.add(
    "no-record",
    title="There is an MTA-STS policy host, and no record",
    level=Level.INFO,
    why="Senders look for a policy only where the TXT record says that there is one. (With a wildcard address record the host may be there by accident.)",
    fix="If the policy is meant to count, publish the TXT record; if not, nothing needs doing.",
    sources=(rfc(8461, "3.1"),),
)
def no_record(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.status is TopicStatus.ABSENT and sts.mx_hosts and _has_host(sts):
        yield Detail(
            f"mta-sts.{sts.domain} exists, and no record at {_name(sts)}",
            subject=sts.domain,
            paste=(f'{_name(sts)}. IN TXT "v=STSv1; id=1"',),
        )


def _has_host(sts: MtaStsEvidence) -> bool:
    return any(lookup.names for lookup in sts.host_lookups)


@checks.add(
    "several-records",
    title="Two MTA-STS records at one name",
    level=Level.ERROR,
    why="With more than one record senders act as if there were none.",
    fix="Keep one.",
    sources=(rfc(8461, "3.1"),),
)
def several_records(sts: MtaStsEvidence) -> Iterator[Detail]:
    if len(sts.records) > 1:
        ids = [record.id for record in map(parse_sts_record, sts.records) if record.valid and record.id]
        yield Detail(
            f"{_name(sts)} has {len(sts.records)} records",
            subject=_name(sts),
            paste=(f"v=STSv1; id={max(ids)}",) if ids else (),  # most write the date; the latest is the largest
            records=len(sts.records),
        )


@checks.add(
    "bad-record",
    title="The MTA-STS record is not valid",
    level=Level.ERROR,
    why="Senders ignore it, so no policy is ever fetched.",
    fix="Publish v=STSv1; id= and up to 32 letters or digits, and change the id whenever the policy changes.",
    sources=(rfc(8461, "3.1"),),
)
def bad_record(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.flags:
        reasons = "; ".join(_RECORD_FAULTS[flag] for flag in sts.flags)
        identifier = "".join(letter for letter in sts.id or "" if letter.isascii() and letter.isalnum())[:32] or "1"
        yield Detail(
            f"{_name(sts)}: {reasons}", subject=_name(sts), paste=(f"v=STSv1; id={identifier}",), flags=sts.flags
        )


@checks.add(
    "no-policy-host",
    title="The MTA-STS policy host does not exist",
    level=Level.ERROR,
    why="The record says that there is a policy, but senders cannot fetch it, so MTA-STS is without effect.",
    fix="Publish an A or AAAA record for mta-sts.<domain>, with a web server that serves the policy over HTTPS.",
    sources=(rfc(8461, "3.3"),),
)
def no_policy_host(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.records and all(lookup.void for lookup in sts.host_lookups):
        host = f"mta-sts.{sts.domain}"
        yield Detail(f"{host} has no address", subject=host)


@checks.add(
    "policy-unknown",
    title="Whether the MTA-STS policy can be fetched could not be determined",
    level=Level.UNKNOWN,
    why="The policy host did not answer in time, or cannot be reached from this machine (a firewall that lets no HTTPS out does that). Senders wait for up to a minute.",
    fix="Run the check again, or fetch the file from another network.",
    sources=(rfc(8461, "3.3"),),
)
def policy_unknown(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.file is not None and not sts.file.answered:
        yield _no_policy(sts, sts.file)


@checks.add(
    "policy-unavailable",
    title="The MTA-STS policy cannot be fetched",
    level=Level.ERROR,
    why="Senders need a valid certificate for the policy host, status 200 without a redirect, and text/plain. Without a policy they go on as if there were no MTA-STS, or use an old one.",
    fix="Serve the file at exactly this address.",
    sources=(rfc(8461, "3.3"),),
)
def policy_unavailable(sts: MtaStsEvidence) -> Iterator[Detail]:
    if sts.file is not None and sts.file.policy is None and sts.file.answered:
        yield _no_policy(sts, sts.file)


@checks.add(
    "bad-policy",
    title="The MTA-STS policy is not valid",
    level=Level.ERROR,
    why="Senders ignore a policy that does not follow its grammar.",
    fix="Correct the file; it needs version, mode, max_age and an mx line for each host.",
    sources=(rfc(8461, "3.2"),),
)
def bad_policy(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = sts.file.policy if sts.file is not None else None
    if policy is not None and not policy.valid:
        reasons = "; ".join(_POLICY_FAULTS[flag] for flag in policy.flags if flag in _POLICY_FAULTS)
        hosts = tuple(f"mx: {printable(host)}" for host in sts.mx_hosts or ())
        yield Detail(
            f"the policy of {sts.domain}: {reasons}",
            subject=sts.domain,
            paste=("version: STSv1", f"mode: {policy.mode or 'testing'}", *hosts, f"max_age: {WEEK_S}"),
            flags=policy.flags,
        )


@checks.add(
    "duplicate-key",
    title="A key stands twice in the MTA-STS policy",
    level=Level.WARNING,
    why="The first one counts, the others are ignored.",
    fix="Keep one.",
    sources=(rfc(8461, "3.2"),),
)
def duplicate_key(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = sts.file.policy if sts.file is not None else None
    for flag in policy.flags if policy is not None else ():
        kind, _, key = flag.partition(":")
        if kind == "duplicate-key":
            yield Detail(f"{printable(key)} stands twice in the policy of {sts.domain}", subject=sts.domain)


@checks.add(
    "mx-not-covered",
    title="An MX host is not in the MTA-STS policy",
    level=Level.ERROR,
    why="In mode enforce senders must not deliver to a host that no mx line names.",
    fix="Add an mx line for the host, then change the id in the record.",
    sources=(rfc(8461, "4.1"),),
)
def mx_not_covered(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = _policy(sts)
    if policy is None or policy.mode == "none":
        return
    for host in dict.fromkeys(sts.mx_hosts or ()):
        if not _covered(policy, host):
            level = None if policy.mode == "enforce" else Level.WARNING
            yield Detail(
                f"no mx line of the policy names {printable(host)}",
                subject=host,
                level=level,
                paste=(f"mx: {printable(host)}",),
            )


@checks.add(
    "unused-pattern",
    title="An mx line of the MTA-STS policy names no MX host",
    level=Level.INFO,
    why="It does no harm, but often it is what is left of an old host.",
    fix="Remove it when the host is gone for good.",
    sources=(rfc(8461, "4.1"),),
)
def unused_pattern(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = _policy(sts)
    for pattern in policy.mx if policy is not None and sts.mx_hosts is not None else ():
        if not any(matches(pattern, host) for host in sts.mx_hosts or ()):
            yield Detail(f"mx: {pattern} names none of the MX hosts of {sts.domain}", subject=sts.domain)


@checks.add(
    "short-max-age",
    title="The MTA-STS policy is forgotten soon",
    level=Level.WARNING,
    why="Senders keep a policy for max_age seconds; an attacker has only to wait until it is gone. Weeks are advised.",
    fix=f"Raise max_age to {WEEK_S} (a week) or more.",
    sources=(rfc(8461, "3.2"), rfc(8461, "10.2")),
)
def short_max_age(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = _policy(sts)
    if policy is not None and policy.mode != "none" and policy.max_age_s is not None and policy.max_age_s < WEEK_S:
        yield Detail(
            f"max_age is {policy.max_age_s} s",
            subject=sts.domain,
            level=None if policy.max_age_s < DAY_S else Level.INFO,
            paste=(f"max_age: {WEEK_S}",),
            max_age_s=policy.max_age_s,
        )


@checks.add(
    "not-enforced",
    title="MTA-STS is not enforced",
    level=Level.INFO,
    why="In mode testing senders only report failures; in mode none they act as if there were no policy.",
    fix="Set mode: enforce when the TLS-RPT reports are clean.",
    sources=(rfc(8461, "5"),),
)
def not_enforced(sts: MtaStsEvidence) -> Iterator[Detail]:
    policy = _policy(sts)
    if policy is not None and policy.mode != "enforce":
        yield Detail(f"the policy of {sts.domain} has mode: {policy.mode}", subject=sts.domain)


ENTRIES = checks.entries
