"""The transcript of a session while it happens, and the verdict under it, on a page of 80 columns."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.sessions import HOST, exchange, handshake, session

from smtpdoc.catalog.explain import explain
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Finding, Level
from smtpdoc.render.text import Page
from smtpdoc.render.text_probe import render_verdict
from smtpdoc.render.text_transcript import TranscriptView
from smtpdoc.report import Report, Section


class Screen:
    """A view with what it has printed so far."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._out = io.StringIO()
        self.view = TranscriptView(Page(self._out, width=80, color="never", verbose=verbose))

    def say(self, text: str, at_s: float = 0.0) -> None:
        self.view.line(Line(LineKind.SENT, text, False, at_s))

    def hear(self, text: str, at_s: float = 0.0) -> None:
        self.view.line(Line(LineKind.RECEIVED, text, False, at_s))

    def over(self, stage: Stage, text: str, **changes: Any) -> None:
        self.view.exchange(replace(exchange(stage, text), **changes))

    @property
    def rows(self) -> list[str]:
        return self._out.getvalue().splitlines()

    @property
    def lines(self) -> list[str]:
        return [row[9:].strip() for row in self.rows]


def test_each_line_of_a_slow_reply_is_shown_as_it_comes() -> None:
    """A tarpit sends its greeting and its EHLO reply a line a second; nobody should look at an empty screen."""
    screen = Screen()
    screen.hear("220-mx.example.net")

    assert ["<-  220-mx.example.net"] == screen.lines

    screen.hear("220 ESMTP")
    screen.over(Stage.GREETING, "220-mx.example.net\n220 ESMTP")
    screen.say("EHLO probe.example")
    screen.hear("250-mx.example.net")

    assert ["<-  220 ESMTP", "-> EHLO probe.example", "<-  250-mx.example.net"] == screen.lines[1:]


def test_pipelined_replies_wait_for_their_explanations() -> None:
    screen = Screen()
    for command in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>", "QUIT"):
        screen.say(command)
    for answer in ("250 ok", "550 5.1.1 no such user", "221 bye"):
        screen.hear(answer)
    sent = list(screen.lines)
    refused = exchange(Stage.RCPT, "550 5.1.1 no such user")
    assert refused.reply is not None
    screen.over(Stage.MAIL, "250 ok")
    screen.over(Stage.RCPT, "550 5.1.1 no such user", explanation=explain(refused.reply, stage="rcpt"))
    screen.over(Stage.QUIT, "221 bye")

    assert 3 == len(sent)
    assert ["<-  250 ok", "<-  550 5.1.1 no such user"] == screen.lines[3:5]
    assert screen.lines[5].startswith("│ ")
    assert "<-  221 bye" == screen.lines[-1]


def test_advice_beside_the_lines_keeps_to_the_width() -> None:
    screen = Screen()
    text = "454 4.7.0 TLS not available due to local problem"
    refused = exchange(Stage.STARTTLS, text)
    assert refused.reply is not None
    screen.hear(text)
    screen.over(Stage.STARTTLS, text, explanation=explain(refused.reply, stage="starttls"))

    assert max(map(len, screen.rows)) <= 80


def test_a_login_is_shown_line_by_line() -> None:
    screen = Screen()
    for said, heard in (("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("(hidden)", "334 UGFzc3dvcmQ6"), ("", "235 ok")):
        screen.say(said)
        screen.hear(heard)
    screen.over(Stage.AUTH, "235 ok")

    assert "-> (an empty line)" in screen.lines
    assert "<-  235 ok" == screen.lines[-1]


def second_ehlo(first: str, second: str) -> str:
    screen = Screen()
    screen.say("EHLO probe.example")
    screen.over(Stage.EHLO, f"250-{HOST}\n{first}")
    screen.say("EHLO probe.example")  # together with the end of the handshake, before that is told
    screen.view.exchange(Exchange(Stage.TLS, "", None, None, True, 0.01))
    for line in f"250-{HOST}\n{second}".split("\n"):
        screen.hear(line)
    screen.over(Stage.EHLO_TLS, f"250-{HOST}\n{second}")
    return " ".join(screen.lines[2:])


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("250-STARTTLS\n250 PIPELINING", "250-PIPELINING\n250 AUTH PLAIN", "now with AUTH PLAIN"),
        ("250-STARTTLS\n250 AUTH CRAM-MD5", "250-HELP\n250 AUTH PLAIN CRAM-MD5", "now with HELP, AUTH PLAIN CRAM-MD5"),
        ("250-STARTTLS\n250 CHUNKING", "250-HELP\n250 PIPELINING", "now with HELP, PIPELINING; without CHUNKING"),
        ("250-STARTTLS\n250 HELP", "250-DSN\n250 HELP", "now with DSN"),
    ],
)
def test_the_second_ehlo_is_folded_to_what_is_new(first: str, second: str, words: str) -> None:
    assert f"<-  250 …  {words}" == second_ehlo(first, second)


def test_a_positive_reply_where_none_is_allowed_is_not_explained_as_a_success() -> None:
    screen = Screen()
    odd = exchange(Stage.AUTH, "250 ok")
    assert odd.reply is not None
    screen.hear("250 ok")
    screen.over(Stage.AUTH, "250 ok", status=StageStatus.REFUSED, explanation=explain(odd.reply, stage="auth"))

    assert ["<-  250 ok", "│ This is not the code that this step calls for."] == screen.lines


def test_advice_that_was_given_is_not_given_again() -> None:
    screen = Screen()
    refused = exchange(Stage.RCPT, "550 5.1.1 User unknown")
    assert refused.reply is not None
    for _ in range(2):
        screen.view.exchange(replace(refused, explanation=explain(refused.reply, stage="rcpt")))
    title, *advice = screen.lines

    assert advice.count(title) == 1
    assert len(advice) > 1
    assert len(advice) == len(set(advice))


def skipped(stage: Stage, word: str = "") -> Exchange:
    failure = Failure(FailureKind.SKIPPED_UNSAFE, stage, "no", word)
    return Exchange(stage, "", None, failure, False, 0.0, status=StageStatus.SKIPPED)


def failed(stage: Stage, kind: FailureKind) -> Exchange:
    return Exchange(stage, "", None, Failure(kind, stage, "what happened"), False, 0.0, status=StageStatus.FAILED)


def failed_handshake() -> Exchange:
    return failed(Stage.TLS, FailureKind.TLS)


def ending(transcript: Transcript, level: Level, *ids: str, quiet: bool = False) -> list[str]:
    """Return the lines under a transcript with these findings, the first of which has the level."""
    levels = (level, *(Level.INFO for _ in ids[1:]))
    place = transcript.port_name
    findings = tuple(Finding(id_, each, id_, id_, "", "", place) for id_, each in zip(ids, levels, strict=True))
    evidence = ProbeEvidence((transcript,))
    report = Report("probe", HOST, evidence, (Section("smtp", findings),), datetime.now(UTC), 0.1)
    out = io.StringIO()
    render_verdict(Page(out, width=80, color="never", quiet=quiet), report, evidence)
    return out.getvalue().splitlines()


def verdict(transcript: Transcript, level: Level, *ids: str, quiet: bool = False) -> str:
    return ending(transcript, level, *ids, quiet=quiet)[0]


DONE = session(exchange(Stage.GREETING, "220 hi"))
PLACE = f"{HOST}:587 (192.0.2.25)"


@pytest.mark.parametrize(
    ("transcript", "level", "line"),
    [
        (DONE, Level.INFO, f"✔ session completed   {PLACE}"),
        (DONE, Level.WARNING, f"▲ session completed, with findings   {PLACE}"),
        (DONE, Level.UNKNOWN, f"? session completed, not everything could be told   {PLACE}"),
        (session(skipped(Stage.AUTH)), Level.UNKNOWN, f"? login not tried   {PLACE}"),
        (session(skipped(Stage.AUTH)), Level.ERROR, f"✖ login not tried   {PLACE}"),
        (session(skipped(Stage.MAIL)), Level.UNKNOWN, f"? envelope not sent   {PLACE}"),
    ],
)
def test_the_verdict_says_what_came_of_the_session(transcript: Transcript, level: Level, line: str) -> None:
    assert line == verdict(transcript, level, "smtp.some")


def test_a_quiet_verdict_names_the_worst_findings() -> None:
    line = verdict(DONE, Level.ERROR, "tls.expired", "smtp.note", quiet=True)

    assert f"✖ session completed, with findings   {PLACE}   tls.expired" == line


@pytest.mark.parametrize(
    ("stage", "kind", "level", "lines"),
    [
        (Stage.CONNECT, FailureKind.DNS, Level.ERROR, ["✖ failed at DNS", "  ✖ DNS"]),
        (Stage.CONNECT, FailureKind.DNS, Level.UNKNOWN, ["? no verdict at DNS", "  ? DNS"]),
        (Stage.CONNECT, FailureKind.REFUSED, Level.UNKNOWN, ["? no verdict at connect   refused", "  ? connect"]),
        (Stage.TLS, FailureKind.TLS, Level.ERROR, ["✖ failed at TLS", "  ✖ TLS"]),
        (Stage.GREETING, FailureKind.PROTOCOL, Level.ERROR, ["✖ failed at greeting   protocol", "  ✖ greeting"]),
    ],
)
def test_what_failed_has_one_name_and_one_mark(stage: Stage, kind: FailureKind, level: Level, lines: list[str]) -> None:
    failing = session(failed(stage, kind), outcome=StageStatus.FAILED)

    assert lines == ending(failing, level, "smtp.some")[:2]


PUT_OFF = session(replace(exchange(Stage.RCPT, "450 4.2.0 later"), recipient="a-long-name@mail.example.net"))


def test_a_deferral_beside_an_error_is_marked_as_the_exit_code_says() -> None:
    words = "deferred at RCPT   a-long-name@mail.example.net   450 4.2.0"

    assert f"? {words}" == verdict(PUT_OFF, Level.UNKNOWN, "smtp.rcpt-deferred")
    assert f"✖ {words}" == verdict(PUT_OFF, Level.ERROR, "tls.certificate-expired")


def test_a_quiet_verdict_is_one_line_with_what_decided() -> None:
    words = f"✖ deferred at RCPT   a-long-name@mail.example.net   450 4.2.0   {PLACE}   tls.certificate-expired"

    assert [words] == ending(PUT_OFF, Level.ERROR, "tls.certificate-expired", quiet=True)


SHAKEN = exchange(Stage.TLS, "250 ok")
UNTRUSTED = handshake(trusted=False, verify_code=10)


@pytest.mark.parametrize(
    ("transcript", "level", "id_", "step"),
    [
        (session(SHAKEN, tls=handshake()), Level.INFO, "tls.chain-order", "✔ certificate"),
        (session(SHAKEN, tls=handshake()), Level.WARNING, "tls.certificate-expires-soon", "▲ certificate"),
        (session(SHAKEN, tls=handshake()), Level.ERROR, "smtp.rcpt-refused", "✔ certificate"),
        (session(SHAKEN, tls=UNTRUSTED), Level.ERROR, "tls.certificate-expired", "✖ certificate not trusted"),
        (session(SHAKEN, tls=UNTRUSTED), Level.WARNING, "tls.certificate-expired", "▲ certificate not trusted"),
        (session(SHAKEN, tls=UNTRUSTED), Level.INFO, "tls.dane-binds", "· certificate not trusted"),
        (
            session(SHAKEN, tls=handshake(name_matches=False, verify_code=62)),
            *(Level.ERROR, "tls.name-mismatch", "✖ certificate for another name"),
        ),
        (session(failed_handshake()), Level.ERROR, "tls.handshake-failed", "✖ TLS"),
        (session(failed_handshake()), Level.UNKNOWN, "tls.handshake-failed", "? TLS"),
        (
            session(skipped(Stage.STARTTLS, "starttls-missing")),
            *(Level.ERROR, "smtp.starttls-missing", "✖ STARTTLS not offered"),
        ),
        (session(skipped(Stage.AUTH, "unsafe")), Level.UNKNOWN, "smtp.auth-not-safe", "? AUTH not tried"),
        (session(skipped(Stage.MAIL)), Level.ERROR, "smtp.mail-refused", "· MAIL not tried"),
    ],
)
def test_a_step_has_the_mark_of_what_was_found_about_it(
    transcript: Transcript, level: Level, id_: str, step: str
) -> None:
    assert f"  {step}" == ending(transcript, level, id_)[1]
