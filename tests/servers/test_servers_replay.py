"""A session with a real server, kept by --transcript: --replay comes to the same findings and the same exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.command import Ran, Smtpdoc
from support.lab import HOST, MailServer
from support.secrets import forms

pytestmark = pytest.mark.servers

WRONG_PASSWORD = "wr0ng-Pa55word"
ENVELOPE = ("--from", "sender@sender.example", "--to", "bob@lab.example")


def verdict(ran: Ran) -> tuple[Any, ...]:
    """What a run comes to: exit code, findings, stages, and whether the lines are the same."""
    (session,) = ran.json["evidence"]["sessions"]
    return (
        ran.code,
        [(one["id"], one["level"]) for one in ran.json["findings"]],
        [
            (one["stage"], one["status"], one["recipient"], one["purpose"], (one["reply"] or {}).get("code"))
            for one in session["stages"]
        ],
        [(one["kind"], one["text"], one["kind"] != "note" and one["encrypted"]) for one in session["transcript"]],
        session["capabilities"],
        (session["tls"] or {}).get("verify_code"),
    )


def live_and_again(
    smtpdoc: Smtpdoc, server: MailServer, port: int, file: Path, *arguments: str, trusted: bool = True
) -> tuple[Ran, Ran]:
    place = (f"{HOST}:{port}", "--resolve", f"{HOST}:{server.address}", "--helo", "probe.example", "--timeout", "10")
    trust = ("--ca-file", str(server.ca_file)) if trusted else ()
    live = smtpdoc("probe", *place, *trust, *arguments, "--json", "--transcript", str(file))
    return live, smtpdoc("probe", "--replay", str(file), "--json")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ENVELOPE,
        ("--from", "sender@sender.example", "--to", "nosuchuser@lab.example", "--to", "bob@elsewhere.example"),
        (*ENVELOPE, "--catch-all", "--relay-test"),
        ("--vrfy", "bob", "--expn", "list"),
        ("--tls", "none"),
        ("--tls", "implicit"),
    ],
    ids=["EHLO", "accepted", "refused", "controls", "questions", "clear text", "wrong door"],
)
def test_a_kept_session_says_the_same_again(
    smtpdoc: Smtpdoc, mx_server: MailServer, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    live, again = live_and_again(smtpdoc, mx_server, mx_server.mx_port, tmp_path / "kept.txt", *arguments)

    assert verdict(live) == verdict(again)


def test_a_certificate_that_nobody_vouches_for_is_told_again(
    smtpdoc: Smtpdoc, mx_server: MailServer, tmp_path: Path
) -> None:
    live, again = live_and_again(smtpdoc, mx_server, mx_server.mx_port, tmp_path / "kept.txt", trusted=False)

    assert verdict(live) == verdict(again)


@pytest.mark.parametrize("name", ["expired", "self-signed", "wrong-name", "no-intermediate", "weak", "future"])
def test_a_bad_certificate_is_told_again(smtpdoc: Smtpdoc, postfix: MailServer, name: str, tmp_path: Path) -> None:
    live, again = live_and_again(smtpdoc, postfix, postfix.certificate_port(name), tmp_path / "kept.txt")

    assert verdict(live) == verdict(again)
    assert live.code == 1


def test_a_login_is_told_again_without_its_password(
    smtpdoc: Smtpdoc, postfix: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept.txt"
    monkeypatch.setenv("SMTPDOC_AUTH_PASSWORD", WRONG_PASSWORD)
    live, again = live_and_again(smtpdoc, postfix, postfix.submission_port, file, "--auth-user", "alice")

    assert verdict(live) == verdict(again)
    assert live.code == 1
    assert [form for form in forms(WRONG_PASSWORD) if form in file.read_text() + again.out] == []


def test_several_servers_in_one_file_keep_apart(
    smtpdoc: Smtpdoc, postfix: MailServer, sendmail: MailServer, tmp_path: Path
) -> None:
    """Two targets are two reports: nothing is said about how they differ."""
    file = tmp_path / "kept.txt"
    places = (f"{HOST}:{postfix.mx_port}", f"{HOST}:{sendmail.mx_port}", f"{HOST}:9")
    live = smtpdoc(
        *("probe", *places, "--resolve", f"{HOST}:{postfix.address}", "--helo", "probe.example"),
        *("--ca-file", str(postfix.ca_file), "--json", "--transcript", str(file)),
    )
    again = smtpdoc("probe", "--replay", str(file), "--json")

    assert live.code == again.code
    assert [one["id"] for report in live.json for one in report["findings"]] == unordered(again)


def unordered(ran: Ran) -> list[str]:
    """The findings of a merged report in the order of its sessions."""
    order = {session["port"]: place for place, session in enumerate(ran.json["evidence"]["sessions"])}
    found = ran.json["findings"]
    return [one["id"] for one in sorted(found, key=lambda one: order[int(one["subject"].rpartition(":")[2])])]
