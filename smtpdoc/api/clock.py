"""From evidence and findings to a report: the clock that runs meanwhile, and what the user does not want to hear."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from smtpdoc.findings import Finding, Level
from smtpdoc.report import Evidence, Report, Section


class Clock:
    """Started when work on a target begins; makes its report."""

    def __init__(self, begun_at: float | None = None) -> None:
        """`begun_at`: when it began, if before now, on the clock `time.monotonic`."""
        now = time.monotonic()
        self._start = now if begun_at is None else begun_at
        self.started_at = datetime.now(UTC) - timedelta(seconds=now - self._start)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start

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
