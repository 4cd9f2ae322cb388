"""Finding the entries that may match a text without trying, or even compiling, every pattern.

Each pattern is split at its outer `|` into branches. Of each branch we keep words of which one has to stand in the
text for the branch to match; a substring test then sorts out nearly all branches, and only the rest is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from smtpdoc.catalog.model import ReplyEntry

#: Only this much of a reply is searched; patterns are bounded against it.
MAX_CHARS = 8192


#: (anchors, pattern, module number, entry number): one alternative of an entry's pattern. `anchors` are lower-case
#: words of which one is in every match; none mean that the branch has to be tried always. Plain tuples, because
#: start-up loads a thousand of them.
Branch: TypeAlias = "tuple[tuple[str, ...], str, int, int]"


@dataclass(frozen=True, slots=True)
class Hit:
    """A branch that matched: its module and entry numbers, how many characters it matched, and how many of its
    ends are bound to the text's (0 to 2)."""

    module: int
    entry: int
    length: int
    anchored: int


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern the first time it is needed."""
    return re.compile(pattern, re.IGNORECASE)


@cache
def _token() -> re.Pattern[str]:
    # A piece of a regular expression: escape, class, group start, quantifier, other sign, or a run of plain text.
    return re.compile(
        r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:[:=!]|<[=!])|[*+?]\??|\{[0-9,]+\}\??|[().|^$]|[^\\\[(*+?{).|^$]+|\{"
    )


def branches(module: int, entries: Iterable[ReplyEntry]) -> list[Branch]:
    """Return the branches of a module's entries that have a pattern, in the entries' order."""
    return [
        (anchors, text, module, number)
        for number, entry in enumerate(entries)
        if entry.text
        for text, anchors in split(entry.text)
    ]


def search(candidates: Iterable[Branch], text: str, lower: str) -> Iterator[Hit]:
    """Yield the branches that match `text`, in their order; `lower` is the text in lower case."""
    for anchors, pattern, module, number in candidates:
        for anchor in anchors:
            if anchor in lower:
                break
        else:
            if anchors:
                continue
        match = compiled(pattern).search(text)
        if match is not None:
            yield Hit(module, number, match.end() - match.start(), pattern.startswith("^") + pattern.endswith("$"))


def split(pattern: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the outer alternatives of a pattern, each with its anchors.

    >>> split(r"user unknown|no such (?:user|alias)s?")
    [('user unknown', ('user unknown',)), ('no such (?:user|alias)s?', ('no such ',))]
    """
    tokens = _token().findall(pattern)
    found: list[tuple[str, tuple[str, ...]]] = []
    start = depth = 0
    for position, token in enumerate([*tokens, "|"]):
        if token[0] == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "|" and depth == 0:
            part = tokens[start:position]
            found.append(("".join(part), _Reader(part).anchors()))
            start = position + 1
    return found


class _Reader:
    """Reads one branch's tokens for the words that every match must hold."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def anchors(self) -> tuple[str, ...]:
        return tuple(sorted(set(self._alternatives()), key=lambda word: (len(word), word)))

    def _alternatives(self) -> tuple[str, ...]:
        """Read up to the closing parenthesis: one of these words is in every match; () when none can be named."""
        words: tuple[str, ...] = ()
        known = True
        while True:
            best = self._sequence()
            known = known and bool(best)
            words += best
            if self.at >= len(self.tokens) or self.tokens[self.at] == ")":
                return words if known else ()
            self.at += 1  # the "|"

    def _sequence(self) -> tuple[str, ...]:
        best: tuple[str, ...] = ()
        run = ""
        tokens = self.tokens
        while self.at < len(tokens) and tokens[self.at] not in ("|", ")"):
            token = tokens[self.at]
            self.at += 1
            optional = self._optional()
            literal = _literal(token)
            if literal is not None:
                quantified = optional is not None
                # A quantifier binds the last character of a run only.
                run += literal[:-1] if quantified else literal
                if quantified:
                    best, run = _better(best, (run,)), literal[-1] if not optional else ""
                continue
            best, run = _better(best, (run,)), ""
            if token[0] == "(":
                inside = self._alternatives()
                self.at += 1  # the ")"
                if not (self._optional() or token in ("(?!", "(?<!", "(?=", "(?<=")):
                    best = _better(best, inside)
        return _better(best, (run,))

    def _optional(self) -> bool | None:
        """Read a quantifier: True when it allows nothing, False when it needs one, None when there is none."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] in "*+?{" and self.tokens[self.at] != "{":
            token = self.tokens[self.at]
            self.at += 1
            return token[0] in "*?" or token.startswith(("{0", "{,"))
        return None


def _literal(token: str) -> str | None:
    """Return the plain characters that a token stands for, or None for a sign or class."""
    if token[0] == "\\":
        return token[1].lower() if not token[1].isalnum() else None
    if token[0] in "[(.^$)|":
        return None
    return token.lower()


def _better(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Return the more telling of two sets of words: the one whose shortest word is longest."""
    if not right or not all(right):
        return left
    if not left:
        return right
    gain = min(map(len, right)) - min(map(len, left))
    return right if gain > 0 or (gain == 0 and len(right) < len(left)) else left
