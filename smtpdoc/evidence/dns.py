"""What DNS told us: one Lookup for one question. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class LookupStatus(StrEnum):
    """How a question ended. Only FOUND has records; NODATA and NXDOMAIN are void (RFC 7208 section 4.6.4)."""

    FOUND = "found"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"  # any answer that is none: SERVFAIL, REFUSED, a malformed message
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """One TXT record as its character-strings, in order."""

    strings: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The strings joined with nothing between (RFC 7208 section 3.3); bytes that are no UTF-8 are surrogates."""
        return b"".join(self.strings).decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class MxRecord:
    """One MX record. `host` is "." for a null MX (RFC 7505), else lower case without a trailing dot."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """One TLSA record (RFC 6698 section 2.1)."""

    usage: int
    selector: int
    matching_type: int
    data: bytes


#: An address (A, AAAA), a name (PTR, CNAME, NS) or any other type's presentation text.
Record: TypeAlias = "TxtRecord | MxRecord | TlsaRecord | str"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question and its answer.

    `name` is a lower-case A-label name without a trailing dot. `records` keeps the answer's order and is empty
    unless `status` is FOUND. `aliases` are the CNAMEs that were followed, the last being the canonical name.
    `authenticated` is the resolver's AD flag (RFC 6840 section 5.7); `local` says that a zone file gave the answer, or
    part of it. `detail` says in words why there is no answer.
    """

    name: str
    rdtype: str
    status: LookupStatus
    records: tuple[Record, ...] = ()
    aliases: tuple[str, ...] = ()
    authenticated: bool = False
    local: bool = False
    detail: str = ""
    elapsed_s: float = 0.0

    @property
    def answered(self) -> bool:
        """True where DNS gave an answer, be it "there is none"; False means that we could not tell."""
        return self.status not in (LookupStatus.SERVFAIL, LookupStatus.TIMEOUT)

    @property
    def void(self) -> bool:
        """True for NXDOMAIN and NODATA (RFC 7208 section 4.6.4)."""
        return self.status in (LookupStatus.NODATA, LookupStatus.NXDOMAIN)

    @property
    def txt(self) -> tuple[TxtRecord, ...]:
        return tuple(record for record in self.records if isinstance(record, TxtRecord))

    @property
    def mx(self) -> tuple[MxRecord, ...]:
        return tuple(record for record in self.records if isinstance(record, MxRecord))

    @property
    def tlsa(self) -> tuple[TlsaRecord, ...]:
        return tuple(record for record in self.records if isinstance(record, TlsaRecord))

    @property
    def names(self) -> tuple[str, ...]:
        """Addresses or names, as text (A, AAAA, PTR, CNAME, NS)."""
        return tuple(record for record in self.records if isinstance(record, str))
