"""Writes prepared.py, so that start-up reads no entry that the reply has nothing to do with.

Run `python -m smtpdoc.catalog.replies.prepare` after a change to entries. Nothing breaks without it: a prepared.py
that does not fit is not used, and `explain` starts some hundredths of a second later.
"""

from __future__ import annotations

from pathlib import Path

from smtpdoc.catalog.replies import build, sizes

HEAD = '''"""Written by prepare.py: the branches of all patterns with their anchors. Do not edit."""

from __future__ import annotations

# fmt: off
'''


def source() -> str:
    """Return the text of prepared.py for the entries as they are."""
    rows, codes = build()
    parts = [HEAD, "SIZES: dict[str, int] = {\n"]
    parts += [f"    {name!r}: {size},\n" for name, size in sizes().items()]
    parts.append("}\n\nBRANCHES: tuple[tuple[tuple[str, ...], str, int, int, tuple[tuple[str, ...], ...]], ...] = (\n")
    parts += [f"    {row!r},\n" for row in rows]
    parts.append(")\n\nCODE_ROWS: tuple[tuple[str, tuple[int, ...], str | None, int, int], ...] = (\n")
    parts += [f"    {row!r},\n" for row in codes]
    parts.append(")\n")
    return "".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("prepared.py").write_text(source(), encoding="utf-8")
