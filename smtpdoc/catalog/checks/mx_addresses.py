"""The addresses of a domain's MX hosts: can they be reached, and what are they called (RFC 5321 section 5.1)?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.ptr import is_missing, is_refuted, names_of
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import HostAddress, MailHost, MxEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.names import special_use
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.senders import host_provider

checks = CheckSet[MxEvidence]("mx")
#: Their reverse names, which matter to senders only, are told last.
reverse = CheckSet[MxEvidence]("mx")


def distinct_hosts(mx: MxEvidence) -> Iterator[MailHost]:
    """Yield each host once, whatever the number of its records."""
    yield from {host.host: host for host in mx.hosts}.values()


def _addresses(mx: MxEvidence) -> Iterator[tuple[MailHost, HostAddress]]:
    """Yield each address once, with the first host that has it."""
    seen: set[str] = set()
    for host in distinct_hosts(mx):
        for address in host.addresses:
            if address.ip not in seen:
                seen.add(address.ip)
                yield host, address


@checks.add(
    "special-address",
    title="An MX host has an address that nobody can reach",
    level=Level.ERROR,
    why="Addresses of this kind are not routed on the Internet, so senders cannot connect, or connect to something of their own.",
    fix="Publish the server's public address.",
    sources=(rfc(6890, "2.2.2"),),
)
def special_address(mx: MxEvidence) -> Iterator[Detail]:
    for host, address in _addresses(mx):
        kind = special_use(address.ip)
        # Documentation addresses stand in examples and tests, where they are meant.
        if kind is not None and kind != "documentation":
            yield Detail(
                f"{printable(host.host)} has the {kind} address {address.ip}",
                subject=host.host,
                ip=address.ip,
                kind=kind,
            )


@checks.add(
    "only-ipv6",
    title="The MX hosts can be reached by IPv6 only",
    level=Level.WARNING,
    why="Senders without IPv6 cannot deliver at all.",
    fix="Give at least one MX host an IPv4 address.",
    sources=(rfc(3974, "2"),),
)
def only_ipv6(mx: MxEvidence) -> Iterator[Detail]:
    ips = [address.ip for _, address in _addresses(mx)]
    silent = any(host.a is not None and not host.a.answered for host in mx.hosts)
    if ips and all(":" in ip for ip in ips) and not silent:
        yield Detail(f"the mail hosts of {mx.domain} have IPv6 addresses only", subject=mx.domain)


@checks.add(
    "one-machine",
    title="Several MX hosts are one machine",
    level=Level.WARNING,
    why="The hosts have the same addresses, so the second one is no help when the first is down.",
    fix="Keep one MX record, or put the second host elsewhere.",
    sources=(rfc(5321, "5.1"),),
)
def one_machine(mx: MxEvidence) -> Iterator[Detail]:
    hosts = list(distinct_hosts(mx))
    sets = {tuple(sorted(address.ip for address in host.addresses)) for host in hosts}
    if len(hosts) > 1 and len(sets) == 1 and sets != {()}:
        names = ", ".join(printable(host.host) for host in hosts)
        yield Detail(f"{names} all have the same addresses", subject=mx.domain)


@reverse.add(
    "ptr-unknown",
    title="Reverse DNS of an MX address could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer for the PTR record or for the names in it.",
    fix="Run the check again, or with another resolver (--nameserver).",
    sources=(rfc(8601, "2.7.3"),),
)
def ptr_unknown(mx: MxEvidence) -> Iterator[Detail]:
    for host, address in _addresses(mx):
        if address.lookup is not None and address.forward_confirmed is None:
            yield Detail(
                f"DNS gave no answer for the reverse name of {address.ip} ({printable(host.host)})", subject=address.ip
            )


def _not_yours(host: MailHost) -> Level | None:
    """INFO for the host of a mail service: its customers can do nothing, and it sends from other addresses."""
    return Level.INFO if host_provider(host.host) else None


@reverse.add(
    "ptr-missing",
    title="An MX address has no reverse name",
    level=Level.WARNING,
    why="It matters where this host also sends mail: Gmail and many others refuse mail from an address without a PTR record. Receiving works without.",
    fix="If the host sends mail, ask the owner of the address block to set its PTR record. Sending addresses are checked with --ip.",
    sources=(rfc(1912, "2.1"),),
)
def ptr_missing(mx: MxEvidence) -> Iterator[Detail]:
    for host, address in _addresses(mx):
        if is_missing(address):
            yield Detail(
                f"{address.ip} ({printable(host.host)}) has no PTR record",
                subject=address.ip,
                level=_not_yours(host),
                host=host.host,
            )


@reverse.add(
    "ptr-not-confirmed",
    title="The reverse name of an MX address does not lead back",
    level=Level.WARNING,
    why="It matters where this host also sends mail: a PTR record is believed only when its name resolves to the same address.",
    fix="If the host sends mail, give the name this address, or have the PTR record changed. Sending addresses are checked with --ip.",
    sources=(rfc(8601, "2.7.3"), rfc(1912, "2.1")),
)
def ptr_not_confirmed(mx: MxEvidence) -> Iterator[Detail]:
    for host, address in _addresses(mx):
        if is_refuted(address):
            yield Detail(
                f"{address.ip} ({printable(host.host)}) is named {names_of(address)}, which does not resolve to it",
                subject=address.ip,
                level=_not_yours(host),
                host=host.host,
            )


@reverse.add(
    "ptr-generic",
    title="The reverse name of an MX address looks machine-made",
    level=Level.INFO,
    why="It matters where this host also sends mail: receivers score such names as those of access lines.",
    fix="If the host sends mail, have the PTR record set to its own name. Sending addresses are checked with --ip.",
)
def ptr_generic(mx: MxEvidence) -> Iterator[Detail]:
    for _, address in _addresses(mx):
        if address.generic:
            yield Detail(f"{address.ip} is named {names_of(address)}", subject=address.ip)
