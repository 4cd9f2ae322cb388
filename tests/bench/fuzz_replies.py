"""Garbled replies through reading, explaining and JSON: exceptions, slow ones, broken JSON. See README.md."""

from __future__ import annotations

import argparse
import heapq
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.garbled import garbled

import smtpdoc
from smtpdoc.render.json_v1 import dumps, report_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=100_000, metavar="COUNT", help="texts (default: 100000)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    slowest: list[tuple[float, bytes]] = []
    start = time.perf_counter()
    for data in garbled(arguments.n, arguments.seed):
        begun = time.process_time()
        line = dumps(report_json(smtpdoc.explain(data.decode("utf-8", "surrogateescape"))))
        took_s = time.process_time() - begun
        json.loads(line)
        if len(slowest) < 5:
            heapq.heappush(slowest, (took_s, data))
        elif took_s > slowest[0][0]:
            heapq.heapreplace(slowest, (took_s, data))
    print(f"{arguments.n} texts in {time.perf_counter() - start:.0f} s; the slowest:")
    for took_s, data in sorted(slowest, reverse=True):
        print(f"  {took_s * 1000:6.1f} ms  {len(data):5} bytes  {data[:70]!r}")


if __name__ == "__main__":
    main()
