"""auth-check against checkdmarc, over a name server that takes 30 ms for every answer. As root. See README.md."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.alternate import ENVIRONMENT, duel
from support.latency_dns import OwnedDns, latency_dns

from smtpdoc import auth_check

DATA = Path(__file__).parent.parent / "data" / "bulk"
ZONE = DATA / "bulk.zone"
SMTPDOC = str(Path(sys.executable).with_name("smtpdoc"))
#: checkdmarc takes no port, so this is an address of our own on port 53.
LISTEN = "127.0.0.153:53"
DELAY_MS = 30.0
AIM_ONE, AIM_BULK, AIM_MB = 8, 40, 300

#: Domains and the longest chain of questions that depend on each other: MX, A, PTR, A of the PTR's name where that
#: is another one; or the levels of the SPF tree.
FLOORS = {"bulk000.test": 3, "bulk001.test": 4, "bulk002.test": 3, "bulk003.test": 3}

#: Times each domain in one process, with every cache of the library emptied before.
THEIRS = """
import gc, sys, time
import checkdmarc, expiringdict
nameserver, *domains = sys.argv[1:]
for domain in domains:
    for cache in gc.get_objects():
        if isinstance(cache, expiringdict.ExpiringDict):
            cache.clear()
    start = time.perf_counter()
    checkdmarc.check_domains([domain], nameservers=[nameserver], check_mx_tls=False)
    print(time.perf_counter() - start)
"""


def names(count: int) -> list[str]:
    listed = (DATA / "bulk.txt").read_text().split()
    return [listed[number * 7 % len(listed)] for number in range(count)]


def in_process(theirs: Path, count: int, nameserver: str) -> None:
    """Each domain by itself, without the start of Python: ours and theirs in turn would share no process."""
    domains = names(count)
    ours_s = []
    for domain in domains:
        start = time.perf_counter()
        auth_check(domain, nameservers=[nameserver])
        ours_s.append(time.perf_counter() - start)
    command = [str(theirs.with_name("python")), "-c", THEIRS, nameserver, *domains]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    theirs_s = [float(line) for line in ran.stdout.split()]
    mine, other = statistics.median(ours_s), statistics.median(theirs_s)
    print(f"one domain, in process ({count} domains, no cache shared)")
    print(f"  smtpdoc     median {mine * 1000:7.1f} ms   best {min(ours_s) * 1000:7.1f} ms")
    print(f"  checkdmarc  median {other * 1000:7.1f} ms   best {min(theirs_s) * 1000:7.1f} ms")
    print(f"  {other / mine:.1f} times as fast (aim: {AIM_ONE})")


def whole_process(theirs: Path, rounds: int, nameserver: str) -> None:
    """The same as commands, start-up included."""
    ours = [SMTPDOC, "auth-check", "bulk001.test", "--nameserver", nameserver, "--fail-on", "never", "--json"]
    result = duel(ours, [str(theirs), "bulk001.test", "-n", nameserver], rounds)
    print(f"one domain, as a command ({rounds} rounds)")
    for name, times in (("smtpdoc", result.ours_s), ("checkdmarc", result.theirs_s)):
        print(f"  {name:10}  median {statistics.median(times) * 1000:7.1f} ms   best {min(times) * 1000:7.1f} ms")
    print(f"  {1 / result.median_ratio:.1f} times as fast, median of pairs")


def bulk(theirs: Path, sample: int, nameserver: str) -> None:
    """The list of 200 as one command; theirs over the first `sample` of them, scaled."""
    listed = DATA / "bulk.txt"
    count = len(listed.read_text().split())
    ours = [SMTPDOC, "auth-check", "--from-file", str(listed), "--nameserver", nameserver, "--format", "jsonl"]
    ours_s = statistics.median(timed([*ours, "--fail-on", "never"]) for _ in range(3))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as part:
        part.write("\n".join(listed.read_text().split()[:sample]) + "\n")
        part.flush()
        theirs_s = timed([str(theirs), part.name, "-n", nameserver]) * count / sample
    measured = "measured" if sample == count else f"from {sample}"
    print(f"{count} domains, as a command")
    print(f"  smtpdoc     {ours_s:7.2f} s, {count / ours_s:.0f} domains a second")
    print(f"  checkdmarc  {theirs_s:7.2f} s ({measured})")
    print(f"  {theirs_s / ours_s:.0f} times as fast (aim: {AIM_BULK})")


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def chains(server: OwnedDns) -> None:
    print("sequential round trips, seen by the name server")
    for domain, floor in FLOORS.items():
        seen = []
        for _ in range(5):
            server.reset()
            auth_check(domain, nameservers=[server.address])
            seen.append(server.stats())
        best = min(seen, key=lambda stats: stats.chain)
        print(f"  {domain}  {best.chain} (floor {floor}, aim {floor + 1}), {best.queries} queries")


def memory(count: int) -> None:
    """Peak resident size of one run over so many domains, without any delay."""
    listed = (DATA / "bulk.txt").read_text().split()
    with latency_dns(ZONE, 0, "127.0.0.1:0") as server, tempfile.NamedTemporaryFile("w", suffix=".txt") as part:
        part.writelines(
            name.replace(".test", f"-{copy}.test\n") for copy in range(-(-count // len(listed))) for name in listed
        )
        part.flush()
        command = [SMTPDOC, "auth-check", "--from-file", part.name, "--nameserver", server.address, "--json"]
        start = time.perf_counter()
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen(command, stdout=nowhere, env=ENVIRONMENT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        elapsed_s = time.perf_counter() - start
        print(f"{count} domains as one JSON array: exit code {process.returncode}, {elapsed_s:.0f} s")
        print(f"  peak memory {usage.ru_maxrss / 1024:.0f} MB (aim: {AIM_MB}), {server.stats().queries} queries")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkdmarc",
        type=Path,
        default=os.environ.get("CHECKDMARC"),
        metavar="PROGRAM",
        help="its command, in an environment of its own (default: $CHECKDMARC; without it ours is measured alone)",
    )
    parser.add_argument("-n", type=int, default=15, metavar="ROUNDS", help="runs of each (default: 15)")
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="domains of the list for checkdmarc")
    parser.add_argument("--memory", type=int, default=10_000, metavar="N", help="domains in one run; 0 to leave out")
    asked = parser.parse_args()
    host, _, _ = LISTEN.rpartition(":")
    with latency_dns(ZONE, DELAY_MS, LISTEN) as server:
        chains(server)
        if asked.checkdmarc is not None:
            in_process(asked.checkdmarc, asked.n, host)
            whole_process(asked.checkdmarc, asked.n, host)
            bulk(asked.checkdmarc, asked.sample, host)
    if asked.memory:
        memory(asked.memory)


if __name__ == "__main__":
    main()
