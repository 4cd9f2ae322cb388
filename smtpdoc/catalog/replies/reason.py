"""How a reason is written: the advice that every reply with this cause shares."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import Source, rfc

MINUTE, HOUR, DAY = 60, 3600, 86400

#: What an ordinary queue does: growing intervals, up to five days (RFC 5321 section 4.5.4.1).
QUEUE_S = (5 * MINUTE, 30 * MINUTE, 2 * HOUR)
#: After a 421: the server closed the connection, often because of load or a limit.
CLOSED_S = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
#: Where haste makes it worse: full mailboxes, limits that count days.
SLOW_S = (HOUR, 6 * HOUR, DAY)
#: Greylisting opens after 5 to 15 minutes (RFC 6647 section 5).
GREY_S = (5 * MINUTE, 10 * MINUTE, 15 * MINUTE, HOUR)

QUEUE_LIFE_S = 5 * DAY


@dataclass(frozen=True, slots=True)
class Reason:
    """One class of the taxonomy, with advice.

    `action_4yz` replaces `action` when the reply's first digit is 4; None means that it stays. `schedule_s` is used
    when the action is to retry; empty means the schedule of the reply code. `steps_4yz` and `steps_5yz` stand for
    `steps` where the first digit changes what to do: after a 5yz no queue tries again. Steps, causes and commands may hold
    places like {domain} (see `explain.PLACES`).
    """

    name: str
    title: str
    meaning: str
    causes: tuple[str, ...]
    steps: tuple[str, ...]
    who: Who
    action: str
    action_4yz: str | None = None
    schedule_s: tuple[int, ...] = ()
    give_up_s: int = QUEUE_LIFE_S
    commands: tuple[str, ...] = ()
    steps_4yz: tuple[str, ...] = ()
    steps_5yz: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


GOOGLE_GUIDELINES = Source("Google: Email sender guidelines", url="https://support.google.com/a/answer/81126")
GOOGLE_CODES = Source("Google: Gmail SMTP errors and codes", url="https://support.google.com/a/answer/3726730")
YAHOO_PRACTICES = Source("Yahoo: Sender best practices", url="https://senders.yahooinc.com/best-practices/")
REPLY_CODES = rfc(5321, "4.2.3")
RETRYING = rfc(5321, "4.5.4.1")
