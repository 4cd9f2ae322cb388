"""Finding addresses and opening connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from smtpdoc.evidence.smtp import Failure, FailureKind, Stage
from smtpdoc.net.door import knock
from smtpdoc.net.early import FAMILIES, EarlyConnection, Opened, Signal, helo_name, is_literal
from smtpdoc.net.failures import connect_failure, connect_timeout, place
from smtpdoc.net.session import SmtpSession
from smtpdoc.net.threads import in_thread
from smtpdoc.net.tls import known_trust, load_trust, session_context
from smtpdoc.seams import Budget, Resolver, TlsPolicy, Watcher, fails_dnssec
from smtpdoc.target import SMTP_PORT

if TYPE_CHECKING:
    from smtpdoc.evidence.dns import Lookup

_FAMILY_WORDS = {"ipv4": "IPv4 ", "ipv6": "IPv6 ", None: ""}


class TcpDialer:
    """See seams.Dialer. Asks the system for addresses, or `resolver` when one is given.

    `overrides` answers for some hosts, like curl's --resolve: host name in lower case to addresses. `early` is a
    connection that was begun before; it is used when it turns out to be the one that is wanted.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        overrides: Mapping[str, Sequence[str]] | None = None,
        early: EarlyConnection | None = None,
    ) -> None:
        self._resolver = resolver
        self._early = early
        self._found: dict[tuple[str, str | None], tuple[str, ...] | Failure] = {}
        self._overrides = {host.lower(): tuple(given) for host, given in (overrides or {}).items()}

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def begun_at(self, address: str, port: int, source_ip: str | None, helo: str | None) -> float | None:
        early = self._early
        return early.begun_at if early is not None and early.leads_to(address, port, source_ip, helo) else None

    async def addresses(self, host: str, family: str | None, budget: Budget) -> tuple[str, ...] | Failure:
        """See seams.Dialer; asked again, the answer is the same."""
        if (host, family) not in self._found:
            self._found[host, family] = await self._look_for(host, family, budget)
        return self._found[host, family]

    async def _look_for(self, host: str, family: str | None, budget: Budget) -> tuple[str, ...] | Failure:
        if given := self._overrides.get(host.lower()):
            found: tuple[str, ...] | Failure = given
        elif is_literal(host):
            found = (host,)
        elif self._resolver is not None:
            found = await _ask_resolver(self._resolver, host, family)
        else:
            found = await self._ask_system(host, family, budget)
        if isinstance(found, Failure) or family is None:
            return found
        wanted = tuple(address for address in found if (":" in address) == (family == "ipv6"))
        return wanted or _dns_failure(f"{host} has no {_FAMILY_WORDS[family]}address", "no-family-address")

    async def dial(
        self,
        address: str,
        port: int,
        *,
        host: str,
        tls: TlsPolicy | None,
        source_ip: str | None,
        budget: Budget,
        patience_s: float | None,
        watcher: Watcher,
        helo: str | None = None,
    ) -> SmtpSession | Failure:
        loop = asyncio.get_running_loop()
        session = SmtpSession(
            host=host,
            address=address,
            port=port,
            policy=tls,
            budget=budget,
            watcher=watcher,
            clock=loop.time,
            loop=loop,
        )
        if tls is not None:
            # The roots are read while the connection is opened and the first words are exchanged.
            roots = known_trust(tls)
            waited_for = in_thread(partial(load_trust, tls), "trusted roots") if roots is None else roots
            context = session_context(tls)
            session.prepare_tls(context, waited_for)
            if not tls.implicit and port != SMTP_PORT:
                session.may_knock(partial(knock, address, port, source_ip, context, tls.server_name))
        left = max(0.0, budget.deadline - loop.time())
        patience = left if patience_s is None else min(left, patience_s)
        try:
            opened = await self._opened_early(session, source_ip, helo, patience)
            if opened is None:
                opened = Opened(await _connect(loop, address, port, source_ip, patience), loop.time(), [])
        except TimeoutError:
            detail = connect_timeout(place(host, address, port), port)
            return Failure(FailureKind.TIMEOUT, Stage.CONNECT, detail, "connect-timeout")
        except OSError as error:
            return connect_failure(error, host, address, port, source_ip)
        session.connected(opened, helo or helo_name(opened.socket))
        await loop.create_connection(lambda: session.wire, sock=opened.socket)
        return session

    async def _opened_early(
        self, session: SmtpSession, source_ip: str | None, helo: str | None, patience: float
    ) -> Opened | None:
        """Return what was begun early, if it is the connection that is wanted now; raise why it did not open."""
        early = self._early
        if early is None or early.host != session.host:
            return None
        try:
            async with asyncio.timeout(patience):
                await _happened(early.looked_up)
                if not early.leads_to(session.address, session.port, source_ip, helo):
                    return None
                await _happened(early.done)
        except TimeoutError:
            early.close()
            raise
        return early.take(session.address, session.port, source_ip, helo)

    async def _look_up(self, host: str, family: str | None) -> tuple[str, ...]:
        early = self._early
        if early is None or (early.host, early.family) != (host, family):
            return await _getaddrinfo(host, family)
        await _happened(early.looked_up)
        if early.lookup_error is not None:
            raise early.lookup_error
        return early.addresses

    async def _ask_system(self, host: str, family: str | None, budget: Budget) -> tuple[str, ...] | Failure:
        try:
            async with asyncio.timeout_at(budget.deadline):
                found = await self._look_up(host, family)
        except TimeoutError:
            return _dns_failure(f"the resolver did not answer for {host} in time", "dns-timeout")
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                return _dns_failure(f"the resolver could not answer for {host}: {error.strerror}", "dns-servfail")
            word = "no-address" if family is None else "no-family-address"
            return _dns_failure(f"{host} has no {_FAMILY_WORDS[family]}address, or does not exist", word)
        except (OSError, UnicodeError) as error:
            return _dns_failure(f"{host} could not be looked up: {error}", "dns-servfail")
        return found


async def _connect(
    loop: asyncio.AbstractEventLoop, address: str, port: int, source_ip: str | None, patience: float
) -> socket.socket:
    # Numeric: nothing is looked up here; it turns a zone ("fe80::1%eth0") into its number.
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.encode(), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if source_ip:
            sock.bind((source_ip, 0))
        async with asyncio.timeout(patience):
            await loop.sock_connect(sock, where)
    except BaseException:  # cancellation too: nobody else knows this socket
        sock.close()
        raise
    return sock


async def _happened(signal: Signal) -> None:
    """Wait for something that happens in a thread."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(over.set)

    signal.when(tell)
    await over.wait()


async def _getaddrinfo(host: str, family: str | None) -> tuple[str, ...]:
    """Ask the system, in a thread that may be left behind when it takes too long."""

    def ask() -> tuple[str, ...]:
        # Bytes: text would go through the idna codec, and names are A-labels here.
        infos = socket.getaddrinfo(host.encode(), None, family=FAMILIES[family], type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(str(info[4][0]) for info in infos))

    return await in_thread(ask, "getaddrinfo")


async def _ask_resolver(resolver: Resolver, host: str, family: str | None) -> tuple[str, ...] | Failure:
    types = [rdtype for rdtype, of in (("AAAA", "ipv6"), ("A", "ipv4")) if family in (None, of)]
    lookups = await resolver.lookup_all([(host, rdtype) for rdtype in types])
    found = tuple(address for lookup in lookups for address in lookup.names)
    return found or await _no_address(host, family, lookups, resolver)


async def _no_address(host: str, family: str | None, lookups: Sequence[Lookup], resolver: Resolver) -> Failure:
    from smtpdoc.evidence.dns import LookupStatus  # only where there is a resolver at all

    for lookup in lookups:
        if not lookup.answered:
            detail = f"DNS gave no answer for {host} {lookup.rdtype}: {lookup.detail or lookup.status.value}"
            if await fails_dnssec(lookup, resolver):
                return _dns_failure(f"{detail}; asked not to check DNSSEC signatures, it has an answer", "dns-bogus")
            return _dns_failure(detail, "dns-timeout" if lookup.status is LookupStatus.TIMEOUT else "dns-servfail")
    if any(lookup.status is LookupStatus.NXDOMAIN for lookup in lookups):
        return _dns_failure(f"{host} does not exist in DNS", "nxdomain")
    word = "no-address" if family is None else "no-family-address"
    return _dns_failure(f"{host} exists in DNS, but has no {_FAMILY_WORDS[family]}address", word)


def _dns_failure(detail: str, word: str) -> Failure:
    return Failure(FailureKind.DNS, Stage.CONNECT, detail, word)
