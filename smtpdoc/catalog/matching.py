"""Which entries of the catalog fit a reply, and which of them decides.

Who decides, first to last: an entry for this text of a provider, a phrase, the enhanced code, the reply code, the
first digit. Text beats codes, and a quoted inner reply beats what stands around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smtpdoc.catalog import providers
from smtpdoc.catalog.authors import Author, author_of, related, writer
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.quoting import inner_reply, mask
from smtpdoc.catalog.replies import MODULES, PHRASES, code_rows, entries_of, indexes
from smtpdoc.catalog.replies.basic import basic_entry, class_entry
from smtpdoc.catalog.replies.enhanced import enhanced_entry
from smtpdoc.catalog.replies.index import MAX_CHARS, Hit
from smtpdoc.catalog.replies.reasons import REASONS, UNKNOWN
from smtpdoc.evidence.explanation import Confidence
from smtpdoc.findings import rfc
from smtpdoc.grammar.reply import Reply

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog

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
    """What matched: the entries, most specific first, who wrote the reply, and which kind of entry decided.

    `own`: the first entry is the user's. `speaker`: an entry to quote instead of the first one, whose words anybody
    may use, so that nobody is named who may have nothing to do with the reply.
    """

    entries: tuple[ReplyEntry, ...]
    provider: str | None
    confidence: Confidence
    own: bool = False
    speaker: ReplyEntry | None = None


def judge(reply: Reply, provider: str | None = None, catalog: UserCatalog | None = None) -> Verdict:
    """Find the entries for a reply and say which kind of them decided.

    The user's `catalog` comes first: its words before all words, its codes before all codes.
    """
    if catalog is None:
        return _judge(reply, provider, None)
    text = " ".join(reply.text.split())
    found = catalog.by_text(text, reply.code, reply.enhanced, positive=reply.positive)
    verdict = _judge(reply, provider, catalog)
    if found is None and verdict.confidence in (Confidence.CODE, Confidence.CLASS):
        found = catalog.by_codes(reply.code, reply.enhanced, positive=reply.positive)
    if found is not None:
        return Verdict((found, *verdict.entries), found.provider or verdict.provider, Confidence.EXACT, own=True)
    first = verdict.entries[0]
    if first in catalog:
        return Verdict(verdict.entries, verdict.provider, verdict.confidence, own=True)
    return verdict


def _judge(reply: Reply, provider: str | None, catalog: UserCatalog | None) -> Verdict:
    codes = _by_codes(reply, catalog)
    text = " ".join(reply.text.split())[:MAX_CHARS]
    author = author_of(reply, text, provider)
    if reply.positive:
        accepted = [found.entry for found in _provider_entries(text, reply, author, catalog)[:1]] if text else []
        said_by = writer(author, accepted[0].provider if accepted else None)
        return Verdict((*accepted, *codes), said_by, Confidence.EXACT if accepted else Confidence.CODE)
    exact: list[_Found] = []
    phrase: ReplyEntry | None = None
    if text:
        exact, phrase = _provider_entries(text, reply, author, catalog), first_phrase(text, reply, catalog)
        inner = inner_reply(text)
        if inner is not None:
            exact, phrase = _prefer_inner(inner, reply, author, exact, phrase, catalog)
    exact = exact or _by_provider_codes(reply, author, bool(text), catalog)
    if exact:
        first = exact[0]
        entries = (*(found.entry for found in exact[: 1 + _MORE]), *((phrase,) if phrase else ()), *codes)
        if first.names_its_author:
            return Verdict(entries, writer(author, first.entry.provider), Confidence.EXACT)
        speaker = phrase if phrase and phrase.reason == first.entry.reason else _of_nobody(first.entry)
        return Verdict(entries, writer(author), Confidence.PATTERN, speaker=speaker)
    if phrase:
        return Verdict((phrase, *codes), writer(author), Confidence.PATTERN)
    decided = Confidence.CLASS if codes[0].reason == UNKNOWN or codes[0].id.endswith("yz") else Confidence.CODE
    return Verdict(codes, writer(author), decided)


def first_digit(reply: Reply) -> str | None:
    """Return the digit that says success or failure: the reply code's, or else the enhanced code's."""
    if reply.code is not None:
        return str(reply.code)[0]
    return reply.enhanced[0] if reply.enhanced else None


def _of_nobody(entry: ReplyEntry) -> ReplyEntry:
    """Return an entry that says of a reply only what its reason says."""
    return ReplyEntry(entry.id, entry.reason, REASONS[entry.reason].title, "", action=entry.action, retry=entry.retry)


def _prefer_inner(
    inner: str,
    reply: Reply,
    author: Author,
    exact: list[_Found],
    phrase: ReplyEntry | None,
    catalog: UserCatalog | None,
) -> tuple[list[_Found], ReplyEntry | None]:
    """Let the quoted reply decide when it says something else than the reply around it."""
    outer = exact[0].entry if exact else phrase
    exact_inner = _provider_entries(inner, reply, author, catalog)
    phrase_inner = first_phrase(inner, reply, catalog)
    found = exact_inner[0].entry if exact_inner else phrase_inner
    if found is None or (outer is not None and outer.reason == found.reason):
        return exact, phrase
    return exact_inner, phrase_inner or phrase


def _entry(module: str, number: int, catalog: UserCatalog | None) -> ReplyEntry | None:
    """Return an entry of the catalog, or what the user put in its place (None: nothing)."""
    entry = entries_of(module)[number]
    return entry if catalog is None else catalog.instead_of(entry)


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry that fits, and whether the words that matched tell who wrote them."""

    entry: ReplyEntry
    names_its_author: bool = True


def _provider_entries(text: str, reply: Reply, author: Author, catalog: UserCatalog | None) -> list[_Found]:
    """Return the provider entries whose pattern and codes fit, best first."""
    # Per module the entry with the fewest codes that the reply leaves open, then the module's own order.
    fitting: dict[int, tuple[int, float, _Found]] = {}
    near: dict[int, tuple[int, float, _Found]] = {}
    for hit in indexes()[0].search(text, text.lower()):
        entry = _entry(MODULES[hit.module], hit.entry, catalog)
        if entry is None or (entry.reason == "ok") is not reply.positive or author.cannot_be(entry.provider):
            continue
        codes = _codes(entry, reply)
        score = _score(hit, entry, author, codes, len(text))
        target = fitting
        if not codes.fit:
            # The same words under another code: worth having from the provider that the text names, or if long.
            anybody = providers.kind(entry.provider) in (providers.LIST, providers.SERVER)
            if not related(entry.provider, author.name) and not (anybody and hit.length >= _LONG):
                continue
            target = near
        known = target.get(hit.module)
        if known is None or codes.open < known[0] or (known[2].entry is entry and score > known[1]):
            target[hit.module] = (codes.open, score, _Found(entry, _names(hit, entry, author, reply, codes)))
    ranked = sorted((fitting or near).items(), key=lambda item: (-item[1][1], item[0]))
    return [found for _, (_, score, found) in ranked if score > -10]


def _names(hit: Hit, entry: ReplyEntry, author: Author, reply: Reply, codes: _Codes) -> bool:
    """Tell whether words that matched are so much one provider's own that they name it."""
    kind = providers.kind(entry.provider)
    if kind in (providers.FILTER, providers.LIST) or related(entry.provider, author.name) or codes.agree >= _OWN_CODE:
        return True
    if related(entry.provider, "microsoft365") and reply.enhanced and len(reply.enhanced.rpartition(".")[2]) > 2:
        return True  # details of three digits are Microsoft's
    own = kind == providers.RECEIVER or entry.provider in _RARE
    # Each code that the entry has and the reply lacks asks for more words.
    if hit.length >= (_OWN_WORDS if own else _SOFTWARE_WORDS) + (15 * codes.open if own else 0):
        return True
    # A whole reply word for word, and no code missing that it should have.
    whole = codes.open == 0 and hit.length >= 0.85 * len(reply.text)
    return whole and (hit.length >= _RARE_WORDS or codes.agree > 0 or entry.provider not in _RARE)


@dataclass(frozen=True, slots=True)
class _Codes:
    """How an entry's codes meet a reply's: whether they allow it, how much agrees, how many the reply leaves open."""

    fit: bool
    agree: int = 0
    open: int = 0


def _codes(entry: ReplyEntry, reply: Reply) -> _Codes:
    agree = unknown = 0
    if entry.code is not None or entry.codes:
        if reply.code is None:
            unknown += 1
        elif reply.code == entry.code or reply.code in entry.codes:
            agree += 12
        else:
            return _Codes(False)
    if entry.enhanced is not None:
        if reply.enhanced is None:
            unknown += 1
        elif _same(entry.enhanced, reply.enhanced):
            # Three-digit details are Microsoft's own; the registry's are everybody's.
            agree += 60 if len(reply.enhanced.rpartition(".")[2]) > 2 else 12
        else:
            return _Codes(False)
    return _Codes(True, agree, unknown)


#: Words shorter than this fit by chance, unless they are nearly the whole text.
_TELLING = 10
#: Words as long as this mean the same under another code.
_LONG = 30

#: Words as long as this are one provider's own, where nothing else names it.
_OWN_WORDS = 26
#: The words of the usual server software are known everywhere: less of them tells.
_SOFTWARE_WORDS = 20
#: Software whose short words are more often somebody else's.
_RARE = frozenset(("mox", "stalwart", "james", "dovecot", "courier", "haraka", "opensmtpd"))
#: As a whole reply so much is enough, even of such software.
_RARE_WORDS = 24
#: So much agreement only a code that nobody else has gives.
_OWN_CODE = 60

_OWN_MARK = {providers.RECEIVER: 100, providers.FILTER: 50, providers.LIST: 0, providers.SERVER: 0}


def _score(hit: Hit, entry: ReplyEntry, author: Author, codes: _Codes, size: int) -> float:
    """Rate a match: long ones beat short ones, and a receiver that the text names beats all others."""
    score = float(min(hit.length, 80) + codes.agree + 4 * hit.anchored - 15 * codes.open)
    if MODULES[hit.module] == "dnsbl_errors":
        return score + 500  # a list's error answer names the list too; it must not pass for a listing
    kind = providers.kind(entry.provider)
    if author.name is not None and related(entry.provider, author.name):
        return score + _OWN_MARK[kind]
    if kind in (providers.LIST, providers.SERVER):
        return score
    if author.name is not None and providers.kind(author.name) == providers.RECEIVER:
        return score - 60  # another receiver's words, met by chance
    if hit.length < _TELLING and hit.length < 0.7 * size:
        return score - 60  # a few plain words inside a text do not make a provider
    return score - 10 - 25 * codes.open


def first_phrase(text: str, reply: Reply, catalog: UserCatalog | None = None) -> ReplyEntry | None:
    """Return the first phrase that fits: their order is their rank."""
    masked = mask(text)
    for hit in indexes()[1].search(masked, masked.lower()):
        entry = _entry(PHRASES, hit.entry, catalog)
        if entry is not None and _phrase_fits(entry, reply):
            return entry
    return None


#: Codes that answer AUTH only (RFC 4954 section 6): "account disabled" is about the login there.
_AT_LOGIN = frozenset((534, 535, 538))
_MAILBOX = frozenset(("user-unknown", "mailbox-disabled", "mailbox-full", "sender-blocked", "client-refused", "policy"))


def _phrase_fits(entry: ReplyEntry, reply: Reply) -> bool:
    """Tell whether a phrase's codes allow this reply: unlike a provider's, they have to be there."""
    if entry.codes and reply.code not in entry.codes:
        return False
    if reply.code in _AT_LOGIN and entry.reason in _MAILBOX:
        return False
    if entry.enhanced is None:
        return True
    return reply.enhanced is not None and reply.enhanced[1:] == entry.enhanced[1:]


def _by_provider_codes(reply: Reply, author: Author, has_text: bool, catalog: UserCatalog | None) -> list[_Found]:
    """Return entries that a provider's code alone decides, for a known provider or a code that is its own."""
    found = []
    name = author.name
    for provider, codes, enhanced, module, number in code_rows():
        if name is None and has_text and reply.enhanced is None:
            continue
        if name is not None and provider != name:
            continue
        if enhanced is None and name is None:
            continue
        if codes and reply.code is not None and reply.code not in codes:
            continue
        if enhanced is not None and (reply.enhanced is None or not _same(enhanced, reply.enhanced)):
            continue
        if name is None and enhanced_entry(reply.enhanced or "") is not None:
            continue
        entry = _entry(MODULES[module], number, catalog)
        if entry is not None:
            found.append(_Found(entry))
    return found


def _same(wanted: str, found: str) -> bool:
    return wanted == found or (wanted[0] == "X" and wanted[1:] == found[1:])


def _by_codes(reply: Reply, catalog: UserCatalog | None) -> tuple[ReplyEntry, ...]:
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
    if catalog is not None:
        # A code keeps its place even when the user gave it other codes: there is no reply without an entry.
        return tuple(catalog.instead_of(entry) or entry for entry in found)
    return tuple(found)
