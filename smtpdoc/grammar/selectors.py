"""DKIM selectors that senders commonly use. Selectors cannot be listed in DNS; these are good guesses."""

from __future__ import annotations

#: Selectors by the sending service that uses them; "" for those that many people choose. Names are unique.
SELECTORS_BY_SENDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Google Workspace", ("google", "20230601", "20221208", "20161025")),
    ("Microsoft 365", ("selector1", "selector2")),
    ("SendGrid", ("s1", "s2", "smtpapi", "em", "m1")),
    ("Mailchimp", ("k1", "k2", "k3")),
    ("Mailchimp Transactional", ("mandrill", "mte1", "mte2")),
    ("Mailgun", ("mg", "mailgun", "pic", "krs", "mta", "mx")),
    ("Brevo", ("brevo1", "brevo2", "sendinblue")),
    ("Mailjet", ("mailjet",)),
    ("Resend", ("resend",)),
    ("Postmark", ("pm",)),
    ("HubSpot", ("hs1", "hs2")),
    ("Zendesk", ("zendesk1", "zendesk2")),
    ("Freshdesk", ("fd", "fd2")),
    ("Fastmail", ("fm1", "fm2", "fm3", "mesmtp")),
    ("Proton", ("protonmail", "protonmail2", "protonmail3")),
    ("iCloud", ("sig1",)),
    ("Zoho", ("zoho", "zmail")),
    ("Yahoo", ("s1024", "s2048")),
    ("Campaign Monitor", ("cm",)),
    ("Constant Contact", ("ctct1", "ctct2")),
    ("ActiveCampaign", ("dk", "acdkim1", "acdkim2")),
    ("Klaviyo", ("kl", "kl2")),
    ("MailerLite", ("ml", "litesrv")),
    ("Elastic Email", ("api", "elasticemail")),
    ("turboSMTP", ("turbo-smtp",)),
    ("Intercom", ("intercom",)),
    ("Salesforce", ("200608", "10dkim1", "11dkim1")),
    ("Everlytic", ("everlytickey1", "everlytickey2", "eversrv")),
    ("Global Micro", ("mxvault",)),
    ("Hostinger", ("hostingermail1", "hostingermail-a")),
    ("Cloudflare", ("cf2024-1",)),
    ("", ("default", "dkim", "dkim1", "dkim2", "mail", "email", "smtp", "key1", "key2", "k", "s", "x", "a", "b")),
    ("", ("sm", "server", "mailer", "main")),
)

#: All of them, in the table's order.
COMMON_SELECTORS: tuple[str, ...] = tuple(name for _, names in SELECTORS_BY_SENDER for name in names)

# Selectors that several services or many people use prove nothing ("s1", "k1", "mx").
_AMBIGUOUS = frozenset(
    ("selector1", "selector2", "s1", "s2", "em", "m1", "k1", "k2", "k3", "mg", "pic", "mta", "mx", "pm", "fd", "fd2")
).union(
    ("sig1", "s1024", "s2048", "cm", "dk", "kl", "kl2", "ml", "api", "200608", "10dkim1", "11dkim1", "mte1", "mte2")
)
_SENDER_OF = {
    name: sender for sender, names in SELECTORS_BY_SENDER if sender for name in names if name not in _AMBIGUOUS
}

# Where a selector's CNAME leads, by the end of the target's name.
_SENDER_OF_TARGET: tuple[tuple[str, str], ...] = (
    ("onmicrosoft.com", "Microsoft 365"),
    ("dkim.mail.microsoft", "Microsoft 365"),
    ("sendgrid.net", "SendGrid"),
    ("dkim.mcsv.net", "Mailchimp"),
    ("dkim.mandrillapp.com", "Mailchimp Transactional"),
    ("mailgun.org", "Mailgun"),
    ("dkim.brevo.com", "Brevo"),
    ("sendinblue.com", "Brevo"),
    ("mailjet.com", "Mailjet"),
    ("dkim.amazonses.com", "Amazon SES"),
    ("hubspotemail.net", "HubSpot"),
    ("zendesk.com", "Zendesk"),
    ("freshemail.io", "Freshdesk"),
    ("dkim.fmhosted.com", "Fastmail"),
    ("proton.ch", "Proton"),
    ("protonmail.ch", "Proton"),
    ("icloudmailadmin.com", "iCloud"),
    ("createsend.com", "Campaign Monitor"),
    ("dkim.ccsend.com", "Constant Contact"),
    ("constantcontact.com", "Constant Contact"),
    ("acdkim.com", "ActiveCampaign"),
    ("klaviyomail.com", "Klaviyo"),
    ("mlsend.com", "MailerLite"),
    ("custdkim.salesforce.com", "Salesforce"),
    ("hostingermail.com", "Hostinger"),
)


def selector_sender(selector: str, target: str | None) -> str | None:
    """Return the sending service that a selector belongs to, by its CNAME's target or its own name, or None.

    >>> selector_sender("s1", "s1.domainkey.u1.wl.sendgrid.net"), selector_sender("google", None)
    ('SendGrid', 'Google Workspace')
    """
    if target is not None:
        return next((sender for end, sender in _SENDER_OF_TARGET if target == end or target.endswith(f".{end}")), None)
    return _SENDER_OF.get(selector)


def selectors_of(senders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the selectors that these sending services use, in the table's order.

    >>> selectors_of(("Microsoft 365",))
    ('selector1', 'selector2')
    """
    return tuple(name for sender, names in SELECTORS_BY_SENDER if sender in senders for name in names)
