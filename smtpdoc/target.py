"""What the user wants probed: "mx.example.net:587" as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtpdoc.errors import ParseError, TargetError

SUBMISSION_PORT = 587
SUBMISSIONS_PORT = 465  # implicit TLS, RFC 8314 section 3.3
SMTP_PORT = 25

_SCHEMES = {
    "smtp": SMTP_PORT,
    "submission": SUBMISSION_PORT,
    "smtps": SUBMISSIONS_PORT,
    "submissions": SUBMISSIONS_PORT,
}
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_EXTRA = re.compile(r"[/?#].*", re.DOTALL)  # what else a URL may have
_MAILBOX = re.compile(r"[A-Za-z0-9._+-]+@([A-Za-z0-9.-]+)")
_ZONE = re.compile(r"[A-Za-z0-9._-]+")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A host (name or address literal without brackets) and a port; `implicit_tls` as the scheme or port 465 asks."""

    host: str
    port: int
    implicit_tls: bool = False

    @property
    def is_address(self) -> bool:
        return ":" in self.host or _IPV4.fullmatch(self.host) is not None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def domain_name(text: str) -> str:
    """Return a domain name as lower-case A-labels without a trailing dot; raise TargetError when it is none.

    >>> domain_name("Example.COM.")
    'example.com'
    >>> domain_name("straße.example")
    'xn--strae-oqa.example'
    """
    name = _in_ascii(text.strip()).rstrip(".").lower()
    if not _HOST.fullmatch(name):
        raise TargetError(f"expected a domain name like example.com, got {text!r}")
    return name


def _in_ascii(name: str) -> str:
    if name.isascii():
        return name
    from smtpdoc.grammar.idn import ascii_name  # few names need it

    try:
        return ascii_name(name)
    except ParseError as error:
        raise TargetError(str(error)) from None


def parse_target(text: str, default_port: int = SUBMISSION_PORT) -> Target:
    """Read host, host:port, [v6]:port or a URL (smtp, submission, smtps); raise TargetError otherwise.

    A missing port is `default_port` for a plain host, or the scheme's own. Port 465 means implicit TLS.

    >>> parse_target("mx.example.net")
    Target(host='mx.example.net', port=587, implicit_tls=False)
    >>> str(parse_target("[2001:db8::1]:25"))
    '[2001:db8::1]:25'
    >>> parse_target("smtps://mx.example.net").port
    465
    """
    rest = text.strip()
    implicit = False
    scheme, separator, after = rest.partition("://")
    if separator:
        scheme = scheme.lower()
        if scheme not in _SCHEMES:
            raise TargetError(f"expected smtp://, submission:// or smtps://, got {scheme + '://'!r}")
        default_port = _SCHEMES[scheme]
        implicit = default_port == SUBMISSIONS_PORT
        rest = after.rstrip("/").replace("%25", "%")  # RFC 6874 section 2
    if "@" in rest:  # not quoted: there may be a password in front of it
        if mailbox := None if separator else _MAILBOX.fullmatch(rest):
            raise TargetError(f"expected a server, got the mailbox {rest}; try: --mx {mailbox[1]} --to {rest}")
        raise TargetError("expected a server without user name and password; --auth-user NAME logs in")
    if extra := _EXTRA.search(rest):
        raise TargetError(f"expected host and port only, got {extra[0]!r} behind them; --helo gives a name for EHLO")
    host, port_text = _split_port(rest, text)
    port = default_port if port_text is None else _port(port_text, text)
    return Target(_host(host, text), port, implicit or (not separator and port == SUBMISSIONS_PORT))


def _split_port(rest: str, text: str) -> tuple[str, str | None]:
    if rest.startswith("["):
        host, bracket, tail = rest[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise TargetError(f"expected [address]:port, got {text!r}")
        return host.removeprefix("IPv6:"), tail[1:] if tail else None
    if rest.count(":") > 1:  # an IPv6 address without brackets can have no port
        return rest, None
    host, colon, port = rest.partition(":")
    return host, port if colon else None


def _port(port_text: str, text: str) -> int:
    if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text[:6]) <= 65535):
        raise TargetError(f"expected a port between 1 and 65535, got {text!r}")
    return int(port_text)


def _host(host: str, text: str) -> str:
    host = _in_ascii(host)
    if ":" in host or _IPV4.fullmatch(host):
        from ipaddress import ip_address

        address, percent, zone = host.partition("%")
        try:
            ip = str(ip_address(address))
        except ValueError:
            raise TargetError(f"expected an IP address, or host:port, got {text!r}") from None
        if percent and (":" not in ip or not _ZONE.fullmatch(zone)):
            raise TargetError(f"expected [address%interface]:port, got {text!r}")
        return ip + percent + zone
    try:
        return domain_name(host)
    except TargetError:
        raise TargetError(f"expected host, host:port, [v6]:port or smtp://host, got {text!r}") from None
