"""What a domain publishes about TLS for its mail, and its logo: MTA-STS, TLS-RPT, DANE, BIMI. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.evidence.auth import DmarcEvidence, TopicStatus
from smtpdoc.evidence.dns import Lookup, TlsaRecord
from smtpdoc.grammar.mta_sts import StsPolicy


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The answer to the HTTPS question for an MTA-STS policy: the policy, or in words why there is none.

    `answered` is False where we could not tell: no answer in time, or no way to the host from here. `location` is
    where a redirect points, which nobody follows (RFC 8461 section 3.3).
    """

    url: str
    policy: StsPolicy | None
    problem: str | None = None
    text: str = ""
    answered: bool = True
    location: str | None = None


@dataclass(frozen=True, slots=True)
class MtaStsEvidence:
    """The record at `_mta-sts`, the addresses of the policy host, and the policy (None: not asked for).

    `records` are the texts at the name that begin with the version; `mx_hosts` the domain's MX hosts, None when DNS
    did not answer.
    """

    status: TopicStatus
    domain: str
    lookup: Lookup
    host_lookups: tuple[Lookup, ...]
    records: tuple[str, ...] = ()
    id: str | None = None
    flags: tuple[str, ...] = ()
    file: PolicyFile | None = None
    mx_hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TlsRptEvidence:
    """The TLS-RPT record of a domain (RFC 8460)."""

    status: TopicStatus
    domain: str
    lookup: Lookup
    records: tuple[str, ...] = ()
    rua: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsaHost:
    """The TLSA records of one mail host, at `name`.

    `secure` says whether the answers for `address` (for the alias itself, where only that is signed) and for the
    records were authenticated, or stand in a zone file; only then do senders look at the records (RFC 7672 section
    2.2.2). `bogus` are those of the two that the resolver has only without DNSSEC: the signatures do not fit.
    """

    host: str
    name: str
    lookup: Lookup
    secure: bool
    records: tuple[TlsaRecord, ...]
    address: Lookup
    bogus: tuple[Lookup, ...] = ()

    @property
    def local(self) -> bool:
        return self.lookup.local or self.address.local


@dataclass(frozen=True, slots=True)
class TlsaEvidence:
    """`hosts` are in the order of the MX records; empty when the domain has none, or DNS did not say (`mx`).

    `resolver_validates` is False where the resolver could not have said that an answer is secure; None: not known.
    """

    status: TopicStatus
    domain: str
    mx: Lookup
    hosts: tuple[TlsaHost, ...] = ()
    resolver_validates: bool | None = None

    @property
    def mx_secure(self) -> bool:
        """Whether nobody can have put other hosts in the place of these."""
        return self.mx.authenticated or self.mx.local


@dataclass(frozen=True, slots=True)
class BimiEvidence:
    """The assertion record of the domain or else of its organizational domain, and the DMARC it has to rest on."""

    status: TopicStatus
    domain: str
    selector: str
    lookups: tuple[Lookup, ...]
    found_at: str | None = None
    records: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    dmarc: DmarcEvidence | None = None
