"""The resolver against a name server that does all that name servers should not do."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from support.faulty_dns import Behaviour, FaultyDns, Query, truncated

from smtpdoc.errors import TargetError
from smtpdoc.evidence.dns import Lookup, LookupStatus, MxRecord, TlsaRecord, TxtRecord
from smtpdoc.net import dns_transport
from smtpdoc.net.dns import DnsResolver, open_resolver
from smtpdoc.net.dns_reader import read_answer
from smtpdoc.net.dns_transport import GIVE_UP_AFTER
from smtpdoc.net.dns_values import Answer, Fault, Truncated, make_question

FOUND, NODATA, NXDOMAIN = LookupStatus.FOUND, LookupStatus.NODATA, LookupStatus.NXDOMAIN
SERVFAIL, TIMEOUT = LookupStatus.SERVFAIL, LookupStatus.TIMEOUT
SOA = "example. 60 IN SOA ns.example. hostmaster.example. 1 2 3 4 5"


def ask(behaviour: Behaviour, name: str, rdtype: str, *, timeout_s: float = 5.0) -> tuple[Lookup, FaultyDns]:
    """Ask one question of a server that behaves so."""

    async def run() -> tuple[Lookup, FaultyDns]:
        async with (
            FaultyDns(behaviour) as server,
            open_resolver(nameservers=[server.address], timeout_s=timeout_s) as resolver,
        ):
            return await resolver.lookup(name, rdtype), server

    return asyncio.run(run())


def always(*records: str, **options: object) -> Behaviour:
    return lambda query: [query.reply(*records, **options)]  # type: ignore[arg-type]


def with_rdata(query: Query, rdtype: str, text: str) -> bytes:
    r"""Return an answer with this record; `text` may be octets as in "\# 2 0301" that dnspython would refuse."""
    if not text.startswith("\\#"):
        return query.reply(f"a.example. 60 IN {rdtype} {text}")
    data = bytes.fromhex("".join(text.split()[2:]))
    generic = query.reply(rf"a.example. 60 IN TYPE65280 \# {len(data)} {data.hex()}")
    return generic.replace(b"\xff\x00", dns.rdatatype.from_text(rdtype).to_bytes(2, "big"), 1)


# What comes back


@pytest.mark.parametrize(
    ("rdtype", "text", "expected"),
    [
        ("TXT", '"v=spf1 " "-all"', TxtRecord((b"v=spf1 ", b"-all"))),
        ("TXT", r'"\195\169\027[31m"', TxtRecord((b"\xc3\xa9\x1b[31m",))),
        ("MX", "10 MX1.Example.COM.", MxRecord(10, "mx1.example.com")),
        ("MX", "0 .", MxRecord(0, ".")),
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:db8:0:0::1", "2001:db8::1"),
        ("PTR", "Mail.Example.", "mail.example"),
        ("NS", "ns.example.", "ns.example"),
        ("CNAME", "target.example.", "target.example"),
        ("TLSA", "3 1 0 00ff", TlsaRecord(3, 1, 0, b"\x00\xff")),
        ("TLSA", r"\# 5 0301 01 00ff", TlsaRecord(3, 1, 1, b"\x00\xff")),
        ("TLSA", r"\# 2 0301", r"\# 2 0301"),
        ("CAA", '0 issue "ca.example"', '0 issue "ca.example"'),
    ],
)
def test_records_arrive_as_evidence(rdtype: str, text: str, expected: object) -> None:
    answer, _ = ask(lambda query: [with_rdata(query, rdtype, text)], "a.example", rdtype)

    assert (FOUND, (expected,)) == (answer.status, answer.records)


def test_the_name_is_asked_and_kept_in_lower_case_a_labels_without_a_dot() -> None:
    answer, server = ask(always(rcode=dns.rcode.NXDOMAIN), "Bücher.EXAMPLE.", "txt")

    assert ("xn--bcher-kva.example", "TXT", NXDOMAIN) == (answer.name, answer.rdtype, answer.status)
    assert [("xn--bcher-kva.example", "TXT")] == server.asked


def test_the_query_offers_edns_of_1232_octets_and_understands_ad() -> None:
    answer, server = ask(always("a.example. 60 IN A 192.0.2.1", flags=dns.flags.AD), "a.example", "A")
    query = server.queries[0].message

    assert (1232, True, True) == (query.payload, bool(query.flags & dns.flags.RD), bool(query.flags & dns.flags.AD))
    assert answer.authenticated


def test_no_records_of_the_type_is_nodata_and_nothing_at_the_name_is_nxdomain() -> None:
    nodata, _ = ask(always(authority=[SOA]), "a.example", "MX")
    nothing, _ = ask(always(authority=[SOA], rcode=dns.rcode.NXDOMAIN), "a.example", "MX")

    assert (NODATA, NXDOMAIN) == (nodata.status, nothing.status)
    assert nodata.void
    assert not nodata.authenticated


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a..example", "empty label"),
        (".example", "empty label"),
        (f"{'a' * 64}.example", "63"),
        (".".join(["a" * 50] * 6), "253"),
        ("\udcff.example", "IDNA 2008"),
        ("a\\", "cannot be written"),
    ],
)
def test_a_name_that_dns_cannot_hold_does_not_exist_and_is_not_asked_for(name: str, reason: str) -> None:
    answer, server = ask(always(), name, "TXT")

    assert (NXDOMAIN, []) == (answer.status, server.asked)
    assert "cannot be a domain name" in answer.detail
    assert reason in answer.detail


# CNAMEs


def test_aliases_in_an_answer_are_followed_and_told() -> None:
    chain = ["a.example. 60 IN CNAME B.example.", "b.example. 60 IN CNAME c.example.", "c.example. 60 IN TXT x"]
    answer, server = ask(always(*chain), "a.example", "TXT")

    assert (FOUND, ("b.example", "c.example")) == (answer.status, answer.aliases)
    assert 1 == len(server.asked)


def test_an_answer_that_ends_with_an_alias_is_asked_on() -> None:
    def only_the_alias(query: Query) -> Sequence[bytes]:
        if query.name == "a.example":
            return [query.reply("a.example. 60 IN CNAME b.example.")]
        return [query.reply("b.example. 60 IN A 192.0.2.1")]

    answer, server = ask(only_the_alias, "a.example", "A")

    assert (FOUND, ("192.0.2.1",), ("b.example",)) == (answer.status, answer.names, answer.aliases)
    assert [("a.example", "A"), ("b.example", "A")] == server.asked


def test_a_dangling_alias_is_nxdomain_with_the_alias_named() -> None:
    answer, _ = ask(
        always("a.example. 60 IN CNAME gone.example.", rcode=dns.rcode.NXDOMAIN, authority=[SOA]), "a.example", "A"
    )

    assert (NXDOMAIN, ("gone.example",)) == (answer.status, answer.aliases)


def test_an_alias_without_the_type_is_nodata_without_another_question() -> None:
    answer, server = ask(always("a.example. 60 IN CNAME b.example.", authority=[SOA]), "a.example", "A")

    assert (NODATA, 1) == (answer.status, len(server.asked))


def test_asking_for_the_alias_itself_does_not_follow_it() -> None:
    answer, _ = ask(always("a.example. 60 IN CNAME b.example."), "a.example", "CNAME")

    assert (FOUND, ("b.example",), ()) == (answer.status, answer.names, answer.aliases)


@pytest.mark.parametrize(
    "records",
    [
        ["a.example. 60 IN CNAME a.example."],
        ["a.example. 60 IN CNAME b.example.", "b.example. 60 IN CNAME a.example."],
    ],
)
def test_aliases_in_a_circle_are_no_answer(records: list[str]) -> None:
    answer, server = ask(always(*records), "a.example", "A")

    assert SERVFAIL == answer.status
    assert "circle: a.example -> " in answer.detail
    assert 1 == len(server.asked)


def test_a_circle_told_piece_by_piece_is_noticed_too() -> None:
    other = {"a.example": "b.example", "b.example": "a.example"}
    answer, server = ask(lambda q: [q.reply(f"{q.name}. 60 IN CNAME {other[q.name]}.")], "a.example", "A")

    assert (SERVFAIL, 2) == (answer.status, len(server.asked))


def test_endless_aliases_end_after_eight() -> None:
    answer, server = ask(lambda q: [q.reply(f"{q.name}. 60 IN CNAME a{q.name}.")], "a.example", "A")

    assert (SERVFAIL, 9) == (answer.status, len(server.asked))
    assert "over 8 CNAMEs" in answer.detail


# Faults


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTAUTH])
def test_a_refusing_server_is_no_answer_at_once_and_named(rcode: dns.rcode.Rcode) -> None:
    answer, server = ask(always(rcode=rcode), "a.example", "TXT")

    assert (SERVFAIL, 1) == (answer.status, len(server.asked))
    assert answer.detail.startswith(f"{server.address} answered {dns.rcode.to_text(rcode)}")
    assert not answer.answered


def test_an_old_server_is_asked_again_without_edns() -> None:
    def knows_no_edns(query: Query) -> Sequence[bytes]:
        if query.message.edns >= 0:
            return [query.reply(rcode=dns.rcode.FORMERR)]
        return [query.reply("a.example. 60 IN A 192.0.2.1")]

    answer, server = ask(knows_no_edns, "a.example", "A")

    assert (FOUND, 2) == (answer.status, len(server.asked))


def test_formerr_for_everything_ends_after_two_tries() -> None:
    answer, server = ask(always(rcode=dns.rcode.FORMERR), "a.example", "A")

    assert (SERVFAIL, 2) == (answer.status, len(server.asked))


def test_a_silent_server_is_asked_four_times_and_is_a_timeout() -> None:
    answer, server = ask(lambda _: [], "a.example", "A", timeout_s=0.3)

    assert TIMEOUT == answer.status
    assert f"no answer from {server.address} within 0.3 s" == answer.detail
    assert 3 <= len(server.asked) <= 4
    assert 0.3 <= answer.elapsed_s < 1


def test_a_lost_query_is_sent_again() -> None:
    answer, server = ask(
        lambda q: [] if q.count == 0 else [q.reply("a.example. 60 IN A 192.0.2.1")], "a.example", "A", timeout_s=1
    )

    assert (FOUND, 2) == (answer.status, len(server.asked))


def test_a_truncated_answer_is_fetched_over_tcp() -> None:
    text = " ".join(f'"{"x" * 250}"' for _ in range(200))
    answer, server = ask(
        lambda q: [q.reply(f"a.example. 60 IN TXT {text}") if q.tcp else truncated(q)], "a.example", "TXT"
    )

    assert (FOUND, 200) == (answer.status, len(answer.txt[0].strings))
    assert [False, True] == [query.tcp for query in server.queries]


def test_records_of_a_truncated_answer_are_never_used() -> None:
    def half(query: Query) -> Sequence[bytes]:
        return [] if query.tcp else [query.reply("a.example. 60 IN TXT half", flags=dns.flags.TC)]

    answer, _ = ask(half, "a.example", "TXT")

    assert (SERVFAIL, ()) == (answer.status, answer.records)
    assert "closed the TCP connection" in answer.detail


def test_truncation_over_tcp_too_is_no_answer() -> None:
    answer, server = ask(lambda q: [truncated(q)], "a.example", "TXT")

    assert (SERVFAIL, 2) == (answer.status, len(server.asked))
    assert "truncated answer even over TCP" in answer.detail


def test_another_question_answered_over_tcp_is_not_ours() -> None:
    other = make_question("evil.example", "TXT").packet(7)
    answer, _ = ask(lambda q: [other if q.tcp else truncated(q)], "a.example", "TXT")

    assert SERVFAIL == answer.status
    assert "another question" in answer.detail


def test_forged_answers_are_passed_over_until_the_true_one_comes() -> None:
    def forged(query: Query) -> Sequence[bytes]:
        true = query.reply("a.example. 60 IN A 192.0.2.1")
        evil = query.reply("a.example. 60 IN A 192.0.2.66")
        wrong_id = bytes([evil[0] ^ 1]) + evil[1:]
        wrong_question = evil.replace(b"\x01a\x07example", b"\x01b\x07example", 1)
        wrong_type = evil[: 12 + 11] + b"\x00\x10" + evil[12 + 13 :]
        a_query = evil[:2] + b"\x01" + evil[3:]
        without_question = evil[:4] + b"\x00\x00" + evil[6:]
        return [wrong_id, wrong_question, wrong_type, a_query, without_question, b"", evil[:11], true]

    answer, _ = ask(forged, "a.example", "A")

    assert (FOUND, ("192.0.2.1",)) == (answer.status, answer.names)


def test_records_of_other_names_in_an_answer_are_not_used() -> None:
    answer, _ = ask(always("b.example. 60 IN A 192.0.2.66", authority=[SOA]), "a.example", "A")

    assert (NODATA, ()) == (answer.status, answer.records)


def test_garbage_behind_a_right_header_is_no_answer() -> None:
    answer, server = ask(
        lambda q: [q.reply("a.example. 60 IN A 192.0.2.1")[:-20] + b"\xff" * 20], "a.example", "A", timeout_s=0.5
    )

    assert SERVFAIL == answer.status
    assert f"{server.address} sent an answer that is no valid DNS message" == answer.detail


def test_a_server_that_only_refers_elsewhere_has_not_said_that_there_is_nothing() -> None:
    def referral(query: Query) -> Sequence[bytes]:
        message = bytearray(query.reply(authority=["example. 60 IN NS ns.example."]))
        message[3] &= 0x7F  # RA off: this server does not resolve
        return [bytes(message)]

    answer, _ = ask(referral, "a.example", "TXT")

    assert SERVFAIL == answer.status
    assert "does not resolve names" in answer.detail


def test_a_port_where_nobody_listens_fails_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def run() -> Lookup:
        async with open_resolver(nameservers=[f"127.0.0.1:{port}"], timeout_s=5) as resolver:
            return await resolver.lookup("a.example", "A")

    answer = asyncio.run(run())

    assert SERVFAIL == answer.status
    assert f"127.0.0.1:{port} cannot be reached: connection refused" == answer.detail
    assert answer.elapsed_s < 2


# Several servers


@pytest.mark.parametrize("first", [lambda q: [], lambda q: [q.reply(rcode=dns.rcode.SERVFAIL)]])
def test_the_next_server_answers_when_the_first_does_not_and_is_asked_first_from_then_on(first: Behaviour) -> None:
    async def run() -> tuple[tuple[Lookup, ...], FaultyDns, FaultyDns]:
        good: Behaviour = lambda q: [q.reply(f"{q.name}. 60 IN A 192.0.2.1")]  # noqa: E731
        async with (
            FaultyDns(first) as bad,
            FaultyDns(good) as well,
            open_resolver(nameservers=[bad.address, well.address], timeout_s=2) as resolver,
        ):
            one = await resolver.lookup("a.example", "A")
            two = await resolver.lookup("b.example", "A")
            return (one, two), bad, well

    answers, bad, well = asyncio.run(run())

    assert [FOUND, FOUND] == [answer.status for answer in answers]
    assert [("a.example", "A")] == bad.asked
    assert [("a.example", "A"), ("b.example", "A")] == well.asked


def test_when_all_servers_fail_each_is_named() -> None:
    async def run() -> tuple[Lookup, str, str]:
        async with (
            FaultyDns(always(rcode=dns.rcode.REFUSED)) as one,
            FaultyDns(lambda _: []) as two,
            open_resolver(nameservers=[one.address, two.address], timeout_s=0.3) as resolver,
        ):
            return await resolver.lookup("a.example", "A"), one.address, two.address

    answer, one, two = asyncio.run(run())

    assert SERVFAIL == answer.status
    assert f"{one} answered REFUSED" in answer.detail
    assert f"no answer from {two} within 0.3 s" in answer.detail


# One run


def in_one_run(
    behaviour: Behaviour, questions: Sequence[tuple[str, str]], timeout_s: float = 2.0
) -> tuple[DnsResolver, FaultyDns]:
    async def run() -> tuple[DnsResolver, FaultyDns]:
        async with (
            FaultyDns(behaviour) as server,
            open_resolver(nameservers=[server.address], timeout_s=timeout_s) as resolver,
        ):
            together = await resolver.lookup_all(questions)
            later = [await resolver.lookup(name, rdtype) for name, rdtype in questions]

            assert list(together) == later
            assert [name.lower() for name, _ in questions] == [answer.name for answer in together]
            return resolver, server

    return asyncio.run(run())


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL])
def test_a_question_is_sent_once_in_a_run_whatever_the_answer(rcode: dns.rcode.Rcode) -> None:
    resolver, server = in_one_run(
        always(rcode=rcode), [("a.example", "A"), ("A.example", "A"), ("a.example", "TXT"), ("a.example", "A")]
    )

    assert [("a.example", "A"), ("a.example", "TXT")] == sorted(server.asked)
    assert (2, 2) == (resolver.queries, resolver.lookups)


def test_a_thousand_questions_are_all_answered() -> None:
    questions = [(f"n{number}.example", "A") for number in range(1000)]
    # A slow machine drops datagrams of a burst; time for two resends decides, not luck.
    resolver, server = in_one_run(lambda q: [q.reply(f"{q.name}. 60 IN A 192.0.2.1")], questions, timeout_s=20)

    assert (1000, 1000) == (resolver.queries, len(set(server.asked)))


def test_one_caller_that_gives_up_leaves_the_answer_to_the_others() -> None:
    async def run() -> Lookup:
        late = asyncio.Event()

        def hold(query: Query) -> Sequence[bytes]:
            if query.count == 0:
                late.set()
                return []
            return [query.reply("a.example. 60 IN A 192.0.2.1")]

        async with FaultyDns(hold) as server, open_resolver(nameservers=[server.address], timeout_s=1) as resolver:
            impatient = asyncio.create_task(resolver.lookup("a.example", "A"))
            patient = asyncio.create_task(resolver.lookup("a.example", "A"))
            await late.wait()
            impatient.cancel()
            with pytest.raises(asyncio.CancelledError):
                await impatient
            return await patient

    assert FOUND == asyncio.run(run()).status


def test_closing_gives_up_what_is_under_way() -> None:
    async def run() -> bool:
        async with FaultyDns(lambda _: []) as server:
            resolver = open_resolver(nameservers=[server.address], timeout_s=60)
            waiting = asyncio.create_task(resolver.lookup("a.example", "A"))
            await asyncio.sleep(0.05)
            await resolver.close()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return waiting.cancelled()

    assert asyncio.run(asyncio.wait_for(run(), 5))


# Readers of bytes


@pytest.mark.parametrize("rdtype", ["TXT", "TLSA"])
def test_whatever_a_message_holds_reading_it_gives_a_value(rdtype: str) -> None:
    """Each octet of an answer changed, each length cut, and random octets behind the question."""
    question = make_question("a.example", rdtype)
    whole = Query(dns.message.from_wire(question.packet(1)), tcp=False, count=0).reply(
        "a.example. 60 IN CNAME b.example.",
        "b.example. 60 IN TXT text",
        "b.example. 60 IN TLSA 3 1 0 00",
        authority=[SOA],
    )
    randomness = random.Random(7208)
    broken = [
        whole[:at] + bytes([octet]) + whole[at + 1 :] for at in range(12, len(whole)) for octet in (0, 63, 192, 255)
    ]
    broken += [whole[:length] for length in range(12, len(whole))]
    broken += [question.packet(1)[:23] + randomness.randbytes(60) for _ in range(500)]
    broken += [whole[:6] + randomness.randbytes(6) + whole[12:] for _ in range(100)]

    kinds = {type(read_answer(message, question)) for message in broken}

    assert kinds <= {Answer, Fault, Truncated}
    assert isinstance(read_answer(whole, question), Answer)


def test_a_message_of_ten_thousand_records_is_not_read() -> None:
    question = make_question("a.example", "A")
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
    many = 4000
    message = b"\x00\x01\x81\x80\x00\x01" + many.to_bytes(2, "big") + bytes(4) + question.wire + record * many
    answer = read_answer(message, question)

    assert isinstance(answer, Fault)
    assert "too large to read: 4000 records" in answer.detail


# Which servers


@pytest.mark.parametrize("text", ["", "ns.example", "192.0.2.1:0", "192.0.2.1:x", "[2001:db8::1", "192.0.2.1:99999"])
def test_a_name_server_that_is_no_address_is_a_usage_error(text: str) -> None:
    with pytest.raises(TargetError, match="expected"):
        open_resolver(nameservers=[text])


# Name servers that are dead


def test_servers_that_never_answered_are_not_waited_for_again_and_again() -> None:
    async def run() -> tuple[list[Lookup], float, int]:
        async with (
            FaultyDns(lambda _: []) as server,
            open_resolver(nameservers=[server.address], timeout_s=0.3) as resolver,
        ):
            loop = asyncio.get_running_loop()
            await resolver.lookup_all([(f"{number}.example", "A") for number in range(GIVE_UP_AFTER)])
            asked, started = len(server.queries), loop.time()
            later = [await resolver.lookup(f"later{number}.example", "A") for number in range(50)]
            return later, loop.time() - started, len(server.queries) - asked

    later, elapsed_s, asked = asyncio.run(run())

    assert {TIMEOUT} == {lookup.status for lookup in later}
    assert f"to {GIVE_UP_AFTER + 1} questions before; this one was not asked" in later[-1].detail
    assert elapsed_s < 2
    assert asked <= 6  # one question, with what is sent again


def test_a_server_that_comes_to_life_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_transport, "TRY_AGAIN_EVERY_S", 0.0)
    alive = False

    async def run() -> tuple[LookupStatus, LookupStatus]:
        nonlocal alive
        async with (
            FaultyDns(lambda query: [query.reply("x.example. 60 IN A 192.0.2.1")] if alive else []) as server,
            open_resolver(nameservers=[server.address], timeout_s=0.3) as resolver,
        ):
            silent = await resolver.lookup_all([(f"{number}.example", "A") for number in range(GIVE_UP_AFTER)])
            alive = True
            return silent[-1].status, (await resolver.lookup("x.example", "A")).status

    assert (TIMEOUT, FOUND) == asyncio.run(run())


def test_one_answer_is_enough_to_be_waited_for() -> None:
    async def run() -> str:
        async with (
            FaultyDns(lambda query: [query.reply("x.example. 60 IN A 192.0.2.1")] if not query.count else []) as server,
            open_resolver(nameservers=[server.address], timeout_s=0.3) as resolver,
        ):
            await resolver.lookup("x.example", "A")
            await resolver.lookup_all([(f"{number}.example", "A") for number in range(GIVE_UP_AFTER)])
            return (await resolver.lookup("later.example", "A")).detail

    assert "within 0.3 s" in asyncio.run(run())
