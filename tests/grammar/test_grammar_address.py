"""Envelope addresses (RFC 5321 section 4.1.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.address import NULL, Address, AddressParseError, parse_address
from smtpdoc.grammar.literal import address_literal


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("bob@example.com", "<bob@example.com>"),
        ("<bob@example.com>", "<bob@example.com>"),
        (" bob@example.com ", "<bob@example.com>"),
        ("o'neil+tag@mail.example.co", "<o'neil+tag@mail.example.co>"),
        ('"a b"@example.com', '<"a b"@example.com>'),
        (r'"a\"b"@example.com', r'<"a\"b"@example.com>'),
        ('"a@b"@example.com', '<"a@b"@example.com>'),
        ("bob@[192.0.2.1]", "<bob@[192.0.2.1]>"),
        ("bob@[IPv6:2001:db8::1]", "<bob@[IPv6:2001:db8::1]>"),
        ("postmaster", "<postmaster>"),  # RFC 5321 section 4.1.1.3
        ("Postmaster", "<Postmaster>"),
        ("rené@bücher.example", "<rené@bücher.example>"),  # RFC 6531
        ("a_b@host_name.example", "<a_b@host_name.example>"),
        ("x" * 64 + "@example.com", "<" + "x" * 64 + "@example.com>"),
    ],
)
def test_an_address_becomes_a_path(text: str, path: str) -> None:
    assert parse_address(text).path == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "@example.com",
        "bob@",
        "bob@@example.com",
        "a b@example.com",
        "bob@exa mple.com",
        "bob@example.com>",
        "bob@example.com> SIZE=1",
        "<bob@example.com> NOTIFY=NEVER",
        "bob@example.com\r\nRCPT TO:<x@y.example>",
        "bob@example.com\n",
        "bo\0b@example.com",
        "bob\x7f@example.com",
        "bob\u2028@example.com",
        ".bob@example.com",
        "bob.@example.com",
        "b..b@example.com",
        "bob@-example.com",
        "bob@example..com",
        "bob@[192.0.2]",
        "bob@[fe80::1%eth0]",
        '"a\r"@example.com',
        '"a"b"@example.com',
        "x" * 65 + "@example.com",
        "bob@" + "x" * 64 + ".example",
        "bob@" + "x." * 130 + "example",
        "bob@i❤.example",
        "bob@a\u200db.example",
        "bob@bücher＠example",
        "<>",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressParseError):
        parse_address(text)


def test_the_null_reverse_path_is_allowed_where_it_is_wanted() -> None:
    assert parse_address("<>", null_allowed=True) == NULL
    assert NULL.path == "<>"
    with pytest.raises(AddressParseError):
        parse_address("", null_allowed=True)


def test_a_domain_beyond_ascii_becomes_u_labels() -> None:
    """RFC 6531 section 3.3: sub-domain =/ U-label. Capitals, wide dots and decomposed letters are none."""
    assert parse_address("<René@STRAẞE。Bu\u0308cher.Example>") == Address("René", "straße.bücher.example")


def test_a_u_label_is_measured_as_the_a_label_it_becomes() -> None:
    domain = "메일" * 15 + ".example"

    assert parse_address(f"bob@{domain}").domain == domain
    with pytest.raises(AddressParseError, match="63 octets"):
        parse_address(f"bob@{'á' * 60}.example")


def test_an_address_knows_whether_it_needs_smtputf8() -> None:
    assert parse_address("bob@example.com").ascii
    assert not Address("rené", "example.com").ascii


@pytest.mark.parametrize(
    ("ip", "literal"),
    [("192.0.2.1", "[192.0.2.1]"), ("2001:db8::1", "[IPv6:2001:db8::1]"), ("fe80::1%eth0", "[IPv6:fe80::1]")],
)
def test_address_literals(ip: str, literal: str) -> None:
    """RFC 5321 section 4.1.3."""
    assert address_literal(ip) == literal


@given(st.text(max_size=80))
def test_whatever_comes_out_stays_one_argument_of_one_command(text: str) -> None:
    try:
        path = parse_address(text, null_allowed=True).path
    except AddressParseError:
        return

    inner = path[1:-1]
    assert not any(ord(char) < 32 or ord(char) == 127 for char in path)
    assert inner.startswith('"') or not set(" <>") & set(inner)
