"""The quick reader and dnspython agree: on answers of every usual shape, whole, cut and with octets changed."""

from __future__ import annotations

import random

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from smtpdoc.evidence.dns import LookupStatus, MxRecord, TxtRecord
from smtpdoc.net.dns_reader import read_usual_answer
from smtpdoc.net.dns_values import Answer, Question, make_question
from smtpdoc.net.dns_wire import read_message

SOA = "example. 60 IN SOA ns.example. hostmaster.example. 1 2 3 4 5"
SPF = 'a.example. 60 IN TXT "v=spf1 include:_spf.example.net " "-all"'

USUAL = [
    ("TXT", [SPF], []),
    ("TXT", [SPF, r'a.example. 60 IN TXT "\195\169\027[31m"', SPF], []),
    ("TXT", [r'a.example. 60 IN TXT ""'], []),
    ("MX", ["a.example. 60 IN MX 10 Mx1.Example.", "a.example. 60 IN MX 20 mx2.example.net."], []),
    ("MX", ["a.example. 60 IN MX 0 ."], []),
    ("A", ["a.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2", "a.example. 60 IN A 192.0.2.1"], []),
    ("AAAA", ["a.example. 60 IN AAAA 2001:db8::1", "a.example. 60 IN AAAA 2001:db8:0:1:0:1:2:3"], []),
    ("PTR", ["a.example. 60 IN PTR mail.example.net.", "a.example. 60 IN PTR _x.example.net."], []),
    ("NS", ["a.example. 60 IN NS ns.a.example."], []),
    ("CNAME", ["a.example. 60 IN CNAME b.example."], []),
    ("TLSA", [f"a.example. 60 IN TLSA 3 1 1 {'ab' * 32}", f"a.example. 60 IN TLSA 2 0 1 {'cd' * 32}"], []),
    ("TXT", ["a.example. 60 IN CNAME b.example.", 'b.example. 60 IN TXT "behind an alias"'], []),
    ("TXT", ["a.example. 60 IN CNAME B.a.example.", "b.A.example. 60 IN CNAME c.example."], []),
    ("TXT", ["a.example. 60 IN CNAME a.example."], []),
    ("TXT", ['other.example. 60 IN TXT "not asked for"', "a.example. 60 IN A 192.0.2.1"], []),
    ("TXT", [], [SOA]),
    ("TXT", ["a.example. 60 IN CNAME b.example."], [SOA]),
    ("TXT", [], []),
]

UNUSUAL = [
    ("DS", [f"a.example. 60 IN DS 2371 13 2 {'ab' * 32}"], []),
    ("TXT", ["a.example. 60 IN CNAME b.example.", "a.example. 60 IN CNAME c.example."], []),
    ("TXT", [r"a.example. 60 IN CNAME b\.b.example."], []),
    ("AAAA", ["a.example. 60 IN AAAA ::ffff:192.0.2.1"], []),
    ("TXT", [], ["example. 60 IN NS ns.example."]),
]


def question_and_message(
    rdtype: str, answers: list[str], authority: list[str], rcode: dns.rcode.Rcode, flags: int = 0
) -> tuple[Question, bytes]:
    question = make_question("a.example", rdtype)
    response = dns.message.make_response(dns.message.from_wire(question.packet(7)), recursion_available=True)
    response.set_rcode(rcode)
    response.flags |= flags
    for section, records in ((response.answer, answers), (response.authority, authority)):
        for record in records:
            name, ttl, rdclass, type_text, rdata = record.split(" ", 4)
            section.append(dns.rrset.from_text(name, int(ttl), rdclass, type_text, rdata))
    return question, response.to_wire(max_size=65535)


@pytest.mark.parametrize("flags", [0, dns.flags.AD | dns.flags.AA])
@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
@pytest.mark.parametrize(("rdtype", "answers", "authority"), USUAL)
def test_a_usual_answer_is_read_as_dnspython_reads_it(
    rdtype: str, answers: list[str], authority: list[str], rcode: dns.rcode.Rcode, flags: int
) -> None:
    question, message = question_and_message(rdtype, answers, authority, rcode, flags)

    quick = read_usual_answer(message, question)

    assert quick is not None
    assert quick == read_message(message, question)


@pytest.mark.parametrize(("rdtype", "answers", "authority"), UNUSUAL)
def test_an_unusual_one_is_left_to_dnspython(rdtype: str, answers: list[str], authority: list[str]) -> None:
    question, message = question_and_message(rdtype, answers, authority, dns.rcode.NOERROR)

    assert read_usual_answer(message, question) is None


def test_errors_are_left_to_dnspython() -> None:
    question, message = question_and_message("TXT", [], [], dns.rcode.SERVFAIL)

    assert read_usual_answer(message, question) is None


def test_what_it_reads_is_right_by_itself() -> None:
    """So that the comparison is not between two mistakes."""
    txt, mx = (
        question_and_message(rdtype, records, [], dns.rcode.NOERROR) for rdtype, records, _ in (USUAL[0], USUAL[3])
    )

    assert Answer(LookupStatus.FOUND, (TxtRecord((b"v=spf1 include:_spf.example.net ", b"-all")),)) == (
        read_usual_answer(txt[1], txt[0])
    )
    assert Answer(LookupStatus.FOUND, (MxRecord(10, "mx1.example"), MxRecord(20, "mx2.example.net"))) == (
        read_usual_answer(mx[1], mx[0])
    )


@pytest.mark.parametrize(("rdtype", "answers", "authority"), [*USUAL, *UNUSUAL])
def test_cut_or_damaged_answers_are_never_read_differently(
    rdtype: str, answers: list[str], authority: list[str]
) -> None:
    """Whatever the octets behind the question are: the same answer as dnspython's, or none."""
    question, message = question_and_message(rdtype, answers, authority, dns.rcode.NOERROR)
    start = 12 + len(question.wire)
    dice = random.Random(f"{rdtype} {answers}")
    damaged = [message[:end] for end in range(start, len(message))]
    damaged.append(message + b"behind the end")
    for _ in range(400):
        octets = bytearray(message)
        for _ in range(dice.randint(1, 3)):
            place = dice.choice([6, 7, 8, 9, 10, 11, *range(start, len(octets))] if len(octets) > start else [7, 9])
            octets[place] = dice.choice([0, 1, 2, 4, 5, 12, 16, 63, 64, 192, 255, dice.randrange(256)])
        damaged.append(bytes(octets))
    quick = [(octets, read_usual_answer(octets, question)) for octets in damaged]

    assert [] == [octets for octets, answer in quick if answer is not None and answer != read_message(octets, question)]


def test_a_pointer_into_the_name_itself_is_not_followed() -> None:
    question, message = question_and_message("PTR", ["a.example. 60 IN PTR mail.example.net."], [], dns.rcode.NOERROR)
    target = message.index(b"\x04mail")
    loop = message[:target] + b"\x04mail\xc0" + bytes([target]) + message[target + 7 :]

    assert read_usual_answer(loop, question) is None
