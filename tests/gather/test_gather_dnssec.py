"""DNSSEC: what is asked, and the state that follows from the resolver's flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks import dns as dns_checks
from smtpdoc.catalog.checks import dnssec as dnssec_checks
from smtpdoc.catalog.checks import tlsa as tlsa_checks
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.dnssec import DnssecEvidence, DnssecState, ResolverEvidence
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.dnssec import ROOT_QUESTION, gather_dnssec, gather_resolver
from smtpdoc.gather.tlsa import gather_tlsa

MX: dict[str, Answer] = {"example.com MX": (10, "mx.example.com"), "mx.example.com A": "192.0.2.1"}
ROOT: dict[str, Answer] = {". A": LookupStatus.NODATA}
KEY = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
DS = "2371 13 2 bb5fc4b4b0bdc1e7b0e0b3f7d1f8f7ce8d6f3d8a1e4c1a1e7c8f0a1b2c3d4e5f"


class Resolver(Zone):
    """A resolver that gives the AD flag to all answers about `signed` names and what is below them."""

    def __init__(self, answers: Mapping[str, Answer], *signed: str) -> None:
        super().__init__({**ROOT, **answers})
        self.signed = signed

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        lookups = await super().lookup_all(questions)
        return tuple(replace(lookup, authenticated=self._is_signed(lookup)) for lookup in lookups)

    def _is_signed(self, lookup: Lookup) -> bool:
        return lookup.answered and any(f".{lookup.name}".endswith(f".{name}") for name in self.signed)


def gather(resolver: Resolver, unchecked: Zone | None = None, domain: str = "example.com") -> DnssecEvidence:
    return run_now(gather_dnssec(domain, resolver, unchecked))


def findings(evidence: DnssecEvidence) -> dict[str, Level]:
    return {finding.id: finding.level for finding in dnssec_checks.checks.run(evidence)}


def test_a_signed_domain_takes_one_round_and_nothing_more() -> None:
    resolver = Resolver(MX, ".", "example.com")
    evidence = gather(resolver)

    assert [(("example.com", "MX"), ROOT_QUESTION)] == resolver.rounds
    assert (DnssecState.SIGNED, True, {}) == (evidence.state, evidence.resolver_validates, findings(evidence))


def test_a_resolver_that_validates_proves_a_domain_unsigned() -> None:
    resolver = Resolver(MX, ".")
    evidence = gather(resolver)

    assert 2 == len(resolver.rounds)
    assert (DnssecState.UNSIGNED, {"dnssec.unsigned": Level.INFO}) == (evidence.state, findings(evidence))


def test_keys_that_the_parent_does_not_know_of_are_a_note() -> None:
    evidence = gather(Resolver({**MX, "example.com DNSKEY": KEY}, "."))

    assert (DnssecState.UNSIGNED, {"dnssec.no-ds": Level.INFO}) == (evidence.state, findings(evidence))


@pytest.mark.parametrize(
    ("records", "state", "raised"),
    [
        ({"example.com NS": "ns.example"}, DnssecState.UNSIGNED, "dnssec.unsigned"),
        ({"example.com NS": "ns.example", "example.com DS": DS}, DnssecState.UNKNOWN, "dnssec.not-validated"),
        ({"example.com DS": LookupStatus.SERVFAIL}, DnssecState.UNKNOWN, "dnssec.not-validated"),
        ({}, DnssecState.UNKNOWN, "dnssec.not-validated"),
    ],
    ids=["a delegation without DS", "DS published", "no answer for DS", "a name inside some zone"],
)
def test_a_resolver_that_does_not_validate_says_little(
    records: dict[str, Answer], state: DnssecState, raised: str
) -> None:
    evidence = gather(Resolver({**MX, **records}))

    assert (state, {raised: Level.INFO}) == (evidence.state, findings(evidence))
    assert evidence.resolver_validates is False


def test_an_answer_only_without_checks_is_bogus() -> None:
    resolver = Resolver({"example.com MX": LookupStatus.SERVFAIL}, ".")
    unchecked = Zone(MX)
    evidence = gather(resolver, unchecked)

    assert [("example.com", "MX")] == unchecked.asked
    assert (DnssecState.BOGUS, {"dnssec.bogus": Level.ERROR}) == (evidence.state, findings(evidence))


@pytest.mark.parametrize("anyway", [LookupStatus.SERVFAIL, LookupStatus.TIMEOUT])
def test_dead_name_servers_are_not_bogus(anyway: LookupStatus) -> None:
    resolver = Resolver({"example.com MX": LookupStatus.SERVFAIL}, ".")
    evidence = gather(resolver, Zone({"example.com MX": anyway}))

    assert (DnssecState.UNKNOWN, {"dnssec.unknown": Level.UNKNOWN}) == (evidence.state, findings(evidence))


def test_silence_is_not_asked_about_again() -> None:
    unchecked = Zone(MX)
    evidence = gather(Resolver({"example.com MX": LookupStatus.TIMEOUT}, "."), unchecked)

    assert (DnssecState.UNKNOWN, []) == (evidence.state, unchecked.asked)


@pytest.mark.parametrize(("signed", "level"), [(("com", "."), None), ((".",), Level.WARNING), ((), Level.INFO)])
def test_tlsa_without_dnssec_is_a_warning_only_where_the_resolver_could_tell(
    signed: tuple[str, ...], level: Level | None
) -> None:
    resolver = Resolver({**MX, "_25._tcp.mx.example.com TLSA": TlsaRecord(3, 1, 1, bytes(32))}, *signed)
    found = tlsa_checks.checks.run(run_now(gather_tlsa("example.com", resolver)))

    assert ([] if level is None else [("tlsa.not-authenticated", level)]) == [(one.id, one.level) for one in found]


def rewriting(answer: Answer) -> tuple[ResolverEvidence, tuple[Finding, ...]]:
    evidence = run_now(gather_resolver("nobody.invalid", Zone({"nobody.invalid A": answer})))
    return evidence, dns_checks.checks.run(evidence)


def test_an_address_for_a_name_that_cannot_exist_is_told() -> None:
    evidence, (finding,) = rewriting("198.51.100.7")

    assert evidence.rewrites is True
    assert ("dns.resolver-rewrites-nxdomain", Level.WARNING) == (finding.id, finding.level)
    assert "the resolver answers 198.51.100.7 for nobody.invalid, a name that cannot exist" == finding.message


@pytest.mark.parametrize(
    ("answer", "rewrites"),
    [(LookupStatus.NXDOMAIN, False), (LookupStatus.NODATA, False), (LookupStatus.TIMEOUT, None)],
)
def test_an_honest_resolver_is_not_mentioned(answer: LookupStatus, rewrites: bool | None) -> None:
    assert (rewrites, ()) == (rewriting(answer)[0].rewrites, rewriting(answer)[1])
