"""Wrong doors and slow ones: what else speaks in three-digit codes, what delays, and what was said too often."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.scripted import reply
from support.sessions import HOST, exchange, handshake, session

from smtpdoc.catalog.checks import extensions, smtp
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Line, LineKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Finding, Level

CONNECTED = Exchange(Stage.CONNECT, "", None, None, False, 0.02)
GREETED = exchange(Stage.GREETING, "220 mx.example.net ESMTP")


def refused(stage: Stage, text: str) -> Exchange:
    return replace(exchange(stage, text), status=StageStatus.REFUSED)


def failed(stage: Stage, kind: FailureKind, word: str) -> Exchange:
    return Exchange(stage, "", None, Failure(kind, stage, "what happened", word), False, 0.5, status=StageStatus.FAILED)


def findings(transcript: Transcript) -> dict[str, Finding]:
    return {one.id: one for one in (*smtp.checks.run(transcript), *extensions.checks.run(transcript))}


@pytest.mark.parametrize(
    ("greeting", "ehlo", "protocol"),
    [
        ("220 (vsFTPd 3.0.5)", "530 Please login with USER and PASS.", "FTP"),
        ("220 ProFTPD Server (Debian)", "500 EHLO not understood", "FTP"),
        ("220 ready", "530 Please login with USER and PASS.", "FTP"),
        ("220 mx.example.net Dovecot ready.", "500 5.5.1 Unknown command", "LMTP"),
        ("220 mx.example.net LMTP", "502 5.5.2 what?", "LMTP"),
        ("220 mx.example.net", "500 5.5.1 use LHLO, please", "LMTP"),
    ],
)
def test_protocols_that_greet_like_smtp_are_named(greeting: str, ehlo: str, protocol: str) -> None:
    hellos = (refused(Stage.EHLO, ehlo), refused(Stage.EHLO, ehlo))
    told = findings(session(CONNECTED, exchange(Stage.GREETING, greeting), *hellos))

    assert list(told) == ["smtp.other-protocol"]
    assert f"speaks {protocol}, not SMTP" in told["smtp.other-protocol"].message


@pytest.mark.parametrize(
    ("greeting", "hellos"),
    [
        ("220 ftp.example.net ESMTP", (exchange(Stage.EHLO, "250 ftp.example.net"),)),
        ("220 mx.example.net ESMTP", (refused(Stage.EHLO, "550 5.7.1 who are you"),)),
        ("220 mx.example.net Dovecot (Debian) ready.", (refused(Stage.EHLO, "500 5.5.2 Line too long"),)),
        ("220 ftp.example.net", (refused(Stage.EHLO, "502 what"), exchange(Stage.EHLO, "250 hello"))),
    ],
)
def test_a_mail_server_with_such_a_word_in_its_name_is_one(greeting: str, hellos: tuple[Exchange, ...]) -> None:
    assert "smtp.other-protocol" not in findings(session(CONNECTED, exchange(Stage.GREETING, greeting), *hellos))


def test_a_positive_greeting_that_is_no_220_is_another_protocol_and_no_refusal() -> None:
    told = findings(session(CONNECTED, refused(Stage.GREETING, "200 news.example.net INN ready")))

    assert list(told) == ["smtp.other-protocol"]
    assert "speaks NNTP" in told["smtp.other-protocol"].message


def test_what_breaks_off_in_a_session_is_no_wrong_port() -> None:
    (told,) = findings(session(CONNECTED, GREETED, failed(Stage.EHLO, FailureKind.PROTOCOL, "not-smtp"))).values()

    assert told.id == "smtp.other-protocol"
    assert told.paste == ("smtpdoc probe mx.example.net:587",)
    assert "spoke SMTP until then" in told.fix


@pytest.mark.parametrize(
    ("stage", "kind", "word", "advice"),
    [
        (Stage.GREETING, FailureKind.TIMEOUT, "timeout-mid-reply", "tarpit"),
        (Stage.EHLO, FailureKind.TIMEOUT, "timeout", "more time"),
        (Stage.GREETING, FailureKind.CLOSED, "eof", "too many connections"),
        (Stage.GREETING, FailureKind.CLOSED, "eof-mid-reply", "as far as it goes"),
        (Stage.EHLO, FailureKind.CLOSED, "reset-mid-reply", "as far as it goes"),
    ],
)
def test_no_answer_has_advice_for_how_it_ended(stage: Stage, kind: FailureKind, word: str, advice: str) -> None:
    (told,) = findings(session(CONNECTED, failed(stage, kind, word))).values()

    assert told.id == "smtp.no-answer"
    assert advice in told.fix


def test_the_same_surplus_reply_is_told_once_with_its_number() -> None:
    surplus = (reply("250 more"),) * 50 + (reply("250 other"),) + (reply("421 closing"),)
    told = [one for one in smtp.checks.run(session(unsolicited=surplus)) if one.id == "smtp.surplus-reply"]

    assert [(one.message, one.facts["times"]) for one in told] == [
        ("mx.example.net sent 250 more unasked, 50 times", 50),
        ("mx.example.net sent 250 other unasked", 1),
    ]


def test_a_flood_after_quit_leaves_the_verdict() -> None:
    at_ehlo, at_quit = (
        findings(session(failed(stage, FailureKind.PROTOCOL, "reply-too-long"))) for stage in (Stage.EHLO, Stage.QUIT)
    )

    assert (Level.ERROR, Level.WARNING) == (at_ehlo["smtp.runaway-reply"].level, at_quit["smtp.runaway-reply"].level)


def test_a_command_that_arrived_as_xxxx_points_to_the_firewall() -> None:
    told = findings(session(refused(Stage.STARTTLS, '500 5.5.1 Command unrecognized: "XXXXXXXX"')))

    assert "SMTP inspection" in told["smtp.starttls-refused"].fix


def test_a_server_that_knows_helo_only_is_not_refusing_our_name() -> None:
    told = findings(session(refused(Stage.EHLO, "502 5.5.1 what"), exchange(Stage.EHLO, "250 hello", command="HELO x")))

    assert "--helo" not in told["smtp.ehlo-refused"].fix


def slow(stage: Stage, elapsed_s: float) -> Exchange:
    return exchange(stage, "250 ok", elapsed_s=elapsed_s)


@pytest.mark.parametrize(
    ("connect_s", "replies_s", "expected"),
    [
        (0.02, (1.5, 1.5, 1.5), True),
        (0.02, (1.5, 1.5, 0.1), False),
        (0.9, (1.5, 1.5, 1.5), False),  # it is far away
        (0.9, (5.1, 0.1, 0.1), True),
    ],
)
def test_a_tarpit_is_told_from_a_long_way(connect_s: float, replies_s: tuple[float, ...], expected: bool) -> None:
    stages = zip((Stage.EHLO, Stage.MAIL, Stage.RCPT), replies_s, strict=True)
    transcript = session(replace(CONNECTED, elapsed_s=connect_s), GREETED, *(slow(stage, s) for stage, s in stages))

    assert expected is ("smtp.slow-reply" in findings(transcript))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("250-a", "250-b", "250 c"), True),
        (("250 a", "250 b", "250 c"), False),  # three replies
        (("250-a", "250 b"), False),
    ],
)
def test_a_reply_that_comes_line_by_line_with_pauses_is_named(texts: tuple[str, ...], expected: bool) -> None:
    lines = tuple(Line(LineKind.RECEIVED, text, False, 0.6 * number) for number, text in enumerate(texts))

    assert expected is ("smtp.dripped-reply" in findings(session(GREETED, lines=lines)))


def test_very_many_extensions_are_counted() -> None:
    before = {f"X-EXT{number}": "" for number in range(400)}
    transcript = session(capabilities_before_tls=before, capabilities_after_tls={}, tls=handshake())

    message = findings(transcript)["smtp.extensions-lost"].message

    assert message.endswith("X-EXT7 and 392 more before TLS only")


def unreached(kind: FailureKind, word: str, detail: str = "what happened", **changes: object) -> Finding:
    failure = Failure(kind, Stage.CONNECT, detail, word)
    tried = Exchange(Stage.CONNECT, "", None, failure, False, 0.5, status=StageStatus.FAILED)
    (told,) = findings(session(tried, **changes)).values()
    return told


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("no-network", "own network"),
        ("no-interface", "behind the %"),
        ("source-address", "--source-ip"),
        ("forbidden-here", "on this machine"),
        ("no-route", "another network"),
    ],
)
def test_local_causes_are_mended_here(word: str, advice: str) -> None:
    assert advice in unreached(FailureKind.UNREACHABLE, word).fix


@pytest.mark.parametrize(
    ("detail", "here", "paste"),
    [
        ("the resolver could not answer for mx.example.net: Temporary failure", True, ""),
        ("DNS gave no answer for mx.example.net MX: 192.0.2.53 cannot be reached: no route", True, "--mx "),
        ("DNS gave no answer for mx.example.net MX: SERVFAIL", False, "--mx "),
    ],
)
def test_a_resolver_out_of_reach_is_told_from_a_name_that_fails(detail: str, here: bool, paste: str) -> None:
    told = unreached(FailureKind.DNS, "dns-servfail", detail)

    assert here is ("whether the machine has a network" in told.fix)
    assert (f"smtpdoc probe mx.example.net:587 {paste}--nameserver 9.9.9.9",) == told.paste


@pytest.mark.parametrize(
    ("address", "port", "expected"), [("9.9.9.9", 25, True), ("9.9.9.9", 587, False), ("10.1.2.3", 25, False)]
)
def test_a_refusal_on_port_25_may_be_this_sides(address: str, port: int, expected: bool) -> None:
    told = unreached(FailureKind.REFUSED, "refused", address=address, port=port)

    assert expected is ("a firewall on this side" in told.fix)


def test_an_address_of_the_other_family_is_no_spelling_mistake() -> None:
    told = unreached(FailureKind.DNS, "no-address", host="192.0.2.1")

    assert ("Leave out -4 or -6" in told.fix, told.paste) == (True, ())


def test_a_name_without_an_address_of_the_family_is_no_spelling_mistake() -> None:
    told = unreached(FailureKind.DNS, "no-family-address")

    assert "Leave out -4 or -6" in told.fix
    assert (f"smtpdoc probe {HOST}:587",) == told.paste


@pytest.mark.parametrize("word", ["source-address", "no-interface"])
def test_the_other_family_is_no_way_out_of_a_wrong_address_of_ours(word: str) -> None:
    assert () == unreached(FailureKind.UNREACHABLE, word, address="192.0.2.25").paste


@pytest.mark.parametrize(
    ("port", "words", "paste"),
    [
        (443, "port 443 is mostly HTTPS", f"smtpdoc probe {HOST}:587"),
        (993, "port 993 is mostly IMAP over TLS", f"smtpdoc probe {HOST}:587"),
        (465, "what happened", f"smtpdoc probe {HOST}:465 --tls implicit"),
        (25, "what happened", f"smtpdoc probe {HOST}:25 --timeout 300"),
    ],
)
def test_silence_has_a_door_beside_it(port: int, words: str, paste: str) -> None:
    silence = failed(Stage.GREETING, FailureKind.TIMEOUT, "timeout")

    told = findings(session(CONNECTED, silence, port=port))["smtp.silent"]

    assert words in told.message
    assert (paste,) == told.paste
