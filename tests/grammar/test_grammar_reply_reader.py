"""Replies out of a byte stream: the same however the bytes are cut, and whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpdoc.grammar.reply import ReplyLine
from smtpdoc.grammar.reply_reader import Breakage, Event, RawReply, ReplyReader, recognise_protocol


def read_whole(data: bytes) -> tuple[list[Event], Breakage | None, bytes]:
    reader = ReplyReader()
    events = list(reader.feed(data))
    return events, reader.broken, reader.partial


def read_cut(data: bytes, size: int = 1) -> tuple[list[Event], Breakage | None, bytes]:
    reader = ReplyReader()
    events: list[Event] = []
    for start in range(0, len(data), size):
        events += reader.feed(data[start : start + size])
    return events, reader.broken, reader.partial


def replies(events: list[Event]) -> list[RawReply]:
    return [event for event in events if isinstance(event, RawReply)]


CASES = [
    (b"220 mx.example.net ESMTP\r\n", [(220, ("mx.example.net ESMTP",), ())]),
    # RFC 5321 section 4.2.1: continuation lines have a hyphen
    (b"250-mx.example.net\r\n250-SIZE 1000\r\n250 HELP\r\n", [(250, ("mx.example.net", "SIZE 1000", "HELP"), ())]),
    # RFC 5321 section 4.2: the text of a reply line is optional, and so is the blank before none
    (b"220\r\n", [(220, ("",), ())]),
    (b"250-\r\n250 \r\n", [(250, ("", ""), ())]),
    (b"250 one\r\n354 two\r\n", [(250, ("one",), ()), (354, ("two",), ())]),
    (b"250 lf\n", [(250, ("lf",), ("bare-lf",))]),
    (b"250 crcrlf\r\r\n", [(250, ("crcrlf",), ("extra-cr",))]),
    (b"250-one\r\n550 two\r\n", [(550, ("one", "two"), ("mixed-codes",))]),
    (b"250 a\0b\r\n", [(250, ("a\0b",), ("nul",))]),
    (b"250 caf\xc3\xa9\r\n", [(250, ("café",), ("8bit",))]),
    (b"250 \xe9\r\n", [(250, ("\udce9",), ("8bit",))]),
    (b"250 a\rb\r\n", [(250, ("a\rb",), ("control",))]),
    (b"250 tab\there\r\n", [(250, ("tab\there",), ())]),
    (b"250 " + b"x" * 506 + b"\r\n", [(250, ("x" * 506,), ())]),
    (b"250 " + b"x" * 507 + b"\r\n", [(250, ("x" * 507,), ("long-line",))]),
    # codes that nobody defined are codes all the same (RFC 5321 section 4.2.1)
    (b"591 made up\r\n", [(591, ("made up",), ())]),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
@pytest.mark.parametrize("tail", [b"", b"2", b"250-half", b"250 whole\r\n"])
def test_replies_are_read_whole_byte_by_byte_and_with_a_tail(
    data: bytes, expected: list[tuple[int, tuple[str, ...], tuple[str, ...]]], tail: bytes
) -> None:
    whole, broken, partial = read_whole(data + tail)

    found = [(reply.code, tuple(line.text for line in reply.lines), reply.faults) for reply in replies(whole)]
    assert found[: len(expected)] == expected
    assert broken is None
    assert partial == (b"" if tail.endswith(b"\r\n") else tail)
    assert read_cut(data + tail) == (whole, broken, partial)


def test_lines_come_before_their_reply() -> None:
    events, _, _ = read_whole(b"250-one\r\n250 two\r\n")

    one = ReplyLine(250, False, "one", b"250-one")
    two = ReplyLine(250, True, "two", b"250 two")
    assert events == [one, two, RawReply((one, two))]


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"2xx hi",
        b"+25 hi",
        b"2_0 hi",
        b" 220 hi",
        b"22",
        b"2200 hi",
        b"220_hi",
        b"999 hi",
        b"020 hi",
        b"",
        b"220:",
    ],
)
def test_what_is_no_reply_breaks_the_stream(line: bytes) -> None:
    events, broken, _ = read_whole(line + b"\r\n250 ok\r\n")

    assert events == []
    assert broken == Breakage("not-smtp", line)
    assert read_cut(line + b"\r\n250 ok\r\n")[1] == broken


def test_replies_before_the_breakage_are_kept() -> None:
    events, broken, _ = read_whole(b"220 hi\r\nwhat\r\n")

    assert [reply.code for reply in replies(events)] == [220]
    assert broken == Breakage("not-smtp", b"what")


def test_nothing_is_read_after_the_breakage() -> None:
    reader = ReplyReader()
    reader.feed(b"what\r\n")

    assert reader.feed(b"250 ok\r\n") == ()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"250 " + b"x" * 8187 + b"\r\n", "line-too-long"),
        (b"250 " + b"x" * 10000, "line-too-long"),
        (b"x" * 10000, "not-smtp"),
        (b"250-x\r\n" * 1000, "reply-too-long"),
        (b"250-" + b"x" * 1000 + b"\r\n", None),
        ((b"250-" + b"x" * 1000 + b"\r\n") * 66, "reply-too-long"),
        ((b"250 " + b"x" * 1000 + b"\r\n") * 1100, "session-too-big"),
    ],
)
def test_limits_have_words_of_their_own(data: bytes, word: str | None) -> None:
    broken = read_whole(data + b"250-y\r\n")[1]

    assert (broken and broken.word) == word
    cut = read_cut(data + b"250-y\r\n", 1000)[1]
    assert (cut and cut.word) == word


def test_a_legal_500_line_ehlo_is_no_problem() -> None:
    events, broken, _ = read_whole(
        b"250-X-SOMETHING-LONG and a few words more to make it 36 kB\r\n" * 500 + b"250 HELP\r\n"
    )

    assert broken is None
    assert len(replies(events)[0].lines) == 501


def test_what_a_limit_shows_is_short() -> None:
    broken = read_whole(b"250 " + b"x" * 100_000)[1]

    assert broken is not None
    assert len(broken.seen) <= 512


def test_a_million_single_bytes_take_linear_time() -> None:
    """A reader that looked at its buffer from the start each time would take minutes here."""
    events, broken, _ = read_cut(b"250-" + b"x" * 400 + b"\r\n" + (b"250 " + b"y" * 400 + b"\r\n") * 500)

    assert broken is None
    assert len(replies(events)) == 500


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"<!doctype html>", "HTTP"),
        (b"* OK ready\r\n", "IMAP"),
        (b"* BYE full\r\n", "IMAP"),
        (b"+OK ready\r\n", "POP3"),
        (b"-ERR no\r\n", "POP3"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"\x16\x03\x03\x00\x7a", "TLS"),
        (b"220 mx.example.net\r\n", None),
        (b"* OKAY\r\n", None),
        (b"", None),
    ],
)
def test_other_protocols_are_recognised_from_their_first_bytes(data: bytes, name: str | None) -> None:
    assert recognise_protocol(data) == name


_PIECES = st.sampled_from(
    [
        b"250-",
        b"250 ",
        b"220",
        b"\r\n",
        b"\n",
        b"\r",
        b"x",
        b"5",
        b"99",
        b" ",
        b"-",
        b"\0",
        b"\xff",
        b"\x15\x03\x01",
        b"SSH-",
    ]
)


@given(st.lists(_PIECES, max_size=40).map(b"".join), st.lists(st.integers(1, 9), min_size=1, max_size=30))
@settings(max_examples=400, deadline=None)
def test_replies_do_not_depend_on_how_the_bytes_are_cut(data: bytes, sizes: list[int]) -> None:
    reader = ReplyReader()
    events: list[Event] = []
    start = turn = 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        events += reader.feed(data[start : start + size])
        start, turn = start + size, turn + 1
    whole, broken, partial = read_whole(data)

    assert events == whole
    assert (reader.broken and reader.broken.word) == (broken and broken.word)
    if broken is None:
        assert reader.partial == partial


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_replies_or_a_breakage_and_nothing_else(data: bytes) -> None:
    events, broken, partial = read_whole(data)

    assert broken is None or broken.word == "not-smtp"
    assert all(200 <= reply.code <= 599 for reply in replies(events))
    assert broken is not None or partial == data[len(data) - len(partial) :] or b"\n" in partial
