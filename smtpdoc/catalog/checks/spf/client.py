"""The result of check_host() for a client that the user named."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.spf.tree import (
    LOOKUP_LIMIT,
    editable,
    with_term,
)
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import SpfCheck, SpfEvidence, SpfResult
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[SpfEvidence]("spf")


def _client(check: SpfCheck) -> str:
    sender = "the null reverse-path" if not check.mail_from else check.mail_from
    return f"{check.ip} sending as {printable(sender)}"


def _path(check: SpfCheck) -> str:
    return f" ({' → '.join(printable(step) for step in check.path)})" if check.path else ""


def _detail(spf: SpfEvidence, check: SpfCheck, words: str, *, add: bool = False) -> Detail:
    node = editable(spf)
    family = "ip6" if ":" in check.ip else "ip4"
    mine = check.mail_from.rpartition("@")[2].lower() == spf.domain
    paste = (with_term(node, f"{family}:{check.ip}"),) if add and mine and node is not None else ()
    fix = None
    if paste and node is not None and node.domain != spf.domain:
        fix = f"If this server sends for you, the record of {printable(node.domain)} becomes the line below."
    explanation = f'; the domain says: "{printable(check.explanation)}"' if check.explanation else ""
    return Detail(
        f"{_client(check)}: {words}{_path(check)}{explanation}",
        subject=check.ip,
        fix=fix,
        paste=paste,
        ip=check.ip,
        mail_from=check.mail_from,
        helo=check.helo,
        result=check.result.value,
        path=check.path,
        lookups=check.lookups,
        void_lookups=check.void_lookups,
        explanation=check.explanation,
    )


def _with_result(spf: SpfEvidence, *results: SpfResult) -> Iterator[SpfCheck]:
    return (check for check in spf.checks if check.result in results)


@checks.add(
    "client-not-authorized",
    title="SPF does not authorize this client",
    level=Level.ERROR,
    why="The record says that this address must not send for the domain. Many receivers refuse such mail.",
    fix="If this server sends for you, add its address to the record as below, or include its service; if not, the "
    "record did its work.",
    sources=(rfc(7208, "8.4"),),
)
def client_not_authorized(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.FAIL):
        yield _detail(spf, check, "fail", add=True)


@checks.add(
    "client-softfail",
    title="SPF does not really authorize this client",
    level=Level.WARNING,
    why="The record says that this address probably may not send for the domain. Receivers take the mail as "
    "suspicious, and SPF does not count for DMARC.",
    fix="If this server sends for you, add its address to the record as below, or include its service.",
    sources=(rfc(7208, "8.5"),),
)
def client_softfail(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.SOFTFAIL):
        yield _detail(spf, check, "softfail", add=True)


@checks.add(
    "client-neutral",
    title="SPF says nothing about this client",
    level=Level.WARNING,
    why="A neutral result is treated like no record, and does not count for DMARC.",
    fix="If this server sends for you, add its address to the record as below, or include its service.",
    sources=(rfc(7208, "8.2"),),
)
def client_neutral(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.NEUTRAL):
        yield _detail(spf, check, "neutral", add=True)


@checks.add(
    "client-without-record",
    title="There is no SPF record for this client's sender domain",
    level=Level.WARNING,
    why="Without a record SPF gives no result, and does not count for DMARC.",
    fix="Publish an SPF record at the domain of the bounce address.",
    sources=(rfc(7208, "8.1"),),
)
def client_without_record(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.NONE):
        yield _detail(spf, check, printable(check.problem or "none"))


@checks.add(
    "client-permerror",
    title="SPF is broken for this client",
    level=Level.ERROR,
    why="A permerror means that the record could not be used. Receivers refuse the mail or treat it as unauthorized.",
    fix="Correct the record as the other findings say, then run this again.",
    sources=(rfc(7208, "8.7"),),
)
def client_permerror(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.PERMERROR):
        yield _detail(spf, check, f"permerror, {printable(check.problem or 'the record is broken')}")


@checks.add(
    "client-temperror",
    title="SPF could not be determined for this client",
    level=Level.UNKNOWN,
    why="DNS did not answer on the way to a result. Many receivers defer such mail.",
    fix="Check the name servers of the name in question, then run this again.",
    sources=(rfc(7208, "8.6"),),
)
def client_temperror(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.TEMPERROR):
        yield _detail(spf, check, f"temperror, {printable(check.problem or 'DNS did not answer')}")


@checks.add(
    "client-authorized",
    title="SPF authorizes this client",
    level=Level.PASS,
    why="A term of the record matches the address.",
    fix="Nothing to do.",
    sources=(rfc(7208, "8.3"),),
)
def client_authorized(spf: SpfEvidence) -> Iterator[Detail]:
    for check in _with_result(spf, SpfResult.PASS):
        yield _detail(spf, check, f"pass after {check.lookups} of {LOOKUP_LIMIT} lookups")
