"""Who stands behind includes and MX hosts: names as customers publish them."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.senders import host_provider, own_bounce_domain, sender_of_include


@pytest.mark.parametrize(
    ("include", "sender"),
    [
        ("_spf.google.com", "Google Workspace"),
        ("SPF.Protection.Outlook.com.", "Microsoft 365"),
        ("u123.wl.sendgrid.net", "SendGrid"),
        ("eu.mailgun.org", "Mailgun"),
        ("one.zoho.com", "Zoho"),
        ("%{ir}.%{v}.%{d}.spf.has.pphosted.com", "Proofpoint"),  # hosted SPF, by macros
        ("google.com", None),  # the whole company, not its mail service
        ("notsendgrid.net", None),
        ("com", None),
        ("", None),
    ],
)
def test_senders_of_includes(include: str, sender: str | None) -> None:
    assert sender == sender_of_include(include)


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("aspmx.l.google.com", "Google Workspace"),
        ("alt1.aspmx.l.google.com", "Google Workspace"),
        ("example-com.a-v1.mx.microsoft", "Microsoft 365"),
        ("in1-smtp.messagingengine.com", "Fastmail"),
        ("mx01.mail.icloud.com", "iCloud"),
        ("inbound-smtp.eu-west-1.amazonaws.com", "Amazon SES"),
        ("ec2-192-0-2-1.eu-west-1.compute.amazonaws.com", None),  # somebody's own server
        ("mx1.ovh.net", "OVH"),
        ("vps-1234.vps.ovh.net", None),
        ("mail.example.com", None),
    ],
)
def test_providers_of_mx_hosts(host: str, provider: str | None) -> None:
    assert provider == host_provider(host)


def test_whose_include_has_most_likely_no_effect() -> None:
    assert own_bounce_domain("servers.mcsv.net") == "Mailchimp uses a bounce domain of its own"
    assert own_bounce_domain("_spf.google.com") is None
