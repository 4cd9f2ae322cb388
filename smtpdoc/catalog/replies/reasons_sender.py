"""Reasons that lie with the sender's address, its DNS or the sending host."""

from __future__ import annotations

from smtpdoc.catalog.replies.reason import (
    DAY,
    GOOGLE_GUIDELINES,
    REPLY_CODES,
    SLOW_S,
    YAHOO_PRACTICES,
    Reason,
)
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import rfc

SENDER = (
    Reason(
        name="sender-invalid",
        title="The sender's address does not hold up",
        meaning="The sender's domain or address does not exist, does not resolve, or failed a check by callback.",
        causes=(
            "a bounce address at a host name that has no MX or address record",
            "a typing error, or a domain that expired",
            "a sender address that your own server refuses when it is asked back",
            "the sender's domain says by null MX that it takes no mail",
        ),
        steps=(
            "Look at the MAIL FROM address that your server really uses (Return-Path in a delivered message).",
            "Give its domain an MX or address record, or use a bounce address at a domain that has one.",
            "Make sure that this address takes mail: bounces and callbacks go there.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        commands=("smtpdoc auth-check {domain} --only mx", "smtpdoc probe {domain} --mx --to {sender}"),
        sources=(rfc(5321, "3.6.2"), rfc(7505, "4.2")),
    ),
    Reason(
        name="sender-blocked",
        title="This sender is blocked",
        meaning="The refusal is about this sender's address, domain or account, not about the server that sent it.",
        causes=(
            "the recipient or its administrator put the sender on a block list",
            "the account sent spam, often after a stolen password, and was shut",
            "the From address does not belong to the login that sends",
        ),
        steps=(
            "Check that the From address belongs to the account or domain that you send with.",
            "Look for unusual mail in your sent logs; if there is any, change the password first.",
            "Ask your own provider when it is your account that is blocked, else the recipient's postmaster.",
        ),
        who=Who.SENDER,
        action="contact-postmaster",
        sources=(REPLY_CODES, rfc(3463, "3.8")),
    ),
    Reason(
        name="sender-quota",
        title="You have used up your own sending allowance",
        meaning="Your account, organization or relay may not send more for now. The recipient is not the problem.",
        causes=(
            "a mailing larger than the plan allows per hour or day",
            "a trial account with a small limit",
            "a stolen password or a script that sends in a loop",
        ),
        steps=(
            "Stop sending from this account until the limit opens again, usually within a day.",
            "Look through the sent mail: if it is not yours, change the password.",
            "Spread large mailings over days, or use a service made for them.",
        ),
        who=Who.SENDER,
        action="retry-slow",
        schedule_s=SLOW_S,
        sources=(rfc(5321, "4.5.4.1"), rfc(3463, "3.3")),
    ),
)

AUTHENTICATION = (
    Reason(
        name="spf-fail",
        title="SPF did not pass",
        meaning="The sending address is not among those that the envelope sender's domain allows, or its record is broken.",
        causes=(
            "a new server or sending service that the SPF record does not list",
            "more than ten DNS lookups, two SPF records, or a syntax error",
            "forwarding: the forwarder's address is not in your record",
        ),
        steps=(
            "Check the record of the envelope sender's domain against the sending address (command below).",
            "Add the server or service that really sends; keep one record and at most ten lookups.",
            "Send again when the check says pass. If mail is forwarded, DKIM has to carry it.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-auth-dns",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(rfc(7208, "8.4"), rfc(7372, "3.2"), GOOGLE_GUIDELINES),
    ),
    Reason(
        name="dkim-fail",
        title="DKIM is missing or did not verify",
        meaning="The message carried no DKIM signature that the receiver could accept.",
        causes=(
            "signing is not switched on for this domain or service",
            "the public key is missing in DNS, or is another one",
            "something changed the message after it was signed: a footer, a filter, a list",
        ),
        steps=(
            "Look at the DKIM-Signature header of a sent message: note d= (domain) and s= (selector).",
            "Check that key in DNS (command below, with that selector).",
            "Sign as the very last step before the message leaves, then send again.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-auth-dns",
        commands=("smtpdoc auth-check {domain} --selector YOUR-SELECTOR",),
        sources=(rfc(6376, "6.1"), rfc(7372, "3.1"), GOOGLE_GUIDELINES),
    ),
    Reason(
        name="dmarc-fail",
        title="DMARC did not pass",
        meaning="Neither SPF nor DKIM passed for the domain in the From header itself, and that domain's policy counts.",
        causes=(
            "a sending service that signs with its own domain instead of yours",
            "forwarding broke SPF and there is no DKIM beside it",
            "a From domain that nobody signs for, or that has no DMARC record where one is required",
        ),
        steps=(
            "See what {domain} publishes, for the address you send from (command below).",
            (
                "Make DKIM sign as {domain}, or let SPF pass with a bounce domain under it: a pass for the provider's own "
                "domain does not count."
            ),
            "Send again when the check shows an aligned pass.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-auth-dns",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(rfc(9989), rfc(7489, "10.3"), GOOGLE_GUIDELINES),
    ),
    Reason(
        name="unauthenticated",
        title="The message proved no sender",
        meaning="Neither SPF nor DKIM passed, or the receiver asks for more proof than this message had.",
        causes=(
            "no SPF record and no DKIM signature for the sending domain",
            "a server or web site that sends directly instead of through your mail service",
            "forwarding that broke both checks",
        ),
        steps=(
            "See what the domain publishes, for the address you send from (command below).",
            "Set up SPF for the sending address and DKIM signing for the From domain; then a DMARC record.",
            "Since November 2025 Gmail turns repeated 421 warnings about this into 550: do not wait.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-auth-dns",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(rfc(7372, "3.4"), GOOGLE_GUIDELINES, YAHOO_PRACTICES),
    ),
)

HOST = (
    Reason(
        name="no-ptr",
        title="The sending address has no proper reverse DNS",
        meaning="The address has no PTR record, a generic one, or one whose name does not lead back to the address.",
        causes=(
            "nobody set a PTR record for the address",
            "the PTR name has no A or AAAA record that points back",
            "mail leaves over IPv6 and only IPv4 was set up",
        ),
        steps=(
            "Check the address (command below), also your IPv6 address if mail leaves over it.",
            "Ask whoever gave you the address (hosting or access provider) to set its PTR to your mail host's name.",
            "Give that name an A or AAAA record with the same address, and greet with the same name.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-auth-dns",
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(rfc(7372, "3.3"), rfc(1912, "2.1"), GOOGLE_GUIDELINES),
    ),
    Reason(
        name="bad-helo",
        title="The server does not like your EHLO name",
        meaning="The name in HELO or EHLO is no full host name, does not resolve, or is not allowed.",
        causes=(
            "the server still greets as localhost or with an internal name",
            "the name has no A or AAAA record",
            "a client greets with the receiver's own name or a bare address",
        ),
        steps=(
            "Set your server's host name to a full name (Postfix: myhostname, Exim: primary_hostname).",
            "Give that name an A or AAAA record with the sending address, and make its PTR the same.",
            "Try it with the name you chose (command below).",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        commands=(
            "smtpdoc probe {recipient_domain} --mx --helo YOUR-HOST-NAME",
            "smtpdoc auth-check {domain} --ip {ip}",
        ),
        sources=(rfc(5321, "4.1.1.1"), rfc(5321, "4.1.4")),
    ),
    Reason(
        name="ip-blocklisted",
        title="The sending address is on a block list",
        meaning="A public or private list names the address that connected; the receiver refuses what is on it.",
        causes=(
            "a stolen account or web form sent spam through this server",
            "the address is from a dynamic range that should not send mail directly",
            "a neighbour in a shared range, or the address's former owner",
        ),
        steps=(
            "Find and stop the cause first: stolen logins, open forms, infected machines behind the address.",
            "Look the address up at the list that the reply names{list}, and follow its removal page.",
            "A policy range (Spamhaus PBL) needs no removal: send through your provider's relay instead.",
            "Sending from other addresses meanwhile spreads the listing.",
        ),
        who=Who.SENDER_ADMIN,
        action="delist",
        commands=("smtpdoc auth-check {domain} --ip {ip} --dnsbl",),
        sources=(rfc(5782), rfc(6471)),
    ),
    Reason(
        name="client-refused",
        title="The receiver refuses the sending server",
        meaning="A local rule at the receiver turns this server away. No public list is named.",
        causes=(
            "the receiver blocks your network, country or kind of address",
            "it only takes mail from servers that it knows",
            "a short block after too many bad recipients or spam",
        ),
        steps=(
            "Try from another of your networks or through your provider's relay to see whether it is the address.",
            "Check reverse DNS and lists for the address (command below).",
            "Send the reply, your address and the time to the receiver's postmaster and ask for the rule.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=SLOW_S,
        commands=("smtpdoc auth-check {domain} --ip {ip} --dnsbl",),
        sources=(REPLY_CODES, rfc(3463, "3.8")),
    ),
    Reason(
        name="domain-blocklisted",
        title="A domain in the message is on a block list",
        meaning="A list names a domain: the sender's, the EHLO name, or one in a link of the message.",
        causes=(
            "a link in the message leads to a listed site or link shortener",
            "the web site of the domain was broken into",
            "a new domain that began with a large mailing",
        ),
        steps=(
            "Find which domain is meant: sender, EHLO name, each link and image host in the message.",
            "Clean that site or drop the link; then ask the list that the reply names{list} for removal.",
            "Send a message without the link to prove the cause.",
        ),
        who=Who.SENDER,
        action="delist",
        commands=("smtpdoc auth-check {domain} --dnsbl",),
        sources=(rfc(5782), rfc(6471)),
    ),
    Reason(
        name="bad-reputation",
        title="Your reputation at this receiver is poor",
        meaning="The receiver trusts this address or domain too little because of earlier mail or complaints.",
        causes=(
            "complaints: keep them under 0.1 %; at 0.3 % Gmail and Yahoo act",
            "a new address or domain that sends much at once",
            "old lists with many unknown users, or spam from a stolen account",
        ),
        steps=(
            "Cut volume now, and send only to people who opened or answered lately.",
            "Look at the receiver's sender tools (Google Postmaster Tools, Microsoft SNDS, Yahoo Sender Hub).",
            "Warm up again: 200, 500, 1,000, 2,000 messages a day, then double every two days while it stays quiet.",
            "If nothing changes in a week, write to its postmaster with addresses, domains and dates.",
        ),
        who=Who.SENDER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry-slow",
        schedule_s=SLOW_S,
        give_up_s=2 * DAY,
        commands=("smtpdoc auth-check {domain} --ip {ip} --dnsbl",),
        sources=(GOOGLE_GUIDELINES, YAHOO_PRACTICES),
    ),
)
