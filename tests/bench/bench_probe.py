"""A whole `smtpdoc probe` of a real Postfix, as a ratio to swaks doing the same. As root. See README.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.alternate import duel
from support.lab import HOST, LabUnavailableError, MailServer, OwnedLab
from support.slow_wire import slow_wire

#: Round trip time in ms → the ratio to stay below, for a session up to the second EHLO and for one up to RCPT TO.
AIMS = {0.0: (1.5, 1.5), 30.0: (1.5, 1.5), 50.0: (1.0, 0.9)}


@dataclass(frozen=True, slots=True)
class Errand:
    """The same errand for both programs, and the port of the server that it is run on."""

    name: str
    port: int
    probe: Sequence[str]
    swaks: Sequence[str]


def errands(server: MailServer, password_file: Path) -> tuple[Errand, Errand]:
    sender, recipient = f"{server.user}@{server.domain}", f"bob@{server.domain}"
    login = ["--from", sender, "--to", recipient, "--auth", "PLAIN", "--auth-user", server.user]
    return (
        # HELO is the EHLO after STARTTLS for swaks; --quit-after TLS would leave before it.
        Errand(
            "greeting, EHLO, STARTTLS, EHLO, QUIT",
            server.mx_port,
            ["--quit-after", "starttls"],
            ["--quit-after", "HELO", "--to", recipient],
        ),
        Errand(
            "greeting, EHLO, STARTTLS, EHLO, AUTH PLAIN, MAIL, RCPT, QUIT",
            server.submission_port,
            [*login, "--auth-password-file", str(password_file)],
            [*login, "--auth-password", server.password, "--quit-after", "RCPT"],
        ),
    )


def compare(server: MailServer, errand: Errand, port: int, form: str, rounds: int, aim: float) -> None:
    smtpdoc = Path(sys.executable).with_name("smtpdoc")
    probe = [str(smtpdoc), "probe", f"{server.address}:{port}", "--server-name", HOST, "--helo", "probe.example"]
    probe += ["--ca-file", str(server.ca_file), "--format", form, *errand.probe]
    swaks = ["swaks", "--server", server.address, "--port", str(port), "--helo", "probe.example"]
    swaks += ["--tls", "--tls-verify", "--tls-ca-path", str(server.ca_file), *errand.swaks]
    print(*duel(probe, swaks, rounds).lines("smtpdoc probe", "swaks", aim), sep="\n")


def wire(server: MailServer, port: int, rtt_ms: float) -> AbstractContextManager[int]:
    return slow_wire(server.address, port, rtt_ms / 1000) if rtt_ms else nullcontext(port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=21, metavar="ROUNDS", help="runs of each (default: 21)")
    parser.add_argument(
        "--rtt-ms", type=float, action="append", metavar="MS", help="the distance; 0 is loopback (default: 0, 30, 50)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what we print (default: text)")
    arguments = parser.parse_args()
    if shutil.which("swaks") is None:
        sys.exit("swaks is not installed (Debian: swaks, libnet-ssleay-perl)")
    lab = OwnedLab()
    try:
        server = lab.server("postfix")
        with tempfile.NamedTemporaryFile("w", prefix="smtpdoc-bench-") as password_file:
            password_file.write(server.password + "\n")
            password_file.flush()
            for rtt_ms in arguments.rtt_ms or AIMS:
                aims = AIMS.get(rtt_ms, AIMS[30.0])
                for errand, aim in zip(errands(server, Path(password_file.name)), aims, strict=True):
                    print(f"\n{rtt_ms:g} ms away: {errand.name}")
                    with wire(server, errand.port, rtt_ms) as port:
                        compare(server, errand, port, arguments.format, arguments.n, aim)
    except LabUnavailableError as reason:
        sys.exit(str(reason))
    finally:
        lab.close()


if __name__ == "__main__":
    main()
