"""A target's time and questions: what it got in time it keeps, what it did not is TIMEOUT, and nothing runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.net.budget import BudgetedResolver

FOUND, TIMEOUT = LookupStatus.FOUND, LookupStatus.TIMEOUT


class Slow:
    """A resolver that answers names beginning with "slow" never, and others at once the second time they are asked."""

    def __init__(self) -> None:
        self.batches: list[tuple[tuple[str, str], ...]] = []
        self._known: set[tuple[str, str]] = set()

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        self.batches.append(tuple(questions))
        new = [question for question in questions if question not in self._known]
        self._known |= {question for question in new if not question[0].startswith("slow")}
        if new:
            await asyncio.sleep(60 if any(name.startswith("slow") for name, _ in new) else 0)
        return tuple(Lookup(name, rdtype, FOUND) for name, rdtype in questions)


def within(timeout_s: float, job: Callable[[BudgetedResolver], Coroutine[Any, Any, Any]]) -> tuple[Any, Slow, int]:
    async def run() -> tuple[Any, Slow, int]:
        slow = Slow()
        resolver = BudgetedResolver(slow, timeout_s)
        return await job(resolver), slow, resolver.questions

    return asyncio.run(run())


def test_questions_asked_together_reach_the_shared_resolver_together() -> None:
    questions = [("a.example", "TXT"), ("b.example", "MX")]

    answers, slow, asked = within(5, lambda resolver: resolver.lookup_all(questions))

    assert [tuple(questions)] == slow.batches
    assert ["a.example", "b.example"] == [answer.name for answer in answers]
    assert 2 == asked


def test_each_different_question_counts_once() -> None:
    async def job(resolver: BudgetedResolver) -> None:
        await resolver.lookup("A.example", "TXT")
        await resolver.lookup_all([("a.example", "TXT"), ("a.example", "MX")])

    assert 2 == within(5, job)[2]


def test_what_came_in_time_is_kept_and_the_rest_is_timeout() -> None:
    answers, _, _ = within(0.05, lambda resolver: resolver.lookup_all([("slow.example", "A"), ("a.example", "A")]))

    assert [TIMEOUT, FOUND] == [answer.status for answer in answers]
    assert "0.05 s" in answers[0].detail


def test_when_the_time_is_over_nobody_is_asked() -> None:
    async def job(resolver: BudgetedResolver) -> Lookup:
        await asyncio.sleep(0.02)
        return await resolver.lookup("a.example", "A")

    answer, slow, _ = within(0.01, job)

    assert (TIMEOUT, []) == (answer.status, slow.batches)
