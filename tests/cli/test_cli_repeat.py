"""smtpdoc probe --repeat: the same session many times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Smtpdoc
from support.hostile import C
from support.served import hostile_thread, served

from smtpdoc.demo import DemoServer

WELL = (b"220 mx.example.net ESMTP\r\n", C, b"250 mx.example.net\r\n", C, b"221 bye\r\n")


def test_each_step_has_its_times(smtpdoc: Smtpdoc) -> None:
    with served(*WELL) as port:
        ran = smtpdoc(
            "probe", f"127.0.0.1:{port}", "--tls", "none", "--repeat", "4", "--repeat-interval", "0", "--json"
        )
    timings = ran.json["evidence"]["timings"]
    steps = {step["step"]: step for step in timings["steps"]}

    assert ["connect", "greeting", "ehlo", "quit", "total"] == list(steps)
    assert {4} == {step["count"] for step in steps.values()}
    assert all(step["min_s"] <= step["median_s"] <= step["p95_s"] for step in steps.values())
    assert (4, 4, None) == (timings["asked"], timings["done"], timings["stopped"])
    assert [("ok", None, 4)] == [(one["status"], one["stage"], one["count"]) for one in timings["ended"]]


def test_the_page_is_the_table_and_no_transcript(smtpdoc: Smtpdoc) -> None:
    with served(*WELL) as port:
        ran = smtpdoc("probe", f"127.0.0.1:{port}", "--tls", "none", "--repeat", "2", "--repeat-interval", "0")

    assert "median" in ran.out
    assert "2 of 2 ended well" in ran.out
    assert "EHLO " in ran.out
    assert "<-  220" not in ran.out
    assert 0 == ran.code


def test_the_server_is_asked_as_often_as_said(smtpdoc: Smtpdoc) -> None:
    with hostile_thread(WELL) as server:
        smtpdoc("probe", f"127.0.0.1:{server.port}", "--tls", "none", "--repeat", "3", "--repeat-interval", "0")

    assert 3 == server.sessions


def test_sessions_that_end_with_421_are_a_finding(smtpdoc: Smtpdoc) -> None:
    with served(b"421 4.7.0 Too many connections\r\n", C, b"221 bye\r\n") as port:
        ran = smtpdoc("probe", f"127.0.0.1:{port}", "--repeat", "3", "--repeat-interval", "0", "--json")
    found = {finding["id"]: finding for finding in ran.json["findings"]}

    assert {"count": 3, "sessions": 3, "first": 1} == found["smtp.turned-away"]["facts"]
    assert 3 == ran.code


def test_a_login_that_is_refused_is_tried_once(
    smtpdoc: Smtpdoc, demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", "wrong-Pa55word")

    ran = smtpdoc(
        *("probe", f"{demo_server.host}:{demo_server.port}", "--resolve", f"{demo_server.host}:{demo_server.address}"),
        *("--ca-file", str(demo_server.ca_file), "--cert-days", "0", "--auth-user", demo_server.user),
        *("--repeat", "5", "--repeat-interval", "0", "--json"),
    )
    timings = ran.json["evidence"]["timings"]

    assert (1, "auth") == (timings["done"], timings["stopped"])
    assert "smtp.repeat-stopped" in [finding["id"] for finding in ran.json["findings"]]
    assert 1 == ran.code


def test_a_login_that_is_accepted_is_repeated(smtpdoc: Smtpdoc, demo_server: DemoServer, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(demo_server.password)

    ran = smtpdoc(
        *("probe", f"{demo_server.host}:{demo_server.port}", "--resolve", f"{demo_server.host}:{demo_server.address}"),
        *("--ca-file", str(demo_server.ca_file), "--cert-days", "0", "--auth-user", demo_server.user),
        *("--auth-password-file", str(password), "--repeat", "2", "--repeat-interval", "0", "--json"),
    )

    assert {"auth": 2}.items() <= {
        one["step"]: one["count"] for one in ran.json["evidence"]["timings"]["steps"]
    }.items()


def test_each_session_is_in_the_transcript_file(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    file = tmp_path / "sessions.txt"
    with served(*WELL) as port:
        smtpdoc(
            *("probe", f"127.0.0.1:{port}", "--tls", "none", "--repeat", "3", "--repeat-interval", "0"),
            *("--transcript", str(file)),
        )

    assert 3 == file.read_text().count("## session ")


@pytest.mark.parametrize("other", [("--mx",), ("--all-addresses",), ("--relay-test",), ("--vrfy", "bob")])
def test_what_is_more_than_one_plain_session_is_not_repeated(smtpdoc: Smtpdoc, other: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", "mx.example.net", "--repeat", "2", *other)

    assert 2 == ran.code
    assert other[0] in ran.err


@pytest.mark.parametrize("number", ["0", "1", "-3", "1001", "many"])
def test_the_number_of_sessions_has_bounds(smtpdoc: Smtpdoc, number: str) -> None:
    assert 2 == smtpdoc("probe", "mx.example.net", "--repeat", number).code


def test_ctrl_c_prints_what_there_is() -> None:
    with hostile_thread(WELL) as server:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "smtpdoc", "probe", f"127.0.0.1:{server.port}", "--tls", "none"),
                *("--repeat", "50", "--repeat-interval", "0.2"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "80"},
        )
        while server.sessions < 3:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert 130 == process.returncode
    assert "median" in out
    assert "of 50 sessions took place" in out
    assert "Traceback" not in err
