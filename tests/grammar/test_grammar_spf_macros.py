"""SPF macros: the examples of RFC 7208 section 7.4, and the rules of section 7.3."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.spf_macros import (
    MacroError,
    MacroValues,
    can_be_asked,
    expand,
    parse_macros,
    target_name,
)

SENDER = "strong-bad@email.example.com"
VALUES = MacroValues(IPv4Address("192.0.2.3"), SENDER, "email.example.com", "mail.example.net")
VALUES6 = MacroValues(IPv6Address("2001:db8::cb01"), SENDER, "email.example.com", "mail.example.net")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ],
)
def test_the_examples_of_the_rfc(text: str, expanded: str) -> None:
    assert expanded == expand(parse_macros(text), VALUES)


def test_the_ipv6_example_of_the_rfc() -> None:
    expected = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"

    assert expected == expand(parse_macros("%{ir}.%{v}._spf.%{d2}"), VALUES6)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("a%%b%_c%-d", "a%b c%20d"),
        ("%{S}", "strong-bad%40email.example.com"),  # upper case: URL-escaped
        ("%{D2}", "example.com"),
        ("%{IR}", "3.2.0.192"),
        ("%{h2}", "example.net"),
        ("%{p}", "unknown"),
        ("%{l2r+-}", "bad.strong"),  # several delimiters, one separator
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{d002}", "example.com"),
    ],
)
def test_other_expansions(text: str, expanded: str) -> None:
    assert expanded == expand(parse_macros(text), VALUES)


@pytest.mark.parametrize("ip", ["192.0.2.3", "2001:db8::cb01"])
def test_the_letters_of_an_explanation(ip: str) -> None:
    values = MacroValues(ip_address(ip), SENDER, "example.com", "h", receiver="mx.example.org", time_s=12)

    assert f"{ip} mx.example.org 12" == expand(parse_macros("%{c} %{r} %{t}", explanation=True), values)


@pytest.mark.parametrize(
    ("text", "offset"),
    [("a%", 1), ("a%b", 1), ("%{d", 0), ("%{}", 0), ("x%{x}", 1), ("%{d0}", 0), ("%{d-2}", 0), ("%{c}", 0), ("a b", 1),
     ("caf\u00e9", 3), ("%{dR2}", 0)],
)  # fmt: skip
def test_faults_have_a_place(text: str, offset: int) -> None:
    with pytest.raises(MacroError) as caught:
        parse_macros(text)

    assert offset == caught.value.offset


def test_a_long_name_loses_labels_from_the_left() -> None:
    name = target_name("left." + "x" * 60 + ".y" * 95 + ".example.com.")

    assert name.endswith(".y.example.com")
    assert len(name) <= 253
    assert not name.startswith("left.")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("example.com", True),
        ("_x.example.com", True),
        ("com", False),
        ("", False),
        ("a..example.com", False),
        (".example.com", False),
        (f"{'a' * 63}.example.com", True),
        (f"{'a' * 64}.example.com", False),
        ("caf\u00e9.example.com", False),
    ],
)
def test_which_names_can_be_asked(name: str, asked: bool) -> None:
    assert asked == can_be_asked(name)


@given(st.text(alphabet=st.sampled_from("%{}dlsoiphvcrt019r.-+,/_=RDab \u00e9\udc80"), max_size=30), st.booleans())
def test_anything_is_parsed_or_refused(text: str, explanation: bool) -> None:
    try:
        string = parse_macros(text, explanation=explanation)
    except MacroError:
        return
    assert isinstance(expand(string, VALUES), str)
