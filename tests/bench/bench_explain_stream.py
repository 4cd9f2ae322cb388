"""Replies per second of `smtpdoc explain - --format jsonl`, as whole processes. See README.md."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LABELLED = Path(__file__).parent.parent / "data" / "replies" / "labelled.jsonl"

#: The cheapest program that does the same reading and writing: what any explaining costs comes on top.
ECHO = """
import json, sys
for line in sys.stdin:
    sys.stdout.write(json.dumps({"input": line.rstrip("\\n")}, ensure_ascii=False) + "\\n")
"""


def replies() -> list[str]:
    """Return the labelled replies, each on one line."""
    with LABELLED.open(encoding="utf-8") as rows:
        return [" ".join(json.loads(row)["reply"].split()) for row in rows]


def renumbered(text: str, chance: random.Random) -> str:
    """Return a reply with other ids in it: digits of long words change, words and codes stay."""
    words = text.split(" ")
    for at, word in enumerate(words):
        if len(word) > 9 and any(char.isdigit() for char in word) and "." not in word:
            words[at] = "".join(str(chance.randrange(10)) if char.isdigit() else char for char in word)
    return " ".join(words) + f" [{chance.getrandbits(48):012x}]"


def seconds_for(command: list[str], lines: list[str]) -> float:
    """Run a command with these lines on its stdin and return how long the whole process took."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(("\n".join(lines) + "\n").encode())
        source.seek(0)
        start = time.perf_counter()
        ran = subprocess.run(command, stdin=source, stdout=target, check=False)
        elapsed = time.perf_counter() - start
        target.seek(0)
        answered = sum(1 for _ in target)
    if answered != len(lines) or ran.returncode not in (0, 3):
        raise RuntimeError(f"{command[0]} ended with {ran.returncode} and answered {answered} of {len(lines)} lines")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3, metavar="ROUNDS", help="runs of each (default: 3)")
    parser.add_argument("--times", type=int, default=100, help="how often the corpus is repeated (default: 100)")
    arguments = parser.parse_args()
    explain = [str(Path(sys.executable).with_name("smtpdoc")), "explain", "-", "--format", "jsonl"]
    echo = [sys.executable, "-c", ECHO]
    corpus, chance = replies(), random.Random(1)
    inputs = {
        "repeated": corpus * arguments.times,
        "other ids": [renumbered(text, chance) for _ in range(max(1, arguments.times // 20)) for text in corpus],
        "each once": corpus,
    }
    for name, lines in inputs.items():
        ours = min(seconds_for(explain, lines) for _ in range(arguments.n))
        theirs = min(seconds_for(echo, lines) for _ in range(arguments.n))
        print(
            f"{name:10} {len(lines):7} replies  {len(lines) / ours:9,.0f} replies/s"
            f"  ({ours:.2f} s, {ours / theirs:.1f} times a plain JSON echo)"
        )


if __name__ == "__main__":
    main()
