"""What the DNSSEC state of a domain means (RFC 4033 section 5, RFC 4035)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.tlsa import bogus_words
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.dnssec import DnssecEvidence, DnssecState
from smtpdoc.findings import Level, rfc

checks = CheckSet[DnssecEvidence]("dnssec")


@checks.add(
    "bogus",
    title="The domain's DNSSEC signatures are not valid",
    level=Level.ERROR,
    why="Resolvers that validate, which the large mail services use, treat the domain as if its name servers were down: mail to it waits and is then returned, and none of its SPF, DKIM and DMARC records can be read.",
    fix="Have the zone signed again (expired signatures are the usual cause), or correct the DS record at the registrar; after a move to other name servers, remove the old DS record first.",
    sources=(rfc(4035, "5.5"), rfc(4033, "5")),
)
def bogus(dnssec: DnssecEvidence) -> Iterator[Detail]:
    if dnssec.state is DnssecState.BOGUS:
        yield Detail(
            bogus_words(dnssec.lookup),
            subject=dnssec.domain,
            paste=(f"dig {dnssec.domain} MX +dnssec +cd",),
        )


@checks.add(
    "unknown",
    title="Whether the domain is signed could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(4035, "4.3"),),
)
def unknown(dnssec: DnssecEvidence) -> Iterator[Detail]:
    if dnssec.state is DnssecState.UNKNOWN and not dnssec.lookup.answered:
        yield Detail(f"DNS gave no answer for the MX of {dnssec.domain}", subject=dnssec.domain)


@checks.add(
    "not-validated",
    title="This resolver does not tell whether the domain is signed",
    level=Level.INFO,
    why="Its answers about the root, which is signed, come without the AD flag: it does not validate, or hides that it does, as many home routers and local stubs do. DANE cannot be judged through it either.",
    fix="Ask a resolver that validates, over a network that you trust: --nameserver IP.",
    sources=(rfc(6840, "5.7"), rfc(4035, "3.2.3")),
)
def not_validated(dnssec: DnssecEvidence) -> Iterator[Detail]:
    if dnssec.state is not DnssecState.UNKNOWN or not dnssec.lookup.answered or dnssec.lookup.local:
        return
    published = " (it has a DS record, so it is meant to be)" if dnssec.ds is not None and dnssec.ds.records else ""
    yield Detail(
        f"the resolver does not say whether {dnssec.domain} is signed{published}",
        subject=dnssec.domain,
        ds=bool(published),
    )


@checks.add(
    "no-ds",
    title="The zone is signed, but its parent does not know",
    level=Level.INFO,
    why="The zone publishes keys, yet without a DS record in the parent zone nobody can trust them: the domain counts as unsigned.",
    fix="Enter the DS record at the registrar; the DNS provider shows it.",
    sources=(rfc(4035, "2.4"),),
)
def no_ds(dnssec: DnssecEvidence) -> Iterator[Detail]:
    if _keys_without_ds(dnssec):
        yield Detail(f"{dnssec.domain} has DNSKEY records and no DS record", subject=dnssec.domain)


@checks.add(
    "unsigned",
    title="The domain is not signed with DNSSEC",
    level=Level.INFO,
    why="Answers about it can be forged on the way. Mail works without, but DANE does not.",
    fix="Switch DNSSEC on at the DNS provider, and enter the DS record at the registrar where that is somebody else.",
    sources=(rfc(4033, "5"),),
)
def unsigned(dnssec: DnssecEvidence) -> Iterator[Detail]:
    if dnssec.state is DnssecState.UNSIGNED and not _keys_without_ds(dnssec):
        yield Detail(f"{dnssec.domain} is not signed", subject=dnssec.domain)


def _keys_without_ds(dnssec: DnssecEvidence) -> bool:
    return (
        dnssec.state is DnssecState.UNSIGNED
        and dnssec.dnskey is not None
        and bool(dnssec.dnskey.records)
        and dnssec.ds is not None
        and dnssec.ds.void
    )


ENTRIES = checks.entries
