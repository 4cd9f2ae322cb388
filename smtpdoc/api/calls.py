"""explain(), probe() and auth_check(), each returning the Report that the command prints.

The awaitable forms have the same names in `smtpdoc.aio`. Nothing here imports asyncio before it is needed, so that
explaining stays as cheap as reading a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smtpdoc.findings import Level

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog
    from smtpdoc.report import Report
    from smtpdoc.target import Target


def explain(
    text: str,
    *,
    stage: str | None = None,
    provider: str | None = None,
    catalog: UserCatalog | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Explain a reply, however it was pasted.

    `stage` says which command it answered ("rcpt", "auth", ...), `provider` whose reply it is; `catalog` holds entries
    of your own (`load_catalog`). Text without a reply gives a report whose exit code is USAGE and whose evidence has no
    explanation; nothing is raised.
    """
    from smtpdoc.api.clock import Clock
    from smtpdoc.catalog.checks.reply import checks
    from smtpdoc.catalog.explain import explain as explain_reply
    from smtpdoc.evidence.explanation import ExplainEvidence
    from smtpdoc.grammar.reply import ReplyParseError, parse_reply
    from smtpdoc.report import Section

    clock = Clock()
    try:
        explanation = explain_reply(parse_reply(text), stage=stage, provider=provider, catalog=catalog)
    except ReplyParseError:
        explanation = None
    evidence = ExplainEvidence(text, explanation)
    sections = (Section("reply", checks.run(evidence)),)
    return clock.report("explain", text, evidence, sections, fail_on, ignore)


def probe(target: str | Target, **options: Any) -> Report:
    """Talk to a server and report; see `smtpdoc.aio.probe` for the options. Must not be called in an event loop."""
    import asyncio

    from smtpdoc.api import sessions

    return asyncio.run(sessions.probe(target, **options))


def auth_check(domain: str, **options: Any) -> Report:
    """Check what a domain publishes for mail; see `smtpdoc.aio.auth_check` for the options."""
    import asyncio

    from smtpdoc.api import domains

    return asyncio.run(domains.auth_check(domain, **options))
