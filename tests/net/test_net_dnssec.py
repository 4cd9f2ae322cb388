"""DNSSEC over the wire: the AD and CD flags, bogus answers, resolvers that lie or stay silent about odd names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.flags
import dns.rcode
import pytest
from support.faulty_dns import FaultyDns, Query

from smtpdoc.api.domains import auth_check
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.net.dns import open_resolver
from smtpdoc.report import Report

SOA = ". 60 IN SOA a.example. b.example. 1 2 3 4 5"


def behave(query: Query, *, signed: bool = True, bogus: bool = False, rewrites: bool = False) -> Sequence[bytes]:
    """A resolver that validates: for example.com, signed or not or badly; everything else has no records."""
    checking_disabled = bool(query.message.flags & dns.flags.CD)
    secure = int(dns.flags.AD) if query.name in (".", "@") or signed else 0
    if query.name.endswith("example.com"):
        if bogus and not checking_disabled:
            return [query.reply(rcode=dns.rcode.SERVFAIL)]
        if query.rdtype == "MX":
            return [query.reply("example.com. 60 IN MX 10 mx.example.com.", flags=secure)]
    if query.name.endswith(".invalid"):
        if rewrites:
            return [query.reply(f"{query.name}. 60 IN A 198.51.100.7")]
        return [query.reply(rcode=dns.rcode.NXDOMAIN, authority=[SOA])]
    return [query.reply(authority=[SOA], flags=secure)]


def check(behaviour: dict[str, bool], *only: str, silent: str = "") -> tuple[Report, AuthEvidence, FaultyDns]:
    async def run() -> tuple[Report, FaultyDns]:
        def answer(query: Query) -> Sequence[bytes]:
            return () if silent and query.name.endswith(silent) else behave(query, **behaviour)

        async with FaultyDns(answer) as server:
            report = await auth_check("example.com", nameservers=[server.address], only=only, timeout_s=5)
            return report, server

    report, server = asyncio.run(run())

    assert isinstance(report.evidence, AuthEvidence)

    return report, report.evidence, server


def test_checking_is_switched_off_only_for_unchecked_questions() -> None:
    async def run() -> tuple[LookupStatus, LookupStatus, list[bool]]:
        def answer(query: Query) -> Sequence[bytes]:
            return behave(query, bogus=True)

        async with FaultyDns(answer) as server, open_resolver(nameservers=[server.address]) as resolver:
            checked = await resolver.lookup("example.com", "MX")
            anyway = await resolver.unchecked().lookup("example.com", "MX")
            again = await resolver.lookup("example.com", "MX")
            assert again is checked
            flags = [bool(query.message.flags & dns.flags.CD) for query in server.queries]
            return checked.status, anyway.status, flags

    assert (LookupStatus.SERVFAIL, LookupStatus.FOUND, [False, True]) == asyncio.run(run())


def test_the_root_can_be_asked_about() -> None:
    async def run() -> tuple[str, bool]:
        async with FaultyDns(behave) as server, open_resolver(nameservers=[server.address]) as resolver:
            root = await resolver.lookup(".", "A")
            return root.name, root.authenticated

    assert (".", True) == asyncio.run(run())


@pytest.mark.parametrize(
    ("behaviour", "state", "raised"),
    [
        ({"signed": True}, "signed", set()),
        ({"signed": False}, "unsigned", {"dnssec.unsigned"}),
        ({"bogus": True}, "bogus", {"dnssec.bogus"}),
    ],
)
def test_states_over_the_wire(behaviour: dict[str, bool], state: str, raised: set[str]) -> None:
    report, evidence, _ = check(behaviour, "dnssec")

    assert evidence.dnssec is not None
    assert state == evidence.dnssec.state
    assert raised == {finding.id for finding in report.findings}


def test_a_bogus_domain_is_an_error_and_not_merely_undetermined() -> None:
    report, _, _ = check({"bogus": True})

    assert (1, ["dnssec.bogus"]) == (report.exit_code, [finding.id for finding in report.findings])


def test_a_resolver_that_rewrites_is_named() -> None:
    report, evidence, _ = check({"rewrites": True}, "mx")

    assert evidence.resolver is not None
    assert evidence.resolver.rewrites is True
    assert "dns.resolver-rewrites-nxdomain" in {finding.id for finding in report.findings}


def test_nobody_waits_for_a_resolver_that_swallows_names_that_cannot_exist() -> None:
    report, evidence, server = check({}, "tls-rpt", silent=".invalid")

    assert any(name.endswith(".invalid") for name, _ in server.asked)
    assert evidence.resolver is None
    assert report.elapsed_s < 1.0
