"""Keeps one server of the lab while the test run that wanted it lives:  lab_keeper.py SERVER UNPACKED STATE

The run holds a lock on STATE/alive. However it ends, even by SIGKILL, the kernel gives the lock back, and the keeper
that waits for it ends its server. Should the keeper itself die, the kernel kills the server with it (see `enter`).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from lab_policy import Handler, PolicyServer

ENTER = Path(__file__).with_name("enter")


def keep(server: str, unpacked: str, state: Path) -> None:
    """Start the server and wait until it ends, by itself or because the run did."""
    (state / server / "keeper.pid").write_text(str(os.getpid()))
    try:
        if server == "postfix":
            plan = json.loads((state / "ports.json").read_text())
            policy = PolicyServer((plan["address"], plan["ports"]["postfix"]["policy"]), Handler)
            threading.Thread(target=policy.serve_forever, daemon=True).start()
        # Its log is our own output, see Lab.server.
        running = subprocess.Popen([str(ENTER), server, unpacked, str(state)], stdin=subprocess.DEVNULL)
        threading.Thread(target=_end_with_the_run, args=(state, running), daemon=True).start()
        running.wait()
    finally:
        (state / server / "ended").touch()
    if _run_is_over(state):
        shutil.rmtree(state, ignore_errors=True)  # nobody else will, after a SIGKILL


def _end_with_the_run(state: Path, running: subprocess.Popen[bytes]) -> None:
    with (state / "alive").open("rb") as alive:
        fcntl.flock(alive, fcntl.LOCK_SH)  # granted when the run has let go of it
    running.kill()


def _run_is_over(state: Path) -> bool:
    try:
        with (state / "alive").open("rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:  # another keeper was faster
        return True
    return True


if __name__ == "__main__":
    name, root, directory = sys.argv[1:]
    keep(name, root, Path(directory))
