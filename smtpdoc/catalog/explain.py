"""From a reply to what it means.

Who decides, first to last: an entry for this text of a provider, a phrase, the enhanced code, the reply code, the
first digit. Text beats codes, a cause beats a symptom, and a quoted inner reply beats what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from smtpdoc.catalog import providers
from smtpdoc.catalog.advice import fill, values
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies import MODULES, branches, code_rows, entries_of
from smtpdoc.catalog.replies.basic import CLASSES, basic_entry, class_entry
from smtpdoc.catalog.replies.enhanced import enhanced_entry
from smtpdoc.catalog.replies.index import MAX_CHARS, Hit, search
from smtpdoc.catalog.replies.reason import Reason
from smtpdoc.catalog.replies.reasons import NO_RETRY, REASONS, UNKNOWN, action_for, retry_for
from smtpdoc.catalog.success import explain_success
from smtpdoc.evidence.explanation import Confidence, Explanation, Who
from smtpdoc.findings import Fact, rfc
from smtpdoc.grammar.reply import Reply
from smtpdoc.grammar.reply_facts import read_facts

#: The entry of a text that nothing in the catalog fits and that has no code.
NOTHING = ReplyEntry(
    "reply.unknown",
    UNKNOWN,
    "No reply code, and no words that we know",
    "The text has no reply code, and nothing in the catalog fits its words.",
    sources=(rfc(5321, "4.2"),),
)

#: Provider entries that are named after the deciding one.
_MORE = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What matched: the entries, most specific first, who wrote the reply, and which kind of entry decided."""

    entries: tuple[ReplyEntry, ...]
    provider: str | None
    confidence: Confidence


def match(reply: Reply, provider: str | None = None) -> tuple[ReplyEntry, ...]:
    """Return the catalog entries that explain a reply, most specific first.

    Never empty: the first digit always has a meaning (RFC 5321 section 4.2.1), and a text without one gets
    `reply.unknown`. `provider` is a hint: who is known to have written it.
    """
    return judge(reply, provider).entries


def explain(reply: Reply, *, stage: str | None = None, provider: str | None = None) -> Explanation:
    """Return what a reply means and what to do.

    `stage` is where in the session it came (a Stage name); `provider` says whose reply it is, if known.
    """
    verdict = judge(reply, provider)
    entry = verdict.entries[0]
    reason = REASONS[entry.reason]
    facts = read_facts(reply.text)
    found = values(facts, reason.name)
    digit = first_digit(reply)
    if reply.positive:
        return _accepted(reply, stage, verdict, dict(facts.items()), found)
    code_only = verdict.confidence in (Confidence.CODE, Confidence.CLASS) and reason.name != UNKNOWN
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
        title=reason.title if code_only else fill((entry.title,), found)[0],
        meaning=reason.meaning if code_only else fill((entry.meaning or reason.meaning,), found)[0],
        causes=fill(entry.causes or reason.causes, found),
        steps=fill(entry.steps or reason.steps, found),
        commands=fill(entry.commands or reason.commands, found, command=True),
        entries=tuple(entry.id for entry in verdict.entries),
        sources=entry.sources or reason.sources,
        facts=dict(facts.items()),
        notes=_notes(reply, verdict, reason),
    )


def first_digit(reply: Reply) -> str | None:
    """Return the digit that says success or failure: the reply code's, or else the enhanced code's."""
    if reply.code is not None:
        return str(reply.code)[0]
    return reply.enhanced[0] if reply.enhanced else None


def judge(reply: Reply, provider: str | None = None) -> Verdict:
    """Find the entries for a reply and say which kind of them decided."""
    codes = _by_codes(reply)
    text = " ".join(reply.text.split())[:MAX_CHARS]
    author = provider or (providers.recognise(text) if text else None)
    if reply.positive:
        return Verdict(codes, author, Confidence.CODE)
    exact: list[ReplyEntry] = []
    phrase: ReplyEntry | None = None
    for part in (*inner_replies(text), text) if text else ():
        exact = _provider_entries(part, reply, author)
        phrase = _phrase(part, reply)
        if exact or phrase:
            break
    if not exact:
        exact = _by_provider_codes(reply, author, bool(text))
    if exact:
        named = exact[0].provider
        known = author is not None and providers.KINDS.get(author, providers.SERVER) < providers.KINDS.get(
            named or "", providers.SERVER
        )
        return Verdict(
            (*exact[: 1 + _MORE], *((phrase,) if phrase else ()), *codes),
            author if named is None or known else named,
            Confidence.EXACT,
        )
    if phrase:
        return Verdict((phrase, *codes), author, Confidence.PATTERN)
    decided = Confidence.CLASS if codes[0].reason == UNKNOWN or codes[0].id.endswith("yz") else Confidence.CODE
    return Verdict(codes, author, decided)


# What stands before a quoted reply inside the text of another one.
_INNER = r"(?:\bsaid:?|->|\breturned\b[^:>]{0,80}[:>]|\bresponded with:?|\bwas:|<<<|^) ?[\"'<]?[2-5][0-9]{2}[ -](?:[245]\.[0-9]\.[0-9]{1,3}\b)? ?"


@cache
def _inner() -> re.Pattern[str]:
    return re.compile(_INNER, re.IGNORECASE)


def inner_replies(text: str) -> tuple[str, ...]:
    """Return the text of the innermost quoted reply, if there is one.

    >>> inner_replies("undeliverable address: host mx.example.net said: 550 5.1.1 User unknown")
    ('User unknown',)
    """
    quoted = list(_inner().finditer(text))
    last = quoted[-1] if quoted else None
    if last is None or last.end() >= len(text) - 2:
        return ()
    return (text[last.end() :].strip(" \"'>"),)


def mask(text: str) -> str:
    """Return the text as phrases see it: no stranger's name or link can look like a word.

    >>> mask("<spam@example.org> blocked, see http://www.spamhaus.org/query/ip/192.0.2.1")
    '<addr#> blocked, see listurl#'
    """
    if "://" in text:
        text = _masks()[0].sub(_mask_url, text)
    if "@" in text:
        text = _masks()[1].sub("addr#", text)
    return _masks()[2].sub("ip#", text) if "." in text else text


@cache
def _masks() -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(r"https?://[^\s<>\"'\])]+", re.IGNORECASE),
        re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,80}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}"),
        re.compile(r"(?<![\w.])(?!127\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]*[0-9])"),
    )


def _mask_url(found: re.Match[str]) -> str:
    url = found[0].lower()
    if any(mark in url for mark in ("dbl", "/query/domain", "surbl", "uribl")) and "dnsbl" not in url:
        return "domainlisturl#"
    lists = ("spamhaus", "spamcop", "sorbs", "barracudanetworks", "dnsbl", "/rbl", "blacklist", "cloudmark", "abuseat")
    return "listurl#" if any(mark in url for mark in lists) else "url#"


def _provider_entries(text: str, reply: Reply, author: str | None) -> list[ReplyEntry]:
    """Return the provider entries whose pattern and codes fit, best first."""
    best: dict[int, tuple[float, ReplyEntry]] = {}
    near: dict[int, tuple[float, ReplyEntry]] = {}
    for hit in search(branches()[0], text, text.lower()):
        entry = entries_of(MODULES[hit.module])[hit.entry]
        fits, known = _codes_fit(entry, reply)
        target = best if fits else near
        score = _score(hit, entry, author) + 12 * known
        # Within a module its own order decides: the first entry that fits.
        if hit.module not in target or target[hit.module][1] is entry:
            target[hit.module] = (max(score, target.get(hit.module, (score, entry))[0]), entry)
    chosen = best or near
    ranked = sorted(chosen.items(), key=lambda item: (-item[1][0], item[0]))
    return [entry for _, (score, entry) in ranked if score > 0]


def _codes_fit(entry: ReplyEntry, reply: Reply) -> tuple[bool, int]:
    """Return whether an entry's codes allow this reply, and how many of them agree."""
    agree = 0
    if (entry.code is not None or entry.codes) and reply.code is not None:
        if reply.code != entry.code and reply.code not in entry.codes:
            return False, 0
        agree += 1
    if entry.enhanced is not None and reply.enhanced is not None:
        wanted, found = entry.enhanced, reply.enhanced
        if wanted != found and not (wanted[0] == "X" and wanted[1:] == found[1:]):
            return False, 0
        agree += 1
    return True, agree


def _score(hit: Hit, entry: ReplyEntry, author: str | None) -> float:
    """Rate a match: long ones beat short ones, and the provider that the text names beats all others."""
    score = float(min(hit.length, 80))
    if MODULES[hit.module] == "dnsbl_errors":
        return score + 500  # a list's error answer names the list too; it must not pass for a listing
    if entry.provider == author:
        return score + 100
    kind = providers.KINDS.get(entry.provider or "", providers.SERVER)
    if author is not None and kind == providers.RECEIVER:
        return score - 60  # another receiver's words, met by chance
    if kind == providers.RECEIVER and hit.length < 24:
        return score - 60  # a few plain words do not make a provider
    return score


def _phrase(text: str, reply: Reply) -> ReplyEntry | None:
    """Return the first phrase that fits: their order is their rank."""
    masked = mask(text)
    entries = entries_of("phrases")
    for hit in search(branches()[1], masked, masked.lower()):
        entry = entries[hit.entry]
        if _phrase_fits(entry, reply):
            return entry
    return None


def _phrase_fits(entry: ReplyEntry, reply: Reply) -> bool:
    """Tell whether a phrase's codes allow this reply: unlike a provider's, they have to be there."""
    if entry.codes and reply.code not in entry.codes:
        return False
    if entry.enhanced is None:
        return True
    return reply.enhanced is not None and reply.enhanced[1:] == entry.enhanced[1:]


def _by_provider_codes(reply: Reply, author: str | None, has_text: bool) -> list[ReplyEntry]:
    """Return entries that a provider's code alone decides, for a known provider or a code that is its own."""
    found = []
    for provider, codes, enhanced, module, number in code_rows():
        if author is None and has_text and reply.enhanced is None:
            continue
        if author is not None and provider != author:
            continue
        if enhanced is None and author is None:
            continue
        if codes and reply.code is not None and reply.code not in codes:
            continue
        if enhanced is not None and (reply.enhanced is None or not _same(enhanced, reply.enhanced)):
            continue
        if author is None and enhanced_entry(reply.enhanced or "") is not None:
            continue
        found.append(entries_of(MODULES[module])[number])
    return found


def _same(wanted: str, found: str) -> bool:
    return wanted == found or (wanted[0] == "X" and wanted[1:] == found[1:])


def _by_codes(reply: Reply) -> tuple[ReplyEntry, ...]:
    """Return the entries of the codes, the more telling first; never empty."""
    found = []
    digit = first_digit(reply)
    if reply.enhanced and (entry := enhanced_entry(reply.enhanced)):
        found.append(entry)
    if reply.code is not None and (basic := basic_entry(reply.code)):
        found.append(basic)
    # An enhanced code that says nothing ("5.7.1") leaves the word to a reply code that does.
    found.sort(key=lambda entry: entry.reason == UNKNOWN)
    if not found:
        found.append(class_entry(digit) if digit else NOTHING)
    return tuple(found)


def _accepted(
    reply: Reply, stage: str | None, verdict: Verdict, facts: Mapping[str, Fact], found: dict[str, str]
) -> Explanation:
    """Return the explanation of a 2yz or 3yz reply."""
    success = explain_success(reply, stage)
    digit = first_digit(reply) or "2"
    return Explanation(
        reply=reply,
        reply_class=CLASSES[digit][0],
        reason="ok",
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
        sources=REASONS["ok"].sources,
        facts=facts,
        notes=_notes(reply, verdict, REASONS["ok"]),
    )


#: Causes that no waiting removes, and causes that time removes.
_LASTING = frozenset(
    (
        "user-unknown", "mailbox-disabled", "recipient-moved", "bad-address", "bad-domain", "sender-invalid",
        "spf-fail", "dkim-fail", "dmarc-fail", "unauthenticated", "no-ptr", "bad-helo", "ip-blocklisted",
        "domain-blocklisted", "relay-denied", "auth-required", "tls-required", "message-too-big", "virus",
    )
)  # fmt: skip
_PASSING = frozenset(("rate-limited", "sender-quota", "greylisted", "mailbox-full", "server-unavailable"))


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
        and registered.reason not in (UNKNOWN, reason.name)
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
    if verdict.confidence is Confidence.CODE:
        notes.append("Only the codes decided: the words of this reply are not in the catalog.")
    return tuple(notes)
