"""No round trip is wasted: what each real server makes a probe wait for, against the least that the RFCs allow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.lab import HOST, MailServer
from support.probing import gather_probe
from support.scripted import Recorded

from smtpdoc.evidence.smtp import StageStatus, Transcript
from smtpdoc.gather.probe import ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.target import Target

pytestmark = pytest.mark.servers

#: TCP, greeting, EHLO, STARTTLS, TLS 1.3, EHLO, QUIT.
LOOK = 7
#: AUTH PLAIN, and MAIL, RCPT and QUIT in one go (RFC 2920); QUIT is in LOOK.
ERRAND = LOOK + 1
#: MAIL and RCPT have to wait for their replies where PIPELINING is not offered.
ONE_BY_ONE = 2


def talk(server: MailServer, **options: Any) -> Transcript:
    wanted = ProbeOptions(ca_file=str(server.ca_file), server_name=HOST, helo="probe.example", timeout_s=30, **options)
    target = Target(server.address, server.submission_port)
    return asyncio.run(gather_probe(target, wanted, TcpDialer(), Recorded()))


def test_a_look_takes_at_most_one_round_trip_over_the_floor(mail_server: MailServer) -> None:
    transcript = talk(mail_server, quit_after="starttls")

    assert transcript.outcome is StageStatus.OK
    assert LOOK <= transcript.round_trips <= LOOK + 1


def test_an_errand_takes_at_most_one_round_trip_over_the_floor(mail_server: MailServer) -> None:
    envelope = {"mail_from": f"{mail_server.user}@{mail_server.domain}", "recipients": (f"bob@{mail_server.domain}",)}
    login = {"auth_user": mail_server.user, "secret": Secret(mail_server.password), "auth_mechanism": "PLAIN"}

    transcript = talk(mail_server, **envelope, **login)

    pipelining = "PIPELINING" in (transcript.capabilities_after_tls or {})
    floor = ERRAND + (0 if pipelining else ONE_BY_ONE)
    assert transcript.outcome is StageStatus.OK
    assert floor <= transcript.round_trips <= floor + 1
