"""What gather/ may ask of the world. net/ implements these; tests put a dict or a script in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from smtpdoc.evidence.dns import Lookup


class Resolver(Protocol):
    """Answers DNS questions. Failures are values: `lookup` never raises for anything DNS does."""

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        """Ask for the records of `rdtype` ("TXT", "MX", "A", "AAAA", "PTR", "NS", "TLSA", "CNAME") at `name`.

        `name` is a name without a trailing dot, in any case; CNAMEs are followed. Asking twice is free within a run.
        """
        ...

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        """Ask several (name, rdtype) questions at the same time; the answers stand in the questions' order."""
        ...
