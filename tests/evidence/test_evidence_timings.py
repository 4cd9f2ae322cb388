"""The numbers of --repeat."""

from __future__ import annotations

from smtpdoc.catalog.checks.repeats import checks, ended_words
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.evidence.timings import Series, StepTiming, Timings
from smtpdoc.grammar.reply import parse_reply


def ended(status: StageStatus, *exchanges: Exchange, elapsed_s: float = 0.1) -> Transcript:
    return Transcript("mx.example.net", None, 25, None, "none", status, exchanges, (), elapsed_s=elapsed_s)


def took(stage: Stage, seconds: float) -> Exchange:
    return Exchange(stage, "", parse_reply("250 ok"), None, False, seconds)


def timings(*sessions: Transcript) -> Timings:
    series = Series(len(sessions), 1.0)
    for session in sessions:
        series.add(session)
    return series.timings()


def test_the_95th_percentile_of_twenty_is_the_second_longest() -> None:
    sessions = [ended(StageStatus.OK, took(Stage.EHLO, number / 10), elapsed_s=number) for number in range(20, 0, -1)]

    assert (
        StepTiming("ehlo", 20, 0.1, 1.05, 1.9),
        StepTiming("total", 20, 1.0, 10.5, 19.0),
    ) == timings(*sessions).steps


def test_of_few_sessions_the_longest_stands_for_the_tail() -> None:
    sessions = [ended(StageStatus.OK, took(Stage.EHLO, seconds)) for seconds in (0.3, 0.1, 0.2)]

    assert StepTiming("ehlo", 3, 0.1, 0.2, 0.3) == timings(*sessions).steps[0]


def test_steps_stand_in_the_order_of_a_session() -> None:
    found = timings(ended(StageStatus.OK, took(Stage.QUIT, 1), took(Stage.RCPT, 1), took(Stage.GREETING, 1)))

    assert ["greeting", "rcpt", "quit", "total"] == [step.step for step in found.steps]


def test_a_step_without_an_answer_has_no_time() -> None:
    failure = Failure(FailureKind.TIMEOUT, Stage.EHLO, "no answer", "timeout")
    silent = Exchange(Stage.EHLO, "EHLO x", None, failure, False, 30.0, status=StageStatus.FAILED)

    found = timings(ended(StageStatus.FAILED, silent))

    assert ["total"] == [step.step for step in found.steps]
    assert ["without an answer at EHLO (timeout)"] == [ended_words(one) for one in found.ended]


def test_sessions_that_end_differently_are_told_apart() -> None:
    busy = Exchange(Stage.GREETING, "", parse_reply("421 busy"), None, False, 0.1, status=StageStatus.DEFERRED)
    found = timings(ended(StageStatus.OK), ended(StageStatus.DEFERRED, busy), ended(StageStatus.OK))

    assert [("well", 2, 1), ("put off at GREETING (421)", 1, 2)] == [
        (ended_words(one), one.count, one.first) for one in found.ended
    ]
    assert ["smtp.turned-away", "smtp.outcomes-differ"] == [finding.id for finding in checks.run(found)]


def test_sessions_that_end_alike_are_no_finding() -> None:
    assert () == checks.run(timings(ended(StageStatus.OK), ended(StageStatus.OK)))
