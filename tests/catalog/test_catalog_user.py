"""The user's own entries: how a file is read, what is wrong with one, and which entry decides."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest

from smtpdoc.catalog.browse import EntryPage, ProviderPage, all_entries, lookup
from smtpdoc.catalog.explain import explain
from smtpdoc.catalog.user import MAX_TEXT_CHARS, UserCatalog
from smtpdoc.catalog.user_file import parse_catalog
from smtpdoc.catalog.user_pattern import refusal
from smtpdoc.errors import CatalogFileError
from smtpdoc.evidence.explanation import Confidence, Explanation, Retry, Who
from smtpdoc.findings import Source
from smtpdoc.grammar.reply import parse_reply


def catalog(text: str) -> UserCatalog:
    return UserCatalog(parse_catalog(dedent(text), "own.toml"))


def explained(reply: str, own: UserCatalog) -> Explanation:
    return explain(parse_reply(reply), catalog=own)


ACME = catalog(
    """
    [[reply]]
    id = "acme.held"
    provider = "ACME"
    reason = "policy"
    title = "ACME holds it for {domain}"
    text = "user unknown here"
    code = [550, 554]
    steps = ["Call {ip}."]
    causes = ["a macro"]
    commands = ["smtpdoc auth-check {domain}"]
    action = "contact-postmaster"
    who = "receiver-admin"
    retry = ["5m", "2h", 10]
    give-up = "2d"
    sources = ["https://wiki.example.com/", "Annex 3"]
    example = "550 User unknown here"
    """
)


def test_every_key_reaches_the_explanation() -> None:
    found = explained("550 5.1.1 User unknown here, says example.com domain", ACME)

    assert ("acme.held", "acme", "policy") == (found.entries[0], found.provider, found.reason)
    assert "ACME holds it for example.com" == found.title
    assert (("Call your sending address.",), ("a macro",)) == (found.steps, found.causes)
    assert ("smtpdoc auth-check example.com",) == found.commands
    assert ("contact-postmaster", Who.RECEIVER_ADMIN) == (found.action, found.who)
    assert Retry(True, (300, 7200, 10), 172800) == found.retry
    assert (Source("https://wiki.example.com/", url="https://wiki.example.com/"), Source("Annex 3")) == found.sources
    assert Confidence.EXACT is found.confidence


def test_the_users_words_beat_the_built_in_ones_only_where_they_fit() -> None:
    """The built-in phrase says user-unknown, and says so again under a code that the user's entry does not allow."""
    assert "policy" == explained("554 user unknown here", ACME).reason
    assert "user-unknown" == explained("553 user unknown here", ACME).reason
    assert "user-unknown" == explain(parse_reply("550 user unknown here")).reason
    assert "policy" == explained("user unknown here", ACME).reason, "no code contradicts nothing"
    assert "ok" == explained("250 user unknown here", ACME).reason


def test_codes_decide_where_no_words_do() -> None:
    own = catalog(
        """
        [[reply]]
        id = "acme.maintenance"
        reason = "server-unavailable"
        title = "ACME is being maintained"
        code = 421
        enhanced = "X.3.90"
        """
    )

    assert "acme.maintenance" == explained("421 4.3.90 zzz", own).entries[0]
    assert "ACME is being maintained" == explained("421 4.3.90", own).title
    assert "rate-limited" == explained("421 4.3.90 too many connections from your host", own).reason
    assert "acme.maintenance" not in explained("421 zzz", own).entries
    assert "acme.maintenance" not in explained("450 4.3.90 zzz", own).entries


def test_an_override_of_words_stays_in_its_place() -> None:
    """The built-in entry's reply has the new steps, and everything else of it."""
    own = catalog('[[reply]]\nid = "gmail.mailbox-full"\nsteps = ["Call them."]\n')
    full = "452 4.2.2 The email account that you tried to reach is over quota gsmtp"
    built_in = explain(parse_reply(full))

    found = explained(full, own)

    assert "gmail.mailbox-full" == built_in.entries[0]
    assert (("Call them.",), built_in.title, built_in.retry) == (found.steps, found.title, found.retry)
    assert built_in.entries == found.entries
    assert ("enhanced.5.1.1",) == explained("550 5.1.1 zzz", own).entries[:1]


def test_an_override_of_a_code_or_phrase_does_not_beat_better_entries() -> None:
    own = catalog(
        '[[reply]]\nid = "reply.550"\ntitle = "Ask us"\n[[reply]]\nid = "phrase.user-unknown"\ntitle = "Gone"\n'
    )

    assert "Ask us" == explained("550 zzz", own).title
    assert "Gone" == explained("550 user unknown", own).title
    assert explain(parse_reply("550 relaying denied")).title == explained("550 relaying denied", own).title


def test_an_override_of_text_fits_what_it_says_instead() -> None:
    own = catalog('[[reply]]\nid = "gmail.mailbox-full"\ntext = "zorp zorp"\n')

    assert "gmail.mailbox-full" == explained("599 zorp zorp", own).entries[0]
    assert "gmail.mailbox-full" not in explained("452 4.2.2 that you tried to reach is over quota gsmtp", own).entries


def test_a_retry_is_also_what_to_do() -> None:
    """The reason's own action is to change something; the user's retry goes before it."""
    own = catalog('[[reply]]\nid = "a.b"\nreason = "policy"\ntitle = "T"\ntext = "zorp"\nretry = ["1h"]\n')

    assert ("retry", Retry(True, (3600,))) == (explained("550 zorp", own).action, explained("550 zorp", own).retry)


def test_a_success_can_be_explained_too() -> None:
    own = catalog('[[reply]]\nid = "acme.ok"\nreason = "ok"\ntitle = "ACME has it"\ntext = "acme took it"\n')

    assert "ACME has it" == explained("250 ACME took it", own).title
    assert "acme.ok" not in explained("550 ACME took it", own).entries


def test_of_two_files_the_first_given_counts() -> None:
    first, second = (
        parse_catalog(f'[[reply]]\nid = "a.b"\nreason = "policy"\ntitle = "{title}"\ntext = "zorp"\n', title)
        for title in ("one", "two")
    )

    assert "one" == explained("550 zorp", UserCatalog((*first, *second))).title


def test_the_catalog_is_browsed_with_the_users_entries() -> None:
    page = lookup("acme.held", catalog=ACME)
    provider = lookup("acme", catalog=ACME)

    assert isinstance(page, EntryPage)
    assert "acme.held" == page.entry.id
    assert isinstance(provider, ProviderPage)
    assert ["acme.held"] == [entry.id for entry in provider.entries]
    assert "acme.held" == all_entries(catalog=ACME)[0].id
    assert len(all_entries()) + 1 == len(all_entries(catalog=ACME))


NEW = '[[reply]]\nid = "a.b"\nreason = "policy"\ntitle = "T"\n'

WRONG = [
    ("[[reply]]\nid = ,", "this is no TOML: Invalid value (at line 2, column"),
    ("\n[reply]\nid = 'a.b'", "line 2, key reply: write [[reply]] above each entry"),
    ("\nrule = 3", "line 2, key rule: only [[reply]] tables are known"),
    ("\n\n[[rule]]\nx = 1", "line 3, key rule: only [[reply]] tables are known"),
    (NEW, "line 1, key text: a new entry needs text, code or enhanced"),
    ("[[reply]]\ntitle = 'x'", "line 1, key id: each entry needs one"),
    ("[[reply]]\nid = 'x'", "line 2, key id: expected a name with a dot"),
    ("[[reply]]\nid = 'a.b'\ntext = 'x'", 'line 1, key reason: "a.b" is a new entry, and needs one'),
    (NEW + "text = 'x'\nfoo = 1", "line 6, key foo: no such key; there are: id, reason"),
    (
        NEW + "text = 'x'\ncode = '550'",
        'line 6, key code: expected a reply code between 200 and 599, or a list of them, got "550"',
    ),
    (NEW + "text = 'x'\ncode = 99", "line 6, key code: expected a reply code"),
    (NEW + "text = 'x'\ncode = true", "line 6, key code: expected a reply code"),
    (NEW + "text = 'x'\ncode = []", "line 6, key code: expected a reply code"),
    (NEW + "text = 'x'\nenhanced = '9.1.1'", "line 6, key enhanced: expected an enhanced status code"),
    (NEW + "text = 'x'\nretry = true", "line 6, key retry: expected false, or times"),
    (NEW + "text = 'x'\nretry = ['5 weeks']", 'line 6, key retry: expected a time such as "5m"'),
    (NEW + "text = 'x'\ngive-up = '2d'", "line 6, key give-up: it belongs to a retry"),
    (NEW + "text = 'x'\nwho = 'me'", 'line 6, key who: there is no "me"; there are: sender'),
    (NEW + "text = 'x'\naction = 'retri'", 'line 6, key action: there is no "retri"; did you mean "retry"?'),
    (NEW + "text = 'x'\nsteps = 'call'", 'line 6, key steps: expected a list of texts, got "call"'),
    (NEW + "text = 'x'\nsteps = [1]", "line 6, key steps: expected a text, got 1"),
    (NEW + "text = 'x'\nsteps = ['to {nobody}']", "line 6, key steps: there is no place {nobody}"),
    (NEW + "text = ''", 'line 5, key text: expected a text, got ""'),
    (NEW + "text = '('", "line 5, key text: it is no regular expression: missing ), unterminated subpattern"),
    (NEW + "text = '(a+)+x'", "line 5, key text: a repetition inside a repetition"),
    (NEW + "text = 'x'\nexample = '550 y'", "line 6, key example: the entry's own text and codes do not fit it"),
    (NEW + "text = 'x'\n" + NEW + "text = 'y'", 'line 7, key id: "a.b" stands in this file twice'),
    (NEW.replace("policy", "polcy") + "text = 'x'", 'line 3, key reason: there is no "polcy"; did you mean "policy"?'),
    ("reply = [{id = 'a.b', foo = 1}]", "own.toml, key foo: no such key"),
    ("x = " + "[" * 5000, "own.toml: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), WRONG, ids=lambda value: value[-30:])
def test_what_is_wrong_is_told_with_its_line_and_key(text: str, says: str) -> None:
    with pytest.raises(CatalogFileError) as error:
        parse_catalog(text, "own.toml")

    assert str(error.value).startswith("own.toml")
    assert says in str(error.value)


def test_an_empty_file_is_an_empty_catalog() -> None:
    assert () == parse_catalog("# nothing yet\n", "own.toml")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(a*)*b", "(?:x|y+)*z", "(\\w+\\s?)*$", "((ab)*c)+d", "(a|a)*b", "(?P<n>a+){2,}b", "x*",
        "([a-z]+){25}",         "(.*)*", ".*.*.*.*x", "(a|aa)+$", " ", "a" * 501, "[", "(?:a{0,50}){0,50}b",
        "a?" * 30 + "b*" + "a" * 30,
        "\\s*\\s*\\s*!", "(a?){30}a{30}", "(?:x{2,})+", "(?:mail|mailbox|mai|ma)*$",
    ],
)  # fmt: skip
def test_patterns_that_would_be_slow_or_fit_everything_are_refused(pattern: str) -> None:
    start = time.process_time()

    assert refusal(pattern) is not None
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "pattern",
    [
        "held by ACME policy [0-9]+", "user (?:is )?unknown|no such user", r"\bAS\(\d{3,8}\)", "quota.{0,40}exceeded",
        r"^blocked \[[\w.-]+\]$", ".*over quota", "a(?:b|c)+d", "(?:ab?c)+d", "quota .*exceeded.*limit",
        r"(?i)\(RULE-\d+\)", "(?<=from )spam", "x{2,9}y",
    ],
)  # fmt: skip
def test_honest_patterns_are_not(pattern: str) -> None:
    assert refusal(pattern) is None


def test_a_users_pattern_sees_a_bounded_part_of_a_reply() -> None:
    own = catalog('[[reply]]\nid = "a.b"\nreason = "policy"\ntitle = "T"\ntext = "zorp"\n')

    assert "a.b" not in explained("550 " + "x" * MAX_TEXT_CHARS + " zorp", own).entries
