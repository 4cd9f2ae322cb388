"""From a reply to what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpdoc.catalog.advice import fill, values
from smtpdoc.catalog.matching import Verdict, first_digit, judge
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies.basic import CLASSES
from smtpdoc.catalog.replies.enhanced import enhanced_entry
from smtpdoc.catalog.replies.reason import Reason
from smtpdoc.catalog.replies.reasons import NO_RETRY, REASONS, UNKNOWN, action_for, retry_for
from smtpdoc.evidence.explanation import Confidence, Explanation, Who
from smtpdoc.findings import Fact
from smtpdoc.grammar.reply import Reply
from smtpdoc.grammar.reply_facts import read_facts

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog

#: Answers to longer texts are not kept: logs do not repeat them, and a stranger could fill the memory with them.
_KEPT_CHARS = 4096


def match(reply: Reply, provider: str | None = None) -> tuple[ReplyEntry, ...]:
    """Return the catalog entries that explain a reply, most specific first.

    Never empty: the first digit always has a meaning (RFC 5321 section 4.2.1), and a text without one gets
    `reply.unknown`. `provider` is a hint: who is known to have written it.
    """
    return judge(reply, provider).entries


def explain(
    reply: Reply, *, stage: str | None = None, provider: str | None = None, catalog: UserCatalog | None = None
) -> Explanation:
    """Return what a reply means and what to do.

    `stage` is where in the session it came (a Stage name); `provider` says whose reply it is, if known; `catalog` are
    the user's own entries.
    """
    answer = _explain.__wrapped__ if len(reply.text) > _KEPT_CHARS else _explain
    return answer(reply, stage, provider, catalog)


@lru_cache(maxsize=2048)  # logs repeat themselves: the same reply gets the same answer
def _explain(reply: Reply, stage: str | None, provider: str | None, catalog: UserCatalog | None) -> Explanation:
    verdict = judge(reply, provider, catalog)
    matched = verdict.speaker or verdict.entries[0]
    entry = _about_sender(matched, stage or reply.answers) if not verdict.own else matched
    reason = REASONS[entry.reason]
    facts = read_facts(reply.text, reply.remote_host)
    found = values(facts, reason.name)
    digit = first_digit(reply)
    if reply.positive and not verdict.own:
        return _accepted(reply, stage, verdict, MappingProxyType(dict(facts.items())), found)
    code_only = verdict.confidence in (Confidence.CODE, Confidence.CLASS) and reason.name != UNKNOWN and not verdict.own
    action = entry.action or action_for(reason, digit)
    return Explanation(
        reply=reply,
        reply_class=CLASSES[digit][0] if digit else None,
        reason=None if reason.name == UNKNOWN else reason.name,
        provider=verdict.provider,
        action=action,
        retry=entry.retry or retry_for(reason, action, reply.code, facts.retry_after_s),
        who=entry.who or reason.who,
        confidence=verdict.confidence,
        title=fill((entry.title,), found)[0] if verdict.own else _title(entry, reason, code_only, digit, found),
        meaning=reason.meaning if code_only else fill((entry.meaning or reason.meaning,), found)[0],
        causes=fill(entry.causes or reason.causes, found),
        steps=fill(entry.steps or _steps(reason, digit), found),
        commands=fill(entry.commands or reason.commands, found, command=True),
        entries=tuple(entry.id for entry in verdict.entries),
        sources=entry.sources or reason.sources,
        facts=MappingProxyType(dict(facts.items())),
        notes=_notes(reply, verdict, reason) if entry is matched else (_AT_MAIL_NOTE,),
    )


#: What a refusal of an address means when the sender's is the only one that the server knows so far.
_AT_MAIL = {
    "user-unknown": "sender-invalid",
    "bad-domain": "sender-invalid",
    "mailbox-disabled": "sender-blocked",
    "recipient-refused": "sender-blocked",
}
_AT_MAIL_NOTE = (
    "This answered MAIL FROM, before any recipient was named (RFC 5321 section 3.3): it is about the sender's address."
)


def _about_sender(entry: ReplyEntry, stage: str | None) -> ReplyEntry:
    """Return the entry, or at MAIL FROM one that says of the sender's address what this one says of a recipient's."""
    if stage != "mail" or entry.reason not in _AT_MAIL:
        return entry
    reason = REASONS[_AT_MAIL[entry.reason]]
    return ReplyEntry(entry.id, reason.name, reason.title, "")


def _title(entry: ReplyEntry, reason: Reason, code_only: bool, digit: str | None, found: dict[str, str]) -> str:
    """Return the headline; where only codes are known it is the reason's, or says that there is none."""
    if reason.name == UNKNOWN and digit is not None and not entry.text:
        return (
            "Refused for now, and the reply does not say why"
            if digit == "4"
            else "Refused, and the reply does not say why"
        )
    return reason.title if code_only else fill((entry.title,), found)[0]


def _steps(reason: Reason, digit: str | None) -> tuple[str, ...]:
    return {"4": reason.steps_4yz, "5": reason.steps_5yz}.get(digit or "") or reason.steps


def _accepted(
    reply: Reply, stage: str | None, verdict: Verdict, facts: Mapping[str, Fact], found: dict[str, str]
) -> Explanation:
    """Return the explanation of a 2yz or 3yz reply."""
    from smtpdoc.catalog.success import explain_success  # refusals are what start-up is measured with

    success = explain_success(reply, stage)
    digit = first_digit(reply) or "2"
    return Explanation(
        reply=reply,
        reply_class=CLASSES[digit][0],
        reason=success.reason,
        provider=verdict.provider,
        action="none",
        retry=NO_RETRY,
        who=Who.NOBODY,
        confidence=verdict.confidence,
        title=success.title,
        meaning=success.meaning,
        causes=(),
        steps=fill(success.steps, found),
        commands=(),
        entries=tuple(entry.id for entry in verdict.entries),
        sources=REASONS[success.reason].sources,
        facts=facts,
        notes=_notes(reply, verdict, REASONS[success.reason]),
    )


#: Causes that no waiting removes, and causes that time removes.
_LASTING = frozenset(
    (
        "user-unknown", "mailbox-disabled", "recipient-moved", "bad-address", "bad-domain", "sender-invalid",
        "spf-fail", "dkim-fail", "dmarc-fail", "unauthenticated", "no-ptr", "bad-helo", "ip-blocklisted",
        "domain-blocklisted", "relay-denied", "auth-required", "tls-required", "message-too-big", "virus",
    )
)  # fmt: skip
_PASSING = frozenset(("rate-limited", "sender-quota", "greylisted", "server-unavailable"))
#: Causes that make an address worthless. A code of these with a text of others, or the other way round, misleads
#: whoever keeps lists by codes; all other differences between a code's title and a text are shades.
_DEAD_ADDRESS = frozenset(("user-unknown", "mailbox-disabled", "recipient-moved", "bad-domain"))


def _notes(reply: Reply, verdict: Verdict, reason: Reason) -> tuple[str, ...]:
    """Return sentences about doubts: codes against codes, the text against its codes."""
    notes = []
    code, enhanced = reply.code, reply.enhanced
    if "mixed-codes" in reply.faults:
        notes.append(
            "The lines of this reply have different reply codes; one reply has one code (RFC 5321 section 4.2.1)."
        )
    if code is not None and enhanced and str(code)[0] != enhanced[0]:
        notes.append(
            f"The codes disagree: {code} and {enhanced} begin with different digits. Mail servers act on {code}."
        )
    if reply.positive:
        return tuple(notes)
    by_text = verdict.confidence in (Confidence.EXACT, Confidence.PATTERN)
    registered = enhanced_entry(enhanced) if enhanced else None
    if (
        enhanced
        and by_text
        and registered
        and registered.reason != UNKNOWN
        and (registered.reason in _DEAD_ADDRESS) is not (reason.name in _DEAD_ADDRESS)
        and not enhanced.endswith(".0")
    ):
        notes.append(
            f"{enhanced} officially means “{registered.title}”. The text says something else, and the text counts."
        )
    if code is not None and reply.temporary and reason.name in _LASTING:
        notes.append(
            f"{code} asks to try again, but this does not pass by itself: without a change each try ends the same."
        )
    if code is not None and reply.permanent and reason.name in _PASSING:
        notes.append(
            f"{code} ends this attempt, so no queue tries again; the cause passes, and a new message can get through."
        )
    if verdict.confidence is Confidence.CODE and reply.text:
        notes.append("Only the codes decided: the words of this reply are not in the catalog.")
    return tuple(notes)
