"""What a server says it can do (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.ehlo import MEANINGS, auth_mechanisms, meaning, overwritten_keyword, parse_ehlo, size_limit


def test_the_first_line_is_the_domain_and_never_an_extension() -> None:
    capabilities = parse_ehlo(["STARTTLS is my name", "PIPELINING"])

    assert (capabilities.domain, capabilities.greeting) == ("STARTTLS", "is my name")
    assert "STARTTLS" not in capabilities
    assert "PIPELINING" in capabilities


def test_an_empty_first_line_costs_no_extension() -> None:
    assert dict(parse_ehlo(["", "STARTTLS"]).keywords) == {"STARTTLS": ""}


def test_keywords_are_upper_case_and_keep_their_order() -> None:
    capabilities = parse_ehlo(["mx", "size 1000", "Auth plain LOGIN", "8bitmime"])

    assert list(capabilities.keywords.items()) == [("SIZE", "1000"), ("AUTH", "plain LOGIN"), ("8BITMIME", "")]


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (["mx", "AUTH PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        # servers that still please clients of the drafts of RFC 2554
        (["mx", "AUTH=PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["mx", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["mx", "AUTH=LOGIN", "AUTH plain login"], ("LOGIN", "PLAIN")),
        (["mx", "AUTH"], ()),
        (["mx"], ()),
    ],
)
def test_mechanisms_are_listed_once_each(lines: list[str], mechanisms: tuple[str, ...]) -> None:
    assert parse_ehlo(lines).auth_mechanisms == mechanisms
    assert auth_mechanisms(parse_ehlo(lines).keywords) == mechanisms


def test_a_line_that_is_no_keyword_is_kept_apart() -> None:
    capabilities = parse_ehlo(["mx", "", "*** hello", "HELP"])

    assert list(capabilities.keywords) == ["HELP"]
    assert capabilities.unreadable == ("", "*** hello")


def test_no_lines_are_no_capabilities() -> None:
    assert dict(parse_ehlo([]).keywords) == {}


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("SIZE 10240000", 10240000),
        ("SIZE", None),
        ("SIZE 0", None),
        ("SIZE lots", None),
        ("SIZE 1000 x", 1000),
        ("SIZE ٣", None),
    ],
)
def test_size_is_a_number_of_bytes_or_nothing(size: str, limit: int | None) -> None:
    """RFC 1870 section 4: zero means no fixed limit."""
    assert size_limit(parse_ehlo(["mx", size]).keywords) == limit


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("XXXXXXXA", True),
        ("XXXXXXXX", True),
        ("STARTTLS", False),
        ("X-EXPS", False),
        ("XXX", False),
        ("XCLIENT", False),
    ],
)
def test_what_a_firewall_wrote_over_is_recognised(keyword: str, expected: bool) -> None:
    assert (overwritten_keyword(["SIZE", keyword]) == keyword) is expected


def test_every_meaning_is_a_phrase_of_its_own() -> None:
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert all(keyword == keyword.upper() and not words.endswith(".") for keyword, words in MEANINGS.items())


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("XVERP", MEANINGS["XVERP"]),
        ("XXXXXXXA", "written over on the way: most likely STARTTLS"),
        ("X-RCPTLIMIT", "a private extension"),
        ("STARTTLS2", "not a registered keyword"),
    ],
)
def test_a_keyword_that_nobody_registered_is_told_from_one_that_was_written_over(keyword: str, words: str) -> None:
    assert words == meaning(keyword)
