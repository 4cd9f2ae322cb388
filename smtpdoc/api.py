"""smtpdoc as a library: explain(), probe() and auth_check(), each returning the Report that the command prints.

The awaitable forms have the same names in `smtpdoc.aio`. Nothing here imports asyncio before it is needed, so that
explaining stays as cheap as reading a table.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from smtpdoc.evidence.explanation import ExplainEvidence
from smtpdoc.findings import Finding, Level
from smtpdoc.report import Evidence, Report, Section

if TYPE_CHECKING:
    from smtpdoc.target import Target


def explain(
    text: str,
    *,
    stage: str | None = None,
    provider: str | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
) -> Report:
    """Explain a reply, however it was pasted.

    `stage` says which command it answered ("rcpt", "auth", ...), `provider` whose reply it is. Text without a reply
    gives a report whose exit code is USAGE and whose evidence has no explanation; nothing is raised.
    """
    from smtpdoc.catalog.checks.reply import checks
    from smtpdoc.catalog.explain import explain as explain_reply
    from smtpdoc.grammar.reply import ReplyParseError, parse_reply

    clock = Clock()
    try:
        explanation = explain_reply(parse_reply(text), stage=stage, provider=provider)
    except ReplyParseError:
        explanation = None
    evidence = ExplainEvidence(text, explanation)
    sections = (Section("reply", checks.run(evidence)),)
    return clock.report("explain", text, evidence, sections, fail_on, ignore)


def probe(target: str | Target, **options: Any) -> Report:
    """Talk to a server and report; see `smtpdoc.aio.probe` for the options. Must not be called in an event loop."""
    import asyncio

    from smtpdoc import aio

    return asyncio.run(aio.probe(target, **options))


def auth_check(domain: str, **options: Any) -> Report:
    """Check what a domain publishes for mail; see `smtpdoc.aio.auth_check` for the options."""
    import asyncio

    from smtpdoc import aio

    return asyncio.run(aio.auth_check(domain, **options))


class Clock:
    """Started when work on a target begins; makes its report."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._start = time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start

    def report(
        self,
        command: str,
        target: str,
        evidence: Evidence,
        sections: Iterable[Section],
        fail_on: Level | None,
        ignore: Sequence[str],
        *,
        interrupted: bool = False,
    ) -> Report:
        return Report(
            command=command,
            target=target,
            evidence=evidence,
            sections=tuple(Section(section.name, without(section.findings, ignore)) for section in sections),
            started_at=self.started_at,
            elapsed_s=self.elapsed_s,
            fail_on=fail_on,
            interrupted=interrupted,
        )


def without(findings: Iterable[Finding], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """Return the findings that are not ignored: `spf.void-lookup` names one id, `spf.` all that begin with it."""
    return tuple(finding for finding in findings if not any(ignored(finding.id, pattern) for pattern in ignore))


def ignored(finding_id: str, pattern: str) -> bool:
    """Tell whether `--ignore pattern` silences an id.

    >>> ignored("spf.void-lookup", "spf."), ignored("spf.void-lookup", "spf.void")
    (True, False)
    """
    return finding_id == pattern or (pattern.endswith(".") and finding_id.startswith(pattern))
