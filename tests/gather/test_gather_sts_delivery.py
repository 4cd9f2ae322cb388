"""A session held against an MTA-STS policy."""

from __future__ import annotations

from typing import Any

import pytest
from support.sessions import handshake, session

from smtpdoc.evidence.auth import TopicStatus
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.evidence.transport import MtaStsEvidence, PolicyFile
from smtpdoc.gather.sts_delivery import sts_delivery
from smtpdoc.grammar.mta_sts import parse_sts_policy

LOOKUP = Lookup("_mta-sts.example.net", "TXT", LookupStatus.FOUND)


def policy(mode: str = "enforce", mx: str = "*.example.net") -> MtaStsEvidence:
    text = f"version: STSv1\nmode: {mode}\nmax_age: 604800\nmx: {mx}\n"
    file = PolicyFile("https://mta-sts.example.net/.well-known/mta-sts.txt", parse_sts_policy(text))
    return MtaStsEvidence(TopicStatus.FOUND, "example.net", LOOKUP, (), file=file)


EHLO = {"STARTTLS": ""}


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({}, ()),
        ({"version": "TLSv1.2"}, ()),
        ({"version": "TLSv1.1"}, ("old-tls",)),
        ({"trusted": False}, ("untrusted",)),
        ({"name_matches": False}, ("name",)),
        ({"trusted": False, "name_matches": False, "version": "TLSv1"}, ("old-tls", "untrusted", "name")),
    ],
)
def test_what_a_certificate_must_be(tls: dict[str, Any], expected: tuple[str, ...]) -> None:
    verdict = sts_delivery(policy(), session(tls=handshake(**tls), capabilities_before_tls=EHLO))

    assert (expected, not expected) == (verdict.problems, verdict.delivers)


def test_a_host_that_the_policy_does_not_list() -> None:
    verdict = sts_delivery(policy(mx="*.elsewhere.example"), session(tls=handshake(), capabilities_before_tls=EHLO))

    assert (("mx-not-listed",), False, None) == (verdict.problems, verdict.delivers, verdict.pattern)


def test_a_host_without_starttls() -> None:
    assert ("no-starttls",) == sts_delivery(policy(), session(capabilities_before_tls={})).problems


def test_a_host_that_nobody_could_reach_is_no_verdict() -> None:
    assert sts_delivery(policy(), session()).delivers is None
    assert sts_delivery(policy(mx="elsewhere.example"), session()).delivers is False


def test_policies_that_ask_for_nothing() -> None:
    none = sts_delivery(policy("none"), session(tls=handshake()))
    missing = sts_delivery(MtaStsEvidence(TopicStatus.ABSENT, "example.net", LOOKUP, ()), session(tls=handshake()))

    assert ("none", None) == (none.mode, none.delivers)
    assert (None, None) == (missing.mode, missing.delivers)
