"""A whole `smtpdoc probe` of a real Postfix, as a ratio to swaks doing the same. As root. See README.md."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.alternate import duel
from support.lab import HOST, LabUnavailableError, MailServer, OwnedLab
from support.slow_wire import slow_wire

AIM = 1.5


def commands(server: MailServer, port: int) -> tuple[list[str], list[str]]:
    """Return our command and swaks's: greeting, EHLO, STARTTLS, EHLO, QUIT, the certificate verified."""
    smtpdoc = Path(sys.executable).with_name("smtpdoc")
    probe = [str(smtpdoc), "probe", f"{server.address}:{port}", "--server-name", HOST]
    probe += ["--quit-after", "starttls", "--ca-file", str(server.ca_file), "--helo", "probe.example"]
    probe += ["--format", "json"]
    swaks = ["swaks", "--server", server.address, "--port", str(port), "--helo", "probe.example"]
    # HELO is the EHLO after STARTTLS here; --quit-after TLS would leave before it.
    swaks += ["--tls", "--tls-verify", "--tls-ca-path", str(server.ca_file), "--quit-after", "HELO"]
    return probe, [*swaks, "--to", "bob@lab.example"]


def compare(server: MailServer, port: int, rounds: int) -> None:
    probe, swaks = commands(server, port)
    print(*duel(probe, swaks, rounds).lines("smtpdoc probe", "swaks", AIM), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=21, metavar="ROUNDS", help="runs of each (default: 21)")
    parser.add_argument("--rtt-ms", type=float, default=30.0, metavar="MS", help="the distance in the second duel")
    arguments = parser.parse_args()
    if shutil.which("swaks") is None:
        sys.exit("swaks is not installed (Debian: swaks, libnet-ssleay-perl)")
    lab = OwnedLab()
    try:
        server = lab.server("postfix")
        print("loopback:")
        compare(server, server.mx_port, arguments.n)
        print(f"\nthe same server {arguments.rtt_ms:g} ms away:")
        with slow_wire(server.address, server.mx_port, arguments.rtt_ms / 1000) as port:
            compare(server, port, arguments.n)
    except LabUnavailableError as reason:
        sys.exit(str(reason))
    finally:
        lab.close()


if __name__ == "__main__":
    main()
