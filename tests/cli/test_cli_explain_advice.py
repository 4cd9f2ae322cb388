"""What `explain` advises can be done: commands parse, places are filled, and pages are built as promised."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

import pytest
from support.command import Smtpdoc

from smtpdoc.catalog.advice import PLACES, fill
from smtpdoc.catalog.browse import all_entries
from smtpdoc.catalog.replies.reasons import REASONS
from smtpdoc.cli.group import cli

#: Values as replies name them; `list`, `limit` and `queue` only stand in sentences.
NAMED = {
    "domain": "example.com",
    "recipient_domain": "example.net",
    "ip": "192.0.2.1",
    "host": "mx.example.net",
    "address": "bob@example.net",
    "sender": "alice@example.com",
    "helo": "mail.example.com",
    "dnsbl": "zen.spamhaus.org",
    "url": "https://example.com/x",
}

TEMPLATES = sorted(
    {command for reason in REASONS.values() for command in reason.commands}
    | {command for entry in all_entries() for command in entry.commands}
)


def test_there_are_commands() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("named", [{}, NAMED], ids=["nothing-named", "all-named"])
def test_each_suggested_command_parses(template: str, named: dict[str, str]) -> None:
    """With click's own parser; the places stand for themselves where the reply names nothing."""
    [filled] = fill([template], named, command=True)
    program, name, *arguments = shlex.split(filled)
    context = cli.make_context("smtpdoc", [name])
    command = cli.get_command(context, name)

    assert "smtpdoc" == program
    assert command is not None
    assert command.make_context(name, arguments, parent=context).params


def advice() -> list[tuple[str, tuple[str, ...]]]:
    """Return each reason's and entry's name with all its texts."""
    reasons = [
        (
            reason.name,
            (reason.title, reason.meaning, *reason.causes, *reason.steps, *reason.steps_4yz, *reason.steps_5yz),
        )
        for reason in REASONS.values()
    ]
    entries = [(entry.id, (entry.title, entry.meaning, *entry.causes, *entry.steps)) for entry in all_entries()]
    return [*reasons, *entries]


def test_texts_have_known_places_only() -> None:
    unknown = [
        (name, place)
        for name, texts in advice()
        for text in (*texts, *TEMPLATES)
        for place in re.findall(r"\{(\w+)\}", text)
        if place not in PLACES
    ]

    assert [] == unknown


def test_steps_that_speak_of_a_command_below_have_one() -> None:
    steps = [(reason.name, reason.steps, reason.commands) for reason in REASONS.values()]
    steps += [(entry.id, entry.steps, entry.commands or REASONS[entry.reason].commands) for entry in all_entries()]

    assert [] == [name for name, texts, commands in steps if "command below" in " ".join(texts) and not commands]


REPLIES = [
    "250 2.0.0 Ok: queued as 4ABC123",
    "354 End data with <CR><LF>.<CR><LF>",
    "220 mx.example.net ESMTP",
    "599",
    "451",
    "5.7.1",
    "user unknown",
    "greylisted",
    "gmail.mailbox-full",
    "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints - 4.16.55.1",
    "550 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7",
    "450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted, try again in 300 seconds",
    "552 5.3.4 Message size exceeds fixed limit 26214400",
    "535 5.7.8 Error: authentication failed",
    *(f"550 5.1.1 {reason}" for reason in sorted(REASONS)),
    *sorted(REASONS),
]


@pytest.mark.parametrize("reply", REPLIES)
def test_a_page_fits_80_columns_and_answers_first(smtpdoc: Smtpdoc, reply: str) -> None:
    lines = smtpdoc("explain", reply).out.splitlines()

    assert [] == [line for line in lines if len(line) > 80 and "http" not in line and "smtpdoc " not in line]
    assert [] == [line for line, after in pairwise(lines) if not line and not after]
    assert lines[0].strip()
    assert lines[1].strip(), "the answer"
    assert len(lines) < 50, "a page, not a wall"


def test_a_success_has_no_retry_and_nobody_to_act(smtpdoc: Smtpdoc) -> None:
    out = smtpdoc("explain", "250 2.0.0 Ok: queued as 4ABC123").out

    assert "Retry" not in out
    assert "Who acts" not in out


def test_a_code_alone_is_answered_before_its_other_uses(smtpdoc: Smtpdoc) -> None:
    lines = smtpdoc("explain", "451").out.splitlines()

    assert lines[0].startswith("451  temporary")
    assert lines[1].startswith("▲ A fault inside the receiving system")
    rows = lines[[line.startswith("451 with a text beside it") for line in lines].index(True) + 1 :]
    assert all(row.startswith(("  451 ", "   ", "  and ")) for row in rows)
    assert "599 is a code that no standard and no list names." in smtpdoc("explain", "599").out
