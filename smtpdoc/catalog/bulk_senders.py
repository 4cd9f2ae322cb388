"""What Gmail, Yahoo and Microsoft ask of those who send them more than 5,000 messages a day, as far as DNS shows it.

Gmail and Yahoo since February 2024, Outlook.com (with hotmail.com and live.com) since May 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from smtpdoc.catalog.parked import sends_nothing
from smtpdoc.evidence.auth import DkimEvidence, DkimSelector, DmarcEvidence, PtrEvidence, SpfEvidence, TopicStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.senders import BulkRule, RuleState
from smtpdoc.findings import Level, Source

GMAIL = "Gmail"
YAHOO = "Yahoo"
OUTLOOK = "Outlook.com"
PROVIDERS = (GMAIL, YAHOO, OUTLOOK)

SOURCES: Mapping[str, Source] = {
    GMAIL: Source("Google: Email sender guidelines", None, "https://support.google.com/a/answer/81126"),
    YAHOO: Source("Yahoo Sender Hub: Sender Best Practices", None, "https://senders.yahooinc.com/best-practices/"),
    OUTLOOK: Source(
        "Microsoft: Outlook's requirements for high-volume senders",
        None,
        "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730",
    ),
}


@dataclass(frozen=True, slots=True)
class _Ask:
    """Who asks for one thing, and how the refusals begin with which they say that it is missing."""

    rule: str
    asked_by: tuple[str, ...]
    refusals: tuple[str, ...] = ()


_OUTLOOK_REFUSAL = "Outlook.com 550 5.7.515"
_SPF = _Ask("spf", PROVIDERS, ("Gmail 421 4.7.27", "Gmail 550 5.7.27", "Yahoo 550 5.7.9", _OUTLOOK_REFUSAL))
_DKIM = _Ask("dkim", PROVIDERS, ("Gmail 421 4.7.30", "Gmail 550 5.7.30", "Yahoo 550 5.7.9", _OUTLOOK_REFUSAL))
_DMARC = _Ask("dmarc", PROVIDERS, ("Gmail 550 5.7.26", "Yahoo 554 5.7.9", _OUTLOOK_REFUSAL))
_ALIGNMENT = _Ask("alignment", PROVIDERS, ("Gmail 421 4.7.32", "Gmail 550 5.7.32", _OUTLOOK_REFUSAL))
_PTR = _Ask("ptr", (GMAIL, YAHOO), ("Gmail 451 4.7.23", "Gmail 550 5.7.25"))
_HIDDEN = (
    (_Ask("tls", (GMAIL,), ("Gmail 421 4.7.29", "Gmail 550 5.7.29")), "on every session of the sending server"),
    (
        _Ask("complaints", (GMAIL, YAHOO), ("Yahoo 421 4.7.0 [TSS04]",)),
        "under 0.3 % reported as spam",
    ),
    (
        _Ask("unsubscribe", (GMAIL, YAHOO)),
        "one click (RFC 8058), in the messages",
    ),
)

_NO_ANSWER = "DNS did not answer"


def bulk_senders(evidence: AuthEvidence) -> tuple[BulkRule, ...]:
    """Return the rules with what DNS shows of each, in the order in which a sender sets them up.

    Empty where SPF, DKIM and DMARC were not all looked at, and for a domain that sends no mail.
    """
    spf, dkim, dmarc = evidence.spf, evidence.dkim, evidence.dmarc
    if spf is None or dkim is None or dmarc is None or evidence.exists is None or sends_nothing(evidence):
        return ()
    return (
        _rule(_SPF, *_spf(spf)),
        _rule(_DKIM, *_dkim(dkim)),
        _rule(_DMARC, *_dmarc(dmarc)),
        _rule(_ALIGNMENT, *_alignment(spf, dkim, dmarc)),
        _rule(_PTR, *_ptr(evidence.ptr)),
        *(_rule(ask, RuleState.NOT_VISIBLE, because) for ask, because in _HIDDEN),
    )


def _rule(ask: _Ask, state: RuleState, because: str) -> BulkRule:
    return BulkRule(ask.rule, ask.asked_by, state, because, ask.refusals)


def _spf(spf: SpfEvidence) -> tuple[RuleState, str]:
    for check in spf.checks:
        if check.result == "temperror":
            return RuleState.UNKNOWN, f"{_NO_ANSWER} on the way to a result for {check.ip}"
        if check.result != "pass":
            return RuleState.NOT_MET, f"SPF gives {check.result} for {check.ip}"
    if spf.result == "temperror":
        return RuleState.UNKNOWN, _NO_ANSWER
    if spf.result == "none":
        return RuleState.NOT_MET, "no SPF record"
    if spf.result == "permerror":
        return RuleState.NOT_MET, "the SPF record is broken (permerror)"
    passes = ", ".join(check.ip for check in spf.checks)
    return RuleState.MET, f"SPF passes for {passes}" if passes else "an SPF record that receivers can use"


def usable_keys(dkim: DkimEvidence) -> tuple[DkimSelector, ...]:
    """Return the selectors with a key that receivers accept (RSA of 1024 bits and more, or Ed25519)."""
    return tuple(
        selector for selector in dkim.selectors if selector.status is TopicStatus.FOUND and not selector.revoked
    )


def _dkim(dkim: DkimEvidence) -> tuple[RuleState, str]:
    keys = usable_keys(dkim)
    if keys:
        return RuleState.MET, f"key at {', '.join(key.selector for key in keys)}"
    if dkim.proven_absent:
        return RuleState.NOT_MET, "no DKIM keys"
    if any(selector.status is TopicStatus.INVALID for selector in dkim.selectors):
        return RuleState.NOT_MET, "the DKIM keys found cannot be used"
    if dkim.unanswered:
        return RuleState.UNKNOWN, _NO_ANSWER
    return RuleState.NOT_VISIBLE, f"no key at the {dkim.tried} names tried; name yours with --selector"


def _dmarc(dmarc: DmarcEvidence) -> tuple[RuleState, str]:
    if dmarc.status is TopicStatus.UNKNOWN:
        return RuleState.UNKNOWN, _NO_ANSWER
    if dmarc.applies is not None:
        return RuleState.MET, "p=none is enough" if dmarc.applies == "none" else f"p={dmarc.applies}"
    return RuleState.NOT_MET, "no DMARC record" if dmarc.status is TopicStatus.ABSENT else "the DMARC record is broken"


def _alignment(spf: SpfEvidence, dkim: DkimEvidence, dmarc: DmarcEvidence) -> tuple[RuleState, str]:
    """Whether mail can be aligned with the author domain by one of the two, which is enough for all three."""
    keys = usable_keys(dkim)
    if keys:
        return RuleState.MET, f"signatures by {keys[0].selector} are by {dkim.domain} itself"
    clients = [sender for sender in dmarc.alignment if sender.passes]
    by_spf = [sender for sender in clients or dmarc.alignment if sender.spf]
    if by_spf and spf.result == "ok":
        return RuleState.MET, f"by SPF for {by_spf[0].sender}: {by_spf[0].spf_because}"
    if dkim.unanswered or spf.result == "temperror":
        return RuleState.UNKNOWN, _NO_ANSWER
    if dkim.proven_absent and all(sender.spf is False for sender in clients or dmarc.alignment):
        return RuleState.NOT_MET, "no DKIM keys, and no sender that SPF aligns"
    return RuleState.NOT_VISIBLE, "it depends on the selector and the bounce domain of each message"


def _ptr(ptr: PtrEvidence | None) -> tuple[RuleState, str]:
    if ptr is None or not ptr.addresses:
        return RuleState.NOT_VISIBLE, "name the sending address with --ip"
    for wanted, state, words in (
        (False, RuleState.NOT_MET, "no reverse name that leads back"),
        (None, RuleState.UNKNOWN, f"{_NO_ANSWER} about the reverse name"),
    ):
        ips = [address.ip for address in ptr.addresses if address.forward_confirmed is wanted]
        if ips:
            return state, f"{', '.join(ips)}: {words}"
    return RuleState.MET, "forward-confirmed"


# -- in few words -------------------------------------------------------------------

NAMES: Mapping[str, str] = {
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "alignment": "alignment",
    "ptr": "PTR",
    "tls": "TLS",
    "complaints": "complaints",
    "unsubscribe": "unsubscribe",
}

WORDS: Mapping[RuleState, str] = {
    RuleState.MET: "met",
    RuleState.NOT_MET: "not met",
    RuleState.UNKNOWN: "undetermined",
    RuleState.NOT_VISIBLE: "not in DNS",
}

LEVELS: Mapping[RuleState, Level] = {
    RuleState.MET: Level.PASS,
    RuleState.NOT_MET: Level.WARNING,
    RuleState.UNKNOWN: Level.UNKNOWN,
    RuleState.NOT_VISIBLE: Level.INFO,
}


def summary(rules: tuple[BulkRule, ...]) -> str:
    """Return one sentence for all three providers, those with the same outcome together.

    >>> summary((BulkRule("spf", PROVIDERS, RuleState.MET, ""), BulkRule("ptr", (GMAIL, YAHOO), RuleState.NOT_MET, "")))
    'Gmail, Yahoo: DNS side not met (PTR) · Outlook.com: DNS side met'
    """
    outcomes: dict[str, list[str]] = {}
    for provider in PROVIDERS:
        outcomes.setdefault(_outcome(rules, provider), []).append(provider)
    return " · ".join(f"{', '.join(providers)}: {outcome}" for outcome, providers in outcomes.items())


def _outcome(rules: tuple[BulkRule, ...], provider: str) -> str:
    missing, silent = (", ".join(_names(rules, provider, state)) for state in (RuleState.NOT_MET, RuleState.UNKNOWN))
    # What DNS never shows is no news; a key that was not found is.
    hidden = [name for name in _names(rules, provider, RuleState.NOT_VISIBLE) if name in ("DKIM", "alignment")]
    if missing:
        return f"DNS side not met ({missing})"
    if silent:
        return f"DNS side undetermined ({silent})"
    return "DNS side met" + (f", but {hidden[0]} cannot be seen from DNS" if hidden else "")


def _names(rules: tuple[BulkRule, ...], provider: str, state: RuleState) -> Iterator[str]:
    return (NAMES[rule.rule] for rule in rules if provider in rule.asked_by and rule.state is state)


def level(rules: tuple[BulkRule, ...]) -> Level:
    """Return the mark of the whole: what is worst, leaving aside what DNS never shows."""
    states = {rule.state for rule in rules}
    if RuleState.NOT_MET in states:
        return Level.WARNING
    if RuleState.UNKNOWN in states:
        return Level.UNKNOWN
    hidden = any(rule.rule == "dkim" and rule.state is RuleState.NOT_VISIBLE for rule in rules)
    return Level.INFO if hidden else Level.PASS
