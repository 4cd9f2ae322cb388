"""probe: talk to a server, explain each reply where it stands, diagnose, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from smtpdoc.api.clock import Clock
from smtpdoc.catalog.checks import smtp as smtp_checks
from smtpdoc.catalog.checks import tls as tls_checks
from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.smtp import Exchange, Line, MxHost, ProbeEvidence, StageStatus, Transcript
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.probe import ProbeOptions, gather_probe
from smtpdoc.net.dial import NetDialer
from smtpdoc.report import Report, Section
from smtpdoc.seams import Watcher
from smtpdoc.target import Target, parse_target

PROBE_TIMEOUT_S = 60.0


class Recorder:
    """A Watcher that explains each exchange as it comes, passes all on, and keeps it for a report cut short."""

    def __init__(self, target: Target, watcher: Watcher | None = None) -> None:
        self.target = target
        self.lines: list[Line] = []
        self.exchanges: list[Exchange] = []
        self._watcher = watcher

    def line(self, line: Line) -> None:
        self.lines.append(line)
        if self._watcher is not None:
            self._watcher.line(line)

    def exchange(self, exchange: Exchange) -> None:
        explained = replace(exchange, explanation=_explanation(exchange), lines_before=len(self.lines))
        self.exchanges.append(explained)
        if self._watcher is not None:
            self._watcher.exchange(explained)
