"""What follows for those who send as a domain: alignment per sending service, and the rules for bulk senders.

Values only; the verdicts are in catalog/.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SenderAlignment:
    """Whether the mail of one sender can pass DMARC for the author domain, by SPF and by DKIM (RFC 9989 section 4.4).

    `sender` is a service ("SendGrid"), the name behind an include that nobody knows, an address given with --ip, or
    "own servers" for what the record lists by address, a and mx. `via` are the terms that authorize it, or the
    envelope sender of an address. `spf` and `dkim` are True where such mail can align, False where it does not (as
    the service is set up by default, for SPF), and None where DNS cannot tell; `spf_because` and `dkim_because` say
    why, and `selectors` are the keys found that are the sender's or may be. `ip` and `passes` belong to addresses given
    with --ip: whether SPF itself passes (None: DNS did not answer, or no address).
    """

    sender: str
    via: tuple[str, ...]
    spf: bool | None
    spf_because: str
    dkim: bool | None
    dkim_because: str
    selectors: tuple[str, ...] = ()
    ip: str | None = None
    passes: bool | None = None


class RuleState(StrEnum):
    """UNKNOWN means that DNS did not answer; NOT_VISIBLE that no DNS answer could tell."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"
    NOT_VISIBLE = "not-visible"


@dataclass(frozen=True, slots=True)
class BulkRule:
    """One rule for those who send more than 5,000 messages a day, as far as DNS shows whether it is met.

    `rule` is "spf", "dkim", "dmarc", "alignment", "ptr", "tls", "complaints" or "unsubscribe". `asked_by` and the
    beginnings of `refusals` ("Gmail 550 5.7.27") are the providers' names as people write them.
    """

    rule: str
    asked_by: tuple[str, ...]
    state: RuleState
    because: str
    refusals: tuple[str, ...] = ()
