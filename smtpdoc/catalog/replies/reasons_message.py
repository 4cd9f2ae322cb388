"""Reasons that lie with how much is sent, or with the message itself."""

from __future__ import annotations

from smtpdoc.catalog.replies.reason import (
    GOOGLE_GUIDELINES,
    GREY_S,
    QUEUE_S,
    REPLY_CODES,
    RETRYING,
    YAHOO_PRACTICES,
    Reason,
)
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import rfc

VOLUME = (
    Reason(
        name="greylisted",
        title="Greylisting: asked to come back in a few minutes",
        meaning="The receiver delays the first message from a sender that it has not met. Real servers try again.",
        causes=(
            "the first mail from this address to that recipient",
            "a sending pool that changes its address on each try",
            "a program that does not queue at all",
        ),
        steps=(
            "Do nothing: a queue that tries again gets through, usually in 5 to 15 minutes.",
            "If it never passes, let retries come from the same address and with the same envelope sender.",
            "Web sites and devices that cannot retry should hand their mail to a real mail server.",
        ),
        who=Who.NOBODY,
        action="retry",
        schedule_s=GREY_S,
        sources=(rfc(6647, "5"), RETRYING),
    ),
    Reason(
        name="rate-limited",
        title="Too much mail at once for this receiver",
        meaning="The receiver limits connections, messages or recipients per time, or mail to this one mailbox.",
        causes=(
            "more parallel connections or messages per connection than it allows",
            "a mailing that grew faster than the trust in the sender",
            "one mailbox that gets too much mail from everybody",
        ),
        steps=(
            "Slow down for this domain: fewer connections, fewer messages per connection, longer pauses.",
            "Let the queue retry with growing intervals; trying faster lengthens the limit.",
            "Grow volume in steps: 200, 500, 1,000, 2,000 a day, then double every two days.",
            "If small volumes are limited too, look at reputation and authentication (command below).",
        ),
        steps_5yz=(
            "Send this message again in an hour or later: this attempt is over, and no queue repeats it.",
            "Slow down for this domain: fewer connections, fewer messages per connection, longer pauses.",
            "Grow volume in steps: 200, 500, 1,000, 2,000 a day, then double every two days.",
            "If small volumes are limited too, look at reputation and authentication (command below).",
        ),
        who=Who.SENDER_ADMIN,
        action="retry-slow",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(RETRYING, GOOGLE_GUIDELINES, YAHOO_PRACTICES),
    ),
    Reason(
        name="too-many-recipients",
        title="Too many recipients in one message",
        meaning="The server takes fewer recipients per transaction than were offered. The ones it took are fine.",
        causes=(
            "a program that puts a whole list into one transaction",
            "a server with a low limit (RFC 5321 asks for at least 100)",
        ),
        steps=(
            "Send the remaining recipients in another transaction; a good queue does it by itself.",
            "Lower your recipient limit for this destination (Postfix: smtp_destination_recipient_limit).",
            "Send newsletters one recipient at a time.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        sources=(rfc(5321, "4.5.3.1.10"), rfc(3463, "3.6")),
    ),
)

CONTENT = (
    Reason(
        name="spam-content",
        title="The message looks like spam to the receiver",
        meaning="A filter judged the message itself: its words, links, form, or its likeness to bulk or phishing mail.",
        causes=(
            "links to shorteners, listed or very new domains",
            "a mailing without an easy way to unsubscribe",
            "a stolen account or form that really sends spam",
            "one large image, hidden text, or a template that spammers use too",
        ),
        steps=(
            "Make sure that the message is really yours: look through the logs for a stolen login.",
            "Send a short text without links and attachments; if it passes, add the parts back one by one.",
            "Check SPF, DKIM and DMARC: filters are stricter with unsigned mail (command below).",
            "Ask the recipient to allow you, or report the false hit to the filter that the reply names.",
        ),
        who=Who.SENDER,
        action="fix-message",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(GOOGLE_GUIDELINES, YAHOO_PRACTICES),
    ),
    Reason(
        name="virus",
        title="A virus, or an attachment that is never taken",
        meaning="The receiver found malware, or a kind of file that it refuses from everybody.",
        causes=(
            "an executable, script, or macro document, also inside an archive",
            "an encrypted archive that cannot be scanned",
            "an infected machine that sends",
        ),
        steps=(
            "Scan the machine and the file. Do not try to get round the filter by renaming it.",
            "Share the file by a link, or in a format that is taken (PDF instead of a macro document).",
            "If you did not send it, look for a stolen login or an infected machine.",
        ),
        who=Who.SENDER,
        action="fix-message",
        sources=(REPLY_CODES, rfc(3463, "3.7")),
    ),
    Reason(
        name="message-too-big",
        title="The message is too big",
        meaning="The message, an attachment or its headers are larger than the server or the recipient allows.",
        causes=(
            "attachments: base64 makes them about 37 % larger than the file",
            "a recipient limit below the server's own",
            "a long thread with pictures",
        ),
        steps=(
            "Send a link to the file instead, or split or shrink it{limit}.",
            "Count with base64: a 25 MB limit holds a file of about 18 MB.",
            "See what the server announces as SIZE (command below).",
        ),
        who=Who.SENDER,
        action="fix-message",
        commands=("smtpdoc probe {recipient_domain} --mx --quit-after ehlo",),
        sources=(rfc(1870, "6"), rfc(3463, "3.4")),
    ),
    Reason(
        name="malformed-message",
        title="The message is not well formed",
        meaning="Headers, MIME structure, line ends or characters break the mail format or the receiver's stricter rules.",
        causes=(
            "a missing, doubled or empty From, Date or Message-ID header",
            "bare line feeds or lines over 998 characters",
            "unencoded 8-bit characters in headers",
            "a home-made program that builds mail by hand",
        ),
        steps=(
            "Look at the raw message for what the reply names: one From, one Date, one Message-ID, CRLF line ends.",
            "Let a mail library build the message instead of joining strings.",
            "If a filter or footer changed it on the way, repair that.",
        ),
        who=Who.SENDER,
        action="fix-message",
        sources=(rfc(5322, "3.6"), rfc(5321, "2.3.8"), rfc(2045)),
    ),
)
