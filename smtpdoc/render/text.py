"""The page that people read: width, wrapping, findings. The three commands' own pages stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import IO, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from smtpdoc.findings import Finding, Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.theme import THEME, Marks, marks_for

#: looks.md: 80 columns hold everything; a wider terminal gets air, not longer lines.
MAX_WIDTH = 100
MIN_WIDTH = 40
INDENT = 2
_WORD = re.compile(r"\s*\S+\s*")
PASTE_INDENT = 8
#: Findings of one id that are told one by one.
ALIKE = 6


class _Console(Console):
    """A console that leaves it to the command line to end the program."""

    def on_broken_pipe(self) -> None:
        """Let the error through: rich would raise SystemExit, which tears an event loop to pieces."""
        raise BrokenPipeError


class Page:
    """A console with a reading width, and the few shapes that all reports are made of."""

    def __init__(
        self,
        out: IO[str],
        *,
        color: Literal["auto", "always", "never"] = "auto",
        quiet: bool = False,
        verbose: bool = False,
        width: int | None = None,
        marks: Marks | None = None,
    ) -> None:
        self.console = _Console(
            file=out,
            theme=THEME,
            force_terminal=True if color == "always" else None,
            # no colour system: no escape sequence at all, bold included
            color_system=None if color == "never" else "auto",
            no_color=False,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self.width = max(MIN_WIDTH, min(self.console.width, MAX_WIDTH))
        self.marks = marks or marks_for(getattr(out, "encoding", None) or "utf-8")
        self.quiet = quiet
        self.verbose = verbose

    # -- lines -------------------------------------------------------------------

    def blank(self) -> None:
        self.console.print()

    def line(self, text: Text | str, style: str = "") -> None:
        """Print one line as it is: never wrapped, never cut."""
        shown = text if isinstance(text, Text) else Text(printable(text), style)
        self.console.print(shown, soft_wrap=True)

    def copyable(self, text: str, indent: int = PASTE_INDENT) -> None:
        """Print something to paste: on a line of its own, unbroken."""
        self.line(self.command_line(text, indent))

    def command_line(self, text: str, indent: int = 0) -> Text:
        return Text(" " * indent).append(printable(text), "command")

    def paragraph(self, text: Text | str, indent: int = 0, style: str = "") -> None:
        """Print wrapped text, all lines indented alike."""
        self.hanging(Text(" " * indent), text, style)

    def hanging(self, first: Text, text: Text | str, style: str = "") -> None:
        """Print `first`, then the text wrapped beside it; words too long for the line stay whole."""
        body = text if isinstance(text, Text) else Text(printable(text), style)
        indent = first.cell_len
        for number, line in enumerate(wrapped(body, max(20, self.width - indent))):
            self.line(Text.assemble(first if number == 0 else " " * indent, line))

    def items(self, items: Iterable[Text], indent: int = INDENT) -> None:
        """Print items side by side, as many on a line as fit, none of them broken."""
        row = Text(" " * indent)
        for item in items:
            if row.cell_len > indent and row.cell_len + 2 + item.cell_len > self.width:
                self.line(row)
                row = Text(" " * indent)
            row.append("  " if row.cell_len > indent else "").append_text(item)
        self.line(row)

    def split(self, left: Text, right: str, style: str = "quiet") -> None:
        """Print `left` with `right` at the right margin, or two spaces behind where it does not fit."""
        if not right:
            self.line(left)
            return
        gap = max(2, self.width - left.cell_len - len(right))
        self.line(Text.assemble(left, " " * gap, (right, style)))

    # -- levels and findings -----------------------------------------------------

    def mark(self, level: Level) -> Text:
        return Text(self.marks[level], str(level))

    def finding(self, finding: Finding) -> None:
        """Print a finding: mark and id, today's sentence, the fix and what to paste. A note is its sentence only."""
        head = Text.assemble(self.mark(finding.level), " ", (finding.id, "head"))
        sentence = printable(finding.message)
        if head.cell_len + 3 + len(sentence) <= self.width:
            self.line(Text.assemble(head, "   ", sentence))
        else:
            self.line(head)
            self.paragraph(sentence, INDENT)
        self._remedy(finding)

    def _remedy(self, finding: Finding) -> None:
        """Print what to do; a note has nothing to do unless verbose."""
        if finding.level is Level.INFO and not self.verbose:
            return
        if self.verbose and finding.why:
            self._labelled("why", finding.why)
        if finding.fix and finding.level is not Level.PASS:
            self._labelled("fix", finding.fix)
        for row in finding.paste:
            self.copyable(row)
        if self.verbose and finding.sources:
            self._labelled("see", f" {self.marks.dot} ".join(source_words(finding)))

    def _labelled(self, label: str, text: str) -> None:
        self.hanging(Text.assemble(" " * INDENT, (f"{label:<4}", "quiet"), "  "), text)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Print findings, worst first (the order within a level is the catalog's), alike ones together."""
        shown = [finding for finding in by_weight(findings) if finding.level is not Level.PASS or self.verbose]
        for _, group in groupby(shown, key=lambda finding: finding.id):
            self._alike(list(group))

    def _alike(self, findings: list[Finding]) -> None:
        """Print findings of one id: what they share once, and of many only the first unless verbose."""
        if not self.verbose:  # several addresses of one host mostly have the same to be said
            findings = list({(one.level, one.message, one.fix, one.paste): one for one in findings}.values())
        shown = findings if self.verbose or len(findings) <= ALIKE + 1 else findings[:ALIKE]
        first, *others = shown
        shared = not self.verbose and all((item.fix, item.paste) == (first.fix, first.paste) for item in others)
        if others and shared:
            self.line(Text.assemble(self.mark(first.level), " ", (first.id, "head")))
            for finding in shown:
                self.paragraph(finding.message, INDENT)
        else:
            for finding in shown:
                self.finding(finding)
        if len(shown) < len(findings):
            self.line(Text(f"  {self.marks.ellipsis} {len(findings) - len(shown)} more of these: --verbose", "quiet"))
        if others and shared:
            self._remedy(first)


def wrapped(text: Text, width: int) -> list[Text]:
    """Return a text in lines of at most `width` cells, broken at blanks only.

    Rich would cut a long word in two; a record, a URL or a command has to survive being copied.

    >>> [line.plain for line in wrapped(Text("see https://example.com/a-long-address for more"), 20)]
    ['see', 'https://example.com/a-long-address', 'for more']
    """
    breaks = []
    column = 0
    for word in _WORD.finditer(text.plain):
        if column and column + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            column = 0
        column += cell_len(word[0])
    lines = list(text.divide(breaks))
    for line in lines:
        line.rstrip()
    return lines


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings worst first, unknown after warnings, order within a level kept."""
    order = {Level.ERROR: 0, Level.WARNING: 1, Level.UNKNOWN: 2, Level.INFO: 3, Level.PASS: 4}
    return sorted(findings, key=lambda finding: order[finding.level])


def source_words(finding: Finding) -> Iterator[str]:
    for source in finding.sources:
        yield printable(str(source))


def tally(findings: Iterable[Finding]) -> str:
    """Return "1 error, 2 warnings", or "no findings".

    >>> tally([])
    'no errors, no warnings'
    """
    levels = [finding.level for finding in findings]
    parts = [
        plural(count, word)
        for level, word in ((Level.ERROR, "error"), (Level.WARNING, "warning"), (Level.UNKNOWN, "undetermined"))
        if (count := levels.count(level))
    ]
    return ", ".join(parts) or "no errors, no warnings"


def plural(count: int, word: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "warning"), plural(2, "lookup"), plural(2, "undetermined"), plural(2, "address"), plural(2, "reply")
    ('1 warning', '2 lookups', '2 undetermined', '2 addresses', '2 replies')
    """
    if count == 1 or word == "undetermined":
        return f"{count} {word}"
    if word.endswith(("ly", "ry")):
        return f"{count} {word[:-1]}ies"
    return f"{count} {word}es" if word.endswith("s") else f"{count} {word}s"


def duration(seconds: int) -> str:
    """Return a waiting time in words.

    >>> duration(300), duration(5400), duration(172800)
    ('5 min', '1.5 h', '2 days')
    """
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{round(seconds / 60)} min"
    if seconds < 2 * 86400:
        return f"{round(seconds / 3600, 1):g} h"
    return f"{round(seconds / 86400, 1):g} days"
