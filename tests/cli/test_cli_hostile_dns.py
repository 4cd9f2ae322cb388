"""smtpdoc auth-check against servers and zones made to harm it: bounded questions, bounded time, a clear answer."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest
from support.command import Ran, Smtpdoc
from support.faulty_dns import Behaviour, Query, truncated
from support.hosted_dns import hosted

#: What one domain may cost at most, whatever its zone says. An ordinary one needs about 110 questions.
MOST_QUESTIONS = 700
#: The time that is given; a moment more is for the start and for a busy machine.
TIMEOUT_S = 2.0
SLACK_S = 6.0
#: A page that people still read, whatever a zone holds; --verbose may be longer.
MOST_LINES = 150

#: What is said of the documentation address that the checks are made for.
OF_THE_ADDRESS = {"ptr.special-address"}

SOA = "example. 60 IN SOA ns.example. hostmaster.example. 1 2 3 4 5"
#: Characters that a terminal obeys, or that turn text around.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def txt(name: str, *strings: str) -> str:
    """Return a TXT record; long strings are cut as zone files need it, surrogates are octets."""
    octets = (string.encode("utf-8", "surrogateescape") for string in strings)
    pieces = [whole[at : at + 255] for whole in octets for at in range(0, max(1, len(whole)), 255)]
    written = ("".join(f"\\{octet:03}" for octet in piece) for piece in pieces)
    return f"{name.removesuffix('.')}. 60 IN TXT " + " ".join(f'"{text}"' for text in written)


def owner(query: Query) -> str:
    """The name that is asked for with its final dot, also that of the root."""
    return query.name.removesuffix(".") + "."


def nothing(query: Query) -> bytes:
    return query.reply(authority=[SOA], rcode=dns.rcode.NXDOMAIN)


def cached(make: Behaviour) -> Behaviour:
    """Make each answer once: long ones take dnspython a while."""
    made: dict[tuple[str, str, bool], list[bytes]] = {}

    def behave(query: Query) -> list[bytes]:
        key = (query.name, query.rdtype, query.tcp)
        if key not in made:
            made[key] = list(make(query))
        return [query.message.id.to_bytes(2, "big") + message[2:] for message in made[key]]

    return behave


def only(rdtype: str, answer: Callable[[Query], list[str]]) -> Behaviour:
    """Answer one type so, and say that there is nothing else."""
    return lambda query: [query.reply(*answer(query)) if query.rdtype == rdtype else query.reply(authority=[SOA])]


@dataclass(frozen=True, slots=True)
class Outcome:
    ran: Ran
    questions: int
    elapsed_s: float
    report: Any

    @property
    def words(self) -> str:
        """The page as one line, however it was wrapped."""
        return " ".join(self.ran.out.split())

    @property
    def ids(self) -> set[str]:
        return {finding["id"] for finding in self.report["findings"]}


@pytest.fixture
def check(smtpdoc: Smtpdoc) -> Callable[..., Outcome]:
    """Run auth-check over a server that behaves so, as text and as JSON; bounds and clean output hold always."""

    def run(behaviour: Behaviour, *options: str, timeout_s: float = TIMEOUT_S) -> Outcome:
        with hosted(behaviour) as server:
            arguments = ["auth-check", "a.example", "--nameserver", server.address, "--timeout", f"{timeout_s}"]
            arguments += ["--ip", "192.0.2.1", *options]
            started = time.monotonic()
            ran = smtpdoc(*arguments, "--color", "never")
            elapsed_s = time.monotonic() - started
            questions = len({(query.name, query.rdtype) for query in server.queries})
            verbose = smtpdoc(*arguments, "--verbose", "--color", "never")
            as_json = smtpdoc(*arguments, "--json")

        assert ran.code in (0, 1, 3), ran.err
        assert questions <= MOST_QUESTIONS
        assert elapsed_s < timeout_s + SLACK_S
        assert [] == _OBEYED.findall(ran.out + ran.err + verbose.out + as_json.out)
        assert len(ran.out.splitlines()) < MOST_LINES, ran.out
        assert "a.example" in ran.out
        return Outcome(ran, questions, elapsed_s, as_json.json)

    return run


Check = Callable[..., Outcome]


# SPF that never ends


def test_spf_that_includes_itself(check: Check) -> None:
    assert (
        "spf.include-loop" in check(only("TXT", lambda query: [txt(query.name, "v=spf1 include:a.example -all")])).ids
    )


def test_spf_that_goes_in_a_circle_of_redirects(check: Check) -> None:
    def answer(query: Query) -> list[str]:
        number = int(query.name[1]) if re.fullmatch(r"r\d\.example", query.name) else 0
        return [txt(query.name, f"v=spf1 redirect=r{(number + 1) % 5}.example")]

    assert "spf.include-loop" in check(only("TXT", answer), "--only", "spf").ids


def test_spf_that_fans_out_for_ever(check: Check) -> None:
    """Ten includes, each with ten of its own, and so on."""

    def answer(query: Query) -> list[str]:
        if len(query.name) > 150:
            return [txt(query.name, "v=spf1 -all")]
        includes = " ".join(f"include:{number}.{query.name}" for number in range(10))
        half = len(includes) // 2
        return [txt(query.name, f"v=spf1 {includes[:half]}", f"{includes[half:]} -all")]

    outcome = check(only("TXT", answer), timeout_s=20)  # what is held here is the number of questions

    assert "spf.too-many-lookups" in outcome.ids


def test_spf_that_goes_ever_deeper(check: Check) -> None:
    def answer(query: Query) -> list[str]:
        level = int(query.name[1:].partition(".")[0] or 0) if query.name[1].isdigit() else 0
        return [txt(query.name, f"v=spf1 include:d{level + 1}.example -all")]

    assert "spf.too-many-lookups" in check(only("TXT", answer), "--only", "spf").ids


# Too much of everything


def test_a_txt_record_of_64_kilobytes(check: Check) -> None:
    filler = "ip4:192.0.2.1 " * 18  # 252 octets

    def behave(query: Query) -> list[bytes]:
        if query.rdtype != "TXT":
            return [query.reply(authority=[SOA])]
        return [query.reply(txt(query.name, "v=spf1 ", *[filler] * 250, "-all")) if query.tcp else truncated(query)]

    assert "spf.answer-too-large" in check(behave, "--only", "spf").ids


def test_three_hundred_strings(check: Check) -> None:
    behave = only("TXT", lambda query: [txt(query.name, "v=spf1 ", *["ip4:", "192.0.2.1 "] * 150, "-all")])

    assert "found" == check(behave, "--only", "spf").report["evidence"]["spf"]["status"]


def test_more_than_a_hundred_hosts_addresses_and_names(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        if not query.tcp:
            return [truncated(query)]
        records = {
            "MX": [f"{owner(query)} 60 IN MX {number} mx{number}.example." for number in range(120)],
            "A": [f"{owner(query)} 60 IN A 192.0.2.{number}" for number in range(60)],
            "AAAA": [f"{owner(query)} 60 IN AAAA 2001:db8::{number:x}" for number in range(60)],
            "PTR": [f"{owner(query)} 60 IN PTR host{number}.example." for number in range(120)],
        }
        return [query.reply(*records[query.rdtype]) if query.rdtype in records else query.reply(authority=[SOA])]

    outcome = check(cached(behave), "--only", "mx", "--only", "ptr", "--only", "tlsa")

    assert 120 == len(outcome.report["evidence"]["mx"]["hosts"])


def test_a_thousand_report_addresses(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        if query.rdtype != "TXT" or not query.name.startswith("_dmarc."):
            return [query.reply(authority=[SOA])]
        uris = [f"mailto:d@r{number}.example," for number in range(1000)]
        return [query.reply(txt(query.name, "v=DMARC1; p=none; rua=", *uris)) if query.tcp else truncated(query)]

    assert check(cached(behave), "--only", "dmarc").questions < 60


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_a_wildcard_for_every_name_and_type(check: Check, rcode: dns.rcode.Rcode) -> None:
    def behave(query: Query) -> list[bytes]:
        data = {
            "TXT": '"v=spf1 include:w.example -all"',
            "MX": "10 mx.example.",
            "A": "192.0.2.1",
            "AAAA": "2001:db8::1",
            "PTR": "ptr.example.",
            "TLSA": "3 1 1 " + "ab" * 32,
            "CNAME": "c.example.",
        }.get(query.rdtype)
        return [query.reply(f"{owner(query)} 60 IN {query.rdtype} {data}", rcode=rcode) if data else nothing(query)]

    evidence = check(behave).report["evidence"]

    assert [] == [selector for selector in evidence["dkim"]["selectors"] if selector["status"] == "found"]


def test_aliases_without_end(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        return [query.reply(f"{owner(query)} 60 IN CNAME n.{query.name}.")]

    outcome = check(behave, "--only", "mx", "--only", "dmarc")

    assert 3 == outcome.ran.code


# Answers that are none


def end_of_question(query: Query) -> int:
    return 12 + len(query.message.question[0].name.to_wire() or b"") + 4


def raw(query: Query, behind: bytes, answers: int = 1) -> bytes:
    """Return a response to the question with these octets for its records."""
    head = query.reply()
    return head[:4] + struct.pack("!HHHH", 1, answers, 0, 0) + head[12 : end_of_question(query)] + behind


@pytest.mark.parametrize(
    "behind",
    [
        b"SELF" + bytes(10),  # a name that points to itself
        b"\xc0\xff\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00",  # and past the end
        b"\x3f" + b"a" * 20,  # a label longer than the message
        b"\x80\x00\x00\x10\x00\x01",  # a kind of label that is none
        b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x05\xffabcd",  # a string longer than its record
        b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\xff\xff\x01a",  # a record longer than the message
        b"",
    ],
    ids=["itself", "past-the-end", "long-label", "no-label", "long-string", "long-record", "nothing-there"],
)
def test_messages_that_cannot_be_read(check: Check, behind: bytes) -> None:
    def behave(query: Query) -> list[bytes]:
        return [raw(query, behind.replace(b"SELF", struct.pack("!H", 0xC000 | end_of_question(query))))]

    outcome = check(behave)

    assert 3 == outcome.ran.code
    assert {"domain.no-answer"} == outcome.ids - OF_THE_ADDRESS
    assert "no valid DNS message" in outcome.words


def test_a_chain_of_pointers_in_every_record(check: Check) -> None:
    """64 kB of pointers, each to the one before: reading it naively takes minutes."""

    def behave(query: Query) -> list[bytes]:
        if not query.tcp:
            return [truncated(query)]
        start = end_of_question(query)
        chain = b"".join((0xC000 | at).to_bytes(2, "big") for at in range(start, 0x3FF0, 2))
        record = b"\xff\xf0\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x02\x01a"
        return [raw(query, b"\x00\x00\x10\x00\x01\x00\x00\x00\x3c\x3f\x00" + chain[:0x3F00] + record * 1900, 1901)]

    assert 3 == check(behave).ran.code


def test_answers_to_other_questions(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        other = dns.message.make_query("evil.example.", "TXT", id=query.message.id)
        return [Query(other, query.tcp, 0).reply(txt("evil.example", "v=spf1 +all"))]

    outcome = check(behave)

    assert 3 == outcome.ran.code
    assert "other questions were ignored" in outcome.words
    assert "+all" not in outcome.ran.out


def test_forged_ids(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        real = query.reply(txt(query.name, "v=spf1 +all")) if query.rdtype == "TXT" else nothing(query)
        return [((query.message.id + step) % 65536).to_bytes(2, "big") + real[2:] for step in range(1, 20)]

    outcome = check(behave, "--only", "spf")

    assert 3 == outcome.ran.code
    assert "+all" not in outcome.ran.out


def test_records_of_other_names_in_an_answer_are_not_believed(check: Check) -> None:
    outcome = check(only("TXT", lambda query: [txt("elsewhere.example", "v=spf1 +all")]))

    assert "absent" == outcome.report["evidence"]["spf"]["status"]


@pytest.mark.parametrize("over_tcp", ["truncated", "closed", "silent"])
def test_truncated_for_ever(check: Check, over_tcp: str) -> None:
    def behave(query: Query) -> list[bytes]:
        return [truncated(query)] if not query.tcp or over_tcp == "truncated" else []

    outcome = check(behave)

    assert 3 == outcome.ran.code
    assert {"domain.no-answer"} == outcome.ids - OF_THE_ADDRESS
    assert "truncated answer" in outcome.words


# Text that talks to the terminal


#: A title, a colour, the 8-bit form of ESC [, a backspace, a change of direction, octets that are no UTF-8.
NASTY = "\x1b]0;owned\x07 \x1b[31m \r\n\x08 \udc9b31m \x9b2J \u202e \udcff\udcfe [red]x[/red] ::error::x"


def test_escape_sequences_in_records_reach_no_terminal(check: Check) -> None:
    def behave(query: Query) -> list[bytes]:
        match query.rdtype, query.name.partition(".")[0]:
            case "TXT", "_dmarc":
                record = txt(query.name, f"v=DMARC1; p=none; rua=mailto:d{NASTY}@r.example; x={NASTY}")
            case "TXT", _ if "_domainkey" in query.name:
                record = txt(query.name, f"v=DKIM1; k=rsa; n={NASTY}; p=AAAA{NASTY}")
            case "TXT", "_mta-sts":
                record = txt(query.name, f"v=STSv1; id={NASTY}")
            case "TXT", _:
                record = txt(query.name, f"v=spf1 include:{NASTY}.example a:{NASTY} {NASTY} exp={NASTY} -all")
            case "MX", _:
                record = rf"{owner(query)} 60 IN MX 10 \027[31mmx\155\226\128\174.example."
            case "PTR", _:
                record = rf"{owner(query)} 60 IN PTR \027]0\059x\007.example."
            case _:
                return [query.reply(authority=[SOA])]
        return [query.reply(record)]

    outcome = check(behave)

    assert "owned" in outcome.ran.out  # it is shown, without its teeth
    assert "[red]x[/red]" in outcome.ran.out


def test_escape_sequences_in_a_list_of_domains_reach_no_terminal(smtpdoc: Smtpdoc, tmp_path: Any) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\x1b]0;owned\x07.example\n\xc2\x9b2J.example\na.example\n" * 3)

    ran = smtpdoc("auth-check", "--from-file", str(path), "--nameserver", "127.0.0.1:9", "--timeout", "1")

    assert [] == _OBEYED.findall(ran.out + ran.err)
    assert 2 == ran.code
