"""A report: evidence, findings in sections, and the exit code that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from smtpdoc.findings import Finding, Level, worst
from smtpdoc.version import __version__

if TYPE_CHECKING:  # each command loads its own evidence only
    from smtpdoc.evidence.domain import AuthEvidence
    from smtpdoc.evidence.explanation import ExplainEvidence
    from smtpdoc.evidence.probe import ProbeEvidence

Evidence: TypeAlias = "ExplainEvidence | ProbeEvidence | AuthEvidence"


class ExitCode(IntEnum):
    """The same for every command and format (contract.md, "Exit codes")."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    NO_VERDICT = 3
    BUG = 70
    INTERRUPTED = 130


def exit_code(levels: Iterable[Level], fail_on: Level | None = Level.ERROR) -> ExitCode:
    """Return the exit code for findings of these levels; `fail_on` None means never.

    UNKNOWN is not a lesser kind of failure but the lack of a verdict: it gives NO_VERDICT, unless something
    else is at or above `fail_on`.

    >>> exit_code([Level.WARNING, Level.UNKNOWN])
    <ExitCode.NO_VERDICT: 3>
    >>> exit_code([Level.WARNING, Level.UNKNOWN], Level.WARNING)
    <ExitCode.FINDINGS: 1>
    """
    if fail_on is None:
        return ExitCode.OK
    seen = set(levels)
    if any(level.rank >= fail_on.rank for level in seen if level is not Level.UNKNOWN):
        return ExitCode.FINDINGS
    return ExitCode.NO_VERDICT if Level.UNKNOWN in seen else ExitCode.OK


@dataclass(frozen=True, slots=True)
class Section:
    """One topic ("spf", "tls") and what was found there; an empty section passed."""

    name: str
    findings: tuple[Finding, ...] = ()

    @property
    def level(self) -> Level:
        return worst(finding.level for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to one target. `fail_on` None means that findings never fail the run."""

    command: str
    target: str
    evidence: Evidence
    sections: tuple[Section, ...]
    started_at: datetime
    elapsed_s: float
    fail_on: Level | None = Level.ERROR
    interrupted: bool = False
    version: str = __version__

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the sections."""
        return tuple(finding for section in self.sections for finding in section.findings)

    @property
    def level(self) -> Level:
        return worst(section.level for section in self.sections)

    @property
    def exit_code(self) -> ExitCode:
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.command == "explain" and _explains_nothing(self.evidence):
            return ExitCode.USAGE
        return exit_code((finding.level for finding in self.findings), self.fail_on)


def _explains_nothing(evidence: Evidence) -> bool:
    """True when there was no reply in what had to be explained."""
    from smtpdoc.evidence.explanation import ExplainEvidence

    return isinstance(evidence, ExplainEvidence) and evidence.explanation is None and evidence.page is None
