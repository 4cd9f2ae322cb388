"""The demo's peers, talked to with nothing but the standard library."""

from __future__ import annotations

import asyncio
import gc
import smtplib
import ssl
from collections.abc import Callable
from typing import TypeVar

import pytest

from smtpdoc import demo
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.zone import load_zone

T = TypeVar("T")


def talk(dialogue: Callable[[smtplib.SMTP, demo.DemoServer], T]) -> T:
    """Start the demo, talk to it from a thread, stop it."""

    def connect(running: demo.DemoServer) -> T:
        with smtplib.SMTP(running.address, running.port, "probe.example", timeout=5) as client:
            return dialogue(client, running)

    async def run() -> T:
        async with await demo.start() as running:
            return await asyncio.to_thread(connect, running)

    return asyncio.run(run())


def under_tls(client: smtplib.SMTP, running: demo.DemoServer) -> None:
    client._host = running.host  # type: ignore[attr-defined]  # the name to verify; smtplib knows only the address
    client.starttls(context=ssl.create_default_context(cafile=running.ca_file))
    client.ehlo()


def test_capabilities_are_those_of_a_submission_server() -> None:
    def capabilities(client: smtplib.SMTP, running: demo.DemoServer) -> tuple[set[str], set[str]]:
        client.ehlo()
        before = set(client.esmtp_features)
        under_tls(client, running)
        return before, set(client.esmtp_features)

    before, after = talk(capabilities)

    assert {"pipelining", "size", "8bitmime", "starttls", "enhancedstatuscodes"} == before
    assert {"pipelining", "size", "8bitmime", "auth", "enhancedstatuscodes"} == after


def test_its_certificate_is_trusted_through_ca_file_and_names_the_host() -> None:
    def certificate(client: smtplib.SMTP, running: demo.DemoServer) -> object:
        under_tls(client, running)
        assert isinstance(client.sock, ssl.SSLSocket)
        return (client.sock.getpeercert() or {})["subjectAltName"]

    assert (("DNS", "mail.example.net"), ("IP Address", "127.0.0.1")) == talk(certificate)


def test_starttls_is_answered_with_an_enhanced_status_code() -> None:
    assert (220, b"2.0.0 Ready to start TLS") == talk(lambda client, _: client.docmd("STARTTLS"))


def test_without_ca_file_the_certificate_is_not_trusted_and_the_server_stays_quiet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def untrusting(client: smtplib.SMTP, running: demo.DemoServer) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=ssl.create_default_context())
        client.close()

    talk(untrusting)
    gc.collect()  # a task that failed is told about when it goes

    assert [] == [record for record in caplog.records if record.name == "asyncio" and record.levelname == "ERROR"]


def test_the_user_can_log_in_and_nobody_else() -> None:
    def logins(client: smtplib.SMTP, running: demo.DemoServer) -> tuple[tuple[int, bytes | str], tuple[int, bytes]]:
        under_tls(client, running)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(running.user, "guess")
        return (refused.value.smtp_code, refused.value.smtp_error), client.login(running.user, running.password)

    refused, accepted = talk(logins)

    assert (535, b"5.7.8 Error: authentication failed: (reason unavailable)") == refused
    assert (235, b"2.7.0 Authentication successful") == accepted


def test_no_login_without_tls() -> None:
    def plain(client: smtplib.SMTP, running: demo.DemoServer) -> tuple[int, bytes]:
        client.ehlo()
        return client.docmd("AUTH", "PLAIN AGFsaWNlAHg=")

    assert 538 == talk(plain)[0]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("bob@example.net", "250 2.1.5"),
        ("Postmaster@Example.NET", "250 2.1.5"),
        ("carol@example.net", "550 5.1.1"),
        ("grey@example.net", "451 4.7.1"),
        ("full@example.net", "452 4.2.2"),
        ("blocked@example.net", "554 5.7.1 Service unavailable; Client host [192.0.2.99] blocked using zen."),
        ("dave@elsewhere.example", "554 5.7.1 <dave@elsewhere.example>: Relay access denied"),
    ],
)
def test_recipients_are_answered_as_real_servers_do(recipient: str, expected: str) -> None:
    def rcpt(client: smtplib.SMTP, running: demo.DemoServer) -> str:
        client.ehlo()
        client.mail("")
        code, text = client.rcpt(recipient)
        return f"{code} {text.decode()}"

    assert talk(rcpt).startswith(expected)


def test_who_logged_in_may_relay_but_no_message_is_ever_taken() -> None:
    def relay(client: smtplib.SMTP, running: demo.DemoServer) -> tuple[int, int, int, int]:
        under_tls(client, running)
        client.login(running.user, running.password)
        client.mail("alice@example.net")
        return client.rcpt("dave@elsewhere.example")[0], client.data(b"x")[0], client.rset()[0], client.quit()[0]

    assert (250, 554, 250, 221) == talk(relay)


def test_files_and_connections_are_gone_after_close() -> None:
    async def run() -> tuple[bool, bool, bytes]:
        running = await demo.start()
        reader, writer = await asyncio.open_connection(running.address, running.port)
        await reader.readline()
        there = running.ca_file.exists() and running.zone_file.exists()
        await running.close()
        try:
            rest = await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            rest = b""
        writer.close()
        return there, running.ca_file.parent.exists(), rest

    assert (True, False, b"") == asyncio.run(run())


def test_the_password_is_in_no_representation() -> None:
    async def run() -> tuple[str, str]:
        async with await demo.start() as running:
            return running.password, repr(running)

    password, shown = asyncio.run(run())

    assert len(password) >= 16
    assert password not in shown


def test_the_zone_answers_every_question_of_the_demo_without_a_name_server() -> None:
    questions = [
        ("example.com", "MX"),
        ("example.com", "TXT"),
        ("mx1.example.com", "AAAA"),
        ("10.2.0.192.in-addr.arpa", "PTR"),
        ("google._domainkey.example.com", "TXT"),
        ("s1._domainkey.example.com", "TXT"),
        ("_dmarc.example.com", "TXT"),
        ("servers.mcsv.net", "TXT"),
        ("mail.example.net", "A"),
    ]
    absent = [("_dmarc.com", "TXT"), ("_mta-sts.example.com", "TXT"), ("k1._domainkey.example.com", "TXT")]

    async def run() -> tuple[list[LookupStatus], list[LookupStatus]]:
        async with await demo.start() as running, open_resolver(zone=load_zone(running.zone_file), offline=True) as dns:
            found, missing = await dns.lookup_all(questions), await dns.lookup_all(absent)
            return [lookup.status for lookup in found], [lookup.status for lookup in missing]

    found, missing = asyncio.run(run())

    assert [LookupStatus.FOUND] * len(questions) == found
    assert [LookupStatus.NXDOMAIN] * len(absent) == missing
