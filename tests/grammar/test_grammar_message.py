"""Messages as files hold them, and as they cross the wire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smtpdoc.errors import ParseError, TargetError
from smtpdoc.grammar.message import HEADER_LIMIT_BYTES, Content, Message, parse_message

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
HEAD = b"From: a@client.example\r\nDate: x\r\nMessage-ID: <1@client.example>\r\n"


def wire_of(message: Message) -> bytes:
    return b"".join(message.wire())


def bytes_of(message: Message) -> bytes:
    return b"".join(message.data)


@pytest.mark.parametrize(
    ("raw", "wire"),
    [
        (b"A: b\n\nc\n", b"A: b\r\n\r\nc\r\n.\r\n"),
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n.\r\n"),
        (b"A: b\r\rc\r", b"A: b\r\n\r\nc\r\n.\r\n"),  # bare CR ends a line here, and must never reach a server
        (b"A: b\n\nc", b"A: b\r\n\r\nc\r\n.\r\n"),  # the last line is ended
        (b"A: b\n\n.\n..\n.c\n", b"A: b\r\n\r\n..\r\n...\r\n..c\r\n.\r\n"),
        (b".first\n", b"..first\r\n.\r\n"),
        (b"A: b\r\n\r\nc\r", b"A: b\r\n\r\nc\r\n.\r\n"),
        (b"A: b\n\n\r\r\n\n", b"A: b\r\n\r\n\r\n\r\n\r\n.\r\n"),
        (b"A: b\n\nc\n\n", b"A: b\r\n\r\nc\r\n\r\n.\r\n"),  # empty lines at the end are content
        (b"From MAILER-DAEMON Mon Nov  2\nA: b\n\nc\n", b"A: b\r\n\r\nc\r\n.\r\n"),  # an mbox file
        (b"From : a@b.example\n\nc\n", b"From : a@b.example\r\n\r\nc\r\n.\r\n"),  # no mbox (RFC 5322 section 4.5.2)
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_line_ends_and_dots_wherever_a_piece_ends(raw: bytes, wire: bytes, size: int) -> None:
    message = parse_message(lambda: [raw[start : start + size] for start in range(0, len(raw), size)])

    assert wire == wire_of(message)
    assert wire_of(message) == wire_of(message), "a second session sends the same"
    assert len(message.data) == len(bytes_of(message))


def test_no_content_can_end_the_message_early() -> None:
    """SMTP smuggling lives on \\n.\\n and \\r.\\r (CVE-2023-51764)."""
    for end in (b"\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r\n"):
        wire = wire_of(parse_message(b"A: b\r\n\r\nx" + end + b"MAIL FROM:<a@example.com>\r\n"))

        assert wire.count(b"\r\n.\r\n") == 1
        assert b"\r" not in wire.replace(b"\r\n", b"")
        assert b"\n" not in wire.replace(b"\r\n", b"")


def test_a_complete_message_stays_as_it_is() -> None:
    message = parse_message(HEAD + b"\r\nhello\r\n")

    assert bytes_of(message.completed("bob@example.net", NOW)) == HEAD + b"\r\nhello\r\n"
    assert message.completed("bob@example.net", NOW).added == ()


def test_what_rfc_5322_requires_is_added_and_nothing_else() -> None:
    message = parse_message(b"Subject: x\n\nhello\n").completed("bob@example.net", NOW)

    assert message.added == ("Date", "From")
    assert bytes_of(message) == (
        b"Date: Mon, 2 Nov 2026 03:04:05 +0000\r\nFrom: bob@example.net\r\nSubject: x\r\n\r\nhello\r\n"
    )
    assert "no Message-ID" in message.notes[0]


def test_a_text_without_a_header_gets_one() -> None:
    message = parse_message(b"hello there\nfrom me\n").completed("bob@example.net", NOW)

    assert bytes_of(message).endswith(b"From: bob@example.net\r\n\r\nhello there\r\nfrom me\r\n")


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


@pytest.mark.parametrize("raw", [b"", b"\r\n\n", b"A: b\n\n\0", b"From alice Mon Nov  2\n"])
@pytest.mark.parametrize("size", [1, 1000])
def test_no_message(raw: bytes, size: int) -> None:
    with pytest.raises(ParseError):
        parse_message(lambda: [raw[start : start + size] for start in range(0, len(raw), size)])


def test_of_a_header_without_end_only_the_beginning_is_kept() -> None:
    """Whatever is piped in has to fit into memory: only the header is held, and a mail's header is short."""
    line = b"X: " + b"y" * 61 + b"\n"
    with pytest.raises(ParseError, match="a header that ends within"):
        parse_message(line * (HEADER_LIMIT_BYTES // len(line) + 1))

    assert parse_message(b"no field\n" + line * (HEADER_LIMIT_BYTES // len(line) + 1)).header == b""


def test_a_nul_is_named_by_its_place() -> None:
    with pytest.raises(ParseError, match="one at byte 1,003"):
        parse_message(lambda: [b"A: b\n" + b"x" * 995, b"\n\n\0"])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"A: b\n\n" + b"x" * 998 + b"\n", []),
        (b"A: b\n\n" + b"x" * 1000 + b"\n", ["line 3 is the longest with 1,000 bytes"]),
        (b"A: b\r\n\r\nc\nd\r\n", ["line ends are mixed, 3 CRLF and 1 LF alone"]),
        (b"A: b\n\nc\rd\n", ["carriage returns alone, without a line feed: 1"]),
        (b"A: b\r\rc\r", []),  # a file as old Macs wrote them
        ("Subject: x\n\né\n".encode(), ["eight-bit characters and no Content-Type"]),
        ("Content-Type: text/plain; charset=utf-8\n\né\n".encode(), []),
        (b"From alice Mon Nov  2\nA: b\n\nc\n", ["the mbox line"]),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_what_is_odd_about_a_message_is_told(raw: bytes, words: list[str], size: int) -> None:
    notes = parse_message(lambda: [raw[start : start + size] for start in range(0, len(raw), size)]).notes

    assert len(notes) == len(words)
    assert all(one in note for one, note in zip(words, notes, strict=True))


@pytest.mark.parametrize("later", [b"A: b\n\nc\n", b"A: b\n\nccccccc\n"])
def test_a_file_that_changes_while_it_is_sent_has_no_end(later: bytes) -> None:
    """A half message must never be delivered as if it were whole."""
    files = [b"A: b\n\nccc\n", later]
    message = parse_message(lambda: [files.pop(0)])
    sent: list[bytes] = []
    with pytest.raises(TargetError, match="changed while it was being sent"):
        sent.extend(message.wire())

    assert b".\r\n" not in sent


# Binary messages (RFC 3030)


def test_a_binary_message_goes_as_it_is() -> None:
    raw = b"Content-Transfer-Encoding: binary\r\n\r\n\0\n.\r\xff no end"
    message = parse_message(raw, binary=True).completed("a@client.example", NOW)

    assert bytes_of(message).endswith(raw)
    assert (message.binary, message.eight_bit, message.utf8_header) == (True, True, False)
    assert not any("line" in note for note in message.notes)


@pytest.mark.parametrize(
    "raw", [b"A: b\n\n\0", b"A: b\r\nC: d\n\r\n\r\n\0", b"A: b\nC: d\r\n\r\n\0", b"From x\nA: b\r\n\r\n"]
)
def test_the_header_of_a_binary_message_has_proper_line_ends(raw: bytes) -> None:
    with pytest.raises(ParseError, match="lines end in CRLF"):
        parse_message(raw, binary=True)


def test_content_tells_its_size_without_being_read() -> None:
    def unread() -> list[bytes]:
        raise AssertionError("nobody wanted it yet")

    assert len(Content(7, unread)) == 7
