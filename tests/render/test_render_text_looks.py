"""Hosts beside each other, further looks and chains, on a page of 80 columns."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.scripted import reply
from support.sessions import HOST, INTERMEDIATE, NOW, certificate, exchange, handshake, session

from smtpdoc.evidence.auth import HostAddress
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.looks import (
    Dane,
    DaneStatus,
    Enforcement,
    Identity,
    StarttlsInjection,
    StsDelivery,
    TlsaMatch,
    VersionAnswer,
)
from smtpdoc.evidence.smtp import Failure, FailureKind, Stage, StageStatus, TlsFacts, Transcript
from smtpdoc.findings import Finding, Level
from smtpdoc.render.text import Page
from smtpdoc.render.text_certificates import render_chain, render_handshake
from smtpdoc.render.text_looks import render_looks
from smtpdoc.render.text_parity import render_parity
from smtpdoc.render.theme import ASCII


def printed(show: Callable[[Page], None], *, verbose: bool = False, **settings: object) -> list[str]:
    out = io.StringIO()
    show(Page(out, width=80, color="never", verbose=verbose, **settings))  # type: ignore[arg-type]  # marks
    return out.getvalue().splitlines()


ONE = session(
    exchange(Stage.GREETING, "220 mx1.example.net", elapsed_s=0.0214),
    host="mx1.example.net",
    capabilities_before_tls={"STARTTLS": ""},
    capabilities_after_tls={},
    tls=handshake(),
    elapsed_s=0.123,
)


def test_a_row_for_each_host_and_a_star_for_what_is_unlike_most() -> None:
    two = replace(ONE, host="mx2.example.net", address="192.0.2.26")
    refused = exchange(Stage.RCPT, "550 no")
    three = replace(
        ONE,
        host="mx3.example.net",
        exchanges=(*ONE.exchanges, refused),
        outcome=StageStatus.REFUSED,
        tls=handshake(version="TLSv1.2", trusted=False, expired=True),
    )

    assert [
        "                   TLS       certificate    greeting  total  outcome",
        "✔ mx1.example.net  TLS 1.3   trusted, 49 d     0.021  0.123  ok",
        "✔ mx2.example.net  TLS 1.3   trusted, 49 d     0.021  0.123  ok",
        "✖ mx3.example.net  TLS 1.2*  expired*          0.021  0.123  refused at RCPT*",
        "  * unlike most others",
    ] == printed(lambda page: render_parity(page, (ONE, two, three)))


def test_what_is_not_known_is_no_difference() -> None:
    failure = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "x", "connect-timeout")
    tried = replace(exchange(Stage.CONNECT, "220 x"), reply=None, failure=failure, status=StageStatus.FAILED)
    dead = session(tried, host="mx2.example.net", outcome=StageStatus.FAILED)
    rows = printed(lambda page: render_parity(page, (ONE, replace(ONE, host="mx3.example.net"), dead)))

    assert "? mx2.example.net  -        -                     -  0.000  failed at connect*" in rows


def test_mail_hosts_stand_with_their_preference() -> None:
    two = replace(ONE, host="mx2.example.net")

    rows = printed(lambda page: render_parity(page, (ONE, two), preferences={ONE.host: 5, two.host: 10}))

    assert ["✔  5 mx1.example.net", "✔ 10 mx2.example.net"] == [row[:20] for row in rows[1:3]]


def test_a_row_has_the_mark_of_what_was_found_about_its_host() -> None:
    two = replace(ONE, host="mx2.example.net")
    wrong, note = (
        Finding(f"tls.{level}", level, "", "", "", "", place)
        for level, place in ((Level.ERROR, two.port_name), (Level.INFO, ONE.port_name))
    )

    rows = printed(lambda page: render_parity(page, (ONE, two), (wrong, note)))

    assert "✔ mx1.example.net  TLS 1.3  trusted, 49 d     0.021  0.123  ok" == rows[1]
    assert "✖ mx2.example.net  TLS 1.3  trusted, 49 d     0.021  0.123  ok, with findings" == rows[2]


@pytest.mark.parametrize(
    ("tls", "marks"), [(handshake(), ["✔", "✔"]), (handshake(trusted=False, expired=True), ["✔", "▲"])]
)
def test_of_two_addresses_the_one_is_marked_whose_own_certificate_is_bad(tls: TlsFacts, marks: list[str]) -> None:
    two = replace(ONE, address="192.0.2.26", tls=tls)
    wrong = Finding("tls.weak-key", Level.ERROR, "", "", "", "", ONE.port_name)  # which of them?

    rows = printed(lambda page: render_parity(page, (ONE, two), (wrong,)))

    assert marks == [row[0] for row in rows[1:3]]


def test_of_two_it_is_the_one_that_failed_that_is_unlike() -> None:
    failure = Failure(FailureKind.REFUSED, Stage.CONNECT, "x", "refused")
    tried = replace(exchange(Stage.CONNECT, "220 x"), reply=None, failure=failure, status=StageStatus.FAILED)
    dead = session(tried, host="mx2.example.net", outcome=StageStatus.FAILED)

    rows = printed(lambda page: render_parity(page, (dead, ONE)))

    assert "? mx2.example.net  -        -                     -  0.000  failed at connect*" == rows[1]
    assert "✔ mx1.example.net  TLS 1.3  trusted, 49 d     0.021  0.123  ok" == rows[2]


def test_long_addresses_have_a_line_of_their_own_and_stay_whole() -> None:
    first = "2001:db8:1234:5678:9abc:def0:1234:5678"
    rows = printed(
        lambda page: render_parity(page, (replace(ONE, address=first), replace(ONE, address=first[:-1] + "9")))
    )

    assert f"✔ {first}" in rows
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({"tls": None, "capabilities_before_tls": {}, "capabilities_after_tls": None}, "none"),
        ({"tls": handshake(name_matches=False)}, "other name, 49 d"),
        ({"tls": handshake(self_signed=True, trusted=False)}, "self-signed"),
        ({"tls": handshake(version="TLSv1")}, "TLS 1.0"),
    ],
)
def test_what_a_cell_says(changes: dict[str, object], cell: str) -> None:
    assert cell in printed(lambda page: render_parity(page, (replace(ONE, **changes), ONE)))[1]  # type: ignore[arg-type]


def test_the_table_survives_a_terminal_without_marks() -> None:
    rows = printed(lambda page: render_parity(page, (ONE, replace(ONE, host="mx2.example.net"))), marks=ASCII)

    assert rows[1].startswith("+ mx1.example.net")


# Looks

FOUND = Lookup("x", "PTR", LookupStatus.FOUND)
RECORD = TlsaRecord(3, 1, 1, bytes(32))
LOOKED = session(
    tls=handshake(),
    helo="client.example",
    source_address="10.1.2.3",
    tls_versions=(
        VersionAnswer("TLSv1", True, "AES128-SHA"),
        VersionAnswer("TLSv1.1", False),
        VersionAnswer("TLSv1.2", None, detail="421 too many connections"),
        VersionAnswer("TLSv1.3", True, "TLS_AES_256_GCM_SHA384", group="x25519", group_bits=253),
    ),
    starttls_injection=StarttlsInjection("executed", "under TLS it answered the NOOP with 250 OK"),
    enforcement=Enforcement(reply("530 5.7.0 Must issue STARTTLS"), reply("334 VXNlcm5hbWU6"), "LOGIN"),
    dane=Dane(
        f"_25._tcp.{HOST}",
        "match",
        True,
        FOUND,
        (
            TlsaMatch(RECORD, usable=True, position=0),
            TlsaMatch(RECORD, usable=True, position=1),
            TlsaMatch(RECORD, usable=True),
        ),
    ),
    mta_sts=StsDelivery("example.net", "enforce", "*.example.net", (), True),
    identity=Identity(
        server=HostAddress("192.0.2.25", (HOST,), True, lookup=FOUND),
        greeting_name=HOST,
        ehlo_name="inner.example.net",
        ours=HostAddress("203.0.113.7", (), False, lookup=Lookup("x", "PTR", LookupStatus.NXDOMAIN)),
        seen_as="203.0.113.7",
        helo_lookups=(Lookup("client.example", "A", LookupStatus.FOUND, ("203.0.113.7",)),),
        wanted=True,
    ),
)


def signed(status: DaneStatus = "mismatch", **changes: Any) -> Dane:
    return Dane("_25._tcp.x", status, True, FOUND, (TlsaMatch(RECORD, usable=True),), **changes)


def test_every_look_has_its_lines() -> None:
    assert [
        "  versions    ▲ TLS 1.0  AES128-SHA",
        "              ✔ TLS 1.1  not accepted",
        "              ? TLS 1.2  421 too many connections",
        "              ✔ TLS 1.3  TLS_AES_256_GCM_SHA384, x25519",
        "  injection   ✖ vulnerable: under TLS it answered the NOOP with 250 OK",
        "  in clear    ✔ MAIL FROM: 530 5.7.0 Must issue STARTTLS",
        "              ✖ AUTH LOGIN: 334, taken up; we cancelled",
        "  DANE        _25._tcp.mx.example.net, authenticated",
        "              ✔ 3 1 1 0000000000000000…  fits the server's certificate",
        "              ✔ 3 1 1 0000000000000000…  fits certificate 1 of the chain",
        "              · 3 1 1 0000000000000000…  fits nothing that is served",
        "  MTA-STS     ✔ mode enforce; senders deliver here (mx *.example.net)",
        "  identity    server 192.0.2.25 is mx.example.net, confirmed",
        "              greets as mx.example.net; EHLO inner.example.net; certificate for",
        "              mx.example.net",
        "              we     203.0.113.7, no reverse name",
        "              our EHLO name client.example leads to 203.0.113.7",
    ] == printed(lambda page: render_looks(page, LOOKED))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"starttls_injection": StarttlsInjection("discarded", "gone")}, "✔ not vulnerable: gone"),
        ({"starttls_injection": StarttlsInjection("unknown", "454")}, "? not known: 454"),
        ({"starttls_injection": StarttlsInjection("answered-in-clear", "250")}, "▲ not under TLS: 250"),
        ({"enforcement": Enforcement(problem="no way")}, "? no way"),
        ({"enforcement": Enforcement(reply("250 OK"))}, "▲ MAIL FROM: 250 OK"),
        ({"enforcement": Enforcement(reply("250 OK")), "opportunistic": True}, "· MAIL FROM: 250 OK"),
        ({"dane": Dane("_25._tcp.x", "none", False, FOUND)}, "· no record at _25._tcp.x"),
        ({"dane": Dane("_25._tcp.x", "unknown", False, FOUND)}, "? DNS gave no answer for _25._tcp.x"),
        ({"dane": signed(over_network=True)}, "_25._tcp.x, authenticated by a resolver over the network"),
        ({"dane": signed(mx_secure=False)}, "_25._tcp.x, authenticated; the MX is not"),
        ({"dane": signed(status="no-tls")}, "✖ 3 1 1 0000000000000000…  no certificate to hold it against"),
        ({"dane": signed(bogus=(FOUND,))}, "✖ DNSSEC fails for x PTR"),
        ({"mta_sts": StsDelivery("example.net", None)}, "· no policy of example.net that senders can follow"),
        ({"mta_sts": StsDelivery("example.net", "none")}, "· the policy of example.net has mode none"),
        ({"mta_sts": StsDelivery("example.net", "testing")}, "? mode testing; without a session nobody can tell"),
        (
            {"mta_sts": StsDelivery("example.net", "enforce", None, ("name",), False)},
            "✖ mode enforce; this host breaks the policy",
        ),
        ({"identity": Identity(timed_out=True, wanted=True)}, "? DNS gave no answer in time"),
        (
            {"identity": Identity(wanted=True, seen_as="203.0.113.7"), "source_address": "10.1.2.3"},
            "we     10.1.2.3, seen by the server as 203.0.113.7",
        ),
    ],
)
def test_what_else_a_look_may_say(changes: dict[str, object], line: str) -> None:
    looked: Transcript = session(**changes)

    assert any(line in row for row in printed(lambda page: render_looks(page, looked)))


def test_names_that_nobody_asked_for_are_shown_when_everything_is() -> None:
    looked = session(identity=Identity(server=HostAddress("192.0.2.25", (HOST,), None, lookup=FOUND)))

    assert [] == printed(lambda page: render_looks(page, looked))
    assert ["  identity    server 192.0.2.25 is mx.example.net, not confirmed: no answer"] == printed(
        lambda page: render_looks(page, looked), verbose=True
    )


def test_what_servers_say_cannot_move_the_cursor() -> None:
    hostile = session(enforcement=Enforcement(reply("530 \x1b[2Jgone\x07")))

    assert not any("\x1b" in row or "\x07" in row for row in printed(lambda page: render_looks(page, hostile)))


# Chains


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"group": "X25519MLKEM768"},
            ["  TLS 1.3, TLS_AES_256_GCM_SHA384 (256 bits)", "  key exchange X25519MLKEM768"],
        ),
        (
            {"version": "TLSv1", "cipher": "DHE-RSA-AES128-SHA", "bits": 128, "group": "DHE", "group_bits": 1024},
            ["  TLS 1.0, DHE-RSA-AES128-SHA (128 bits)", "  key exchange DHE (1024 bits)"],
        ),
        (
            {"version": "TLSv1.2", "cipher": "AES128-SHA", "bits": 128, "group": "RSA"},
            ["  TLS 1.2, AES128-SHA (128 bits)", "  key exchange RSA, without forward secrecy"],
        ),
        ({"bits": 0}, ["  TLS 1.3, TLS_AES_256_GCM_SHA384"]),  # a replayed session may know no more
    ],
)
def test_what_was_agreed_on_stands_above_the_certificates(changes: dict[str, Any], lines: list[str]) -> None:
    assert ["TLS", *lines] == printed(lambda page: render_handshake(page, handshake(**changes)))


def test_a_chain_tells_whom_it_leads_to_and_which_record_fits_the_key() -> None:
    rows = printed(lambda page: render_chain(page, handshake(), NOW))

    assert "  0  CN=mx.example.net, issued by CN=intermediate" in rows
    assert any(row.startswith("     TLSA 3 1 1 ") for row in rows)
    assert any("50 days left" in row for row in rows)
    assert "     then CN=root, which is trusted here and need not be sent" in rows


def test_a_chain_that_ends_nowhere_says_so() -> None:
    expired = certificate(not_after=NOW - timedelta(days=3))
    rows = printed(lambda page: render_chain(page, handshake(expired, trusted=False), NOW))

    assert any(row.endswith(", expired") for row in rows)
    assert "     then CN=root, which was not sent and is not trusted here" in rows


def test_a_root_that_is_sent_is_one_too_many() -> None:
    root = replace(INTERMEDIATE, subject="CN=root")
    rows = printed(lambda page: render_chain(page, handshake(chain=(certificate(), root)), NOW))

    assert "     the last one is a root, which need not be sent" in rows
