"""The same session many times: does it always end alike?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import StageStatus
from smtpdoc.evidence.timings import Ended, Timings
from smtpdoc.findings import Level, rfc

checks = CheckSet[Timings]("smtp")

_STATUS_WORDS = {
    StageStatus.OK: "well",
    StageStatus.REFUSED: "refused",
    StageStatus.DEFERRED: "put off",
    StageStatus.FAILED: "without an answer",
    StageStatus.SKIPPED: "early",
}


@checks.add(
    "turned-away",
    title="The server turned some of the sessions away",
    level=Level.WARNING,
    why="421 means that the server closes the connection: too many connections from here, a limit on their rate, or it is "
    "about to go down. Mail is delayed until the sender comes again.",
    fix="Ask less often and with fewer connections at once; at your own server look at its limits for clients.",
    sources=(rfc(5321, "3.8"),),
)
def turned_away(timings: Timings) -> Iterator[Detail]:
    if timings.turned_away:
        first = min(one.first for one in timings.ended if one.code == 421)
        yield Detail(
            f"{timings.turned_away} of {timings.done} sessions ended with 421, the first of them was session {first}, "
            f"with {timings.interval_s:g} s between two",
            count=timings.turned_away,
            sessions=timings.done,
            first=first,
        )


@checks.add(
    "outcomes-differ",
    title="The same session does not always end alike",
    level=Level.WARNING,
    why="Trouble that comes and goes: a limit, one of several servers behind the name, or a service that the server asks.",
    fix="Look at how those sessions end that are not like the others; their transcripts are in --transcript FILE.",
)
def outcomes_differ(timings: Timings) -> Iterator[Detail]:
    if len(timings.ended) > 1:
        told = ", ".join(f"{one.count} {ended_words(one)}" for one in timings.ended)
        yield Detail(f"of {timings.done} sessions ended {told}", sessions=timings.done)


@checks.add(
    "repeat-stopped",
    title="The login was not repeated",
    level=Level.INFO,
    why="Servers count failed logins and lock accounts, so the first one that is not accepted is the last one tried.",
    fix="Find out about this login first; then repeat.",
)
def repeat_stopped(timings: Timings) -> Iterator[Detail]:
    if timings.stopped == "auth":
        yield Detail(
            f"stopped after session {timings.done} of {timings.asked}: the login was not accepted", done=timings.done
        )


def ended_words(ended: Ended) -> str:
    """Return "put off at RCPT (451)", "well"."""
    words = _STATUS_WORDS[ended.status]
    if ended.stage is not None:
        words += f" at {ended.stage.value.upper()}"
    told = ended.code if ended.code is not None else ended.failure
    return f"{words} ({told})" if told is not None else words


ENTRIES = checks.entries
