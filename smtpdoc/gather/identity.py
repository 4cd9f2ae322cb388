"""Who is the server, by its own words and by DNS, and who are we?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from smtpdoc.evidence.dns import Lookup
from smtpdoc.evidence.looks import Identity
from smtpdoc.evidence.smtp import Exchange, Stage, Transcript
from smtpdoc.gather.ptr import gather_addresses
from smtpdoc.grammar.names import is_address, is_hostname, special_use
from smtpdoc.seams import Resolver

# Servers tell in the first line of their reply to EHLO where they see us: "Hello mail.example.com [192.0.2.1]".
_SEEN_AS = re.compile(r"[\[(](?:IPv6:)?([0-9A-Fa-f.:]{3,45})[\])]")

# Addresses of which the server sees another, or of which DNS knows nothing.
_NOT_OURS_ALONE = ("private", "carrier-grade NAT", "loopback", "link-local", "unspecified")


def worth_asking(ip: str) -> bool:
    """Whether public DNS can know this address; a zone (fe80::1%eth0) makes it ours alone."""
    return is_address(ip) and special_use(ip) not in ("loopback", "link-local", "unspecified")


async def gather_reverse(server: str, ours: str | None, helo: str, resolver: Resolver) -> Identity:
    """Ask DNS about the server's address and, with `ours`, about our own and the name that we give in EHLO."""
    own_side = ours is not None and is_address(ours) and special_use(ours) not in _NOT_OURS_ALONE
    ips = [server, *([ours] if ours is not None and own_side else [])]
    addresses = await gather_addresses(ips, resolver)
    by_ip = {one.ip: one for one in addresses}
    lookups: tuple[Lookup, ...] = ()
    if ours is not None and is_hostname(helo.lower()):
        lookups = await resolver.lookup_all([(helo.lower(), "A"), (helo.lower(), "AAAA")])
    own = by_ip.get(ours) if ours is not None and ours != server else None
    return Identity(server=addresses[0] if addresses else None, ours=own, helo_lookups=lookups)


async def as_seen(identity: Identity, session: Transcript, resolver: Resolver) -> Identity:
    """Put the address that the server told us in the place of our own view of it, where the two differ (NAT)."""
    seen = seen_as(session.exchanges)
    if seen is None or seen == session.source_address or not worth_asking(seen):
        return identity
    (ours,) = await gather_addresses([seen], resolver)
    return replace(identity, ours=ours)


def with_names(identity: Identity, session: Transcript) -> Identity:
    """Add the names that the server gave itself, and the address that it sees us under."""
    return replace(
        identity,
        greeting_name=_first_name(session, (Stage.GREETING,)),
        ehlo_name=_first_name(session, (Stage.EHLO_TLS, Stage.EHLO)),
        seen_as=seen_as(session.exchanges),
    )


def seen_as(exchanges: Iterable[Exchange]) -> str | None:
    """Return our address as the server told it in its reply to EHLO, or None.

    Only a server that speaks of one address is believed.
    """
    for exchange in exchanges:
        if exchange.stage in (Stage.EHLO, Stage.EHLO_TLS) and exchange.reply is not None and exchange.reply.lines:
            texts: list[str] = _SEEN_AS.findall(exchange.reply.lines[0])
            found = {text for text in texts if is_address(text)}
            if len(found) == 1:
                return found.pop()
    return None


def _first_name(session: Transcript, stages: tuple[Stage, ...]) -> str | None:
    for stage in stages:
        for exchange in session.exchanges:
            if exchange.stage is stage and exchange.reply is not None and exchange.reply.positive:
                words = (exchange.reply.lines[0] if exchange.reply.lines else "").split()
                name = words[0].rstrip(".").lower() if words else ""
                return name if "." in name and is_hostname(name) else None
    return None
