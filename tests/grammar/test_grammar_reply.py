"""A reply is read however it was pasted: raw, folded, in a log or bounce line, or as a bare code."""

# ruff: noqa: E501 (log lines are quoted whole)
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpdoc.errors import ParseError
from smtpdoc.grammar.reply import MAX_LINES, Reply, ReplyLine, ReplyParseError, parse_reply, reply_from_lines

LABELLED = Path(__file__).parents[1] / "data" / "replies" / "labelled.jsonl"
ROWS = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]

GMAIL = (
    "550-5.7.26 Unauthenticated email from example.com is not accepted",
    "550-5.7.26 due to domain's DMARC policy.",
    "550 5.7.26 a1-20020a05 - gsmtp",
)
GMAIL_LINES = (
    "Unauthenticated email from example.com is not accepted",
    "due to domain's DMARC policy.",
    "a1-20020a05 - gsmtp",
)


@pytest.mark.parametrize(
    "pasted",
    [
        "\n".join(GMAIL),
        "\r\n".join(GMAIL) + "\r\n",
        "\\n".join(GMAIL),
        "\\r\\n".join(GMAIL),
        " ".join(GMAIL),
        '"' + " ".join(GMAIL) + '"',
        "“" + "\n".join(GMAIL) + "”",
        "\n".join("> " + line for line in GMAIL),
        "\n".join("<-  " + line for line in GMAIL),
        "host gmail-smtp-in.l.google.com[192.0.2.26] said: " + " ".join(GMAIL) + " (in reply to end of DATA command)",
        "Diagnostic-Code: smtp; " + "\n    ".join(GMAIL),
    ],
)
def test_a_multi_line_reply_is_one_reply_however_it_is_pasted(pasted: str) -> None:
    reply = parse_reply(pasted)

    assert (550, "5.7.26", GMAIL_LINES) == (reply.code, reply.enhanced, reply.lines)


WRAPPED = [
    # Postfix, with the remote reply; then in its own words
    (
        ("Nov 20 10:00:00 mx postfix/smtp[1]: 3F: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=0.5, "
        "delays=0.1/0/0.2/0.2, dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: "
        "Recipient address rejected: User unknown (in reply to RCPT TO command))"),
        (550, "5.1.1", "<a@b.example>: Recipient address rejected: User unknown"),
    ),
    (
        ("postfix/smtp[1]: 3F: to=<a@b.example>, relay=none, dsn=4.4.1, status=deferred (connect to "
        "mx.b.example[192.0.2.1]:25: Connection refused)"),
        (None, "4.4.1", "connect to mx.b.example[192.0.2.1]:25: Connection refused"),
    ),
    # The dsn=4.0.0 that Postfix adds must not beat the server's own code
    (
        "dsn=4.0.0, status=deferred (host mx.b.example[192.0.2.1] refused to talk to me: 554 5.7.1 Blocked)",
        (554, "5.7.1", "Blocked"),
    ),
    (
        ("postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 450 4.7.1 <a@b.example>: Greylisted; "
        "from=<x@y.example> to=<a@b.example> proto=ESMTP helo=<h>"),
        (450, "4.7.1", "<a@b.example>: Greylisted"),
    ),
    # Exim
    (
        ("2026-11-20 10:00:00 1abc-0001Xy-2Z ** user@b.example R=dnslookup T=remote_smtp: SMTP error from remote mail "
        "server after RCPT TO:<user@b.example>: host mx.b.example [192.0.2.1]: 550 5.1.1 No such user"),
        (550, "5.1.1", "No such user"),
    ),
    (
        "2026-11-20 10:00:00 1abc-0001Xy-2Z == user@b.example R=dnslookup T=remote_smtp defer (111): Connection refused",
        (None, None, "Connection refused"),
    ),
    (
        "SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=222: host mx [192.0.2.1]: 550 Refused",
        (550, None, "Refused"),
    ),
    # Sendmail
    ("to=<a@b.example>, mailer=esmtp, dsn=5.1.1, stat=User unknown", (None, "5.1.1", "User unknown")),
    # qmail
    (
        "delivery 5: failure: 192.0.2.11_does_not_like_recipient./Remote_host_said:_550_5.1.1_No_such_user/Giving_up_on_192.0.2.11./",
        (550, "5.1.1", "No such user"),
    ),
    # KumoMTA
    (
        '{"type":"Bounce","response":{"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"nobody"}}',
        (550, "5.1.1", "nobody"),
    ),
    # Exchange tracking log
    ('RECEIVE,"550 5.4.310 DNS domain b.example does not exist",2048', (550, "5.4.310", "DNS domain b.example does not exist")),
    # Bounces
    ("Status: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Over quota\nRemote-MTA: dns; mx.b.example", (552, "5.2.2", "Over quota")),
    ("Action: failed\nStatus: 5.2.1\nDiagnostic-Code: X-Unix; mailbox is off", (None, "5.2.1", "mailbox is off")),
    ("smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", (550, "5.1.1", "RESOLVER.ADR.RecipNotFound; not found")),
    ("mx.b.example [192.0.2.25] did not like our RCPT TO:525 5.7.13 Disabled", (525, "5.7.13", "Disabled")),
    # The reply on a line of its own: Exim's and Gmail's bounces, qmail's
    (
        "user@b.example\n  host mx.b.example [192.0.2.1]\n  SMTP error from remote mail server after RCPT TO:<user@b.example>:\n  450 4.2.0 Greylisted for 60 seconds: retry timeout exceeded",
        (450, "4.2.0", "Greylisted for 60 seconds"),
    ),
    ("The response from the remote server was:\n553 Sorry, no", (553, None, "Sorry, no")),
    (
        "<user@b.example>:\n192.0.2.35 does not like recipient.\nRemote host said: 550 No such user\nGiving up on 192.0.2.35.",
        (550, None, "No such user"),
    ),
    (
        "x == user@b.example R=r T=t H=mx.b.example [192.0.2.1] X=TLS1.2:AES:256 CV=no: SMTP error from remote mail server after DATA: 421 4.7.0 Later",
        (421, "4.7.0", "Later"),
    ),
    # A listing with a count before the log line
    ("276   ** user@b.example R=r T=t: 550 No such user", (550, None, "No such user")),
    # Exim refusing
    ("2026-09-19 05:55:23 H=h [192.0.2.1] F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted", (None, None, "relay not permitted")),
    # IronPort: the other side's reply is in quotes
    (
        "The reason for the problem:\n5.3.0 - Other mail system problem 550-'5.7.1 Rejected as spam'",
        (550, "5.7.1", "Rejected as spam"),
    ),
    # Exceptions of mail libraries
    ("smtplib.SMTPRecipientsRefused: {'a@b.example': (550, b'5.1.1 <a@b.example>: User unknown')}", (550, "5.1.1", "<a@b.example>: User unknown")),
    ("SMTPSenderRefused: (530, b'5.7.0 Login\\n5.7.0 first', 'a@b.example')", (530, "5.7.0", "Login first")),
    ("SMTPSenderRefused: (550, Sender verify failed)", (550, None, "Sender verify failed")),
    (
        'Swift_TransportException: Expected response code 250 but got code "535", with message "535-5.7.8 Not accepted\r\n535 5.7.8 see there\r\n"',
        (535, "5.7.8", "Not accepted see there"),
    ),
    (
        "SMTP Error: data not accepted.SMTP server error: DATA END command failed Detail: Classified as SPAM SMTP code: 550 Additional SMTP info: 5.7.1",
        (550, "5.7.1", "Classified as SPAM"),
    ),
    ("com.sun.mail.smtp.SMTPSendFailedException: 552 #5.3.4 too big", (552, "5.3.4", "too big")),
    ("System.Net.Mail.SmtpException: Mailbox unavailable. The server response was: 5.7.1 Unable to relay", (None, "5.7.1", "Unable to relay")),
    ("Message failed: 554 5.0.0 no", (554, "5.0.0", "no")),
    ("354 End data with <CR><LF>.<CR><LF> 451 4.3.0 Error: queue file write error", (451, "4.3.0", "Error: queue file write error")),
]  # fmt: skip


@pytest.mark.parametrize(("pasted", "expected"), WRAPPED)
def test_the_inner_reply_beats_the_wrapper(pasted: str, expected: tuple[int | None, str | None, str]) -> None:
    reply = parse_reply(pasted)

    assert expected == (reply.code, reply.enhanced, reply.text)


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("host MX.b.example[192.0.2.1] said: 550 no", "mx.b.example"),
        ("to=<a@b.example>, relay=mx.b.example. [192.0.2.1], dsn=4.1.8, stat=Deferred: 450 4.1.8 no", "mx.b.example"),
        ("** a@b.example T=t H=mx.b.example [192.0.2.1]: SMTP error from remote mail server: 550 no", "mx.b.example"),
        ("Remote-MTA: dns; mx.b.example\nDiagnostic-Code: smtp; 550 no", "mx.b.example"),
        ("host 127.0.0.1[127.0.0.1] said: 550 no", None),
        ("NOQUEUE: reject: RCPT from mx.b.example[192.0.2.1]: 550 no", None),
        ("550 5.1.1 host mx.b.example said no", None),
    ],
)
def test_the_wrapper_names_the_host_that_said_it(pasted: str, host: str | None) -> None:
    assert host == parse_reply(pasted).remote_host


BARE = [
    ("550", (550, None, "")),
    ("5.7.26", (None, "5.7.26", "")),
    ("(#5.1.1)", (None, "5.1.1", "")),
    ("550 5.1.1", (550, "5.1.1", "")),
    ("user unknown", (None, None, "user unknown")),
    ("SMTP error code 550", (550, None, "")),
    ("550: 5.1.1 no such user", (550, "5.1.1", "no such user")),
    ("421 4.7.0: Sender IP rejected", (421, "4.7.0", "Sender IP rejected")),
]


@pytest.mark.parametrize(("pasted", "expected"), BARE)
def test_a_code_or_a_text_alone_is_a_reply(pasted: str, expected: tuple[int | None, str | None, str]) -> None:
    reply = parse_reply(pasted)

    assert expected == (reply.code, reply.enhanced, reply.text)


ENHANCED = [
    # (reply, enhanced code, why)
    ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "5.7.1", "qmail's place"),
    ("554 *.example.com cmsmtp 5.7.1 Service unavailable", "5.7.1", "after a session tag"),
    ("501 Rcpt-To validation failed: RCPT TO not accepted: 5.7.1 not configured", "5.7.1", "in mid-sentence"),
    ("421 example.yahoo.example Resources unavailable [#4.16.1]", None, "Yahoo's own numbers have no subject 16"),
    ("550 192.0.2.1 is listed", None, "an address"),
    ("554 5.7.1.2 is listed", None, "an address that begins like a code"),
    ("550 rejected by Exim 4.9.3", None, "a version"),
    ("550 see http://www.example.org/5.1.1 for help", None, "a path"),
    ("220 mx.example.net ESMTP version 5.1.2", None, "a greeting has no enhanced code (RFC 2034 section 4)"),
    ("220 2.0.0 Ready to start TLS", "2.0.0", "STARTTLS answers with one"),
]


@pytest.mark.parametrize(("pasted", "enhanced", "why"), ENHANCED)
def test_numbers_that_are_no_enhanced_codes_are_left_alone(pasted: str, enhanced: str | None, why: str) -> None:
    assert enhanced == parse_reply(pasted).enhanced, why


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["reply"][:40])
def test_the_codes_of_real_replies_are_found(row: dict[str, str | None]) -> None:
    reply = parse_reply(row["reply"] or "")

    assert (row["basic"], row["enhanced"]) == (str(reply.code) if reply.code else None, reply.enhanced)


def test_a_reply_in_its_bounce_or_log_line_has_the_same_codes() -> None:
    rows = [row for row in ROWS if "embedded" in row]
    wrong = [
        row["embedded"]
        for row in rows
        if (str(parse_reply(row["embedded"]).code), parse_reply(row["embedded"]).enhanced)
        != (row["basic"], row["enhanced"])
    ]

    # IronPort writes "5.3.0 - Other mail system problem 550-'…'": its own enhanced code stands first there.
    assert len(wrong) <= 1 < len(rows), wrong


@pytest.mark.parametrize("nothing", ["", "   ", "\r\n", '""', "...", "\x00\x07", "-", "(#)", "<>"])
def test_nothing_to_read_is_a_parse_error(nothing: str) -> None:
    with pytest.raises(ReplyParseError, match="expected a reply"):
        parse_reply(nothing)


def test_lines_of_the_wire_make_a_reply() -> None:
    lines = [
        ReplyLine(250, False, "2.1.0 first", b"250-2.1.0 first"),
        ReplyLine(250, True, "2.1.0 second", b"250 2.1.0 second"),
    ]

    assert Reply(250, "2.1.0", ("first", "second"), "first second") == reply_from_lines(lines)


def test_different_codes_in_one_reply_are_a_fault_and_the_last_decides() -> None:
    lines = [ReplyLine(250, False, "a", b"250-a"), ReplyLine(550, True, "b", b"550 b")]

    assert (550, ("bare-lf", "mixed-codes")) == (
        reply_from_lines(lines, ["bare-lf"]).code,
        reply_from_lines(lines, ["bare-lf"]).faults,
    )


def test_an_ehlo_answer_keeps_its_lines() -> None:
    reply = parse_reply("250-mx.example.net\n250-SIZE 1000\n250 STARTTLS")

    assert ("mx.example.net", "SIZE 1000", "STARTTLS") == reply.lines


def test_endless_replies_are_cut() -> None:
    assert len(parse_reply("250-x\n" * 10000).lines) <= MAX_LINES


@pytest.mark.parametrize("pasted", [" ".join(GMAIL), *(case[0] for case in WRAPPED)])
def test_every_prefix_is_a_value_or_a_parse_error(pasted: str) -> None:
    """Fed byte by byte: whatever has arrived so far is read or refused, nothing else."""
    outcomes: set[type[object]] = set()
    for end in range(len(pasted) + 1):
        try:
            outcomes.add(type(parse_reply(pasted[:end])))
        except ParseError as refused:
            outcomes.add(type(refused))

    assert {Reply, ReplyParseError} == outcomes


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_text_is_a_value_or_a_parse_error(text: str) -> None:
    try:
        reply = parse_reply(text)
    except ReplyParseError:
        return

    assert reply.lines
    assert reply.code is None or 200 <= reply.code <= 599


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ROWS), st.data())
def test_damaged_replies_are_read_or_refused(row: dict[str, str], data: st.DataObject) -> None:
    text = row["reply"]
    at = data.draw(st.integers(0, len(text)))
    noise = data.draw(st.text(max_size=5))
    cut = data.draw(st.integers(0, 5))
    try:
        reply = parse_reply(text[:at] + noise + text[at + cut :])
    except ReplyParseError:
        return

    assert reply.lines
