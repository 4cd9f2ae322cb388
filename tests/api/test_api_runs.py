"""Several targets: so many at a time, answers in order, one bad target never stops the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from smtpdoc.api.runs import in_order
from smtpdoc.errors import TargetError


async def collect(jobs: Iterator[Callable[[], Awaitable[int]]], concurrency: int) -> list[int | TargetError]:
    return [result async for result in in_order(jobs, concurrency)]


def test_results_keep_the_order_of_the_jobs_whoever_is_done_first() -> None:
    async def job(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        return number

    assert [0, 1, 2] == asyncio.run(collect((partial(job, number) for number in range(3)), 3))


def test_no_more_than_concurrency_run_at_once() -> None:
    running, most = 0, 0

    async def job() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return most

    asyncio.run(collect(iter([job] * 10), 4))

    assert 4 == most


def test_a_target_that_cannot_be_read_is_a_result() -> None:
    async def good() -> int:
        return 1

    async def bad() -> int:
        raise TargetError("expected a domain")

    results = asyncio.run(collect(iter([good, bad, good]), 2))

    assert [1, 1] == [results[0], results[2]]
    assert isinstance(results[1], TargetError)


def test_any_other_exception_ends_the_run() -> None:
    async def broken() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(collect(iter([broken]), 1))
