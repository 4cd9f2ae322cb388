"""The terms of an SPF record: directives with their mechanisms, and modifiers (RFC 7208 sections 5, 6 and 12)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

from smtpdoc.errors import ParseError
from smtpdoc.grammar.spf_macros import Literal, MacroError, MacroString, can_be_asked, parse_macros


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
    """all"""


@dataclass(frozen=True, slots=True)
class Include:
    """include:domain"""

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
    """ptr, ptr:domain"""

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
    """exists:domain"""

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
    """redirect=domain"""

    domain: MacroString
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Exp:
    """exp=domain"""

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
