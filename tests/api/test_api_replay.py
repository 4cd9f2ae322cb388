"""replay(): saved sessions as reports."""

from __future__ import annotations

import contextlib
import json
import re
import time
from base64 import b64encode
from io import StringIO
from pathlib import Path

import pytest
from support.pastes import FORMS

from smtpdoc.api.replay import replay
from smtpdoc.errors import ParseError
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus, Transcript
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


def sessions(report: Report) -> tuple[Transcript, ...]:
    assert isinstance(report.evidence, ProbeEvidence)
    return report.evidence.sessions


def rows(report: Report) -> list[str]:
    """What a report recognises of its sessions, without the program and the server."""
    return [" ".join(filter(None, _row(one))) for session in sessions(report) for one in session.exchanges]


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
    stages = rows(report)

    from_json = replay(json.dumps(report_json(report)))

    assert [row for row in stages if "skipped" not in row] == [row for row in rows(from_json) if "skipped" not in row]
    heard = any(one.reply is not None for session in sessions(report) for one in session.exchanges)
    if heard and "wrongPa55word" not in page_of(report):
        from_page = replay(page_of(report))

        assert len(rows(from_page)) >= len(stages) - 2


#: Their marks stand behind so much else that a broken line cannot be put together again.
NOT_WHOLE_AGAIN = ("exchange-send", "postfix-debug", "postfix-debug-server", "posttls-finger-refused", "thunderbird")


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_what_happens_to_a_transcript_on_its_way_changes_nothing(file: Path) -> None:
    text = file.read_text()
    expected = recognised(replay(text))
    forms = {name: form for name, form in FORMS.items() if name != "wrapped" or file.stem not in NOT_WHOLE_AGAIN}

    assert [name for name, form in forms.items() if recognised(replay(form(text))) != expected] == []


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


def test_a_look_at_the_certificate_alone_lacks_no_greeting() -> None:
    """What `openssl s_client </dev/null` leaves: a handshake, and no word of the server."""
    text = (DATA / "openssl-starttls.txt").read_text()
    lines = [line for line in text.splitlines() if not re.match(r"[2-5][0-9]{2}[ -]|EHLO|MAIL|RCPT|QUIT", line)]
    report = replay("\n".join(lines))
    (session,) = sessions(report)

    assert session.tls is not None
    assert Stage.GREETING not in {one.stage for one in session.exchanges}
    assert not [finding.id for finding in report.findings if finding.id == "smtp.no-answer"]


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
        (">" * 400 + "250 x\n") * 10_000,
        "<br>" * 1_000_000,
        "a\b" * 2_000_000,
        "\r" * 4_000_000,
        "220 x\n" + "what?\n" * 600_000,
        "250-" + "x " * 40 + "\n" + ("yy " * 24 + "\n") * 50_000,
        "S: 220 x\nC: EHLO a\n" + "S: 250-a\n" * 3000 + "S: 250 z\n" + "S: 250 ...  nothing new\n" * 6000,
        "220 x\n" + "nc: x\n" * 9000,
        "=== Trying x\n" * 9000 + "<-  220 x\n",
        "220 x\nAUTH PLAIN " + b64encode(b"\0u\0" + b"a" * 20_000 + b"b").decode() + ("\n250-" + "a" * 39_000) * 30,
        "220 x\nAUTH PLAIN " + b64encode(b"\0u\0" + b"\x11" * 20_000).decode() + ("\n250-" + "1" * 39_000) * 30,
        "# smtpdoc transcript 1\n## report 1\n"
        + '## stage {"stage": "rcpt", "status": "failed", "recipient": "a", "failure": {"kind": "tls"}}\n' * 4000
        + '## stage {"stage": "rcpt", "status": "ok", "recipient": "a", "purpose": "control"}\n' * 4000,
    ],
    ids=[
        *("replies", "one line", "brackets", "braces", "logins", "prompts"),
        *("quotations", "HTML", "backspaces", "CR", "unknown lines", "broken lines", "folded replies"),
        *("failures", "addresses tried", "long password", "long password in hex", "stages"),
    ],
)
def test_hostile_files_are_read_in_little_time(text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(ParseError):
        replay(text)

    assert time.process_time() - began < 5


def test_half_a_reply_before_a_lost_connection_is_no_reply() -> None:
    report = replay("=== Trying mx.example.net:25...\n<-  220-mx\n*** connection closed\n -> QUIT\n<-  221 bye\n")

    assert "greeting failed eof" in recognised(report)


def exit_code(name: str) -> int:
    return int(replay((DATA / f"{name}.txt").read_bytes()).exit_code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("swaks-message", 0),
        ("curl-message", 0),
        ("exim-v-chunking", 0),
        ("exim-v", 1),
        ("swaks-421", 3),
        ("swaks-connection-refused", 3),
        ("swaks-no-mechanism", 1),
        ("openssl-tls1", 1),
        ("openssl-wrong-name", 1),
        ("swaks-new-tls", 0),
        ("lab-postfix-21-rcpt-greylisted", 3),
    ],
)
def test_the_exit_code_is_that_of_a_probe(name: str, code: int) -> None:
    assert exit_code(name) == code


@pytest.mark.parametrize(
    "name", ["swaks-message", "curl-message", "exim-v-chunking", "sendmail-v", "lab-exim-45-data-then-nothing"]
)
def test_a_message_that_was_accepted_is_told(name: str) -> None:
    report = replay((DATA / f"{name}.txt").read_bytes())

    assert "smtp.message-accepted" in {finding.id for finding in report.findings}


def test_the_reply_to_a_command_that_no_probe_says_is_explained() -> None:
    page = page_of(replay((DATA / "telnet-unknown-commands.txt").read_text()))

    assert "│" in page.partition("XFOO bar")[2].partition("EHLO")[0]


def test_what_programs_say_of_the_handshake_is_known() -> None:
    def tls(name: str) -> tuple[str, str, int | None]:
        evidence = replay((DATA / f"{name}.txt").read_bytes()).evidence
        assert isinstance(evidence, ProbeEvidence)
        facts = evidence.sessions[0].tls
        assert facts is not None
        return facts.version, facts.cipher, facts.verify_code

    assert tls("swaks-login") == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", None)
    assert tls("swaks-new-tls") == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", 20)
    assert tls("curl-login") == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", 0)
    assert tls("posttls-finger") == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", None)
    assert tls("openssl-brief") == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", 20)
    assert tls("openssl-tls1") == ("TLSv1", "ECDHE-RSA-AES256-SHA", 20)


def test_an_answer_to_a_login_is_hidden_behind_a_blank_line_too() -> None:
    report = replay(FORMS["a blank line after each"]((DATA / "telnet-login.txt").read_text()))

    assert "d3Jvbmd" not in page_of(report) + repr(report)


def test_of_a_session_under_quotation_marks_everything_is_read() -> None:
    letter = "Bob wrote:\n> 220 mx.example.net ESMTP\n> MAIL FROM:<>\n> 550 5.7.1 no\nthanks, Alice\n"

    assert "mail refused" in recognised(replay(letter))


def test_openssl_that_says_nothing_but_what_is_wrong_with_the_certificate_is_heard() -> None:
    report = replay((DATA / "openssl-quiet.txt").read_bytes())

    assert "tls.certificate-untrusted" in [finding.id for finding in report.findings]
    assert report.exit_code == 1
