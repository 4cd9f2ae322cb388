"""The resolver against NSD, and the zone file reader against what NSD says about the same file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from support.nameserver import nsd

from smtpdoc.evidence.dns import Lookup, LookupStatus, MxRecord
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.zone import parse_zone

pytestmark = pytest.mark.servers

_LONG = " ".join(f'"{"x" * 200}"' for _ in range(20))

EXAMPLE = f"""
$ORIGIN example.com.
$TTL 300
@               SOA   ns hostmaster 1 7200 3600 1209600 300
                NS    ns
                MX    10 mx.example.com.
                MX    20 Backup.Example.COM.
                TXT   "v=spf1 mx " "-all"
                TXT   "other"
ns              A     127.0.0.1
mx              A     192.0.2.1
                AAAA  2001:db8::1
null            MX    0 .
long            TXT   {_LONG}
alias           CNAME mx
chain           CNAME alias
dangling        CNAME gone
outside         CNAME mx.example.net.
elsewhere       CNAME nowhere.example.org.
a.b.c.deep      TXT   "below three empty non-terminals"
*.wild          TXT   "synthesised"
                A     192.0.2.9
real.wild       MX    10 mx
*.cwild         CNAME mx
_25._tcp.mx     TLSA  3 1 1 {"ab" * 32}
UPPER           TXT   "case does not matter"
odd\\032name    TXT   "a space in a label"
many            TXT   "a" "b" "c"
                TXT   "d"
                TXT   "\\195\\169\\027[0m\\034"
"""
NET = """
$TTL 300
@  SOA ns hostmaster 1 7200 3600 1209600 300
@  NS ns
ns A 127.0.0.1
mx A 198.51.100.1
"""

QUESTIONS = [
    (name, rdtype)
    for name in (
        "example.com",
        "mx.example.com",
        "null.example.com",
        "long.example.com",
        "alias.example.com",
        "chain.example.com",
        "dangling.example.com",
        "outside.example.com",
        "deep.example.com",
        "c.deep.example.com",
        "a.b.c.deep.example.com",
        "x.b.c.deep.example.com",
        "wild.example.com",
        "one.wild.example.com",
        "two.one.wild.example.com",
        "real.wild.example.com",
        "below.real.wild.example.com",
        "any.cwild.example.com",
        "_25._tcp.mx.example.com",
        "_tcp.mx.example.com",
        "upper.EXAMPLE.com",
        "odd\\032name.example.com",
        "many.example.com",
        "nothing.example.com",
        "mx.example.net",
        "nothing.example.net",
    )
    for rdtype in ("A", "AAAA", "MX", "TXT", "CNAME", "TLSA", "NS")
]


@pytest.fixture(scope="module")
def name_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nsd({"example.com": EXAMPLE, "example.net": NET}, tmp_path_factory.mktemp("nsd")) as address:
        yield address


def from_nsd(address: str, questions: list[tuple[str, str]]) -> tuple[Lookup, ...]:
    async def run() -> tuple[Lookup, ...]:
        async with open_resolver(nameservers=[address], timeout_s=5) as resolver:
            return await resolver.lookup_all(questions)

    return asyncio.run(run())


def from_zone(questions: list[tuple[str, str]]) -> tuple[Lookup, ...]:
    both = EXAMPLE + "$ORIGIN example.net.\n" + NET

    async def run() -> tuple[Lookup, ...]:
        async with open_resolver(zone=parse_zone(both), offline=True) as resolver:
            return await resolver.lookup_all(questions)

    return asyncio.run(run())


def test_a_zone_file_answers_as_the_name_server_that_loads_it(name_server: str) -> None:
    def comparable(lookup: Lookup) -> Lookup:
        return replace(lookup, elapsed_s=0.0, local=False, records=tuple(sorted(lookup.records, key=repr)))

    ours = list(map(comparable, from_zone(QUESTIONS)))
    theirs = list(map(comparable, from_nsd(name_server, QUESTIONS)))

    assert theirs == ours
    assert {LookupStatus.FOUND, LookupStatus.NODATA, LookupStatus.NXDOMAIN} == {lookup.status for lookup in theirs}


def test_an_answer_of_four_kilobytes_comes_over_tcp(name_server: str) -> None:
    (lookup,) = from_nsd(name_server, [("long.example.com", "TXT")])

    assert (LookupStatus.FOUND, "x" * 4000) == (lookup.status, lookup.txt[0].text)


def test_null_mx_and_mx_hosts_are_in_lower_case(name_server: str) -> None:
    null, two = from_nsd(name_server, [("null.example.com", "MX"), ("example.com", "MX")])

    assert (MxRecord(0, "."),) == null.mx
    assert {MxRecord(10, "mx.example.com"), MxRecord(20, "backup.example.com")} == set(two.mx)


def test_a_name_of_another_zone_is_refused_and_not_absent(name_server: str) -> None:
    direct, through_alias = from_nsd(name_server, [("nowhere.example.org", "A"), ("elsewhere.example.com", "A")])

    assert [LookupStatus.SERVFAIL] * 2 == [direct.status, through_alias.status]
    assert "REFUSED" in direct.detail
    assert ("nowhere.example.org",) == through_alias.aliases
