"""One target's share of a resolver: its questions counted, its time limited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.seams import Resolver


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
    def questions(self) -> int:
        return len(self._asked)

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        self._asked.add((name.lower(), rdtype))
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._resolver.lookup(name, rdtype)
        except TimeoutError:
            return self._late(name, rdtype)

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        return tuple(await asyncio.gather(*(self.lookup(name, rdtype) for name, rdtype in questions)))

    def _late(self, name: str, rdtype: str) -> Lookup:
        detail = f"no answer within the {self._timeout_s:g} s for the whole target"
        return Lookup(name.lower(), rdtype, LookupStatus.TIMEOUT, detail=detail, elapsed_s=self._timeout_s)
