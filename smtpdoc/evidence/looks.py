"""What is looked at beside a session: who the server is, its TLS versions, DANE, MTA-STS. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from smtpdoc.findings import Fact

if TYPE_CHECKING:
    from smtpdoc.evidence.auth import HostAddress
    from smtpdoc.evidence.dns import Lookup, TlsaRecord
    from smtpdoc.grammar.reply import Reply


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """One protocol version, by its own connection. `works` is None where that could not be told; `detail` says why
    it does not work, or why nobody knows."""

    version: str  # "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"
    works: bool | None
    cipher: str = ""
    detail: str = ""
    group: str | None = None
    group_bits: int | None = None


@dataclass(frozen=True, slots=True)
class StarttlsInjection:
    """What became of a NOOP that was sent behind STARTTLS in the same packet (CVE-2011-0411 is about such servers).

    "executed": it was answered under TLS, as if it had come encrypted. "discarded": nothing came of it. "refused":
    the server ended it there, with a reply, a failed handshake or by closing. "answered-in-clear": it was answered
    before TLS. "unknown": it did not come to that.
    """

    verdict: Literal["executed", "discarded", "refused", "answered-in-clear", "unknown"]
    detail: str


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What the server says in clear to MAIL FROM and to a bare AUTH; None where it was not asked or did not answer.

    AUTH is asked without a response and ended with "*": no credentials are sent.
    """

    mail: Reply | None = None
    auth: Reply | None = None
    mechanism: str | None = None  # the one that was named
    problem: str = ""  # why there is no answer


@dataclass(frozen=True, slots=True)
class Identity:
    """Names of the two sides.

    `server` is the reverse DNS of the server's address; None where DNS was not asked. `greeting_name` and `ehlo_name`
    are the first words of those replies, when they can be host names. `ours` is the reverse DNS of the address that
    the server sees: `seen_as` when it told us in its reply to EHLO, else our side of the connection. `helo_lookups`
    are the addresses of the name that we gave. `wanted` says that the user asked for this.
    """

    server: HostAddress | None = None
    greeting_name: str | None = None
    ehlo_name: str | None = None
    ours: HostAddress | None = None
    seen_as: str | None = None
    helo_lookups: tuple[Lookup, ...] = ()
    wanted: bool = False
    timed_out: bool = False  # DNS took longer than we wait for it after the session


@dataclass(frozen=True, slots=True)
class TlsaMatch:
    """One TLSA record held against the served chain.

    `position` is the certificate that it matches (0 is the server's own), or None. `problem` says why a record that
    matches does not help, or cannot be used at all.
    """

    record: TlsaRecord
    usable: bool
    position: int | None = None
    problem: str = ""


#: "match"; "mismatch" (there are usable records, and none fits); "unusable"; "none" (no record); "unknown" (DNS did not
#: answer); "no-tls" (records, but no certificate to hold them against).
DaneStatus: TypeAlias = Literal["match", "mismatch", "unusable", "none", "unknown", "no-tls"]


@dataclass(frozen=True, slots=True)
class Dane:
    """The TLSA records for one session's host and port.

    `secure`: the answers about the host were authenticated (RFC 7672 section 2.2.2), else senders do not look at the
    records; `mx_secure`: so was the MX that led to it, None where none did. `local`: a zone file answered.
    `over_network`: it is a resolver on another machine that says what is authenticated. `address` is the answer that
    leads to the host; `bogus` are the answers that are there only without DNSSEC.
    """

    name: str
    status: DaneStatus
    secure: bool
    lookup: Lookup
    matches: tuple[TlsaMatch, ...] = ()
    local: bool = False
    resolver_validates: bool | None = None
    mx_secure: bool | None = None
    over_network: bool = False
    address: Lookup | None = None
    bogus: tuple[Lookup, ...] = ()

    @property
    def binds_key(self) -> bool:
        """Whether senders with DANE take the server's own certificate for good, whoever signed it."""
        # Under usage 2 a record matches certificates above the server's own only.
        return self.secure and any(match.position == 0 and not match.problem for match in self.matches)

    def facts(self) -> Mapping[str, Fact]:
        """Return what the JSON contract has as `tls.dane`."""
        return {
            "name": self.name,
            "status": self.status,
            "authenticated": self.secure,
            "mx_authenticated": self.mx_secure,
            "bogus": bool(self.bogus),
            "resolver_validates": self.resolver_validates,
            "records": tuple(
                {
                    "usage": match.record.usage,
                    "selector": match.record.selector,
                    "matching_type": match.record.matching_type,
                    "data": match.record.data.hex(),
                    "usable": match.usable,
                    "matches": match.position,
                    "problem": match.problem or None,
                }
                for match in self.matches
            ),
        }


@dataclass(frozen=True, slots=True)
class StsDelivery:
    """Would a sender that follows the domain's MTA-STS policy deliver to this host (RFC 8461 section 4)?

    `mode` is None where there is no policy that a sender can use; then `delivers` is None too. `problems` are short
    words, in the order in which senders look: "mx-not-listed", "no-starttls", "old-tls", "untrusted", "name".
    """

    domain: str
    mode: str | None
    pattern: str | None = None
    problems: tuple[str, ...] = ()
    delivers: bool | None = None

    def facts(self) -> Mapping[str, Fact]:
        """Return what the JSON contract has as `tls.mta_sts`."""
        return {
            "domain": self.domain,
            "mode": self.mode,
            "pattern": self.pattern,
            "problems": self.problems,
            "delivers": self.delivers,
        }
