"""Replies of T-Online (Deutsche Telekom)."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source

_POSTMASTER = Source("T-Online postmaster", None, "https://postmaster.t-online.de/")

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="t-online.ip-not-accepted",
        provider="t-online",
        reason="ip-blocklisted",
        title="T-Online does not accept mail from this address",
        meaning="T-Online takes mail only from addresses it knows as mail servers. The address is blocked after spam, or was never cleared, as is usual for new servers.",
        text=r"ip[:=]\S{3,60} - a problem occurred\. \(ask your postmaster|tosa@rx\.t-online\.de",
        causes=(
            "A new server or a new address that T-Online has not seen before.",
            "A PTR name that looks dynamic, or none.",
            "The web site behind the host name gives no contact (imprint) of the operator.",
            "Spam from the address.",
        ),
        steps=(
            "Give the host name a PTR record that points back, without words such as dyn or pool.",
            "Put the operator's contact data on a web page under the host's domain.",
            "Write to tosa@rx.t-online.de from another provider with the address, host name and contact; an answer usually comes within a day.",
            "Then let the queue send again.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(_POSTMASTER,),
        example="554 IP=192.0.2.10 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)",
        examples=(
            "554 IP:192.0.2.127 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)",
        ),
    ),
    ReplyEntry(
        id="t-online.spam-or-virus",
        provider="t-online",
        reason="spam-content",
        title="T-Online took the message for spam or a virus",
        meaning="The content filter refused the message.",
        text=r"message (considered as|has been rejected due to) spam or virus",
        steps=(
            "Scan the message and check its links and attachments.",
            "Send a plain version as a test.",
            "A false alarm: use the contact on https://postmaster.t-online.de/, with headers.",
        ),
        sources=(_POSTMASTER,),
        example="550 5.7.0 Message considered as spam or virus, rejected",
        examples=("550 message has been rejected due to spam or virus classification",),
    ),
)
