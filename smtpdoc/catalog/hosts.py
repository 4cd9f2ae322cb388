"""Whose a mail host is, and what a server's greeting tells about it. Read for logs, bounces and sessions only."""

from __future__ import annotations

import re
from functools import cache

#: Provider, and the domains of its mail hosts.
_DOMAINS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("outlook.com", ("olc.protection.outlook.com", "hotmail.com", "live.com", "msn.com")),
    ("microsoft365", ("protection.outlook.com", "prod.outlook.com", "office365.com", "outlook.com", "mx.microsoft")),
    ("gmail", ("google.com", "googlemail.com", "gmail.com")),
    ("aol", ("mx.aol.com", "aol.com")),
    ("yahoo", ("yahoodns.net", "yahoo.com", "yahoo.co.jp", "akadns.net", "rogers.com", "btinternet.com")),
    ("icloud", ("icloud.com", "apple.com", "me.com", "mac.com")),
    ("comcast", ("comcast.net",)),
    ("gmx", ("gmx.net", "gmx.com", "web.de", "kundenserver.de", "1and1.com", "1and1.co.uk", "1and1.es", "1and1.fr",
             "ionos.com", "ionos.de", "mail.com", "perfora.net", "1und1.de")),
    ("t-online", ("t-online.de",)),
    ("orange", ("orange.fr", "wanadoo.fr")),
    ("laposte", ("laposte.net",)),
    ("free", ("free.fr",)),
    ("mail.ru", ("mail.ru",)),
    ("yandex", ("yandex.net", "yandex.ru", "yandex.com")),
    ("rambler", ("rambler.ru",)),
    ("qq", ("qq.com",)),
    ("163", ("163.com", "126.com", "netease.com", "yeah.net")),
    ("sina", ("sina.com", "sina.cn", "sina.com.cn", "sina.net")),
    ("godaddy", ("secureserver.net",)),
    ("rackspace", ("emailsrvr.com",)),
    ("zoho", ("zoho.com", "zoho.eu", "zoho.in", "zohomail.com")),
    ("titan", ("titan.email", "flockmail.com")),
    ("facebook", ("facebook.com",)),
    ("att", ("att.net", "sbcglobal.net", "prodigy.net", "bellsouth.net")),
    ("cox", ("cox.net",)),
    ("spectrum", ("spectrum.net", "charter.net", "rr.com", "twc.com")),
    ("virginmedia", ("virginmedia.com",)),
    ("fastmail", ("messagingengine.com", "fastmail.com")),
    ("protonmail", ("protonmail.ch", "proton.ch", "proton.me")),
    ("hostpoint", ("hostpoint.ch",)),
    ("infomaniak", ("infomaniak.ch", "infomaniak.com")),
    ("mxroute", ("mxrouting.net", "mxroute.com", "mxlogin.com")),
    ("improvmx", ("improvmx.com",)),
    ("ses", ("amazonaws.com", "amazonses.com")),
    ("sendgrid", ("sendgrid.net",)),
    ("mailgun", ("mailgun.org", "mailgun.net")),
    ("cloudflare", ("mx.cloudflare.net",)),
    ("mailchannels", ("mailchannels.net",)),
    ("kpn", ("kpnmail.nl", "kpn.com", "kpn.net")),
    ("mimecast", ("mimecast.com", "mimecast.co.za", "mimecast-offshore.com")),
    ("proofpoint", ("pphosted.com", "ppe-hosted.com", "proofpoint.com")),
    ("symantec", ("messagelabs.com", "symanteccloud.com")),
    ("ironport", ("iphmx.com",)),
    ("barracuda", ("barracudanetworks.com",)),
    ("trendmicro", ("trendmicro.com", "trendmicro.eu")),
    ("sophos", ("sophos.com", "reflexion.net")),
)  # fmt: skip

#: Words of greetings (lower case) and whose they are, the more telling first. Receivers before software.
_GREETINGS: tuple[tuple[str, str], ...] = (
    ("gsmtp", "gmail"),
    ("nemesis esmtp", "gmx"),
    ("simpleemailservice", "ses"),
    ("sg esmtp service ready", "sendgrid"),
    ("mailgun influx", "mailgun"),
    ("coremail", "163"),
    ("mimecast", "mimecast"),
    ("microsoft esmtp mail service", "exchange"),
    ("exim", "exim"),
    ("opensmtpd", "opensmtpd"),
    ("postfix", "postfix"),
    ("sendmail", "sendmail"),
    ("haraka", "haraka"),
    ("dovecot", "dovecot"),
    ("stalwart", "stalwart"),
    ("courier", "courier"),
    ("qmail", "qmail"),
    ("apache james", "james"),
    ("james smtp", "james"),
)

#: `mx.example.net ESMTP cm-p0123` is a Proofpoint server of one's own; `ESMTP <digits> mox` writes its name last.
_SHAPES = ((r"\besmtp (?:cm|mf[ap])-[mp][0-9]", "proofpoint"), (r"\besmtp mox\b|\bmox/", "mox"))


def provider_of_host(host: str) -> str | None:
    """Return whose mail host this is, or None.

    >>> provider_of_host("contoso-com.mail.protection.outlook.com")
    'microsoft365'
    """
    name = host.lower().rstrip(".")
    known = _by_domain()
    while name:
        if name in known:
            return known[name]
        name = name.partition(".")[2]
    return None


@cache
def _by_domain() -> dict[str, str]:
    return {domain: provider for provider, domains in reversed(_DOMAINS) for domain in domains}


def recognise_greeting(text: str) -> str | None:
    """Return the provider, or else the server software, that an SMTP greeting tells, or None.

    A greeting begins with the server's domain (RFC 5321 section 4.2); what follows is the server's own choice.

    >>> recognise_greeting("220 mx.example.net ESMTP Postfix (Debian/GNU)")
    'postfix'
    """
    words = re.sub(r"^\s*220[ -]", "", text[:1024]).split()
    if words and (provider := provider_of_host(words[0].strip("[]-,"))) is not None:
        return provider
    rest = " ".join(words[1:] if words and "." in words[0] else words).lower()
    for mark, provider in _GREETINGS:
        if mark in rest:
            return provider
    return next((provider for pattern, provider in _SHAPES if re.search(pattern, rest)), None)
