"""smtpdoc probe: what is said in the envelope, who else is tried, and when a message is really sent."""

from __future__ import annotations

import asyncio
import io
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import Ran, Smtpdoc
from support.hostile import C, Message, Step, hostile_server

from smtpdoc.cli.envelope import read_message
from smtpdoc.demo import DemoServer
from smtpdoc.errors import TargetError


@pytest.fixture
def place(demo_server: DemoServer) -> tuple[str, ...]:
    """The arguments that name the embedded server and its certificate authority."""
    return (
        *(f"{demo_server.host}:{demo_server.port}", "--resolve", f"{demo_server.host}:{demo_server.address}"),
        *("--ca-file", str(demo_server.ca_file), "--cert-days", "0", "--helo", "client.example.com"),
        *("--tls", "starttls"),
    )


@pytest.fixture
def login(demo_server: DemoServer, tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "password"
    path.write_text(demo_server.password + "\n")
    return ("--auth-user", demo_server.user, "--auth-password-file", str(path))


@pytest.fixture
def mail(tmp_path: Path) -> str:
    path = tmp_path / "hello.eml"
    path.write_bytes(b"Subject: hello\n\nwords that stay off the page\n")
    return str(path)


def ids(ran: Ran) -> set[str]:
    return {finding["id"] for finding in ran.json["findings"]}


def session(ran: Ran) -> Any:
    (one,) = ran.json["evidence"]["sessions"]
    return one


def test_catch_all_tries_a_made_up_address_and_tells_what_it_means(
    smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]
) -> None:
    ran = smtpdoc("probe", *place, *login, "--to", "bob@example.net", "--catch-all", "--json")
    control = session(ran)["stages"][-2]

    assert 0 == ran.code
    assert control["purpose"] == "control"
    assert control["status"] == "refused"
    assert control["recipient"].startswith("no-such-mailbox-")
    assert "smtp.unknown-refused" in ids(ran)
    assert "smtp.rcpt-refused" not in ids(ran)


def test_on_the_page_a_made_up_address_is_called_one(
    smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]
) -> None:
    ran = smtpdoc("probe", *place, *login, "--to", "bob@example.net", "--catch-all")

    assert "A made-up address: a refusal is what one hopes for." in ran.out
    assert "✔ session completed" in ran.out


def test_greylisting_is_waited_for_once(smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, *login, "--to", "grey@example.net", "--greylist-wait", "100ms", "--json")
    first, second = ran.json["evidence"]["sessions"]

    assert 3 == ran.code
    assert (first["superseded"], first["attempt"], first["waited_s"]) == (True, 1, 0)
    assert (second["superseded"], second["attempt"], second["waited_s"]) == (False, 2, 0.1)
    assert [one["id"] for one in ran.json["findings"]].count("smtp.rcpt-deferred") == 1


def test_a_wait_is_shown_in_the_transcript(smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, *login, "--to", "grey@example.net", "--greylist-wait=50ms")

    assert "=== greylisted; the same again in 0.05 s" in ran.out
    assert "then tried again" in " ".join(ran.out.split())
    assert "after 0.05 s" in ran.out
    assert "" == ran.err, "no terminal, no progress"


def test_parameters_that_are_not_offered_are_told(
    smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]
) -> None:
    asked = ("--dsn-ret", "hdrs", "--dsn-envid", "x 1", "--require-tls", "--size", "5", "--body", "8bitmime")
    more = ("--dsn-notify", "never", "--dsn-orcpt")
    ran = smtpdoc("probe", *place, *login, "--to", "bob@example.net", *asked, *more, "--json")

    assert {"SIZE=5", "BODY=8BITMIME"} == set(session(ran)["parameters"])
    assert {"NOTIFY=NEVER", "ORCPT"} <= {one["parameter"] for one in session(ran)["withheld"]}
    assert {"DSN", "REQUIRETLS"} == {one["keyword"] for one in session(ran)["withheld"]}
    assert "smtp.parameter-not-offered" in ids(ran)


def test_vrfy_and_expn(smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, *login, "--vrfy", "bob@example.net", "--expn", "list", "--json")

    assert ["vrfy", "expn"] == [one["stage"] for one in session(ran)["stages"]][-3:-1]
    assert "smtp.vrfy-guarded" in ids(ran)


def test_relaying_is_asked_without_a_login(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, "--relay-test", "--relay-to", "x@elsewhere.example", "--json")
    tried = [one for one in session(ran)["stages"] if one["purpose"] == "relay"]

    assert len(tried) == 5
    assert tried[0]["recipient"] == "x@elsewhere.example"


# Sending


@pytest.fixture
def taker() -> Iterator[tuple[str, ...]]:
    """The arguments that name a server which takes a message."""
    script: tuple[Step, ...] = (
        *(b"220 mx.example.net ESMTP\r\n", C, b"250 mx.example.net\r\n", C, b"250 ok\r\n", C, b"250 ok\r\n", C),
        *(b"354 go\r\n", Message(), b"250 2.0.0 Ok: queued as 4F2a9\r\n", C, b"221 bye\r\n"),
    )
    ports: queue.Queue[int] = queue.Queue()
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with hostile_server(script) as server:
            ports.put(server.port)
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    host, more = f"mx.example.net:{ports.get(timeout=5)}", ("--tls", "none", "--helo", "client.example.com")
    yield (host, "--resolve", "mx.example.net:127.0.0.1", *more, "--to", "bob@example.net", "--yes")
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def test_a_message_is_sent_with_yes_and_its_acceptance_explained(
    smtpdoc: Smtpdoc, taker: tuple[str, ...], mail: str
) -> None:
    ran = smtpdoc("probe", *taker, "--send", mail)

    assert 0 == ran.code
    assert "✔ message accepted" in ran.out
    assert "It is now the receiver's to deliver or to bounce." in ran.out
    assert "=== message, " in ran.out
    assert "in its log it is 4F2a9" in " ".join(ran.out.split())
    assert "stay off the page" not in ran.out


def test_a_message_is_in_the_json_without_its_words(smtpdoc: Smtpdoc, taker: tuple[str, ...], mail: str) -> None:
    ran = smtpdoc("probe", *taker, "--send", mail, "--json")

    assert session(ran)["message"]["added"] == ["Date", "From"]
    assert ["data", "message", "quit"] == [one["stage"] for one in session(ran)["stages"]][-3:]
    assert "stay off the page" not in ran.out


def test_a_message_may_come_from_stdin(
    smtpdoc: Smtpdoc, taker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello\n")))
    ran = smtpdoc("probe", *taker, "--send", "-", "--json")

    assert 0 == ran.code
    assert session(ran)["stages"][-2]["stage"] == "message"


def test_a_refused_message_is_an_error(
    smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...], mail: str
) -> None:
    """The embedded server takes no messages."""
    ran = smtpdoc("probe", *place, *login, "--to", "bob@example.net", "--send", mail, "--yes", "--json")

    assert 1 == ran.code
    assert "smtp.message-refused" in ids(ran)


def test_without_a_terminal_nothing_is_sent_unasked(smtpdoc: Smtpdoc, mail: str) -> None:
    ran = smtpdoc("probe", "mx.example.net", "--to", "bob@example.net", "--send", mail)

    assert 2 == ran.code
    assert "no terminal to ask on" in ran.err
    assert "" == ran.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_odd_about_a_message_is_told_before_it_is_sent(
    smtpdoc: Smtpdoc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "odd.eml"
    path.write_bytes(b"Subject: x\r\n\r\n" + b"x" * 1500 + b"\n")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    smtpdoc("probe", "mx.example.net", "--to", "bob@example.net", "--send", str(path))

    assert "Note: line 3 is the longest with 1,500 bytes" in screen.getvalue()
    assert "Note: line ends are mixed" in screen.getvalue()


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n"])
def test_no_is_the_answer_unless_yes_is_typed(
    smtpdoc: Smtpdoc, mail: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    ran = smtpdoc("probe", "mx.example.net", "--to", "bob@example.net", "--send", mail)

    assert 130 == ran.code
    assert "Send 48 bytes to bob@example.net through mx.example.net:587? [y/N]" in screen.getvalue()
    assert "Nothing was sent." in screen.getvalue()
    assert "" == ran.out.strip()  # click before 8.5 has its prompt end in a blank there


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--send", "MAIL"), "--send needs --to"),
        (("--send", "MAIL", "--to", "b@example.net", "--mx"), "--send sends once"),
        (("mx2.example.net", "--send", "MAIL", "--to", "b@example.net"), "--send sends once"),
        (("--send", "MAIL", "--to", "b@example.net", "--catch-all"), "exclude each other"),
        (("--send", "MAIL", "--to", "b@example.net", "--quit-after", "rcpt"), "exclude each other"),
        (("--send", "MAIL", "--to", "b@example.net", "--size", "0"), "exclude each other"),
        (("--send", "MAIL", "--to", "b@example.net", "--body", "binarymime"), "whose lines end in CRLF"),
        (("--send", "/dev/zero", "--to", "b@example.net", "--yes"), "/dev/zero has more than 268,435,456 bytes"),
        (("--send", "/proc/self/mem", "--to", "b@example.net", "--yes"), "cannot read the message"),
        (("--send", "/no/such/file", "--to", "b@example.net", "--yes"), "cannot read the message"),
        (("--catch-all",), "--catch-all needs a recipient"),
        (("--greylist-wait=auto",), "--greylist-wait needs a recipient"),
        (("--greylist-wait", "mx2.example.net"), "before a target write --greylist-wait=auto"),
        (("--relay-to", "x@example.com"), "--relay-to is for --relay-test"),
        (("--relay-test", "--auth-user", "alice"), "as a stranger"),
        (("--dsn-notify", "always"), "never, or some of"),
        (("--dsn-envid", "a\nb"), "envelope id"),
        (("--vrfy", "a\r\nQUIT"), "user name"),
        (("--relay-test", "--relay-to", "nobody"), "an address like"),
    ],
)
def test_what_cannot_be_meant(smtpdoc: Smtpdoc, mail: str, arguments: tuple[str, ...], words: str) -> None:
    ran = smtpdoc("probe", "mx.example.net", *(mail if one == "MAIL" else one for one in arguments))

    assert 2 == ran.code
    assert words in " ".join(ran.err.split())


def test_a_message_that_is_gone_when_it_is_to_be_sent_is_no_bug(mail: str) -> None:
    """A wait for greylisting may lie between looking at the file and sending it."""
    message = read_message(mail, binary=False)
    Path(mail).unlink()

    with pytest.raises(TargetError, match=r"cannot read the message .*No such file"):
        list(message.data)


def test_each_option_has_its_variable(
    smtpdoc: Smtpdoc, place: tuple[str, ...], login: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPDOC_CATCH_ALL", "1")
    monkeypatch.setenv("SMTPDOC_VRFY", "bob")
    monkeypatch.setenv("SMTPDOC_SIZE", "7")
    ran = smtpdoc("probe", *place, *login, "--to", "bob@example.net", "--json")

    assert {"control"} == {one["purpose"] for one in session(ran)["stages"]} - {None}
    assert "vrfy" in [one["stage"] for one in session(ran)["stages"]]
    assert "SIZE=7" in session(ran)["parameters"]
