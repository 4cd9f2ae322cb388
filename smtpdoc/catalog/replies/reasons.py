"""The taxonomy of reasons: 41 classes and `unknown`, each with its advice."""

from __future__ import annotations

from smtpdoc.catalog.replies.reason import CLOSED_S, QUEUE_S, SLOW_S, Reason
from smtpdoc.catalog.replies.reasons_message import CONTENT, VOLUME
from smtpdoc.catalog.replies.reasons_recipient import RECIPIENT, ROUTE
from smtpdoc.catalog.replies.reasons_sender import AUTHENTICATION, HOST, SENDER
from smtpdoc.catalog.replies.reasons_server import ACCESS, OUTCOME, SERVER
from smtpdoc.evidence.explanation import Retry

#: All reasons by name, in the order in which they are listed.
REASONS: dict[str, Reason] = {
    reason.name: reason
    for group in (RECIPIENT, ROUTE, SENDER, AUTHENTICATION, HOST, VOLUME, CONTENT, ACCESS, SERVER, OUTCOME)
    for reason in group
}

UNKNOWN = "unknown"

#: What a reader can do, in the words of the JSON contract.
ACTIONS = (
    "retry",
    "retry-slow",
    "suppress",
    "fix-config",
    "fix-auth-dns",
    "fix-message",
    "fix-credentials",
    "delist",
    "contact-postmaster",
    "none",
)

#: Without a code these are our own queue's words about a server, and it tries again.
_OWN_WORDS = frozenset(("tls-failed",))

NO_RETRY = Retry(False)


def action_for(reason: Reason, first_digit: str | None) -> str:
    """Return the action of a reason for a reply with this first digit."""
    if first_digit is None and reason.name in _OWN_WORDS:
        first_digit = "4"
    return reason.action_4yz if first_digit == "4" and reason.action_4yz else reason.action


def retry_for(reason: Reason, action: str, code: int | None, wait_s: int | None = None) -> Retry:
    """Return when to try again; `wait_s` is what the server itself asked for.

    A 5yz ended the attempt: then the schedule is for sending the message anew.
    """
    if action not in ("retry", "retry-slow"):
        return NO_RETRY
    if reason.schedule_s:
        schedule = reason.schedule_s
    elif action == "retry-slow" and code is not None and code >= 500:
        schedule = SLOW_S
    else:
        schedule = CLOSED_S if code == 421 or action == "retry-slow" else QUEUE_S
    if wait_s is not None and 0 < wait_s <= reason.give_up_s:
        schedule = (wait_s, *(delay for delay in schedule if delay > wait_s))
    return Retry(True, schedule, reason.give_up_s)
