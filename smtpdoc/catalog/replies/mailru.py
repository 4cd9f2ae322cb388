"""Replies of Mail.ru."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source

_HELP = Source("Mail.ru postmaster help", None, "https://help.mail.ru/mail-help/postmaster/")

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="mailru.disabled",
        provider="mail.ru",
        reason="mailbox-disabled",
        title="The Mail.ru account is disabled",
        meaning="The mailbox exists and is switched off.",
        text=r"local mailbox \S+ is unavailable: account is disabled|invalid mailbox\..{0,160}disabled",
        steps=("Stop mailing the address.",),
        sources=(_HELP,),
        example="550 Message was not accepted -- invalid mailbox. Local mailbox user@mail.ru is unavailable: account is disabled",
    ),
    ReplyEntry(
        id="mailru.unknown",
        provider="mail.ru",
        reason="user-unknown",
        title="Mail.ru knows no such mailbox",
        meaning="The address does not exist.",
        text=r"local mailbox \S+ is unavailable: user not found|message was not accepted -- invalid mailbox",
        steps=("Check the spelling; stop mailing the address.",),
        sources=(_HELP,),
        example="550 Message was not accepted -- invalid mailbox. Local mailbox user@mail.ru is unavailable: user not found",
    ),
    ReplyEntry(
        id="mailru.dmarc",
        provider="mail.ru",
        reason="dmarc-fail",
        title="Mail.ru refused the message because DMARC failed",
        meaning="Neither SPF nor DKIM passed in alignment with the From domain, whose policy asks to refuse.",
        text=r"not accepted due to domain \(?\S{1,255}\)? owner dmarc policy|help\.mail\.ru/mail-help/postmaster/dmarc",
        steps=(
            "Let SPF or DKIM pass with the From domain.",
            "Mailing lists: rewrite From, or keep the signature intact.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(_HELP,),
        example="550 5.7.1 This message was not accepted due to domain (example.com) owner DMARC policy (RFC 7489) https://help.mail.ru/mail-help/postmaster/dmarc",
    ),
    ReplyEntry(
        id="mailru.spam",
        provider="mail.ru",
        reason="spam-content",
        title="Mail.ru took the message for spam",
        meaning="The filter refused or dropped the message; content, links and reputation count together.",
        text=r"help\.mail\.ru/notspam|abuse@corp\.mail\.ru|^spam message discarded|^spam message rejected\. please visit",
        steps=(
            "Open the link in the reply and fill in the form, with the code behind c=.",
            "Register the domain at https://postmaster.mail.ru/ to see complaints and reputation.",
            "Clean the list, sign with DKIM.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(_HELP, Source("Mail.ru postmaster tools", None, "https://postmaster.mail.ru/")),
        example="550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc123 or report details to abuse@corp.mail.ru. Error code: ABC. ID: 000",
    ),
)
