"""Whatever `explain` is given, the catalog knows what it is: a reply, a code, a reason, a provider, an id."""

from __future__ import annotations

import pytest

from smtpdoc.catalog.browse import (
    CodePage,
    EntryPage,
    FindingPage,
    NothingFound,
    ProviderPage,
    ReasonPage,
    ReplyExplanation,
    all_entries,
    find_entry,
    finding_entries,
    lookup,
    provider_named,
    suggestions,
)
from smtpdoc.grammar.reply import ReplyParseError


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("550 5.1.1 User unknown", ReplyExplanation),
        ("550 5.1.1", ReplyExplanation),
        ("user unknown", ReplyExplanation),
        ("550", CodePage),
        ("5.7.26", CodePage),
        ("X.7.26", CodePage),
        ("591", CodePage),
        ("greylisted", ReasonPage),
        ("Greylisted", ReasonPage),
        ("unknown", ReasonPage),
        ("gmail", ProviderPage),
        ("Hotmail", ProviderPage),
        ("gmail.dmarc-unauthenticated", EntryPage),
        ("enhanced.5.7.26", EntryPage),
        ("reply.550", EntryPage),
        ("reply.5yz", EntryPage),
        ("spf.too-many-lookups", FindingPage),
        ("greylsted", NothingFound),
        ("spf.too-many-lookup", NothingFound),
        ("zorp", NothingFound),
    ],
)
def test_lookup_knows_what_it_was_given(words: str, page: type) -> None:
    assert page is type(lookup(words))


def test_nothing_is_no_name_and_no_reply() -> None:
    with pytest.raises(ReplyParseError):
        lookup("...")


def test_a_code_shows_every_providers_use() -> None:
    page = lookup("5.7.26")

    assert isinstance(page, CodePage)
    assert page.entry is not None
    assert "enhanced.5.7.26" == page.entry.id
    assert "gmail.dmarc-unauthenticated" in {entry.id for entry in page.uses}


def test_an_unlisted_code_has_its_class() -> None:
    page = lookup("573")

    assert isinstance(page, CodePage)
    assert page.entry is None
    assert ("reply.5yz",) == page.explanation.entries


def test_a_provider_has_its_entries_and_its_name() -> None:
    page = lookup("m365")

    assert isinstance(page, ProviderPage)
    assert ("microsoft365", "Microsoft 365") == (page.provider, page.name)
    assert {"microsoft365"} == {entry.provider for entry in page.entries}


def test_mistyped_names_get_suggestions() -> None:
    assert "greylisted" == suggestions("greylsted")[0]
    assert "spf.too-many-lookups" == suggestions("spf.too-many-lookup")[0]
    assert () == suggestions("zorp")


def test_filters_of_the_list() -> None:
    gmail = all_entries(provider="google")

    assert gmail
    assert {"gmail"} == {entry.provider for entry in gmail}
    assert {"greylisted"} == {entry.reason for entry in all_entries(reason="greylisted")}
    assert {"phrase", "enhanced", "reply"} <= {entry.id.partition(".")[0] for entry in all_entries()}
    assert "enhanced.X.7.26" in {entry.id for entry in all_entries(code="5.7.26")}
    assert {"reply.535"} <= {entry.id for entry in all_entries(code="535")}


def test_every_id_of_the_list_is_found() -> None:
    for entry in all_entries():
        found = find_entry(entry.id)

        assert found is not None, entry.id
        assert entry.id.lower() == found.id.lower()


def test_findings_of_all_commands_are_known() -> None:
    topics = {entry.topic for entry in finding_entries()}

    assert {"spf", "dkim", "dmarc", "mx", "ptr", "smtp", "tls", "reply"} <= topics


@pytest.mark.parametrize(
    ("name", "provider"), [("google", "gmail"), ("163", "163"), ("opensmtpd", "opensmtpd"), ("zorp", None)]
)
def test_provider_names(name: str, provider: str | None) -> None:
    assert provider == provider_named(name)
