"""The JSON contract, version 1: additions are fine, any other change is a json_v2.py."""

from __future__ import annotations

import json
import re
from typing import IO

from smtpdoc.evidence.explanation import ExplainEvidence
from smtpdoc.findings import Finding
from smtpdoc.render.json_values import Json, plain, seconds, source_json, time_json
from smtpdoc.report import Evidence, Report

SCHEMA = "smtpdoc/1"
#: DEL and C1 controls (json escapes the others itself), line separators and changes of direction.
_OBEYED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


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
    """Return JSON text: UTF-8 as it is, no NaN, and what could not be decoded written as replacement characters.

    What a terminal would obey is escaped, which changes no value: people look at JSON in terminals, too.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    text = _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


class ArrayWriter:
    """Prints `--format json`: the object for one target, an array for several, each report as soon as it is known.

    `close` ends the array, also of an interrupted run; of several targets without any report it is empty.
    """

    def __init__(self, out: IO[str], *, many: bool) -> None:
        self._out = out
        self._many = many
        self._first = True

    def add(self, report: Report) -> None:
        text = dumps(report_json(report), indent=2)
        if self._many:  # no string of JSON holds a line break, so this only indents
            text = ("[\n  " if self._first else ",\n  ") + text.replace("\n", "\n  ")
        else:
            text += "\n"
        self._first = False
        self._out.write(text)

    def close(self) -> None:
        if self._many:
            self._out.write("[]\n" if self._first else "\n]\n")


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
    """Return the evidence of any command; only the one that ran is loaded."""
    if isinstance(evidence, ExplainEvidence):
        from smtpdoc.render.json_explain import explain_json

        return explain_json(evidence)
    from smtpdoc.evidence.probe import ProbeEvidence

    if isinstance(evidence, ProbeEvidence):
        from smtpdoc.render.json_probe import probe_json

        return probe_json(evidence)
    from smtpdoc.render.json_auth import auth_json

    return auth_json(evidence)
