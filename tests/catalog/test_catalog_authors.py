"""Who wrote a reply: marks in its text, the host that a log names, the greeting, and words that are anybody's."""

from __future__ import annotations

import pytest

from smtpdoc.catalog import providers
from smtpdoc.catalog.explain import explain
from smtpdoc.catalog.hosts import provider_of_host
from smtpdoc.catalog.providers import recognise_greeting
from smtpdoc.catalog.replies import provider_entries
from smtpdoc.evidence.explanation import Explanation
from smtpdoc.grammar.reply import parse_reply

GREETINGS = [
    ("220 mx.lab.test ESMTP Postfix (Debian/GNU)", "postfix"),
    ("mx.lab.test ESMTP Exim 4.96 Fri, 20 Nov 2026 10:00:00 +0000", "exim"),
    ("220-host.example.net ESMTP Exim 4.97.1 #2 We do not authorize the use of this system", "exim"),
    ("220 mx.lab.test ESMTP OpenSMTPD", "opensmtpd"),
    ("220 mx.lab.test ESMTP Sendmail 8.17.1/8.17.1; Fri, 20 Nov 2026 10:00:00 GMT", "sendmail"),
    ("220 mail.example.org Microsoft ESMTP MAIL Service ready at Fri, 20 Nov 2026 10:00:00 +0000", "exchange"),
    ("220 AM0EUR02FT003.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at", "microsoft365"),
    ("220 DB5EUR03FT012.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready", "microsoft365"),
    ("220 mx.google.com ESMTP a640c23a62f3a-si123.45 - gsmtp", "gmail"),
    ("220 smtp.example.com ESMTP b1sm2.3 - gsmtp", "gmail"),
    ("220 mta4321.mail.bf1.yahoo.com ESMTP ready", "yahoo"),
    ("220 p00-icloudmta-asmtp.icloud.com ESMTP", "icloud"),
    ("220 newxmmxszc6.qq.com MX QQ Mail Server.", "qq"),
    ("220 163.com Anti-spam GT for Coremail System (163com[20141201])", "163"),
    ("220 mail.example.cn Anti-spam GT for Coremail System", "163"),
    ("220 eu-smtp-inbound-1.mimecast.com ESMTP; Fri, 20 Nov 2026", "mimecast"),
    ("220 mx0a-00123456.pphosted.com ESMTP mfa-m0123456", "proofpoint"),
    ("220 mx.example.com ESMTP cm-p0123", "proofpoint"),
    ("220 gmx.net (mxgmx101) Nemesis ESMTP Service ready", "gmx"),
    ("220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABC", "ses"),
    ("220 mx.lab.test ESMTP Haraka/3.0.3 ready", "haraka"),
    ("220 mx.lab.test Dovecot (Debian) ready.", "dovecot"),
    ("220 mx.lab.test Stalwart ESMTP at your service", "stalwart"),
    ("220 mx.lab.test ESMTP mox 1.2.3", "mox"),
    ("220 esa1.hc1-2.iphmx.com ESMTP", "ironport"),
    ("220 mx.lab.test ESMTP ready", None),
    ("220 exim-user.example.net ESMTP", None),
    ("220 ", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "provider"), GREETINGS)
def test_a_greeting_tells_the_provider_or_the_software(text: str, provider: str | None) -> None:
    assert provider == recognise_greeting(text)


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("gmail-smtp-in.l.google.com", "gmail"),
        ("contoso-com.mail.protection.outlook.com", "microsoft365"),
        ("hotmail-com.olc.protection.outlook.com", "outlook.com"),
        ("MTA7.AM0.YAHOODNS.NET.", "yahoo"),
        ("mx1.comcast.net", "comcast"),
        ("notgoogle.com", None),
        ("google.com.example.net", None),
        ("", None),
    ],
)
def test_a_host_belongs_to_its_domains_provider(host: str, provider: str | None) -> None:
    assert provider == provider_of_host(host)


def told(text: str, provider: str | None = None) -> Explanation:
    return explain(parse_reply(text), provider=provider)


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("host mx1.comcast.net[192.0.2.1] said: 421 4.2.0 Greylisted, please try again later", "comcast"),
        (
            "host mx6.mail.icloud.com[192.0.2.1] refused to talk to me: 554 5.7.1 Blocked, see zen.spamhaus.org",
            "icloud",
        ),
        ("Remote-MTA: dns; mx3.qq.com\nDiagnostic-Code: smtp; 550 Not here", "qq"),
        # The text quotes somebody else's words: its own mark says more than the host that passed them on
        ("host mx.example.net[192.0.2.1] said: 550 5.1.1 No. a1si2.3 - gsmtp", "gmail"),
        ("host mx.example.net[192.0.2.1] said: 550 Not here", None),
    ],
)
def test_the_host_that_replied_names_its_provider(text: str, provider: str | None) -> None:
    assert provider == told(text).provider


def test_the_host_that_replied_is_a_fact() -> None:
    assert "mx1.comcast.net" == told("host mx1.comcast.net[192.0.2.1] said: 550 no").facts["remote_host"]
    assert "remote_host" not in told("550 no").facts


@pytest.mark.parametrize(
    "text",
    [
        "500 no such user",
        "550 Mailbox does not exist.",
        "550 SPF check failed (Fail)",
        "550 5.1.1 user@example.com recipient overquota",
        "551 <user@example.com> is a deactivated mailbox",
        "550 Sender rejected: not welcome",
        "521 5.1.2 Domain does not exist: gmail.col",
    ],
)
def test_words_that_anybody_uses_name_nobody(text: str) -> None:
    found = told(text)

    assert found.provider is None
    assert found.reason
    for name in ("QQ", "Orange", "Gmail", "Postfix", "mox", "Stalwart"):
        assert name not in f"{found.title} {found.meaning}"


def test_another_softwares_words_do_not_explain_a_known_server() -> None:
    """ "Greylisting in action" is an Exim rule's text; a Postfix server that says it greylists all the same."""
    text = "451 Greylisting in action, please come back later"

    assert "greylisted" == told(text, "postfix").reason
    assert not [name for name in told(text, "postfix").entries if name.startswith("exim.")]
    assert "postfix" == told(text, "postfix").provider


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", "yahoo"),
        ("554 5.7.1 Client host [192.0.2.1] blocked using bl.spamcop.net", "spamcop"),
        ("450 4.2.0 <bob@lab.test>: Recipient address rejected: Greylisted", "exim"),
    ],
)
def test_server_software_is_a_weak_hint(text: str, provider: str) -> None:
    assert provider == told(text, "exim").provider


def test_every_provider_that_is_recognised_has_replies_of_its_own() -> None:
    """Verizon is recognised by its host names only; its words are Yahoo's."""
    named = {entry.provider for entry in provider_entries()}

    assert {"verizon"} == set(providers.KINDS) - named
    assert set(providers.ALIASES.values()) <= named
