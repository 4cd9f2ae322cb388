"""Who stands behind a name: SPF includes and MX hosts of well-known mail services. Plain data.

From the services' own set-up pages. A wrong or missing name is cosmetic; nothing is decided by it.
"""

from __future__ import annotations

#: Suffix of an include or redirect -> the service that sends from it.
_INCLUDES: dict[str, str] = {
    "_spf.google.com": "Google Workspace",
    "aspmx.googlemail.com": "Google Workspace",
    "_netblocks.google.com": "Google Workspace",
    "_netblocks2.google.com": "Google Workspace",
    "_netblocks3.google.com": "Google Workspace",
    "spf.protection.outlook.com": "Microsoft 365",
    "spf.protection.office365.us": "Microsoft 365",
    "spf.protection.partner.outlook.cn": "Microsoft 365",
    "amazonses.com": "Amazon SES",
    "sendgrid.net": "SendGrid",
    "mailgun.org": "Mailgun",
    "spf.mtasv.net": "Postmark",
    "spf.mandrillapp.com": "Mailchimp Transactional",
    "servers.mcsv.net": "Mailchimp",
    "spf.sendinblue.com": "Brevo",
    "spf.brevo.com": "Brevo",
    "spf.mailjet.com": "Mailjet",
    "sparkpostmail.com": "SparkPost",
    "_spf.salesforce.com": "Salesforce",
    "cust-spf.exacttarget.com": "Salesforce Marketing Cloud",
    "aspmx.pardot.com": "Pardot",
    "et._spf.pardot.com": "Pardot",
    "mktomail.com": "Marketo",
    "hubspotemail.net": "HubSpot",
    "mail.zendesk.com": "Zendesk",
    "email.freshdesk.com": "Freshdesk",
    "helpscoutemail.com": "Help Scout",
    "spf.intermedia.net": "Intermedia",
    "spf.messagingengine.com": "Fastmail",
    "_spf.protonmail.ch": "Proton",
    "zoho.com": "Zoho",
    "zohomail.com": "Zoho",
    "zoho.eu": "Zoho",
    "transmail.net": "Zoho",
    "icloud.com": "iCloud",
    "_spf.mx.cloudflare.net": "Cloudflare Email Routing",
    "spf.improvmx.com": "ImprovMX",
    "spf.forwardemail.net": "Forward Email",
    "relay.mailchannels.net": "MailChannels",
    "pphosted.com": "Proofpoint",
    "mimecast.com": "Mimecast",
    "spf.ess.barracudanetworks.com": "Barracuda",
    "spf.messagelabs.com": "Symantec",
    "spf.hes.trendmicro.com": "Trend Micro",
    "_spf.vali.email": "Valimail",
    "secureserver.net": "GoDaddy",
    "_spf.hostedemail.com": "OpenSRS",
    "mx.ovh.com": "OVH",
    "_spf.mail.hostinger.com": "Hostinger",
    "spf.privateemail.com": "Namecheap",
    "emailsrvr.com": "Rackspace",
    "_spf-eu.ionos.com": "IONOS",
    "_spf-us.ionos.com": "IONOS",
    "_spf.kundenserver.de": "IONOS",
    "_mailcust.gandi.net": "Gandi",
    "_spf.yandex.net": "Yandex",
    "spf.mail.qq.com": "Tencent",
    "spf.constantcontact.com": "Constant Contact",
    "emsd1.com": "ActiveCampaign",
    "_spf.createsend.com": "Campaign Monitor",
    "customeriomail.com": "Customer.io",
    "_spf.mlsend.com": "MailerLite",
    "_spf.atlassian.net": "Atlassian",
    "stspg-customer.com": "Statuspage",
    "shops.shopify.com": "Shopify",
    "spf.recurly.com": "Recurly",
    "_spf.elasticemail.com": "Elastic Email",
    "spf.smtp2go.com": "SMTP2GO",
    "_spf.firebasemail.com": "Firebase",
    "mailsenders.netsuite.com": "NetSuite",
    "_spf.anpdm.com": "APSIS",
}

#: Services whose bounces go to a domain of their own, so that receivers never ask SPF at the customer's domain.
_OWN_BOUNCE_DOMAIN: dict[str, str] = {
    "servers.mcsv.net": "Mailchimp uses a bounce domain of its own",
    "spf.mandrillapp.com": "Mailchimp Transactional uses its own bounce domain unless you set a return-path domain",
    "sendgrid.net": "SendGrid with automated security uses a subdomain of yours that has its own record",
    "spf.mtasv.net": "Postmark uses its own bounce domain unless you set a return-path domain",
    "hubspotemail.net": "HubSpot uses a bounce domain of its own",
}

#: Suffix of an MX host -> the service that receives there.
_HOSTS: dict[str, str] = {
    "aspmx.l.google.com": "Google Workspace",
    "smtp.google.com": "Google Workspace",
    "aspmx2.googlemail.com": "Google Workspace",
    "aspmx3.googlemail.com": "Google Workspace",
    "aspmx4.googlemail.com": "Google Workspace",
    "aspmx5.googlemail.com": "Google Workspace",
    "mail.protection.outlook.com": "Microsoft 365",
    "mx.microsoft": "Microsoft 365",
    "pphosted.com": "Proofpoint",
    "mimecast.com": "Mimecast",
    "zoho.com": "Zoho",
    "zoho.eu": "Zoho",
    "messagingengine.com": "Fastmail",
    "mail.protonmail.ch": "Proton",
    "mailsec.protonmail.ch": "Proton",
    "mail.icloud.com": "iCloud",
    "mx.cloudflare.net": "Cloudflare Email Routing",
    "amazonaws.com": "Amazon SES",
    "ovh.net": "OVH",
    "mail.ovh.net": "OVH",
    "ionos.com": "IONOS",
    "ionos.de": "IONOS",
    "ionos.co.uk": "IONOS",
    "kundenserver.de": "IONOS",
    "mailgun.org": "Mailgun",
    "barracudanetworks.com": "Barracuda",
    "iphmx.com": "Cisco",
    "trendmicro.com": "Trend Micro",
    "mx.sendgrid.net": "SendGrid",
    "secureserver.net": "GoDaddy",
    "improvmx.com": "ImprovMX",
    "forwardemail.net": "Forward Email",
    "emailsrvr.com": "Rackspace",
    "yandex.net": "Yandex",
    "qq.com": "Tencent",
    "hostinger.com": "Hostinger",
    "privateemail.com": "Namecheap",
    "gandi.net": "Gandi",
}

#: Suffixes that a service shares with hosts it only rents out -> how the names of its own MX hosts start.
_HOST_STARTS: dict[str, tuple[str, ...]] = {
    "amazonaws.com": ("inbound-smtp.",),
    "ovh.net": ("mx",),
    "ionos.com": ("mx",),
    "ionos.de": ("mx",),
    "ionos.co.uk": ("mx",),
    "secureserver.net": ("smtp", "mailstore"),
    "hostinger.com": ("mx",),
    "yandex.net": ("mx",),
}


def _by_suffix(table: dict[str, str], name: str) -> str | None:
    rest = name.lower().rstrip(".")
    while rest:
        if rest in table:
            return table[rest]
        rest = rest.partition(".")[2]
    return None


def sender_of_include(domain: str) -> str | None:
    """Return the service that an SPF include or redirect stands for, or None.

    >>> sender_of_include("include.u123.wl.sendgrid.net"), sender_of_include("example.com")
    ('SendGrid', None)
    """
    return _by_suffix(_INCLUDES, domain)


def own_bounce_domain(domain: str) -> str | None:
    """Return why an include most likely has no effect (a sentence without a full stop), or None."""
    return _by_suffix(_OWN_BOUNCE_DOMAIN, domain)


def host_provider(mx_host: str) -> str | None:
    """Return the service that an MX host belongs to, or None.

    >>> host_provider("example-com.mail.protection.outlook.com")
    'Microsoft 365'
    >>> host_provider("ec2-192-0-2-1.compute-1.amazonaws.com") is None
    True
    """
    name = mx_host.lower()
    for suffix, starts in _HOST_STARTS.items():
        if name.endswith(f".{suffix}") and not name.startswith(starts):
            return None
    return _by_suffix(_HOSTS, name)
