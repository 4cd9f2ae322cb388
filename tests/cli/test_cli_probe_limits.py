"""How a probe ends: its exit code, its time and its memory, whatever the server does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Smtpdoc
from support.hostile import TLS, C, Chopped, Flood, Pause, Step
from support.pki import server_context
from support.served import served
from support.shelf import HOST

EHLO = b"250-mx.lab.example\r\n250 STARTTLS\r\n"
BYE = b"221 bye\r\n"
MEMORY_LIMIT_KB = 100 * 1024
SLACK_S = 0.5


def envelope(rcpt: bytes) -> tuple[Step, ...]:
    return (b"220 hi\r\n", C, b"250-mx\r\n250 SIZE\r\n", C, b"250 2.1.0 ok\r\n", C, rcpt, C, BYE)


# Exit codes (contract.md)


def code(smtpdoc: Smtpdoc, port: int, *more: str) -> int:
    return smtpdoc("probe", f"127.0.0.1:{port}", "--helo", "client.example", "--timeout", "3", *more).code


@pytest.mark.parametrize(
    ("expected", "rcpt"), [(0, b"250 2.1.5 ok\r\n"), (1, b"550 5.1.1 unknown\r\n"), (3, b"451 4.7.1 later\r\n")]
)
def test_the_answer_to_rcpt_decides(smtpdoc: Smtpdoc, expected: int, rcpt: bytes) -> None:
    recipient = ("--tls", "none", "--from", "a@client.example", "--to", "bob@example.net")
    with served(*envelope(rcpt)) as port:
        assert expected == code(smtpdoc, port, *recipient)


@pytest.mark.parametrize(("expected", "name"), [(0, "good"), (1, "expired")])
def test_the_certificate_decides(smtpdoc: Smtpdoc, shelf: Path, expected: int, name: str) -> None:
    script = (b"220 hi\r\n", C, EHLO, C, b"220 go\r\n", TLS, C, b"250 mx\r\n", C, BYE)
    with served(*script, context=server_context(shelf, name)) as port:
        ran = smtpdoc(
            *("probe", f"{HOST}:{port}", "--resolve", f"{HOST}:127.0.0.1", "--ca-file", str(shelf / "ca.pem")),
            *("--cert-days", "0", "--timeout", "5"),
        )

    assert expected == ran.code


def test_a_refused_connection_is_no_verdict(smtpdoc: Smtpdoc) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        assert 3 == code(smtpdoc, taken.getsockname()[1])


def test_a_timeout_is_no_verdict(smtpdoc: Smtpdoc) -> None:
    with served(b"220 hi\r\n") as port:
        assert 3 == smtpdoc("probe", f"127.0.0.1:{port}", "--timeout", "0.5").code


@pytest.mark.parametrize("arguments", [("mx.example.net:99999",), (), ("mx.example.net", "--nosuch"), ("a b",)])
def test_what_cannot_be_read_is_usage(smtpdoc: Smtpdoc, arguments: tuple[str, ...]) -> None:
    assert 2 == smtpdoc("probe", *arguments).code


def test_fail_on_never_is_always_well(smtpdoc: Smtpdoc) -> None:
    with served(b"554 5.7.1 no\r\n", C, BYE) as port:
        assert 0 == code(smtpdoc, port, "--fail-on", "never")


# Time

SLOW: dict[str, tuple[Step, ...]] = {
    "says nothing": (),
    "stops in the middle of its greeting": (b"220-mx",),
    "never ends its line": (Chopped(b"220 " + b"a" * 400, 1), Pause(30)),
    "drips": (*(step for _ in range(40) for step in (b"2", Pause(0.1))),),
    "never answers EHLO": (b"220 hi\r\n", C),
    "never ends its EHLO reply": (b"220 hi\r\n", C, b"250-mx\r\n"),
    "never shakes hands": (b"220 hi\r\n", C, EHLO, C, b"220 go\r\n"),
    "floods its greeting": (Flood(b"220-x\r\n" * 100),),
    "floods one line": (Flood(b"2" * 65536),),
    "floods after EHLO": (b"220 hi\r\n", C, Flood(b"250-x\r\n" * 100)),
    "floods instead of a handshake": (b"220 hi\r\n", C, EHLO, C, b"220 go\r\n", Flood(b"x" * 65536)),
    "floods with replies": (b"220 hi\r\n", C, Flood(b"250 x\r\n" * 100)),
    "never answers QUIT": (b"220 hi\r\n", C, b"250 mx\r\n", C),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
def test_no_server_takes_longer_than_the_timeout(smtpdoc: Smtpdoc, script: tuple[Step, ...]) -> None:
    timeout_s = 1.5
    with served(*script) as port:
        began = time.monotonic()
        ran = smtpdoc("probe", f"127.0.0.1:{port}", "--timeout", str(timeout_s), "--json")
        took = time.monotonic() - began

    assert took < timeout_s + SLACK_S
    assert ran.code in (0, 1, 3)


# Memory


@pytest.fixture
def flood(request: pytest.FixtureRequest) -> Iterator[int]:
    with served(*SLOW[request.param]) as port:
        yield port


#: Runs its arguments and prints their exit code and peak memory. A process between us and the one that is measured:
#: Linux counts the memory of whoever forked it, until it execs, and a test run is large.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_memory_kb(*arguments: str) -> int:
    """Run `smtpdoc ARGUMENTS` and return its peak memory; any verdict will do."""
    measured = (sys.executable, "-c", MEASURE, sys.executable, "-m", "smtpdoc", *arguments)
    ran = subprocess.run(measured, capture_output=True, text=True, check=True, timeout=60)
    code, peak = map(int, ran.stdout.split())

    assert code in (0, 1, 3)
    return peak // 1024 if sys.platform == "darwin" else peak  # bytes on macOS, kilobytes elsewhere


@pytest.mark.parametrize("flood", [name for name in SLOW if name.startswith("floods")], indirect=True)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_server_that_sends_for_ever_does_not_fill_the_memory(flood: int, format_: str, tmp_path: Path) -> None:
    kept = tmp_path / "session.txt"
    used_kb = peak_memory_kb(
        *("probe", f"127.0.0.1:{flood}", "--timeout", "3", "--format", format_),
        *("--transcript", str(kept), "--output", str(tmp_path / "answer")),
    )

    assert used_kb < MEMORY_LIMIT_KB
    assert kept.stat().st_size < 4 << 20


def test_a_large_message_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Neither when it is looked through nor when the server takes its time."""
    path = tmp_path / "large.eml"
    with path.open("wb") as file:
        file.write(b"Subject: x\n\n")
        for _ in range(150):
            file.write((b"x" * 63 + b"\n") * (1 << 14))
    accepted = (b"220 hi\r\n", C, b"250 mx\r\n", C, b"250 ok\r\n", C, b"250 ok\r\n", C, b"354 go\r\n", Pause(10))
    with served(*accepted) as port:
        used_kb = peak_memory_kb(
            *("probe", f"127.0.0.1:{port}", "--tls", "none", "--timeout", "3", "--helo", "client.example"),
            *("--from", "a@client.example", "--to", "bob@example.net", "--send", str(path), "--yes"),
        )

    assert used_kb < MEMORY_LIMIT_KB
