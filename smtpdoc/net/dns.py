"""seams.Resolver on asyncio: zone file first, then name servers; one cache for a run. Every failure is a value."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.grammar.printable import printable
from smtpdoc.net.dns_transport import DnsTransport, NoAnswerError
from smtpdoc.net.dns_values import MAX_ALIASES, Answer, Question, UnaskableNameError, make_question
from smtpdoc.net.nameservers import parse_nameserver, system_nameservers
from smtpdoc.net.window import Window

if TYPE_CHECKING:  # reading zone files is a third of dnspython, and few runs need it
    from smtpdoc.net.zone import ZoneSource

#: Answers kept, about 1 kB each; the oldest go first.
MAX_CACHED = 30_000

_Key = tuple[str, str]


def open_resolver(
    *,
    nameservers: Sequence[str] = (),
    zone: ZoneSource | None = None,
    timeout_s: float = 5.0,
    offline: bool = False,
) -> DnsResolver:
    """Return a resolver, to be used as an asynchronous context manager or closed.

    `nameservers` are IP, IP:PORT or [v6]:PORT, without any those of the system; TargetError for anything else.
    `timeout_s` is the budget of one question with its retries and CNAMEs. With `offline`, only `zone` answers.
    """
    servers = tuple(map(parse_nameserver, nameservers)) or (() if offline else system_nameservers())
    return DnsResolver(None if offline else DnsTransport(servers), zone, timeout_s)


class DnsResolver:
    """Implements seams.Resolver.

    A name that DNS cannot hold (a label over 63 octets, an empty label) is NXDOMAIN with a `detail`, and is not asked
    for: nobody can have published anything there, and RFC 7208 section 4.3 treats the two alike.
    """

    def __init__(
        self, transport: DnsTransport | None, zone: ZoneSource | None, timeout_s: float, *, checked: bool = True
    ) -> None:
        self._transport = transport
        self._zone = zone
        self._timeout_s = timeout_s
        self._checked = checked
        self._unchecked: DnsResolver | None = None
        self._known: dict[_Key, Lookup] = {}
        self._asking: dict[_Key, asyncio.Task[Lookup]] = {}
        self._window = Window() if transport is None else transport.window
        self._queries = 0
        self._lookups = 0

    @property
    def queries(self) -> int:
        """How many questions went to a name server; retransmissions of one count once, cached and zone answers not."""
        return self._queries

    @property
    def lookups(self) -> int:
        """How many different questions were answered, from wherever."""
        return self._lookups

    @property
    def over_network(self) -> bool:
        """See seams.CheckingResolver."""
        return self._transport is not None and not self._transport.on_this_machine

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def unchecked(self) -> DnsResolver:
        """Return a resolver with the same servers and its own answers, which asks them not to check DNSSEC."""
        if self._unchecked is None:
            self._unchecked = DnsResolver(self._transport, self._zone, self._timeout_s, checked=False)
        return self._unchecked

    async def close(self) -> None:
        """Give up what is still being asked and close the sockets."""
        if self._unchecked is not None:
            await self._unchecked.close()
        tasks = tuple(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        """Answer one question, from this run's answers if it was asked before. See seams.Resolver."""
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        """Ask all questions at once; the answers stand in the questions' order."""
        asked = [self._ask(name, rdtype) for name, rdtype in questions]
        under_way = {task for task in asked if isinstance(task, asyncio.Task)}
        if under_way:
            # wait() leaves the tasks alone when we are cancelled: others may want the same answers.
            await asyncio.wait(under_way)
        return tuple(task.result() if isinstance(task, asyncio.Task) else task for task in asked)

    def _ask(self, name: str, rdtype: str) -> Lookup | asyncio.Task[Lookup]:
        """Return the answer where it is known, else the one task that asks for it."""
        known = self._known.get((name, rdtype))  # as names mostly come: canonical already
        if known is not None:
            return known
        rdtype = rdtype.upper()
        try:
            question = make_question(name, rdtype)
        except UnaskableNameError as error:
            detail = f"{printable(name)!r} cannot be a domain name: {error}"
            return Lookup(name.lower().removesuffix("."), rdtype, LookupStatus.NXDOMAIN, detail=detail)
        if not self._checked:
            question = replace(question, unchecked=True)
        key = (question.name, rdtype)
        if key in self._known:
            return self._known[key]
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._answer(key, question))
        return self._asking[key]

    async def _answer(self, key: _Key, question: Question) -> Lookup:
        try:
            lookup = await self._resolve(question)
        finally:
            del self._asking[key]
        self._remember(key, lookup)
        return lookup

    def _remember(self, key: _Key, lookup: Lookup) -> None:
        self._lookups += 1
        self._known[key] = lookup
        if len(self._known) > MAX_CACHED:
            del self._known[next(iter(self._known))]

    async def _resolve(self, question: Question) -> Lookup:
        """Follow CNAMEs from zone to servers and back until there is an answer."""
        async with self._window:
            loop = asyncio.get_running_loop()
            started = loop.time()
            chain = _Chain(question)
            try:
                answer = await self._follow(chain, started + self._timeout_s)
            except NoAnswerError as error:
                return chain.lookup(error.status, loop.time() - started, detail=str(error))
            return chain.lookup(answer.status, loop.time() - started, answer)

    async def _follow(self, chain: _Chain, deadline: float) -> Answer:
        question = chain.question
        while True:
            answer = self._from_zone(question.name, question.rdtype)
            if answer is None:
                answer = await self._from_servers(question, deadline)
                chain.authenticated = chain.authenticated and answer.authenticated
            else:
                chain.authenticated = False
                chain.local = True
            elsewhere = self._add_aliases(chain, question, answer)
            if elsewhere is None:
                return answer
            question = replace(make_question(elsewhere, question.rdtype), unchecked=question.unchecked)

    def _add_aliases(self, chain: _Chain, question: Question, answer: Answer) -> str | None:
        """Take over an answer's aliases; return the name to go on with, None when the answer is the last word.

        An alias that leads into the zone file is answered from there, whatever the servers said about it.
        """
        for target in answer.aliases:
            chain.add(target)
            if self._from_zone(target, question.rdtype) is not None:
                return target
        return None if answer.complete else answer.aliases[-1]

    def _from_zone(self, name: str, rdtype: str) -> Answer | None:
        return None if self._zone is None else self._zone.answer_to(name, rdtype)

    async def _from_servers(self, question: Question, deadline: float) -> Answer:
        if self._transport is None:
            detail = f"{printable(question.name)} is not in the zone file, and offline no name server is asked"
            raise NoAnswerError(LookupStatus.SERVFAIL, detail)
        self._queries += 1
        remaining_s = max(deadline - asyncio.get_running_loop().time(), 0.01)
        return await self._transport.ask(question, remaining_s)


class _Chain:
    """A question and the CNAMEs followed for it."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.aliases: list[str] = []
        self.authenticated = True
        self.local = False

    def add(self, target: str) -> None:
        """Note one more alias; raise NoAnswerError when they go in a circle or on and on (RFC 1034 section 3.6.2)."""
        circle = target == self.question.name or target in self.aliases
        self.aliases.append(target)
        if circle:
            path = " -> ".join([self.question.name, *self.aliases])
            raise NoAnswerError(LookupStatus.SERVFAIL, f"the CNAMEs go in a circle: {printable(path)}")
        if len(self.aliases) > MAX_ALIASES:
            raise NoAnswerError(
                LookupStatus.SERVFAIL, f"{printable(self.question.name)} leads to over {MAX_ALIASES} CNAMEs"
            )

    def lookup(self, status: LookupStatus, elapsed_s: float, answer: Answer | None = None, detail: str = "") -> Lookup:
        return Lookup(
            self.question.name,
            self.question.rdtype,
            status,
            records=answer.records if answer is not None else (),
            aliases=tuple(self.aliases),
            authenticated=self.authenticated and answer is not None,
            local=self.local,
            detail=detail,
            elapsed_s=elapsed_s,
        )
