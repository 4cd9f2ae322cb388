"""A transcript on the page: what a stranger sends never fills the screen, and the verdict names what decided."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.scripted import reply
from support.sessions import exchange, session

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.render.text import Page
from smtpdoc.render.text_probe import render_verdict
from smtpdoc.render.text_transcript import SHOWN_LINES, render_transcript
from smtpdoc.report import Report

CONNECTED = Exchange(Stage.CONNECT, "", None, None, False, 0.02)
GREETED = exchange(Stage.GREETING, "220 mx.example.net ESMTP")


def received(*texts: str, kind: LineKind = LineKind.RECEIVED) -> tuple[Line, ...]:
    return tuple(Line(kind, text, False, 0.1) for text in texts)


def shown(transcript: Transcript, *, verbose: bool = False) -> list[str]:
    out = io.StringIO()
    render_transcript(Page(out, width=80, color="never", verbose=verbose), transcript)
    return out.getvalue().splitlines()


def verdict(transcript: Transcript) -> list[str]:
    out = io.StringIO()
    evidence = ProbeEvidence((transcript,))
    report = Report("probe", "mx.example.net:587", evidence, (), datetime.now(UTC), 0.1)
    render_verdict(Page(out, width=80, color="never"), report, evidence)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("kind", [LineKind.RECEIVED, LineKind.UNEXPECTED])
@pytest.mark.parametrize("ended", [False, True])
def test_of_a_flood_the_beginning_is_shown(kind: LineKind, ended: bool) -> None:
    texts = [f"250-line {number}" for number in range(500)]
    told = (replace(exchange(Stage.EHLO, "250 x"), reply=reply("\n".join(texts)), lines_before=500),) if ended else ()
    transcript = session(*told, lines=received(*texts, kind=kind))

    lines = shown(transcript)

    assert SHOWN_LINES + 1 == len(lines)
    assert lines[-1].strip().startswith("…")
    assert lines[-1].endswith("--verbose")
    assert 500 == len(shown(transcript, verbose=True))


def test_a_line_longer_than_the_screen_is_folded_and_cut() -> None:
    transcript = session(lines=received("220 " + "x" * 5000))

    lines = shown(transcript)

    assert max(map(len, lines)) <= 80
    assert len(lines) < 10
    assert "4604 characters more" in " ".join(" ".join(lines).split())
    assert max(map(len, shown(transcript, verbose=True))) <= 80


def test_a_helo_that_was_taken_decides_and_not_the_ehlo_before_it() -> None:
    ehlo = exchange(Stage.EHLO, "502 5.5.1 what", command="EHLO x")
    helo = exchange(Stage.EHLO, "250 hello", command="HELO x")

    lines = verdict(session(CONNECTED, GREETED, ehlo, helo))

    assert "session completed" in lines[0]
    assert "  ✔ reachable  ✔ greeting  ✖ EHLO  ✔ HELO" == lines[1]


def test_an_ehlo_that_fails_under_tls_is_among_the_steps() -> None:
    failure = Failure(FailureKind.CLOSED, Stage.EHLO_TLS, "gone", "eof")
    ehlo = Exchange(Stage.EHLO_TLS, "EHLO x", None, failure, True, 0.1, status=StageStatus.FAILED)

    assert verdict(session(CONNECTED, GREETED, ehlo))[1].endswith("? EHLO under TLS")
