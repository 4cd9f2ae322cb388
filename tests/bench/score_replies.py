"""Prints how often the catalog is right about labelled replies: `python tests/bench/score_replies.py [FILE]`.

FILE holds one JSON object a line with `reply`, `reason`, `enhanced`, `provider` and `action`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from smtpdoc.catalog.explain import explain
from smtpdoc.grammar.reply import parse_reply

DEFAULT = Path(__file__).parents[1] / "data" / "replies" / "labelled.jsonl"


@dataclass
class Score:
    """Right answers out of asked ones, by field, and what was wrong."""

    right: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def add(self, name: str, wanted: str | None, got: str | None, row: str, entry: str) -> None:
        self.asked[name] += 1
        if wanted == got:
            self.right[name] += 1
        else:
            self.wrong.append((name, str(wanted), str(got), entry, row))

    def share(self, name: str) -> float:
        return self.right[name] / self.asked[name] if self.asked[name] else 1.0


def score(path: Path) -> Score:
    """Return the score over all rows of a file."""
    result = Score()
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found = explain(parse_reply(row["reply"]))
        text = " ".join(row["reply"].split())
        entry = f"{found.confidence}:{found.entries[0]}"
        result.add("reason", row["reason"], found.reason, text, entry)
        result.add("enhanced", row["enhanced"], found.reply.enhanced, text, entry)
        result.add("action", row["action"], found.action, text, entry)
        if row["provider"] is not None:
            result.add("provider", row["provider"], found.provider, text, entry)
    return result


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    result = score(Path(arguments[0]) if arguments else DEFAULT)
    for name in result.asked:
        print(f"{name:<9} {result.share(name):7.2%}  {result.right[name]} of {result.asked[name]}")
    print("\nmost frequent confusions (field, label, answer):")
    for (name, wanted, got), count in Counter(row[:3] for row in result.wrong).most_common(25):
        print(f"  {count:4} {name:<9} {wanted:<20} {got}")
    if "-v" in sys.argv:
        for name, wanted, got, entry, text in result.wrong:
            print(f"{name} {wanted} -> {got} [{entry}] {text[:160]}")


if __name__ == "__main__":
    main()
