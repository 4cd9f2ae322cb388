"""What the SPF checks raise: for every id a zone that raises it, and one that nearly does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from support.zone import Answer, Zone, run_now

from smtpdoc.catalog.checks.spf import ENTRIES, checks
from smtpdoc.evidence.dns import LookupStatus, MxRecord, TxtRecord
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.spf import SpfClient, gather_spf

CLIENT = SpfClient("192.0.2.1")
FAILS = LookupStatus.SERVFAIL


def _findings(zone: Mapping[str, Answer], clients: Sequence[SpfClient] = ()) -> tuple[Finding, ...]:
    return checks.run(run_now(gather_spf("example.com", Zone(zone), clients=clients)))


def _record(text: str, more: Mapping[str, Answer] | None = None) -> dict[str, Answer]:
    return {"example.com TXT": text, "example.com A": "192.0.2.25", "example.com AAAA": "2001:db8::25", **(more or {})}


def _one(zone: Mapping[str, Answer], finding_id: str, clients: Sequence[SpfClient] = ()) -> Finding:
    found = [finding for finding in _findings(zone, clients) if finding.id == finding_id]
    assert len(found) == 1
    return found[0]


def _mx(count: int) -> list[str | tuple[int, str] | TxtRecord | MxRecord]:
    return [(n, f"m{n}.example") for n in range(count)]


LONG = " ".join(f"ip4:198.51.100.{n}" for n in range(100, 130))
B = "v=spf1 include:b.example -all"

# id, a zone that raises it, a zone that nearly does
CASES: list[tuple[str, Mapping[str, Answer], Mapping[str, Answer]]] = [
    ("dns-failed", {"example.com TXT": FAILS}, {"example.com TXT": LookupStatus.NXDOMAIN}),
    ("dns-failed", _record(B, {"b.example TXT": LookupStatus.TIMEOUT}), _record(B, {"b.example TXT": "v=spf1 -all"})),
    ("dns-failed", _record("v=spf1 a:b.example -all", {"b.example AAAA": FAILS}), _record("v=spf1 a:b.example -all")),
    ("misspelt-record", {"example.com TXT": "v=spf10 mx -all"}, {"example.com TXT": "v=spf1x-site-verification=all"}),
    ("misspelt-record", {"example.com TXT": "spf1 mx -all"}, {"example.com TXT": "our spf1 is -all"}),
    ("misspelt-record", {"example.com TXT": " v=spf1 mx -all"}, {"example.com TXT": "v=spf1 mx -all"}),
    ("misspelt-record", {"example.com TXT": '"v=spf1 mx -all"'}, {"example.com TXT": '"v=STSv1; id=1"'}),
    ("missing", {"example.com TXT": "hello"}, {"example.com TXT": "v=spf1 -all"}),
    ("missing", {}, {"example.com TXT": FAILS}),
    ("wrong-name", {"_spf.example.com TXT": "v=spf1 -all"}, _record("v=spf1 -all", {"_spf.example.com TXT": "v=spf1"})),
    (
        "multiple-records",
        {"example.com TXT": ["v=spf1 mx -all", "V=SPF1 a ~all"]},
        {"example.com TXT": ["v=spf1 -all", "v=spf10 -all"]},
    ),
    ("sender-id-record", {"example.com TXT": ["spf2.0/pra -all", "v=spf1 -all"]}, {"example.com TXT": ["v=spf1 -all"]}),
    ("syntax-error", _record("v=spf1 ip:192.0.2.1 -all"), _record("v=spf1 ip4:192.0.2.1 -all")),
    ("syntax-error", _record(B, {"b.example TXT": "v=spf1 moo"}), _record(B, {"b.example TXT": "v=spf1 moo=cow"})),
    ("unintended-term", _record("v=spf1 include=b.example -all"), _record("v=spf1 rp=100 -all")),
    ("unknown-modifier", _record("v=spf1 moo=cow -all"), _record("v=spf1 exp=why.example.com -all")),
    ("too-many-lookups", _record("v=spf1 " + "a " * 11 + "-all"), _record("v=spf1 " + "a " * 10 + "-all")),
    ("near-lookup-limit", _record("v=spf1 " + "a " * 9 + "-all"), _record("v=spf1 " + "a " * 8 + "-all")),
    ("near-lookup-limit", _record("v=spf1 " + "a " * 10 + "-all"), _record("v=spf1 " + "a " * 11 + "-all")),
    (
        "too-many-void-lookups",
        _record("v=spf1 a:x.example a:y.example a:z.example -all"),
        _record("v=spf1 a:x.example a:y.example a -all"),
    ),
    ("void-lookup", _record("v=spf1 mx -all"), _record("v=spf1 mx -all", {"example.com MX": (1, "m.example")})),
    ("void-lookup", _record("v=spf1 exists:x.example -all"), _record("v=spf1 exists:%{i}.example -all")),
    (
        "void-lookups-one-family",
        _record("v=spf1 a:x.example a:x.example a:x.example -all", {"x.example A": "192.0.2.1"}),
        _record("v=spf1 a:x.example a:x.example -all", {"x.example A": "192.0.2.1"}),
    ),
    (
        "too-many-mx-hosts",
        _record("v=spf1 mx -all", {"example.com MX": _mx(11)}),
        _record("v=spf1 mx -all", {"example.com MX": _mx(10)}),
    ),
    ("dangling-include", _record(B), _record(B, {"b.example TXT": FAILS})),
    ("dangling-include", _record("v=spf1 redirect=b.example"), _record("v=spf1 redirect=b.example -all")),
    (
        "include-loop",
        _record(B, {"b.example TXT": "v=spf1 include:example.com"}),
        _record(B, {"b.example TXT": "v=spf1 -all include:example.com"}),
    ),
    (
        "duplicate-include",
        _record("v=spf1 include:b.example include:B.example. -all", {"b.example TXT": "v=spf1 -all"}),
        _record("v=spf1 include:b.example -all include:b.example", {"b.example TXT": "v=spf1 -all"}),
    ),
    ("duplicate-term", _record("v=spf1 ip4:192.0.2.1 +IP4:192.0.2.1 -all"), _record("v=spf1 a ~a -all")),
    ("allows-everyone", _record("v=spf1 +all"), _record("v=spf1 ?all")),
    ("allows-everyone", _record("v=spf1 ip4:0.0.0.0/0 -all"), _record("v=spf1 -ip4:0.0.0.0/0 ~all")),
    ("allows-everyone", _record("v=spf1 a/0 -all"), _record("v=spf1 a/24 -all")),
    ("allows-everyone", _record(B, {"b.example TXT": "v=spf1 all"}), _record(B, {"b.example TXT": "v=spf1 -all all"})),
    ("huge-range", _record("v=spf1 ip4:12.0.0.0/8 -all"), _record("v=spf1 ip4:12.0.0.0/9 -all")),
    ("huge-range", _record("v=spf1 ip4:12.0.0.0/9 ip4:13.0.0.0/9 -all"), _record("v=spf1 ip4:10.0.0.0/8 -all")),
    ("huge-range", _record("v=spf1 ip6:2600::/12 -all"), _record("v=spf1 ip6:2600::/24 -all")),
    ("neutral-all", _record("v=spf1 a ?all"), _record("v=spf1 a ~all")),
    ("neutral-all", _record("v=spf1 redirect=b.example", {"b.example TXT": "v=spf1 ?all"}), _record(B)),
    ("no-all", _record("v=spf1 a"), _record("v=spf1 redirect=b.example", {"b.example TXT": "v=spf1 -all"})),
    ("no-all", _record("v=spf1"), _record("v=spf1 a -all.")),  # there the syntax error says it
    ("no-sender", _record("v=spf1 -all"), _record("v=spf1 ~all")),
    ("terms-after-all", _record("v=spf1 -all a"), _record("v=spf1 a -all exp=why.example.com")),
    ("redirect-ignored", _record("v=spf1 redirect=b.example -all"), _record("v=spf1 redirect=b.example")),
    ("ptr", _record("v=spf1 ptr -all"), _record("v=spf1 -all ptr")),
    ("p-macro", _record("v=spf1 exists:%{p}.example -all"), _record("v=spf1 exists:%{i}.p.example -all")),
    ("local-part-macro", _record("v=spf1 exists:%{l}.example -all"), _record("v=spf1 exists:%{o}.example -all")),
    ("record-too-long", _record(f"v=spf1 {LONG} -all"), _record(f"v=spf1 {LONG[: 18 * 24]} -all")),
    (
        "answer-too-large",
        {"example.com TXT": ["v=spf1 -all", "x" * 240, "y" * 240]},
        {"example.com TXT": ["v=spf1 -all", "x" * 240]},
    ),
    ("host-bits", _record("v=spf1 ip4:192.0.2.7/24 -all"), _record("v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 -all")),
    ("private-address", _record("v=spf1 ip4:10.1.2.3 -all"), _record("v=spf1 ip4:11.1.2.3 -all")),
    ("odd-case", _record("v=spf1 A -ALL"), _record("v=spf1 include:B.EXAMPLE -all")),
    ("idle-include", _record("v=spf1 include:servers.mcsv.net -all"), _record("v=spf1 include:mcsv.net -all")),
    ("copied-include", _record("v=spf1 include:_netblocks3.google.com"), _record("v=spf1 include:_spf.google.com")),
]  # fmt: skip

CLIENT_CASES: list[tuple[str, Mapping[str, Answer], Mapping[str, Answer]]] = [
    ("client-not-authorized", _record("v=spf1 -all"), _record("v=spf1 ~all")),
    ("client-softfail", _record("v=spf1 ~all"), _record("v=spf1 -all")),
    ("client-neutral", _record("v=spf1 ip4:192.0.2.2"), _record("v=spf1 ip4:192.0.2.1")),
    ("client-without-record", {}, _record("v=spf1")),
    ("client-permerror", _record("v=spf1 moo"), {"example.com TXT": FAILS}),
    ("client-temperror", {"example.com TXT": FAILS}, {}),
    ("client-authorized", _record("v=spf1 ip4:192.0.2.1 -all"), _record("v=spf1 ip4:192.0.2.2 -all")),
]


@pytest.mark.parametrize(("slug", "raises", "_nearly"), CASES)
def test_it_is_raised(slug: str, raises: Mapping[str, Answer], _nearly: Mapping[str, Answer]) -> None:
    assert f"spf.{slug}" in {finding.id for finding in _findings(raises)}


@pytest.mark.parametrize(("slug", "_raises", "nearly"), CASES)
def test_it_is_not_raised(slug: str, _raises: Mapping[str, Answer], nearly: Mapping[str, Answer]) -> None:
    assert f"spf.{slug}" not in {finding.id for finding in _findings(nearly)}


@pytest.mark.parametrize(("slug", "raises", "nearly"), CLIENT_CASES)
def test_results_for_a_client(slug: str, raises: Mapping[str, Answer], nearly: Mapping[str, Answer]) -> None:
    assert f"spf.{slug}" in {finding.id for finding in _findings(raises, [CLIENT])}
    assert f"spf.{slug}" not in {finding.id for finding in _findings(nearly, [CLIENT])}


def test_every_id_has_a_case() -> None:
    assert {entry.id for entry in ENTRIES} == {f"spf.{slug}" for slug, _, _ in (*CASES, *CLIENT_CASES)}


def test_every_entry_says_why_what_to_do_and_where_it_is_written() -> None:
    for entry in ENTRIES:
        assert entry.title
        assert entry.why.endswith(".")
        assert entry.fix.endswith(".")
        assert entry.sources


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 a ~all",
        "v=spf1 include:b.example ip6:2001:db8::/32 ~all",
        "v=spf1 redirect=b.example",
    ],
)
def test_a_good_record_is_silent(record: str) -> None:
    zone = _record(record, {"b.example TXT": "v=spf1 ip4:192.0.2.1 -all"})

    assert () == _findings(zone, [])


# -- the fixes ----------------------------------------------------------------------


def test_the_dead_weight_goes_first() -> None:
    zone = _record(
        "v=spf1 include:_spf.google.com include:servers.mcsv.net include:crm.example ~all",
        {
            "_spf.google.com TXT": "v=spf1 a:g.example a:g.example a:g.example ~all",
            "servers.mcsv.net TXT": "v=spf1 " + "a:g.example " * 4 + "?all",
            "crm.example TXT": "v=spf1 a:g.example ?all",
            "g.example A": "192.0.2.1",
            "g.example AAAA": "2001:db8::1",
        },
    )

    finding = _one(zone, "spf.too-many-lookups")

    assert "example.com needs 11 of 10 lookups: receivers answer permerror" == finding.message
    assert "That leaves 6 of 10:" in finding.fix
    assert ("v=spf1 include:_spf.google.com include:crm.example ~all",) == finding.paste
    assert {"lookups": 11, "limit": 10} == dict(finding.facts)


def test_without_dead_weight_the_most_expensive_sender_is_named() -> None:
    zone = _record(
        "v=spf1 include:b.example include:c.example ~all",
        {
            "b.example TXT": "v=spf1 " + "a:g.example " * 6,
            "c.example TXT": "v=spf1 " + "a:g.example " * 4,
            "g.example *": "192.0.2.1",
        },
    )

    finding = _one(zone, "spf.too-many-lookups")

    assert "include:b.example (7)" in finding.fix
    assert ("v=spf1 include:c.example ~all",) == finding.paste


def test_addresses_cost_no_lookup() -> None:
    """Before a sender has to move, `a` terms of one's own are written as the addresses they stand for."""
    hosts: dict[str, Answer] = {f"h{n}.example A": ["192.0.2.1", "192.0.2.2"] for n in range(11)}
    zone = _record("v=spf1 ?a:h0.example/28 " + " ".join(f"a:h{n}.example" for n in range(1, 11)) + " -all", hosts)

    finding = _one(zone, "spf.too-many-lookups")

    assert "Write a:h0.example/28" not in finding.fix
    assert "Write ?a:h0.example/28 as addresses" in finding.fix
    assert finding.paste[0].startswith("v=spf1 ?ip4:192.0.2.1/28 ?ip4:192.0.2.2/28 a:h1.example ")


def test_no_record_is_pasted_that_authorizes_nobody() -> None:
    zone = _record(
        "v=spf1 include:b.example -all", {"b.example TXT": "v=spf1 " + "a:g.example " * 11, "g.example *": "192.0.2.1"}
    )

    assert () == _one(zone, "spf.too-many-lookups").paste


def test_the_record_behind_ones_own_redirect_is_the_one_to_edit() -> None:
    zone = _record(
        "v=spf1 redirect=_spf.example.com",
        {
            "_spf.example.com TXT": "v=spf1 " + "a:g.example " * 9 + "include:servers.mcsv.net -all",
            "g.example *": "192.0.2.1",
        }
        | {"servers.mcsv.net TXT": "v=spf1 -all"},
    )

    finding = _one(zone, "spf.too-many-lookups", [CLIENT])

    assert finding.fix.startswith("In the record of _spf.example.com: Remove include:servers.mcsv.net (Mailchimp uses")
    assert ("v=spf1" + " a:g.example" * 9 + " -all",) == finding.paste


def test_several_records_become_one() -> None:
    finding = _one(
        {"example.com TXT": ["v=spf1 include:b.example ~all", "v=spf1 ip4:192.0.2.1 -all"]}, "spf.multiple-records"
    )

    assert ("v=spf1 include:b.example ip4:192.0.2.1 -all",) == finding.paste


def test_a_syntax_error_has_a_place_a_guess_and_the_whole_corrected_record() -> None:
    finding = _one(_record("v=spf1 ip:192.0.2.1 include=b.example -all"), "spf.syntax-error")

    assert finding.message.startswith(
        '"ip:192.0.2.1" at character 8 in the record of example.com: expected a mechanism'
    )
    assert 'Probably meant: "ip4:192.0.2.1".' == finding.fix
    assert ("v=spf1 ip4:192.0.2.1 include:b.example -all",) == finding.paste
    assert (7, "ip:192.0.2.1", "ip4:192.0.2.1") == tuple(finding.facts[key] for key in ("offset", "token", "guess"))


def test_somebody_elses_error_is_theirs_to_correct() -> None:
    finding = _one(_record(B, {"b.example TXT": "v=spf1 ip:192.0.2.1 -all"}), "spf.syntax-error")

    assert "The record belongs to b.example" in finding.fix
    assert () == finding.paste


@pytest.mark.parametrize(
    ("strings", "said"),
    [
        ((b"v=spf1 a:x.examp", b"le ip:192.0.2", b".1 -all"), "two strings of the record meet inside it"),
        ((b"v=spf1 ip4:192.0", b" .2.1 -all"), "the space before it stands where two strings of the record meet"),
        ((b"v=spf1 ip:192.0.2.1", b" -all"), ""),
    ],
)
def test_a_cut_inside_a_word_is_named(strings: tuple[bytes, ...], said: str) -> None:
    findings = [one for one in _findings({"example.com TXT": TxtRecord(strings)}) if one.id == "spf.syntax-error"]

    assert any(said in finding.message for finding in findings)
    assert said or not any("strings" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("text", "paste"),
    [
        ("v=spf10 mx -all", "v=spf1 mx -all"),
        ("spf1 mx -all", "v=spf1 mx -all"),
        ('"v=spf1 mx -all"', "v=spf1 mx -all"),
        ("v=spf1;mx;-all", "v=spf1 mx -all"),
        ("v = spf1 ip:192.0.2.1 all", "v=spf1 ip4:192.0.2.1 ~all"),
    ],
)
def test_a_misspelt_record_is_spelt(text: str, paste: str) -> None:
    assert (paste,) == _one({"example.com TXT": text}, "spf.misspelt-record").paste


def test_the_refused_address_goes_before_all() -> None:
    finding = _one(_record("v=spf1 a -all"), "spf.client-not-authorized", [CLIENT])

    assert "192.0.2.1 sending as postmaster@example.com: fail (example.com: -all)" == finding.message
    assert ("v=spf1 a ip4:192.0.2.1 -all",) == finding.paste


def test_another_senders_domain_gets_no_record_of_ours() -> None:
    zone = _record("v=spf1 a -all", {"other.example TXT": "v=spf1 -all"})

    assert () == _one(zone, "spf.client-not-authorized", [SpfClient("192.0.2.1", "bounce@other.example")]).paste


def test_a_providers_record_behind_redirect_is_not_edited() -> None:
    zone = _record("v=spf1 redirect=b.example", {"b.example TXT": "v=spf1 -all"})

    assert ("v=spf1 ip4:192.0.2.1 redirect=b.example",) == _one(zone, "spf.client-not-authorized", [CLIENT]).paste


def test_no_pasted_record_authorizes_everyone() -> None:
    zone = _record("v=spf1 a:x.example ip:192.0.2.1 +all mx redirect=b.example")

    pasted = [line for finding in _findings(zone, [CLIENT]) for line in finding.paste]

    assert pasted
    assert not any(token.lower() in ("all", "+all") for line in pasted for token in line.split())


def test_control_characters_of_a_record_do_not_reach_a_message() -> None:
    zone = _record(
        "v=spf1 \x1b[31mmoo include:\x1b[0m.example foo=%\x07 -all", {"b.example TXT": "v=spf1 \x1b]0;x\x07"}
    )

    for finding in _findings(zone, [CLIENT]):
        assert finding.message.isprintable()
        assert finding.fix.isprintable()


def test_a_failure_of_dns_is_unknown_and_never_missing() -> None:
    findings = _findings({"example.com TXT": LookupStatus.TIMEOUT}, [CLIENT])

    assert {"spf.dns-failed", "spf.client-temperror"} == {finding.id for finding in findings}
    assert {Level.UNKNOWN} == {finding.level for finding in findings}


@pytest.mark.parametrize(
    "term", ["moo", "ip:192.0.2.1", "include=b.example", "include:b.example", "a:x.example", "ptr", "x=y"]
)
def test_a_record_of_64_kilobytes_gives_a_readable_number_of_findings(term: str) -> None:
    text = "v=spf1 " + f"{term} " * (65000 // (len(term) + 1))

    findings = _findings({"example.com TXT": text, "b.example TXT": text})

    assert 0 < len(findings) <= 60
    assert all(len(finding.message) < 4000 for finding in findings)
