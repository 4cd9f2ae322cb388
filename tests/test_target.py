"""Targets and domain names as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.errors import TargetError
from smtpdoc.target import SMTP_PORT, Target, domain_name, parse_target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mx.example.net", Target("mx.example.net", 587)),
        ("MX.Example.NET.", Target("mx.example.net", 587)),
        ("mx.example.net:25", Target("mx.example.net", 25)),
        ("mx.example.net:465", Target("mx.example.net", 465, implicit_tls=True)),
        ("192.0.2.25:2525", Target("192.0.2.25", 2525)),
        ("2001:db8::25", Target("2001:db8::25", 587)),
        ("[2001:DB8::25]:25", Target("2001:db8::25", 25)),
        ("[IPv6:2001:db8::25]", Target("2001:db8::25", 587)),
        ("fe80::1%eth0", Target("fe80::1%eth0", 587)),
        ("smtp://[fe80::1%25eth0]:2525", Target("fe80::1%eth0", 2525)),
        ("smtp://mx.example.net", Target("mx.example.net", 25)),
        ("submission://mx.example.net/", Target("mx.example.net", 587)),
        ("smtps://mx.example.net", Target("mx.example.net", 465, implicit_tls=True)),
        ("smtps://mx.example.net:8465", Target("mx.example.net", 8465, implicit_tls=True)),
        ("smtp://mx.example.net:465", Target("mx.example.net", 465)),
        ("bücher.example", Target("xn--bcher-kva.example", 587)),
        ("smtp://Straße.example.:2525", Target("xn--strae-oqa.example", 2525)),
        ("１９２。0．2.25:25", Target("192.0.2.25", 25)),
        ("xn--a.example", Target("xn--a.example", 587)),
        ("localhost:2525", Target("localhost", 2525)),
        ("_smtp-host:25", Target("_smtp-host", 25)),
    ],
)
def test_what_users_write_becomes_a_target(text: str, expected: Target) -> None:
    assert expected == parse_target(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "host"),
        (":25", "host"),
        ("mx.example.net:", "port"),
        ("mx.example.net:0", "1 and 65535"),
        ("mx.example.net:65536", "1 and 65535"),
        ("mx.example.net:smtp", "port"),
        ("mx.example.net:٢٥", "port"),
        ("[2001:db8::25", "[address]"),
        ("[2001:db8::25]25", "[address]"),
        ("999.0.2.1", "IP address"),
        ("2001:db8::xyz", "IP address"),
        ("http://mx.example.net", "smtp://"),
        ("smtp://mx.example.net/client.example", "--helo"),
        ("mx.example.net/", "host and port only"),
        ("bob@example.net", "--mx example.net --to bob@example.net"),
        ("::1%lo:25", "[address%interface]:port"),
        ("fe80::1%", "[address%interface]:port"),
        ("192.0.2.1%eth0", "host"),
        ("smtp://user:pass@mx.example.net", "--auth-user"),
        ("two words", "host"),
        ("-mx.example.net", "host"),
        ("a" * 64 + ".example", "host"),
        ("mx\x1b[31m.example", "host"),
        ("i❤.example:25", "U+2764"),
        ("bü cher.example", "U+0020"),
        ("９９９。0.2.1", "IP address"),
    ],
)
def test_what_cannot_be_a_target_is_refused_with_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)

    assert says in str(caught.value)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(TargetError) as caught:
        parse_target("smtp://alice:s3cret@mx.example.net")

    assert "s3cret" not in str(caught.value)


def test_the_default_port_is_the_callers() -> None:
    assert Target("example.net", 25) == parse_target("example.net", SMTP_PORT)


@given(st.text())
def test_whatever_is_written_gives_a_target_or_a_target_error(text: str) -> None:
    try:
        target = parse_target(text)
    except TargetError:
        return

    assert parse_target(str(target)).host == target.host


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a..b", "ü..b", "\xad.example", "ü.-b", "a b", "exa\nmple.com", "x" * 300]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="domain name"):
        domain_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "smtp://alice:s3cret@mx.example.net:587",
        "alice:s3cret@mx.example.net",
        "http://alice:s3cret@mx.example.net",
        "smtps://mx.example.net:465/alice:s3cret@x",
        "s3cret@@mx.example.net",
        "alice:s3@cret@mx.example.net",
    ],
)
def test_a_password_in_a_target_is_never_repeated(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)

    assert "s3" not in str(caught.value)
