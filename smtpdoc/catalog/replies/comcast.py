"""Comcast (Xfinity): replies of mx*.mxge.comcast.net. The part after # in the link is Comcast's own code."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import Source

_CODES = Source("Xfinity postmaster: SMTP error codes", None, "https://postmaster.comcast.net/smtp-error-codes.php")
_POSTMASTER = Source(
    "Xfinity postmaster: Comcast mail errors", None, "https://spa.xfinity.com/help/postmaster?faq=comcast-mail-errors"
)
_SPAMHAUS = Source("Spamhaus: IP and domain reputation checker", None, "https://check.spamhaus.org/")
_CLOUDMARK = Source("Cloudmark Sender Intelligence: reset request", None, "https://csi.cloudmark.com/reset-request/")
_SENDERSCORE = Source("Validity Sender Score", None, "https://senderscore.org/")

_AUTH_CHECK = ("smtpdoc auth-check {domain} --ip {ip}",)
_AUTH_CHECK_LISTS = ("smtpdoc auth-check {domain} --ip {ip} --dnsbl",)

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="comcast.spamhaus-listed",
        provider="comcast",
        reason="ip-blocklisted",
        title="Comcast refused this host: its IP address is listed by Spamhaus",
        meaning="BL000001 stands for Spamhaus ZEN. Only Spamhaus can remove the address.",
        text=r"#BL000001\b",
        steps=(
            "Look the address up at https://check.spamhaus.org/; the list's name decides what to do.",
            "PBL: send through your provider's relay. SBL, XBL, CSS: stop the cause first, then ask for removal there.",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _SPAMHAUS),
        example="554 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000001",
    ),
    ReplyEntry(
        id="comcast.cloudmark-listed",
        provider="comcast",
        reason="ip-blocklisted",
        title="Comcast refused this host: its IP address is listed by Cloudmark",
        meaning="BL000010 stands for Cloudmark Sender Intelligence (CSI), which rates addresses by the spam they sent.",
        text=r"#BL000010\b",
        steps=("Stop the spam.", "Ask for a reset of the address at https://csi.cloudmark.com/reset-request/."),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _CLOUDMARK),
        example="554 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000010",
    ),
    ReplyEntry(
        id="comcast.senderscore-listed",
        provider="comcast",
        reason="ip-blocklisted",
        title="Comcast refused this host: Validity gives its IP address a bad Sender Score",
        meaning="BL000100 stands for Validity's Sender Score block list.",
        text=r"#BL000100\b",
        steps=(
            "Look the address up at https://senderscore.org/ and see what it is rated for.",
            "Stop the cause; the score recovers in days, and Validity's lookup page takes removal requests.",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _SENDERSCORE),
        example="554 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000100",
    ),
    ReplyEntry(
        id="comcast.spam-block",
        provider="comcast",
        reason="ip-blocklisted",
        title="Comcast blocks this IP address for spam",
        meaning="BL000000: Comcast itself saw spam patterns from the address; no public list is involved.",
        text=r"Comcast block for spam|#BL000000\b",
        steps=(
            "Look for spam that leaves your server, and stop it.",
            "Ask for removal with the form on Xfinity's postmaster pages (the link in the reply).",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _POSTMASTER),
        example="554 imta14.emeryville.ca.mail.comcast.net comcast 192.0.2.1 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000",
    ),
    ReplyEntry(
        id="comcast.dnsbl-listed",
        provider="comcast",
        reason="ip-blocklisted",
        title="Comcast refused this host: its IP address is on more than one block list",
        meaning="The digits after BL are switches, from the right: Spamhaus, Cloudmark, Validity. BL000011 is Spamhaus and Cloudmark together.",
        text=r"found on one or more DNSBLs, see https?://[a-z]{0,12}\.?postmaster\.comcast|#BL0000?\d{3}\b",
        steps=(
            "Ask for removal at each list that the digits name, after stopping the cause.",
            "Spamhaus: https://check.spamhaus.org/. Cloudmark: https://csi.cloudmark.com/reset-request/. Validity: https://senderscore.org/.",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _SPAMHAUS, _CLOUDMARK, _SENDERSCORE),
        example="554 resimta-po-11v.sys.comcast.net resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000011",
    ),
    ReplyEntry(
        id="comcast.ptr-missing",
        provider="comcast",
        reason="no-ptr",
        title="Comcast refused this host: it has no PTR record",
        meaning="Comcast takes mail only from addresses whose reverse DNS is set and valid.",
        text=r"Comcast requires that all mail servers must have a PTR record",
        commands=_AUTH_CHECK,
        sources=(_CODES,),
        example="554 mta1.comcast.net comcast 192.0.2.1 Comcast requires that all mail servers must have a PTR record with a valid Reverse DNS entry. Currently your mail server does not fill that requirement. For more information, refer to: http://postmaster.comcast.net/smtp-error-codes.php#554",
    ),
    ReplyEntry(
        id="comcast.reverse-dns-failure",
        provider="comcast",
        reason="no-ptr",
        title="Comcast put the connection off: the reverse DNS lookup failed",
        meaning="Comcast could not look up the PTR record of the sending address. If there is none, waiting does not help.",
        text=r"Reverse DNS failure ?: ?Try again later",
        commands=_AUTH_CHECK,
        sources=(_CODES,),
        example="421 imta14.emeryville.ca.mail.comcast.net comcast Reverse DNS failure : Try again later",
    ),
    ReplyEntry(
        id="comcast.too-many-sessions",
        provider="comcast",
        reason="rate-limited",
        title="Comcast refused a connection: this host has too many open at once",
        meaning="More than 25 sessions from one address are open at the same time.",
        text=r"Too many sessions opened",
        steps=("Limit parallel connections to comcast.net to 25 or less and let the queue retry.",),
        sources=(_CODES,),
        example="421 imta14.emeryville.ca.mail.comcast.net comcast 192.0.2.1 Too many sessions opened",
    ),
    ReplyEntry(
        id="comcast.throttled",
        provider="comcast",
        reason="rate-limited",
        title="Comcast slows this host down",
        meaning="The address sends more than Comcast allows for one with its reputation. RL and the digits are Comcast's own code.",
        text=r"Throttled ?- ?https?://[a-z]{0,12}\.?postmaster\.comcast|#RL0000\d\d",
        steps=(
            "Let the queue retry, with fewer connections and messages per hour.",
            "Check the Sender Score of the address: it decides how much Comcast takes.",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_CODES, _SENDERSCORE),
        example="451 4.2.0 Throttled - https://postmaster.comcast.net/smtp-error-codes.php#RL000010",
    ),
    ReplyEntry(
        id="comcast.receiving-rate",
        provider="comcast",
        reason="rate-limited",
        title="This Comcast mailbox gets mail faster than Comcast allows",
        meaning="Too many messages arrived for this one mailbox. It is neither full nor unknown, although the code is 4.1.1.",
        text=r"too many recent messages; ?Try again later",
        steps=("Wait some hours, then send slower to this address.", "Keep the address."),
        sources=(_CODES,),
        example="452 4.1.1 <user@comcast.net> too many recent messages; Try again later",
    ),
    ReplyEntry(
        id="comcast.mailbox-full",
        provider="comcast",
        reason="mailbox-full",
        title="This Comcast mailbox is full",
        meaning="The mailbox is over its extended quota. The 5.1.1 misleads: the address exists.",
        text=r"recipient rejected - extended quota violation",
        sources=(_CODES,),
        example="552 5.1.1 <user@comcast.net> recipient rejected - extended quota violation",
    ),
    ReplyEntry(
        id="comcast.account-closed",
        provider="comcast",
        reason="mailbox-disabled",
        title="This Comcast account is closed",
        meaning="The customer closed the account; Comcast asks senders to remove the address.",
        text=r"Account Closed, Please Remove",
        who=Who.SENDER,
        sources=(_CODES,),
        example="550 Account Closed, Please Remove",
    ),
    ReplyEntry(
        id="comcast.user-unknown",
        provider="comcast",
        reason="user-unknown",
        title="There is no such Comcast address",
        meaning="Comcast has no customer or mailbox with this address.",
        text=r"recipient mailbox unallocated|^(?:<[^>]{1,320}> )?Not our Customer",
        sources=(_CODES,),
        example="550 5.1.1 <user@comcast.net> recipient mailbox unallocated",
    ),
    ReplyEntry(
        id="comcast.dmarc-reject",
        provider="comcast",
        reason="dmarc-fail",
        title="Comcast refused this message: it fails DMARC",
        meaning="Neither SPF nor DKIM passed for the From domain, and its DMARC policy asks for refusal.",
        text=r"#DM000001\b|Message rejected due to DMARC\. .{0,40}comcast",
        commands=_AUTH_CHECK,
        sources=(_CODES,),
        example="550 5.2.0 Message rejected due to DMARC. Please see http://postmaster.comcast.net/smtp-error-codes.php#DM000001",
    ),
)
