"""What a session came to, in one word."""

from __future__ import annotations

from collections.abc import Sequence

from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus

# Skipped stages that leave a question open which the user had asked.
_NO_VERDICT = frozenset(
    {"unsafe", "auth-not-offered", "mechanism-not-offered", "smtputf8-not-offered", "message-not-sent"}
)


def outcome(exchanges: Sequence[Exchange], *, over: bool = True) -> StageStatus:
    """Return the worst that the stages came to; the last try of a stage counts, and QUIT and mere questions never do.

    A refusal is a verdict and beats a failure, which is none; a deferral is less than both. A session that is not
    `over` was interrupted: that it was well so far is no verdict either.
    """
    last: dict[tuple[Stage, str | None], Exchange] = {}
    for exchange in exchanges:
        if exchange.decides:
            last[exchange.stage, exchange.recipient] = exchange
    seen = {exchange.status for exchange in last.values()}
    seen |= {StageStatus.FAILED for one in last.values() if one.failure and one.failure.word in _NO_VERDICT}
    if not over:
        seen.add(StageStatus.FAILED)
    worst = (StageStatus.REFUSED, StageStatus.FAILED, StageStatus.DEFERRED)
    return next((status for status in worst if status in seen), StageStatus.OK)
