"""No entry of the catalog is unreachable: for each there is a reply that it decides."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from smtpdoc.catalog.explain import match
from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.catalog.replies import phrase_entries, provider_entries
from smtpdoc.catalog.replies.basic import CLASSES, basic_entries, basic_entry
from smtpdoc.catalog.replies.enhanced import enhanced_entries
from smtpdoc.catalog.replies.reasons import REASONS
from smtpdoc.grammar.reply import parse_reply

DATA = Path(__file__).parent.parent / "data" / "replies"

#: Phrases whose examples are some server's own words, and what they alone know.
OTHER_WORDS = {
    "phrase.list-error": "550 an open resolver asked the list",
    "phrase.greylisted-in-disguise": "451 Please try later",
    "phrase.authentication-slowed": "421 unusual amount of mail from you",
    "phrase.not-on-allow-list": "550 your host is not on our whitelist",
    "phrase.no-recipients-left": "503 no valid recipient",
    "phrase.login-unavailable": "454 authentication backend is down",
    "phrase.login-for-recipient": "530 not authenticated for mailbox",
    "phrase.sender-check-pending": "450 sender verification pending",
    "phrase.bare-line-feed": "554 5.5.2 bare CR in the message",
    "phrase.line-too-long-command": "500 input line is too long",
    "phrase.recipient-access-denied": "550 5.4.1 Recipient addresses rejected: Access denied",
    "phrase.recipient-access": "550 recipient address is protected",
}


@cache
def decided() -> frozenset[str]:
    """Return the ids of the entries that decide one of the replies of the data, of the examples or of the table."""
    with (DATA / "labelled.jsonl").open(encoding="utf-8") as rows:
        texts = [json.loads(row)["reply"] for row in rows]
    plain = (DATA / "plain.txt").read_text(encoding="utf-8").splitlines()
    texts += [line.partition("|")[2].strip() for line in plain if line.partition("|")[0] in REASONS]
    texts += [text for entry in phrase_entries() for text in (entry.example, *entry.examples) if text]
    return frozenset(match(parse_reply(text))[0].id for text in (*texts, *OTHER_WORDS.values()))


@pytest.mark.parametrize("entry_id", [entry.id for entry in phrase_entries()])
def test_each_phrase_decides_a_reply(entry_id: str) -> None:
    assert entry_id in decided()


@pytest.mark.parametrize("entry", provider_entries(), ids=lambda entry: entry.id)
def test_each_provider_entry_decides_its_example(entry: ReplyEntry) -> None:
    assert entry.id == match(parse_reply(entry.example))[0].id


@pytest.mark.parametrize("entry_id", [entry.id for entry in enhanced_entries()])
def test_each_enhanced_code_decides_where_it_stands_alone(entry_id: str) -> None:
    """An entry "X.7.1" stands for the code with each of the three first digits."""
    code = entry_id.removeprefix("enhanced.")
    for digit in "245" if code.startswith("X") else code[0]:
        alone = digit + code[1:]

        assert f"enhanced.{alone}" == match(parse_reply(alone))[0].id


@pytest.mark.parametrize("entry_id", [entry.id for entry in basic_entries()])
def test_each_reply_code_and_each_first_digit_decides_where_it_stands_alone(entry_id: str) -> None:
    code = entry_id.removeprefix("reply.")

    assert entry_id == match(parse_reply(code if code.isdigit() else f"{code[0]}59"))[0].id


def test_all_first_digits_are_known() -> None:
    assert set("2345") == set(CLASSES)
    for digit in CLASSES:
        unlisted = next(
            code for code in range(int(digit) * 100 + 30, int(digit) * 100 + 60) if basic_entry(code) is None
        )

        assert f"reply.{digit}yz" == match(parse_reply(str(unlisted)))[0].id


def test_a_text_without_anything_has_an_entry_too() -> None:
    assert "reply.unknown" == match(parse_reply("zorp"))[0].id
