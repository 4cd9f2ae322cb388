"""Saved sessions: whoever wrote them, the stages are recognised and the replies explained."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from smtpdoc.evidence.smtp import LineKind, Stage, StageStatus, Transcript
from smtpdoc.gather.replay import replayed
from smtpdoc.grammar.transcripts import parse_transcripts


def session(text: str) -> Transcript:
    """The only session of a text."""
    (saved,) = parse_transcripts(text)
    return replayed(saved)


def stages(transcript: Transcript) -> list[str]:
    return [f"{one.stage} {one.status}" for one in transcript.exchanges]


DIALOGUE = """\
S: 220 mx.example.net ESMTP
C: EHLO client.example
S: 250-mx.example.net
S: 250 STARTTLS
C: STARTTLS
S: 220 2.0.0 Ready
C: EHLO client.example
S: 250-mx.example.net
S: 250 SIZE 1000
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 Ok
"""


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "yesterday", ""])
def test_a_time_that_is_none_in_utc_is_left_out(at: str) -> None:
    chain = json.dumps({"version": "TLSv1.3", "cipher": "X", "chain": [{"not_before": at, "not_after": at}]})
    text = (
        f"# smtpdoc transcript 1\n## session target=mx.example.net:25 at={at}\n+0.1 S: 220 hi\\r\\n\n## tls {chain}\n"
    )

    transcript = session(text)

    assert transcript.observed_at is None
    assert transcript.tls is not None
    assert () == transcript.tls.chain


def test_what_a_stage_was_for_is_told_of_the_exchange_before_it() -> None:
    """Each of our own lines stands behind its exchange; the same recipient may be tried again."""
    purpose = '## stage {"stage": "rcpt", "status": "ok", "recipient": "a@b.example", "purpose": "control"}\n'
    rcpt = "+0.1 C: RCPT TO:<a@b.example>\\r\\n\n+0.1 S: 250 ok\\r\\n\n"

    transcript = session("# smtpdoc transcript 1\n## report 1\n+0.0 S: 220 hi\\r\\n\n" + rcpt + rcpt + purpose)

    assert [None, "control"] == [one.purpose for one in transcript.exchanges if one.stage is Stage.RCPT]


def test_the_second_ehlo_belongs_to_tls_also_where_tls_is_not_marked() -> None:
    transcript = session(DIALOGUE)

    assert [
        *("connect ok", "greeting ok", "ehlo ok", "starttls ok", "tls ok", "ehlo-tls ok", "mail ok"),
    ] == stages(transcript)
    assert {"STARTTLS": ""} == transcript.capabilities_before_tls
    assert {"SIZE": "1000"} == transcript.capabilities_after_tls
    assert "a@client.example" == transcript.mail_from
    assert "mx.example.net" == transcript.host == transcript.port_name


def test_pipelined_replies_are_paired_in_order() -> None:
    transcript = session(
        "S: 220 mx.example.net\nC: MAIL FROM:<>\nC: RCPT TO:<a@example.net>\nC: RCPT TO:<b@example.net>\nC: QUIT\n"
        "S: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 221 bye\n"
    )

    assert [("a@example.net", StageStatus.REFUSED), ("b@example.net", StageStatus.OK)] == [
        (one.recipient, one.status) for one in transcript.exchanges if one.stage is Stage.RCPT
    ]


def test_a_reply_that_nobody_asked_for_is_paired_with_nothing() -> None:
    transcript = session("S: 220 mx.example.net\nS: 250 surprise\nC: MAIL FROM:<>\nS: 451 4.3.0 later\n")

    assert ["surprise"] == [reply.text for reply in transcript.unsolicited]
    assert [StageStatus.DEFERRED] == [one.status for one in transcript.exchanges if one.stage is Stage.MAIL]
    assert LineKind.UNEXPECTED in [line.kind for line in transcript.lines]


def test_a_transcript_that_ends_before_a_reply_gives_no_verdict() -> None:
    transcript = session("S: 220 mx.example.net\nC: MAIL FROM:<>\n")
    last = transcript.exchanges[-1]

    assert last.failure is not None
    assert "the transcript ends before a reply to MAIL FROM:<>" == last.failure.detail
    assert StageStatus.FAILED is transcript.outcome


def test_where_only_the_server_is_heard_the_replies_tell_the_commands() -> None:
    transcript = session(
        "220 mx.example.net ESMTP\n250-mx.example.net\n250 SIZE 1000\n250 2.1.0 Ok\n"
        "550 5.1.1 <b@example.net>: unknown\n221 bye\n"
    )

    assert [
        *("connect ok", "greeting ok", "ehlo ok", "mail ok", "rcpt refused", "quit ok"),
    ] == stages(transcript)
    assert "b@example.net" == transcript.exchanges[-2].recipient


@pytest.mark.parametrize(
    ("error", "stage", "kind"),
    [
        ("Connection refused", "connect", "refused"),
        ("Connection timed out", "connect", "timeout"),
        ("Network is unreachable", "connect", "unreachable"),
        ("Name or service not known", "connect", "dns"),
    ],
)
def test_a_session_that_never_began_has_its_reason(error: str, stage: str, kind: str) -> None:
    transcript = session(
        f"=== Trying mx.example.net:25...\n*** Error connecting to mx.example.net:25:\n*** \t{error}\n"
    )
    (exchange,) = transcript.exchanges

    assert exchange.failure is not None
    assert (stage, kind) == (str(exchange.stage), str(exchange.failure.kind))
    assert ("mx.example.net", 25) == (transcript.host, transcript.port)


def test_a_lost_connection_is_a_failure_of_what_was_waited_for() -> None:
    transcript = session(
        "=== Trying mx.example.net:25...\n=== Connected to mx.example.net.\n<-  220 mx.example.net\n"
        " -> MAIL FROM:<>\n*** Remote host closed connection unexpectedly.\n"
    )

    assert "mail failed" == stages(transcript)[-1]


def test_times_become_durations() -> None:
    transcript = session(
        "+0.100000 S: 220 mx.example.net\\r\\n\n+0.200000 C: MAIL FROM:<>\\r\\n\n+0.450000 S: 250 ok\\r\\n\n"
    )

    assert 0.25 == pytest.approx(transcript.exchanges[-1].elapsed_s)


def test_names_that_are_none_do_not_become_a_host() -> None:
    transcript = session(
        "## session target=ev;il:25 address=- tls=auto\n+0.1 S: 220 \x1b]0;x\\r\\n\n# smtpdoc transcript 1\n"
    )

    assert "SERVER" == transcript.host


DATA = Path(__file__).parent.parent / "data" / "transcripts"


@pytest.mark.parametrize("file", sorted(DATA.glob("*.txt")), ids=lambda path: path.stem)
def test_no_password_of_a_saved_session_is_left(file: Path) -> None:
    secrets = ("wrongPa55word", "s3cret-Pa55")
    encoded = [
        b64encode(f"{before}{one}".encode()).decode().rstrip("=") for one in secrets for before in ("", "\0alice\0")
    ]
    for saved in parse_transcripts(file.read_text()):
        told = repr(saved) + repr(replayed(saved))

        assert [form for form in (*secrets, *encoded) if form in told] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Server Temp Key: X25519, 253 bits", ("x25519", 253)),
        ("Server Temp Key: ECDH, prime256v1, 256 bits", ("secp256r1", 256)),
        ("Server Temp Key: DH, 1024 bits", ("DHE", 1024)),
        ("Peer Temp Key: ECDH, secp384r1, 384 bits", ("secp384r1", 384)),  # OpenSSL 3.5
        ("Negotiated TLS1.3 group: X25519MLKEM768", ("X25519MLKEM768", None)),
        ("Negotiated TLS1.3 group: <NULL>", (None, None)),  # TLS 1.2
        ("Server Temp Key: X25519", (None, None)),
    ],
)
def test_the_group_that_openssl_names_is_kept_under_its_registered_name(
    line: str, expected: tuple[str | None, int | None]
) -> None:
    text = (DATA / "openssl-starttls.txt").read_text()
    tls = session(text.replace("Server Temp Key: X25519, 253 bits", line)).tls

    assert tls is not None
    assert (tls.group, tls.group_bits, tls.hello_retry) == (*expected, False)
