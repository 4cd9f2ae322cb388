"""Replies of Yandex Mail."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source

_ERRORS = Source("Yandex Mail: error messages", None, "https://yandex.com/support/mail/mail-clients/errors.html")

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="yandex.spam",
        provider="yandex",
        reason="spam-content",
        title="Yandex took the message for spam",
        meaning="The filter refused the message; the number in brackets is its verdict.",
        text=r"message rejected under suspicion of spam",
        steps=(
            "Register the domain at Yandex's postmaster tools and look at complaints.",
            "Sign with DKIM; send a plain version as a test.",
            "Write through the form linked in the reply.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(_ERRORS,),
        example="554 5.7.1 [1] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1700000000-abcDEF",
    ),
    ReplyEntry(
        id="yandex.account-blocked",
        provider="yandex",
        reason="mailbox-disabled",
        title="The recipient's Yandex account is blocked",
        meaning="The 'policy' is about the target address: Yandex has blocked the recipient's mailbox. It has nothing to do with the sender.",
        text=r"policy rejection on the target address",
        steps=("Stop mailing the address; the recipient can unblock it by logging in.",),
        sources=(_ERRORS,),
        example="550 5.7.1 Policy rejection on the target address",
    ),
    ReplyEntry(
        id="yandex.no-such-user",
        provider="yandex",
        reason="user-unknown",
        enhanced="5.7.1",
        title="Yandex knows no such user",
        meaning="The address does not exist, in spite of the policy code 5.7.1.",
        text=r"^no such user!",
        steps=("Check the spelling; stop mailing the address.",),
        sources=(_ERRORS,),
        example="550 5.7.1 No such user!",
    ),
    ReplyEntry(
        id="yandex.recipient-flooded",
        provider="yandex",
        reason="rate-limited",
        title="The Yandex mailbox gets too much mail at the moment",
        meaning="The limit is about mail to this recipient from everywhere, not about the sender.",
        text=r"the recipient has exceeded (their )?message rate limit",
        steps=("Let the queue retry after an hour.",),
        sources=(_ERRORS,),
        example="450 4.2.1 The recipient has exceeded message rate limit. Try again later.",
    ),
    ReplyEntry(
        id="yandex.come-back-later",
        provider="yandex",
        reason="server-unavailable",
        title="Yandex puts the message off",
        meaning="The service is busy, or does not trust the sender yet and works like greylisting.",
        text=r"sorry, the service is currently unavailable\. please come back later",
        steps=("Let the queue retry.", "If it lasts: check PTR, SPF and DKIM, and send slower."),
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(_ERRORS,),
        example="451 4.7.1 Sorry, the service is currently unavailable. Please come back later.",
    ),
    ReplyEntry(
        id="yandex.mailbox-full",
        provider="yandex",
        reason="mailbox-full",
        title="The Yandex mailbox is full",
        meaning="The recipient's storage is used up.",
        text=r"^mailbox size limit exceeded",
        steps=("Tell the recipient by another channel; try again after some hours.",),
        sources=(_ERRORS,),
        example="552 5.2.2 Mailbox size limit exceeded",
    ),
    ReplyEntry(
        id="yandex.timeout",
        provider="yandex",
        reason="network-error",
        title="The session with Yandex stood still for too long",
        meaning="The client sent nothing within the server's time.",
        text=r"yandex\.\S+ error: timeout exceeded",
        steps=("Let the queue retry; look for a slow or stalled client.",),
        sources=(_ERRORS,),
        example="421 4.4.2 mail.yandex.net Error: timeout exceeded",
    ),
)
