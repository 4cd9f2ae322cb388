"""A real name server on loopback: NSD from Debian's package `nsd`, run as ourselves with a configuration of our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from support.lab_fixtures import REQUIRE

_START_S = 10.0


@contextmanager
def nsd(zones: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Serve zones, given as text by their apex; yields "127.0.0.1:port".

    Skips the test when NSD is not installed, or fails it when SMTPDOC_REQUIRE_SERVERS=1.
    """
    executable = program("nsd")
    port = free_port()
    configuration = folder / "nsd.conf"
    configuration.write_text(_configuration(zones, folder, port), encoding="utf-8")
    with running([executable, "-d", "-c", str(configuration)], port, folder / "nsd.log"):
        yield f"127.0.0.1:{port}"


def program(name: str) -> str:
    """Return the path of a server whose Debian package has the same name; skip or fail the test where it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        _unavailable(f"{name} is not installed (apt-get install {name})")
    return found


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Run a server in the foreground, from the time when it listens on this port of 127.0.0.1 to the end."""
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            _wait_until_up(process, port, log)
            yield
        finally:
            process.terminate()


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{REQUIRE}=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def _configuration(zones: Mapping[str, str], folder: Path, port: int) -> str:
    server = f"""server:
    ip-address: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    pidfile: "{folder}/nsd.pid"
    database: ""
    xfrdfile: "{folder}/xfrd.state"
    zonelistfile: "{folder}/zone.list"
    xfrdir: "{folder}"
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""
    for number, (apex, text) in enumerate(zones.items()):
        (folder / f"{number}.zone").write_text(text, encoding="utf-8")
        server += f'zone:\n    name: "{apex}"\n    zonefile: "{number}.zone"\n'
    return server


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"{log.stem} does not run: {log.read_text(errors='replace')[-2000:]}", pytrace=False)
