"""Finding addresses and connecting: system, resolver, overrides, families; and no name is looked up for too long."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from support.hostile import hostile_server
from support.scripted import Recorded
from support.zone import Zone

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.smtp import Failure, FailureKind
from smtpdoc.net import early
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.session import SmtpSession
from smtpdoc.seams import Budget


def addresses(
    dialer: TcpDialer, host: str, family: str | None = None, timeout_s: float = 5
) -> tuple[str, ...] | Failure:
    async def ask() -> tuple[str, ...] | Failure:
        now = dialer.now()
        return await dialer.addresses(host, family, Budget(now, now + timeout_s))

    return asyncio.run(ask())


ZONE = {
    "mx.example A": ["192.0.2.1", "192.0.2.2"],
    "mx.example AAAA": "2001:db8::1",
    "v4.example A": "192.0.2.4",
    "broken.example A": LookupStatus.SERVFAIL,
    "broken.example AAAA": LookupStatus.SERVFAIL,
    "slow.example A": LookupStatus.TIMEOUT,
    "slow.example AAAA": LookupStatus.TIMEOUT,
    "text.example TXT": "nothing",
}


@pytest.mark.parametrize(
    ("host", "family", "expected"),
    [
        ("mx.example", None, ("2001:db8::1", "192.0.2.1", "192.0.2.2")),
        ("mx.example", "ipv4", ("192.0.2.1", "192.0.2.2")),
        ("mx.example", "ipv6", ("2001:db8::1",)),
        ("v4.example", "ipv6", "no-family-address"),
        ("text.example", None, "no-address"),
        ("nothing.example", None, "nxdomain"),
        ("broken.example", None, "dns-servfail"),
        ("slow.example", None, "dns-timeout"),
    ],
)
def test_a_resolver_is_asked(host: str, family: str | None, expected: tuple[str, ...] | str) -> None:
    found = addresses(TcpDialer(Zone(ZONE)), host, family)

    assert (found.word if isinstance(found, Failure) else found) == expected
    if isinstance(found, Failure):
        assert found.kind is FailureKind.DNS
        assert host in found.detail


@pytest.mark.parametrize("host", ["192.0.2.9", "2001:db8::9", "fe80::1%lo"])
def test_an_address_is_not_looked_up(host: str) -> None:
    zone = Zone({})

    assert addresses(TcpDialer(zone), host) == (host,)
    assert zone.asked == []


def test_an_override_beats_dns_and_keeps_to_the_family() -> None:
    zone = Zone(ZONE)
    dialer = TcpDialer(zone, {"MX.example": ("198.51.100.1", "2001:db8::5")})

    assert addresses(dialer, "mx.example") == ("198.51.100.1", "2001:db8::5")
    assert addresses(dialer, "mx.example", "ipv6") == ("2001:db8::5",)
    assert zone.asked == []


def test_the_system_is_asked_without_a_resolver() -> None:
    found = addresses(TcpDialer(), "localhost", "ipv4")

    assert found == ("127.0.0.1",)


def test_a_name_that_the_system_does_not_know_is_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    found = addresses(TcpDialer(), "nothing.example")
    assert isinstance(found, Failure)
    assert found.word == "no-address"


def test_a_resolver_that_hangs_does_not_hold_us_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even at exit: the thread that waits is left behind."""

    def hang(*args: object, **kwargs: object) -> list[object]:
        time.sleep(1.5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()

    found = addresses(TcpDialer(), "slow.example", timeout_s=0.2)
    assert isinstance(found, Failure)
    assert found.word == "dns-timeout"
    assert time.monotonic() - began < 0.7


def dialled(address: str, port: int, **wanted: object) -> SmtpSession | Failure:
    async def connect() -> SmtpSession | Failure:
        dialer = TcpDialer()
        now = dialer.now()
        found = await dialer.dial(
            address,
            port,
            host="mx.example",
            tls=None,
            source_ip=str(wanted["source_ip"]) if "source_ip" in wanted else None,
            budget=Budget(now, now + 2),
            patience_s=None,
            watcher=Recorded(),
        )
        if isinstance(found, SmtpSession):
            found.close()
        return found

    return asyncio.run(connect())


def test_a_source_address_that_is_not_ours_is_named() -> None:
    found = dialled("127.0.0.1", 9, source_ip="192.0.2.77")

    assert isinstance(found, Failure)
    assert (found.kind, found.word) == (FailureKind.UNREACHABLE, "source-address")
    assert "192.0.2.77" in found.detail


def test_a_source_address_of_another_family_is_named() -> None:
    found = dialled("127.0.0.1", 9, source_ip="::1")

    assert isinstance(found, Failure)
    assert found.kind is FailureKind.UNREACHABLE


def test_the_source_address_is_used_and_becomes_the_literal_for_ehlo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "_own_name", lambda: "")

    async def connect() -> str:
        async with hostile_server(()) as server:
            dialer = TcpDialer()
            now = dialer.now()
            found = await dialer.dial(
                "127.0.0.1",
                server.port,
                host="mx.example",
                tls=None,
                source_ip="127.0.0.5",
                budget=Budget(now, now + 2),
                patience_s=None,
                watcher=Recorded(),
            )
            assert isinstance(found, SmtpSession)
            found.close()
            return found.helo_name

    assert asyncio.run(connect()) == "[127.0.0.5]"


@pytest.mark.parametrize(
    ("host_name", "own"),
    [
        ("mail.example.org", "mail.example.org"),
        ("Mail.Example.ORG.", "mail.example.org"),
        ("laptop", ""),
        ("localhost.localdomain", ""),
        ("laptop.local", ""),
        ("box.lan", ""),
        ("192.0.2.1", ""),
        ("bad_name!.example", ""),
    ],
)
def test_the_own_name_is_one_that_means_something(host_name: str, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host_name)

    with socket.create_server(("127.0.0.1", 0)) as anywhere:
        assert early.helo_name(anywhere) == (own or "[127.0.0.1]")


class Refusing(Zone):
    """A resolver that checks DNSSEC and refuses this zone's answers; unchecked, it has them."""

    over_network = False

    def unchecked(self) -> Zone:
        return Zone({"mx.example A": "192.0.2.25"})


def test_an_address_that_fails_dnssec_is_told_from_a_resolver_that_fails() -> None:
    async def ask(resolver: Zone) -> tuple[str, ...] | Failure:
        dialer = TcpDialer(resolver)
        return await dialer.addresses("mx.example", "ipv4", Budget(dialer.now(), dialer.now() + 2))

    words = [asyncio.run(ask(kind({"mx.example A": LookupStatus.SERVFAIL}))) for kind in (Refusing, Zone)]

    assert ["dns-bogus", "dns-servfail"] == [one.word for one in words if isinstance(one, Failure)]
