"""Endings in words: the value in the sentence, and the next door to try."""

from __future__ import annotations

import errno
import socket

import pytest

from smtpdoc.evidence.smtp import FailureKind, Stage
from smtpdoc.net.failures import connect_failure, describe, place, quoted, tls_reason
from smtpdoc.net.smtp import Ending


@pytest.mark.parametrize(
    ("ending", "stage", "kind", "word", "sentence"),
    [
        (
            Ending("eof"),
            Stage.MAIL,
            FailureKind.CLOSED,
            "eof",
            "mx.example:587 closed the connection instead of answering MAIL",
        ),
        (
            Ending("reset-mid-reply", partial=b"250-half"),
            Stage.EHLO_TLS,
            FailureKind.CLOSED,
            "reset-mid-reply",
            'mx.example:587 reset the connection in the middle of a reply, after "250-half"',
        ),
        (
            Ending("timeout"),
            Stage.AUTH,
            FailureKind.TIMEOUT,
            "timeout",
            "mx.example:587 did not answer AUTH in time",
        ),
        (
            Ending("not-smtp", partial=b"what?"),
            Stage.EHLO,
            FailureKind.PROTOCOL,
            "not-smtp",
            'mx.example:587 sent "what?", which is no SMTP reply',
        ),
        (
            Ending("not-smtp", partial=b"+OK hi", protocol="POP3"),
            Stage.GREETING,
            FailureKind.PROTOCOL,
            "other-protocol",
            'mx.example:587 speaks POP3, not SMTP (it sent "+OK hi"); mail servers listen on port 25, 465 or 587',
        ),
        (
            Ending("line-too-long"),
            Stage.EHLO,
            FailureKind.PROTOCOL,
            "line-too-long",
            "mx.example:587 sent a line of more than 8 kB; the connection was dropped",
        ),
        (
            Ending("not-smtp"),
            Stage.GREETING,
            FailureKind.PROTOCOL,
            "not-smtp",
            "mx.example:587 sent an empty line, which is no SMTP reply",
        ),
        (
            Ending("timeout-mid-reply", partial=b"220-mx"),
            Stage.GREETING,
            FailureKind.TIMEOUT,
            "timeout-mid-reply",
            'mx.example:587 did not finish its greeting in time; what had arrived was "220-mx"',
        ),
        (
            Ending("timeout-mid-reply", partial=b"250 mx\r250 x"),
            Stage.EHLO,
            FailureKind.TIMEOUT,
            "timeout-mid-reply",
            (
                "mx.example:587 did not finish its answer to EHLO in time; what had arrived was "
                '"250 mx\\x0d250 x", where lines end in CR without LF'
            ),
        ),
        (
            Ending("tls-clear-answer", partial=b"421 sorry"),
            Stage.TLS,
            FailureKind.PROTOCOL,
            "tls-clear-deferral",
            'mx.example:587 agreed to STARTTLS and then put the handshake off in clear, with "421 sorry"',
        ),
        (
            Ending("tls-clear-answer", partial=b"500 what?"),
            Stage.TLS,
            FailureKind.PROTOCOL,
            "tls-clear-answer",
            'mx.example:587 agreed to STARTTLS and then answered the handshake in clear, with "500 what?"',
        ),
        (
            Ending("tls-clear-answer", partial=b"250 INJECTED"),
            Stage.TLS,
            FailureKind.PROTOCOL,
            "starttls-injection",
            (
                'mx.example:587 sent "250 INJECTED" in clear after it had agreed to STARTTLS; somebody on the way '
                "could have put it there, so the session was ended"
            ),
        ),
        (
            Ending("tls-failed", "TLSV1_ALERT_PROTOCOL_VERSION"),
            Stage.TLS,
            FailureKind.TLS,
            "tls-failed",
            (
                "the TLS handshake with mx.example:587 failed: it does not speak TLS 1.2 or later "
                "(tlsv1 alert protocol version)"
            ),
        ),
        (
            Ending("clear-text-before-tls", partial=b"250 INJECTED"),
            Stage.TLS,
            FailureKind.PROTOCOL,
            "starttls-injection",
            (
                'mx.example:587 sent "250 INJECTED" in clear after it had agreed to STARTTLS; somebody on the way '
                "could have put it there, so the session was ended"
            ),
        ),
    ],
)
def test_an_ending_becomes_a_sentence(
    ending: Ending, stage: Stage, kind: FailureKind, word: str, sentence: str
) -> None:
    failure = describe(ending, stage, "mx.example", 587, implicit=False, greeted=stage is not Stage.GREETING)

    assert (failure.kind, failure.word, failure.stage) == (kind, word, stage)
    assert failure.detail == sentence


@pytest.mark.parametrize(
    ("port", "hint"), [(22, "usually SSH"), (443, "usually HTTPS"), (25, "--timeout"), (465, "--tls implicit")]
)
def test_silence_is_read_by_the_port(port: int, hint: str) -> None:
    failure = describe(Ending("timeout"), Stage.GREETING, "mx.example", port, implicit=False, greeted=False)

    assert hint in failure.detail


def test_a_server_that_has_greeted_is_no_other_protocol() -> None:
    """A banner may begin like anything; after a 220 only the reply counts."""
    ending = Ending("eof-mid-reply", partial=b"+OK")

    assert describe(ending, Stage.EHLO, "mx.example", 25, implicit=False, greeted=True).word == "eof-mid-reply"
    assert describe(ending, Stage.GREETING, "mx.example", 25, implicit=False, greeted=False).word == "other-protocol"


def test_a_handshake_answered_by_another_protocol_names_it() -> None:
    ending = Ending("tls-clear-answer", partial=b"HTTP/1.1 400 Bad Request")
    failure = describe(ending, Stage.TLS, "mx.example", 465, implicit=True, greeted=False)

    assert failure.word == "other-protocol"
    assert failure.detail.startswith("mx.example:465 speaks HTTP, not SMTP")


@pytest.mark.parametrize(
    ("error", "address", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "?"), "fe80::1%nope", "no network interface nope"),
        (OSError(errno.EINVAL, "?"), "fe80::1", "[fe80::1%INTERFACE]"),
    ],
)
def test_an_address_that_needs_an_interface_says_which(error: OSError, address: str, words: str) -> None:
    failure = connect_failure(error, address, address, 25, None)

    assert (failure.kind, failure.word) == (FailureKind.UNREACHABLE, "no-interface")
    assert words in failure.detail


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "nothing"),
        (b"250-a\r\n250 b\r\n", '"250-a / 250 b"'),
        (b"\x1b[2J\xff", '"\\x1b[2J\\xff"'),
        (b"x" * 1000, '"' + "x" * 200 + '…"'),
    ],
)
def test_what_a_server_sent_is_quoted_safely(data: bytes, shown: str) -> None:
    assert quoted(data) == shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("NO_SHARED_CIPHER", "no cipher or version suits both sides (no shared cipher)"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "--client-cert"),
        ("SOMETHING_NEW", "something new"),
        ("", "no reason given"),
    ],
)
def test_reasons_of_openssl_are_put_in_words(reason: str, words: str) -> None:
    assert words in tls_reason(reason)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            FailureKind.REFUSED,
            "nothing listens there",
        ),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), FailureKind.TIMEOUT, "port 25 on the way out"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), FailureKind.CLOSED, "dropped the connection"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), FailureKind.UNREACHABLE, "no IPv6 way out"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), FailureKind.UNREACHABLE, "no IPv6 way out"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), FailureKind.UNREACHABLE, "does this machine have IPv6?"),
        (OSError(errno.EACCES, "Permission denied"), FailureKind.UNREACHABLE, "forbids connections"),
        (OSError(errno.EINVAL, "Invalid argument"), FailureKind.UNREACHABLE, "invalid argument"),
    ],
)
def test_a_failed_connect_says_what_the_system_said(error: OSError, kind: FailureKind, words: str) -> None:
    failure = connect_failure(error, "mx.example", "2001:db8::25", 25, None)

    assert (failure.kind, failure.stage) == (kind, Stage.CONNECT)
    assert "mx.example:25 at 2001:db8::25" in failure.detail
    assert words in failure.detail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), "does not have the address 203.0.113.9"),
        (socket.gaierror(socket.EAI_FAMILY, "?"), "203.0.113.9 is no IPv6 address of ours"),
    ],
)
def test_a_source_address_that_cannot_be_used_is_named(error: OSError, words: str) -> None:
    failure = connect_failure(error, "mx.example", "2001:db8::25", 25, "203.0.113.9")

    assert (failure.kind, failure.word) == (FailureKind.UNREACHABLE, "source-address")
    assert words in failure.detail


def test_a_place_names_the_address_only_where_it_is_another() -> None:
    assert place("mx.example", "192.0.2.1", 25) == "mx.example:25 at 192.0.2.1"
    assert place("2001:db8::1", "2001:db8::1", 25) == "[2001:db8::1]:25"
