"""Finding the entries that may match a text without trying, or even compiling, every pattern.

Each pattern is split at its outer `|` into branches. Of each branch we keep words of which one has to stand in the
text for the branch to match; a substring test then sorts out nearly all branches, and only the rest is compiled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from smtpdoc.catalog.model import ReplyEntry

#: Only this much of a reply is searched; patterns are bounded against it.
MAX_CHARS = 8192


#: (anchors, pattern, module number, entry number, more): one alternative of an entry's pattern. `anchors` are
#: lower-case words of which one is in every match; none mean that the branch has to be tried always. `more` are further
#: such groups of words, each with one that is in every match. Plain tuples, because start-up loads thousands of them.
Branch: TypeAlias = "tuple[tuple[str, ...], str, int, int, tuple[tuple[str, ...], ...]]"


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
        (groups[0] if groups else (), text, module, number, groups[1:])
        for number, entry in enumerate(entries)
        if entry.text
        for text, groups in split(entry.text)
    ]


def search(candidates: Iterable[Branch], text: str, lower: str) -> Iterator[Hit]:
    """Yield the branches that match `text`, in their order; `lower` is the text in lower case."""
    for branch in candidates:
        for anchor in branch[0]:
            if anchor in lower:
                break
        else:
            if branch[0]:
                continue
        if (hit := _try(branch, text, lower)) is not None:
            yield hit


def _try(branch: Branch, text: str, lower: str) -> Hit | None:
    """Search a branch of which an anchor stands in the text."""
    anchors, pattern, module, number, more = branch
    for group in more:
        for word in group:
            if word in lower:
                break
        else:
            return None
    if len(anchors) == 1 and len(anchors[0]) == len(pattern):
        return Hit(module, number, len(pattern), 0)  # plain words, seen already: there is nothing to compile
    match = compiled(pattern).search(text)
    if match is None:
        return None
    return Hit(module, number, match.end() - match.start(), pattern.startswith("^") + pattern.endswith("$"))


class Index:
    """Branches to search many texts with.

    The first texts try the anchors one by one. After that each anchor is filed under a piece of it, four letters
    long and as rare as can be, and a text asks only for the pieces that it holds: the same hits, ten times as fast.
    """

    __slots__ = ("_always", "_branches", "_pieces", "_searches")

    def __init__(self, branches: tuple[Branch, ...]) -> None:
        self._branches = branches
        self._searches = 0
        self._pieces: dict[str, list[tuple[str, int]]] = {}
        self._always: list[tuple[str, int]] = []

    def search(self, text: str, lower: str) -> Iterator[Hit]:
        """Yield the branches that match `text`, in their order; `lower` is the text in lower case."""
        if self._searches < _WORTH_FILING:
            self._searches += 1
            return search(self._branches, text, lower)
        if not self._pieces:
            self._file()
        return self._quick(text, lower)

    def _quick(self, text: str, lower: str) -> Iterator[Hit]:
        pieces = {lower[at : at + _PIECE] for at in range(len(lower) - _PIECE + 1)}
        found = {number for anchor, number in self._always if anchor in lower}
        for piece in self._pieces.keys() & pieces:
            found.update([number for anchor, number in self._pieces[piece] if anchor in lower])
        for number in sorted(found):
            if (hit := _try(self._branches[number], text, lower)) is not None:
                yield hit

    def _file(self) -> None:
        anchors = [(anchor, number) for number, row in enumerate(self._branches) for anchor in row[0] or ("",)]
        common: Counter[str] = Counter(piece for anchor, _ in anchors for piece in _pieces(anchor))
        for anchor, number in anchors:
            rarest = min(_pieces(anchor), key=common.__getitem__, default=None)
            place = self._always if rarest is None else self._pieces.setdefault(rarest, [])
            place.append((anchor, number))


#: So many searches are done before the anchors are filed, which takes as long as some twenty searches.
_WORTH_FILING = 16
_PIECE = 4


def _pieces(anchor: str) -> set[str]:
    return {anchor[at : at + _PIECE] for at in range(len(anchor) - _PIECE + 1)}


def split(pattern: str) -> list[tuple[str, tuple[tuple[str, ...], ...]]]:
    """Return the outer alternatives of a pattern, each with groups of words, the most telling group first.

    One word of each group is in every match, in lower case.

    >>> split(r"user unknown|no such (?:user|alias)s?")
    [('user unknown', (('user unknown',),)), ('no such (?:user|alias)s?', (('no such ',), ('user', 'alias')))]
    """
    tokens = _token().findall(pattern)
    found: list[tuple[str, tuple[tuple[str, ...], ...]]] = []
    start = depth = 0
    for position, token in enumerate([*tokens, "|"]):
        if token[0] == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "|" and depth == 0:
            part = tokens[start:position]
            found.append(("".join(part), _Reader(part).groups()))
            start = position + 1
    return found


#: Shorter words are in most texts, and are no use beside a longer one.
_SHORT = 3


class _Reader:
    """Reads one branch's tokens for the words that every match must hold."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of words; a branch has no outer `|`, so that all parts of it are in every match."""
        needed: list[tuple[str, ...]] = []
        best = self._sequence(needed)
        more = dict.fromkeys(_in_order(group) for group in needed if all(len(word) >= _SHORT for word in group))
        more.pop(_in_order(best), None)
        return (_in_order(best), *more) if best else ()

    def _alternatives(self) -> tuple[str, ...]:
        """Read up to the closing parenthesis: one of these words is in every match; () when none can be named."""
        words: tuple[str, ...] = ()
        known = True
        while True:
            best = self._sequence([])
            known = known and bool(best)
            words += best
            if self.at >= len(self.tokens) or self.tokens[self.at] == ")":
                return words if known else ()
            self.at += 1  # the "|"

    def _sequence(self, needed: list[tuple[str, ...]]) -> tuple[str, ...]:
        """Read up to a `|` or the end, adding each group of words to `needed`; return the most telling one."""
        best: tuple[str, ...] = ()

        def take(words: tuple[str, ...]) -> None:
            nonlocal best
            if words and all(words):
                needed.append(words)
            best = _better(best, words)

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
                    take((run,))
                    run = literal[-1] if not optional else ""
                continue
            take((run,))
            run = ""
            if token[0] == "(":
                inside = self._alternatives()
                self.at += 1  # the ")"
                if not (self._optional() or token in ("(?!", "(?<!", "(?=", "(?<=")):
                    take(inside)
        take((run,))
        return best

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


def _in_order(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(words), key=lambda word: (len(word), word)))


def _better(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Return the more telling of two sets of words: the one whose shortest word is longest."""
    if not right or not all(right):
        return left
    if not left:
        return right
    gain = min(map(len, right)) - min(map(len, left))
    return right if gain > 0 or (gain == 0 and len(right) < len(left)) else left
