"""How many questions are under way: more while answers come, half as many when they get lost, never past the limits."""

from __future__ import annotations

import asyncio

import dns.rcode
from support.faulty_dns import FaultyDns, Query

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.window import LEAST, MOST, START, Window


def test_no_more_than_the_limit_are_under_way_and_all_get_their_turn() -> None:
    async def run() -> tuple[int, int]:
        window, most, done = Window(), 0, 0

        async def one() -> None:
            nonlocal most, done
            async with window:
                most = max(most, window.under_way)
                await asyncio.sleep(0)
            done += 1

        await asyncio.gather(*(one() for _ in range(3 * START)))
        return most, done

    assert (START, 3 * START) == asyncio.run(run())


def test_who_gives_up_waiting_takes_no_place() -> None:
    async def run() -> int:
        window, hold = Window(), asyncio.Event()

        async def one() -> None:
            async with window:
                await hold.wait()

        inside = [asyncio.create_task(one()) for _ in range(START)]
        waiting = [asyncio.create_task(one()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting[:4]:
            task.cancel()
        hold.set()
        await asyncio.gather(*inside, *waiting, return_exceptions=True)
        return window.under_way

    assert 0 == asyncio.run(run())


def test_answers_widen_it_and_losses_halve_it() -> None:
    async def run() -> tuple[int, int, int]:
        window = Window()
        for _ in range(MOST):
            window.answered()
        widest = window.limit
        window.lost()
        window.lost()  # the same storm
        halved = window.limit
        for _ in range(10):
            window._calm_at = 0.0
            window.lost()
        return widest, halved, window.limit

    assert (MOST, MOST // 2, LEAST) == asyncio.run(run())


def test_after_a_loss_it_grows_by_one_a_round() -> None:
    async def run() -> tuple[int, int]:
        window = Window()
        window.lost()
        halved = window.limit
        for _ in range(halved):
            window.answered()
        return halved, window.limit

    halved, after_a_round = asyncio.run(run())

    assert (START // 2, START // 2 + 1) == (halved, after_a_round)


def busy_above(limit: int) -> tuple[FaultyDns, list[int]]:
    """Return a resolver that refuses the first questions past a number, as dnsmasq does."""
    seen: list[int] = []

    def behave(query: Query) -> list[bytes]:
        seen.append(query.count)
        if query.count >= limit and query.count < 2 * limit:
            return [query.reply(rcode=dns.rcode.REFUSED)]
        return [query.reply(f"{query.name}. 60 IN A 192.0.2.1")]

    return FaultyDns(behave), seen


def test_a_resolver_that_is_too_busy_is_asked_again_later() -> None:
    server, seen = busy_above(60)

    async def run() -> set[LookupStatus]:
        async with server, open_resolver(nameservers=[server.address]) as resolver:
            questions = [(f"{number}.example", "A") for number in range(120)]
            return {lookup.status for lookup in await resolver.lookup_all(questions)}

    assert {LookupStatus.FOUND} == asyncio.run(run())
    assert 180 == len(seen)


def test_one_that_refuses_a_single_question_is_believed_at_once() -> None:
    server, seen = busy_above(1)

    async def run() -> LookupStatus:
        async with server, open_resolver(nameservers=[server.address]) as resolver:
            await resolver.lookup("a.example", "A")
            return (await resolver.lookup("b.example", "A")).status

    assert LookupStatus.SERVFAIL == asyncio.run(run())
    assert 2 == len(seen)
