"""Who wrote a reply: marks in the text that give a provider, a filter, a list or a server away."""

from __future__ import annotations

import re
from functools import cache

RECEIVER, FILTER, LIST, SERVER = range(4)

# Provider, what it is, plain marks (lower case, any of them), and a regular expression or "".
# Receivers stand before filters, filters before lists, lists before server software: the first that fits is named.
_MARKS: tuple[tuple[str, int, tuple[str, ...], str], ...] = (
    ("gmail", RECEIVER, ("gsmtp", "support.google.com", "mail.google.com", "google"),
     r"\bg(?:oogle)?mail\b(?!\.(?!com\b))"),
    ("yahoo", RECEIVER, ("yahoo", "ymail", "delivery error: dd "), r"\[(?:ts|bl|gl|pm|con|rl)[0-9]{2}\]|\[#4\.16\.[0-9]"),
    ("outlook.com", RECEIVER, ("postmaster.live.com", "mail.live.com", "mail rejected by outlook.com", "hotmail", "[outlook.com]",
      "part of their network is on our block list", "(s3140)", "(s3150)", "(s2017"),
     r"\b(?:snt|bay|dub|col|blu|bn)[0-9]*-?(?:mc|omc|004)|\b(?:ou|sc|dy|rp)-00[1-4]\b"),
    ("microsoft365", RECEIVER,
     ("prod.outlook.com", "protection.outlook.com", "sender.office.com", "delist@microsoft.com", "go.microsoft.com",
      "aka.ms/", "office365", "(as16", "as(16", "resolver.", "storedrv", "tenant"),
     r"\bas\([0-9]{3,8}\)|\((?:as|s)[0-9]{3,8}\)"),
    ("icloud", RECEIVER, ("icloud", "apple.com", "[hme1]", "@me.com"), r"\[(?:hm|cs)[a-z]?[0-9]{1,2}\]"),
    ("comcast", RECEIVER, ("comcast", "xfinity"), ""),
    ("gmx", RECEIVER, ("1and1", "gmx.", "web.de", "kundenserver", "mail.com/", "ionos"), ""),
    ("t-online", RECEIVER, ("t-online",), ""),
    ("orange", RECEIVER, ("orange.fr", "wanadoo"), r"\bofr[_0-9]"),
    ("laposte", RECEIVER, ("laposte",), r"\blpn[0-9]{3}"),
    ("free", RECEIVER, ("free.fr",), ""),
    ("mail.ru", RECEIVER, ("mail.ru",), ""),
    ("yandex", RECEIVER, ("yandex", "ya.ru"), ""),
    ("rambler", RECEIVER, ("rambler",), ""),
    ("qq", RECEIVER, ("qq.com", "exmail.qq"), ""),
    ("163", RECEIVER, ("163.com", "126.com", "netease"), r"\b(?:mi|hl|dt|rp):[a-z]{3}\b"),
    ("sina", RECEIVER, ("sina.com", "sina.cn"), ""),
    ("godaddy", RECEIVER, ("secureserver.net", "x.co/srbounce", "bizsmtp", "p3plibsmtp"), r"\bib[0-9]{3}\b"),
    ("rackspace", RECEIVER, ("emailsrvr", "rackspace"), r"\(g[0-9a-f]{1,2}\)|acl dns_rbl"),
    ("zoho", RECEIVER, ("zoho",), ""),
    ("titan", RECEIVER, ("titan.email", "flockmail"), ""),
    ("facebook", RECEIVER, ("facebook",), ""),
    ("att", RECEIVER, ("att.net", "sbcglobal", "dnsbl:attrbl", "dnsbl:rbl", "_is_blocked"), ""),
    ("cox", RECEIVER, ("cox.com", "cox.net"), ""),
    ("verizon", RECEIVER, ("verizon.net", "verizon online"), ""),
    ("spectrum", RECEIVER, ("spectrum.net", "charter.net", "rr.com"), ""),
    ("virginmedia", RECEIVER, ("virginmedia",), r"\bmxin[0-9]{3}"),
    ("fastmail", RECEIVER, ("fastmail", "messagingengine"), ""),
    ("protonmail", RECEIVER, ("protonmail", "proton.me"), ""),
    ("aol", RECEIVER, ("aol.com", "aol.jp"), ""),
    ("hostpoint", RECEIVER, ("hostpoint",), ""),
    ("infomaniak", RECEIVER, ("infomaniak",), ""),
    ("mxroute", RECEIVER, ("mxroute",), ""),
    ("kpn", RECEIVER, ("kpnmail", "@kpn.com"), ""),
    ("cloudflare", RECEIVER, ("cloudflare.com/email-routing",), ""),
    ("mailchannels", RECEIVER, ("mailchannels",), ""),
    ("improvmx", RECEIVER, ("improvmx",), ""),
    ("ses", RECEIVER, ("amazonses", "amazon ses", "aws.amazon"), ""),
    ("sendgrid", RECEIVER, ("sendgrid",), ""),
    ("mailgun", RECEIVER, ("mailgun",), ""),
    ("mimecast", FILTER, ("mimecast",), r"\[[\w-]{22}\.[a-z]{2}[0-9]+\]"),
    ("proofpoint", FILTER, ("proofpoint", "pphosted"), ""),
    ("symantec", FILTER, ("symanteccloud", "messagelabs"), ""),
    ("cloudmark", FILTER, ("csi.cloudmark", "cm-csi", "cloudmark"), ""),
    ("trendmicro", FILTER, ("trend micro", "trendmicro", "mail-abuse.com"), ""),
    ("sophos", FILTER, ("sophos",), ""),
    ("fireeye", FILTER, (), r"\betp[0-9]{3}\b"),
    ("barracuda", FILTER, ("barracuda", "cuda_nsu"), ""),
    ("zerospam", FILTER, ("zerospam",), ""),
    ("spamassassin", FILTER, ("spamassassin",), ""),
    ("spamhaus", LIST, ("spamhaus",), ""),
    ("spamcop", LIST, ("spamcop",), ""),
    ("sorbs", LIST, ("sorbs",), ""),
    ("uceprotect", LIST, ("uceprotect",), ""),
    ("invaluement", LIST, ("invaluement",), ""),
    ("abusix", LIST, ("abusix",), ""),
    ("uribl", LIST, ("uribl.com",), ""),
    ("surbl", LIST, ("surbl.org",), ""),
    ("exim", SERVER, ("exim",), ""),
    ("postfix", SERVER,
     ("address rejected: ", "host rejected: ", "command rejected:", "postfix", "relay access denied"), ""),
    ("haraka", SERVER, ("haraka",), ""),
    ("qmail", SERVER, ("qmail", "rcpthosts", "vpopmail", "vchkpw", "chkuser"), ""),
    ("sendmail", SERVER, ("sendmail",), r"@[\w.-]*>?\.\.\. "),
    ("james", SERVER, ("james",), ""),
    ("stalwart", SERVER, ("stalwart",), ""),
    ("rspamd", SERVER, ("rspamd",), ""),
)  # fmt: skip

#: What each provider is, for those that the marks know.
KINDS = {provider: kind for provider, kind, _, _ in _MARKS}


def kind(provider: str | None) -> int:
    """Return what a provider is; server software when the marks do not know it."""
    return KINDS.get(provider or "", SERVER)


#: Other names under which people ask for a provider.
ALIASES = {
    "free.fr": "free",
    "postscreen": "postfix",
    "google": "gmail",
    "googlemail": "gmail",
    "google workspace": "gmail",
    "gsuite": "gmail",
    "o365": "microsoft365",
    "m365": "microsoft365",
    "office365": "microsoft365",
    "office 365": "microsoft365",
    "microsoft": "microsoft365",
    "microsoft 365": "microsoft365",
    "exchange online": "microsoft365",
    "outlook": "outlook.com",
    "hotmail": "outlook.com",
    "live": "outlook.com",
    "outlookcom": "outlook.com",
    "aol": "aol",
    "web.de": "gmx",
    "1und1": "gmx",
    "1and1": "gmx",
    "ionos": "gmx",
    "tonline": "t-online",
    "telekom": "t-online",
    "netease": "163",
    "126": "163",
    "tencent": "qq",
    "xfinity": "comcast",
    "apple": "icloud",
    "me.com": "icloud",
    "wanadoo": "orange",
    "mailru": "mail.ru",
    "rackspace email": "rackspace",
    "messagelabs": "symantec",
    "cisco": "ironport",
    "amazon": "ses",
    "amazon ses": "ses",
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def recognise(text: str) -> str | None:
    """Return the provider whose marks the text bears, or None when it could be anybody's.

    A recipient's address names the provider too, a sender's does not: anybody may refuse mail from gmail.com.

    >>> recognise("Message blocked. a1si123.5 - gsmtp")
    'gmail'
    >>> recognise("<user@gmail.com>: Sender address rejected: blocked")
    'postfix'
    """
    lower = text.lower()
    if "@" not in lower:
        return _recognise(text, lower)
    bare = _compiled(r"@[\w.-]+").sub("@", text)
    found = _recognise(bare, bare.lower())
    if "sender" in lower or "from" in lower or (found is not None and KINDS[found] != SERVER):
        return found
    return _recognise(text, lower) or found


def _recognise(text: str, lower: str) -> str | None:
    for provider, _, marks, pattern in _MARKS:
        for mark in marks:  # no any(): this runs for every reply
            if mark in lower:
                return provider
        if pattern and any(anchor in lower for anchor in _ANCHORS[provider]) and _compiled(pattern).search(text):
            return provider
    return None


#: What a text must hold for the regular expression of a mark to be worth compiling.
_ANCHORS = {
    "gmail": ("gmail", "googlemail"),
    "yahoo": ("[ts", "[bl", "[gl", "[pm", "[con", "[rl", "[#4.16"),
    "outlook.com": ("snt", "bay", "dub", "col", "blu", "bn", "ou-0", "sc-0", "dy-0", "rp-0"),
    "microsoft365": ("as(", "(as", "(s"),
    "icloud": ("[hm", "[cs"),
    "orange": ("ofr",),
    "laposte": ("lpn",),
    "163": ("mi:", "hl:", "dt:", "rp:"),
    "godaddy": ("ib",),
    "rackspace": ("(g", "acl dns_rbl"),
    "virginmedia": ("mxin",),
    "mimecast": ("[",),
    "fireeye": ("etp",),
    "sendmail": ("... ",),
}


def provider_of_host(host: str) -> str | None:
    """Return whose mail host this is, or None.

    >>> provider_of_host("mx3.qq.com")
    'qq'
    """
    from smtpdoc.catalog import hosts  # a bare reply names no host

    return hosts.provider_of_host(host)


def recognise_greeting(text: str) -> str | None:
    """Return the provider, or else the server software, that an SMTP greeting tells, or None.

    >>> recognise_greeting("220 mx.google.com ESMTP a1si2.3 - gsmtp")
    'gmail'
    """
    from smtpdoc.catalog import hosts

    return hosts.recognise_greeting(text)


def display_name(provider: str) -> str:
    """Return the provider's name as people write it.

    >>> display_name("microsoft365")
    'Microsoft 365'
    """
    return _NAMES.get(provider, provider if "." in provider or provider[:1].isdigit() else provider.capitalize())


_NAMES = {
    "gmail": "Gmail",
    "microsoft365": "Microsoft 365",
    "outlook.com": "Outlook.com",
    "exchange": "Exchange",
    "icloud": "iCloud",
    "gmx": "GMX, WEB.DE, 1&1",
    "t-online": "T-Online",
    "laposte": "La Poste",
    "mail.ru": "Mail.ru",
    "qq": "QQ Mail",
    "163": "163.com (NetEase)",
    "godaddy": "GoDaddy",
    "aol": "AOL",
    "att": "AT&T",
    "ses": "Amazon SES",
    "sendgrid": "SendGrid",
    "protonmail": "Proton Mail",
    "trendmicro": "Trend Micro",
    "fireeye": "Trellix (FireEye)",
    "spamcop": "SpamCop",
    "sorbs": "SORBS",
    "uceprotect": "UCEPROTECT",
    "uribl": "URIBL",
    "surbl": "SURBL",
    "spamassassin": "SpamAssassin",
    "mxroute": "MXroute",
    "improvmx": "ImprovMX",
    "opensmtpd": "OpenSMTPD",
    "qmail": "qmail",
    "mox": "mox",
    "rspamd": "Rspamd",
    "ironport": "Cisco IronPort",
    "virginmedia": "Virgin Media",
    "kpn": "KPN",
    "mailchannels": "MailChannels",
}
