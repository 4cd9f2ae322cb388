"""iCloud Mail (icloud.com, me.com, mac.com and custom domains at Apple): replies of *.mail.icloud.com.

Apple publishes no table of codes. Tags such as [CS01] name the filter that refused and are not explained by Apple.
"""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import Source

_POSTMASTER = Source("Apple Support: Postmaster information for iCloud Mail", None, "https://support.apple.com/102322")

_AUTH_CHECK = ("smtpdoc auth-check {domain} --ip {ip}",)
_AUTH_CHECK_DOMAIN = ("smtpdoc auth-check {domain}",)
_AUTH_CHECK_LISTS = ("smtpdoc auth-check {domain} --ip {ip} --dnsbl",)

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="icloud.unauthenticated",
        provider="icloud",
        reason="unauthenticated",
        title="iCloud refused this message: neither SPF nor DKIM passed",
        meaning="Apple wants SPF or DKIM from every sender, and this message passed neither. HME1 is Apple's tag for it.",
        text=r"\[HME1\].{0,80}|failing both SPF and DKIM authentication checks",
        steps=(
            "Publish an SPF record for the MAIL FROM domain that contains the sending IP address.",
            "Turn on DKIM signing for the From domain and publish the key.",
        ),
        commands=_AUTH_CHECK,
        sources=(_POSTMASTER,),
        example="554 5.7.1 [HME1] This message was blocked for failing both SPF and DKIM authentication checks. See https://support.apple.com/en-us/HT204137 for mailing best practices",
    ),
    ReplyEntry(
        id="icloud.dmarc-reject",
        provider="icloud",
        reason="dmarc-fail",
        title="iCloud refused this message: it fails DMARC and the From domain asks for refusal",
        meaning="Neither SPF nor DKIM passed for the From domain, and its DMARC policy is reject.",
        text=r"Your message was rejected due to [^ ]{1,255} DMARC policy",
        steps=(
            "Find out which system sent this message and let it sign with DKIM for the From domain.",
            "Forwarded mail: keep the original signature intact or let the recipient fetch it another way.",
        ),
        commands=_AUTH_CHECK,
        sources=(_POSTMASTER,),
        example="554 5.7.1 Your message was rejected due to example.com's DMARC policy. See https://support.apple.com/en-us/HT204137 for info",
    ),
    ReplyEntry(
        id="icloud.local-policy",
        provider="icloud",
        reason="policy",
        title="iCloud refused this message with a local policy",
        meaning="One of Apple's filters did not like the content or the sender. The tag ([CS01], [CS02], [HM08], [BS01] ...) names the filter; Apple does not publish what they look for.",
        text=r"\[[A-Z]{2}\d\d\] Message rejected due to local policy|Message rejected due to local policy\.? .{0,40}apple\.com",
        causes=(
            "links or wording that resemble spam",
            "missing authentication or reverse DNS",
            "an unusual Message-ID or broken headers",
            "a young domain or an address with a bad history",
        ),
        steps=(
            "Check SPF, DKIM, DMARC and reverse DNS.",
            "Send a plain text message without links to the same address to see whether the content is the cause.",
            "If it stays, write to icloudadmin@apple.com with the complete reply, the domain and the IP address.",
        ),
        commands=_AUTH_CHECK,
        sources=(_POSTMASTER,),
        example="554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
        examples=(
            "550 5.7.1 [CS02] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
            "554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
            "554 5.7.1 [BS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
        ),
    ),
    ReplyEntry(
        id="icloud.excessive-volume",
        provider="icloud",
        reason="rate-limited",
        title="iCloud slows you down: too many messages for this recipient or from this host",
        meaning="More mail arrives than Apple takes for now. Messages pass while the queue retries.",
        text=r"deferred due to excessive volume",
        steps=(
            "Let the queue retry, with fewer connections and messages per hour.",
            "Send steadily instead of in bursts; mail only people who asked for it.",
        ),
        commands=_AUTH_CHECK,
        sources=(_POSTMASTER,),
        example="421 4.7.1 Messages to user@icloud.com deferred due to excessive volume. Try again later - https://support.apple.com/en-us/HT204137",
    ),
    ReplyEntry(
        id="icloud.not-accepting-connections",
        provider="icloud",
        reason="client-refused",
        title="iCloud's server greeted with a refusal",
        meaning="The server takes no session from this client, because of a block or for maintenance; the text does not say which.",
        text=r"(?:me|icloud|mac)\.com ESMTP not accepting connections",
        steps=(
            "Try another MX host of the domain; if all refuse for hours, it is a block.",
            "Check reverse DNS and lists for the address, then write to icloudadmin@apple.com.",
        ),
        commands=_AUTH_CHECK_LISTS,
        sources=(_POSTMASTER,),
        example="554 smtpin001.me.com ESMTP not accepting connections",
    ),
    ReplyEntry(
        id="icloud.mailbox-full",
        provider="icloud",
        reason="mailbox-full",
        title="This iCloud mailbox is full",
        meaning="The recipient's iCloud storage (mail, photos and backups together) is used up. The address exists.",
        text=r"@(?:icloud|me|mac)\.[a-z.]{2,20}>: user is over ?quota",
        steps=(
            "Tell the recipient by another way that their iCloud storage is full.",
            "Keep the address and try again after hours.",
        ),
        sources=(_POSTMASTER,),
        example="552 5.2.2 <user@icloud.com>: user is over quota",
        examples=("552 5.2.2 <user@icloud.com>: user is overquota",),
    ),
    ReplyEntry(
        id="icloud.recipient-moved",
        provider="icloud",
        reason="recipient-moved",
        title="This iCloud address is no longer there",
        meaning="The mailbox was moved away or closed.",
        text=r"recipient no longer on server: [^ ]{1,64}@(?:icloud|me|mac)\.",
        sources=(_POSTMASTER,),
        example="550 5.1.6 recipient no longer on server: user@icloud.com",
    ),
    ReplyEntry(
        id="icloud.user-unknown",
        provider="icloud",
        reason="user-unknown",
        title="There is no such iCloud address",
        meaning='Apple has no mailbox or alias with this address, or it was closed. Aliases and "Hide My Email" addresses that the owner switched off answer like this too.',
        text=r"@(?:icloud|me|mac)\.[a-z.]{2,20}>: (?:user does not exist|inactive email address)|unknown or illegal alias: [^ ]{1,64}@(?:icloud|me|mac)\.",
        sources=(_POSTMASTER,),
        example="550 5.1.1 <user@icloud.com>: user does not exist",
        examples=(
            "550 5.1.1 <user@icloud.com>: inactive email address",
            "550 5.1.1 unknown or illegal alias: user@icloud.com",
        ),
    ),
    ReplyEntry(
        id="icloud.from-not-yours",
        provider="icloud",
        reason="sender-blocked",
        title="iCloud refused to send: the From address does not belong to this account",
        meaning="The account that logged in at smtp.mail.me.com may only send with its own addresses, aliases and custom domains.",
        text=r"From address is not one of your addresses",
        action="fix-config",
        who=Who.SENDER,
        steps=(
            "Set the program's sender address to the iCloud address or an alias of it.",
            "Check that From and MAIL FROM are the same address.",
        ),
        sources=(_POSTMASTER,),
        example="550 5.7.0 From address is not one of your addresses.",
    ),
)
