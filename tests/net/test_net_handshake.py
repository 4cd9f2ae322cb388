"""Facts about a handshake, from OpenSSL as the server: group, prime, HelloRetryRequest, RSA key transport."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.hostile import TLS, C, hostile_server
from support.pki import DH_1024, write_shelf
from support.probing import gather_probe
from support.scripted import Recorded

from smtpdoc.evidence.smtp import TlsFacts, Transcript
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.tls import Channel, load_trust, session_context
from smtpdoc.seams import TlsPolicy
from smtpdoc.target import Target

HOST = "mx.lab.example"
Setting = Callable[[ssl.SSLContext, Path], None]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    write_shelf(directory, HOST, "127.0.0.1")
    (directory / "dh-1024.pem").write_text(DH_1024)
    return directory


def server_context(shelf: Path, setting: Setting) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shelf / "good.chain.pem", shelf / "good.key")
    setting(context, shelf)
    return context


def shaken(shelf: Path, setting: Setting, piece: int) -> TlsFacts:
    """Shake hands with a server that has this setting, its bytes coming in pieces of this size."""
    context = server_context(shelf, setting)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    policy = TlsPolicy(HOST, ca_file=str(shelf / "ca.pem"))
    channel = Channel(session_context(policy), HOST)
    channel.handshake()
    while not channel.established:
        to_server.write(channel.outgoing())
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
        data = to_client.read()
        for start in range(0, len(data), piece):
            if not channel.established:
                channel.handshake(data[start : start + piece])
    return channel.facts(load_trust(policy), policy)


def tls_1_2(context: ssl.SSLContext, ciphers: str, curve: str = "") -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    if curve:
        context.set_ecdh_curve(curve)


def usual(context: ssl.SSLContext, shelf: Path) -> None:
    pass


def other_curve(context: ssl.SSLContext, shelf: Path) -> None:
    context.set_ecdh_curve("secp384r1")


def old_curve(context: ssl.SSLContext, shelf: Path) -> None:
    tls_1_2(context, "ECDHE", "prime256v1")


def short_prime(context: ssl.SSLContext, shelf: Path) -> None:
    tls_1_2(context, "DHE:@SECLEVEL=0")
    context.load_dh_params(str(shelf / "dh-1024.pem"))


def key_transport(context: ssl.SSLContext, shelf: Path) -> None:
    tls_1_2(context, "kRSA")


@pytest.mark.parametrize("piece", [1, 100, 1 << 16])
@pytest.mark.parametrize(
    ("setting", "version", "group", "bits", "retry"),
    [
        (other_curve, "TLSv1.3", "secp384r1", 384, True),
        (old_curve, "TLSv1.2", "secp256r1", 256, False),
        (short_prime, "TLSv1.2", "DHE", 1024, False),
        (key_transport, "TLSv1.2", "RSA", None, False),
    ],
)
def test_the_key_exchange_is_known(
    shelf: Path, setting: Setting, version: str, group: str, bits: int | None, retry: bool, piece: int
) -> None:
    facts = shaken(shelf, setting, piece)

    assert (facts.version, facts.group, facts.group_bits, facts.hello_retry) == (version, group, bits, retry)
    assert (facts.trusted, facts.name_matches) == (True, True)


def test_the_usual_server_takes_what_the_client_expects(shelf: Path) -> None:
    """Which group that is depends on both sides' OpenSSL: x25519, with ML-KEM since 3.5."""
    facts = shaken(shelf, usual, 1 << 16)

    assert (facts.version, facts.hello_retry) == ("TLSv1.3", False)
    assert facts.group in ("x25519", "X25519MLKEM768")


@pytest.mark.parametrize(("setting", "trips"), [(usual, 7), (other_curve, 8), (old_curve, 8)])
def test_every_flight_of_a_handshake_is_a_round_trip_that_counts(shelf: Path, setting: Setting, trips: int) -> None:
    """TCP, greeting, EHLO, STARTTLS, TLS 1.3, EHLO, QUIT; one more for a HelloRetryRequest, and for TLS 1.2."""
    context = server_context(shelf, setting)
    script = (
        b"220 mx ESMTP\r\n",
        C,
        b"250-mx\r\n250 STARTTLS\r\n",
        C,
        b"220 go\r\n",
        TLS,
        C,
        b"250 mx\r\n",
        C,
        b"221 bye\r\n",
    )

    async def talk() -> Transcript:
        async with hostile_server(script, context) as server:
            options = ProbeOptions(ca_file=str(shelf / "ca.pem"), server_name=HOST, helo="probe.example")
            return await gather_probe(Target("127.0.0.1", server.port), options, TcpDialer(), Recorded())

    assert asyncio.run(talk()).round_trips == trips
