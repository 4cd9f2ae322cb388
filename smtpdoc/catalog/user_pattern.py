"""Whether a user's regular expression can be trusted with strangers' texts: it compiles, and no text makes it slow."""

from __future__ import annotations

import re
import time

from smtpdoc.catalog.user import MAX_TEXT_CHARS

MAX_PATTERN_CHARS = 500
#: Twenty optional characters in a row are a million ways to read a text; more could be tried for ever.
MAX_REPETITIONS = 20
#: A search that takes longer than this is refused; an honest one takes a thousandth of it.
SLOW_S = 0.1

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^:=!<)]*[:=!<)]?|[*+?]\??|\{[0-9]*,?[0-9]*\}\??|.", re.DOTALL)


def refusal(pattern: str) -> str | None:
    """Return why a pattern cannot be used, or None when it can.

    >>> refusal("mailbox (?:full|over quota)") is None
    True
    >>> refusal("(a+)+$")
    'a repetition inside a repetition, "(a+)+", can take for ever'
    """
    if not pattern.strip():
        return "it is empty, and would fit every reply"
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"it has {len(pattern)} characters, the limit is {MAX_PATTERN_CHARS}"
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it is no regular expression: {error}"
    if compiled.search("") is not None:
        return "it fits an empty text, so it would fit every reply"
    tokens = [match[0] for match in _TOKEN.finditer(pattern)]
    if sum(token[0] in "*+?{" for token in tokens) > MAX_REPETITIONS:
        return f"it has more than {MAX_REPETITIONS} repetitions (* + ? and braces)"
    if nested := _nested(pattern):
        return f'a repetition inside a repetition, "{nested}", can take for ever'
    return _slow(pattern, compiled)


def _nested(pattern: str) -> str | None:
    """Return the first group that repeats without limit and holds something that does, or None.

    A group that repeats a fixed, large number of times must not even hold an optional part: "(a?){30}".
    """
    opened: list[tuple[int, str]] = []  # where each open group begins, and the repetitions before it on its level
    closed: tuple[int, str] | None = None  # the group that ended just now
    inside = ""  # the repetitions in the group that is open
    for match in _TOKEN.finditer(pattern):
        token = match[0]
        if token[0] == "(" and not token.endswith(")"):
            opened.append((match.start(), inside))
            inside, closed = "", None
        elif token == ")" and opened:
            start, before = opened.pop()
            closed, inside = (start, inside), before + inside
        elif token[0] in "*+?{":
            if closed is not None and _endless(token) and closed[1].strip("" if token[0] == "{" else "?"):
                return pattern[closed[0] : match.end()]
            inside += "*" if _endless(token) else "?"
            closed = None
        else:
            closed = None
    return None


def _endless(token: str) -> bool:
    """Tell whether a token repeats what stands before it without limit, or so often that it makes no difference."""
    if token[0] in "*+":
        return True
    if token[0] != "{" or len(token) < 3:
        return False
    least, comma, most = token.rstrip("?")[1:-1].partition(",")
    return int(most or (10**6 if comma else least or 0)) > 20


#: In steps so small that even a pattern whose time doubles with each character is stopped after a second.
_SIZES = (*range(8, 42, 2), *(int(40 * 1.5**step) for step in range(1, 9)), MAX_TEXT_CHARS)


def _slow(pattern: str, compiled: re.Pattern[str]) -> str | None:
    """Try texts that patterns stumble over: longer and longer ones, so that a slow pattern shows early."""
    if not any(sign in pattern for sign in "*+{"):
        return None
    words = re.findall(r"[^\W_]+", pattern)
    units = dict.fromkeys(("a", "0", " ", "a ", "a.", ".", "-", "<", *words, *(f"{word} " for word in words)))
    for unit in units:
        for size in _SIZES:
            text = (unit * (size // len(unit) + 1))[:size] + "\0"
            start = time.process_time()
            compiled.search(text)
            took_s = time.process_time() - start
            if took_s > SLOW_S:
                return (
                    f"it takes {took_s:.2g} s on a text of {size} characters; make it plainer, or bound its repetitions"
                )
    return None
