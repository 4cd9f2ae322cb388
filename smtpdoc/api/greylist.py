"""Greylisting: who was put off, how long to wait, and what to ask again (RFC 6647)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from smtpdoc.evidence.smtp import Exchange, Purpose, Stage, StageStatus, Transcript
from smtpdoc.gather.options import ProbeOptions

#: Most servers take a second try after one to five minutes; the tutorials' 300 s suits nearly all of them.
USUAL_WAIT_S = 300.0
#: A server may name any time; nobody watches a terminal for longer than this.
LONGEST_WAIT_S = 3600.0
TICK_S = 1.0
# Clocks and rounding: a second try that is a blink early is put off again, by some servers from the beginning.
_SLACK_S = 1.0
_REASON = "greylisted"


def put_off(exchanges: Sequence[Exchange]) -> tuple[str, ...]:
    """Return the user's recipients that greylisting put off: all of them where it was the sender, and where it was the
    message those too that had been accepted for it."""
    recipients = [one for one in exchanges if one.stage is Stage.RCPT and one.decides and one.recipient]
    stages = {one.stage for one in exchanges if _greylisted(one)}
    if Stage.MAIL in stages:
        return tuple(one.recipient or "" for one in recipients)
    message = not stages.isdisjoint((Stage.DATA, Stage.MESSAGE))
    found = (one for one in recipients if _greylisted(one) or (message and one.status is StageStatus.OK))
    return tuple(one.recipient or "" for one in found)


def _greylisted(exchange: Exchange) -> bool:
    known = exchange.explanation
    return exchange.status is StageStatus.DEFERRED and known is not None and known.reason == _REASON


def hinted_s(exchanges: Sequence[Exchange]) -> float:
    """Return how long to wait: the longest time that a greylisting reply names, at most an hour; else 300 s."""
    found = [
        float(hint)
        for one in exchanges
        if _greylisted(one) and one.explanation is not None
        for hint in (one.explanation.facts.get("retry_after_s"),)
        if isinstance(hint, (int, float)) and hint > 0
    ]
    return min(max(found) + _SLACK_S, LONGEST_WAIT_S) if found else USUAL_WAIT_S


async def wait(seconds: float, progress: Callable[[float], None] | None) -> None:
    """Wait; `progress` is told about once a second how many seconds are left."""
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        if progress is not None:
            progress(left)
        await asyncio.sleep(min(TICK_S, left))


def second_options(
    options: ProbeOptions,
    first: Transcript,
    control_name: str | None,
    recipients: tuple[str, ...],
    exchanges: Sequence[Exchange],
) -> ProbeOptions:
    """Return what the second session asks: the same triplet of client, sender and recipients, under the same name
    (RFC 6647 section 2.3), and nothing that has been answered."""
    controls_wait = any(
        one.purpose is Purpose.CONTROL and one.status in (StageStatus.DEFERRED, StageStatus.SKIPPED)
        for one in exchanges
    )
    return replace(
        options,
        helo=first.helo or options.helo,
        mail_from=options.mail_from if first.mail_from is None else first.mail_from or "<>",
        recipients=recipients,
        source_ip=options.source_ip or first.source_address,
        catch_all=options.catch_all and controls_wait,
        control_name=control_name,
        relay_test=False,
        verify=(),
        expand=(),
    )
