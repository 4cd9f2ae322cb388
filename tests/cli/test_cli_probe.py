"""smtpdoc probe, as a user runs it, on the embedded server."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.command import Ran, Smtpdoc

from smtpdoc.demo import DemoServer


@pytest.fixture
def place(demo_server: DemoServer) -> tuple[str, ...]:
    """The arguments that name the embedded server and its certificate authority."""
    return (
        f"{demo_server.host}:{demo_server.port}",
        "--resolve",
        f"{demo_server.host}:{demo_server.address}",
        "--ca-file",
        str(demo_server.ca_file),
        "--cert-days",
        "0",
        "--helo",
        "client.example.com",
    )


@pytest.fixture
def password_file(demo_server: DemoServer, tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(demo_server.password + "\n")
    return str(path)


def statuses(ran: Ran) -> dict[str, str]:
    """Stage (with its recipient) to status, of the only session."""
    (session,) = ran.json["evidence"]["sessions"]
    return {" ".join(filter(None, (one["stage"], one["recipient"]))): one["status"] for one in session["stages"]}


def test_a_good_session_is_shown_as_it_crossed_the_wire(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place)

    assert 0 == ran.code
    assert "<-  220 mail.example.net ESMTP" in ran.out
    assert " -> EHLO client.example.com" in ran.out
    assert "=== TLS 1." in ran.out
    assert " ~> QUIT" in ran.out
    assert "✔ session completed" in ran.out


def test_each_recipient_has_its_own_verdict(
    smtpdoc: Smtpdoc, demo_server: DemoServer, place: tuple[str, ...], password_file: str
) -> None:
    login = ("--auth-user", demo_server.user, "--auth-password-file", password_file)
    people = ("bob", "grey", "full", "blocked", "nobody")
    recipients = [part for name in people for part in ("--to", f"{name}@example.net")]

    ran = smtpdoc("probe", *place, *login, *recipients, "--json")

    assert 1 == ran.code
    assert {
        "auth": "ok",
        "mail": "ok",
        "rcpt bob@example.net": "ok",
        "rcpt grey@example.net": "deferred",
        "rcpt full@example.net": "deferred",
        "rcpt blocked@example.net": "refused",
        "rcpt nobody@example.net": "refused",
    }.items() <= statuses(ran).items()
    (session,) = ran.json["evidence"]["sessions"]
    reasons = {one["recipient"]: one["explanation"]["reason"] for one in session["stages"] if one["recipient"]}
    assert {
        "bob@example.net": "ok",
        "grey@example.net": "greylisted",
        "full@example.net": "mailbox-full",
        "blocked@example.net": "ip-blocklisted",
        "nobody@example.net": "user-unknown",
    } == reasons


def test_a_deferred_recipient_alone_is_no_verdict(
    smtpdoc: Smtpdoc, demo_server: DemoServer, place: tuple[str, ...], password_file: str
) -> None:
    ran = smtpdoc("probe", *place, "--to", "grey@example.net", "--from", "a@client.example.com")

    assert 3 == ran.code
    assert "? deferred at RCPT   grey@example.net   451 4.7.1   greylisted" in ran.out


def test_a_refused_login_is_explained_where_it_stands(
    smtpdoc: Smtpdoc, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", "wrong-Pa55word")

    ran = smtpdoc("probe", *place, "--auth-user", "alice")
    lines = ran.out.splitlines()
    reply = next(number for number, line in enumerate(lines) if "535 5.7.8" in line)

    assert 1 == ran.code
    assert "│" in lines[reply + 1]
    assert "✖ refused at AUTH   535 5.7.8   auth-failed" in ran.out


@pytest.mark.parametrize("format_", ["text", "json", "jsonl"])
def test_no_form_of_the_password_is_printed(
    smtpdoc: Smtpdoc, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    secret = "wrong-Pa55word"
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", secret)

    for mechanism in ("PLAIN", "LOGIN"):
        ran = smtpdoc(
            "probe", *place, "--auth-user", "alice", "--auth", mechanism, "--verbose", "--format", format_,
        )  # fmt: skip
        printed = ran.out + ran.err

        assert "535" in printed
        assert secret not in printed
        for skip in range(3):
            core = base64.b64encode(b"\0" * skip + secret.encode())[4:-4].decode()
            assert core not in printed


def test_without_a_password_and_a_terminal_it_says_where_one_can_come_from(
    smtpdoc: Smtpdoc, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))

    ran = smtpdoc("probe", *place, "--auth-user", "alice")

    assert 2 == ran.code
    assert "--auth-password-file" in ran.err


def test_the_password_may_come_from_a_command_or_from_netrc(
    smtpdoc: Smtpdoc,
    demo_server: DemoServer,
    place: tuple[str, ...],
    password_file: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {demo_server.host} login {demo_server.user} password {demo_server.password}\n")
    netrc.chmod(0o600)

    by_command = smtpdoc(
        "probe", *place, "--auth-user", "alice", "--auth-password-command", f"cat {password_file}", "--json"
    )
    monkeypatch.setenv("NETRC", str(netrc))
    by_netrc = smtpdoc("probe", *place, "--auth-user", "alice", "--json")

    assert "ok" == statuses(by_command)["auth"]
    assert "ok" == statuses(by_netrc)["auth"]


def test_a_password_command_that_fails_says_its_exit_code(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, "--auth-user", "alice", "--auth-password-command", "exit 7")

    assert 2 == ran.code
    assert "exit code 7" in ran.err


def test_an_untrusted_certificate_is_told_as_what_it_is_and_the_session_goes_on(
    smtpdoc: Smtpdoc, demo_server: DemoServer
) -> None:
    ran = smtpdoc(
        "probe", f"{demo_server.host}:{demo_server.port}", "--resolve", "mail.example.net:127.0.0.1", "--json"
    )
    (session,) = ran.json["evidence"]["sessions"]

    assert 1 == ran.code
    assert session["tls"]["trusted"] is False
    assert "ok" == statuses(ran)["ehlo-tls"]
    assert any(finding["id"].startswith("tls.") for finding in ran.json["findings"])


def test_a_closed_port_names_the_port_and_the_next_step(smtpdoc: Smtpdoc) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    ran = smtpdoc("probe", f"127.0.0.1:{port}")

    assert 3 == ran.code
    assert f"127.0.0.1:{port}" in ran.out
    assert "refused" in ran.out
    assert "Traceback" not in ran.out + ran.err


def test_a_host_that_does_not_exist_is_no_verdict_on_a_server(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("probe", "nosuch.invalid", "--nameserver", "127.0.0.1:9", "--timeout", "5")

    assert 3 == ran.code
    assert "nosuch.invalid" in ran.out


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "starttls"])
def test_the_session_ends_where_it_was_asked_to(smtpdoc: Smtpdoc, place: tuple[str, ...], stage: str) -> None:
    last = {"greeting": "greeting", "ehlo": "ehlo", "starttls": "ehlo-tls"}[stage]

    stages = list(statuses(smtpdoc("probe", *place, "--quit-after", stage, "--json")))

    assert [last, "quit"] == stages[-2:]


def test_several_targets_are_an_array_and_the_worst_decides(
    smtpdoc: Smtpdoc, demo_server: DemoServer, place: tuple[str, ...]
) -> None:
    ran = smtpdoc("probe", *place, "127.0.0.1:9", "--json")

    assert [0, 3] == [report["exit_code"] for report in ran.json]
    assert 3 == ran.code


def test_mx_hosts_of_a_domain_come_from_the_zone(smtpdoc: Smtpdoc, demo_server: DemoServer) -> None:
    ran = smtpdoc(
        "probe",
        f"example.net:{demo_server.port}",
        "--mx",
        "--zone",
        str(demo_server.zone_file),
        "--ca-file",
        str(demo_server.ca_file),
        "--json",
    )

    assert [{"preference": 10, "host": "mail.example.net", "addresses": ["127.0.0.1"]}] == ran.json["evidence"]["mx"]
    assert "mail.example.net" == ran.json["evidence"]["sessions"][0]["host"]
    assert 0 == ran.code


class SilentServer:
    """Greets, then never answers again."""

    def __enter__(self) -> "SilentServer":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"220 silent.example ESMTP\r\n")
            while connection.recv(1024):
                pass

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@pytest.mark.parametrize("format_", ["text", "json"])
def test_ctrl_c_ends_with_130_and_the_transcript_so_far(format_: str) -> None:
    with SilentServer() as server:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "smtpdoc", "probe", f"127.0.0.1:{server.port}", "--format", format_],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        if format_ == "text":
            assert process.stdout is not None
            while "EHLO" not in process.stdout.readline():
                assert process.poll() is None
        else:
            time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert 130 == process.returncode
    assert "Traceback" not in err
    if format_ == "text":
        assert "? interrupted" in out
        assert "completed" not in out
    else:
        assert '"exit_code": 130' in out
        assert "220 silent.example ESMTP" in out


def test_a_silent_server_ends_at_the_timeout(smtpdoc: Smtpdoc) -> None:
    with SilentServer() as server:
        began = time.monotonic()
        ran = smtpdoc("probe", f"127.0.0.1:{server.port}", "--timeout", "1")

    assert 3 == ran.code
    assert time.monotonic() - began < 5
    assert "no verdict at EHLO" in ran.out


def test_advised_commands_name_the_server_and_the_login(
    smtpdoc: Smtpdoc, place: tuple[str, ...], demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", "wrong-Pa55word")

    ran = smtpdoc("probe", *place, "--auth-user", "alice")

    assert f"smtpdoc probe {demo_server.host}:{demo_server.port} --auth-user alice" in ran.out
    assert "YOUR-" not in ran.out
