"""No form of a password in anything that probe prints, keeps or logs, also where the server gives it back."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest
from support.command import Ran, Smtpdoc
from support.hostile import TLS, C, Step
from support.pki import server_context
from support.secrets import forms
from support.served import served
from support.shelf import HOST

PASSWORD = "s3cret+Pa55/wörd?"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER")
FORMATS = ("text", "json", "jsonl")


def echoes(password: str = PASSWORD) -> bytes:
    """A refusal that gives the password back in every form there is."""
    raw = password.encode()
    given = [raw, quote(password).encode(), quote(password, safe="").encode(), json.dumps(password)[1:-1].encode()]
    given += [raw.hex().encode(), escape(password).encode(), password[::-1].encode()]
    tokens = [b64encode(before + raw + b"tail") for before in (b"", b"x", b"xy", b"\0alice\0")]
    tokens += [b64encode(tokens[0]), b64encode(json.dumps({"scope": password}).encode())]
    given += [*tokens, *(token[:-5] for token in tokens), *(token[5:] for token in tokens), tokens[0].upper()]
    lines = [b"535-5.7.8 you said %s to me" % form for form in given]
    return b"\r\n".join((*lines, b"535 5.7.8 no\r\n"))


def probe(
    smtpdoc: Smtpdoc,
    shelf: Path,
    tmp_path: Path,
    mechanism: str,
    answers: tuple[Step, ...],
    *more: str,
    password: str = PASSWORD,
) -> tuple[Ran, str]:
    """Log in with the password, the server answering so; return how it ended, and all that was said or kept."""
    secret = tmp_path / "secret"
    secret.write_text(password)
    kept = tmp_path / "session.txt"
    context = server_context(shelf, "ec")
    offers = f"250-{HOST}\r\n250 AUTH {mechanism}\r\n".encode()
    script = (b"220 hi\r\n", C, b"250-mx\r\n250 STARTTLS\r\n", C, b"220 go\r\n", TLS, C, offers, C, *answers)
    source = "--auth-token-file" if mechanism in ("XOAUTH2", "OAUTHBEARER") else "--auth-password-file"
    with served(*script, context=context) as port:
        ran = smtpdoc(
            *("probe", f"{HOST}:{port}", "--resolve", f"{HOST}:127.0.0.1", "--ca-file", str(shelf / "ca.pem")),
            *("--auth-user", "alice", "--auth", mechanism, source, str(secret), "--timeout", "2"),
            *("--transcript", str(kept), *more),
        )
    return ran, ran.out + ran.err + kept.read_text()


def found_in(told: str, password: str = PASSWORD) -> list[str]:
    return [form for form in forms(password) if form in told]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_password_that_is_given_back_is_hidden_in_every_format(
    smtpdoc: Smtpdoc, shelf: Path, tmp_path: Path, mechanism: str, format_: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ran, told = probe(
        smtpdoc, shelf, tmp_path, mechanism, (echoes(), C, b"221 bye\r\n"), "--format", format_, "--verbose"
    )

    assert "(hidden)" in ran.out
    assert [] == found_in(told + caplog.text)


@pytest.mark.parametrize(
    "password",
    [
        "q7#xZ9!k",
        "a\"b\\c/d'e<f>&g",
        "p%41ss+w=6frd",
        "\u043f\u0430\u0440\u043e\u043b\u044c-7",
        "\u6f22\u5b57 mit Leerzeichen 9",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.b2rs-_7TdQ0nEwXHqPzV4",
        "x9" * 300,
    ],
)
@pytest.mark.parametrize("mechanism", ["PLAIN", "OAUTHBEARER"])
def test_passwords_of_any_kind_are_hidden(
    smtpdoc: Smtpdoc, shelf: Path, tmp_path: Path, mechanism: str, password: str
) -> None:
    answers: tuple[Step, ...] = (echoes(password), C, b"221 bye\r\n")
    if len(password) > 300:  # too long for the command: it follows the challenge (RFC 4954 section 4)
        answers = (b"334 \r\n", C, *answers)
    ran, told = probe(smtpdoc, shelf, tmp_path, mechanism, answers, "--verbose", password=password)
    replayed = smtpdoc("probe", "--replay", str(tmp_path / "session.txt"), "--json")

    assert 1 == ran.code
    assert [] == found_in(told + replayed.out + replayed.err, password)


@pytest.mark.parametrize("password", ["OK", "250", "password", "a", "AUTH", "STARTTLS", HOST])
def test_a_password_that_is_a_usual_word_is_neither_hidden_nor_in_the_way(
    smtpdoc: Smtpdoc, shelf: Path, tmp_path: Path, password: str
) -> None:
    """Holes in the server's own words would tell the password, and what was masked could not be understood."""
    answers = (b"235 2.7.0 OK\r\n", C, f"221 2.0.0 {HOST} closes\r\n".encode())

    ran, _ = probe(smtpdoc, shelf, tmp_path, "PLAIN", answers, password=password)

    assert 0 == ran.code
    assert "~> AUTH PLAIN (hidden)" in ran.out
    assert "<~  235 2.7.0 OK" in ran.out
    assert 1 == ran.out.count("(hidden)")


@pytest.mark.parametrize("ending", [b"", b"535 half " + PASSWORD.encode(), b"334 \r\n"])
def test_a_login_that_breaks_off_leaves_no_trace(smtpdoc: Smtpdoc, shelf: Path, tmp_path: Path, ending: bytes) -> None:
    _, told = probe(smtpdoc, shelf, tmp_path, "PLAIN", (ending, "close"), "--json")

    assert [] == found_in(told)


@pytest.mark.parametrize("format_", FORMATS)
def test_what_was_kept_can_be_replayed_without_a_trace(
    smtpdoc: Smtpdoc, shelf: Path, tmp_path: Path, format_: str
) -> None:
    probe(smtpdoc, shelf, tmp_path, "LOGIN", (echoes(), C, b"221 bye\r\n"))

    ran = smtpdoc("probe", "--replay", str(tmp_path / "session.txt"), "--format", format_, "--verbose")

    assert "535" in ran.out
    assert [] == found_in(ran.out + ran.err)


PLAIN = b64encode(b"\0alice\0" + PASSWORD.encode()).decode()
RESPONSES = {
    "PLAIN": f"AUTH PLAIN {PLAIN}\n",
    "PLAIN in two steps": f"AUTH PLAIN\n334 \n{PLAIN}\n",
    "LOGIN": "AUTH LOGIN\n334 VXNlcm5hbWU6\nYWxpY2U=\n334 UGFzc3dvcmQ6\n"
    + b64encode(PASSWORD.encode()).decode()
    + "\n",
    "XOAUTH2": "AUTH XOAUTH2 " + b64encode(f"user=alice\x01auth=Bearer {PASSWORD}\x01\x01".encode()).decode() + "\n",
    "in small letters": f"auth plain {PLAIN}\n",
    "with two blanks": "AUTH  LOGIN\n334 dXNlcm5hbWU6\nYWxpY2U=\n334 cGFzc3dvcmQ6\n"
    + b64encode(PASSWORD.encode()).decode()
    + "\n",
}


def marked(text: str, sent: str, received: str) -> str:
    lines = text.splitlines()
    return "".join(f"{received if line[:3].isdigit() else sent}{line}\n" for line in lines)


@pytest.mark.parametrize("marks", [(" ~> ", "<~  "), ("C: ", "S: "), ("> ", "< "), ("--> ", "<-- "), ("", "")])
@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_a_password_in_somebody_elses_transcript_is_hidden(
    smtpdoc: Smtpdoc, tmp_path: Path, response: str, marks: tuple[str, str]
) -> None:
    text = f"220 mx.example.net\nEHLO client.example\n250 mx.example.net\n{response}{echoes().decode()}QUIT\n221 bye\n"
    file = tmp_path / "session.txt"
    file.write_text(marked(text.replace("\r", ""), *marks))
    printed = ""
    for format_ in FORMATS:
        ran = smtpdoc("probe", "--replay", str(file), "--format", format_, "--verbose")

        assert 1 == ran.code
        printed += ran.out + ran.err

    assert "(hidden)" in printed
    assert [] == found_in(printed)
