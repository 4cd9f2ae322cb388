"""What a session says about the way to the server: has it an address, and can that be reached?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import failure_of, probe_command
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import FailureKind, Stage, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.names import is_address, special_use

checks = CheckSet[Transcript]("smtp")

_DNS_WORDS = ("nxdomain", "no-address", "no-family-address")
_MX_WORDS = ("null-mx", "no-mail-host", "no-domain", "dns-bogus")
MX_PORT = 25


@checks.add(
    "name-not-found",
    title="The host name has no address",
    level=Level.ERROR,
    why="Nothing can be delivered to, or submitted at, a name that DNS does not know.",
    fix="Check the spelling; to look at the mail hosts of a domain, use --mx.",
    sources=(rfc(5321, "5.1"),),
)
def name_not_found(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word in _DNS_WORDS:
        fix: str | None = "Check the spelling."
        paste: tuple[str, ...] = ()
        if is_address(session.host):
            fix = "Leave out -4 or -6: an address has one family."
        elif exchange.failure.word == "no-family-address":
            fix, paste = "Leave out -4 or -6: it may have an address of the other family.", probe_command(session)
        elif session.port != MX_PORT:  # on port 25 one has come by --mx already
            fix, paste = None, (f"smtpdoc probe --mx {session.host}",)
        yield Detail(exchange.failure.detail, subject=session.host, fix=fix, paste=paste)


@checks.add(
    "name-lookup-failed",
    title="DNS did not answer for the host name",
    level=Level.UNKNOWN,
    why="Without an answer nobody can tell whether the name exists; the trouble may lie with our resolver or with theirs.",
    fix="Try again, or ask another resolver with --nameserver; with --resolve HOST:IP no lookup is needed.",
)
def name_lookup_failed(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is None or (failure := exchange.failure) is None or failure.kind is not FailureKind.DNS:
        return
    if failure.word not in (*_DNS_WORDS, *_MX_WORDS):
        mx = ("--mx",) if f"{session.host} MX:" in failure.detail else ()
        here = any(words in failure.detail for words in _RESOLVER_HERE)
        yield Detail(
            failure.detail,
            subject=session.host,
            fix=_RESOLVER_FIX if here else None,
            paste=probe_command(session, *mx, "--nameserver 9.9.9.9"),
        )


#: What is said where it is this machine that reaches no resolver.
_RESOLVER_HERE = ("the resolver could not answer", "cannot be reached")
_RESOLVER_FIX = (
    "The resolver that this machine asks does not answer at all: see whether the machine has a network, and whether other "
    "names resolve. Ask another resolver with --nameserver; with --resolve HOST:IP no lookup is needed."
)


@checks.add(
    "name-bogus",
    title="The domain's DNSSEC signatures are not valid",
    level=Level.ERROR,
    why="Senders whose resolver validates, as that of the large mail services does, find no mail host for this domain: the "
    "mail waits and is then returned.",
    fix="Have the zone signed again (expired signatures are the usual cause), or correct the DS record at the registrar.",
    sources=(rfc(4035, "5.5"),),
)
def name_bogus(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "dns-bogus":
        yield Detail(exchange.failure.detail, subject=session.host)


@checks.add(
    "no-mail-wanted",
    title="The domain declares that it takes no mail",
    level=Level.ERROR,
    why='A null MX ("0 .") tells senders not even to try; they bounce such mail at once.',
    fix="If the domain should take mail, replace the null MX by its mail hosts.",
    sources=(rfc(7505),),
)
def no_mail_wanted(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "null-mx":
        yield Detail(exchange.failure.detail, subject=session.host)


@checks.add(
    "no-mail-host",
    title="No host takes mail for this domain",
    level=Level.ERROR,
    why="Without MX a sender falls back to the domain's own address; without that either, the mail bounces.",
    fix="Publish an MX record that names a host with an address.",
    sources=(rfc(5321, "5.1"),),
)
def no_mail_host(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word in ("no-mail-host", "no-domain"):
        fix = "Check the spelling of the domain." if exchange.failure.word == "no-domain" else None
        yield Detail(exchange.failure.detail, subject=session.host, fix=fix)


@checks.add(
    "connection-refused",
    title="Nothing listens on this port",
    level=Level.UNKNOWN,
    why="The machine answers, but no program takes connections on this port, or a firewall says so in its place.",
    fix="Check that the server runs and listens on this port and address; submission is 587 or 465, mail exchange 25.",
)
def connection_refused(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is not None and (failure := exchange.failure) is not None and failure.kind is FailureKind.REFUSED:
        other = 465 if session.port == 587 else 587
        from_afar = session.address is not None and not special_use(session.address.partition("%")[0])
        host = f"[{session.host}]" if ":" in session.host else session.host
        yield Detail(
            failure.detail,
            subject=session.port_name,
            fix=_REFUSED_25_FIX if session.port == MX_PORT and from_afar else None,
            paste=() if session.opportunistic else (f"smtpdoc probe {host}:{other}",),  # a mail exchange has one port
            port=session.port,
        )


_REFUSED_25_FIX = (
    "Check that a mail server listens there. If it does, a firewall on this side may be answering in its place: many "
    "networks block port 25 on the way out. Compare with a probe from another network."
)


@checks.add(
    "unreachable",
    title="The server cannot be reached from here",
    level=Level.UNKNOWN,
    why="The network between here and there gives no connection; nothing is known about the server itself.",
    fix="Try from another network. Port 25 is blocked on the way out in many of them; -4 or -6 tells the families apart.",
)
def unreachable(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.CONNECT)
    if exchange is None or (failure := exchange.failure) is None:
        return
    if failure.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.CLOSED):
        family = "-4" if session.family == "ipv6" else "-6"
        given = session.host == session.address or failure.word in ("source-address", "no-interface")
        other_family_may_do = not given and not session.attempts
        yield Detail(
            failure.detail,
            subject=session.port_name,
            fix=_LOCAL_FIXES.get(failure.word),
            paste=probe_command(session, family) if other_family_may_do else (),
            kind=failure.kind.value,
            fault=failure.word,
        )


_NO_ROUTE_FIX = (
    "See whether other IPv6 hosts can be reached from here. If so, make this address answer or take it out of DNS."
)
#: Causes that lie with this machine, and nothing at the server's side would help.
_LOCAL_FIXES = {
    "no-network": "This machine's own network is the cause: give it a route for this address family, or use the other one.",
    "source-address": "Take an address that this machine has for --source-ip, of the same family as the server's.",
    "no-interface": "Write an interface of this machine behind the %, as it lists them (ip address, ifconfig).",
    "forbidden-here": "A firewall or sandbox on this machine forbids the connection: allow it there.",
}


@checks.add(
    "address-unreachable",
    title="One of the server's addresses does not answer",
    level=Level.WARNING,
    why="Clients that try this address first lose time with every connection, and some never try the next one.",
    fix="Make the address answer, or take it out of DNS.",
)
def address_unreachable(session: Transcript) -> Iterator[Detail]:
    for address, failure in session.attempts:
        # Where the way out is missing here, the address may be fine, and clients elsewhere reach it. A router's "no
        # route" to an IPv6 address mostly means that, too.
        no_route = failure.word == "no-route" and ":" in address
        yield Detail(
            f"{failure.detail}; then {session.address} was tried",
            subject=address,
            level=Level.INFO if no_route or failure.word in _LOCAL_FIXES else None,
            fix=_NO_ROUTE_FIX if no_route else _LOCAL_FIXES.get(failure.word),
        )
