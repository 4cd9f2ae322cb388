"""SPF records: what is legal, what is not, where, and what was meant (RFC 7208 sections 4.5, 4.6, 5, 6 and 12)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.errors import ParseError
from smtpdoc.grammar.spf import corrected, is_spf, merge, parse_spf
from smtpdoc.grammar.spf_terms import (
    A,
    All,
    Directive,
    Exists,
    Exp,
    Include,
    Ip4,
    Ip6,
    Mx,
    Ptr,
    Qualifier,
    Redirect,
    SpfSyntaxError,
    UnknownModifier,
    is_term,
    parse_term,
)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("v=spf1", True),  # an empty record is one
        ("v=spf1 -all", True),
        ("V=sPf1 -all", True),  # RFC 7208 section 12: literals are case-insensitive
        ("v=spf10 -all", False),
        ("v=spf1mx", False),
        ("v=spf1\t-all", False),
        (" v=spf1 -all", False),
        ("spf2.0/pra -all", False),
        ("", False),
    ],
)
def test_which_texts_are_records(text: str, selected: bool) -> None:
    assert selected == is_spf(text)


def test_a_text_that_is_no_record_is_refused() -> None:
    with pytest.raises(SpfSyntaxError, match='expected "v=spf1" followed by a space'):
        parse_spf("v=spf10 -all")


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("all", All),
        ("ALL", All),
        ("include:_spf.example.com", Include),
        ("include:example.com.", Include),  # the trailing dot is legal
        ("include:%{i}._ip.%{h}._ehlo.%{d}._spf.example.net", Include),
        ("include:%{d}", Include),  # a domain-spec may end in a macro
        ("a", A),
        ("a/24", A),
        ("a//64", A),
        ("a/0//0", A),
        ("a:foo:bar/baz.example.com", A),  # macro-literals are all visible characters but %
        ("a:foo.example.xn--zckzah", A),
        ("mx:mail.example.com/24//64", Mx),
        ("ptr", Ptr),
        ("ptr:example.com", Ptr),
        ("ip4:192.0.2.0", Ip4),
        ("ip4:192.0.2.7/24", Ip4),
        ("ip6:2001:db8::/32", Ip6),
        ("ip6:::1.1.1.1/0", Ip6),
        ("exists:%{ir}.%{l1r+-}._spf.%{d}", Exists),
    ],
)
def test_legal_mechanisms(token: str, kind: type) -> None:
    term = parse_term(f"?{token}")

    assert isinstance(term, Directive)
    assert (Qualifier.NEUTRAL, kind) == (term.qualifier, type(term.mechanism))


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("redirect=_spf.example.com", Redirect),
        ("EXP=explain._spf.%{d}", Exp),
        ("moo.cow-far_out=man:dog/cat", UnknownModifier),
        ("default=", UnknownModifier),  # macro-string may be empty
        ("x=%{d}%%%_%-", UnknownModifier),
    ],
)
def test_legal_modifiers(token: str, kind: type) -> None:
    assert kind is type(parse_term(token))


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("-all:foobar", "all without an argument"),
        ("-all/8", "all without an argument"),
        ("include", "a colon and a domain name"),
        ("include:", "a domain name"),
        ("include:museum", "ends in a top-level label"),  # a single label
        ("include:museum.", "ends in a top-level label"),
        ("a:example.-com", "ends in a top-level label"),
        ("a:example.com-", "ends in a top-level label"),
        ("a:abc.123", "ends in a top-level label"),  # a toplabel is not all numeric
        ("a:example.com:8080", "ends in a top-level label"),
        ("a:foo.example.com\0", "visible ASCII"),
        ("a:mail.example...com", "labels of 1 to 63"),
        (f"a:{'a' * 64}.example.com", "labels of 1 to 63"),
        ("a/33", "from /0 to /32"),
        ("a/024", "from /0 to /32"),
        ("a//129", "from /0 to /128"),
        ("a/24/64", "/24//64"),
        ("ptr/0", "a colon and a domain name"),
        ("exists:mail.example.com/24", "ends in a top-level label"),
        ("ip4", "an IPv4 address"),
        ("ip4:1.2.3", "an IPv4 address"),
        ("ip4:1.2.3.256", "up to 255"),
        ("ip4:01.2.3.4", "an IPv4 address"),  # qnum has no leading zeros
        ("ip4:1.2.3.4:8080", "an IPv4 address"),
        ("ip4:1.2.3.4//32", "from /0 to /32"),
        ("ip4:1.2.3.4/", "from /0 to /32"),
        ("ip6:1.2.3.4", "an IPv6 address"),
        ("ip6::CAFE::BABE", "an IPv6 address"),
        ("ip6:fe80::1%eth0", "an IPv6 address"),
        ("ip6:::1.1.1.1//33", "from /0 to /128"),
        ("moo", "a mechanism"),
        ("redirect:t2.example.com", "a mechanism"),
        ("redirect=", "a domain name"),
        ("exp=-all", "ends in a top-level label"),
        ("-redirect=example.com", "a mechanism or a modifier"),
        ("1up=foo", "a mechanism or a modifier"),
        ("=all", "a mechanism or a modifier"),
        ("moo.cow/far_out=man", "a mechanism"),
        ("foo=%abc", "percent sign"),
        ("exists:%(ir).example.com", "percent sign"),
        ("exists:%{a}.example.com", "macro letters"),
        ("exists:%{c}.example.com", "only in the text that exp= points to"),
        ("exists:%{d0}.example.com", "above zero"),
        ("\x80a:example.net", "a mechanism or a modifier"),
    ],
)
def test_illegal_terms(token: str, expected: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_term(token)

    assert expected in caught.value.expected


def test_every_error_is_told_with_its_place() -> None:
    record = parse_spf("v=spf1 ip:192.0.2.1  moo -all a:museum")

    assert [(7, "ip:192.0.2.1"), (21, "moo"), (30, "a:museum")] == [
        (problem.offset, problem.token) for problem in record.problems
    ]
    assert ["-all"] == [term.text for term in record.terms]


@pytest.mark.parametrize(
    ("token", "guess"),
    [
        ("ip:192.0.2.1", "ip4:192.0.2.1"),
        ("ip:2001:db8::1", "ip6:2001:db8::1"),
        ("ipv4:192.0.2.0/24", "ip4:192.0.2.0/24"),
        ("-ip:192.0.2.1", "-ip4:192.0.2.1"),
        ("192.0.2.4", "ip4:192.0.2.4"),
        ("a:192.0.2.1/24", "ip4:192.0.2.1/24"),
        ("mx:192.0.2.1", "ip4:192.0.2.1"),
        ("include:192.0.2.1", "ip4:192.0.2.1"),
        ("ip4:2001:db8::1", "ip6:2001:db8::1"),
        ("ip6:192.0.2.1", "ip4:192.0.2.1"),
        ("ip4:192.0.2/24", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2", None),  # one host or a network: nobody knows
        ("ip4:192.0.2.*", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2.4-192.0.2.7", "ip4:192.0.2.4/30"),
        ("ip4:192.0.2.0/255.255.255.0", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2.0/024", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2.0/33", None),
        ("ip4:192.0.2.1:25", "ip4:192.0.2.1"),
        ("ip4:mail.example.com", "a:mail.example.com"),
        ("include: x.example", "include:x.example"),
        ("include :x.example", "include:x.example"),
        ("+include=x.example", "+include:x.example"),
        ("inlcude:x.example", "include:x.example"),
        ("include:x.example/24", "include:x.example"),
        ("include:https://x.example/", "include:x.example"),
        ("redirect:x.example", "redirect=x.example"),
        ("mail.example.com", "a:mail.example.com"),
        ("_spf.google.com", "include:_spf.google.com"),
        ("ip4:192.0.2.1,ip4:192.0.2.3", "ip4:192.0.2.1 ip4:192.0.2.3"),
        ("ip4:192.0.2.1ip4:192.0.2.3", "ip4:192.0.2.1 ip4:192.0.2.3"),
        ("ip4:192.0.2.1-all", "ip4:192.0.2.1 -all"),
        ("include:_spf.example.com~all", "include:_spf.example.com ~all"),
        ("-all.", "-all"),
        ("~all;", "~all"),
        ('-all"', "-all"),
        ("\u2013all", "-all"),  # an en dash, as word processors write it
        ("- all", "-all"),
        ("mx/24/64", "mx/24//64"),
        ("mx:", "mx"),
        ("\\;", ""),
        ("moo", None),
        ("a:museum", None),
    ],
)
def test_what_was_probably_meant(token: str, guess: str | None) -> None:
    (problem,) = parse_spf(f"v=spf1 mx {token} a").problems

    assert (token, guess) == (problem.token, problem.guess)


@pytest.mark.parametrize(
    ("token", "guess"),
    [
        ("include=x.example", "include:x.example"),  # an unknown modifier, and legal
        ("ip4=192.0.2.1", "ip4:192.0.2.1"),
        ("v=spf1", ""),
        ("include:_spf.example.com-all", "include:_spf.example.com -all"),  # "com-all" is a legal top label
        ("include:a.example.cominclude:b.example.com", "include:a.example.com include:b.example.com"),
    ],
)
def test_legal_terms_that_were_hardly_meant(token: str, guess: str) -> None:
    record = parse_spf(f"v=spf1 {token} ?all")

    assert () == record.problems
    assert [(7, token, guess)] == [(doubt.offset, doubt.token, doubt.guess) for doubt in record.doubts]


@pytest.mark.parametrize("modifier", ["ra=postmaster", "rp=100", "rr=all", "moo=cow", "exp=a.example.com"])
def test_honest_modifiers_raise_no_doubt(modifier: str) -> None:
    assert () == parse_spf(f"v=spf1 {modifier} -all").doubts


def test_a_second_redirect_is_an_error_a_second_all_is_not() -> None:
    record = parse_spf("v=spf1 redirect=a.example.com REDIRECT=b.example.com all -all")

    assert ["REDIRECT=b.example.com"] == [problem.token for problem in record.problems]


def test_the_whole_corrected_record() -> None:
    record = parse_spf(
        "v=spf1 ip:192.0.2.1   include: x.example include=y.example redirect=a.example redirect=b.example"
    )

    assert "v=spf1 ip4:192.0.2.1 include:x.example include:y.example redirect=a.example" == corrected(record)


def test_no_corrected_record_without_an_idea() -> None:
    assert corrected(parse_spf("v=spf1 ip:192.0.2.1 moo -all")) is None


@pytest.mark.parametrize(
    ("texts", "merged"),
    [
        (("v=spf1 mx -all", "v=spf1 include:a.example ~all"), "v=spf1 mx include:a.example -all"),
        (("v=spf1 mx ~all", "v=spf1 MX ?all"), "v=spf1 mx ~all"),
        (("v=spf1 mx", "v=spf1 a"), "v=spf1 mx a"),
        (("v=spf1 mx -all", "v=spf1 redirect=a.example"), "v=spf1 mx -all"),
    ],
)
def test_several_records_merged(texts: tuple[str, ...], merged: str) -> None:
    assert merged == merge(texts)


def test_what_evaluation_never_reaches() -> None:
    record = parse_spf("v=spf1 a redirect=x.example ~all mx")

    assert ["a", "~all"] == [term.text for term in record.terms if record.reached(term)]


def test_host_bits_stay_visible() -> None:
    term = parse_term("ip4:192.0.2.7/24")

    assert isinstance(term, Directive)
    assert isinstance(term.mechanism, Ip4)
    assert (IPv4Address("192.0.2.7"), IPv4Network("192.0.2.0/24")) == (term.mechanism.address, term.mechanism.network)


_NAMES = ("ip4:", "ip6:", "include:", "a", "mx", "ptr", "all", "exists:", "redirect=", "exp=", "v=spf1")
_VALUES = ("192.0.2.1", "2001:db8::", "example", ".com", "24", "%{", "}", "%", "d", "ir", "x", "*")
_SIGNS = ("-", "~", "?", "+", "/", "//", ".", ":", "=", ",", ";", '"', " ", "\t", "\u00a0", "\udc80")
_PIECES = st.sampled_from((*_NAMES, *_VALUES, *_SIGNS))


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=14).map("".join)))
def test_anything_is_a_record_with_problems_at_their_places(tail: str) -> None:
    text = f"v=spf1 {tail}"

    record = parse_spf(text)

    for item in (*record.problems, *record.doubts):
        assert item.token == text[item.offset : item.offset + len(item.token)]
        assert all(is_term(term) for term in (item.guess or "all").split(" "))
    fixed = corrected(record)
    if fixed is not None:
        assert {"expected redirect= only once in a record", "expected exp= only once in a record"} >= {
            problem.message for problem in parse_spf(fixed).problems
        }


@given(st.text(max_size=60))
def test_anything_else_is_refused_or_read(text: str) -> None:
    try:
        record = parse_spf(text)
    except ParseError:
        assert not is_spf(text)
    else:
        assert text == record.text
