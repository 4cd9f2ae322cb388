"""The lab itself: its servers answer, know their recipients, and serve the certificates they are said to serve."""

from __future__ import annotations

import os
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.lab import END_S, HOST, NAMES, SERVERS_DIR, Lab, MailServer, listens, unavailable
from support.pki import SHELF

pytestmark = pytest.mark.servers


def starttls(server: MailServer, port: int) -> ssl.SSLContext:
    """Speak STARTTLS with a verified certificate and return; raises when it does not verify."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    context.hostname_checks_common_name = False  # RFC 9525 section 6.3 no longer looks there
    with smtplib.SMTP(server.address, port, "probe.example", timeout=10) as client:
        client._host = HOST  # type: ignore[attr-defined]  # the name to verify; smtplib has no parameter for it
        client.starttls(context=context)
    return context


def test_each_server_speaks_starttls_with_the_labs_certificate_and_knows_its_user(mail_server: MailServer) -> None:
    context = ssl.create_default_context(cafile=str(mail_server.ca_file))
    with smtplib.SMTP(mail_server.address, mail_server.submission_port, "probe.example", timeout=10) as client:
        client._host = HOST  # type: ignore[attr-defined]
        client.starttls(context=context)

        assert client.login(mail_server.user, mail_server.password)[0] == 235


def test_each_server_offers_implicit_tls(mail_server: MailServer) -> None:
    context = ssl.create_default_context(cafile=str(mail_server.ca_file))
    context.check_hostname = False
    address = mail_server.address
    with smtplib.SMTP_SSL(address, mail_server.smtps_port, "probe.example", timeout=10, context=context) as client:
        assert client.ehlo()[0] == 250


def test_each_mx_knows_who_lives_there_and_relays_for_nobody(mx_server: MailServer) -> None:
    with smtplib.SMTP(mx_server.address, mx_server.mx_port, "probe.example", timeout=10) as client:
        client.ehlo()
        client.mail("sender@sender.example")
        codes = [client.rcpt(who)[0] for who in ("bob@lab.example", "nosuchuser@lab.example", "bob@elsewhere.example")]

    assert codes[0] == 250
    assert all(code // 100 == 5 for code in codes[1:])


@pytest.mark.parametrize("name", SHELF)
def test_postfix_serves_each_certificate_of_the_shelf(postfix: MailServer, name: str) -> None:
    verifies = name in {"good", "ec", "wildcard", "soon"}
    try:
        starttls(postfix, postfix.certificate_port(name))
    except ssl.SSLCertVerificationError:
        verified = False
    else:
        verified = True

    assert verified == verifies


def test_a_server_that_is_not_unpacked_is_a_reason_to_skip(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPDOC_LAB_CACHE", "/nonexistent")

    assert all(unavailable(name) for name in NAMES)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_the_servers_end_with_their_run_however_it_ends(exim: MailServer, name: str) -> None:
    run = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background otherwise
        "from support.lab import OwnedLab\n"
        "lab = OwnedLab()\n"
        "server = lab.server('exim')\n"
        "print(lab.state, server.address, server.mx_port, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SERVERS_DIR.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", run], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None
        state, address, port = running.stdout.readline().split()

        assert listens(address, int(port))

        running.send_signal(signal.Signals[name])
    deadline = time.monotonic() + END_S
    while (Path(state).exists() or listens(address, int(port))) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not Path(state).exists()
    assert not listens(address, int(port))
