"""smtpdoc explain, as a user runs it."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Ran, Smtpdoc
from support.garbled import garbled

REPLY = "550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy."


def test_the_answer_is_in_the_first_three_lines(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("explain", REPLY)
    first = ran.out.splitlines()[:3]

    assert 0 == ran.code
    assert "550 5.7.26  Gmail  permanent" in first[0]
    assert first[0].endswith("dmarc-fail")
    assert first[1].startswith("✖ Gmail refused this message")


def test_everything_fits_80_columns_but_what_can_be_copied(smtpdoc: Smtpdoc) -> None:
    out = smtpdoc("explain", "--verbose", REPLY).out
    wide = [line for line in out.splitlines() if len(line) > 80 and "http" not in line and "smtpdoc" not in line]

    assert [] == wide


def test_quiet_is_the_headline_only(smtpdoc: Smtpdoc) -> None:
    assert 3 >= len(smtpdoc("explain", "--quiet", REPLY).out.splitlines())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("550", "5.1.1", "User", "unknown"), 0),
        (("550",), 0),
        (("5.7.26",), 0),
        (("quota exceeded",), 0),
        (("599 blurb",), 3),
        (("250 2.0.0 Ok: queued as 4ABC123",), 0),
    ],
)
def test_exit_code_tells_how_much_is_known(smtpdoc: Smtpdoc, words: tuple[str, ...], code: int) -> None:
    assert code == smtpdoc("explain", *words).code


def test_json_has_the_contract_s_keys(smtpdoc: Smtpdoc) -> None:
    report = smtpdoc("explain", "--format", "json", REPLY).json

    assert "smtpdoc/1" == report["schema"]
    assert "explain" == report["command"]
    assert 0 == report["exit_code"]
    evidence = report["evidence"]
    assert REPLY == evidence["input"]
    assert (550, "5.7.26") == (evidence["reply"]["code"], evidence["reply"]["enhanced"])
    assert ("permanent", "dmarc-fail", "gmail") == (evidence["class"], evidence["reason"], evidence["provider"])
    assert "exact" == evidence["confidence"]
    assert {"should": False} == evidence["retry"]
    assert "example.com" == evidence["facts"]["domain"]
    assert "smtpdoc auth-check example.com --ip YOUR.SENDING.IP" in evidence["commands"]
    assert evidence["entries"][0].startswith("gmail.")


def test_stdin_gives_a_line_per_reply_in_order_and_a_bad_one_stops_nothing(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"550 5.1.1 No such user\n\n???\n452 4.2.2 Mailbox full\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))

    ran = smtpdoc("explain", "--format", "jsonl", "-")

    assert ["user-unknown", None, "mailbox-full"] == [line["evidence"]["reason"] for line in ran.lines]
    assert [0, 2, 0] == [line["exit_code"] for line in ran.lines]
    assert 2 == ran.code


def streamed(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch, data: bytes, *arguments: str) -> Ran:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    return smtpdoc("explain", *arguments, "-")


def test_whatever_bytes_stand_on_stdin_each_line_is_answered_in_order(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No UTF-8, NUL, CRLF, a line beyond any limit, strange line separators, a last line without its end."""
    data = (
        b"\xff\xfe\x00\x80\n550 5.1.1 ju\xf6rgen unknown\r\n\r\n \t\n452 4.2.2 full\x00\n550 "
        + b"x" * 300_000
        + b" 551 y\n"
        + "450 4.2.0 a\u2028b\x0bc\x85d\n".encode()
        + b"553 last"
    )

    ran = streamed(smtpdoc, monkeypatch, data, "--format", "jsonl")

    replies = [line["evidence"]["reply"] for line in ran.lines]
    assert [550, 452, 550, 450, 553] == [reply["code"] for reply in replies[-5:]]
    assert "ju\ufffdrgen unknown" == replies[-5]["text"]
    assert 6 == len(replies)
    assert 65536 == len(ran.lines[3]["evidence"]["input"])


def test_a_line_that_comes_again_differs_in_its_clock_only(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so does a line explained alone: the short cut for repeated lines changes no answer."""
    ran = streamed(smtpdoc, monkeypatch, f"{REPLY}\n".encode() * 3, "--format", "jsonl")
    alone = smtpdoc("explain", "--format", "jsonl", REPLY).json

    answers = [json.dumps({**line, "started_at": "", "elapsed_s": 0}) for line in (*ran.lines, alone)]
    assert 4 == len(answers)
    assert 1 == len(set(answers))
    assert all(0 <= line["elapsed_s"] < 60 for line in ran.lines)


def test_answers_do_not_wait_for_more_input() -> None:
    """A line that was answered is on stdout while the next one has not been typed."""
    command = [sys.executable, "-m", "smtpdoc", "explain", "--format", "jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, reason in (
            (b"550 5.1.1 No such user\n", "user-unknown"),
            (b"452 4.2.2 Mailbox full\n", "mailbox-full"),
        ):
            process.stdin.write(line)
            process.stdin.flush()

            assert reason == json.loads(process.stdout.readline())["evidence"]["reason"]
        process.stdin.close()

    assert 0 == process.returncode


def test_a_stream_as_text_names_each_line_and_quiet_is_a_line_each(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"550 5.1.1 No such user \x1b[31m" + b"x" * 200 + b"\n???\n250 2.0.0 Ok: queued as 4ABC123\n"

    pages = streamed(smtpdoc, monkeypatch, data)
    quiet = streamed(smtpdoc, monkeypatch, data, "--quiet")

    lines = pages.out.splitlines()
    assert lines[0].startswith("> 550 5.1.1 No such user \\x1b[31mxxx")
    assert 80 == len(lines[0])
    assert "" == lines[lines.index("> ???") - 1]
    starts = ("✖ 550 5.1.1  user-unknown  ", "✖ no SMTP reply in '???'", "✔ 250 2.0.0  ok  ")
    assert all(line.startswith(start) for line, start in zip(quiet.out.splitlines(), starts, strict=True))
    assert 2 == pages.code == quiet.code


def test_whoever_types_is_told_what_is_waited_for(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(b"550 5.1.1 x\n"))
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    assert "one per line" in smtpdoc("explain", "-").err
    assert "" == smtpdoc("explain", "--quiet", "-").err


def test_garbled_replies_are_shown_without_steering_the_terminal(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"\n".join(text.replace(b"\n", b" ") for text in garbled(150, seed=23))

    for argument in ("--verbose", "--quiet"):
        out = streamed(smtpdoc, monkeypatch, data, argument).out

        assert out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)


CATALOG = """
[[reply]]
id = "acme.held"
reason = "policy"
title = "ACME holds it"
text = "held by ACME policy [0-9]+"
"""


def test_entries_of_ones_own_come_from_an_option_or_the_configuration(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own, words = tmp_path / "own.toml", ("explain", "550 Message held by ACME policy 4711")
    own.write_text(CATALOG)

    assert "ACME holds it" not in smtpdoc(*words).out
    assert "ACME holds it" in smtpdoc(*words, "--catalog", str(own)).out
    assert "ACME holds it" in smtpdoc("explain", "acme.held", "--catalog", str(own)).out
    assert "ACME holds it" in smtpdoc("explain", "--list", "--reason", "policy", "--catalog", str(own)).out
    assert "ACME holds it" in streamed(smtpdoc, monkeypatch, words[1].encode(), "--catalog", str(own)).out

    config = tmp_path / "smtpdoc" / "catalog.toml"
    config.parent.mkdir()
    config.write_text(CATALOG.replace("holds it", "keeps it"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert "ACME keeps it" in smtpdoc(*words).out
    assert "ACME holds it" in smtpdoc(*words, "--catalog", str(own)).out, "what is asked for beats what is configured"

    monkeypatch.setenv("SMTPDOC_CATALOG", str(own))

    assert "ACME holds it" in smtpdoc(*words).out


@pytest.mark.parametrize("command", [("explain", "550 x"), ("probe", "127.0.0.1:9")])
def test_a_broken_catalog_is_told_with_line_and_key(smtpdoc: Smtpdoc, tmp_path: Path, command: tuple[str, ...]) -> None:
    own = tmp_path / "own.toml"
    own.write_text(CATALOG + "retri = 3\n")

    ran = smtpdoc(*command, "--catalog", str(own))

    assert 2 == ran.code
    assert f"Error: {own}, line 7, key retri: no such key" in ran.err
    assert "" == ran.out


def test_a_catalog_that_cannot_be_read_is_a_usage_error(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# fine\n# caf\xe9\n")

    assert f"{latin}, line 2: this is no UTF-8" in smtpdoc("explain", "550 x", "--catalog", str(latin)).err
    assert 2 == smtpdoc("explain", "550 x", "--catalog", str(tmp_path / "none.toml")).code


def test_stages_are_those_of_a_session(smtpdoc: Smtpdoc) -> None:
    from smtpdoc.cli.explain import STAGES
    from smtpdoc.evidence.smtp import Stage

    assert {str(stage) for stage in Stage} - {"other"} == set(STAGES)  # other: a command that we know nothing of
    assert "waits for the next step" not in smtpdoc("explain", "--stage", "rcpt", "250 2.1.5 Ok").out
    assert 2 == smtpdoc("explain", "--stage", "rctp", "250 Ok").code


def test_a_providers_name_is_understood_as_people_say_it(smtpdoc: Smtpdoc) -> None:
    assert "gmail" == smtpdoc("explain", "--json", "--provider", "Google", "550 zzz").json["evidence"]["provider"]
    assert "Did you mean google?" in smtpdoc("explain", "--provider", "goggle", "550 zzz").err


def test_the_name_of_a_file_says_how_to_explain_its_lines(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("x")

    ran = smtpdoc("explain", str(log))

    assert 2 == ran.code
    assert f"smtpdoc explain - < {log}" in ran.err


def test_a_hostile_reply_cannot_steer_the_terminal(smtpdoc: Smtpdoc) -> None:
    for text in ("550 5.1.1 \x1b]0;owned\x07 [bold red]x[/] \u202e", "599 \x1b[2J\x9b31m \x00"):
        ran = smtpdoc("explain", "--verbose", "--color", "never", text)

        assert not any(char < " " and char != "\n" for char in ran.out)
        assert "\x9b" not in ran.out
        assert "\u202e" not in ran.out


def test_output_goes_to_a_file(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    target = tmp_path / "answer.txt"

    ran = smtpdoc("explain", "--output", str(target), "550 5.1.1 x")

    assert "" == ran.out
    assert target.read_text(encoding="utf-8").startswith("550 5.1.1")


def test_colour_is_asked_for_or_not_there(smtpdoc: Smtpdoc) -> None:
    assert "\x1b[" not in smtpdoc("explain", "550 5.1.1 x").out
    assert "\x1b[" in smtpdoc("explain", "--color", "always", "550 5.1.1 x").out


def test_every_option_has_an_environment_variable(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPDOC_FORMAT", "json")

    assert "smtpdoc/1" == smtpdoc("explain", "550 5.1.1 x").json["schema"]


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        ("spf.too-many-lookups", "finding", "✖ spf.too-many-lookups   error"),
        ("5.7.26", "code", "Gmail refused this message"),
        ("550", "code", "550 with a text beside it"),
        ("greylisted", "reason", "a queue that tries again gets through"),
        ("gmail", "provider", "entries"),
        ("gmail.dmarc-unauthenticated", "entry", "For example"),
    ],
)
def test_names_of_the_catalog_are_explained_too(smtpdoc: Smtpdoc, words: str, kind: str, says: str) -> None:
    ran = smtpdoc("explain", words)

    assert 0 == ran.code
    assert says in ran.out
    assert kind == smtpdoc("explain", words, "--json").json["evidence"]["page"]["kind"]


def test_a_mistyped_name_gets_a_suggestion(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("explain", "greylsted")

    assert 2 == ran.code
    assert "Did you mean greylisted" in ran.err


def test_the_catalog_can_be_listed_and_narrowed(smtpdoc: Smtpdoc) -> None:
    rows = smtpdoc("explain", "--list", "--provider", "gmail", "--reason", "no-ptr", "--json").json["evidence"]["page"][
        "rows"
    ]

    assert rows
    assert {("gmail", "no-ptr")} == {(row["provider"], row["reason"]) for row in rows}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--list", "550"),
        ("--reason", "no-ptr", "550 x"),
        ("--list", "--reason", "nonsense"),
        ("--list", "--provider", "nobody"),
    ],
)
def test_a_list_is_narrowed_by_names_that_exist(smtpdoc: Smtpdoc, arguments: tuple[str, ...]) -> None:
    assert 2 == smtpdoc("explain", *arguments).code
