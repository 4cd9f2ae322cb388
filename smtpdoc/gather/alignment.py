"""DMARC alignment, seen ahead: for each sender that SPF authorizes, whether its mail can pass for the author domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from smtpdoc.evidence.auth import (
    DkimEvidence,
    DkimSelector,
    DmarcEvidence,
    SpfCheck,
    SpfEvidence,
    SpfNode,
    SpfResult,
    SpfTerm,
    TopicStatus,
)
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.senders import SenderAlignment
from smtpdoc.gather.dmarc import gather_alignment
from smtpdoc.gather.spf_check import a_labels
from smtpdoc.grammar.bounces import Bounces, bounces_of
from smtpdoc.grammar.names import is_within
from smtpdoc.grammar.selectors import selectors_of
from smtpdoc.seams import Resolver

#: Nobody reads about more senders; a stranger's record decides how many there are.
MAX_SENDERS = 30

OWN_SERVERS = "own servers"

_ADDRESS_KINDS = ("ip4", "ip6", "a", "mx", "exists", "ptr")


async def with_alignment(evidence: AuthEvidence, resolver: Resolver) -> AuthEvidence:
    """Return the evidence with the DMARC topic's `alignment` filled, where SPF ran as well.

    Senders stand in the order of the SPF record, then the --ip clients with another envelope domain, whose tree walk
    is the only thing that is asked here.
    """
    spf, dkim, dmarc = evidence.spf, evidence.dkim, evidence.dmarc
    if spf is None or dmarc is None:
        return evidence
    senders = _senders(spf)
    found = [_sender(name, via, tuple(senders), dmarc, dkim) for name, via in senders.items()][:MAX_SENDERS]
    found += [
        await _client(check, identifier, dmarc, dkim, resolver)
        for check in spf.checks
        if (identifier := _envelope_domain(check)) != dmarc.domain
    ]
    return replace(evidence, dmarc=replace(dmarc, alignment=tuple(found)))


# -- who sends ----------------------------------------------------------------------


def _senders(spf: SpfEvidence) -> dict[str, tuple[str, ...]]:
    """Return each sender with the terms that authorize it, in the record's order."""
    found: dict[str, tuple[str, ...]] = {}
    if spf.tree is not None and spf.record is not None:
        for name, term in _authorized(spf.tree, spf.domain, OWN_SERVERS):
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), term)))
    return found


def _authorized(node: SpfNode, domain: str, owner: str) -> Iterator[tuple[str, str]]:
    for term in node.terms:
        if not term.reached or term.term[:1] in "-~?":
            continue
        if term.kind in _ADDRESS_KINDS:
            yield owner, term.term
        elif term.kind in ("include", "redirect"):
            yield from _behind(term, domain, owner)


def _behind(term: SpfTerm, domain: str, owner: str) -> Iterator[tuple[str, str]]:
    """Yield the senders behind an include or redirect: a known service as such, else what its record names."""
    name = term.target or term.term.partition(":")[2] or term.term
    if term.sender is not None:
        yield term.sender, term.term
    elif term.child is None or term.child.record is None:
        if term.child is None:  # a name that only a client's address gives, and nobody we know
            yield name, term.term
    else:
        inner = owner if is_within(term.child.domain, domain) else term.child.domain
        # Terms below are somebody else's wording; what counts for the owner is how they got in.
        yield from dict.fromkeys((sender, term.term) for sender, _ in _authorized(term.child, domain, inner))


# -- whether it aligns ----------------------------------------------------------------


def _sender(
    name: str,
    via: tuple[str, ...],
    senders: tuple[str, ...],
    dmarc: DmarcEvidence,
    dkim: DkimEvidence | None,
) -> SenderAlignment:
    aligned, because = _spf(name, dmarc)
    signs, selectors, signs_because = _dkim(name, senders, dkim)
    return SenderAlignment(name, via, aligned, because, signs, signs_because, selectors)


def _spf(name: str, dmarc: DmarcEvidence) -> tuple[bool | None, str]:
    """Whether the bounce domain that a sender uses aligns; whether SPF passes is the SPF topic's own matter."""
    match Bounces.AUTHOR if name == OWN_SERVERS else bounces_of(name):
        case Bounces.AUTHOR:
            return True, f"bounces go to {dmarc.domain}, unless another bounce address is set"
        case Bounces.SERVICE:
            return False, f"bounces go to a domain of {name}"
        case Bounces.RETURN_PATH if dmarc.aspf == "s":
            # RFC 9989 section 4.4: strict alignment asks for the very same name.
            return False, f"bounces go to a domain of {name} or to a subdomain, and aspf=s takes neither"
        case Bounces.RETURN_PATH:
            return False, f"bounces go to a domain of {name}, unless a return-path domain below yours is set there"
        case _:
            return None, "it depends on the bounce address that it uses"


def _dkim(name: str, senders: tuple[str, ...], dkim: DkimEvidence | None) -> tuple[bool | None, tuple[str, ...], str]:
    """Whether a key for the author domain is there that the sender can sign with.

    A key below `_domainkey.<domain>` signs with d=<domain>, which aligns in both modes.
    """
    if dkim is None:
        return None, (), "DKIM was not looked at"
    if dkim.proven_absent:
        return False, (), f"{dkim.domain} has no DKIM keys"
    own = tuple(selector.selector for selector in _usable(dkim) if _may_be(selector, name, senders))
    if own:
        return True, own, f"key at {', '.join(own)}"
    if dkim.unanswered:
        return None, (), "DNS did not answer for some of the selectors"
    return None, (), f"no key of it at the {dkim.tried} names tried"


def _usable(dkim: DkimEvidence) -> Iterator[DkimSelector]:
    for selector in dkim.selectors:
        if selector.status is TopicStatus.FOUND and not selector.revoked and selector.selector != "*":
            yield selector


def _may_be(selector: DkimSelector, name: str, senders: tuple[str, ...]) -> bool:
    """Whether a key is a sender's: by its CNAME, by a name that this service uses, or because no other sender's is."""
    if selector.sender is not None:
        return selector.sender == name
    owners = [sender for sender in senders if selector.selector in selectors_of((sender,))]
    return name in owners if owners else name == OWN_SERVERS or selector.requested


def _envelope_domain(check: SpfCheck) -> str:
    return a_labels((check.mail_from or check.helo).rpartition("@")[2]).lower().strip(".")


async def _client(
    check: SpfCheck, identifier: str, dmarc: DmarcEvidence, dkim: DkimEvidence | None, resolver: Resolver
) -> SenderAlignment:
    aligned: bool | None
    if check.result is SpfResult.TEMPERROR:
        aligned, because = None, "DNS did not answer"
    elif check.result is not SpfResult.PASS:
        aligned, because = False, f"SPF gives {check.result} for it"
    else:
        aligned = await gather_alignment(dmarc.domain, identifier, dmarc.aspf, resolver)
        mode = "strict (aspf=s)" if dmarc.aspf == "s" else "relaxed"
        because = {
            True: f"SPF passes for {identifier}",
            False: f"SPF passes for {identifier}, which does not align with {dmarc.domain} ({mode})",
            None: f"DNS did not answer about {identifier}",
        }[aligned]
    signs: bool | None = None
    signs_because = "what it signs is seen in its messages only"
    if dkim is not None and dkim.proven_absent:
        signs, signs_because = False, f"{dkim.domain} has no DKIM keys"
    passes = None if check.result is SpfResult.TEMPERROR else check.result is SpfResult.PASS
    via = (check.mail_from or check.helo,)
    return SenderAlignment(check.ip, via, aligned, because, signs, signs_because, ip=check.ip, passes=passes)
