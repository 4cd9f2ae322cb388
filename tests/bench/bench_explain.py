"""Cold start of `smtpdoc explain`, as a ratio to the import of the libraries it cannot do without. See README.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.alternate import duel

AIM = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=21, metavar="ROUNDS", help="runs of each (default: 21)")
    rounds = parser.parse_args().n
    smtpdoc = Path(sys.executable).with_name("smtpdoc")
    explain = [str(smtpdoc), "explain", "550 5.1.1 x"]
    imports = [sys.executable, "-c", "import click, rich.console"]

    print(*duel(explain, imports, rounds).lines("smtpdoc explain", "import click, rich.console", AIM), sep="\n")


if __name__ == "__main__":
    main()
