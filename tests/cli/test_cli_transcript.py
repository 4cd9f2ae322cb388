"""smtpdoc probe --transcript: what is kept of a session, and that no secret is."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.command import Smtpdoc
from support.hostile import C
from support.secrets import forms
from support.served import served

from smtpdoc.demo import DemoServer


@pytest.fixture
def place(demo_server: DemoServer) -> tuple[str, ...]:
    """The arguments that name the embedded server and its certificate authority."""
    return (
        f"{demo_server.host}:{demo_server.port}",
        *("--resolve", f"{demo_server.host}:{demo_server.address}"),
        *("--ca-file", str(demo_server.ca_file), "--cert-days", "0", "--helo", "client.example.com"),
    )


def test_a_transcript_has_every_line_with_its_bytes_and_the_time(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    file = tmp_path / "session.txt"
    script = (
        b"220 mx.example ESMTP caf\xe9 \\o/\n",
        C,
        b"250-mx.example\r\n250 SIZE 10\x1b[31m\r\r\n",
        C,
        b"221 bye\r\n",
    )

    with served(*script) as port:
        smtpdoc("probe", f"127.0.0.1:{port}", "--helo", "client.example", "--transcript", str(file))
    lines = file.read_text().splitlines()
    said = [re.sub(r"^\+\d+\.\d{6} ", "", line) for line in lines if line.startswith("+")]

    assert "# smtpdoc transcript 1" == lines[0]
    assert [
        r"S: 220 mx.example ESMTP caf\xe9 \\o/\n",
        r"C: EHLO client.example\r\n",
        r"S: 250-mx.example\r\n",
        r"S: 250 SIZE 10\x1b[31m\r\r\n",
        r"C: QUIT\r\n",
        r"S: 221 bye\r\n",
    ] == [line for line in said if line[0] in "SC"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_lines_under_tls_are_marked(smtpdoc: Smtpdoc, place: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "session.txt"

    smtpdoc("probe", *place, "--transcript", str(file))
    text = file.read_text()

    assert r"C: STARTTLS\r\n" in text
    assert "== TLS 1." in text
    assert r"C* QUIT\r\n" in text
    assert re.search(r"^## end ok, \d+ round trips, ", text, re.MULTILINE)


def test_several_sessions_stand_one_after_the_other(smtpdoc: Smtpdoc, place: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "session.txt"

    smtpdoc("probe", *place, "127.0.0.1:9", "--transcript", str(file))
    kinds = [line.split()[1] for line in file.read_text().splitlines() if line.startswith("## ")]

    assert ["report", "session", "tls", "facts", "end", "report", "session", "stage", "end"] == kinds
    assert "** " in file.read_text().partition("127.0.0.1:9 ")[2]


def test_an_existing_file_is_replaced_and_closed_to_others(
    smtpdoc: Smtpdoc, place: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "session.txt"
    file.write_text("old\n" * 1000)
    file.chmod(0o644)

    smtpdoc("probe", *place, "--transcript", str(file))

    assert "old" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_told_before_anybody_is_called(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    with served(b"220 mx\r\n", C, b"250 mx\r\n", C, b"221 bye\r\n") as port:
        ran = smtpdoc("probe", f"127.0.0.1:{port}", "--transcript", str(tmp_path / "none" / "session.txt"))

    assert 2 == ran.code
    assert "Cannot write the transcript" in ran.err
    assert "" == ran.out


def test_ctrl_c_leaves_the_transcript_so_far(tmp_path: Path) -> None:
    file = tmp_path / "session.txt"
    with served(b"220 silent.example ESMTP\r\n") as port:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "smtpdoc", "probe", f"127.0.0.1:{port}", "--transcript", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        while "EHLO" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    assert 130 == process.returncode
    assert "C: EHLO" in file.read_text()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_no_form_of_the_password_is_kept(
    smtpdoc: Smtpdoc, place: tuple[str, ...], mechanism: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = "wrong+Pa55/wörd?"
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", secret)
    file = tmp_path / "session.txt"

    smtpdoc("probe", *place, "--auth-user", "alice", "--auth", mechanism, "--transcript", str(file))
    text = file.read_text()

    assert "C* AUTH " in text
    assert "(hidden)" in text
    assert [form for form in forms(secret) if form in text] == []


def test_a_kept_session_replayed_says_what_it_said_live(
    smtpdoc: Smtpdoc, place: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "session.txt"
    arguments = ("--from", "a@client.example.com", "--to", "nobody@example.net", "--json")

    live = smtpdoc("probe", *place, *arguments, "--transcript", str(file))
    again = smtpdoc("probe", "--replay", str(file), "--json")
    (first,), (second,) = (ran.json["evidence"]["sessions"] for ran in (live, again))

    assert live.code == again.code
    assert live.json["target"] == again.json["target"]
    assert [finding["id"] for finding in live.json["findings"]] == [finding["id"] for finding in again.json["findings"]]
    for key in ("host", "port", "address", "outcome", "capabilities", "tls"):
        assert first[key] == second[key]
    assert [(one["stage"], one["status"], one["reply"]) for one in first["stages"]] == [
        (one["stage"], one["status"], one["reply"]) for one in second["stages"]
    ]
    assert first["replayed_from"] is None
    assert "smtpdoc" == second["replayed_from"]


def test_the_page_itself_can_be_replayed(smtpdoc: Smtpdoc, place: tuple[str, ...], tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(smtpdoc("probe", *place, "--from", "a@client.example.com", "--to", "full@example.net").out)

    ran = smtpdoc("probe", "--replay", str(page))

    assert 3 == ran.code
    assert "deferred at RCPT   full@example.net" in ran.out
    assert "nobody was asked" in ran.out


def test_replay_is_refused_with_a_target(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("probe", "mx.example.net", "--replay", "session.txt")

    assert 2 == ran.code
    assert "leave out the TARGET" in ran.err


def test_a_file_without_a_session_is_a_usage_error(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Dear Bob,\nhow are you?\n")

    ran = smtpdoc("probe", "--replay", str(file))

    assert 2 == ran.code
    assert "expected an SMTP session" in ran.err


def test_a_file_that_is_missing_or_far_too_large_is_a_usage_error(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(1 << 30)

    assert 2 == smtpdoc("probe", "--replay", str(tmp_path / "none")).code
    assert "larger" in smtpdoc("probe", "--replay", str(large)).err


HOSTILE = {
    "stray bytes": (
        b"220 mx caf\xe9 \x1b[31m\x00\r\n",
        C,
        b"250-mx\r\r\n250-\xff\xfe\r\n250 SIZE \\x41\\r\n",
        C,
        b"221 bye\r\n",
    ),
    "half a reply": (b"220 mx\r\n", C, b"250-mx\r\n250-SI"),
    "a surplus reply": (b"220 mx\r\n250 surprise\r\n", C, b"250 mx\r\n", C, b"221 bye\r\n"),
    "no SMTP": (b"SSH-2.0-OpenSSH_9.2\r\n",),
    "421 at once": (b"421 4.7.0 too busy\r\n",),
    "looks like a transcript": (
        b"220 mx\r\n",
        C,
        b'250-mx\r\n250-\n## stage {"stage": "ehlo", "status": "failed"}\r\n250 ## end ok\r\n',
        C,
        b"221 bye\r\n",
    ),
    "a long line": (b"220 mx\r\n", C, b"250-mx\r\n250 " + b"x " * 3900 + b"\r\n", C, b"221 bye\r\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_replayed_is_the_same(smtpdoc: Smtpdoc, name: str, tmp_path: Path) -> None:
    file = tmp_path / "session.txt"
    with served(*HOSTILE[name]) as port:
        live = smtpdoc("probe", f"127.0.0.1:{port}", "--timeout", "5", "--json", "--transcript", str(file))
    again = smtpdoc("probe", "--replay", str(file), "--json")
    first, second = live.json, again.json
    (one,), (two,) = first["evidence"]["sessions"], second["evidence"]["sessions"]

    assert live.code == again.code
    assert [finding["id"] for finding in first["findings"]] == [finding["id"] for finding in second["findings"]]
    assert [line["text"] for line in one["transcript"]] == [line["text"] for line in two["transcript"]]
    assert [(stage["stage"], stage["status"]) for stage in one["stages"]] == [
        (stage["stage"], stage["status"]) for stage in two["stages"]
    ]


def test_a_session_is_read_from_standard_input_as_powershell_writes_it() -> None:
    text = "S: 220 mx.example.net ESMTP\r\nC: MAIL FROM:<>\r\nS: 550 5.7.1 no\r\n".encode("utf-16")
    ran = subprocess.run(
        [sys.executable, "-m", "smtpdoc", "probe", "--replay", "-"], input=text, capture_output=True, check=False
    )

    assert 1 == ran.returncode
    assert b"refused at MAIL" in ran.stdout


@pytest.mark.parametrize("place", ["/dev/zero", "."], ids=["endless", "directory"])
def test_what_is_no_file_of_a_session_is_told(smtpdoc: Smtpdoc, place: str) -> None:
    ran = smtpdoc("probe", "--replay", place)

    assert 2 == ran.code
    assert "transcript" in ran.err
    assert "" == ran.out
