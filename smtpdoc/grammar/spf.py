"""SPF records: selection, and every syntax error at once (RFC 7208 sections 4.5, 4.6 and 12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from smtpdoc.errors import ParseError
from smtpdoc.grammar.spf_guess import MECHANISMS, guess_term, guess_unintended
from smtpdoc.grammar.spf_terms import All, Directive, Exp, Redirect, SpfSyntaxError, Term, is_term, parse_term

VERSION = "v=spf1"

#: Guessing costs more than reading; a record with more faults than this was not written by hand.
MAX_GUESSES = 50


@dataclass(frozen=True, slots=True)
class SpfProblem:
    """A term that is wrong, or legal but hardly meant.

    `token` stands at `offset` (characters from 0) in the record; `message` is a sentence without a full stop.
    `guess` is what was probably meant: terms to put in its place, "" to take it out, None without an idea.
    """

    offset: int
    token: str
    message: str
    guess: str | None = None


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A v=spf1 record. `terms` are those that could be read, in order; `problems` are all syntax errors.

    Any problem makes the whole record a permerror (RFC 7208 section 4.6). `doubts` are legal terms that most
    likely do not say what their author meant. `all` is the first one, `redirect` the one there may be, even where
    `all` leaves it without effect.
    """

    text: str
    terms: tuple[Term, ...]
    problems: tuple[SpfProblem, ...]
    doubts: tuple[SpfProblem, ...]
    directives: tuple[Directive, ...]
    all: Directive | None
    redirect: Redirect | None
    exp: Exp | None

    def reached(self, term: Term) -> bool:
        """False for a term that no evaluation comes to: after `all`, or a redirect beside it (sections 5.1, 6.1)."""
        last = self.all
        if last is None:
            return True
        return term.offset <= last.offset if isinstance(term, Directive) else not isinstance(term, Redirect)


def is_spf(text: str) -> bool:
    """True for a text that RFC 7208 section 4.5 selects: "v=spf1", then a space or the end.

    >>> is_spf("V=SPF1 -all"), is_spf("v=spf10 -all"), is_spf(" v=spf1 -all")
    (True, False, False)
    """
    return text[:6].lower() == VERSION and text[6:7] in ("", " ")


@lru_cache(maxsize=64)
def parse_spf(text: str) -> SpfRecord:
    """Return a record with all of its terms and faults; raise SpfSyntaxError only where it is no v=spf1 record.

    >>> record = parse_spf("v=spf1 ip:192.0.2.1 mx -all")
    >>> record.problems[0].offset, record.problems[0].guess
    (7, 'ip4:192.0.2.1')
    """
    # record  = version terms *SP
    # version = "v=spf1"
    # terms   = *( 1*SP ( directive / modifier ) )
    if not is_spf(text):
        raise SpfSyntaxError('"v=spf1" followed by a space', text, 0)
    terms: list[Term] = []
    problems: list[SpfProblem] = []
    doubts: list[SpfProblem] = []
    for offset, token in _tokens(text):
        try:
            term = parse_term(token, offset)
        except ParseError as error:
            guess = guess_term(token, is_term) if len(problems) < MAX_GUESSES else None
            problems.append(SpfProblem(offset, token, f"expected {error.expected}", guess))
            continue
        if isinstance(term, Redirect | Exp) and any(type(known) is type(term) for known in terms):
            # RFC 7208 section 6: these two MUST NOT appear more than once each.
            name = term.text.partition("=")[0]
            problems.append(SpfProblem(offset, token, f"expected {name}= only once in a record", ""))
            continue
        terms.append(term)
        unintended = guess_unintended(token, is_term) if len(doubts) < MAX_GUESSES else None
        if unintended is not None:
            doubts.append(SpfProblem(offset, token, *unintended))
    directives = tuple(term for term in terms if isinstance(term, Directive))
    return SpfRecord(
        text=text,
        terms=tuple(terms),
        problems=tuple(problems),
        doubts=tuple(doubts),
        directives=directives,
        all=next((term for term in directives if isinstance(term.mechanism, All)), None),
        redirect=next((term for term in terms if isinstance(term, Redirect)), None),
        exp=next((term for term in terms if isinstance(term, Exp)), None),
    )


def corrected(record: SpfRecord) -> str | None:
    """Return the record with every guess put in, on single spaces; None where a problem has no guess."""
    changes = {problem.offset: problem.guess for problem in (*record.doubts, *record.problems)}
    if None in changes.values():
        return None
    return rewrite(record, lambda offset, token: changes.get(offset, token) or "")


def rewrite(record: SpfRecord, change: Callable[[int, str], str]) -> str:
    """Return the record with each token replaced by `change(offset, token)`; "" takes it out."""
    return " ".join([VERSION, *filter(None, (change(offset, token) for offset, token in _tokens(record.text)))])


def merge(texts: Iterable[str]) -> str:
    """Return one record that authorizes what several records do, with the strictest `all` that any of them has."""
    order = "-~?+"
    kept: list[str] = []
    last = ""
    for text in texts:
        for _, token in _tokens(text):
            bare = token.lower().lstrip("+-~?")
            if bare == "all":
                qualifier = token[0] if token[0] in order else "+"
                if not last or order.index(qualifier) < order.index(last[0]):
                    last = f"{qualifier}all"
            elif token.lower() not in (known.lower() for known in kept):
                kept.append(token)
    if last:  # a redirect has no effect beside `all` (section 6.1)
        kept = [token for token in kept if not token.lower().startswith("redirect=")]
    return " ".join([VERSION, *kept, *filter(None, [last])])


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, token); a token that needs its neighbour ("include: x.example", "- all") comes with it."""
    found = [(match.start(), match[0]) for match in re.finditer("[^ ]+", text[len(VERSION) :])]
    at = 0
    while at < len(found):
        start, token = found[at]
        offset = start + len(VERSION)
        if at + 1 < len(found) and _needs_next(token, found[at + 1][1]):
            end = found[at + 1][0] + len(found[at + 1][1])
            yield offset, text[offset : len(VERSION) + end]
            at += 2
        else:
            yield offset, token
            at += 1


def _needs_next(token: str, following: str) -> bool:
    bare = token.lower().lstrip("+-~?")
    if token in ("+", "-", "~", "?"):
        return following.lower() in MECHANISMS or is_term(following)
    if bare.endswith((":", "=")) and (bare[:-1] in MECHANISMS or bare[:-1] in ("redirect", "exp")):
        return not is_term(token) and not is_term(following)
    return following.startswith(":") and len(following) > 1 and bare in MECHANISMS
