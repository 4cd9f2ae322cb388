"""What `explain` answers to a name of the catalog: a code, reason, provider, entry or finding, or the whole list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smtpdoc.api.clock import Clock
from smtpdoc.catalog import browse
from smtpdoc.catalog.advice import fill
from smtpdoc.catalog.checks.reply import checks
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies.reason import Reason
from smtpdoc.catalog.replies.reasons import REASONS, UNKNOWN, retry_for
from smtpdoc.errors import TargetError
from smtpdoc.evidence.catalog_page import UNLISTED, CatalogPage, CatalogRow
from smtpdoc.evidence.explanation import Confidence, ExplainEvidence, Explanation
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply import Reply, ReplyParseError, parse_reply
from smtpdoc.report import Report, Section

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog


def look_up(
    words: str,
    *,
    stage: str | None = None,
    provider: str | None = None,
    catalog: UserCatalog | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Explain a reply, or what the catalog holds under a name; raise TargetError for words that are neither."""
    clock = Clock()
    try:
        found = browse.lookup(words, stage=stage, provider=provider, catalog=catalog)
    except ReplyParseError:
        raise TargetError(
            f"there is no SMTP reply in {words[:80]!r}. Paste what the server said, such as: 550 5.1.1 User unknown"
        ) from None
    evidence = _evidence(words, found)
    return clock.report("explain", words, evidence, (Section("reply", checks.run(evidence)),), fail_on, ignore)


def catalog_list(
    *,
    provider: str | None = None,
    reason: str | None = None,
    code: str | None = None,
    catalog: UserCatalog | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Return the catalog's entries that fit all filters; raise TargetError for a filter that names nothing."""
    clock = Clock()
    provider = None if provider is None else provider_id(provider, catalog)
    if reason is not None and reason not in REASONS:
        raise TargetError(_unknown_name(reason, browse.suggestions(reason)))
    rows = _rows(browse.all_entries(provider, reason, code, catalog))
    wanted = " ".join(part for part in (provider, reason, code) if part)
    page = CatalogPage("list", wanted or "catalog", f"{len(rows)} entries", rows)
    return clock.report("explain", "--list", ExplainEvidence(wanted, None, page), (), fail_on, ignore)


def provider_id(name: str, catalog: UserCatalog | None = None) -> str:
    """Return the catalog's name for a provider ("Google" is "gmail"); raise TargetError for an unknown one."""
    known = browse.provider_named(name, catalog)
    if known is None:
        raise TargetError(_unknown_name(name, browse.suggestions(name)))
    return known


def _evidence(words: str, found: browse.Page) -> ExplainEvidence:
    match found:
        case browse.ReplyExplanation(explanation):
            return ExplainEvidence(words, explanation)
        case browse.CodePage(code, entry, uses, explanation):
            title = entry.title if entry is not None else UNLISTED
            return ExplainEvidence(words, explanation, CatalogPage("code", code, title, _rows(uses, code)))
        case browse.ReasonPage(reason, entries):
            page = CatalogPage("reason", reason.name, reason.title, _rows(entries))
            return ExplainEvidence(words, _of_reason(reason, None), page)
        case browse.EntryPage(entry, reason):
            page = CatalogPage("entry", entry.id, entry.title, _rows((entry,)))
            return ExplainEvidence(words, _of_reason(reason, entry), page)
        case browse.ProviderPage(_, name, entries):
            return ExplainEvidence(words, None, CatalogPage("provider", name, f"replies of {name}", _rows(entries)))
        case browse.FindingPage(finding):
            page = CatalogPage("finding", finding.id, finding.title, finding=finding)
            return ExplainEvidence(words, None, page)
        case browse.NothingFound(name, suggestions):
            raise TargetError(_unknown_name(name, suggestions))


def _unknown_name(name: str, suggestions: Sequence[str]) -> str:
    meant = f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
    return (
        f"the catalog has nothing called {printable(name)!r}.{meant} "
        "Paste a whole reply, or see all names with: smtpdoc explain --list"
    )


def _rows(entries: Sequence[ReplyEntry], code: str = "") -> tuple[CatalogRow, ...]:
    return tuple(_row(entry, code) for entry in entries)


def _row(entry: ReplyEntry, wanted: str) -> CatalogRow:
    """Return an entry as a row; the codes that it leaves open are those of the example that has the wanted one."""
    examples = [parse_reply(text) for text in (entry.example, *entry.examples) if text]
    fitting = [reply for reply in examples if wanted in (str(reply.code), reply.enhanced)] or examples
    code = int(wanted) if wanted.isdigit() else entry.code
    enhanced = wanted if "." in wanted and "X" not in wanted else entry.enhanced
    if fitting:
        code, enhanced = code or fitting[0].code, enhanced or fitting[0].enhanced
    return CatalogRow(entry.id, entry.reason, fill((entry.title,), {})[0], entry.provider, code, enhanced)


def _of_reason(reason: Reason, entry: ReplyEntry | None) -> Explanation:
    """Return a reason's advice, or an entry's with the reason's behind it, as if a reply had been given."""
    action = (entry and entry.action) or reason.action
    steps = (entry and entry.steps) or reason.steps
    causes = (entry and entry.causes) or reason.causes
    commands = (entry and entry.commands) or reason.commands
    return Explanation(
        reply=Reply(None, None, ((entry.example if entry else "") or reason.name,), ""),
        reply_class=None,
        reason=None if reason.name == UNKNOWN else reason.name,
        provider=entry.provider if entry else None,
        action=action,
        retry=(entry and entry.retry) or retry_for(reason, action, entry.code if entry else None),
        who=(entry and entry.who) or reason.who,
        confidence=Confidence.EXACT,
        title=fill((entry.title if entry else reason.title,), {})[0],
        meaning=fill(((entry and entry.meaning) or reason.meaning,), {})[0],
        causes=fill(causes, {}),
        steps=fill(steps, {}),
        commands=fill(commands, {}, command=True),
        entries=(entry.id if entry else reason.name,),
        sources=(entry and entry.sources) or reason.sources,
    )
