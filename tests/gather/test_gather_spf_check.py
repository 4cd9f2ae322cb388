"""check_host() beyond the suites: limits, paths, counts, and which questions are asked (RFC 7208)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.errors import TargetError
from smtpdoc.evidence.auth import SpfCheck, SpfResult
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.gather.spf_check import SpfClient, check_spf


def _check(zone: dict[str, Answer], ip: str = "192.0.2.1", **client: str) -> SpfCheck:
    return run_now(check_spf(SpfClient(ip, **client), "example.com", Zone(zone)))


def _record(text: str, more: Mapping[str, Answer] = MappingProxyType({})) -> dict[str, Answer]:
    return {"example.com TXT": text, **more}


def test_the_path_leads_from_the_record_to_the_address() -> None:
    check = _check(
        {
            "example.com TXT": "v=spf1 ip4:198.51.100.1 include:no.example include:yes.example -all",
            "no.example TXT": "v=spf1 a -all",
            "no.example A": "198.51.100.9",
            "yes.example TXT": "v=spf1 a:mail.example/24 -all",
            "mail.example A": "192.0.2.99",
        }
    )

    assert SpfResult.PASS is check.result
    assert ("example.com: include:yes.example", "yes.example: a:mail.example/24 matches 192.0.2.99") == check.path
    assert (4, 0) == (check.lookups, check.void_lookups)
    assert check.problem is None


def test_evaluation_stops_at_the_first_match() -> None:
    zone = Zone({"example.com TXT": "v=spf1 ip4:192.0.2.0/24 a:never.example -all"})

    check = run_now(check_spf(SpfClient("192.0.2.1"), "example.com", zone))

    assert [("example.com", "TXT")] == zone.asked
    assert (SpfResult.PASS, 0) == (check.result, check.lookups)


def test_without_a_mail_from_it_is_postmaster_of_the_domain() -> None:
    assert "postmaster@example.com" == _check(_record("v=spf1 -all")).mail_from


def test_the_null_reverse_path_is_checked_by_helo() -> None:
    """RFC 7208 section 2.4: the identity is then postmaster at the HELO name."""
    zone: dict[str, Answer] = {
        "mail.example.net TXT": "v=spf1 exists:%{s}.test -all",
        "postmaster@mail.example.net.test A": "127.0.0.2",
    }

    assert SpfResult.PASS is _check(zone, mail_from="<>", helo="mail.example.net").result


@pytest.mark.parametrize("domain", ["localhost", "[192.0.2.1]", "a..example.com", f"{'a' * 64}.example.com", ""])
def test_a_domain_that_cannot_have_a_record_is_none(domain: str) -> None:
    """RFC 7208 section 4.3, without a question asked."""
    zone = Zone()

    check = run_now(check_spf(SpfClient("192.0.2.1", mail_from=f"a@{domain}"), "example.com", zone))

    assert (SpfResult.NONE, []) == (check.result, zone.asked)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(TargetError, match='expected an IP address, got "mail"'):
        _check({}, ip="mail")


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (LookupStatus.NXDOMAIN, SpfResult.NONE),
        (LookupStatus.NODATA, SpfResult.NONE),
        (LookupStatus.SERVFAIL, SpfResult.TEMPERROR),
        (LookupStatus.TIMEOUT, SpfResult.TEMPERROR),
    ],
)
def test_no_answer_is_never_no_record(status: LookupStatus, result: SpfResult) -> None:
    assert result is _check({"example.com TXT": status}).result


@pytest.mark.parametrize(
    ("included", "result"),
    [
        ("v=spf1 ip4:192.0.2.1", SpfResult.PASS),
        ("v=spf1 -all", SpfResult.SOFTFAIL),
        ("v=spf1 ~all", SpfResult.SOFTFAIL),
        ("v=spf1 ?all", SpfResult.SOFTFAIL),
        ("no record", SpfResult.PERMERROR),
        ("v=spf1 moo", SpfResult.PERMERROR),
        (LookupStatus.SERVFAIL, SpfResult.TEMPERROR),
        (LookupStatus.NXDOMAIN, SpfResult.PERMERROR),
    ],
)
def test_the_table_of_include(included: Answer, result: SpfResult) -> None:
    """RFC 7208 section 5.2."""
    assert result is _check(_record("v=spf1 include:b.example ~all", {"b.example TXT": included})).result


@pytest.mark.parametrize(("terms", "result"), [(10, SpfResult.SOFTFAIL), (11, SpfResult.PERMERROR)])
def test_ten_terms_may_query(terms: int, result: SpfResult) -> None:
    check = _check(_record("v=spf1 " + "a " * terms + "~all", {"example.com A": "198.51.100.1"}))

    assert (result, terms) == (check.result, check.lookups)


def test_the_problem_names_the_term_over_the_limit() -> None:
    zone = _record(
        "v=spf1 include:b.example ~all", {"b.example TXT": "v=spf1 " + "mx " * 10, "b.example MX": (1, "m.example")}
    )

    assert "mx of b.example would be lookup 11, receivers stop at 10" == _check(zone).problem


@pytest.mark.parametrize(("names", "result"), [(2, SpfResult.SOFTFAIL), (3, SpfResult.PERMERROR)])
def test_two_void_lookups_are_allowed(names: int, result: SpfResult) -> None:
    check = _check(_record("v=spf1 " + " ".join(f"exists:{n}.example" for n in range(names)) + " ~all"))

    assert (result, names) == (check.result, check.void_lookups)


def test_hosts_of_one_mx_count_neither_as_lookups_nor_as_void() -> None:
    hosts: Answer = [(n, f"m{n}.example") for n in range(10)]

    check = _check(_record("v=spf1 mx ~all", {"example.com MX": hosts}))

    assert (SpfResult.SOFTFAIL, 1, 0) == (check.result, check.lookups, check.void_lookups)


def test_eleven_mx_hosts_are_too_many() -> None:
    hosts: Answer = [(n, f"m{n}.example") for n in range(11)]

    assert SpfResult.PERMERROR is _check(_record("v=spf1 mx ~all", {"example.com MX": hosts})).result


def test_mx_hosts_are_asked_together_for_the_clients_family_only() -> None:
    zone = Zone(
        _record(
            "v=spf1 mx -all",
            {"example.com MX": [(20, "b.example"), (10, "a.example")], "b.example AAAA": "2001:db8::1"},
        )
    )

    check = run_now(check_spf(SpfClient("2001:db8::1"), "example.com", zone))

    assert SpfResult.PASS is check.result
    assert (("a.example", "AAAA"), ("b.example", "AAAA")) == zone.rounds[-1]


@pytest.mark.parametrize(
    ("name", "ptr_error", "result"),
    [
        ("mail.example.com", None, SpfResult.PASS),
        ("MAIL.Example.COM.", None, SpfResult.PASS),
        ("example.com", None, SpfResult.PASS),
        ("badexample.com", None, SpfResult.FAIL),
        ("mail.example.com", LookupStatus.SERVFAIL, SpfResult.FAIL),
    ],
)
def test_ptr_needs_a_name_that_leads_back(name: str, ptr_error: LookupStatus | None, result: SpfResult) -> None:
    """RFC 7208 section 5.5; a DNS error on the way is no match."""
    zone = _record(
        "v=spf1 ptr -all", {"1.2.0.192.in-addr.arpa PTR": ptr_error or name, f"{name.rstrip('.')} A": "192.0.2.1"}
    )

    assert result is _check(zone).result


def test_an_error_for_one_ptr_name_only_skips_that_name() -> None:
    zone = _record(
        "v=spf1 ptr -all",
        {
            "1.2.0.192.in-addr.arpa PTR": ["bad.example.com", "good.example.com"],
            "bad.example.com A": LookupStatus.TIMEOUT,
            "good.example.com A": "192.0.2.1",
        },
    )

    assert SpfResult.PASS is _check(zone).result


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        ("%{i} is not one of %{d}'s servers", "192.0.2.1 is not one of example.com's servers"),
        ("see http://%{o}/?s=%{S}", "see http://example.com/?s=a%40example.com"),
        ("%{x}", None),
        ("na\u00efve", None),
        (["one", "two"], None),
        (LookupStatus.TIMEOUT, None),
    ],
)
def test_explanations(text: Answer, explanation: str | None) -> None:
    """RFC 7208 section 6.2: any fault in it is passed over."""
    check = _check(_record("v=spf1 -all exp=why.%{d}", {"why.example.com TXT": text}), mail_from="a@example.com")

    assert (SpfResult.FAIL, explanation) == (check.result, check.explanation)
    assert (0, 0) == (check.lookups, check.void_lookups)


def test_only_fail_is_explained() -> None:
    assert _check(_record("v=spf1 ~all exp=why.example.com", {"why.example.com TXT": "why"})).explanation is None


def test_redirect_takes_the_other_records_explanation_and_domain() -> None:
    check = _check(
        _record(
            "v=spf1 exp=mine.example.com redirect=b.example",
            {
                "b.example TXT": "v=spf1 a -all exp=theirs.example",
                "b.example A": "198.51.100.1",
                "theirs.example TXT": "%{d}",
            },
        )
    )

    assert (SpfResult.FAIL, "b.example", 2) == (check.result, check.explanation, check.lookups)


def test_an_expanded_name_that_cannot_be_asked_matches_nothing() -> None:
    """RFC 7208 section 4.8 leaves it undefined; no question can be asked, so that nothing can match."""
    check = _check(
        _record("v=spf1 a:%{h}.bar.example exists:%{l}.example -all"), mail_from="a..b@example.com", helo="x" * 64
    )

    assert (SpfResult.FAIL, 2, 0) == (check.result, check.lookups, check.void_lookups)


def test_a_mapped_address_is_an_ipv4_client() -> None:
    check = _check(_record("v=spf1 ip6:::/0 ip4:192.0.2.1 -all"), ip="::ffff:192.0.2.1")

    assert ("192.0.2.1", SpfResult.PASS) == (check.ip, check.result)


@pytest.mark.parametrize("record", ["v=spf1 include:example.com", "v=spf1 redirect=example.com"])
def test_a_circle_ends_at_the_limit(record: str) -> None:
    assert SpfResult.PERMERROR is _check(_record(record)).result


def test_the_first_error_anywhere_spoils_the_record() -> None:
    check = _check(_record("v=spf1 ip4:192.0.2.1 -all moo"))

    assert SpfResult.PERMERROR is check.result
    assert check.problem is not None
    assert "moo in the record of example.com" in check.problem


def test_an_internationalized_sender_domain_is_asked_by_its_a_labels() -> None:
    """RFC 8616 section 4. A local part beyond ASCII matches no macro."""
    zone: dict[str, Answer] = {"xn--bcher-kva.example TXT": "v=spf1 exists:%{l}.example -ip4:192.0.2.1 ?all"}

    check = _check(zone, mail_from="j\u00f6rg@b\u00fccher.example")

    assert (SpfResult.FAIL, 1, 0) == (check.result, check.lookups, check.void_lookups)


def test_a_sender_domain_that_is_no_name_has_no_record() -> None:
    check = _check(_record("v=spf1 -all"), mail_from="bob@i❤.example")

    assert (SpfResult.NONE, "i❤.example has no SPF record") == (check.result, check.problem)
