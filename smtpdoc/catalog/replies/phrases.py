"""All phrases in the order in which they are tried: the first that matches decides.

A cause beats a symptom, so what names a cause (authentication, a list, a quota) stands before what only names an
effect ("rejected", "unavailable", "try again later").
"""

from __future__ import annotations

from smtpdoc.catalog.replies import (
    phrases_access,
    phrases_block,
    phrases_message,
    phrases_recipient,
    phrases_sender,
    phrases_server,
)

ENTRIES = (
    *phrases_block.LIST_ERRORS,
    *phrases_sender.GREY,
    *phrases_sender.RATE[:1],
    *phrases_block.LOCAL_RULES,
    *phrases_message.SCORED,
    *phrases_access.AUTHENTICATION,
    *phrases_access.RELAY,
    *phrases_server.SYNTAX,
    *phrases_access.LOGIN,
    *phrases_access.TLS,
    *phrases_sender.RATE[1:2],
    *phrases_sender.RECIPIENT_COUNT,
    *phrases_sender.QUOTA,
    *phrases_block.LISTS,
    *phrases_block.REPUTATION,
    *phrases_block.REMOVAL,
    *phrases_block.HELO,
    *phrases_recipient.ADDRESS,
    *phrases_recipient.GROUP,
    *phrases_sender.SENDER,
    *phrases_block.REVERSE_DNS,
    *phrases_server.EXPIRED,
    *phrases_server.LOOP,
    *phrases_recipient.FULL,
    *phrases_sender.RATE[2:],
    *phrases_message.SIZE,
    *phrases_message.FORM,
    *phrases_message.VIRUS,
    *phrases_recipient.REFUSED,
    *phrases_recipient.DISABLED,
    *phrases_recipient.MOVED,
    *phrases_recipient.DOMAIN,
    *phrases_recipient.UNKNOWN,
    *phrases_message.SPAM,
    *phrases_server.NETWORK,
    *phrases_block.CLIENT,
    *phrases_server.PROTOCOL,
    *phrases_server.POLICY_NAMED,
    *phrases_server.SERVER,
    *phrases_recipient.REJECTED,
    *phrases_server.POLICY,
)
