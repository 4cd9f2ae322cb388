"""What we cannot read gives one clear sentence and exit code 2; nothing gives a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Smtpdoc

from smtpdoc.version import __version__


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("explain",), "What should be explained"),
        (("explain", ";;;"), "no SMTP reply in ';;;'"),
        (("explain", "--quiet", "--verbose", "550 x"), "contradict"),
        (("explain", "--format", "sarif", "550 x"), "sarif"),
        (("explain", "--format", "github", "550 x"), "github"),
        (("explain", "--fail-on", "fatal", "550 x"), "fatal"),
        (("explain", "--output", "/nonexistent/file", "550 x"), "/nonexistent/file"),
        (("probe",), "Which server"),
        (("probe", "mx.example.net:99999"), "between 1 and 65535, got 'mx.example.net:99999'"),
        (("probe", "two words"), "two words"),
        (("probe", "http://mx.example.net"), "smtp://"),
        (("probe", "mx.example.net", "--timeout", "soon"), "soon"),
        (("probe", "mx.example.net", "--timeout", "0"), "duration"),
        (("probe", "mx.example.net", "-4", "-6"), "exclude"),
        (("probe", "mx.example.net", "--quit-after", "data"), "data"),
        (("probe", "mx.example.net", "--auth", "plain"), "--auth-user"),
        (("probe", "mx.example.net", "--auth-password-file", "x"), "--auth-user"),
        (("probe", "mx.example.net", "--client-key", "/dev/null"), "--client-cert"),
        (("probe", "mx.example.net", "--resolve", "mx.example.net"), "HOST:IP"),
        (("probe", "192.0.2.1", "--mx"), "expected a domain with --mx"),
        (("probe", "127.0.0.1:9", "--to", "no at sign"), "no at sign"),
        (("auth-check",), "Which domain"),
        (("auth-check", "exa mple.com"), "exa mple.com"),
        (("auth-check", "example.com", "--ip", "999.1.1.1"), "999.1.1.1"),
        (("auth-check", "example.com", "--only", "weather"), "weather"),
        (("auth-check", "example.com", "--nameserver", "ns.example"), "ns.example"),
        (("auth-check", "example.com", "--zone", "/nonexistent"), "/nonexistent"),
        (("auth-check", "--from-file", "/nonexistent"), "/nonexistent"),
        (("dance",), "dance"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(smtpdoc: Smtpdoc, arguments: tuple[str, ...], says: str) -> None:
    ran = smtpdoc(*arguments)

    assert 2 == ran.code
    assert says in ran.err
    assert "" == ran.out
    assert "Traceback" not in ran.err


def test_a_zone_file_that_does_not_parse_names_line_and_text(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    zone = tmp_path / "broken.zone"
    zone.write_text("$ORIGIN example.com.\n@ 3600 IN SOA ns hostmaster 1 2 3 4 5\n@ IN MX ten mx1\n")

    ran = smtpdoc("auth-check", "example.com", "--zone", str(zone))

    assert 2 == ran.code
    assert "broken.zone" in ran.err
    assert "line 3" in ran.err or ":3" in ran.err


@pytest.mark.parametrize("command", ["probe", "auth-check", "explain", "demo", "schema"])
def test_every_command_has_help(smtpdoc: Smtpdoc, command: str) -> None:
    ran = smtpdoc(command, "-h")

    assert 0 == ran.code
    assert f"Usage: smtpdoc {command}" in ran.out


def test_version(smtpdoc: Smtpdoc) -> None:
    assert f"smtpdoc, version {__version__}\n" == smtpdoc("--version").out


def test_it_runs_as_a_module() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "smtpdoc", "explain", "--json", "550 5.1.1 x"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 0 == ran.returncode
    assert '"schema": "smtpdoc/1"' in ran.stdout


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    ran = subprocess.run(
        f"{sys.executable} -m smtpdoc explain -v '550 5.1.1 x' | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "Traceback" not in ran.stderr
    assert ran.stdout.startswith("550 5.1.1")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a file that is always full")
@pytest.mark.parametrize("arguments", [("schema",), ("explain", "550 5.1.1 x"), ("probe", "127.0.0.1:1")])
def test_a_full_disk_is_told_and_no_bug(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "smtpdoc", *arguments]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=30)

    assert 2 == ran.returncode
    assert "annot write" in ran.stderr
    assert "No space left on device" in ran.stderr


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_a_closed_output_is_no_error(closed: str) -> None:
    command = f"{sys.executable} -m smtpdoc explain '550 5.1.1 User unknown' {closed}"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=30)

    assert (0, "") == (ran.returncode, ran.stderr)


def test_an_ascii_terminal_gets_plain_marks() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "smtpdoc", "explain", "550 5.1.1 no such user"],
        capture_output=True,
        check=False,
        timeout=60,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )

    assert 0 == ran.returncode
    assert ran.stdout.isascii()
    assert b"\nx " in ran.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
def test_an_answer_that_finds_no_room_is_no_bug_and_no_success(smtpdoc: Smtpdoc, form: str) -> None:
    ran = smtpdoc("explain", "250 ok", "--format", form, "--output", "/dev/full")

    assert 2 == ran.code
    assert "Cannot write to '/dev/full': No space left on device." in ran.err
