"""auth-check waits for no answer that it could have asked for sooner: round trips as a slow name server sees them.

The floor is the longest chain of questions of which each needs the answer before it; one more is allowed.
"""

from __future__ import annotations

import asyncio

import pytest
from support.latency_dns import AnswerBook, LatencyDns

from smtpdoc.aio import auth_check

#: So long that a busy machine sends all questions of a round before its first answer.
DELAY_S = 0.25

CHAIN = "\n".join(f'd{level}.deep 60 IN TXT "v=spf1 include:d{level + 1}.deep.test -all"' for level in range(8))

ZONE = f"""
. 60 IN SOA ns.test. hostmaster.test. 1 2 3 4 5
$ORIGIN test.
mail 60 IN MX 10 mx.mail
mail 60 IN TXT "v=spf1 mx include:spf.mail.test -all"
spf.mail 60 IN TXT "v=spf1 ip4:192.0.2.0/28 -all"
mx.mail 60 IN A 192.0.2.1
mx.mail 60 IN AAAA 2001:db8::1
1.2.0.192.in-addr.arpa. 60 IN PTR out.mail
out.mail 60 IN A 192.0.2.1
_dmarc.mail 60 IN TXT "v=DMARC1; p=none; rua=mailto:d@reports.test"
reports 60 IN MX 10 mx.reports
mail.test._report._dmarc.reports 60 IN TXT "v=DMARC1"
_mta-sts.mail 60 IN TXT "v=STSv1; id=1"
_smtp._tls.mail 60 IN TXT "v=TLSRPTv1; rua=mailto:t@mail.test"
default._bimi.mail 60 IN TXT "v=BIMI1; l=https://mail.test/logo.svg"
_25._tcp.mx.mail 60 IN TLSA 3 1 1 {"ab" * 32}
alias 60 IN CNAME mail
none 60 IN TXT "nothing about mail"
sub.none 60 IN A 192.0.2.9
deep 60 IN TXT "v=spf1 include:d0.deep.test -all"
{CHAIN}
d8.deep 60 IN TXT "v=spf1 -all"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> AnswerBook:
    path = tmp_path_factory.mktemp("zone") / "root.zone"
    path.write_text(ZONE, encoding="utf-8")
    return AnswerBook(path)


@pytest.mark.parametrize(
    ("domain", "floor", "why"),
    [
        ("mail.test", 4, "MX, A of the host, PTR of the address, A of its name"),
        ("alias.test", 4, "the same: the resolver follows CNAMEs"),
        ("none.test", 2, "TXT, then where a record may have been put by mistake"),
        ("sub.none.test", 3, "no MX, so A of the name, its PTR"),
        ("nothing.test", 1, "NXDOMAIN"),
        ("deep.test", 10, "ten levels of SPF"),
    ],
)
def test_at_most_one_round_trip_over_the_floor(book: AnswerBook, domain: str, floor: int, why: str) -> None:
    async def run() -> int:
        async with LatencyDns(book, DELAY_S) as server:
            await auth_check(domain, nameservers=[server.address], ips=["198.51.100.7"])
            return server.stats.chain

    assert floor <= asyncio.run(run()) <= floor + 1, why
