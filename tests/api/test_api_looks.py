"""Further looks as the library takes them: real connections on loopback, DNS from a dict."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.hostile import TLS, C, HostileServer, Read, Step, hostile_server
from support.pki import server_context
from support.sessions import exchange, handshake
from support.sessions import session as transcript
from support.shelf import HOST
from support.zone import Zone, run_now

from smtpdoc import aio
from smtpdoc.api import looks, sessions
from smtpdoc.api.looks import Looks, Names, with_policy
from smtpdoc.api.slots import PER_HOST, Slots
from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Stage, Transcript
from smtpdoc.evidence.transport import MtaStsEvidence, PolicyFile
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.grammar.mta_sts import parse_sts_policy
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.https import HttpsPolicies
from smtpdoc.report import Report
from smtpdoc.target import Target

EHLO = b"250-mx.lab.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
EHLO_TLS = b"250-mx.lab.example\r\n250-AUTH PLAIN LOGIN\r\n250 PIPELINING\r\n"
READY = b"220 2.0.0 Ready to start TLS\r\n"
BYE = b"221 2.0.0 Bye\r\n"
SESSION: tuple[Step, ...] = (b"220 mx.lab.example ESMTP\r\n", C, EHLO, C, READY, TLS, C, EHLO_TLS, C, BYE)


def probe(
    shelf: Path, script: Sequence[Step] = SESSION, certificate: str = "ec", **wanted: Any
) -> tuple[Report, HostileServer]:
    async def session() -> tuple[Report, HostileServer]:
        async with hostile_server(script, server_context(shelf, certificate)) as server:
            report = await aio.probe(
                Target(HOST, server.port),
                resolve={HOST: ("127.0.0.1",)},
                helo="probe.example",
                ca_file=str(shelf / "ca.pem"),
                timeout_s=10,
                **wanted,
            )
            return report, server

    return asyncio.run(session())


def seen(report: Report) -> Transcript:
    assert isinstance(report.evidence, ProbeEvidence)
    return report.evidence.sessions[0]


def ids(report: Report) -> list[str]:
    return [finding.id for finding in report.findings]


def test_without_options_there_is_one_connection(shelf: Path) -> None:
    report, server = probe(shelf)

    assert 1 == server.sessions
    assert ((), None, None, None, None) == (
        seen(report).tls_versions,
        seen(report).starttls_injection,
        seen(report).enforcement,
        seen(report).identity,
        seen(report).dane,
    )


def test_a_server_that_executes_what_came_before_tls_is_found_out(shelf: Path) -> None:
    """The script's reader keeps what came with STARTTLS, and reads it as the first command under TLS."""
    report, server = probe(shelf, starttls_injection=True)
    look = seen(report).starttls_injection

    assert look is not None
    assert "executed" == look.verdict
    assert "tls.command-injection" in ids(report)
    assert 2 == server.sessions


def test_each_version_costs_one_connection_and_no_login_is_sent(shelf: Path) -> None:
    report, server = probe(shelf, tls_versions=True)
    works = {one.version: one.works for one in seen(report).tls_versions}

    assert ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] == list(works)
    assert works["TLSv1.2"] is works["TLSv1.3"] is True
    assert 4 == server.sessions
    assert {"EHLO probe.example", "STARTTLS", "QUIT"} == set(server.commands)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("starttls_injection", "no injection was tried: TLS comes first on this port"),
        ("check_enforcement", "nothing was asked in clear: TLS comes first on this port"),
        ("dane", "TLSA records belong to host names: none was looked up for an address"),
    ],
)
def test_what_cannot_be_looked_at_says_why(option: str, words: str, shelf: Path) -> None:
    script = (TLS, b"220 mx.lab.example ESMTP\r\n", C, b"250 mx.lab.example\r\n", C, b"221 bye\r\n")

    async def session() -> Report:
        async with hostile_server(script, server_context(shelf, "ec")) as server:
            wanted: dict[str, Any] = {option: True}
            return await aio.probe(f"127.0.0.1:{server.port}", tls="implicit", timeout_s=3, **wanted)

    report = asyncio.run(session())

    assert words in [line.text for line in seen(report).lines]


def test_versions_of_a_server_without_tls_are_not_tried() -> None:
    script = (b"220 mx.lab.example ESMTP\r\n", C, b"250 mx.lab.example\r\n", C, b"221 bye\r\n")

    async def session() -> tuple[Report, int]:
        async with hostile_server(script) as server:
            report = await aio.probe(f"127.0.0.1:{server.port}", tls="optional", timeout_s=3, tls_versions=True)
            return report, server.sessions

    report, sessions = asyncio.run(session())

    assert "no TLS is offered, so no version of it was tried" in [line.text for line in seen(report).lines]
    assert sessions == 1


def test_records_for_key_and_authority_are_held_against_the_served_chain(shelf: Path) -> None:
    leaf, intermediate = x509.load_pem_x509_certificates((shelf / "ec.chain.pem").read_bytes())
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    records = [
        TlsaRecord(3, 1, 1, sha256(key).digest()),
        TlsaRecord(2, 0, 1, sha256(intermediate.public_bytes(Encoding.DER)).digest()),
        TlsaRecord(3, 1, 1, bytes(32)),
    ]

    async def session() -> Report:
        async with hostile_server(SESSION, server_context(shelf, "ec")) as server:
            zone = Zone({f"{HOST} A": "127.0.0.1", f"_{server.port}._tcp.{HOST} TLSA": records})
            return await aio.probe(
                Target(HOST, server.port), resolver=zone, ca_file=str(shelf / "ca.pem"), timeout_s=10, dane=True
            )

    report = asyncio.run(session())
    dane = seen(report).dane

    assert dane is not None
    assert ("match", False) == (dane.status, dane.secure)
    assert [(0, ""), (1, ""), (None, "")] == [(match.position, match.problem) for match in dane.matches]
    assert {"dane.match", "dane.one-record-stale", "dane.not-authenticated"} <= set(ids(report))
    tls = seen(report).tls
    assert tls is not None
    assert tls.dane == dane.facts()


def test_names_of_both_sides_are_told_when_asked_for(shelf: Path) -> None:
    zone = Zone({f"{HOST} A": "127.0.0.1", "1.0.0.127.in-addr.arpa PTR": HOST, "probe.example A": "203.0.113.7"})
    report, _ = probe(shelf, identity=True, resolver=zone)
    who = seen(report).identity

    assert who is not None
    assert who.server is not None
    assert ((HOST,), True) == (who.server.ptr, who.server.forward_confirmed)
    assert (HOST, HOST) == (who.greeting_name, who.ehlo_name)
    assert [("203.0.113.7",), ()] == [lookup.names for lookup in who.helo_lookups]


class Silent:
    """A resolver that never answers."""

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def test_names_that_nobody_asked_for_delay_the_end_by_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "DNS_PATIENCE_S", 0.1)
    talk = transcript(exchange(Stage.GREETING, "220 mx.example.net ESMTP"), port=25)

    async def session() -> Transcript:
        beside = Looks(ProbeOptions(), TcpDialer(), Names(Silent(), 5.0), lambda _: None, None)
        beside.exchange(talk.exchanges[0], lambda: talk)
        await beside.after(talk)
        return beside.complete(talk)

    began = time.monotonic()
    who = asyncio.run(session()).identity

    assert time.monotonic() - began < 1.0
    assert who is not None
    assert (True, "mx.example.net") == (who.timed_out, who.greeting_name)


@pytest.mark.parametrize(
    ("port", "address", "wanted", "asked"),
    [
        (25, "192.0.2.25", None, True),
        (587, "192.0.2.25", None, False),
        (587, "192.0.2.25", True, True),
        (25, "192.0.2.25", False, False),
        (25, "127.0.0.1", None, False),
        (25, "127.0.0.1", True, True),
    ],
)
def test_reverse_dns_is_asked_for_mail_hosts_and_where_it_is_wanted(
    port: int, address: str, wanted: bool | None, asked: bool
) -> None:
    zone = Zone({})
    talk = transcript(exchange(Stage.GREETING, "220 mx.example.net"), port=port, address=address)

    async def session() -> None:
        beside = Looks(ProbeOptions(identity=wanted), TcpDialer(), Names(zone, 5.0), lambda _: None, None)
        beside.exchange(talk.exchanges[0], lambda: talk)
        await beside.after(talk)

    asyncio.run(session())

    assert asked is bool(zone.asked)


def test_a_policy_is_held_against_every_session() -> None:
    text = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.net\n"
    policy = MtaStsEvidence(
        TopicStatus.FOUND,
        "example.net",
        Lookup("_mta-sts.example.net", "TXT", LookupStatus.FOUND),
        (),
        file=PolicyFile("https://mta-sts.example.net/.well-known/mta-sts.txt", parse_sts_policy(text)),
    )
    sessions = (transcript(tls=handshake()), transcript(host="other.example.net", tls=handshake()))
    found = with_policy(ProbeEvidence(sessions), policy)

    assert [True, False] == [one.mta_sts.delivers for one in found.sessions if one.mta_sts is not None]
    assert [True, False] == [one.tls.mta_sts["delivers"] for one in found.sessions if one.tls and one.tls.mta_sts]


@pytest.mark.parametrize(
    ("mode", "listed", "certificate", "expected"),
    [
        ("enforce", "mx.lab.example", "ec", [("mta-sts.host-passes", "pass")]),
        ("enforce", "*.lab.example", "ec", [("mta-sts.host-passes", "pass")]),
        ("enforce", "other.lab.example", "ec", [("mta-sts.host-fails", "error")]),
        ("enforce", "mx.lab.example", "expired", [("mta-sts.host-fails", "error")]),
        ("testing", "mx.lab.example", "self-signed", [("mta-sts.host-fails", "warning")]),
        ("testing", "mx.lab.example", "wrong-name", [("mta-sts.host-fails", "warning")]),
    ],
)
def test_would_senders_that_follow_the_policy_deliver(
    shelf: Path, mode: str, listed: str, certificate: str, expected: list[tuple[str, str]]
) -> None:
    """The policy comes over HTTPS, from mta-sts.lab.example with the wildcard certificate."""
    policy = f"version: STSv1\r\nmode: {mode}\r\nmx: {listed}\r\nmax_age: 604800\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(policy)}\r\n\r\n"
    zone = Zone(
        {
            "lab.example MX": (10, HOST),
            f"{HOST} A": "127.0.0.1",
            "_mta-sts.lab.example TXT": "v=STSv1; id=1",
            "mta-sts.lab.example A": "127.0.0.1",
        }
    )

    async def session() -> Report:
        https: tuple[Step, ...] = (TLS, Read(7), (head + policy).encode())
        async with (
            hostile_server(https, server_context(shelf, "wildcard")) as web,
            hostile_server(SESSION, server_context(shelf, certificate)) as mail,
        ):
            policies = HttpsPolicies(zone, port=web.port, ca_file=str(shelf / "ca.pem"))
            return await aio.probe(
                Target("lab.example", mail.port),
                mx=True,
                mta_sts=True,
                policies=policies,
                resolver=zone,
                ca_file=str(shelf / "ca.pem"),
                timeout_s=10,
            )

    report = asyncio.run(session())

    assert expected == [(one.id, one.level.value) for one in report.findings if one.topic == "mta-sts"]


def test_addresses_of_one_host_are_set_beside_each_other(shelf: Path) -> None:
    async def session() -> Report:
        async with hostile_server(SESSION, server_context(shelf, "ec")) as one:
            plain: tuple[Step, ...] = (b"220 mx.lab.example ESMTP\r\n", C, b"250 mx.lab.example\r\n", C, BYE)
            async with hostile_server(plain, address="127.0.0.2", port=one.port):
                return await aio.probe(
                    Target(HOST, one.port),
                    all_addresses=True,
                    resolve={HOST: ("127.0.0.1", "127.0.0.2")},
                    ca_file=str(shelf / "ca.pem"),
                    tls="optional",
                    timeout_s=10,
                )

    report = asyncio.run(session())
    told = {finding.facts["what"]: finding for finding in report.findings if finding.id == "smtp.hosts-differ"}

    assert {"tls", "auth", "extensions"} <= set(told)
    assert "TLS: TLS 1.3 at 127.0.0.1; not offered at 127.0.0.2" == told["tls"].message


def test_no_more_than_two_sessions_at_once_with_one_server(shelf: Path) -> None:
    slots = Slots(3)
    now: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0, "all": 0}

    async def one(host: str) -> None:
        async with slots.one(host):
            now[host] += 1
            most[host] = max(most[host], now[host])
            most["all"] = max(most["all"], sum(now.values()))
            await asyncio.sleep(0.01)
            now[host] -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one(host) for host in "aaaaabbbbb"))

    asyncio.run(all_of_them())

    assert {"a": PER_HOST, "b": PER_HOST, "all": 3} == most


def test_names_of_one_server_share_its_turns(shelf: Path) -> None:
    asked: list[str] = []

    class Asked(Slots):
        def one(self, host: str) -> Any:
            asked.append(host)
            return super().one(host)

    async def session() -> None:
        async with hostile_server(SESSION, server_context(shelf, "ec")) as server:
            names = {f"{name}.example": ("127.0.0.1",) for name in "abc"}
            for host in names:
                await aio.probe(Target(host, server.port), resolve=names, slots=Asked(3), timeout_s=5)

    asyncio.run(session())

    assert ["127.0.0.1"] * 3 == asked


def test_names_open_no_resolver_that_nobody_asks() -> None:
    names = Names(None, 5.0)

    run_now(names.close())


def test_ctrl_c_during_a_look_keeps_the_session(shelf: Path) -> None:
    kept: list[Report] = []

    async def session() -> None:
        async with hostile_server(SESSION, server_context(shelf, "ec")) as server:
            task = asyncio.create_task(
                aio.probe(
                    Target(HOST, server.port),
                    resolver=Silent(),
                    resolve={HOST: ("127.0.0.1",)},
                    ca_file=str(shelf / "ca.pem"),
                    timeout_s=10,
                    identity=True,
                    interrupted=kept.append,
                )
            )
            await asyncio.sleep(0.7)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(session())

    assert [130] == [report.exit_code for report in kept]
    assert Stage.QUIT in {one.stage for one in seen(kept[0]).exchanges}


def test_a_server_without_forward_secrecy_is_talked_to_and_told(shelf: Path) -> None:
    """Python's own choice of ciphers would have called it broken."""

    async def session() -> Report:
        context = server_context(shelf, "good")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AES128-GCM-SHA256")
        async with hostile_server(SESSION, context) as server:
            return await aio.probe(
                Target(HOST, server.port),
                resolve={HOST: ("127.0.0.1",)},
                ca_file=str(shelf / "ca.pem"),
                timeout_s=10,
            )

    report = asyncio.run(session())

    assert "ok" == seen(report).outcome
    assert ["tls.weak-cipher"] == [one.id for one in report.findings if one.topic == "tls"]


def test_whoever_runs_the_dns_does_not_decide_how_many_sessions_there_are(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    addresses = tuple(f"127.0.0.{last}" for last in range(1, 7))

    async def session() -> Report:
        async with hostile_server(SESSION, server_context(shelf, "ec")) as server:
            return await aio.probe(
                Target(HOST, server.port), resolve={HOST: addresses}, all_addresses=True, timeout_s=10
            )

    report = asyncio.run(session())

    assert isinstance(report.evidence, ProbeEvidence)
    assert (2, 4) == (len(report.evidence.sessions), report.evidence.left_out)
    assert "smtp.sessions-left-out" in ids(report)
