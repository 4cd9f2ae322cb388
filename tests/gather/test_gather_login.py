"""A login as a dialogue with a server that may break it: one attempt, broken off where the rules end."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode

import pytest
from support.probing import gather_probe
from support.scripted import Recorded, ScriptedDialer, ScriptedSession
from support.zone import run_now

from smtpdoc.evidence.smtp import Exchange, LineKind, Stage, StageStatus
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.grammar.secret import Secret
from smtpdoc.target import Target

HOST = "mx.example.net"
PASSWORD = "s3cret-Pa55"
GREETING, QUIT = f"220 {HOST}", "221 bye"


class Scram(ScriptedSession):
    """A server that knows the password, up to the message that `last` makes of its proof."""

    def __init__(self, last: str, code: str = "334 ", first_code: str = "334 ") -> None:
        super().__init__(())
        self._answers = [GREETING, f"250-{HOST}\n250 AUTH SCRAM-SHA-256"]
        self._last, self._code, self._first_code = last, code, first_code

    def send(self, *commands: object) -> None:
        super().send(*commands)  # type: ignore[arg-type]
        text = self.commands[-1]
        if text.startswith("AUTH "):
            self._first = b64decode(text.split()[2])[3:]
            nonce = re.search(rb"r=(.*)", self._first)
            assert nonce is not None
            self._challenge = b"r=" + nonce[1] + b"x,s=c2FsdA==,i=4096"
            self._answers.append(self._first_code + b64encode(self._challenge).decode())
        elif text == "QUIT":
            self._answers.append(QUIT)
        elif text in ("", "*"):
            self._answers.append("535 5.7.8 no" if text == "" and self._last.startswith("e=") else "235 2.7.0 ok")
        elif not text.startswith("EHLO"):
            final = b64decode(text)
            salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 4096)
            key = hmac.new(salted, b"Server Key", "sha256").digest()
            signed = self._first + b"," + self._challenge + b"," + final.partition(b",p=")[0]
            proof = "v=" + b64encode(hmac.new(key, signed, "sha256").digest()).decode()
            said = b64encode(self._last.format(proof=proof).encode()).decode() if self._last else ""
            self._answers.append(self._code + said)


def log_in(session: ScriptedSession, mechanism: str | None = None) -> tuple[Exchange, Recorded]:
    """Log in over clear text, which is allowed here; return the exchange and all that was told."""
    options = ProbeOptions(
        tls="none",
        helo="probe.example",
        auth_user="alice",
        auth_mechanism=mechanism,
        secret=Secret(PASSWORD),
        token=mechanism in ("XOAUTH2", "OAUTHBEARER"),
        allow_cleartext_auth=True,
    )
    recorded = Recorded()
    transcript = run_now(gather_probe(Target(HOST, 587), options, ScriptedDialer(session), recorded))
    return next(one for one in transcript.exchanges if one.stage is Stage.AUTH), recorded


def answering(mechanism: str, *answers: str) -> ScriptedSession:
    return ScriptedSession((GREETING, f"250-{HOST}\n250 AUTH {mechanism}", *answers, QUIT))


def test_scram_goes_through_with_a_server_that_proves_itself() -> None:
    login, _ = log_in(Scram("{proof}"))

    assert (StageStatus.OK, None) == (login.status, login.failure)


def test_a_proof_that_comes_with_the_acceptance_is_as_good() -> None:
    login, _ = log_in(Scram("{proof}", "235 "))

    assert StageStatus.OK is login.status


@pytest.mark.parametrize(
    ("last", "code"),
    [("v=AAAA", "334 "), ("", "235 "), ("v=AAAA", "235 "), ("Welcome", "235 "), ("e=other-error", "235 ")],
)
def test_a_server_that_proves_nothing_is_not_logged_in_to(last: str, code: str) -> None:
    """RFC 5802 section 5: it may be anybody."""
    session = Scram(last, code)

    login, _ = log_in(session)

    assert login.failure is not None
    assert (StageStatus.FAILED, "server-unproven", None) == (login.status, login.failure.word, login.reply)
    assert "QUIT" == session.commands[-1]


def test_an_acceptance_that_comes_before_our_own_proof_proves_nothing() -> None:
    session = Scram("{proof}", first_code="235 ")

    login, _ = log_in(session)

    assert login.failure is not None
    assert (StageStatus.FAILED, "server-unproven") == (login.status, login.failure.word)
    assert ["AUTH", "QUIT"] == [command.split()[0] for command in session.commands[1:]]


def test_the_error_of_a_scram_server_is_told_and_its_verdict_awaited() -> None:
    login, recorded = log_in(Scram("e=invalid-proof"))

    assert login.reply is not None
    assert (StageStatus.REFUSED, 535) == (login.status, login.reply.code)
    assert "the server's reason for refusing the login: invalid-proof (the password is wrong)" in notes(recorded)


def notes(recorded: Recorded) -> list[str]:
    return [line.text for line in recorded.lines if line.kind is LineKind.NOTE]


@pytest.mark.parametrize(
    ("mechanism", "answers", "words"),
    [
        ("PLAIN", ("334 ", "501 5.7.0 cancelled"), "it asks on where PLAIN is at its end"),
        ("PLAIN", ("334 ", "334 "), "it asks on where PLAIN is at its end"),
        ("LOGIN", ("334 Username:", "501 cancelled"), '"Username:" is not base64'),
        ("CRAM-MD5", ("334 <1@x>", "501 cancelled"), '"<1@x>" is not base64'),
        ("LOGIN", ("334 ", "334 ", "334 ", "501 cancelled"), "it asks on where LOGIN is at its end"),
    ],
)
def test_a_broken_dialogue_is_broken_off_once(mechanism: str, answers: tuple[str, ...], words: str) -> None:
    session = answering(mechanism, *answers)

    login, _ = log_in(session)

    assert login.failure is not None
    assert ("sasl-broken", f"the server breaks {mechanism}: {words}") == (login.failure.word, login.failure.detail)
    assert (StageStatus.FAILED, None) == (login.status, login.reply)
    assert ["*", "QUIT"] == session.commands[-2:]


@pytest.mark.parametrize("mechanism", ["NTLM", "GSSAPI", "SCRAM-SHA-256-PLUS"])
def test_a_mechanism_that_we_lack_is_not_begun(mechanism: str) -> None:
    session = ScriptedSession((GREETING, f"250-{HOST}\n250 AUTH PLAIN {mechanism}", QUIT))

    login, _ = log_in(session, mechanism)

    assert login.failure is not None
    assert (StageStatus.SKIPPED, "mechanism-unknown") == (login.status, login.failure.word)
    assert not any(command.startswith("AUTH") for command in session.commands)


def test_a_name_alone_is_not_hidden() -> None:
    """The user name stands in every answer to a login; hiding it would hide half of them."""
    session = answering("LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok")

    log_in(session)

    assert [PASSWORD] == sorted(set(session.hidden))


def test_a_token_that_is_given_back_inside_the_error_is_masked_in_its_note() -> None:
    inner = b64encode(PASSWORD.encode()).decode()
    error = b64encode(f'{{"status":"401","scope":"you sent {PASSWORD} {inner}"}}'.encode()).decode()

    _, recorded = log_in(answering("XOAUTH2", f"334 {error}", "535 5.7.8 no"), "XOAUTH2")

    (note,) = (text for text in notes(recorded) if "token" in text)
    assert note.endswith("scope you sent (hidden) (hidden)")
