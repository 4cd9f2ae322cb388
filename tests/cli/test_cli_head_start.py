"""The head start of a plain `smtpdoc probe`: begun for what is in order, and never in anybody's way."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from smtpdoc.cli import head_start
from smtpdoc.cli.probe import command
from smtpdoc.target import parse_target

OPTIONS = {
    name: param
    for param in command.params
    if isinstance(param, click.Option)
    for name in (*param.opts, *param.secondary_opts)
}


@pytest.mark.parametrize(
    ("arguments", "family"),
    [
        (["mx.example.net"], None),
        (["mx.example.net:25", "--to", "bob@example.net", "-v"], None),
        (["mx.example.net:25", "--dane", "--no-identity", "--size", "1000", "--require-tls"], None),
        (["--quit-after", "starttls", "smtps://MX.example.net", "-6"], "ipv6"),
        (["MX.Example.NET:2525"], None),
        (["mx2"], None),
        (["192.0.2.1:65535"], None),
        (["192.0.2.1:25"], None),
        (["[2001:DB8::1]:25", "--json", "--from", "<>"], None),
    ],
)
def test_plain_arguments_are_read_as_click_and_the_target_read_them(arguments: list[str], family: str | None) -> None:
    (typed,) = (one for one in arguments if re.search(r"mx|192|2001", one, re.IGNORECASE))
    target = parse_target(typed)
    plain = head_start.read_plainly(arguments, {})

    assert plain is not None
    assert (plain.host, plain.port, plain.family) == (target.host, target.port, family)


@pytest.mark.parametrize(
    ("arguments", "helo"),
    [
        (["mx.example.net:25"], ""),
        (["mx.example.net:25", "--helo", "probe.example", "--tls", "optional"], "probe.example"),
        (["mx.example.net:25", "--quit-after", "ehlo"], ""),
        (["mx.example.net:25", "--quit-after", "greeting"], None),
        (["mx.example.net:25", "--tls", "implicit"], None),
        (["mx.example.net:465"], None),
        (["mx.example.net:465", "--tls", "starttls"], ""),
        (["smtps://mx.example.net:2465"], None),
    ],
)
def test_ehlo_is_said_ahead_only_where_it_follows_the_greeting(arguments: list[str], helo: str | None) -> None:
    plain = head_start.read_plainly(arguments, {})

    assert plain is not None
    assert helo == plain.helo


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["mx.example.net", "mx.example.org"],
        ["mx.example.net:99999"],
        ["mx.example.net:0"],
        ["192.0.2.256"],
        ["192.0.02.1"],
        ["mx..example"],
        ["--mx", "example.net"],
        ["mx.example.net", "--resolve", "mx.example.net:192.0.2.1"],
        ["mx.example.net", "--source-ip", "192.0.2.1"],
        ["mx.example.net", "--quit-after", "lunch"],
        ["mx.example.net", "--quit-after"],
        ["mx.example.net", "--to", "bob"],
        ["mx.example.net", "--helo", "two words"],
        ["mx.example.net", "--catch-all"],  # of whom?
        ["mx.example.net", "--size", "-1"],
        ["mx.example.net", "--timeout", "0"],
        ["mx.example.net", "--ca-file", "/nowhere/ca.pem"],
        ["mx.example.net", "-4", "-6"],
        ["mx.example.net", "-q", "-v"],
        ["mx.example.net", "--auth", "PLAIN"],
        ["mx.example.net", "--auth-user", "alice"],  # asks for the password first
        ["mx.example.net", "--unheard-of"],
        ["--", "mx.example.net"],
    ],
)
def test_nobody_is_called_for_anything_unusual_or_wrong(arguments: list[str]) -> None:
    assert head_start.read_plainly(arguments, {}) is None


def test_options_by_environment_are_left_to_click() -> None:
    assert head_start.read_plainly(["example.net"], {"SMTPDOC_MX": "1"}) is None
    assert head_start.read_plainly(["mx.example.net"], {"SMTPDOC_AUTH_PASSWORD": "x"}) is not None


def test_the_options_are_those_of_the_command() -> None:
    """An option that takes a value here takes one there; where there are choices, they are among click's."""
    for name, pattern in head_start.VALUES.items():
        param = OPTIONS[name]
        assert not param.is_flag, name
        words = pattern.removeprefix("(?i:").removesuffix(")").split("|")
        if isinstance(param.type, click.Choice):
            assert set(words) <= set(param.type.choices), name
    assert all(OPTIONS[name].is_flag for name in (*head_start.FLAGS, *head_start.FAMILIES))


def run_with_listener(
    *arguments: str, directory: Path, stdout: int = subprocess.PIPE
) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run `smtpdoc probe HOST:PORT arguments` and return what came of it, and how often it connected."""
    calls: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def answer() -> None:
            while True:
                try:
                    call, _ = server.accept()
                except OSError:
                    return
                calls.append(call)
                call.sendall(b"554 not today\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        host, port = server.getsockname()
        ran = subprocess.run(
            [sys.executable, "-m", "smtpdoc", "probe", f"{host}:{port}", *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=20,
            cwd=directory,
            env={name: value for name, value in os.environ.items() if not name.startswith("SMTPDOC_")},
        )
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for call in calls:
            call.close()
    return ran, len(calls)


@pytest.mark.parametrize("plain", [True, False], ids=["head start", "as click reads it"])
def test_a_probe_connects_once(plain: bool, tmp_path: Path) -> None:
    # --timeout=9 is a spelling that the head start leaves to click.
    ran, calls = run_with_listener("--timeout", "9" if plain else "9.0", "--format", "json", directory=tmp_path)

    assert (ran.returncode, calls) == (1, 1), ran.stderr


def test_a_usage_error_calls_nobody(tmp_path: Path) -> None:
    ran, calls = run_with_listener("--quit-after", "lunch", directory=tmp_path)

    assert (ran.returncode, calls) == (2, 0), ran.stderr


def test_a_reader_that_goes_away_in_the_middle_of_a_session_is_no_error_of_ours(tmp_path: Path) -> None:
    nobody_reads, we_write = os.pipe()
    os.close(nobody_reads)

    ran, calls = run_with_listener("--timeout", "9", directory=tmp_path, stdout=we_write)

    os.close(we_write)
    assert (ran.returncode, ran.stderr, calls) == (128 + 13, "", 1)
