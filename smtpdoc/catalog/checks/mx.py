"""What a domain's MX records and their hosts mean (RFC 5321 section 5.1, RFC 7505, RFC 2181 section 10.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from smtpdoc.catalog.checks import mx_addresses
from smtpdoc.catalog.checks.mx_addresses import distinct_hosts
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import MxEvidence, TopicStatus
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.names import is_address, is_hostname, is_within
from smtpdoc.grammar.printable import printable

checks = CheckSet[MxEvidence]("mx")

NULL_MX = "."


@checks.add(
    "unknown",
    title="Where the domain receives mail could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer. Senders that meet this keep the mail and try again; it does not mean that there is no MX.",
    fix="Run the check again, or with another resolver (--nameserver). If it stays so, check the zone's delegation and DNSSEC.",
    sources=(rfc(5321, "5.1"),),
)
def unknown(mx: MxEvidence) -> Iterator[Detail]:
    if not mx.lookup.answered:
        yield Detail(f"DNS gave no answer for the MX of {mx.domain}", subject=mx.domain)
    elif mx.status is TopicStatus.UNKNOWN:
        yield Detail(f"{mx.domain} has no MX, and DNS gave no answer for its addresses", subject=mx.domain)
    for host in distinct_hosts(mx):
        silent = [lookup for lookup in (host.a, host.aaaa) if lookup is not None and not lookup.answered]
        if silent:
            types = " and ".join(lookup.rdtype for lookup in silent)
            refused = [printable(lookup.detail) for lookup in silent if lookup.status is LookupStatus.SERVFAIL]
            why = f": {refused[0]}" if refused and refused[0] else ""
            yield Detail(
                f"DNS gave no answer for the {types} records of {printable(host.host)}{why}", subject=host.host
            )


@checks.add(
    "missing",
    title="The domain cannot receive mail",
    level=Level.ERROR,
    why="It has neither an MX record nor an address of its own, so nobody can answer its mail, and many receivers refuse mail from a domain that cannot be answered.",
    fix="Publish an MX record that names your mail server, or a null MX if the domain is to receive no mail.",
    sources=(rfc(5321, "5.1"), rfc(7505, "3")),
)
def missing(mx: MxEvidence) -> Iterator[Detail]:
    if mx.status is TopicStatus.ABSENT:
        what = "does not exist" if mx.lookup.status is LookupStatus.NXDOMAIN else "has no MX, A or AAAA record"
        yield Detail(f"{mx.domain} {what}", subject=mx.domain, paste=(f"{mx.domain}. IN MX 10 mail.{mx.domain}.",))


@checks.add(
    "implicit",
    title="Mail goes to the domain's own address",
    level=Level.WARNING,
    why="Without MX records senders deliver to the address of the domain itself, which is often a web server without a mail server.",
    fix="Publish an MX record that names the mail server, or a null MX if the domain is to receive no mail.",
    sources=(rfc(5321, "5.1"),),
)
def implicit(mx: MxEvidence) -> Iterator[Detail]:
    if mx.implicit:
        ips = ", ".join(address.ip for host in mx.hosts for address in host.addresses)
        yield Detail(
            f"{mx.domain} has no MX; mail for it goes to {ips}",
            subject=mx.domain,
            paste=(f"{mx.domain}. IN MX 10 {mx.domain}.",),
        )


@checks.add(
    "null",
    title="The domain receives no mail, by its own word",
    level=Level.INFO,
    why="A null MX says that the domain accepts no mail; senders give up at once. Receivers may refuse mail from such a domain, since it cannot be answered.",
    fix='Right for a domain that neither sends nor receives; then also publish "v=spf1 -all" and DMARC with p=reject. If it sends mail, give it an MX.',
    sources=(rfc(7505, "3"), rfc(7505, "4.2")),
)
def null(mx: MxEvidence) -> Iterator[Detail]:
    if mx.null_mx:
        yield Detail(f"{mx.domain} has a null MX", subject=mx.domain)


@checks.add(
    "null-with-others",
    title="A null MX stands beside other MX records",
    level=Level.ERROR,
    why='A null MX ("receives no mail") must be the only one. Beside others it contradicts them, and senders differ in what they do.',
    fix='Delete the record with the target ".", or all the others.',
    sources=(rfc(7505, "3"),),
)
def null_with_others(mx: MxEvidence) -> Iterator[Detail]:
    if mx.hosts and any(record.host == NULL_MX for record in mx.lookup.mx):
        others = [host for host in mx.hosts if host.host != NULL_MX]
        yield Detail(
            f"{mx.domain} has a null MX beside {len(others)} other MX records",
            subject=mx.domain,
            paste=tuple(f"{mx.domain}. IN MX {host.preference} {printable(host.host)}." for host in others),
        )


@checks.add(
    "null-preference",
    title="The null MX has a preference other than 0",
    level=Level.INFO,
    why="A null MX is written with preference 0. Senders know it by its target, so most will not mind.",
    fix="Write the preference 0.",
    sources=(rfc(7505, "3"),),
)
def null_preference(mx: MxEvidence) -> Iterator[Detail]:
    for record in mx.lookup.mx:
        if record.host == NULL_MX and record.preference != 0:
            yield Detail(
                f"the null MX of {mx.domain} has preference {record.preference}",
                subject=mx.domain,
                paste=(f"{mx.domain}. IN MX 0 .",),
            )


@checks.add(
    "address-as-host",
    title="An MX record holds an address instead of a name",
    level=Level.ERROR,
    why="MX records name hosts. An address there is looked up as a name, which does not exist, so no mail arrives by it.",
    fix="Give the server a name with an A or AAAA record, and put that name into the MX record.",
    sources=(rfc(5321, "5.1"), rfc(1035, "3.3.9")),
)
def address_as_host(mx: MxEvidence) -> Iterator[Detail]:
    for host in distinct_hosts(mx):
        if is_address(host.host):
            yield Detail(
                f"an MX of {mx.domain} is the address {host.host}",
                subject=mx.domain,
                paste=(f"{mx.domain}. IN MX {host.preference} mail.{mx.domain}.",),
            )


@checks.add(
    "localhost",
    title="An MX record points to localhost",
    level=Level.ERROR,
    why="Every sender would deliver to itself. Mail by this record never arrives, and may loop.",
    fix="Name the mail server, or publish a null MX (0 .) if the domain is to receive no mail.",
    sources=(rfc(6761, "6.3"), rfc(7505, "3")),
)
def localhost(mx: MxEvidence) -> Iterator[Detail]:
    for host in distinct_hosts(mx):
        if host.host == "localhost" or host.host.endswith((".localhost", "localhost.localdomain")):
            yield Detail(f"an MX of {mx.domain} is {host.host}", subject=mx.domain, paste=(f"{mx.domain}. IN MX 0 .",))


@checks.add(
    "bad-hostname",
    title="An MX record names a host with letters that host names cannot have",
    level=Level.ERROR,
    why="Host names have letters, digits and hyphens. Senders may refuse to look up anything else, and no certificate can be issued for an underscore.",
    fix="Rename the host, and change the MX record.",
    sources=(rfc(5321, "4.1.2"), rfc(1123, "2.1")),
)
def bad_hostname(mx: MxEvidence) -> Iterator[Detail]:
    for host in distinct_hosts(mx):
        if not mx.implicit and not is_hostname(host.host) and not is_address(host.host):
            yield Detail(f"{printable(host.host)} is no valid host name", subject=host.host)


@checks.add(
    "no-address",
    title="An MX host has no address",
    level=Level.ERROR,
    why="Senders cannot connect to it. While other hosts work, mail is only delayed; when none does, all of it comes back.",
    fix="Publish an A or AAAA record for the host, or delete the MX record.",
    sources=(rfc(5321, "5.1"),),
)
def no_address(mx: MxEvidence) -> Iterator[Detail]:
    for host in distinct_hosts(mx):
        lookups = [lookup for lookup in (host.a, host.aaaa) if lookup is not None]
        if lookups and not host.addresses and all(lookup.answered for lookup in lookups):
            gone = all(lookup.status is LookupStatus.NXDOMAIN for lookup in lookups)
            what = "does not exist" if gone else "has neither an A nor an AAAA record"
            meant = _without_final_dot(host.host, mx.domain)
            hint = f"; the record seems to lack its final dot ({printable(meant)}.)" if meant else ""
            yield Detail(f"{printable(host.host)}, an MX of {mx.domain}, {what}{hint}", subject=host.host)


def _without_final_dot(host: str, domain: str) -> str | None:
    """Return the name that was meant where a zone file appended its own: mx.example.com.example.com."""
    meant = host.removesuffix(f".{domain}")
    return meant if meant != host and (is_within(meant, domain) or is_address(meant)) else None


@checks.add(
    "alias",
    title="An MX record names an alias",
    level=Level.WARNING,
    why="The target of an MX must not be a CNAME. Many senders follow it all the same; some do not, and TLS and DANE checks use the wrong name.",
    fix="Put the canonical name into the MX record.",
    sources=(rfc(2181, "10.3"), rfc(5321, "5.1")),
)
def alias(mx: MxEvidence) -> Iterator[Detail]:
    for host in distinct_hosts(mx):
        aliases = next((lookup.aliases for lookup in (host.a, host.aaaa) if lookup is not None and lookup.aliases), ())
        if aliases and not mx.implicit:
            target = printable(aliases[-1])
            yield Detail(
                f"{printable(host.host)} is a CNAME for {target}",
                subject=host.host,
                paste=(f"{mx.domain}. IN MX {host.preference} {target}.",),
                target=target,
            )


checks.include(mx_addresses.checks)


@checks.add(
    "duplicate",
    title="An MX host is named twice",
    level=Level.WARNING,
    why="The second record has no effect.",
    fix="Delete one of them.",
    sources=(rfc(5321, "5.1"),),
)
def duplicate(mx: MxEvidence) -> Iterator[Detail]:
    for name, count in Counter(host.host for host in mx.hosts).items():
        if count > 1:
            first = {host.host: host.preference for host in reversed(mx.hosts)}
            yield Detail(
                f"{printable(name)} stands in {count} MX records of {mx.domain}",
                subject=name,
                paste=tuple(
                    f"{mx.domain}. IN MX {preference} {printable(host)}." for host, preference in first.items()
                ),
                records=count,
            )


checks.include(mx_addresses.reverse)

ENTRIES = checks.entries
