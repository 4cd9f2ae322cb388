"""Zone files as a source of answers: what they cover, what goes to DNS, and what is said about a broken one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.faulty_dns import FaultyDns

from smtpdoc.errors import TargetError
from smtpdoc.evidence.dns import Lookup, LookupStatus, TxtRecord
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.zone import MAX_ZONE_BYTES, ZoneError, ZoneSource, load_zone, parse_zone

FOUND, NODATA, NXDOMAIN = LookupStatus.FOUND, LookupStatus.NODATA, LookupStatus.NXDOMAIN
SERVFAIL = LookupStatus.SERVFAIL
HEAD = "$ORIGIN example.com.\n@ 300 IN SOA ns hostmaster 1 2 3 4 5\n"


def offline(zone: ZoneSource, name: str, rdtype: str) -> Lookup:
    async def run() -> Lookup:
        async with open_resolver(zone=zone, offline=True) as resolver:
            return await resolver.lookup(name, rdtype)

    return asyncio.run(run())


def online(zone: ZoneSource, published: Sequence[str], name: str, rdtype: str) -> tuple[Lookup, list[tuple[str, str]]]:
    """Ask with a zone in front of a DNS that answers everything with `published`; tell what DNS was asked."""

    async def run() -> tuple[Lookup, list[tuple[str, str]]]:
        async with (
            FaultyDns(lambda query: [query.reply(*published)]) as server,
            open_resolver(zone=zone, nameservers=[server.address], timeout_s=2) as resolver,
        ):
            return await resolver.lookup(name, rdtype), server.asked

    return asyncio.run(run())


# What the file covers


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("example.com", "TXT", FOUND),
        ("EXAMPLE.com.", "txt", FOUND),
        ("example.com", "MX", NODATA),
        ("nothing.example.com", "A", NXDOMAIN),
        ("deep.example.com", "TXT", NODATA),  # an empty non-terminal exists (RFC 8020 section 2)
        ("any.wild.example.com", "TXT", FOUND),
        ("any.wild.example.com", "MX", NODATA),
        ("two.any.wild.example.com", "TXT", FOUND),
        ("below.real.wild.example.com", "TXT", NXDOMAIN),  # `real` hides the wildcard (RFC 4592 section 3.3.1)
        ("other.test", "TXT", SERVFAIL),
        ("com", "TXT", SERVFAIL),
        ("notexample.com", "TXT", SERVFAIL),
    ],
)
def test_a_file_with_an_soa_is_the_last_word_below_its_owner(name: str, rdtype: str, expected: LookupStatus) -> None:
    zone = parse_zone(HEAD + "@ TXT x\na.deep TXT x\n*.wild TXT x\nreal.wild A 192.0.2.1\n")

    assert expected == offline(zone, name, rdtype).status


def test_offline_says_that_nobody_was_asked() -> None:
    lookup = offline(parse_zone(HEAD), "other.test", "TXT")

    assert "other.test is not in the zone file, and offline no name server is asked" == lookup.detail
    assert not lookup.answered


def test_names_beyond_ascii_are_read_as_a_labels_whatever_dnspython_would_make_of_them() -> None:
    text = "$ORIGIN Straße.example.\n@ SOA ns h 1 2 3 4 5\n_dmarc TXT x\nΒΌΛΟΣ CNAME βόλος\n"
    zone = parse_zone(text)

    assert NXDOMAIN == offline(zone, "nosuch.xn--strae-oqa.example", "TXT").status
    assert (TxtRecord((b"x",)),) == offline(zone, "_dmarc.xn--strae-oqa.example", "TXT").txt
    lookup = offline(zone, "xn--nxasmq6b.xn--strae-oqa.example", "CNAME")
    assert ("xn--nxasmm1c.xn--strae-oqa.example",) == lookup.names


def test_a_name_that_is_none_is_refused_where_it_stands() -> None:
    with pytest.raises(ZoneError, match=r"line 2, column 1: cannot read i❤: .*U\+2764"):
        parse_zone("$ORIGIN example.com.\ni❤ TXT x\n")


def test_other_names_go_to_dns() -> None:
    lookup, asked = online(parse_zone(HEAD), ["other.test. 60 IN A 192.0.2.7"], "other.test", "A")

    assert (("192.0.2.7",), [("other.test", "A")]) == (lookup.names, asked)


def test_what_the_file_delegates_goes_to_dns_and_the_names_beside_it_do_not() -> None:
    zone = parse_zone(HEAD + "@ NS ns\nsub NS ns.sub\nns.sub A 192.0.2.1\n")
    below, asked = online(zone, ["a.sub.example.com. 60 IN A 192.0.2.7"], "a.sub.example.com", "A")
    beside, not_asked = online(zone, [], "xsub.example.com", "A")

    assert (("192.0.2.7",), [("a.sub.example.com", "A")]) == (below.names, asked)
    assert (NXDOMAIN, []) == (beside.status, not_asked)


def test_a_dump_may_hold_several_zones_and_the_nearest_answers() -> None:
    dump = ". 60 IN SOA ns.test. h.test. 1 2 3 4 5\nexample.com. 60 IN NS ns.test.\n" + HEAD + "@ 60 IN TXT inner\n"
    zone = parse_zone(dump)

    assert (TxtRecord((b"inner",)),) == offline(zone, "example.com", "TXT").txt
    assert [NXDOMAIN, NODATA] == [offline(zone, name, "TXT").status for name in ("elsewhere.test", "com")]


def test_a_file_without_an_soa_only_lies_over_dns() -> None:
    zone = parse_zone("_dmarc.example.com. IN TXT new\n")
    new, not_asked = online(zone, ["_dmarc.example.com. 60 IN TXT old"], "_dmarc.example.com", "TXT")
    rest, asked = online(zone, ["example.com. 60 IN TXT published"], "example.com", "TXT")

    assert ((TxtRecord((b"new",)),), []) == (new.txt, not_asked)
    assert ((TxtRecord((b"published",)),), [("example.com", "TXT")]) == (rest.txt, asked)


# CNAMEs between the file and DNS


def test_an_alias_within_the_file_is_followed_there() -> None:
    lookup = offline(parse_zone(HEAD + "a CNAME b\nb CNAME c\nc A 192.0.2.1\n"), "a.example.com", "A")

    assert (FOUND, ("192.0.2.1",)) == (lookup.status, lookup.names)
    assert ("b.example.com", "c.example.com") == lookup.aliases


def test_an_alias_out_of_the_file_is_asked_for() -> None:
    lookup, asked = online(
        parse_zone(HEAD + "a CNAME b.other.test.\n"), ["b.other.test. 60 IN A 192.0.2.7"], "a.example.com", "A"
    )

    assert (("192.0.2.7",), ("b.other.test",)) == (lookup.names, lookup.aliases)
    assert [("b.other.test", "A")] == asked


def test_an_alias_into_the_file_gets_the_files_answer_and_not_the_published_one() -> None:
    published = ["b.other.test. 60 IN CNAME c.example.com.", "c.example.com. 60 IN A 192.0.2.66"]
    lookup, _ = online(parse_zone(HEAD + "c A 192.0.2.1\n"), published, "b.other.test", "A")

    assert (("192.0.2.1",), ("c.example.com",)) == (lookup.names, lookup.aliases)


def test_aliases_in_a_circle_through_the_file_are_no_answer() -> None:
    lookup = offline(parse_zone(HEAD + "a CNAME b\nb CNAME a\n"), "a.example.com", "A")

    assert SERVFAIL == lookup.status
    assert "the CNAMEs go in a circle: a.example.com -> b.example.com -> a.example.com" == lookup.detail


# Origins


@pytest.mark.parametrize(
    ("text", "file_name", "asked", "expected"),
    [
        ("example.com. IN SOA ns h 1 2 3 4 5\n", "x.zone", "", "example.com"),
        ("; note\nExample.COM. 3600 SOA ns h 1 2 3 4 5\n", "", "other.test", "example.com"),
        ("@ SOA ns h 1 2 3 4 5\n", "example.com.zone", "", "example.com"),
        ("@ SOA ns h 1 2 3 4 5\n", "db.example.com", "", "example.com"),
        ("@ SOA ns h 1 2 3 4 5\n", "example.com.zone", "mail.example.com", "example.com"),
        ("@ SOA ns h 1 2 3 4 5\n", "draft.v2.zone", "example.com", "example.com"),
        ("@ SOA ns h 1 2 3 4 5\n", "new.zone", "example.com", "example.com"),
        ("$ORIGIN example.com.\n@ SOA ns h 1 2 3 4 5\n", "new.zone", "other.test", "example.com"),
    ],
)
def test_the_origin_is_the_soas_owner_or_the_file_name_or_the_domain_asked(
    text: str, file_name: str, asked: str, expected: str
) -> None:
    zone = parse_zone(text + "www A 192.0.2.1\n", asked=asked, file_name=file_name)

    assert NXDOMAIN == offline(zone, f"nosuch.{expected}", "A").status
    assert FOUND == offline(zone, f"www.{expected}", "A").status


def test_a_relative_name_without_an_origin_is_refused_with_the_cure() -> None:
    with pytest.raises(ZoneError, match=r"new.zone: cannot tell which domain '_dmarc' is relative to.*\$ORIGIN"):
        parse_zone("_dmarc TXT x\n", label="new.zone", file_name="new.zone")


# Faults


@pytest.mark.parametrize(
    ("line", "column", "token", "says"),
    [
        ("www IN A 300.1.1.1", 10, "300.1.1.1", "does not fit"),
        ("www IN FOO bar", 8, "FOO", "a record type like A, MX or TXT"),
        ("www IN MX mail", 11, "mail", "expected a number"),
        ("www IN MX 10 mail extra", 19, "extra", "the end of the record"),
        ("www IN MX 10", 13, "the end of the line", "missing"),
        ("www IN", 7, "the end of the line", "too early"),
        ('www IN TXT "abc', 12, '"abc', "does not end on its line"),
        (f'www IN TXT "ok" "{"k" * 256}"', 17, '"' + "k" * 56, "at most 255 octets"),
        ("www CH TXT a", 5, "CH", "class IN"),
        ("www.. IN A 192.0.2.1", 1, "www..", "label is empty"),
        ("$INCLUDE other.zone", 1, "$INCLUDE", "included files are not read"),
        ("$GENERATE 1-9999999999 h$ A 192.0.2.1", 1, "", "at most 65536 records"),
        (") IN A 192.0.2.1", 1, ")", "does not fit"),
        ("www IN TXT \\999", 16, "the end of the line", "what stands before this is wrong"),
        ("\x1b[31m.. IN A x", 1, "\\x1b[31m..", "label is empty"),
        ("\x1b[31m IN FOO x", 10, "FOO", "a record type"),
    ],
)
def test_a_file_that_does_not_parse_is_told_with_line_and_column(line: str, column: int, token: str, says: str) -> None:
    with pytest.raises(ZoneError) as raised:
        parse_zone(f"{HEAD}\n; a comment\n{line}\nlast A 192.0.2.1\n", label="example.zone")
    message = str(raised.value)

    assert message.startswith(f"example.zone, line 5, column {column}: ")
    assert token in message
    assert says in message
    assert message.isprintable()


def test_a_record_over_several_lines_is_told_where_it_breaks() -> None:
    text = HEAD + 'txt IN TXT ( "one"  ; first\n    "two"\n    "thr\n )\n'
    with pytest.raises(ZoneError, match=r'^zone, line 5, column 5: cannot read "thr: the quoted string'):
        parse_zone(text)


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ("www CNAME a\nwww A 192.0.2.1\n", r"www\.example\.com has a CNAME beside A"),
        ("www CNAME a\nwww CNAME b\n", r"www\.example\.com has 2 CNAME records"),
    ],
)
def test_a_cname_that_is_not_alone_is_refused_as_a_name_server_would(records: str, says: str) -> None:
    with pytest.raises(ZoneError, match=says):
        parse_zone(HEAD + records)


def test_generated_records_are_read() -> None:
    zone = parse_zone(HEAD + "$GENERATE 1-3 host$ A 192.0.2.$\n")

    assert ("192.0.2.3",) == offline(zone, "host3.example.com", "A").names


def test_byte_order_mark_and_carriage_returns_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b'@ TXT "v=spf1 -all"\r\n')

    assert (TxtRecord((b"v=spf1 -all",)),) == offline(load_zone(path), "example.com", "TXT").txt


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no records"),
        (b"; nothing\n\n", "holds no records"),
        (b"www A 192.0.2.1\n\n\xff\xfe", r"line 3, column 1: expected UTF-8 text, got byte 0xff"),
        (b'ok.example. TXT "caf\xe9"\n', r"line 1, column 21: expected UTF-8 text, got byte 0xe9"),
    ],
)
def test_odd_files_get_one_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.zone"
    path.write_bytes(content)

    with pytest.raises(ZoneError, match=says):
        load_zone(path)


def test_files_that_cannot_be_read_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match=r"cannot read the zone file .*missing\.zone: no such file"):
        load_zone(tmp_path / "missing.zone")
    with pytest.raises(ZoneError, match=r"cannot read the zone file .*: is a directory"):
        load_zone(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.zone"
    with path.open("wb") as file:
        file.truncate(MAX_ZONE_BYTES + 1)

    with pytest.raises(ZoneError, match="larger than 16 MB"):
        load_zone(path)


def test_a_zone_error_is_a_usage_error() -> None:
    assert issubclass(ZoneError, TargetError)


def test_whatever_the_text_a_zone_or_a_zone_error_comes_of_it() -> None:
    """A file cut at every character, and with each character replaced."""
    text = HEAD + 'www 60 IN TXT ( "a\\"b" ; c\n "d" )\n@ MX 10 mx\n_25._tcp TLSA 3 1 0 00\n$TTL 1h\n\\032x CNAME y\n'
    outcomes: set[type] = set()
    for at in range(len(text)):
        for broken in (text[:at], *(text[:at] + other + text[at + 1 :] for other in '"(;\\\n\x00é$')):
            try:
                outcomes.add(type(parse_zone(broken, asked="example.com")))
            except ZoneError as error:
                outcomes.add(type(error))

    assert {ZoneSource, ZoneError} == outcomes
