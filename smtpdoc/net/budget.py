"""One target's share of a resolver: its questions counted, its time limited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.seams import CheckingResolver, Resolver


class BudgetedResolver:
    """A Resolver over a shared one that answers TIMEOUT once the target's time is over.

    `questions` counts the different questions this target asked, whether or not another target's cache had them.
    """

    def __init__(self, resolver: Resolver, timeout_s: float) -> None:
        self._resolver = resolver
        self._timeout_s = timeout_s
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._asked: set[tuple[str, str]] = set()

    @property
    def deadline(self) -> float:
        """When the target's time is over, on the event loop's clock."""
        return self._deadline

    @property
    def questions(self) -> int:
        return len(self._asked)

    @property
    def over_network(self) -> bool:
        return isinstance(self._resolver, CheckingResolver) and self._resolver.over_network

    def unchecked(self) -> BudgetedResolver | None:
        """See seams.CheckingResolver; the same time limit holds."""
        unchecked = self._resolver.unchecked() if isinstance(self._resolver, CheckingResolver) else None
        if unchecked is None:
            return None
        return BudgetedResolver(unchecked, self._deadline - asyncio.get_running_loop().time())

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        if asyncio.get_running_loop().time() >= self._deadline:
            return tuple(self._late(name, rdtype) for name, rdtype in questions)
        self._asked.update((name.lower(), rdtype) for name, rdtype in questions)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._resolver.lookup_all(questions)
        except TimeoutError:
            return tuple(await asyncio.gather(*(self._in_no_time(name, rdtype) for name, rdtype in questions)))

    async def _in_no_time(self, name: str, rdtype: str) -> Lookup:
        """Return the answer where it came before the others, else TIMEOUT."""
        try:
            async with asyncio.timeout(0):
                return await self._resolver.lookup(name, rdtype)
        except TimeoutError:
            return self._late(name, rdtype)

    def _late(self, name: str, rdtype: str) -> Lookup:
        detail = f"no answer within the {self._timeout_s:g} s for the whole target"
        return Lookup(name.lower(), rdtype, LookupStatus.TIMEOUT, detail=detail, elapsed_s=self._timeout_s)
