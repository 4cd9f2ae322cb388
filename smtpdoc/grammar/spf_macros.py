"""SPF macros: parsing and expansion (RFC 7208 section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from smtpdoc.errors import ParseError

#: RFC 7208 section 7.2. The second set is for explanation texts only.
LETTERS = frozenset("slodiphv")
EXPLANATION_LETTERS = LETTERS | frozenset("crt")

#: The longest name a query can carry (RFC 7208 section 7.3).
MAX_NAME = 253
_MAX_LABEL = 63

# macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
# transformers = *DIGIT [ "r" ]
# delimiter    = "." / "-" / "+" / "," / "/" / "_" / "="
_MACRO = re.compile(r"%\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}")
_RESERVED = re.compile(r"[^A-Za-z0-9\-._~]")  # all but the "unreserved" characters of RFC 3986
_ESCAPES = {"%%": "%", "%_": " ", "%-": "%20"}


class MacroError(ParseError):
    """A macro-string that does not follow RFC 7208 section 7.1."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself. `text` is what it stands for, `escaped` tells that it was %%, %_ or %-."""

    text: str
    escaped: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    """One %{...}. `letter` is lower case; `keep` is how many right-hand parts stay (None: all)."""

    letter: str
    keep: int | None = None
    reverse: bool = False
    delimiters: str = "."
    url_escape: bool = False


MacroPart: TypeAlias = Literal | Macro


@dataclass(frozen=True, slots=True)
class MacroString:
    """A parsed macro-string. `text` is how it was written, `parts` what it says, in order."""

    text: str
    parts: tuple[MacroPart, ...]

    @property
    def letters(self) -> frozenset[str]:
        """The macro letters it needs; empty when it always expands to the same text."""
        return frozenset(part.letter for part in self.parts if isinstance(part, Macro))


@dataclass(frozen=True, slots=True)
class MacroValues:
    """What the letters stand for in one evaluation (RFC 7208 section 7.2).

    `sender` always has a local part and a domain. `validated_name` is the value of %{p}; `time_s` that of %{t}.
    """

    ip: IPv4Address | IPv6Address
    sender: str
    domain: str
    helo: str
    validated_name: str = "unknown"
    receiver: str = "unknown"
    time_s: int = 0

    def value(self, letter: str) -> str:
        local_part, _, sender_domain = self.sender.rpartition("@")
        values: dict[str, Callable[[], str]] = {
            "s": lambda: self.sender,
            "l": lambda: local_part,
            "o": lambda: sender_domain,
            "d": lambda: self.domain,
            "i": lambda: dotted(self.ip),
            "p": lambda: self.validated_name,
            "h": lambda: self.helo,
            "v": lambda: "in-addr" if self.ip.version == 4 else "ip6",
            "c": lambda: str(self.ip),
            "r": lambda: self.receiver,
            "t": lambda: str(self.time_s),
        }
        return values[letter]()


def parse_macros(text: str, *, explanation: bool = False) -> MacroString:
    """Return the parts of a macro-string; raise MacroError with the offset of the first fault.

    With `explanation` it is an explain-string: spaces are legal, and so are the letters c, r and t.

    >>> parse_macros("%{ir}.sbl.example").parts[0]
    Macro(letter='i', keep=None, reverse=True, delimiters='.', url_escape=False)
    """
    return MacroString(text, tuple(_parts(text, explanation)))


def _parts(text: str, explanation: bool) -> Iterator[MacroPart]:
    # macro-string   = *( macro-expand / macro-literal )
    # macro-literal  = %x21-24 / %x26-7E
    # explain-string = *( macro-string / SP )
    lowest = " " if explanation else "!"
    at = 0
    while at < len(text):
        percent = text.find("%", at)
        end = len(text) if percent < 0 else percent
        for offset in range(at, end):
            if not lowest <= text[offset] <= "~":
                raise MacroError("visible ASCII characters only", text, offset)
        if end > at:
            yield Literal(text[at:end])
        if percent < 0:
            return
        pair = text[percent : percent + 2]
        if pair in _ESCAPES:
            yield Literal(_ESCAPES[pair], escaped=True)
            at = percent + 2
            continue
        match = _MACRO.match(text, percent)
        if match is None:
            raise MacroError("%{...}, %%, %_ or %- where a percent sign stands", text, percent)
        yield _macro(match, text, explanation)
        at = match.end()


def _macro(match: re.Match[str], text: str, explanation: bool) -> Macro:
    letter, digits, reverse, delimiters = match.groups()
    if letter.lower() not in EXPLANATION_LETTERS:
        raise MacroError("one of the macro letters s l o d i p h v", text, match.start())
    if letter.lower() not in LETTERS and not explanation:
        raise MacroError(f"%{{{letter}}} only in the text that exp= points to", text, match.start())
    # RFC 7208 section 7.1: the DIGIT transformer must be nonzero. Nothing has more than 128 parts, so that a very
    # long number need not become an int.
    if digits and not digits.strip("0"):
        raise MacroError("a number of parts above zero in a macro", text, match.start())
    keep = int(digits.lstrip("0")[:4]) if digits else None
    return Macro(letter.lower(), keep, bool(reverse), delimiters or ".", letter.isupper())


def expand(string: MacroString, values: MacroValues) -> str:
    """Return a macro-string's text for one evaluation (RFC 7208 section 7.3)."""
    return "".join(part.text if isinstance(part, Literal) else _expand(part, values) for part in string.parts)


def _expand(macro: Macro, values: MacroValues) -> str:
    pieces = re.split(f"[{re.escape(macro.delimiters)}]", values.value(macro.letter))
    if macro.reverse:
        pieces.reverse()
    if macro.keep is not None:
        pieces = pieces[-macro.keep :]
    text = ".".join(pieces)
    # RFC 7208 section 7.3: an upper case letter asks for URL escaping.
    return _RESERVED.sub(_url_escape, text) if macro.url_escape else text


def _url_escape(match: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape"))


def target_name(text: str) -> str:
    """Return an expanded domain-spec as a name to ask for: no trailing dot, at most 253 characters.

    Labels go from the left until it fits (RFC 7208 section 7.3).
    """
    name = text.removesuffix(".").lower()
    while len(name) > MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def can_be_asked(name: str) -> bool:
    """True for a name of two or more labels that fits into a DNS query (RFC 7208 sections 4.3 and 4.8).

    False for an address literal like [192.0.2.1] too, which is no name.
    """
    labels = name.split(".")
    return (
        len(labels) > 1
        and not name.startswith("[")
        and len(name) <= MAX_NAME
        and name.isascii()
        and all(1 <= len(label) <= _MAX_LABEL for label in labels)
    )


def dotted(ip: IPv4Address | IPv6Address) -> str:
    """Return an address as %{i} writes it: dotted quad, or 32 dotted nibbles (RFC 7208 section 7.3)."""
    return str(ip) if ip.version == 4 else ".".join(ip.packed.hex())
