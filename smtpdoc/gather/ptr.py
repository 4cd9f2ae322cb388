"""Reverse DNS: the PTR names of addresses, and whether one of them resolves back (RFC 8601 section 2.7.3, "iprev")."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from smtpdoc.evidence.auth import HostAddress, PtrEvidence
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.grammar.names import is_generic, reverse_name
from smtpdoc.seams import Resolver

#: RFC 7208 section 4.6.4 reads ten PTR names at most; so do we, whatever a stranger's zone holds.
MAX_NAMES = 10


async def gather_addresses(ips: Sequence[str], resolver: Resolver) -> tuple[HostAddress, ...]:
    """Return each address with its PTR names and their forward confirmation, in the order given, duplicates once.

    Two rounds: all PTR questions, then the addresses of all names. A name's own addresses decide; only the
    family of the address is asked for.
    """
    ips = tuple(dict.fromkeys(str(ip_address(ip)) for ip in ips))
    pointers = await resolver.lookup_all([(reverse_name(ip), "PTR") for ip in ips]) if ips else ()
    questions = tuple(
        dict.fromkeys(
            (name, _family(ip)) for ip, lookup in zip(ips, pointers, strict=True) for name in lookup.names[:MAX_NAMES]
        )
    )
    forward = dict(zip(questions, await resolver.lookup_all(questions) if questions else (), strict=True))
    return tuple(_address(ip, lookup, forward) for ip, lookup in zip(ips, pointers, strict=True))


async def gather_ptr(ips: Sequence[str], resolver: Resolver, helo: str | None = None) -> PtrEvidence:
    """Return reverse DNS of the sending addresses (`--ip`) and, with `helo`, the addresses of that name."""
    addresses = await gather_addresses(ips, resolver)
    if helo is None:
        return PtrEvidence(addresses)
    families = tuple(dict.fromkeys(_family(ip) for ip in ips))
    return PtrEvidence(addresses, helo, await resolver.lookup_all([(helo, family) for family in families]))


def _family(ip: str) -> str:
    return "AAAA" if ":" in ip else "A"


def _address(ip: str, pointer: Lookup, forward: dict[tuple[str, str], Lookup]) -> HostAddress:
    names = pointer.names
    answers = [forward[name, _family(ip)] for name in names[:MAX_NAMES]]
    confirmed: bool | None = any(ip_address(ip) == ip_address(known) for answer in answers for known in answer.names)
    if not confirmed and not all(answer.answered for answer in (pointer, *answers)):
        confirmed = None
    return HostAddress(
        ip=ip,
        ptr=names,
        forward_confirmed=confirmed,
        # A proper name beside a generic one is enough.
        generic=pointer.status is LookupStatus.FOUND and all(is_generic(ip, name) for name in names),
        lookup=pointer,
    )
