"""Envelope addresses: what may stand between the angle brackets of MAIL FROM and RCPT TO (RFC 5321 section 4.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from smtpdoc.errors import ParseError

# Local-part = Dot-string / Quoted-string, at most 64 octets; atext also takes UTF-8 (RFC 6531 section 3.3).
# sub-domain = Let-dig [Ldh-str]; underscores are seen in practice, U-labels come with RFC 6531.
_UTF8 = r"\x80-\U0010ffff"
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_UTF8}-]"
_LABEL = rf"[A-Za-z0-9_{_UTF8}](?:[A-Za-z0-9_{_UTF8}-]*[A-Za-z0-9_{_UTF8}])?"
_PATTERNS = {
    "dot-string": rf"{_ATEXT}+(?:\.{_ATEXT}+)*",
    "quoted-string": rf'"(?:[ !#-\[\]-~{_UTF8}]|\\[ -~])*"',
    "domain": rf"{_LABEL}(?:\.{_LABEL})*",
    "forbidden": r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]",
}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed: ranges of Unicode take milliseconds."""
    return re.compile(_PATTERNS[name])


class AddressParseError(ParseError):
    """Text that is no envelope address."""


@dataclass(frozen=True, slots=True)
class Address:
    """An envelope address; both parts are empty for the null reverse-path "<>". "Postmaster" has no domain."""

    local_part: str
    domain: str

    @property
    def ascii(self) -> bool:
        """False when it needs SMTPUTF8 (RFC 6531)."""
        return self.local_part.isascii() and self.domain.isascii()

    @property
    def path(self) -> str:
        """The address in angle brackets, as MAIL FROM and RCPT TO take it."""
        return f"<{self}>"

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}" if self.domain else self.local_part


NULL = Address("", "")


def parse_address(text: str, *, null_allowed: bool = False) -> Address:
    """Return an address with or without angle brackets; raise AddressParseError for anything else.

    A domain beyond ASCII comes back as U-labels. Nothing that it returns can end a command line or add an argument
    to it.

    >>> parse_address("<bob@Example.com>")
    Address(local_part='bob', domain='Example.com')
    >>> parse_address("<>", null_allowed=True).path
    '<>'
    """
    stripped = text.strip(" ")
    if stripped.startswith("<") and stripped.endswith(">"):
        stripped = stripped[1:-1]
    if not stripped:
        if null_allowed and text.strip(" "):
            return NULL
        raise AddressParseError("an address like bob@example.com", text)
    if found := _pattern("forbidden").search(stripped):
        raise AddressParseError("an address without control characters", text, found.start())
    if stripped.lower() == "postmaster":  # RFC 5321 section 4.1.1.3: the one address without a domain
        return Address(stripped, "")
    local_part, at, domain = stripped.rpartition("@")
    if not at:
        raise AddressParseError("an address like bob@example.com", text)
    if not (_pattern("dot-string").fullmatch(local_part) or _pattern("quoted-string").fullmatch(local_part)):
        raise AddressParseError("a local part of letters, digits and dots, or one in quotes, before the @", text)
    if len(local_part.encode("utf-8")) > 64:  # RFC 5321 section 4.5.3.1.1
        raise AddressParseError("a local part of at most 64 octets before the @", text)
    if not domain.isascii():
        domain = _unicode_domain(domain, text)
    if not _is_domain(domain):
        raise AddressParseError("a domain or an address in square brackets after the @", text, len(local_part) + 1)
    return Address(local_part, domain)


def _unicode_domain(domain: str, text: str) -> str:
    """Return a domain as U-labels (RFC 6531 section 3.3), whatever case, dots and composition it was written in."""
    from smtpdoc.grammar.idn import unicode_name  # few addresses need it

    try:
        return unicode_name(domain)
    except ParseError as error:
        raise AddressParseError(f"{error.expected} after the @", text, text.rindex("@") + 1) from None


def _is_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):  # address-literal, RFC 5321 section 4.1.3
        from ipaddress import AddressValueError, IPv4Address, IPv6Address

        literal = domain[1:-1]
        try:
            if literal[:5].lower() == "ipv6:":
                IPv6Address(literal[5:])
            else:
                IPv4Address(literal)
        except AddressValueError:
            return False
        return "%" not in literal
    # A U-label is measured as A-label, and that has been done: in UTF-8 it may be longer (RFC 5890 section 2.3.2.1).
    if any(label.isascii() and len(label) > 63 for label in domain.split(".")):
        return False
    return len(domain.encode("utf-8")) <= 255 and _pattern("domain").fullmatch(domain) is not None
