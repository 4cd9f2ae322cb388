"""Exit codes follow from levels, the same way for every command."""

from datetime import UTC, datetime

import pytest

from smtpdoc.evidence.explanation import ExplainEvidence
from smtpdoc.findings import Finding, Level
from smtpdoc.report import ExitCode, Report, Section, exit_code

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("levels", "fail_on", "expected"),
    [
        ([], Level.ERROR, ExitCode.OK),
        ([Level.WARNING, Level.INFO], Level.ERROR, ExitCode.OK),
        ([Level.WARNING], Level.WARNING, ExitCode.FINDINGS),
        ([Level.ERROR], Level.ERROR, ExitCode.FINDINGS),
        ([Level.INFO], Level.INFO, ExitCode.FINDINGS),
        ([Level.PASS], Level.INFO, ExitCode.OK),
        # no verdict is not a lesser failure, but the lack of a verdict
        ([Level.UNKNOWN], Level.ERROR, ExitCode.NO_VERDICT),
        ([Level.UNKNOWN, Level.WARNING], Level.ERROR, ExitCode.NO_VERDICT),
        ([Level.UNKNOWN], Level.INFO, ExitCode.NO_VERDICT),
        # ... and something that is wrong is worse
        ([Level.UNKNOWN, Level.ERROR], Level.ERROR, ExitCode.FINDINGS),
        ([Level.ERROR, Level.UNKNOWN], None, ExitCode.OK),
    ],
)
def test_exit_code(levels: list[Level], fail_on: Level | None, expected: ExitCode) -> None:
    assert expected == exit_code(levels, fail_on)


def finding(level: Level) -> Finding:
    return Finding("spf.example", level, "title", "message", "why", "fix")


def test_a_report_is_as_bad_as_its_worst_finding() -> None:
    report = Report(
        "explain",
        "x",
        ExplainEvidence("x", None),
        (Section("a", (finding(Level.INFO),)), Section("b"), Section("c", (finding(Level.WARNING),))),
        NOW,
        0.1,
    )

    assert Level.WARNING == report.level
    assert [Level.INFO, Level.PASS, Level.WARNING] == [section.level for section in report.sections]


def test_an_interrupted_report_says_130_whatever_was_found() -> None:
    report = Report(
        "explain", "x", ExplainEvidence("x", None), (Section("a", (finding(Level.ERROR),)),), NOW, 0.1, interrupted=True
    )

    assert 130 == report.exit_code


def test_text_without_a_reply_is_a_usage_error() -> None:
    assert 2 == Report("explain", "x", ExplainEvidence("x", None), (), NOW, 0.1).exit_code
