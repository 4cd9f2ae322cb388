"""Reasons that lie with the recipient's address or on the way to it."""

from __future__ import annotations

from smtpdoc.catalog.replies.reason import DAY, QUEUE_S, REPLY_CODES, RETRYING, SLOW_S, YAHOO_PRACTICES, Reason
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import rfc

RECIPIENT = (
    Reason(
        name="user-unknown",
        title="The address does not exist",
        meaning="The receiving server knows no mailbox, alias or group under this address.",
        causes=(
            "a typing error in the address",
            "the person left and the mailbox was deleted",
            "an old or bought list",
            "the receiving server lacks a complete list of its own users",
        ),
        steps=(
            "Compare the address, letter by letter, with what the recipient gave you.",
            "Remove it from your lists now: hard bounces above 2 % of a mailing hurt your reputation.",
            "If you are sure that it exists, reach the recipient another way and show this reply.",
        ),
        who=Who.SENDER,
        action="suppress",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        give_up_s=DAY,
        commands=("smtpdoc probe {recipient_domain} --mx --to {address}",),
        sources=(REPLY_CODES, rfc(3463, "3.2"), YAHOO_PRACTICES),
    ),
    Reason(
        name="mailbox-full",
        title="The recipient's mailbox is full",
        meaning="The mailbox exists, but its owner has used up the space or the number of messages allowed.",
        causes=(
            "the owner has not emptied the mailbox",
            "an abandoned mailbox that only collects mail",
            "one large message that no longer fits",
        ),
        steps=(
            "Let the queue try again slowly; space appears only when the owner deletes something.",
            "Tell the recipient another way if the message matters.",
            "After three such bounces over some weeks treat the address as abandoned and stop mailing it.",
        ),
        steps_5yz=(
            "Send it again in some hours or days: this attempt is over, and no queue repeats it.",
            "Tell the recipient another way if the message matters.",
            "After three such bounces over some weeks treat the address as abandoned and stop mailing it.",
        ),
        who=Who.RECIPIENT,
        action="retry-slow",
        schedule_s=SLOW_S,
        give_up_s=3 * DAY,
        sources=(rfc(3463, "3.3"), RETRYING),
    ),
    Reason(
        name="mailbox-disabled",
        title="The recipient's mailbox is switched off",
        meaning="The mailbox exists or existed, but it is inactive, suspended, locked or expired and takes no mail.",
        causes=(
            "nobody signed in for a long time",
            "the provider suspended the account",
            "the account was closed or not paid for",
        ),
        steps=(
            "Stop mailing this address; keep it on your suppression list.",
            "If you know the owner, ask for a working address.",
        ),
        who=Who.RECIPIENT,
        action="suppress",
        action_4yz="retry",
        schedule_s=SLOW_S,
        give_up_s=3 * DAY,
        sources=(rfc(3463, "3.3"), REPLY_CODES),
    ),
    Reason(
        name="recipient-moved",
        title="The recipient is no longer at this address",
        meaning="The server says that the mailbox moved, or that the address now belongs to someone else.",
        causes=("the person changed employer or provider", "the domain or mailbox got a new owner"),
        steps=(
            "Take the old address off your lists.",
            "Use the new address only if the reply names one and you trust it, or ask the recipient.",
        ),
        who=Who.SENDER,
        action="suppress",
        sources=(rfc(3463, "3.2"), rfc(5321, "3.4")),
    ),
    Reason(
        name="recipient-refused",
        title="This recipient does not take mail from you",
        meaning="The address works, but its owner or the group's settings refuse mail from this sender.",
        causes=(
            "a group or list that only takes mail from members or from inside",
            "the mailbox wants senders who are signed in to its organization",
            "the owner's own filter or preferences",
        ),
        steps=(
            "Ask the recipient, another way, to allow {sender} or to open the group to outside senders.",
            "For a mailing list: join it, and write from the address that is a member.",
            "Do not resend the same message until they confirm.",
        ),
        who=Who.RECIPIENT,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=SLOW_S,
        sources=(REPLY_CODES, rfc(3463, "3.8")),
    ),
    Reason(
        name="bad-address",
        title="An address in the envelope is not written correctly",
        meaning="A MAIL FROM or RCPT TO address has wrong syntax, or lacks its domain.",
        causes=(
            "a missing or doubled @, a blank, or a stray character from a list export",
            "a local name without a domain (user instead of user@example.com)",
            "characters that the server does not take, such as a quote or a percent sign",
        ),
        steps=(
            "Look at the exact address in the MAIL FROM and RCPT TO commands, not at the To header.",
            "Correct the address, or the program that wrote it; blanks and line ends come from list imports.",
            "Let your server complete local names with its own domain.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        sources=(rfc(5321, "4.1.2"), rfc(3463, "3.2")),
    ),
)

ROUTE = (
    Reason(
        name="bad-domain",
        title="The recipient's domain takes no mail",
        meaning="The domain does not exist, has no usable mail server, or says that it takes no mail at all.",
        causes=(
            "a typing error in the part after the @",
            "the domain expired, or its DNS is broken",
            "a null MX record or a 521 greeting: the domain never takes mail",
        ),
        steps=(
            "Check the spelling of the domain.",
            "See whether it has mail servers (command below).",
            "If it has none, remove all addresses of this domain; if its DNS is broken, tell its owner.",
        ),
        who=Who.SENDER,
        action="suppress",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc auth-check {recipient_domain} --only mx",),
        sources=(rfc(5321, "5.1"), rfc(7505, "3"), rfc(7504, "3")),
    ),
    Reason(
        name="dns-failure",
        title="A DNS lookup failed",
        meaning="A name server gave no usable answer, so the mail could not be routed or checked. It may work later.",
        causes=(
            "the domain's name servers are down or slow",
            "broken DNSSEC at the domain",
            "the resolver of the server that looked it up has trouble",
        ),
        steps=(
            "Wait: the queue tries again by itself.",
            "Look the name up from elsewhere (command below); SERVFAIL there means that the domain's DNS is broken.",
            "If only your server cannot resolve it, repair your resolver.",
        ),
        who=Who.SENDER_ADMIN,
        action="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc auth-check {domain}", "smtpdoc auth-check {domain} --nameserver 9.9.9.9"),
        sources=(rfc(5321, "5.1"), RETRYING),
    ),
    Reason(
        name="routing-loop",
        title="The message runs in circles",
        meaning="Servers passed the message round until one of them counted too many hops and stopped it.",
        causes=(
            "two forwards that point at each other",
            "an MX record that leads back to a server which does not know that it is the destination",
            "a gateway and a mailbox server that each think the other one delivers",
        ),
        steps=(
            "Read the Received lines of the bounce from the bottom up: the names that repeat are the loop.",
            "On the last server of the loop, make the domain local or correct its next hop.",
            "If none of the names is yours, send the bounce to the postmaster of {recipient_domain}.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        commands=("smtpdoc auth-check {recipient_domain} --only mx",),
        sources=(rfc(5321, "6.3"), rfc(3463, "3.5")),
    ),
    Reason(
        name="network-error",
        title="The connection did not hold",
        meaning="No SMTP answer decided anything: the connection was refused, timed out, or broke in mid-session.",
        causes=(
            "the receiving server is down, or a firewall drops your packets",
            "your own provider blocks outgoing port 25",
            "an address family without a route (IPv6 set up halfway)",
            "a path that loses large packets",
        ),
        steps=(
            "Let the queue try again.",
            "See how far a connection gets (command below).",
            "If many domains time out, it is your side: outgoing port 25, firewall, IPv6. If one does, it is theirs.",
        ),
        who=Who.SENDER_ADMIN,
        action="retry",
        commands=("smtpdoc probe {recipient_domain} --mx",),
        sources=(RETRYING, rfc(3463, "3.5")),
    ),
    Reason(
        name="expired",
        title="The queue gave up",
        meaning="The message was tried again and again without success until its time in the queue was over.",
        causes=(
            "every earlier try was deferred; the last reply in the log says why",
            "the receiving server was unreachable for days",
        ),
        steps=(
            "Find the last reply before this line in your log and explain that one: it holds the cause.",
            "Repair what it names, then send the message again.",
            "Keep messages in the queue for four to five days, with growing intervals.",
        ),
        who=Who.SENDER_ADMIN,
        action="retry",
        schedule_s=SLOW_S,
        commands=("smtpdoc probe {recipient_domain} --mx",),
        sources=(RETRYING, rfc(3463, "3.5")),
    ),
)
