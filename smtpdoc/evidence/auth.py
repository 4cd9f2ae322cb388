"""What a domain publishes for mail. Values only; the verdicts are in catalog/checks/."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtpdoc.evidence.dns import Lookup
from smtpdoc.evidence.senders import SenderAlignment


class TopicStatus(StrEnum):
    """UNKNOWN means that DNS did not answer, and never counts as absent."""

    FOUND = "found"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class SpfResult(StrEnum):
    """RFC 7208 section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address, its PTR names as answered, and whether one of them resolves back to it (RFC 8601 "iprev")."""

    ip: str
    ptr: tuple[str, ...]
    forward_confirmed: bool | None  # None: DNS did not answer
    generic: bool = False
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class MailHost:
    """One MX host with its addresses; `a` and `aaaa` are the lookups behind them (None when not asked)."""

    preference: int
    host: str
    addresses: tuple[HostAddress, ...]
    a: Lookup | None = None
    aaaa: Lookup | None = None


@dataclass(frozen=True, slots=True)
class MxEvidence:
    """The MX records of a domain with their hosts."""

    status: TopicStatus
    domain: str
    lookup: Lookup
    hosts: tuple[MailHost, ...] = ()
    null_mx: bool = False
    implicit: bool = False  # no MX, but A or AAAA at the domain itself (RFC 5321 section 5.1)


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """One term of a record in the static tree.

    `lookups` is the cost of this term with everything below it; `void` is True when its own lookup was void.
    `child` is the record behind include or redirect. `problem` is a syntax error in words, or None.
    `kind` is "include", "a", "ip4", "all", "redirect", "exp", "modifier" or "error". `target` is the name that was
    asked (None: nothing to ask, or only known with a client), `lookup` its answer, for `a` with `aaaa` beside it.
    `reached` is False for a term that no evaluation comes to (RFC 7208 sections 5.1 and 6.1).
    """

    term: str
    lookups: int
    void: bool
    sender: str | None = None
    child: SpfNode | None = None
    problem: str | None = None
    offset: int = 0
    kind: str = ""
    target: str | None = None
    lookup: Lookup | None = None
    aaaa: Lookup | None = None
    reached: bool = True


@dataclass(frozen=True, slots=True)
class SpfNode:
    """The record at one domain. `record` is None when there is none or DNS did not answer (see `lookup`).

    `records` are all v=spf1 records found there (more than one is a permerror, RFC 7208 section 4.5).
    `cycle` is True where the domain stands above itself already; its terms are then not repeated. Nor are they where
    `repeated` is True: the same domain is shown whole further up, and counts again all the same.
    """

    domain: str
    record: str | None
    terms: tuple[SpfTerm, ...]
    lookup: Lookup | None = None
    records: tuple[str, ...] = ()
    cycle: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class SpfCheck:
    """check_host() for one client (RFC 7208 section 4), with the records and terms that led to the result."""

    ip: str
    mail_from: str
    helo: str
    result: SpfResult
    path: tuple[str, ...]
    explanation: str | None = None
    lookups: int = 0
    void_lookups: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SpfEvidence:
    """The static analysis counts every term (worst case: nothing matches).

    `result` is "ok", "permerror", "temperror" or "none"; `valid` is False on any syntax error in the tree.
    `void_lookups` counts the terms whose name has nothing at all; for clients of one family, to whom the other
    family's addresses are of no use, `void_lookups_ipv4` and `void_lookups_ipv6` may be more.
    `elsewhere` are names with a record that was probably meant for `domain`, `elsewhere_records` those records, in the
    same order; `truncated` tells that the tree was too
    large to be read whole.
    """

    status: TopicStatus
    domain: str
    result: str
    valid: bool
    record: str | None = None
    lookups: int = 0
    void_lookups: int = 0
    tree: SpfNode | None = None
    checks: tuple[SpfCheck, ...] = ()
    txt: tuple[str, ...] = ()  # all TXT texts at the domain, for size and misspelt records
    void_lookups_ipv4: int = 0
    void_lookups_ipv6: int = 0
    elsewhere: tuple[str, ...] = ()
    elsewhere_records: tuple[str, ...] = ()
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class DkimSelector:
    """One selector that was asked for. `requested` is True when the user named it."""

    selector: str
    status: TopicStatus
    lookup: Lookup
    record: str | None = None
    records: tuple[str, ...] = ()
    key_type: str | None = None
    key_bits: int | None = None
    revoked: bool = False
    testing: bool = False
    cname: str | None = None
    sender: str | None = None
    requested: bool = False
    problems: tuple[str, ...] = ()  # flags of grammar/dkim.py


@dataclass(frozen=True, slots=True)
class DkimEvidence:
    """`selectors` holds those found, broken, or asked for by name; `tried` counts all names that were asked.

    `proven_absent` is True when `_domainkey.<domain>` is NXDOMAIN: no selector can exist (RFC 8020); only then is
    `status` ABSENT. It is UNKNOWN when no key stands at the names tried: one may stand elsewhere. `unanswered` counts
    the names that DNS gave no answer for; `parent` is the lookup of `_domainkey.<domain>`. With `wildcard`, one answer
    is given for every name; a key that is found so is listed once, as selector "*".
    """

    status: TopicStatus
    domain: str
    selectors: tuple[DkimSelector, ...]
    tried: int
    proven_absent: bool = False
    wildcard: bool = False
    unanswered: int = 0
    parent: Lookup | None = None


@dataclass(frozen=True, slots=True)
class ReportDestination:
    """A rua or ruf URI and, for one outside the organizational domain, whether its host agreed (RFC 9990 section 4).

    `receives` says whether the mailbox's domain can receive mail at all; None when unknown or no mailbox.
    """

    tag: str
    uri: str
    host: str | None
    external: bool
    authorized: bool | None  # None: inside, or DNS did not answer
    lookup: Lookup | None = None
    receives: bool | None = None


@dataclass(frozen=True, slots=True)
class DmarcEvidence:
    """The record that applies, found by the tree walk of RFC 9989 section 4.10.

    `queries` are the names that a receiver asks, in the walk's order (we ask them at once, with the rest of the walk,
    which the organizational domain needs); `lookups` are all answers. `organizational_domain` is None when DNS did not
    answer. `applies` is the policy for mail from `domain` (after p/sp/np, fallbacks and t=y), or None when no DMARC
    applies; `decided_by` is the tag it comes from. `flags` are those of grammar/dmarc.py for the record. `records` are
    the DMARC records at the domain itself. `exists` is False when the domain is NXDOMAIN, None when DNS did not
    answer. `misplaced` are lookups of names where a record that is not found often turns out to stand. `alignment` is
    filled where SPF was read as well.
    """

    status: TopicStatus
    domain: str
    organizational_domain: str | None
    queries: tuple[str, ...]
    record: str | None = None
    records: tuple[str, ...] = ()
    found_at: str | None = None
    policy: str | None = None
    subdomain_policy: str | None = None
    np: str | None = None
    applies: str | None = None
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    valid: bool = False
    flags: tuple[str, ...] = ()
    destinations: tuple[ReportDestination, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    exists: bool | None = None
    decided_by: str | None = None
    misplaced: tuple[Lookup, ...] = ()
    alignment: tuple[SenderAlignment, ...] = ()


@dataclass(frozen=True, slots=True)
class PtrEvidence:
    """Reverse DNS of the sending addresses named with `--ip`, and the addresses of `--helo` when one is given."""

    addresses: tuple[HostAddress, ...]
    helo: str | None = None
    helo_lookups: tuple[Lookup, ...] = ()
