"""Facts are read out of a reply's text, and only out of what says them."""

# ruff: noqa: E501 (log lines are quoted whole)
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpdoc.grammar.reply_facts import ReplyFacts, read_facts

CASES = [
    ("blocked using zen.spamhaus.org; client [192.0.2.1]", {"ip": "192.0.2.1", "dnsbl": "zen.spamhaus.org"}),
    ("host 192.0.2.10 is listed at combined.mail.abusix.zone (127.0.0.12)", {"ip": "192.0.2.10", "dnsbl": "combined.mail.abusix.zone", "dnsbl_answer": "127.0.0.12"}),
    ("The sending IPv6 address [2001:db8::240] must have a PTR record", {"ip": "2001:db8::240"}),
    ("Unauthenticated email from example.com is not accepted due to domain's DMARC policy", {"domain": "example.com"}),
    ("sending domain [EXAMPLE.COM] does not pass DMARC verification", {"domain": "example.com"}),
    ("<user@example.net>: Recipient address rejected", {"address": "user@example.net", "domain": "example.net"}),
    ("Greylisted, please try again in 300 seconds", {"retry_after_s": 300}),
    ("try again after 5 minutes", {"retry_after_s": 300}),
    ("please retry in 00:04:30", {"retry_after_s": 270}),
    ("Message size exceeds fixed maximum message size (10485760)", {"limit": 10485760}),
    ("the limit is 25 MB", {"limit": 26214400}),
    ("Ok: queued as 4Rk2Zx1qYz9vK", {"queue_id": "4Rk2Zx1qYz9vK"}),
    ("OK id=1rAbCd-0001Xy-2Z", {"queue_id": "1rAbCd-0001Xy-2Z"}),
    ("5AL0pQ3x123456 Message accepted for delivery", {"queue_id": "5AL0pQ3x123456"}),
    ("Your message accepted for delivery", {}),
    ("All messages from 192.0.2.10 permanently deferred [TS03] see https://postmaster.example/x.", {"ip": "192.0.2.10", "tag": "TS03", "url": "https://postmaster.example/x"}),
    ("<host.example.org[192.0.2.22]>: Client host rejected: Access denied", {"ip": "192.0.2.22", "ptr": "host.example.org"}),
    ("the PTR record for 192.0.2.1 (pool.isp.example) is generic", {"ip": "192.0.2.1", "ptr": "pool.isp.example"}),
    ("Client host rejected: cannot find your reverse hostname, [192.0.2.10]", {"ptr": None}),
    ("unable to deliver in 840 minutes", {}),
    ("127.0.0.1 is not a client", {}),
    ("999.1.2.3 and 1.2.3 are no addresses", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_facts(text: str, expected: dict[str, str | int | None]) -> None:
    found = dict(read_facts(text).items())

    assert expected == {name: found.get(name) for name in expected}
    if not expected:
        assert expected == found


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_facts_or_none(text: str) -> None:
    assert isinstance(read_facts(text), ReplyFacts)
