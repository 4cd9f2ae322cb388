"""Do the names of the server agree with each other, and what would a server hold against us?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import HostAddress
from smtpdoc.evidence.looks import Identity
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.names import is_hostname, special_use
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("identity")

_MX_PORT = 25
_TRANSLATED = ("private", "carrier-grade NAT")
_HIDDEN = (*_TRANSLATED, "loopback", "link-local", "unspecified")
_ABOUT_US = (Stage.GREETING, Stage.EHLO, Stage.EHLO_TLS, Stage.MAIL, Stage.RCPT)


def _names(address: HostAddress) -> str:
    return ", ".join(printable(name) for name in address.ptr[:3])


def _missing(address: HostAddress) -> bool:
    """DNS says that there is no name, for an address that could have one."""
    public = special_use(address.ip) not in ("loopback", "link-local")
    return public and address.lookup is not None and address.lookup.void


@checks.add(
    "ptr-missing",
    title="The server's address has no reverse name",
    level=Level.INFO,
    why="For taking mail it does not matter. If the same machine sends mail from this address, many receivers refuse it.",
    fix="Ask the owner of the address block to publish a PTR record with the server's name.",
    sources=(rfc(1912, "2.1"),),
)
def ptr_missing(session: Transcript) -> Iterator[Detail]:
    server = session.identity.server if session.identity is not None else None
    if server is not None and _missing(server):
        yield Detail(f"{server.ip} ({session.host}) has no PTR record", subject=server.ip)


@checks.add(
    "ptr-not-confirmed",
    title="The server's reverse name does not lead back to its address",
    level=Level.INFO,
    why="A reverse name counts only when it resolves to the address; receivers that look treat this like a missing one.",
    fix="Publish the address under the name that the PTR record has, or correct the PTR record.",
    sources=(rfc(8601, "2.7.3"), rfc(1912, "2.1")),
)
def ptr_not_confirmed(session: Transcript) -> Iterator[Detail]:
    server = session.identity.server if session.identity is not None else None
    if server is not None and server.ptr and server.forward_confirmed is False:
        yield Detail(
            f"the PTR of {server.ip} is {_names(server)}, which does not resolve to {server.ip}", subject=server.ip
        )


@checks.add(
    "names-differ",
    title="The server calls itself by different names",
    level=Level.INFO,
    why="The greeting and the reply to EHLO should have the same host name. Different ones point to a proxy, a load "
    "balancer, or a server that was renamed by halves; people then read the wrong log.",
    fix="Give the server one name (Postfix: myhostname), the one that its address resolves back to.",
    sources=(rfc(5321, "4.2"), rfc(5321, "4.1.1.1")),
)
def names_differ(session: Transcript) -> Iterator[Detail]:
    who = session.identity
    if who is not None and who.greeting_name and who.ehlo_name and who.greeting_name != who.ehlo_name:
        yield Detail(
            f"the greeting says {who.greeting_name}, the reply to EHLO says {who.ehlo_name}",
            subject=session.port_name,
            greeting=who.greeting_name,
            ehlo=who.ehlo_name,
        )


@checks.add(
    "name-unknown",
    title="The server calls itself by a name that nothing else knows",
    level=Level.INFO,
    why="The name in its greeting is neither the one you asked for, nor its reverse name, nor in its certificate. Behind "
    "a load balancer that is usual; otherwise the server's own name was never set.",
    fix="Set the server's name to one that resolves to its address (Postfix: myhostname).",
    sources=(rfc(5321, "2.3.5"),),
)
def name_unknown(session: Transcript) -> Iterator[Detail]:
    who = session.identity
    if who is None or who.greeting_name is None or who.server is None or not who.server.ptr:
        return  # without a reverse name to compare with, there is nothing to hold against it
    certificate = session.tls.chain[0].names if session.tls is not None and session.tls.chain else ()
    known = {session.host, *(name.lower() for name in (*who.server.ptr, *certificate))}
    wildcards = {name[2:] for name in known if name.startswith("*.")}
    if who.greeting_name not in known and who.greeting_name.partition(".")[2] not in wildcards:
        yield Detail(
            f"{session.host} greets as {who.greeting_name}; its address is {_names(who.server)} in reverse DNS",
            subject=session.port_name,
            greeting=who.greeting_name,
        )


@checks.add(
    "not-determined",
    title="The names of the two sides could not be looked up",
    level=Level.UNKNOWN,
    why="DNS did not answer while the session lasted, or shortly after it.",
    fix="Try again, or ask another resolver with --nameserver.",
)
def not_determined(session: Transcript) -> Iterator[Detail]:
    who = session.identity
    if who is None:
        return
    unanswered = [one.ip for one in (who.server, who.ours) if one is not None and one.forward_confirmed is None]
    if who.wanted and (who.timed_out or unanswered):
        what = ", ".join(unanswered) or session.address or session.host
        yield Detail(f"DNS gave no answer in time about {what}", subject=session.port_name)


# Our own side


def _about_us(session: Transcript) -> Identity | None:
    """The names of our side, where they were asked for, or where a refusal on port 25 may be about them."""
    who = session.identity
    if who is None or (not who.wanted and not _turned_away(session)):
        return None
    return who


def _turned_away(session: Transcript) -> bool:
    return session.port == _MX_PORT and any(
        one.stage in _ABOUT_US and one.status in (StageStatus.REFUSED, StageStatus.DEFERRED)
        for one in session.exchanges
    )


def _our_level(session: Transcript) -> Level:
    return Level.WARNING if _turned_away(session) else Level.INFO


@checks.add(
    "our-ptr-missing",
    title="Our own address has no reverse name",
    level=Level.WARNING,
    why="Many servers refuse clients without one, so a refusal here may be about this machine and not about the mail.",
    fix="Test from the machine that will send the mail, or ask your provider for a PTR record.",
    sources=(rfc(1912, "2.1"),),
)
def our_ptr_missing(session: Transcript) -> Iterator[Detail]:
    who = _about_us(session)
    if who is not None and who.ours is not None and _missing(who.ours):
        yield Detail(f"our address {who.ours.ip} has no PTR record", subject=who.ours.ip, level=_our_level(session))


@checks.add(
    "our-ptr-not-confirmed",
    title="Our own reverse name does not lead back to our address",
    level=Level.WARNING,
    why="Servers that check reverse DNS treat this like a missing PTR record.",
    fix="Publish the address under the name that the PTR record has, or have the PTR record corrected.",
    sources=(rfc(8601, "2.7.3"),),
)
def our_ptr_not_confirmed(session: Transcript) -> Iterator[Detail]:
    who = _about_us(session)
    if who is not None and who.ours is not None and who.ours.ptr and who.ours.forward_confirmed is False:
        yield Detail(
            f"the PTR of our address {who.ours.ip} is {_names(who.ours)}, which does not resolve to it",
            subject=who.ours.ip,
            level=_our_level(session),
        )


@checks.add(
    "our-ptr-generic",
    title="Our own reverse name looks like a dial-up line",
    level=Level.WARNING,
    why="Servers refuse addresses whose names look machine-made: home lines send viruses more often than mail.",
    fix="Test from the machine that will send the mail, or send through your provider's submission server.",
)
def our_ptr_generic(session: Transcript) -> Iterator[Detail]:
    who = _about_us(session)
    if who is not None and who.ours is not None and who.ours.generic:
        yield Detail(
            f"our address {who.ours.ip} is called {_names(who.ours)}", subject=who.ours.ip, level=_our_level(session)
        )


def _not_greeted(session: Transcript) -> bool:
    return any(one.stage is Stage.GREETING and one.status is not StageStatus.OK for one in session.exchanges)


@checks.add(
    "our-helo",
    title="The name that we gave does not lead to our address",
    level=Level.WARNING,
    why="Some servers refuse clients whose EHLO name does not resolve, or resolves to somebody else.",
    fix="Give a name that resolves to this machine's address, with --helo.",
    sources=(rfc(5321, "4.1.4"),),
)
def our_helo(session: Transcript) -> Iterator[Detail]:
    who = _about_us(session)
    if who is None or _not_greeted(session):
        return  # it has not heard our name
    level = _our_level(session)
    if session.helo.startswith("["):
        if _turned_away(session):
            yield Detail(
                f"we gave the address {session.helo} in place of a name in EHLO", subject=session.helo, level=level
            )
        return
    if not is_hostname(session.helo.lower()) or not who.helo_lookups:
        return
    if all(one.void for one in who.helo_lookups):
        yield Detail(f"the name {session.helo} that we gave in EHLO has no address", subject=session.helo, level=level)
        return
    ours = who.seen_as or session.source_address
    addresses = [ip for one in who.helo_lookups for ip in one.names]
    # Behind NAT our own view of our address is not the server's, so nothing can be said.
    if ours is not None and addresses and special_use(ours) not in _HIDDEN and ours not in addresses:
        shown = ", ".join(map(printable, addresses[:3]))
        yield Detail(
            f"the name {session.helo} that we gave in EHLO leads to {shown}, and our address is {ours}",
            subject=session.helo,
            level=level,
        )


@checks.add(
    "our-address-unknown",
    title="The address that the server sees is not known here",
    level=Level.INFO,
    why="This machine has a private address, so a router translates it. The server judges the router's public address, and "
    "did not tell it.",
    fix="Find the public address out, and check it with: smtpdoc auth-check YOUR.DOMAIN --ip ADDRESS",
)
def our_address_unknown(session: Transcript) -> Iterator[Detail]:
    who = _about_us(session)
    ours = session.source_address
    if who is None or who.seen_as is not None or not ours or "%" in ours:
        return
    if special_use(ours) in _TRANSLATED:
        yield Detail(f"this machine's address is {ours}, which is private", subject=ours)


ENTRIES = checks.entries
