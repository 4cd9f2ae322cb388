"""Messages as files hold them, and as they cross the wire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smtpdoc.errors import ParseError
from smtpdoc.grammar.message import parse_message

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
HEAD = b"From: a@client.example\r\nDate: x\r\nMessage-ID: <1@client.example>\r\n"


@pytest.mark.parametrize(
    ("raw", "wire"),
    [
        (b"A: b\n\nc\n", b"A: b\r\n\r\nc\r\n.\r\n"),
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n.\r\n"),
        (b"A: b\r\rc\r", b"A: b\r\n\r\nc\r\n.\r\n"),  # bare CR ends a line here, and must never reach a server
        (b"A: b\n\nc", b"A: b\r\n\r\nc\r\n.\r\n"),  # the last line is ended
        (b"A: b\n\n.\n..\n.c\n", b"A: b\r\n\r\n..\r\n...\r\n..c\r\n.\r\n"),
        (b".first\n", b"..first\r\n.\r\n"),
        (b"A: b\n\nc\n\n", b"A: b\r\n\r\nc\r\n\r\n.\r\n"),  # empty lines at the end are content
        (b"From MAILER-DAEMON Mon Nov  2\nA: b\n\nc\n", b"A: b\r\n\r\nc\r\n.\r\n"),  # an mbox file
    ],
)
def test_line_ends_and_dots(raw: bytes, wire: bytes) -> None:
    assert parse_message(raw).wire == wire


def test_no_content_can_end_the_message_early() -> None:
    """SMTP smuggling lives on \\n.\\n and \\r.\\r (CVE-2023-51764)."""
    for end in (b"\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r\n"):
        wire = parse_message(b"A: b\r\n\r\nx" + end + b"MAIL FROM:<a@example.com>\r\n").wire

        assert wire.count(b"\r\n.\r\n") == 1
        assert b"\r" not in wire.replace(b"\r\n", b"")
        assert b"\n" not in wire.replace(b"\r\n", b"")


def test_a_complete_message_stays_as_it_is() -> None:
    message = parse_message(HEAD + b"\r\nhello\r\n")

    assert message.completed("bob@example.net", NOW).data == message.data
    assert message.completed("bob@example.net", NOW).added == ()


def test_what_rfc_5322_requires_is_added_and_nothing_else() -> None:
    message = parse_message(b"Subject: x\n\nhello\n").completed("bob@example.net", NOW)

    assert message.added == ("Date", "From")
    assert message.data == (
        b"Date: Mon, 2 Nov 2026 03:04:05 +0000\r\nFrom: bob@example.net\r\nSubject: x\r\n\r\nhello\r\n"
    )
    assert "no Message-ID" in message.notes[0]


def test_a_text_without_a_header_gets_one() -> None:
    message = parse_message(b"hello there\nfrom me\n").completed("bob@example.net", NOW)

    assert message.data.endswith(b"From: bob@example.net\r\n\r\nhello there\r\nfrom me\r\n")


def test_the_null_sender_is_no_author() -> None:
    assert parse_message(b"Subject: x\n\nhello\n").completed("", NOW).added == ("Date",)


@pytest.mark.parametrize(
    ("raw", "eight_bit", "utf8_header"),
    [
        (b"A: b\n\nc\n", False, False),
        ("A: b\n\né\n".encode(), True, False),
        ("A: é\n\nc\n".encode(), True, True),
        ("A: b\nB: ü".encode(), True, True),  # all of it is header
        ("é is no field\n".encode(), True, False),
    ],
)
def test_what_a_message_needs(raw: bytes, eight_bit: bool, utf8_header: bool) -> None:
    message = parse_message(raw)

    assert (message.eight_bit, message.utf8_header) == (eight_bit, utf8_header)


def test_fields_are_those_of_the_header_only() -> None:
    assert parse_message(b"Subject: x\n folded: line\nX-Y :z\n\nFrom: body\n").fields == {"subject", "x-y"}


@pytest.mark.parametrize("raw", [b"", b"\r\n\n", b"A: b\n\n\0"])
def test_no_message(raw: bytes) -> None:
    with pytest.raises(ParseError):
        parse_message(raw)


def test_long_lines_are_told() -> None:
    assert parse_message(b"A: b\n\n" + b"x" * 998 + b"\n").notes == ()
    assert "1,000 bytes" in parse_message(b"A: b\n\n" + b"x" * 1000 + b"\n").notes[0]
