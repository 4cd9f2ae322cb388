"""SASL dialogues against the exchanges that their documents print."""

from __future__ import annotations

import re

import pytest

from smtpdoc.grammar.sasl import (
    MECHANISMS,
    Dialogue,
    ProofError,
    SaslError,
    bearer_error,
    choose,
    cram_md5,
    dialogue,
    encode_response,
    external,
    login,
    oauthbearer,
    parse_challenge,
    plain,
    scram,
    scram_error,
    xoauth2,
)
from smtpdoc.grammar.secret import Secret


def talk(steps: Dialogue, *challenges: bytes) -> list[bytes | None]:
    """Return everything the client says."""
    said = [next(steps)]
    said += [steps.send(challenge) for challenge in challenges]
    return said


def test_plain_is_rfc_4616() -> None:
    assert talk(plain("tim", Secret("tanstaaftanstaaf"))) == [b"\0tim\0tanstaaftanstaaf"]


def test_login_answers_two_prompts_whatever_they_say() -> None:
    assert talk(login("alice", Secret("pw")), b"Username:", b"Who goes there?") == [None, b"alice", b"pw"]


def test_cram_md5_is_rfc_2195_section_2() -> None:
    said = talk(cram_md5("tim", Secret("tanstaaftanstaaf")), b"<1896.697170952@postoffice.reston.mci.net>")

    assert said == [None, b"tim b913a602c7eda7a495b4e6e7334d3890"]


def test_external_is_rfc_4422_appendix_a() -> None:
    assert talk(external("fred@example.com", Secret(""))) == [b"fred@example.com"]


def test_xoauth2_answers_an_error_with_an_empty_line() -> None:
    said = talk(xoauth2("alice@example.com", Secret("ya29.x")), b'{"status":"401"}')

    assert said == [b"user=alice@example.com\1auth=Bearer ya29.x\1\1", b""]


def test_oauthbearer_is_rfc_7628_section_4() -> None:
    said = talk(oauthbearer("user@example.com", Secret("vF9dft4qmTc2Nvb3")), b'{"status":"invalid_token"}')

    assert said == [b"n,a=user@example.com,\1auth=Bearer vF9dft4qmTc2Nvb3\1\1", b"\1"]


def test_scram_sha_1_is_rfc_5802_section_5() -> None:
    said = talk(
        scram("user", Secret("pencil"), "sha1", "fyko+d2lbbFgONRv9qkxdawL"),
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    )

    assert said == [
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"",
    ]


def test_scram_sha_256_is_rfc_7677_section_3() -> None:
    said = talk(
        scram("user", Secret("pencil"), "sha256", "rOprNGfwEbeRWgbNEkqO"),
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    )

    assert said[1] == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=another,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=nonce,s=QSXCR+Q6sek8bf92,i=4096",  # our own nonce, nothing added
        b"r=nonce1,s=QSXCR+Q6sek8bf92,i=1",
        b"r=nonce1,s=QSXCR+Q6sek8bf92,i=999999999",
        b"r=nonce1,s=QSXCR+Q6sek8bf92,i=-4096",
        b"r=nonce1,s=not base64,i=4096",
        b"r=nonce1,s=QSXCR+Q6sek8bf92",
        b"m=mandatory,r=nonce1,s=QSXCR+Q6sek8bf92,i=4096",
        b"\xff",
        b"",
    ],
)
def test_scram_refuses_a_server_that_breaks_it(challenge: bytes) -> None:
    steps = scram("user", Secret("pencil"), "sha1", "nonce")
    next(steps)

    with pytest.raises(SaslError):
        steps.send(challenge)


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (b"r=nonce1,s=QSXCR+Q6sek8bf92,i=1", "its iteration count is 1, and below 4096"),
        (b"r=nonce1,s=QSXCR+Q6sek8bf92,i=10000000", "its iteration count is 10000000; above 600000"),
        (b"r=nonce1,s=QSXCR+Q6sek8bf92,i=" + b"9" * 5000, "its iteration count is 999999999999...; above"),
        (b"r=nonce1,i=4096", "no salt"),
        (b"r=other1,s=QSXCR+Q6sek8bf92,i=4096", "its nonce does not go on from ours"),
    ],
)
def test_scram_says_what_a_server_broke(challenge: bytes, words: str) -> None:
    steps = scram("user", Secret("pencil"), "sha1", "nonce")
    next(steps)

    with pytest.raises(SaslError, match=re.escape(words)):
        steps.send(challenge)


def begun_scram() -> Dialogue:
    """A login that waits for the server's proof."""
    steps = scram("user", Secret("pencil"), "sha1", "fyko+d2lbbFgONRv9qkxdawL")
    next(steps)
    steps.send(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
    return steps


@pytest.mark.parametrize("proof", [b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", b"v=", b"", b"\xff"])
def test_scram_refuses_a_server_that_does_not_know_the_password(proof: bytes) -> None:
    with pytest.raises(ProofError) as raised:
        begun_scram().send(proof)
    assert "pencil" not in str(raised.value)


def test_an_acceptance_without_proof_is_none() -> None:
    """RFC 5802 section 5: a client must not go on with a server whose proof it has not seen."""
    steps = scram("user", Secret("pencil"), "sha1", "nonce")
    next(steps)

    with pytest.raises(SaslError):
        steps.send(b"")


def test_a_scram_error_is_answered_so_that_the_verdict_comes() -> None:
    steps = begun_scram()

    assert b"" == steps.send(b"e=invalid-proof")
    with pytest.raises(ProofError):  # and a 235 after it proves nothing
        steps.send(b"")


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (b"e=invalid-proof", "invalid-proof (the password is wrong)"),
        (b"e=other-error,x=y", "other-error"),
        (b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", None),
        (b"", None),
    ],
)
def test_a_scram_error_is_explained(challenge: bytes, reason: str | None) -> None:
    assert scram_error(challenge) == reason


def test_scram_prepares_the_password() -> None:
    """RFC 5802 section 2.2: a soft hyphen counts for nothing, a Roman numeral for its letters."""
    challenge = b"r=n1,s=QSXCR+Q6sek8bf92,i=4096"

    typed = talk(scram("user", Secret("\u2168\xadpencil"), nonce="n"), challenge)

    assert typed == talk(scram("user", Secret("IXpencil"), nonce="n"), challenge)


def test_a_password_that_is_no_utf_8_goes_out_as_it_is() -> None:
    secret = Secret(b"caf\xe9".decode("utf-8", "surrogateescape"))

    assert [b"\0alice\0caf\xe9"] == talk(plain("alice", secret))
    assert b"caf\xe9" == talk(login("alice", secret), b"", b"")[-1]
    assert talk(cram_md5("alice", secret), b"<1@x>")[-1] is not None
    assert talk(scram("alice", secret, nonce="n"), b"r=n1,s=QSXCR+Q6sek8bf92,i=4096")[-1] is not None


def test_scram_escapes_user_names() -> None:
    """RFC 5802 section 5.1."""
    assert talk(scram("a=b,c", Secret("x"), "sha1", "n")) == [b"n,,n=a=3Db=2Cc,r=n"]


def test_each_session_has_a_nonce_of_its_own() -> None:
    assert next(scram("user", Secret("x"))) != next(scram("user", Secret("x")))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_that_we_name_can_begin(mechanism: str) -> None:
    assert next(dialogue(mechanism, "alice", Secret("pw"))) is None or mechanism not in ("LOGIN", "CRAM-MD5")


@pytest.mark.parametrize(
    ("offered", "token", "encrypted", "chosen"),
    [
        (("CRAM-MD5", "LOGIN", "PLAIN"), False, True, "PLAIN"),
        (("LOGIN", "SCRAM-SHA-256"), False, True, "LOGIN"),
        (("CRAM-MD5", "SCRAM-SHA-1"), False, True, "SCRAM-SHA-1"),
        (("PLAIN", "CRAM-MD5"), False, False, "CRAM-MD5"),
        (("PLAIN", "XOAUTH2"), True, True, "XOAUTH2"),
        (("XOAUTH2", "OAUTHBEARER"), True, True, "OAUTHBEARER"),
        (("PLAIN", "LOGIN"), True, True, None),
        (("XOAUTH2", "GSSAPI"), False, True, None),
        ((), False, True, None),
    ],
)
def test_one_mechanism_is_chosen(offered: tuple[str, ...], token: bool, encrypted: bool, chosen: str | None) -> None:
    assert choose(offered, token=token, encrypted=encrypted) == chosen


@pytest.mark.parametrize(
    ("text", "challenge"), [("", b""), ("=", b""), ("VXNlcm5hbWU6", b"Username:"), (" YQ== ", b"a")]
)
def test_challenges_are_base64(text: str, challenge: bytes) -> None:
    assert parse_challenge(text) == challenge


@pytest.mark.parametrize("text", ["!!!", "YQ", "a b", "\udcff", "A" * 20000])
def test_other_challenges_are_refused(text: str) -> None:
    with pytest.raises(SaslError):
        parse_challenge(text)


def test_responses_are_base64_on_one_line() -> None:
    assert "\n" not in encode_response(b"x" * 1000)


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (
            b'{"status":"401","schemes":"bearer","scope":"mail"}',
            "status 401 (the token is wrong, expired or revoked), schemes bearer, scope mail",
        ),
        (b'{"status":401}', "status 401 (the token is wrong, expired or revoked)"),
        (b'{"status":"INSUFFICIENT_SCOPE"}', "status INSUFFICIENT_SCOPE (the token does not allow sending mail)"),
        (b'{"status":"teapot"}', "status teapot"),
        (b"[" * 100000, None),
        (b'{"error":"x"}', None),
        (b"[1]", None),
        (b"not json", None),
        (b"\xff", None),
    ],
)
def test_the_reason_of_a_refused_token_is_read(challenge: bytes, reason: str | None) -> None:
    assert bearer_error(challenge) == reason
