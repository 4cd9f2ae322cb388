"""Where a password comes from, and that none of these places gives it away."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import click
import pytest
from support.command import Smtpdoc

from smtpdoc.cli.credentials import find_credentials
from smtpdoc.errors import TargetError

HOST = "mx.lab.example"
PASSWORD = "s3cret-Pa55"


@pytest.fixture(autouse=True)
def nothing_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("SMTPDOC_AUTH_PASSWORD", raising=False)


def found(**sources: str | None) -> str:
    given = {"password_file": None, "password_command": None, "token_file": None, **sources}
    credentials = find_credentials("alice", hosts=[HOST], **given)  # type: ignore[arg-type]
    assert credentials.secret is not None
    return credentials.secret.reveal()


@pytest.mark.parametrize(
    ("data", "password"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\nmore\n", "s3cret"),
        (b"s3cret", "s3cret"),
        (b" s3 cret \n", " s3 cret "),
        (b"\xef\xbb\xbfs3cret\n", "s3cret"),  # Notepad's mark is no part of it
        ("wörd\n".encode(), "wörd"),
        (b"caf\xe9\n", "caf\udce9"),
    ],
)
def test_the_first_line_of_a_file_is_the_password(tmp_path: Path, data: bytes, password: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(data)

    assert password == found(password_file=str(file))


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\nsecond"])
def test_an_empty_line_is_no_password(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(data)

    with pytest.raises(TargetError, match="got an empty line"):
        found(password_file=str(file))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"echo {PASSWORD}; exit 3", "ended with exit code 3"),
        (f"echo {PASSWORD}; kill -9 $$", "ended by signal 9"),
        ("true", "got an empty line"),
    ],
)
def test_a_command_that_fails_gives_no_password(command: str, words: str) -> None:
    with pytest.raises(TargetError, match=words) as raised:
        found(password_command=command)
    assert PASSWORD not in str(raised.value)


def test_netrc_has_several_users_of_one_host(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine {HOST} login alice password {PASSWORD}\nmachine {HOST} login bob password other\n")
    file.chmod(0o600)

    assert PASSWORD == found()


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o644, True), (0o640, True)])
def test_a_netrc_that_others_can_read_is_used_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, warned: bool
) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine {HOST} login alice password {PASSWORD}\n")
    file.chmod(mode)

    assert PASSWORD == found()
    assert warned is ("chmod 600" in capsys.readouterr().err)


@pytest.mark.parametrize(
    "text", [f"machine {HOST} login alice password\n{PASSWORD} {PASSWORD}", f"{PASSWORD} nonsense"]
)
def test_no_word_of_a_netrc_is_quoted(tmp_path: Path, smtpdoc: Smtpdoc, text: str) -> None:
    """A password with a blank in it makes the rest of it look like a wrong word."""
    (tmp_path / "netrc").write_text(f"machine other.example login x password a b\n{text}\n")

    ran = smtpdoc("probe", "127.0.0.1:1", "--auth-user", "alice")

    assert 2 == ran.code
    assert PASSWORD not in ran.err


def test_two_sources_contradict_each_other() -> None:
    with pytest.raises(click.UsageError, match="Give one of"):
        found(password_file="a", token_file="b")


def at_a_terminal(typed: bytes) -> tuple[str, int]:
    """Run a probe that asks for a password, type this, and return all that the terminal showed, and the exit code.

    Nothing listens on the port: the question comes before the connection.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        command = (sys.executable, "-m", "smtpdoc.cli.main", "probe", "127.0.0.1:1", "--auth-user", "alice")
        os.execv(sys.executable, command)
    shown = b""
    asked = False
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            if b"Password of alice at 127.0.0.1: " in shown and not asked:
                os.write(terminal, typed)
                asked = True
            continue
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if not read:
            break
        shown += read
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("typed", "code"), [(PASSWORD.encode() + b"\n", 3), (b"\x03", 130), (b"\x04", 130)], ids=["typed", "^C", "^D"]
)
def test_the_prompt_shows_nothing_of_what_is_typed(monkeypatch: pytest.MonkeyPatch, typed: bytes, code: int) -> None:
    monkeypatch.setenv("TERM", "xterm")

    shown, ended = at_a_terminal(typed)

    assert code == ended
    assert PASSWORD not in shown
    assert "Password of alice at 127.0.0.1: " in shown


def test_a_password_of_netrc_is_for_its_own_host(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login alice password {PASSWORD}\n")
    netrc.chmod(0o600)

    ran = smtpdoc("probe", HOST, "other.example", "--auth-user", "alice")

    assert 2 == ran.code
    assert f"The password for {HOST} in netrc is not for other.example" in ran.err
    assert PASSWORD not in ran.err


def test_the_mechanisms_are_those_that_there_are(smtpdoc: Smtpdoc) -> None:
    from smtpdoc.cli.probe import AUTH_MECHANISMS
    from smtpdoc.grammar.sasl import MECHANISMS

    assert MECHANISMS == AUTH_MECHANISMS
    assert "is not one of" in smtpdoc("probe", HOST, "--auth-user", "alice", "--auth", "ntlm").err
    assert "needs --auth-user" in smtpdoc("probe", HOST, "--auth", "plain").err
