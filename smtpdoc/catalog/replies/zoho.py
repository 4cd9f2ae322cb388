"""Replies of Zoho Mail."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source

_HELP = Source("Zoho Mail help", None, "https://www.zoho.com/mail/help/")

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="zoho.greylisted",
        provider="zoho",
        reason="greylisted",
        title="Zoho greylists first contacts",
        meaning="The combination of host, sender and recipient is new to Zoho.",
        text=r"^greylisted, try again after some time",
        steps=("Let the queue retry from the same address.",),
        sources=(_HELP,),
        example="451 4.7.1 Greylisted, try again after some time",
    ),
    ReplyEntry(
        id="zoho.destination-rejected",
        provider="zoho",
        reason="policy",
        title="The recipient's organisation refuses this mail at Zoho",
        meaning="A rule of the recipient domain in Zoho's control panel refused the message; 541 is not a standard code.",
        text=r"mail rejected by destination domain",
        steps=("Ask the recipient's administrator, by another channel, for block entries and spam rules.",),
        sources=(_HELP,),
        example="541 5.4.1 Mail rejected by destination domain",
    ),
    ReplyEntry(
        id="zoho.mail-policy",
        provider="zoho",
        reason="policy",
        title="A mail policy at Zoho refused the delivery",
        meaning="The recipient organisation's policy does not permit this sender, size or kind of mail.",
        text=r"mailpolicy violation",
        steps=("Ask the recipient's administrator to look at the mail policy.",),
        sources=(_HELP,),
        example="554 5.2.3 MailPolicy violation Error delivering to mailboxes",
    ),
    ReplyEntry(
        id="zoho.relaying",
        provider="zoho",
        reason="relay-denied",
        title="Zoho does not relay this mail",
        meaning="On the outgoing server the sender address is not the account's (or an alias of it); on the incoming one the domain is not set up at Zoho.",
        text=r"^relaying disallowed",
        steps=(
            "Send with the account's address, or add it under 'Send Mail As'.",
            "Use smtp.zoho.com or smtppro.zoho.com of your data centre (.com, .eu, .in ...).",
            "Own domain: verify it at Zoho and check its MX.",
        ),
        sources=(_HELP,),
        example="553 Relaying disallowed as user@example.com",
    ),
    ReplyEntry(
        id="zoho.virus",
        provider="zoho",
        reason="virus",
        title="Zoho found a virus",
        meaning="The scanner matched; 552 stands for the virus here.",
        text=r"virus \S{1,80} detected by zoho",
        steps=("Scan the file and the computer that sent it.",),
        sources=(_HELP,),
        example="552 5.7.1 virus Eicar-Test-Signature detected by Zoho Mail",
    ),
    ReplyEntry(
        id="zoho.spam",
        provider="zoho",
        reason="spam-content",
        title="Zoho took the message for spam",
        meaning="Incoming or outgoing spam filters flagged the message.",
        text=r"email cannot be delivered\. reason: email flagged as spam",
        steps=(
            "Remove doubtful links; send a plain version as a test.",
            "Sending from Zoho: clean the content, or the account may be blocked.",
        ),
        commands=("smtpdoc auth-check {domain}",),
        sources=(_HELP,),
        example="554 5.7.1 Email cannot be delivered. Reason: Email flagged as Spam.",
    ),
    ReplyEntry(
        id="zoho.system-error",
        provider="zoho",
        reason="server-error",
        enhanced="4.3.1",
        title="A fault at Zoho",
        meaning="The mail system could not take the message for an internal reason.",
        text=r"^temporary system error",
        steps=("Let the queue retry.",),
        sources=(_HELP,),
        example="452 4.3.1 Temporary System Error",
    ),
)
