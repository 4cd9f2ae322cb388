"""Parameters of MAIL FROM and RCPT TO: sent where they are offered, told where they are not."""

from __future__ import annotations

import pytest

from smtpdoc.errors import ParseError
from smtpdoc.grammar.parameters import (
    Wishes,
    mail_parameters,
    parse_envelope_id,
    parse_notify,
    rcpt_parameters,
    xtext,
)

EVERYTHING = {"SIZE": "1000", "8BITMIME": "", "BINARYMIME": "", "SMTPUTF8": "", "DSN": "", "REQUIRETLS": ""}
ALL = Wishes(99, "8bitmime", ("failure", "delay"), "full", "id 1", require_tls=True, utf8=True)


def test_all_that_is_offered_is_said() -> None:
    assert [one.text for one in mail_parameters(ALL, EVERYTHING)] == [
        *("SIZE=99", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=id+201", "REQUIRETLS")
    ]
    assert [one.text for one in rcpt_parameters(ALL, EVERYTHING, "<bob@example.net>")] == ["NOTIFY=FAILURE,DELAY"]


@pytest.mark.parametrize("missing", EVERYTHING)
def test_what_is_not_offered_is_not_sent(missing: str) -> None:
    wishes = Wishes(99, "binarymime" if missing == "BINARYMIME" else "8bitmime", ("never",), "hdrs", "a", True, True)
    offered = {keyword: "" for keyword in EVERYTHING if keyword != missing}
    told = (*mail_parameters(wishes, offered), *rcpt_parameters(wishes, offered, "<bob@example.net>"))

    assert {one.keyword for one in told if not one.sent} == {missing}


def test_nothing_wished_nothing_said() -> None:
    assert (mail_parameters(Wishes(), EVERYTHING), rcpt_parameters(Wishes(), EVERYTHING, "<bob@example.net>")) == (
        (),
        (),
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("<bob@example.net>", "ORCPT=rfc822;bob@example.net"),
        ("<a+b=c@example.net>", "ORCPT=rfc822;a+2Bb+3Dc@example.net"),
        ('<"a b"@example.net>', 'ORCPT=rfc822;"a+20b"@example.net'),
        ("<postmaster>", "ORCPT=rfc822;postmaster"),
        ("<rené+x@bücher.example>", r"ORCPT=utf-8;rené\x{2B}x@bücher.example"),  # RFC 6533 section 3
    ],
)
def test_the_original_recipient(path: str, text: str) -> None:
    wishes = Wishes(original_recipient=True)

    assert [one.text for one in rcpt_parameters(wishes, EVERYTHING, path)] == [text]
    assert [(one.text, one.sent) for one in rcpt_parameters(wishes, {}, path)] == [("ORCPT", False)]


@pytest.mark.parametrize(
    ("text", "words"),
    [("never", ("never",)), ("SUCCESS, failure", ("success", "failure")), ("delay,delay", ("delay",))],
)
def test_notify(text: str, words: tuple[str, ...]) -> None:
    assert parse_notify(text) == words


@pytest.mark.parametrize("text", ["", "always", "never,delay", "success,", "success failure"])
def test_not_notify(text: str) -> None:
    with pytest.raises(ParseError):
        parse_notify(text)


@pytest.mark.parametrize("text", ["", "a\r\nRCPT TO:<x@example.com>", "é", "x" * 101, "=" * 34])
def test_envelope_ids_that_fit_nowhere(text: str) -> None:
    """ "=" takes three characters in xtext, so 34 of them are 102."""
    with pytest.raises(ParseError):
        parse_envelope_id(text)


def test_xtext_of_rfc_3461_section_4() -> None:
    assert xtext("a+b=c~ !") == "a+2Bb+3Dc~+20!"
