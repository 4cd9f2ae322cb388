"""Colours and marks. Colour only underlines: whatever it says, a mark or a word says too."""

from __future__ import annotations

from dataclasses import dataclass

from rich.theme import Theme

from smtpdoc.findings import Level

THEME = Theme(
    {
        "pass": "green",
        "info": "none",
        "unknown": "magenta",
        "warning": "yellow",
        "error": "bold red",
        "head": "bold",
        "quiet": "dim",
        "command": "cyan",
        "sent": "none",
        "received": "none",
        "time": "dim",
        "note": "dim",
    },
    inherit=False,
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs of one character set."""

    levels: dict[Level, str]
    dot: str
    bar: str
    branch: str
    last: str
    stem: str
    ellipsis: str

    def __getitem__(self, level: Level) -> str:
        return self.levels[level]


UNICODE = Marks(
    levels={Level.PASS: "✔", Level.INFO: "·", Level.UNKNOWN: "?", Level.WARNING: "▲", Level.ERROR: "✖"},
    dot="·",
    bar="│",
    branch="├",
    last="└",
    stem="│",
    ellipsis="…",
)

ASCII = Marks(
    levels={Level.PASS: "+", Level.INFO: "-", Level.UNKNOWN: "?", Level.WARNING: "!", Level.ERROR: "x"},
    dot="-",
    bar="|",
    branch="|",
    last="`",
    stem="|",
    ellipsis="...",
)


def marks_for(encoding: str | None) -> Marks:
    """Return the marks that an output encoding can show."""
    try:
        "✔▲✖·│├└…".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
