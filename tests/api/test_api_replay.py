"""replay(): saved sessions as reports."""

from __future__ import annotations

import contextlib
import json
import time
from io import StringIO
from pathlib import Path

import pytest

from smtpdoc.api.replay import replay
from smtpdoc.errors import ParseError
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, StageStatus
from smtpdoc.render.json_v1 import dumps, report_json
from smtpdoc.render.text import Page
from smtpdoc.render.text_probe import render_verdict
from smtpdoc.render.text_transcript import render_transcript
from smtpdoc.report import Report

DATA = Path(__file__).parent.parent / "data" / "transcripts"
FILES = sorted(DATA.glob("*.txt"))


def recognised(report: Report) -> str:
    """What a report recognises, as the .expected files say it."""
    assert isinstance(report.evidence, ProbeEvidence)
    rows = []
    for session in report.evidence.sessions:
        rows.append(f"{session.replayed_from} {session.port_name}")
        rows += [" ".join(filter(None, _row(one))) for one in session.exchanges]
    return "".join(f"{row}\n" for row in rows)


def _row(exchange: Exchange) -> tuple[str | None, ...]:
    reason = None
    if exchange.failure is not None:
        reason = exchange.failure.word
    elif exchange.explanation is not None and exchange.status is not StageStatus.OK:
        reason = exchange.explanation.reason
    return str(exchange.stage), exchange.recipient, str(exchange.status), reason


def page_of(report: Report) -> str:
    assert isinstance(report.evidence, ProbeEvidence)
    out = StringIO()
    page = Page(out, color="never", width=80)
    for session in report.evidence.sessions:
        render_transcript(page, session)
    render_verdict(page, report, report.evidence)
    return out.getvalue()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_saved_session_is_recognised(file: Path) -> None:
    assert file.with_suffix(".expected").read_text() == recognised(replay(file.read_bytes()))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_our_own_page_and_json_of_a_session_are_the_same_session(file: Path) -> None:
    """What was printed can be pasted into a ticket and read again."""
    report = replay(file.read_bytes())
    stages = recognised(report).split("\n")[1:]

    from_json = replay(json.dumps(report_json(report)))

    assert [row for row in stages if "skipped" not in row] == [
        row for row in recognised(from_json).split("\n")[1:] if "skipped" not in row
    ]
    if "wrongPa55word" not in page_of(report):
        from_page = replay(page_of(report))

        assert len(recognised(from_page).splitlines()) >= len(stages) - 2


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_no_password_is_in_any_output(file: Path) -> None:
    report = replay(file.read_bytes())
    told = page_of(report) + dumps(report_json(report)) + repr(report)

    assert [one for one in ("Pa55", "UGE1NX", "QYTU1", "BhNT") if one in told] == []


def test_what_openssl_says_of_the_certificate_is_judged() -> None:
    text = (DATA / "openssl-starttls.txt").read_text().replace(
        "Verify return code: 20 (unable to get local issuer certificate)",
        "Verify return code: 10 (certificate has expired)",
    ).replace("Start Time: 17", "Start Time: 18")  # fmt: skip
    ids = {finding.id for finding in replay(text).findings}

    assert "tls.certificate-expired" in ids
    assert "tls.chain-incomplete" not in ids


def test_what_openssl_says_counts_also_where_it_prints_no_dates() -> None:
    """As before OpenSSL 3: then only its words are known."""
    text = "\n".join(
        line for line in (DATA / "openssl-starttls.txt").read_text().splitlines() if not line.startswith("   v:")
    )
    findings = {finding.id: finding.message for finding in replay(text).findings}

    assert findings["tls.certificate-untrusted"] == (
        "the certificate of mx.example.net does not verify: unable to get local issuer certificate"
    )


@pytest.mark.parametrize(
    "text", ["", "\n\n", "nothing of the kind\n", "{}", "[1, 2]", '{"schema": "smtpdoc/1"}', "\x00\x01\x02", "250"[:2]]
)
def test_what_is_no_session_says_so(text: str) -> None:
    with pytest.raises(ParseError):
        replay(text)


def test_any_bytes_are_a_report_or_a_parse_error() -> None:
    """Cut anywhere, with any byte in it."""
    whole = (DATA / "swaks-login.txt").read_bytes()
    for end in range(0, len(whole), 7):
        for piece in (whole[:end], whole[end:], whole[:end] + b"\xff\x00\x1b[2J\r" + whole[end:]):
            try:
                report = replay(piece)
            except ParseError:
                continue

            assert "\x1b" not in page_of(report)


@pytest.mark.parametrize(
    "text",
    [
        "220 x\n" * 600_000,
        "S: " + "2" * 4_000_000,
        "[" * 4_000_000,
        '{"a":' * 800_000,
        "220 x\n" + "".join(f"AUTH PLAIN QUFBQUFB{number:04}\n334 \n" for number in range(9000)),
        "1" * 80 + "$ telnet " * 400_000,
    ],
    ids=["replies", "one line", "brackets", "braces", "logins", "prompts"],
)
def test_hostile_files_are_read_in_little_time(text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(ParseError):
        replay(text)

    assert time.process_time() - began < 5


def test_half_a_reply_before_a_lost_connection_is_no_reply() -> None:
    report = replay("=== Trying mx.example.net:25...\n<-  220-mx\n*** connection closed\n -> QUIT\n<-  221 bye\n")

    assert "greeting failed eof" in recognised(report)
