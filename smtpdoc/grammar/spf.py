"""SPF records: selection, terms, and every syntax error at once (RFC 7208 sections 4.5, 4.6, 5, 6 and 12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

from smtpdoc.errors import ParseError
from smtpdoc.grammar.spf_guess import MECHANISMS, guess_term, guess_unintended
from smtpdoc.grammar.spf_macros import Literal, MacroError, MacroString, can_be_asked, parse_macros

VERSION = "v=spf1"

#: Guessing costs more than reading; a record with more faults than this was not written by hand.
MAX_GUESSES = 50


class SpfSyntaxError(ParseError):
    """Text that is no SPF record, or a term that does not follow RFC 7208 section 12."""


class Qualifier(StrEnum):
    """RFC 7208 section 4.6.2."""

    PASS = "+"
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


@dataclass(frozen=True, slots=True)
class All:
    pass


@dataclass(frozen=True, slots=True)
class Include:
    domain: MacroString


@dataclass(frozen=True, slots=True)
class A:
    """`domain` is None for the domain under evaluation. Prefix lengths are for IPv4 and IPv6 addresses."""

    domain: MacroString | None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Mx:
    """As A, for the addresses of the MX hosts."""

    domain: MacroString | None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Ptr:
    domain: MacroString | None


@dataclass(frozen=True, slots=True)
class Ip4:
    """`address` as written, possibly with host bits set."""

    address: IPv4Address
    prefix: int = 32

    @property
    def network(self) -> IPv4Network:
        return IPv4Network((self.address, self.prefix), strict=False)


@dataclass(frozen=True, slots=True)
class Ip6:
    """`address` as written, possibly with host bits set."""

    address: IPv6Address
    prefix: int = 128

    @property
    def network(self) -> IPv6Network:
        return IPv6Network((self.address, self.prefix), strict=False)


@dataclass(frozen=True, slots=True)
class Exists:
    domain: MacroString


Mechanism: TypeAlias = All | Include | A | Mx | Ptr | Ip4 | Ip6 | Exists


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism with its qualifier. `text` is the term as written, `offset` where it starts in the record."""

    qualifier: Qualifier
    mechanism: Mechanism
    text: str
    offset: int

    @property
    def queries(self) -> bool:
        """True for the mechanisms that count to the limit of ten (RFC 7208 section 4.6.4)."""
        return not isinstance(self.mechanism, All | Ip4 | Ip6)


@dataclass(frozen=True, slots=True)
class Redirect:
    domain: MacroString
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Exp:
    domain: MacroString
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class UnknownModifier:
    """Any other `name=value`: receivers ignore it (RFC 7208 section 6). `name` is lower case."""

    name: str
    value: MacroString
    text: str
    offset: int


Term: TypeAlias = Directive | Redirect | Exp | UnknownModifier


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


def is_term(token: str) -> bool:
    """True when a token follows the grammar of a directive or modifier."""
    try:
        parse_term(token)
    except ParseError:
        return False
    return True


# modifier         = redirect / explanation / unknown-modifier
# unknown-modifier = name "=" macro-string
# name             = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9\-_.]*)=(.*)", re.DOTALL)
# directive        = [ qualifier ] mechanism
# qualifier        = "+" / "-" / "?" / "~"
_DIRECTIVE = re.compile(r"([+\-?~]?)([A-Za-z][A-Za-z0-9\-_.]*)((?:[:/].*)?)", re.DOTALL)


def parse_term(token: str, offset: int = 0) -> Term:
    """Return one term; raise SpfSyntaxError or MacroError with what was expected."""
    modifier = _MODIFIER.fullmatch(token)
    if modifier is not None:
        name, value = modifier[1].lower(), modifier[2]
        # redirect    = "redirect" "=" domain-spec
        # explanation = "exp" "=" domain-spec
        if name == "redirect":
            return Redirect(_domain_spec(value, token), token, offset)
        if name == "exp":
            return Exp(_domain_spec(value, token), token, offset)
        return UnknownModifier(name, parse_macros(value), token, offset)
    directive = _DIRECTIVE.fullmatch(token)
    if directive is None:
        raise SpfSyntaxError("a mechanism or a modifier", token)
    read = _READERS.get(directive[2].lower())
    if read is None:
        raise SpfSyntaxError(f'a mechanism or a modifier, there is no "{directive[2][:40]}"', token)
    return Directive(Qualifier(directive[1] or "+"), read(directive[3], token), token, offset)


def _read_all(rest: str, token: str) -> Mechanism:
    # all = "all"
    if rest:
        raise SpfSyntaxError("all without an argument", token)
    return All()


def _read_include(rest: str, token: str) -> Mechanism:
    # include = "include" ":" domain-spec
    return Include(_required_domain(rest, token))


def _read_exists(rest: str, token: str) -> Mechanism:
    # exists = "exists" ":" domain-spec
    return Exists(_required_domain(rest, token))


def _read_ptr(rest: str, token: str) -> Mechanism:
    # ptr = "ptr" [ ":" domain-spec ]
    return Ptr(_required_domain(rest, token) if rest else None)


def _read_a(rest: str, token: str) -> Mechanism:
    # a = "a" [ ":" domain-spec ] [ dual-cidr-length ]
    return A(*_domain_and_prefixes(rest, token))


def _read_mx(rest: str, token: str) -> Mechanism:
    # mx = "mx" [ ":" domain-spec ] [ dual-cidr-length ]
    return Mx(*_domain_and_prefixes(rest, token))


# qnum = DIGIT / %x31-39 DIGIT / "1" 2DIGIT / "2" %x30-34 DIGIT / "25" %x30-35    ; no leading zeros
_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}", re.ASCII)


def _read_ip4(rest: str, token: str) -> Mechanism:
    # ip4         = "ip4" ":" ip4-network [ ip4-cidr-length ]
    # ip4-network = qnum "." qnum "." qnum "." qnum
    text, slash, length = rest.removeprefix(":").partition("/")
    if not rest.startswith(":") or not _QUAD.fullmatch(text):
        raise SpfSyntaxError("ip4: with an IPv4 address of four numbers", token)
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise SpfSyntaxError("ip4: with an IPv4 address of four numbers up to 255", token) from None
    return Ip4(address, _prefix(length, 32, token) if slash else 32)


def _read_ip6(rest: str, token: str) -> Mechanism:
    # ip6         = "ip6" ":" ip6-network [ ip6-cidr-length ]
    # ip6-network = <as per Section 2.2 of [RFC4291]>
    text, slash, length = rest.removeprefix(":").partition("/")
    try:
        if not rest.startswith(":") or "%" in text:
            raise AddressValueError(text)
        address = IPv6Address(text)
    except AddressValueError:
        raise SpfSyntaxError("ip6: with an IPv6 address", token) from None
    return Ip6(address, _prefix(length, 128, token) if slash else 128)


_READERS: dict[str, Callable[[str, str], Mechanism]] = {
    "all": _read_all,
    "include": _read_include,
    "a": _read_a,
    "mx": _read_mx,
    "ptr": _read_ptr,
    "ip4": _read_ip4,
    "ip6": _read_ip6,
    "exists": _read_exists,
}

# dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
_DUAL_CIDR = re.compile(r"(?:(?<!/)/([0-9]+))?(?://([0-9]+))?\Z", re.ASCII)


def _domain_and_prefixes(rest: str, token: str) -> tuple[MacroString | None, int, int]:
    match = _DUAL_CIDR.search(rest)
    if match is None:  # cannot be: the pattern matches the empty end
        raise SpfSyntaxError("a domain name or a prefix length", token)
    spec = rest[: match.start()]
    if spec and not spec.startswith(":"):
        raise SpfSyntaxError("prefix lengths written as /24, //64 or /24//64", token)
    prefix4 = 32 if match[1] is None else _prefix(match[1], 32, token)
    prefix6 = 128 if match[2] is None else _prefix(match[2], 128, token)
    return (_domain_spec(spec[1:], token) if spec else None), prefix4, prefix6


# ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT)    ; value range 0-32
# ip6-cidr-length = "/" ("0" / %x31-39 0*2DIGIT)    ; value range 0-128
def _prefix(digits: str, most: int, token: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,2}", digits, re.ASCII) or int(digits) > most:
        raise SpfSyntaxError(f"a prefix length from /0 to /{most}", token)
    return int(digits)


def _required_domain(rest: str, token: str) -> MacroString:
    if not rest.startswith(":"):
        raise SpfSyntaxError("a colon and a domain name after the mechanism", token)
    return _domain_spec(rest[1:], token)


# domain-spec = macro-string domain-end
# domain-end  = ( "." toplabel [ "." ] ) / macro-expand
# toplabel    = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
#               ; LDH rule plus additional TLD restrictions: not all numeric
_DOMAIN_END = re.compile(r"\.(?![0-9]+\.?\Z)[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.?\Z", re.ASCII)


def _domain_spec(text: str, token: str) -> MacroString:
    if not text:
        raise SpfSyntaxError("a domain name", token)
    try:
        spec = parse_macros(text)
    except MacroError as error:
        raise SpfSyntaxError(error.expected, token, error.offset + len(token) - len(text)) from None
    last = spec.parts[-1]
    if isinstance(last, Literal) and not last.escaped:
        if not _DOMAIN_END.search(last.text):
            raise SpfSyntaxError('a domain name that ends in a top-level label, as in "example.com"', token)
        if not spec.letters and not can_be_asked(
            "".join(p.text for p in spec.parts if isinstance(p, Literal)).removesuffix(".")
        ):
            # Section 4.8 leaves this open; no query can be made for such a name, so that the term can never match.
            raise SpfSyntaxError("a domain name with labels of 1 to 63 characters", token)
    return spec
