"""`smtpdoc probe` as a user runs it, against real servers: exit codes, JSON, no password anywhere, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.lab import HOST, MailServer

pytestmark = pytest.mark.servers

WRONG_PASSWORD = "wr0ng-Pa55word"


#: Ctrl-C reaches it even where the tests themselves run in the background and ignore it.
MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from smtpdoc.cli.main import main; main()"
)


def command(server: MailServer, port: int, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-c", MAIN, "probe", f"{HOST}:{port}", "--resolve", f"{HOST}:{server.address}"),
        *("--ca-file", str(server.ca_file), "--helo", "probe.example", "--color", "never", *arguments),
    ]


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SMTPDOC_")}
    return {**clean, "PYTHONUTF8": "1", **more}


def probe(server: MailServer, port: int, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(server, port, *arguments),
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def report(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON of a run, checked against the published schema and against the exit code."""
    assert ran.stderr == ""
    parsed: dict[str, Any] = json.loads(ran.stdout)
    schema = subprocess.run([sys.executable, "-m", "smtpdoc", "schema"], capture_output=True, text=True, check=True)
    jsonschema.validate(parsed, json.loads(schema.stdout))

    assert parsed["exit_code"] == ran.returncode

    return parsed


VERDICTS = {
    "bob@lab.example": 0,
    "nosuchuser@lab.example": 1,
    "bob@elsewhere.example": 1,
    "grey@lab.example": 3,
    "full@lab.example": 3,
    "big@lab.example": 1,
}


@pytest.mark.parametrize(
    ("mx_server", "recipient"),
    [
        *((name, recipient) for name in ("postfix", "exim", "sendmail") for recipient in VERDICTS),
        *(("opensmtpd", recipient) for recipient in list(VERDICTS)[:3]),  # the rest it knows nothing about
    ],
    indirect=["mx_server"],
)
def test_the_exit_code_is_the_verdict_on_the_recipient(mx_server: MailServer, recipient: str) -> None:
    ran = probe(mx_server, mx_server.mx_port, "--to", recipient, "--from", "sender@sender.example", "--format", "json")
    parsed = report(ran)
    (rcpt,) = (stage for stage in parsed["evidence"]["sessions"][0]["stages"] if stage["stage"] == "rcpt")

    assert ran.returncode == VERDICTS[recipient]
    assert rcpt["explanation"]["reply"]["code"] == rcpt["reply"]["code"]
    assert rcpt["recipient"] == recipient


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("nosuchuser@lab.example", "user-unknown"),
        ("bob@elsewhere.example", "relay-denied"),
        ("grey@lab.example", "greylisted"),
        ("full@lab.example", "mailbox-full"),
    ],
)
def test_a_refusal_of_postfix_is_explained_in_place(postfix: MailServer, recipient: str, reason: str) -> None:
    arguments = ("--to", recipient, "--from", "sender@sender.example", "--format", "json")
    parsed = report(probe(postfix, postfix.mx_port, *arguments))
    (rcpt,) = (stage for stage in parsed["evidence"]["sessions"][0]["stages"] if stage["stage"] == "rcpt")

    assert rcpt["explanation"]["reason"] == reason
    assert rcpt["explanation"]["steps"]


@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)], ids=["right", "wrong"])
def test_a_login_decides_the_exit_code_and_the_password_is_nowhere(
    postfix: MailServer, tmp_path: Path, form: str, right: bool, code: int
) -> None:
    password = postfix.password if right else WRONG_PASSWORD
    file = tmp_path / "password"
    file.write_text(f"{password}\n")
    arguments = ("--auth-user", postfix.user, "--auth-password-file", str(file), "--format", form, "--verbose")
    ran = probe(postfix, postfix.submission_port, *arguments)

    assert ran.returncode == code, ran.stderr
    assert password not in ran.stdout + ran.stderr


def test_the_password_may_come_from_the_environment(postfix: MailServer) -> None:
    arguments = ("--auth-user", postfix.user, "--format", "json")
    ran = probe(postfix, postfix.submission_port, *arguments, SMTPDOC_AUTH_PASSWORD=postfix.password)

    assert report(ran)["exit_code"] == 0
    assert postfix.password not in ran.stdout


@pytest.mark.parametrize(
    ("certificate", "code"),
    [("good", 0), ("soon", 0), ("expired", 1), ("self-signed", 1), ("wrong-name", 1), ("no-intermediate", 1)],
)
def test_a_certificate_that_does_not_verify_is_an_error(postfix: MailServer, certificate: str, code: int) -> None:
    parsed = report(probe(postfix, postfix.certificate_port(certificate), "--format", "json"))
    levels = {finding["id"]: finding["level"] for finding in parsed["findings"]}

    assert parsed["exit_code"] == code
    assert any(name.startswith("tls.") and level == "error" for name, level in levels.items()) == bool(code)
    if certificate == "soon":
        assert any(name.startswith("tls.") and level == "warning" for name, level in levels.items())


def test_the_transcript_has_the_marks_of_the_trade(postfix: MailServer) -> None:
    ran = probe(postfix, postfix.mx_port, "--to", "nosuchuser@lab.example", "--from", "sender@sender.example")

    assert ran.returncode == 1
    for mark in (" -> EHLO probe.example", "<-  220", " ~> MAIL FROM:<sender@sender.example>", "<~  550", " ~> QUIT"):
        assert " ".join(mark.split()) in " ".join(ran.stdout.split())


def test_a_closed_port_is_no_verdict(postfix: MailServer) -> None:
    parsed = report(probe(postfix, 1, "--format", "json"))

    assert parsed["exit_code"] == 3
    assert parsed["evidence"]["sessions"][0]["outcome"] == "failed"


def interrupted(server: MailServer, words: str, *arguments: str) -> tuple[int, str, str]:
    """Press Ctrl-C when a line has these words; return the exit code and what came after, on both streams."""
    with subprocess.Popen(
        command(server, server.mx_port, "--from", "sender@sender.example", *arguments),
        env=environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        shown = ""
        while words not in shown:
            line = running.stdout.readline()

            assert line, f"ended early: {shown}"

            shown += line
        running.send_signal(signal.SIGINT)
        rest, errors = running.communicate(timeout=10)
    return running.returncode, rest, errors


def test_ctrl_c_ends_with_130_and_the_transcript_so_far(postfix: MailServer) -> None:
    code, rest, errors = interrupted(postfix, "RCPT TO", "--to", "silent@lab.example")

    assert code == 130
    assert "Traceback" not in errors + rest


def test_ctrl_c_during_a_wait_for_greylisting_leaves_what_is_known(postfix: MailServer) -> None:
    wanted = ("--to", "grey@lab.example", "--greylist-wait=auto")
    code, rest, errors = interrupted(postfix, "the same again in 301 s", *wanted)

    assert code == 130
    assert "? smtp.rcpt-deferred" in rest
    assert "trying again" not in errors, "no terminal, no progress"
    assert "Traceback" not in errors + rest
