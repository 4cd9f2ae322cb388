"""The lab: real mail servers from Debian's packages, on loopback, started when the first test wants them.

`Lab` belongs to the process that runs the tests; with pytest-xdist each worker opens the same one by its state
directory. See tests/servers/README.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.pki import DH_1024, SHELF, write_shelf

SERVERS_DIR = Path(__file__).parent.parent / "servers"

DOMAIN = "lab.example"
HOST = f"mx.{DOMAIN}"
USER = "alice"
PASSWORD = "s3cret-Pa55"
TOKEN = "token-ok"

#: In the order of their blocks of a hundred ports.
NAMES = ("dovecot", "postfix", "exim", "opensmtpd", "sendmail")
PORT_BASE = 31000  # below the ephemeral ports of Linux
START_S = 20.0
END_S = 10.0

#: Ports every server has (Dovecot has no MX), as offsets in its block.
COMMON_PORTS = {"mx": 25, "submission": 87, "smtps": 65}

#: What only one server has: what it is for → offset.
DOVECOT_PORTS = {"sasl": 90}
POSTFIX_PORTS = {
    "policy": 99,
    "postscreen": 26,  # greets after two seconds
    "auth-in-clear": 30,  # offers AUTH before TLS
    "no-starttls": 31,
    "old-tls": 32,  # TLS 1.0 only
    "refuses": 33,  # 554 in place of a greeting
    "bare-ehlo": 34,  # not one capability
    "open-relay": 35,  # accepts every recipient (and would discard the mail)
    "xclient": 36,  # trusts XCLIENT from loopback
    "proxy": 37,  # wants a PROXY header first
    "greylist": 61,  # Debian's postgrey, with a delay of two seconds; it lets bob's mail through
    "greylist-at-data": 62,  # the same, once it has heard DATA
    "postgrey": 98,
    "p-384": 38,  # takes keys of this curve only
    "dh-1024": 39,  # TLS 1.2 with a short Diffie-Hellman prime
    "rsa-key-exchange": 60,  # TLS 1.2 without forward secrecy
    **{f"certificate-{name}": 40 + index for index, name in enumerate(SHELF)},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the servers of one run listen: server → use → port, all on one address."""

    address: str
    ports: dict[str, dict[str, int]]


class LabUnavailableError(Exception):
    """Why no real server can run here; a sentence for a skip."""


class LabBrokenError(Exception):
    """A server was expected to start and did not; with the end of its log."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A running server. `address` is where it listens, `host` the name in its certificate."""

    name: str
    address: str
    ports: Mapping[str, int]
    ca_file: Path
    host: str = HOST
    domain: str = DOMAIN
    user: str = USER
    password: str = PASSWORD
    token: str = TOKEN

    @property
    def mx_port(self) -> int:
        return self.ports["mx"]

    @property
    def submission_port(self) -> int:
        return self.ports["submission"]

    @property
    def smtps_port(self) -> int:
        return self.ports["smtps"]

    def certificate_port(self, name: str) -> int:
        """Return the port that serves this certificate of `pki.SHELF` after STARTTLS (Postfix only)."""
        return self.ports[f"certificate-{name}"]


class Lab:
    """All servers of one test run. `state` is its directory; `OwnedLab` makes and removes it."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def server(self, name: str) -> MailServer:
        """Return a server that runs; the first to ask starts it. Raises LabUnavailableError or LabBrokenError."""
        if reason := unavailable(name):
            raise LabUnavailableError(reason)
        if name == "postfix":
            self.server("dovecot")  # its SASL service
        plan = self._prepare()
        with _locked(self.state / f"{name}.lock"):
            if not (self.state / name / "ready").exists():
                self._start(name, plan)
        return MailServer(name, plan.address, plan.ports[name], self.state / "pki" / "ca.pem")

    def _prepare(self) -> Plan:
        """Make the certificates and decide on address and ports, once in a run."""
        file = self.state / "ports.json"
        with _locked(self.state / "prepare.lock"):
            if not file.exists():
                (self.state / "pki").mkdir()
                shutil.copytree(SERVERS_DIR / "conf", self.state / "conf")
                # An address of its own for every run, so that two runs on one machine share no port.
                address = ".".join(["127", *(str(1 + secrets.randbelow(253)) for _ in range(3))])
                write_shelf(self.state / "pki", HOST, address)
                (self.state / "pki" / "dh-1024.pem").write_text(DH_1024)
                file.write_text(json.dumps({"address": address, "ports": _port_plan()}))
        return Plan(**json.loads(file.read_text()))

    def _start(self, name: str, plan: Plan) -> None:
        directory = self.state / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (directory / "settings").write_text(_settings(name, plan, self.state / "pki"))
        with (directory / "log").open("ab") as log:
            # Detached: Ctrl-C is for the tests, and the worker that starts a server may end before the others.
            keeper = [sys.executable, SERVERS_DIR / "lab_keeper.py", name, cache_dir() / "root" / name, self.state]
            subprocess.run(
                ["setsid", "--fork", *map(str, keeper)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
        first_port = plan.ports[name]["submission" if name == "dovecot" else "mx"]
        deadline = time.monotonic() + START_S
        while not listens(plan.address, first_port):
            if (directory / "ended").exists() or time.monotonic() > deadline:
                log_end = (directory / "log").read_text(errors="replace")[-2000:]
                raise LabBrokenError(
                    f"{name} did not open port {first_port} of {plan.address}; its log ends:\n{log_end}"
                )
            time.sleep(0.05)
        (directory / "ready").touch()


class OwnedLab(Lab):
    """The lab of the run that made it. Its servers live until `close`, or until this process ends in any other way."""

    def __init__(self) -> None:
        state = Path(tempfile.mkdtemp(prefix="smtpdoc-lab-")).resolve()
        state.chmod(0o755)  # the servers' own users read their certificates here
        self._alive = (state / "alive").open("wb")
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        super().__init__(state)

    def close(self) -> None:
        """End all servers, wait for that, and remove the state."""
        keepers = [int(file.read_text()) for file in self.state.glob("*/keeper.pid")]
        self._alive.close()
        deadline = time.monotonic() + END_S
        while any(_runs(pid) for pid in keepers) and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(self.state, ignore_errors=True)


def cache_dir() -> Path:
    """Return the directory where tests/servers/fetch unpacks the servers."""
    if given := os.environ.get("SMTPDOC_LAB_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smtpdoc-lab"


def unavailable(name: str) -> str | None:
    """Return why this server cannot run on this machine, as a sentence, or None when it should."""
    if not sys.platform.startswith("linux"):
        return f"real mail servers need Linux, this is {sys.platform}"
    if os.geteuid() != 0:
        return "real mail servers need root, for namespaces of their own"
    for tool in ("unshare", "setpriv", "setsid", "mount", "chroot"):
        if shutil.which(tool) is None:
            return f"real mail servers need the program {tool}"
    if not (cache_dir() / "root" / name / ".done").exists():
        return f"{name} is not unpacked in {cache_dir()}; run tests/servers/fetch"
    return _no_overlay()


def _no_overlay() -> str | None:
    """Try what `enter` does, in a namespace that is gone at once."""
    trial = (
        'd=$(mktemp -d) && trap "rmdir $d" EXIT && mount -t tmpfs tmpfs $d && mkdir $d/l $d/u $d/w $d/m'
        " && mount -t overlay overlay -o lowerdir=$d/l:/,upperdir=$d/u,workdir=$d/w $d/m && umount $d/m $d"
    )
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", trial],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode == 0:
        return None
    return f"real mail servers need namespaces and overlayfs: {tried.stderr.strip() or 'not allowed here'}"


def _settings(name: str, plan: Plan, pki: Path) -> str:
    """Return what conf/NAME.sh reads: shell variables, one per line."""
    own, postfix = plan.ports[name], plan.ports["postfix"]
    settings: dict[str, object] = {
        "ADDRESS": plan.address,
        "HOST": HOST,
        "DOMAIN": DOMAIN,
        "PKI": pki,
        "LOGS": pki.parent / name,
        "LAB_USER": USER,
        "LAB_PASSWORD": PASSWORD,
        "LAB_TOKEN": TOKEN,
        "SASL_PORT": plan.ports["dovecot"]["sasl"],
        "CERTIFICATE_PORTS": " ".join(f"{each}:{postfix[f'certificate-{each}']}" for each in SHELF),
    }
    for use, port in {**postfix, **own}.items():
        settings[f"{use.replace('-', '_').upper()}_PORT"] = port
    return "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items())


def _port_plan() -> dict[str, dict[str, int]]:
    base = int(os.environ.get("SMTPDOC_LAB_PORT_BASE", PORT_BASE))
    own = {"dovecot": DOVECOT_PORTS, "postfix": POSTFIX_PORTS}
    return {
        name: {use: base + 100 * index + offset for use, offset in {**COMMON_PORTS, **own.get(name, {})}.items()}
        for index, name in enumerate(NAMES)
    }


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def listens(address: str, port: int) -> bool:
    """Say whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
