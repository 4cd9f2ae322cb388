"""Where a mail service's bounces go: to the author's own address, or to a domain of the service. Plain data.

It decides whether SPF can align (RFC 9989 section 4.4.2): SPF is asked about the bounce domain. From the services'
own set-up pages; what a customer has changed there cannot be seen in DNS.
"""

from __future__ import annotations

from enum import StrEnum


class Bounces(StrEnum):
    """AUTHOR: the address in From. SERVICE: a domain of the service, always. RETURN_PATH: the same, unless the
    customer sets up a name below the own domain for it.
    """

    AUTHOR = "author"
    SERVICE = "service"
    RETURN_PATH = "return-path"


# Mailbox providers and the gateways in front of them: people write as themselves.
_AUTHOR = (
    *("Google Workspace", "Microsoft 365", "Fastmail", "Proton", "iCloud", "Zoho", "Intermedia", "Rackspace"),
    *("Proofpoint", "Mimecast", "Barracuda", "Symantec", "Trend Micro", "MailChannels"),
    *("GoDaddy", "OpenSRS", "OVH", "Hostinger", "Namecheap", "IONOS", "Gandi", "Yandex", "Tencent"),
)
_SERVICE = ("Mailchimp", "HubSpot", "Constant Contact")
_RETURN_PATH = (
    *("SendGrid", "Postmark", "Mailchimp Transactional", "Amazon SES", "SparkPost", "Mailjet", "Brevo"),
    *("Salesforce Marketing Cloud", "Pardot", "Marketo", "Campaign Monitor", "Customer.io", "ActiveCampaign"),
)
_BOUNCES = {
    **dict.fromkeys(_AUTHOR, Bounces.AUTHOR),
    **dict.fromkeys(_SERVICE, Bounces.SERVICE),
    **dict.fromkeys(_RETURN_PATH, Bounces.RETURN_PATH),
}


def bounces_of(service: str) -> Bounces | None:
    """Return where the bounces of a service (by its name in grammar/senders.py) go, or None where we do not know.

    >>> bounces_of("Google Workspace"), bounces_of("Mailchimp"), bounces_of("Zendesk")
    (<Bounces.AUTHOR: 'author'>, <Bounces.SERVICE: 'service'>, None)
    """
    return _BOUNCES.get(service)
