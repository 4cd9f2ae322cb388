"""What is looked at beside a session and right after it, as far as the options ask for it.

DNS is asked while the session runs. Connections of their own come after it, one at a time, and carry nothing of the
user's. What few runs need is imported where it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Stage, Transcript, version_name
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.seams import Dialer, PolicySource, Resolver
from smtpdoc.target import SMTP_PORT

if TYPE_CHECKING:
    from smtpdoc.evidence.looks import Dane, Enforcement, Identity, StarttlsInjection, StsDelivery, VersionAnswer
    from smtpdoc.evidence.transport import MtaStsEvidence
    from smtpdoc.gather.dane import TlsaAnswer
    from smtpdoc.net.dns import DnsResolver

_ALL_TLS = "TLS comes first on this port"

#: How long names may keep the user waiting once the session has ended.
DNS_PATIENCE_S = 1.0
#: The user asked for these answers, so they may take longer.
ASKED_PATIENCE_S = 10.0


class Names:
    """The resolver for further looks: the one that the user gave, else the system's, opened when first asked for."""

    def __init__(self, given: Resolver | None, timeout_s: float) -> None:
        self._given = given
        self._opened: DnsResolver | None = None
        self._timeout_s = timeout_s

    def __call__(self) -> Resolver:
        if self._given is not None:
            return self._given
        if self._opened is None:
            from smtpdoc.net.dns import open_resolver

            self._opened = open_resolver(timeout_s=self._timeout_s)
        return self._opened

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


class Looks:
    """The further looks at one session's server. `exchange` is told what happens, `after` runs when it is over, and
    `complete` adds what was found to the transcript."""

    def __init__(
        self, options: ProbeOptions, dialer: Dialer, names: Names, note: Callable[[str], None], domain: str | None
    ) -> None:
        self._options = options
        self._dialer = dialer
        self._resolver = names
        self._note = note  # writes a line into the session's transcript
        self._domain = domain  # whose MX records led here, None otherwise
        self._started = dialer.now()
        self._tlsa: asyncio.Task[TlsaAnswer | None] | None = None
        self._names: asyncio.Task[Identity | None] | None = None
        self._versions: tuple[VersionAnswer, ...] = ()
        self._injection: StarttlsInjection | None = None
        self._enforcement: Enforcement | None = None
        self._identity: Identity | None = None
        self._dane: Dane | None = None

    def exchange(self, exchange: Exchange, session: Callable[[], Transcript]) -> None:
        """Begin to ask DNS once the server has spoken; `session` gives the transcript so far."""
        if exchange.stage is Stage.GREETING and self._names is None and self._wants_names(session()):
            self._names = asyncio.create_task(self._ask_names(session))

    def begin(self, host: str, port: int) -> None:
        """Begin what needs the target's name only."""
        self._started = self._dialer.now()  # sessions wait for their turn, and have all their time then
        if not self._options.dane:
            return
        from smtpdoc.gather.dane import gather_tlsa_records

        self._tlsa = asyncio.create_task(gather_tlsa_records(host, port, self._resolver(), self._domain))

    async def after(self, session: Transcript) -> None:
        """Look further; `session` is over. Whatever happens is kept, also when this is cancelled."""
        try:
            await self._connections(session)
            await self._await_names(session)
            await self._await_tlsa(session)
        finally:
            self.close()

    def close(self) -> None:
        for task in (self._tlsa, self._names):
            if task is not None and not task.done():
                task.cancel()

    def complete(self, session: Transcript) -> Transcript:
        tls = session.tls
        if tls is not None and self._dane is not None:
            tls = replace(tls, dane=self._dane.facts())
        return replace(
            session,
            tls=tls,
            tls_versions=self._versions,
            starttls_injection=self._injection,
            enforcement=self._enforcement,
            identity=self._identity,
            dane=self._dane,
        )

    # Connections of their own

    async def _connections(self, session: Transcript) -> None:
        options = self._options
        if not (options.tls_versions or options.starttls_injection or options.check_enforcement):
            return
        from smtpdoc.gather.look import place_of

        place = place_of(session, options, self._started + options.timeout_s)
        if place is None or (session.capabilities_before_tls is None and not place.implicit):
            return  # there is no server, or it does not speak
        if options.tls_versions:
            from smtpdoc.gather.tls_versions import VERSIONS, gather_tls_version, known_version, versions_to_ask

            self._versions = known_version(session)
            asked = versions_to_ask(session)
            if not asked and not self._versions:
                self._note("no TLS is offered, so no version of it was tried")
            for version in asked:
                self._note(f"another connection, with {version_name(version)} only")
                answer = await gather_tls_version(place, version, self._dialer)
                found = (*self._versions, answer)
                self._versions = tuple(sorted(found, key=lambda one: VERSIONS.index(one.version)))
        if options.starttls_injection and (place.implicit or session.tls is None):
            self._note(f"no injection was tried: {_ALL_TLS if place.implicit else 'STARTTLS does not work here'}")
        elif options.starttls_injection:
            from smtpdoc.gather.starttls_injection import gather_starttls_injection

            self._note("another connection, with NOOP behind STARTTLS in one packet")
            self._injection = await gather_starttls_injection(place, self._dialer)
        if options.check_enforcement and place.implicit:
            self._note(f"nothing was asked in clear: {_ALL_TLS}")
        elif options.check_enforcement:
            from smtpdoc.gather.enforcement import gather_enforcement

            self._note("another connection, in clear: would MAIL FROM and a login be accepted?")
            self._enforcement = await gather_enforcement(place, session, self._dialer)

    # Names

    def _wants_names(self, session: Transcript) -> bool:
        """Who a server is matters between servers; a submission server knows its users by their logins."""
        wanted = self._options.identity
        return session.port == SMTP_PORT if wanted is None else wanted

    async def _ask_names(self, session: Callable[[], Transcript]) -> Identity | None:
        # We get here while the server is thinking about EHLO: time to load what DNS needs.
        from smtpdoc.gather.identity import gather_reverse, worth_asking

        known = session()
        address = known.address
        if address is None or not (self._options.identity is True or worth_asking(address)):
            return None
        return await gather_reverse(address, known.source_address, known.helo, self._resolver())

    async def _await_names(self, session: Transcript) -> None:
        if self._names is None or session.address is None:
            return
        from smtpdoc.evidence.looks import Identity
        from smtpdoc.gather.identity import as_seen, with_names

        wanted = self._options.identity is True
        patience_s = ASKED_PATIENCE_S if wanted else DNS_PATIENCE_S
        found: Identity | None = Identity(timed_out=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                found = await asyncio.shield(self._names)
                if found is None:
                    return
                found = await as_seen(found, session, self._resolver())
        if found is not None:
            self._identity = replace(with_names(found, session), wanted=wanted)

    # DANE

    async def _await_tlsa(self, session: Transcript) -> None:
        if self._tlsa is None:
            return
        from smtpdoc.gather.dane import hold_against
        from smtpdoc.net.trust import leads_to

        answer = await self._tlsa
        if answer is None:
            self._note("TLSA records belong to host names: none was looked up for an address")
        else:
            self._dane = hold_against(answer, session.tls, leads_to)


async def gather_policy(
    domain: str, resolver: Resolver, deadline: float, source: PolicySource | None = None
) -> MtaStsEvidence:
    """Return the MTA-STS policy of a domain, fetched as senders do, or from `source`."""
    from smtpdoc.gather.mta_sts import gather_mta_sts

    if source is None:
        from smtpdoc.net.https import HttpsPolicies

        source = HttpsPolicies(resolver, deadline=deadline)
    return await gather_mta_sts(domain, resolver, source)


def with_policy(evidence: ProbeEvidence, policy: MtaStsEvidence | None) -> ProbeEvidence:
    """Hold every session against the domain's policy."""
    if policy is None:
        return evidence
    from smtpdoc.gather.sts_delivery import sts_delivery

    return replace(
        evidence,
        sessions=tuple(_delivered(session, sts_delivery(policy, session)) for session in evidence.sessions),
        mta_sts=policy,
    )


def _delivered(session: Transcript, verdict: StsDelivery) -> Transcript:
    tls = session.tls
    return replace(session, mta_sts=verdict, tls=None if tls is None else replace(tls, mta_sts=verdict.facts()))
