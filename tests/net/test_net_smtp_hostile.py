"""Hostile and broken servers: nothing lost, nothing invented, nothing paired with the wrong command, no hang."""

from __future__ import annotations

import asyncio
import ssl
import time
import tracemalloc
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from support.hostile import CLOSE, RESET, TLS, C, Chopped, Flood, HostileServer, Pause, Raw, Read, Step, hostile_server
from support.pki import server_context
from support.shelf import HOST

from smtpdoc.catalog.checks import smtp as smtp_checks
from smtpdoc.catalog.checks import tls as tls_checks
from smtpdoc.evidence.smtp import Exchange, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.net.dial import TcpDialer
from smtpdoc.net.early import EarlyConnection
from smtpdoc.target import Target

TIMEOUT_S = 1.0

GREETING = b"220 mx.lab.example ESMTP\r\n"
PLAIN_EHLO = b"250-mx.lab.example\r\n250 SIZE 1000\r\n"
EHLO = b"250-mx.lab.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
EHLO_TLS = b"250-mx.lab.example\r\n250-AUTH PLAIN LOGIN\r\n250 PIPELINING\r\n"
READY = b"220 2.0.0 Ready to start TLS\r\n"
BYE = b"221 2.0.0 Bye\r\n"
TO_STARTTLS: tuple[Step, ...] = (GREETING, C, EHLO, C)
TO_TLS: tuple[Step, ...] = (*TO_STARTTLS, READY, TLS)


class Watched:
    """Keeps what it was told, in order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.exchanges: list[Exchange] = []
        self.ehlo_sent = asyncio.Event()

    def line(self, line: Line) -> None:
        self.lines.append(line)
        if line.text.startswith("EHLO"):
            self.ehlo_sent.set()

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


class HeadStart:
    """How much of a session happens before the session takes its connection over: all tests run both ways."""

    wait_s: float | None = None

    @classmethod
    async def early(cls, port: int, wanted: dict[str, Any]) -> EarlyConnection | None:
        if cls.wait_s is None:
            return None
        early = EarlyConnection("127.0.0.1", port, helo=None if wanted.get("tls") == "implicit" else "probe.example")
        early.host = HOST
        await asyncio.sleep(cls.wait_s)
        return early


@pytest.fixture(autouse=True, params=[None, 0.06], ids=["", "head start"])
def _head_start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeadStart, "wait_s", request.param)


def probe(
    script: Sequence[Step], shelf: Path | None = None, certificate: str = "ec", **wanted: Any
) -> tuple[Transcript, HostileServer]:
    """Probe a hostile server; every session has to end within its timeout and half a second."""

    async def session() -> tuple[Transcript, HostileServer]:
        context = server_context(shelf, certificate) if shelf is not None else None
        async with hostile_server(script, context) as server:
            options = ProbeOptions(
                **{"timeout_s": TIMEOUT_S, "helo": "probe.example", "ca_file": _ca(shelf), "tls": "optional", **wanted}
            )
            early = await HeadStart.early(server.port, wanted)
            dialer = TcpDialer(overrides={HOST: ("127.0.0.1",)}, early=early)
            run = Probe(Target(HOST, server.port), options, dialer, Watched())
            try:
                await run.run()
            finally:
                run.close()
            return run.transcript(), server

    began = time.monotonic()
    transcript, server = asyncio.run(session())
    assert time.monotonic() - began < wanted.get("timeout_s", TIMEOUT_S) + 0.5
    return transcript, server


def _ca(shelf: Path | None) -> str | None:
    return None if shelf is None else str(shelf / "ca.pem")


def told(transcript: Transcript) -> list[str]:
    """Each stage in short: "ehlo 250", "starttls starttls-missing", "tls ok"."""
    short = []
    for exchange in transcript.exchanges:
        if exchange.failure is not None:
            short.append(f"{exchange.stage} {exchange.failure.word}")
        else:
            short.append(f"{exchange.stage} {exchange.reply.code if exchange.reply else exchange.status}")
    return short[1:] if short[0] == "connect ok" else short


def detail(transcript: Transcript) -> str:
    return next(one.failure.detail for one in transcript.exchanges if one.failure is not None)


def ids(transcript: Transcript) -> list[str]:
    return [finding.id for finding in (*smtp_checks.checks.run(transcript), *tls_checks.checks.run(transcript))]


def texts(transcript: Transcript, kind: LineKind) -> list[str]:
    return [line.text for line in transcript.lines if line.kind is kind]


# Replies that nobody asked for


def test_a_second_greeting_in_the_same_packet_is_reported_and_never_paired(shelf: Path) -> None:
    script = (GREETING + b"250 surplus\r\n", C, EHLO, C, READY, TLS, C, EHLO_TLS, C, BYE)

    transcript, _ = probe(script, shelf)

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 220", "tls ok", "ehlo-tls 250", "quit 221"]
    assert [reply.text for reply in transcript.unsolicited] == ["surplus"]
    assert texts(transcript, LineKind.UNEXPECTED) == ["250 surplus"]
    assert ids(transcript) == ["smtp.surplus-reply"]


def test_two_replies_to_ehlo_do_not_shift_the_answers(shelf: Path) -> None:
    script = (GREETING, C, EHLO + b"250-again\r\n250 again\r\n", C, READY, TLS, C, EHLO_TLS, C, BYE)

    transcript, _ = probe(script, shelf)

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 220", "tls ok", "ehlo-tls 250", "quit 221"]
    assert "STARTTLS" in (transcript.capabilities_before_tls or {})
    assert [reply.code for reply in transcript.unsolicited] == [250]


def test_a_late_duplicate_shows_at_the_end_of_the_session() -> None:
    """It cannot be told from an answer, so the surplus at QUIT is what gives it away."""
    script = (GREETING, C, b"250 mx\r\n", Pause(0.1), C, b"250 duplicate\r\n" + BYE, Pause(0.1))

    transcript, _ = probe(script, tls="none")

    assert told(transcript) == ["greeting 220", "ehlo 250", "quit 250"]


def test_a_421_while_idle_is_kept_and_answers_the_next_command() -> None:
    """RFC 5321 section 3.8: it may come at any time."""
    script = (GREETING, C, PLAIN_EHLO + b"421 4.3.2 going down\r\n", CLOSE)

    transcript, _ = probe(script, mail_from="a@client.example", recipients=("bob@lab.example",))

    assert [reply.code for reply in transcript.unsolicited] == [421]
    assert "mail 421" in told(transcript)
    assert transcript.outcome is StageStatus.DEFERRED
    assert "smtp.surplus-reply" not in ids(transcript)


# Greetings


def test_an_ehlo_reply_with_an_empty_first_line_keeps_its_extensions(shelf: Path) -> None:
    script = (GREETING, C, b"250-\r\n250-STARTTLS\r\n250 PIPELINING\r\n", C, READY, TLS, C, EHLO_TLS, C, BYE)

    transcript, _ = probe(script, shelf)

    assert list(transcript.capabilities_before_tls or ()) == ["STARTTLS", "PIPELINING"]
    assert transcript.tls is not None


def test_a_refusing_greeting_is_shown_and_answered_with_quit() -> None:
    """RFC 5321 section 3.1."""
    transcript, server = probe((b"554 5.7.1 no service for you\r\n", C, BYE))

    assert told(transcript) == ["greeting 554", "quit 221"]
    assert server.commands == ["QUIT"]
    assert transcript.outcome is StageStatus.REFUSED
    assert ids(transcript) == ["smtp.greeting-refused"]


def test_a_421_greeting_is_a_deferral() -> None:
    transcript, server = probe((b"421 4.3.2 too many connections\r\n", C, BYE))

    assert told(transcript) == ["greeting 421", "quit 221"]
    assert server.commands == ["QUIT"]
    assert ids(transcript) == ["smtp.greeting-deferred"]


def test_helo_is_tried_where_ehlo_is_unknown() -> None:
    transcript, server = probe((GREETING, C, b"502 what\r\n", C, b"250 mx.lab.example\r\n", C, BYE), tls="none")

    assert told(transcript) == ["greeting 220", "ehlo 502", "ehlo 250", "quit 221"]
    assert server.commands == ["EHLO probe.example", "HELO probe.example", "QUIT"]
    assert transcript.outcome is StageStatus.OK


# Endings


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ((b"554 go away", CLOSE), "greeting eof-mid-reply"),
        ((b"220-half a gree", RESET), "greeting reset-mid-reply"),
        ((b"220-half a greeting\r\n",), "greeting timeout-mid-reply"),
        ((CLOSE,), "greeting eof"),
        ((), "greeting timeout"),
        ((b"220 bare cr\r",), "greeting timeout-mid-reply"),
    ],
)
def test_an_unfinished_greeting_is_told_with_what_had_arrived(script: Sequence[Step], expected: str) -> None:
    transcript, _ = probe(script)

    assert told(transcript) == [expected]
    sent = b"".join(step for step in script if isinstance(step, bytes)).decode().rstrip("\r\n")
    assert sent in detail(transcript)
    assert sent in " / ".join(texts(transcript, LineKind.RECEIVED))
    assert transcript.outcome is StageStatus.FAILED


def test_a_close_in_the_middle_of_ehlo_keeps_the_half_reply() -> None:
    transcript, _ = probe((GREETING, C, b"250-mx.lab.example\r\n250-PIPEL", CLOSE))

    assert told(transcript) == ["greeting 220", "ehlo eof-mid-reply"]
    assert '"250-mx.lab.example / 250-PIPEL"' in detail(transcript)
    assert texts(transcript, LineKind.RECEIVED) == [GREETING.decode().strip(), "250-mx.lab.example", "250-PIPEL"]
    assert ids(transcript) == ["smtp.no-answer"]


def test_a_drip_cannot_stretch_the_deadline() -> None:
    drip: list[Step] = []
    for byte in b"220-drip drip drip drip drip drip drip drip":
        drip += [bytes([byte]), Pause(0.05)]

    transcript, _ = probe(drip, timeout_s=0.5)

    assert told(transcript) == ["greeting timeout-mid-reply"]


def test_a_reset_in_answer_to_quit_invents_no_221() -> None:
    transcript, _ = probe((GREETING, C, PLAIN_EHLO, C, RESET), tls="none")

    assert told(transcript) in (["greeting 220", "ehlo 250", "quit reset"], ["greeting 220", "ehlo 250", "quit eof"])
    assert transcript.outcome is StageStatus.OK


def test_quit_without_answer_costs_a_second_at_most() -> None:
    transcript, _ = probe((GREETING, C, PLAIN_EHLO, C), tls="none", timeout_s=5)

    assert told(transcript) == ["greeting 220", "ehlo 250", "quit timeout"]
    assert 0.9 < transcript.elapsed_s < 1.5
    assert transcript.outcome is StageStatus.OK
    assert ids(transcript) == []


def test_an_answered_quit_does_not_wait_for_the_close() -> None:
    transcript, _ = probe((GREETING, C, PLAIN_EHLO, C, BYE, Pause(5)), tls="none", timeout_s=5)

    assert told(transcript)[-1] == "quit 221"
    assert transcript.elapsed_s < 0.5


def test_a_flood_after_quit_changes_nothing() -> None:
    transcript, _ = probe((GREETING, C, PLAIN_EHLO, C, BYE, Flood(b"250 more\r\n" * 1000)), tls="none")

    assert told(transcript) == ["greeting 220", "ehlo 250", "quit 221"]


# What is no SMTP


@pytest.mark.parametrize(
    "line",
    [b"hello there", b"2xx hi", b"+25 hi", b"2_0 hi", b" 220", b"22", b"2200 hi", b"220_hi", b"999 hi", b"120 hi"],
)
def test_what_is_no_reply_is_called_so_with_its_bytes(line: bytes) -> None:
    transcript, server = probe((line + b"\r\n", C))

    assert told(transcript) == ["greeting not-smtp"]
    assert f'"{line.decode()}"' in detail(transcript)
    assert server.commands == []
    assert ids(transcript) == ["smtp.other-protocol"]


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "SSH"),
        (b"* OK [CAPABILITY IMAP4rev1] ready.\r\n", "IMAP"),
        (b"+OK POP3 ready\r\n", "POP3"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "HTTP"),
        (b"<html><body>no</body></html>", "HTTP"),
    ],
)
@pytest.mark.parametrize("ending", [CLOSE, Pause(5)])
def test_another_protocol_is_named(first: bytes, name: str, ending: Step) -> None:
    transcript, _ = probe((first, ending), timeout_s=0.5)

    assert told(transcript) == ["greeting other-protocol"]
    assert f"speaks {name}, not SMTP" in detail(transcript)
    assert ids(transcript) == ["smtp.other-protocol"]


def test_a_tls_alert_says_that_the_port_wants_tls_at_once() -> None:
    transcript, _ = probe((b"\x15\x03\x01\x00\x02\x02\x46",))

    assert told(transcript) == ["greeting speaks-tls"]
    assert "--tls implicit" in detail(transcript)
    finding = smtp_checks.checks.run(transcript)[0]
    assert finding.paste == (f"smtpdoc probe {transcript.port_name} --tls implicit",)


def test_silence_comes_with_a_hint() -> None:
    transcript, _ = probe((), timeout_s=0.4)

    assert "a port that wants TLS at once is silent like this" in detail(transcript)
    assert ids(transcript) == ["smtp.silent"]


# Replies that break rules and are still replies


@pytest.mark.parametrize(
    ("greeting", "faults"),
    [
        (b"220\r\n", ()),
        (b"220 lf only\n", ("bare-lf",)),
        (b"220 cr cr lf\r\r\n", ("extra-cr",)),
        (b"220 nul\0here\r\n", ("nul",)),
        (b"220 caf\xc3\xa9\r\n", ("8bit",)),
        (b"220 \xff\xfe\r\n", ("8bit",)),
        (b"220 \x1b[31mred\r\n", ("control",)),
        (b"220-one\r\n221 two\r\n220 three\r\n", ("mixed-codes",)),
        (b"220 " + b"x" * 600 + b"\r\n", ("long-line",)),
    ],
)
def test_a_faulty_greeting_is_accepted_with_its_fault(greeting: bytes, faults: tuple[str, ...]) -> None:
    transcript, _ = probe((greeting, C, PLAIN_EHLO, C, BYE), tls="none")

    assert transcript.exchanges[1].reply is not None
    if faults != ("mixed-codes",):
        assert told(transcript) == ["greeting 220", "ehlo 250", "quit 221"]
    assert transcript.exchanges[1].reply.faults == faults
    assert ids(transcript).count("smtp.reply-faults") == len(faults)


def test_an_ehlo_of_500_lines_in_small_segments_is_read() -> None:
    lines = [b"250-mx.lab.example\r\n", *(b"250-X-EXTENSION-NUMBER-%03d with words\r\n" % n for n in range(498))]
    ehlo = b"".join(lines) + b"250 HELP\r\n"

    transcript, _ = probe((GREETING, C, Chopped(ehlo, 16), C, BYE), tls="none", timeout_s=5)

    assert told(transcript) == ["greeting 220", "ehlo 250", "quit 221"]
    assert len(transcript.capabilities_before_tls or ()) == 499


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ((b"220 " + b"x" * 9000 + b"\r\n",), "line-too-long"),
        ((b"220 ", Flood(b"x" * 65536)), "line-too-long"),
        ((Flood(b"220-more and more\r\n" * 100),), "reply-too-long"),
        ((Flood(b"220 more and more\r\n" * 1000),), "surplus-flood"),
    ],
)
def test_a_server_that_sends_for_ever_is_dropped(script: Sequence[Step], word: str) -> None:
    tracemalloc.start()
    try:
        transcript, _ = probe(script, timeout_s=10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert word in " ".join(told(transcript))
    assert transcript.elapsed_s < 10
    assert peak < 100_000_000


# STARTTLS


@pytest.mark.parametrize("injected", [b"250 INJECTED\r\n", b"250-INJEC", b"250 2.0.0 a\r\n250 b\r\n"])
def test_clear_text_behind_the_220_of_starttls_ends_the_session(shelf: Path, injected: bytes) -> None:
    transcript, server = probe((*TO_STARTTLS, READY + injected, TLS), shelf)

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 220", "tls starttls-injection"]
    assert injected.decode().partition("\r\n")[0] in detail(transcript)
    assert server.secure == []
    assert ids(transcript) == ["smtp.starttls-injection"]


@pytest.mark.parametrize(
    ("answer", "word", "finding"),
    [
        (b"250 INJECTED\r\n", "starttls-injection", "smtp.starttls-injection"),
        (b"500 what is that?\r\n", "tls-clear-answer", "smtp.starttls-not-started"),
        (b"421 sorry\r\n", "tls-clear-deferral", "smtp.starttls-not-started"),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_clear_text_in_answer_to_the_handshake_is_shown(answer: bytes, word: str, finding: str, size: int) -> None:
    """A refusal answers our ClientHello; an acceptance answers nothing that we sent."""
    transcript, _ = probe((*TO_STARTTLS, READY, Raw(), Chopped(answer, size), CLOSE))

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 220", f"tls {word}"]
    assert f'"{answer.decode().rstrip()}"' in detail(transcript)
    assert ids(transcript) == [finding]


@pytest.mark.parametrize(
    ("after", "expected", "level"),
    [
        ((Raw(), CLOSE), "tls tls-closed", "error"),
        ((Raw(), RESET), "tls tls-closed", "error"),
        ((Raw(), Pause(5)), "tls tls-timeout", "unknown"),
        ((Raw(), b"\x15\x03\x03\x00\x02\x02\x50", CLOSE), "tls tls-failed", "error"),
        ((Raw(), b"\x16\x03\x03\xff\xff" + b"\0" * 65535, Flood(b"\0" * 65536)), "tls tls-failed", "error"),
    ],
)
def test_a_handshake_that_fails_says_how(after: Sequence[Step], expected: str, level: str) -> None:
    transcript, _ = probe((*TO_STARTTLS, READY, *after), timeout_s=1.5)

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 220", expected]
    (finding,) = tls_checks.checks.run(transcript)
    assert (finding.id, finding.level) == ("tls.handshake-failed", level)


def test_a_temporary_refusal_of_starttls_leaves_a_session_in_clear_where_that_will_do() -> None:
    script = (*TO_STARTTLS, b"454 4.7.0 TLS not available\r\n", Read(3), b"250 ok\r\n250 ok\r\n221 bye\r\n")
    wanted: dict[str, Any] = {"mail_from": "a@client.example", "recipients": ("bob@lab.example",)}

    transcript, server = probe(script, **wanted)

    assert told(transcript) == ["greeting 220", "ehlo 250", "starttls 454", "mail 250", "rcpt 250", "quit 221"]
    assert server.commands[-3:] == ["MAIL FROM:<a@client.example>", "RCPT TO:<bob@lab.example>", "QUIT"]


@pytest.mark.parametrize("ehlo", [PLAIN_EHLO, b"250-mx.lab.example\r\n250 XXXXXXXA\r\n"])
def test_without_starttls_neither_login_nor_envelope_is_sent_in_clear(ehlo: bytes) -> None:
    transcript, server = probe(
        (GREETING, C, ehlo, C, BYE),
        tls="auto",
        auth_user="alice",
        secret=Secret("s3cret"),
        allow_cleartext_auth=True,
        recipients=("bob@lab.example",),
    )

    assert server.commands == ["EHLO probe.example", "QUIT"]
    assert told(transcript)[2:] == ["starttls starttls-missing", "auth unsafe", "mail unsafe", "quit 221"]
    expected = "smtp.starttls-stripped" if b"XXXX" in ehlo else "smtp.starttls-missing"
    assert expected in ids(transcript)


def test_no_login_after_a_refused_starttls_whatever_is_allowed() -> None:
    script = (GREETING, C, b"250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", C, b"454 no\r\n", C, BYE)

    transcript, server = probe(
        script, tls="optional", auth_user="alice", secret=Secret("s3cret"), allow_cleartext_auth=True
    )

    assert server.commands == ["EHLO probe.example", "STARTTLS", "QUIT"]
    assert "auth unsafe" in told(transcript)


# TLS and certificates


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        ("good", []),
        ("ec", []),
        ("wildcard", []),
        ("expired", ["tls.certificate-expired"]),
        ("future", ["tls.certificate-not-yet-valid"]),
        ("self-signed", ["tls.certificate-self-signed"]),
        ("no-intermediate", ["tls.chain-incomplete"]),
        ("untrusted", ["tls.chain-incomplete"]),
        ("wrong-name", ["tls.name-mismatch"]),
        ("common-name-only", ["tls.name-only-in-subject"]),
        ("soon", ["tls.certificate-expires-soon"]),
    ],
)
def test_each_certificate_gets_its_own_finding_and_the_session_goes_on(
    shelf: Path, certificate: str, expected: list[str]
) -> None:
    transcript, _ = probe((*TO_TLS, C, EHLO_TLS, C, BYE), shelf, certificate)

    assert told(transcript)[-3:] == ["tls ok", "ehlo-tls 250", "quit 221"]
    assert ids(transcript) == expected
    assert transcript.outcome is StageStatus.OK


@pytest.mark.parametrize("certificate", ["expired", "self-signed", "wrong-name", "no-intermediate", "untrusted"])
def test_no_login_over_a_certificate_that_does_not_verify(shelf: Path, certificate: str) -> None:
    transcript, server = probe(
        (*TO_TLS, C, EHLO_TLS, C, BYE), shelf, certificate, tls="auto", auth_user="alice", secret=Secret("s3cret")
    )

    assert server.secure == ["EHLO probe.example", "QUIT"]
    assert "auth unsafe" in told(transcript)
    assert "smtp.auth-not-safe" in ids(transcript)


def test_the_whole_served_chain_is_reported(shelf: Path) -> None:
    transcript, _ = probe((*TO_TLS, C, EHLO_TLS, C, BYE), shelf, "good")

    assert transcript.tls is not None
    assert [one.subject for one in transcript.tls.chain] == [f"CN={HOST}", "CN=lab intermediate"]
    assert transcript.tls.chain[0].names == (HOST, "localhost", "127.0.0.1")
    assert transcript.tls.chain[0].key == "RSA 2048"


def test_implicit_tls_to_a_clear_text_port_names_the_door() -> None:
    transcript, server = probe((GREETING, C), tls="implicit")

    assert told(transcript) == ["tls tls-clear-answer"]
    assert '"220 mx.lab.example ESMTP"' in detail(transcript)
    assert "--tls starttls" in detail(transcript)
    assert ids(transcript) == ["smtp.other-protocol"]
    assert server.commands == []


def test_implicit_tls_to_a_silent_port_times_out_in_words() -> None:
    transcript, _ = probe((), tls="implicit", timeout_s=0.4)

    assert told(transcript) == ["tls tls-timeout"]
    assert transcript.exchanges[-1].failure is not None
    assert transcript.exchanges[-1].failure.kind is FailureKind.TIMEOUT


def test_a_server_of_the_old_days_is_named_on_a_second_look_that_says_nothing_more(shelf: Path) -> None:
    context = server_context(shelf, "good")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1

    async def session() -> tuple[Transcript, HostileServer]:
        async with hostile_server((*TO_STARTTLS, READY, TLS, C), context) as server:
            options = ProbeOptions(
                timeout_s=2,
                helo="probe.example",
                auth_user="alice",
                secret=Secret("s3cret"),
                recipients=("b@x.example",),
            )
            run = Probe(Target(HOST, server.port), options, TcpDialer(overrides={HOST: ("127.0.0.1",)}), Watched())
            await run.run()
            run.close()
            return run.transcript(), server

    transcript, server = asyncio.run(session())

    assert transcript.legacy_tls == "TLSv1"
    assert server.sessions == 2
    assert server.secure == []
    assert ids(transcript) == ["tls.handshake-failed", "tls.old-version"]


# AUTH


@pytest.mark.parametrize(
    ("mechanism", "challenge"),
    [
        ("CRAM-MD5", b"334 !!! no base64 !!!\r\n"),
        ("SCRAM-SHA-256", b"334 cj1zb21lYm9keSBlbHNl\r\n"),
        ("SCRAM-SHA-256", b"334 \r\n"),
        ("SCRAM-SHA-256", b"334 /w==\r\n"),
    ],
)
def test_a_challenge_that_breaks_the_mechanism_is_cancelled(shelf: Path, mechanism: str, challenge: bytes) -> None:
    ehlo = f"250-mx\r\n250 AUTH {mechanism}\r\n".encode()
    script = (*TO_TLS, C, ehlo, C, challenge, C, b"501 5.7.0 cancelled\r\n", C, BYE)

    transcript, server = probe(script, shelf, auth_user="alice", auth_mechanism=mechanism, secret=Secret("s3cret"))

    assert server.secure[2:] == ["*", "QUIT"]
    assert told(transcript)[-2:] == ["auth sasl-broken", "quit 221"]
    assert ids(transcript) == ["smtp.auth-broken"]
    assert any("broken off" in note for note in texts(transcript, LineKind.NOTE))


def test_challenges_for_ever_have_an_end(shelf: Path) -> None:
    forever: list[Step] = []
    for _ in range(20):
        forever += [b"334 VXNlcm5hbWU6\r\n", C]

    transcript, server = probe((*TO_TLS, C, EHLO_TLS, C, *forever), shelf, auth_user="alice", secret=Secret("s3cret"))

    assert len(server.secure) < 15
    assert transcript.outcome is StageStatus.FAILED
    assert "smtp.auth-broken" in ids(transcript)


def test_one_mechanism_is_tried_once(shelf: Path) -> None:
    script = (*TO_TLS, C, EHLO_TLS, C, b"535 5.7.8 no\r\n", C, BYE)

    transcript, server = probe(script, shelf, auth_user="alice", secret=Secret("s3cret"), recipients=("b@lab.example",))

    assert [command.split()[0] for command in server.secure] == ["EHLO", "AUTH", "QUIT"]
    assert ids(transcript) == ["smtp.auth-refused"]


# The envelope


def test_what_was_not_offered_is_not_pipelined() -> None:
    script = (GREETING, C, PLAIN_EHLO, C, b"250 ok\r\n", C, b"550 5.1.1 no\r\n", C, b"450 4.2.0 later\r\n", C, BYE)

    transcript, _ = probe(script, tls="none", mail_from="<>", recipients=("a@lab.example", "b@lab.example"))

    assert told(transcript)[2:] == ["mail 250", "rcpt 550", "rcpt 450", "quit 221"]
    assert [one.recipient for one in transcript.exchanges if one.stage is Stage.RCPT] == [
        "a@lab.example",
        "b@lab.example",
    ]
    assert transcript.outcome is StageStatus.REFUSED
    assert ids(transcript) == ["smtp.rcpt-refused", "smtp.rcpt-deferred"]


def test_pipelined_answers_go_to_their_own_commands() -> None:
    ehlo = b"250-mx\r\n250 PIPELINING\r\n"
    answers = b"250 2.1.0 ok\r\n550 5.1.1 no\r\n250 2.1.5 ok\r\n221 bye\r\n"

    transcript, server = probe(
        (GREETING, C, ehlo, Read(4), Chopped(answers, 3)),
        tls="none",
        mail_from="a@client.example",
        recipients=("nobody@lab.example", "bob@lab.example"),
    )

    assert told(transcript)[2:] == ["mail 250", "rcpt 550", "rcpt 250", "quit 221"]
    assert transcript.round_trips == 4
    assert server.commands[1:] == [
        "MAIL FROM:<a@client.example>",
        "RCPT TO:<nobody@lab.example>",
        "RCPT TO:<bob@lab.example>",
        "QUIT",
    ]


def test_recipients_say_nothing_where_the_sender_was_refused() -> None:
    ehlo = b"250-mx\r\n250 PIPELINING\r\n"
    script = (GREETING, C, ehlo, Read(3), b"530 5.7.0 log in\r\n503 5.5.1 bad sequence\r\n221 bye\r\n")

    transcript, _ = probe(script, tls="none", mail_from="a@client.example", recipients=("bob@lab.example",))

    assert [(one.stage, one.status) for one in transcript.exchanges[-3:]] == [
        (Stage.MAIL, StageStatus.REFUSED),
        (Stage.RCPT, StageStatus.SKIPPED),
        (Stage.QUIT, StageStatus.OK),
    ]
    assert ids(transcript) == ["smtp.mail-refused"]


def test_a_server_that_falls_silent_at_rcpt_keeps_the_verdicts_before() -> None:
    ehlo = b"250-mx\r\n250 PIPELINING\r\n"

    transcript, _ = probe(
        (GREETING, C, ehlo, Read(4), b"250 ok\r\n250 ok\r\n"),
        tls="none",
        mail_from="a@client.example",
        recipients=("a@lab.example", "b@lab.example"),
        timeout_s=0.5,
    )

    assert told(transcript)[2:] == ["mail 250", "rcpt 250", "rcpt timeout", "quit timeout"]
    assert transcript.outcome is StageStatus.FAILED
    assert ids(transcript) == ["smtp.no-answer"]


# Cancellation and reaching


def test_a_cancelled_session_has_told_its_lines_and_lets_the_cancellation_through() -> None:
    async def session() -> tuple[Watched, Transcript]:
        watcher = Watched()
        async with hostile_server((GREETING, C)) as server:
            run = Probe(Target("127.0.0.1", server.port), ProbeOptions(helo="probe.example"), TcpDialer(), watcher)
            task = asyncio.create_task(run.run())
            await asyncio.wait_for(watcher.ehlo_sent.wait(), 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            run.close()
        return watcher, run.transcript()

    watcher, transcript = asyncio.run(session())

    assert [line.text for line in watcher.lines][-2:] == ["220 mx.lab.example ESMTP", "EHLO probe.example"]
    assert told(transcript) == ["greeting 220"]


def test_a_refused_connection_is_told() -> None:
    async def session() -> Transcript:
        async with hostile_server(()) as server:
            port = server.port
        run = Probe(Target("127.0.0.1", port), ProbeOptions(timeout_s=1), TcpDialer(), Watched())
        await run.run()
        return run.transcript()

    transcript = asyncio.run(session())

    assert told(transcript) == ["connect refused"]
    assert ids(transcript) == ["smtp.connection-refused"]


def test_the_next_address_is_tried_and_the_dead_one_reported() -> None:
    async def session() -> Transcript:
        async with hostile_server((GREETING, C, PLAIN_EHLO, C, BYE)) as server:
            dialer = TcpDialer(overrides={HOST: ("127.0.0.99", "127.0.0.1")})
            run = Probe(Target(HOST, server.port), ProbeOptions(tls="none", timeout_s=2), dialer, Watched())
            await run.run()
            run.close()
            return run.transcript()

    transcript = asyncio.run(session())

    assert transcript.address == "127.0.0.1"
    assert told(transcript) == ["greeting 220", "ehlo 250", "quit 221"]
    assert ids(transcript) == ["smtp.address-unreachable"]


# Client certificates


def with_client_authority(shelf: Path, authority: Path) -> ssl.SSLContext:
    context = server_context(shelf, "ec")
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def probe_with(context: ssl.SSLContext, script: Sequence[Step], **wanted: Any) -> tuple[Transcript, HostileServer]:
    async def session() -> tuple[Transcript, HostileServer]:
        async with hostile_server(script, context) as server:
            options = ProbeOptions(**{"timeout_s": 2, "helo": "probe.example", **wanted})
            run = Probe(Target(HOST, server.port), options, TcpDialer(overrides={HOST: ("127.0.0.1",)}), Watched())
            await run.run()
            run.close()
            return run.transcript(), server

    return asyncio.run(session())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_our_certificate_says_so(shelf: Path, version: ssl.TLSVersion) -> None:
    """In TLS 1.3 only after the handshake, when EHLO has left already: what we sent then may cost us its alert."""
    context = with_client_authority(shelf, shelf / "ca.pem")
    context.maximum_version = version

    transcript, _ = probe_with(context, (*TO_TLS, C, EHLO_TLS, C, BYE), ca_file=str(shelf / "ca.pem"))

    assert transcript.outcome is StageStatus.FAILED
    late = version is ssl.TLSVersion.TLSv1_3
    assert ids(transcript) in ([["tls.handshake-failed"], ["smtp.no-answer"]] if late else [["tls.handshake-failed"]])
    assert not late or "client certificate" in detail(transcript)


def test_external_shows_the_certificate_and_sends_no_password(shelf: Path, tmp_path: Path) -> None:
    """RFC 4422 appendix A."""
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    write_client(certificate, key)
    script = (*TO_TLS, C, b"250-mx\r\n250 AUTH PLAIN EXTERNAL\r\n", C, b"235 ok\r\n", C, BYE)

    transcript, server = probe_with(
        with_client_authority(shelf, certificate),
        script,
        ca_file=str(shelf / "ca.pem"),
        client_cert=str(certificate),
        client_key=str(key),
        auth_user="alice",
        auth_mechanism="external",
    )

    assert told(transcript)[-2:] == ["auth 235", "quit 221"]
    assert server.secure[1] == "AUTH EXTERNAL YWxpY2U="


def write_client(certificate: Path, key: Path) -> None:
    """A self-signed client certificate, which is its own authority."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
