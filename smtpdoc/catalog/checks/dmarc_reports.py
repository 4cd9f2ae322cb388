"""Who receives a domain's DMARC reports, and whether they arrive (RFC 9989 section 4.6, RFC 9990)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.dmarc_record import corrected, flagged, record_of, tag_names, with_reports
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DmarcEvidence, ReportDestination
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[DmarcEvidence]("dmarc")

#: RFC 7489 section 6.3 lets a reporter stop after two URIs.
REPORT_URIS = 2


@checks.add(
    "no-reports",
    title="Nobody receives DMARC reports",
    level=Level.INFO,
    why="Without rua= the owner never learns who sends as the domain, nor which of the own services fail.",
    fix="Add rua=mailto: with a mailbox, or a report service's address.",
    sources=(rfc(9989, "5.1"), rfc(9990)),
)
def no_reports(dmarc: DmarcEvidence) -> Iterator[Detail]:
    record = record_of(dmarc)
    if record is not None and not record.rua:
        owner = (dmarc.found_at or dmarc.domain).removeprefix("_dmarc.")
        yield Detail(
            f"{dmarc.found_at} has no usable rua=",
            subject=owner,
            level=Level.WARNING if record.policy in (None, "none") else None,
            paste=corrected(dmarc, **with_reports(dmarc, record)),
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
    record = record_of(dmarc)
    for name in flagged(dmarc, "bad-uri"):
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
            paste=tuple(printable(line) for line in corrected(dmarc, **{name: fixed})) if hint else (),
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
    record = record_of(dmarc)
    for destination in dmarc.destinations:
        if destination.host is None and record is not None:
            yield Detail(
                f"{dmarc.found_at} asks for reports to {printable(destination.uri)}",
                subject=dmarc.found_at or dmarc.domain,
                paste=corrected(dmarc, **with_reports(dmarc, record)),
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
    names = flagged(dmarc, "obsolete-size")
    if names:
        where = dmarc.found_at or dmarc.domain
        yield Detail(f"{where} has a size limit in {tag_names(names)}", subject=where, paste=corrected(dmarc))


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
    return corrected(dmarc, **left) if left.get(gone.tag) else ()


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
