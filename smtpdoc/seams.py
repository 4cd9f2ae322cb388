"""What gather/ may ask of the world. net/ implements these; tests put a dict or a script in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from smtpdoc.errors import ParseError

if TYPE_CHECKING:  # a probe need not load what only auth-check has evidence of, nor the reverse
    from smtpdoc.evidence.dns import Lookup
    from smtpdoc.evidence.smtp import Exchange, Failure, Line, Stage, TlsFacts
    from smtpdoc.evidence.transport import PolicyFile
    from smtpdoc.grammar.reply import Reply


class Resolver(Protocol):
    """Answers DNS questions. Failures are values: `lookup` never raises for anything DNS does."""

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        """Ask for the records of `rdtype` ("TXT", "MX", "A", "AAAA", "PTR", "NS", "TLSA", "CNAME") at `name`.

        `name` is a name without a trailing dot, in any case; CNAMEs are followed. Asking twice is free within a run.
        """
        ...

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        """Ask several (name, rdtype) questions at the same time; the answers stand in the questions' order."""
        ...


@runtime_checkable
class CheckingResolver(Resolver, Protocol):
    """A Resolver that can also be asked for answers that fail DNSSEC (the CD flag, RFC 4035 section 3.2.2)."""

    @property
    def over_network(self) -> bool:
        """Whether its word on DNSSEC, the AD flag, comes from another machine: it could be forged on the way."""
        ...

    def unchecked(self) -> Resolver | None:
        """Return a resolver for such answers, or None where there is no way to ask for them."""
        ...


async def fails_dnssec(lookup: Lookup, resolver: Resolver) -> bool:
    """Tell whether the resolver has the answer that it refused: then it is DNSSEC that fails (RFC 4035 section 4.3)."""
    if lookup.status != "servfail" or not isinstance(resolver, CheckingResolver):
        return False
    unchecked = resolver.unchecked()
    return unchecked is not None and (await unchecked.lookup(lookup.name, lookup.rdtype)).answered


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line to send, without CRLF. Raises ParseError for anything that would be two commands.

    `shown` stands in the transcript instead of `text` when that holds a secret. `patience_s` bounds the wait for the
    reply further than the session's deadline does. `hide_challenge`: a 334 in answer is derived from the secret.
    """

    stage: Stage
    text: str = field(repr=False)
    shown: str | None = None
    recipient: str | None = None
    patience_s: float | None = None
    hide_challenge: bool = False

    def __post_init__(self) -> None:
        if _CONTROL.search(self.text):
            raise ParseError("a command without control characters", self.shown or self.text)

    @property
    def visible(self) -> str:
        return self.text if self.shown is None else self.shown


@dataclass(frozen=True, slots=True)
class Budget:
    """When a session began and when it must be over, in seconds of the dialer's clock."""

    started: float
    deadline: float


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """How to speak TLS: the name to ask for and to verify, roots to trust instead of the system's, our certificate.

    `legacy` looks with the oldest versions and weakest ciphers that our library still has; nothing but EHLO and
    STARTTLS may be said over such a session. `version` ("TLSv1" to "TLSv1.3") speaks this one only.
    """

    server_name: str
    implicit: bool = False
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    legacy: bool = False
    version: str | None = None


class Watcher(Protocol):
    """Told what happens while it happens."""

    def line(self, line: Line) -> None: ...

    def exchange(self, exchange: Exchange) -> None: ...


class Session(Protocol):
    """An open connection to an SMTP server. Whatever the server does is a value; only cancellation is raised."""

    @property
    def address(self) -> str: ...

    @property
    def helo_name(self) -> str:
        """The name we may honestly give in EHLO: our own host name, or the address literal of our side."""
        ...

    @property
    def local_address(self) -> str:
        """Our side of the connection, as we see it: behind NAT the server sees another."""
        ...

    @property
    def connected_at(self) -> float:
        """When the connection was open, on the dialer's clock."""
        ...

    @property
    def encrypted(self) -> bool: ...

    @property
    def alive(self) -> bool:
        """False once nothing more can be asked."""
        ...

    @property
    def tls(self) -> TlsFacts | None: ...

    @property
    def round_trips(self) -> int: ...

    @property
    def unsolicited(self) -> tuple[Reply, ...]:
        """Replies that nobody asked for, in order; they are never paired with a command."""
        ...

    def hide(self, *secrets: str) -> None:
        """Keep these out of everything that is written down from now on."""
        ...

    def send(self, *commands: Command) -> None:
        """Write commands in one go. Each is then owed one `reply()`, in order."""
        ...

    async def send_message(self, pieces: Iterable[bytes], command: Command | None = None) -> bool:
        """Write a message as it crosses the wire after DATA: CRLF lines, dots doubled, the final dot line included; or
        with a `command`, BDAT, the octets that it announces. It is then owed one `reply()`. Returns whether all of it
        was written, which is not yet to say that it arrived."""
        ...

    async def reply(self) -> Exchange:
        """Wait for the reply to the oldest command that has none; the greeting is owed from the start."""
        ...

    async def start_tls(self, opening: Command | None = None) -> Exchange:
        """Shake hands; `opening` is sent together with our last handshake message and is then owed a reply."""
        ...

    def close(self) -> None:
        """Drop the connection; may be called twice."""
        ...


class Dialer(Protocol):
    """Finds addresses and opens connections."""

    def now(self) -> float:
        """Seconds on the clock that budgets are counted on."""
        ...

    async def addresses(self, host: str, family: str | None, budget: Budget) -> tuple[str, ...] | Failure:
        """Return the addresses of a host, best first, never empty; `family` is "ipv4", "ipv6" or None for both."""
        ...

    def begun_at(self, address: str, port: int, source_ip: str | None, helo: str | None) -> float | None:
        """Return when the connection that `dial` will use was begun, if that was ahead of all asking."""
        ...

    async def dial(
        self,
        address: str,
        port: int,
        *,
        host: str,
        tls: TlsPolicy | None,
        source_ip: str | None,
        budget: Budget,
        patience_s: float | None,
        watcher: Watcher,
        helo: str | None = None,
    ) -> Session | Failure:
        """Connect; `host` is what sentences call the server.

        `tls` None means that the session will stay in clear; `patience_s` bounds the connect alone. `helo` is the name
        for EHLO ("": one that is ours) when that comes right after the greeting: then it may have been said already.

        Raises TargetError when a file that `tls` names cannot be used.
        """
        ...


class PolicySource(Protocol):
    """Fetches policy files: HTTPS with a valid certificate, no redirect, text/plain, at most 64 KB."""

    async def fetch_policy(self, url: str) -> PolicyFile:
        """Return the policy at a URL; failures are values."""
        ...
