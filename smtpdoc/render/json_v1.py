"""The JSON contract, version 1: additions are fine, any other change is a json_v2.py."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO

from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.explanation import ExplainEvidence
from smtpdoc.evidence.smtp import ProbeEvidence
from smtpdoc.findings import Finding
from smtpdoc.render.json_auth import auth_json
from smtpdoc.render.json_explain import explain_json
from smtpdoc.render.json_probe import probe_json
from smtpdoc.render.json_values import Json, plain, seconds, source_json, time_json
from smtpdoc.report import Evidence, Report

SCHEMA = "smtpdoc/1"


def report_json(report: Report) -> Json:
    """Return a report as the contract's object."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "command": report.command,
        "target": report.target,
        "level": str(report.level),
        "exit_code": int(report.exit_code),
        "started_at": time_json(report.started_at),
        "elapsed_s": seconds(report.elapsed_s),
        "findings": [finding_json(finding) for finding in report.findings],
        "evidence": evidence_json(report.evidence),
    }


def dumps(value: object, *, indent: int | None = None) -> str:
    """Return JSON text: UTF-8 as it is, no NaN, and what could not be decoded written as replacement characters."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return text.encode("utf-8", "replace").decode("utf-8")


def write_all(reports: Iterable[Report], out: IO[str], *, many: bool) -> None:
    """Print `--format json`: the object for one target, an array for several."""
    objects = [report_json(report) for report in reports]
    out.write(dumps(objects if many else objects[0], indent=2) + "\n")


def write_line(report: Report, out: IO[str]) -> None:
    """Print `--format jsonl`: one object on one line, now."""
    out.write(dumps(report_json(report)) + "\n")
    out.flush()


def finding_json(finding: Finding) -> Json:
    return {
        "id": finding.id,
        "topic": finding.topic,
        "level": str(finding.level),
        "title": finding.title,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix,
        "subject": finding.subject,
        "facts": plain(finding.facts),
        "paste": list(finding.paste),
        "sources": [source_json(source) for source in finding.sources],
    }


def evidence_json(evidence: Evidence) -> Json:
    match evidence:
        case ExplainEvidence():
            return explain_json(evidence)
        case ProbeEvidence():
            return probe_json(evidence)
        case AuthEvidence():
            return auth_json(evidence)
