"""Reasons that lie with access to the server, with the server itself, and success."""

from __future__ import annotations

from smtpdoc.catalog.replies.reason import DAY, HOUR, QUEUE_S, REPLY_CODES, RETRYING, Reason
from smtpdoc.evidence.explanation import Who
from smtpdoc.findings import rfc

ACCESS = (
    Reason(
        name="relay-denied",
        title="The server does not relay for you",
        meaning="The server does not take mail for this recipient's domain from a client that has not logged in.",
        causes=(
            "sending to the outside without logging in",
            "the MX record leads to a server that was never told about the domain",
            "port 25 used where submission (587) with a login was meant",
            "your address is not among the relay's allowed clients",
        ),
        steps=(
            "When you send: use port 587 with user name and password, not port 25.",
            "When mail to {recipient_domain} fails: check where its MX leads (command below).",
            "The owner of that server must add the domain to the ones it takes mail for, or correct the MX.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        commands=(
            "smtpdoc probe {host}:587 --auth-user YOUR-LOGIN",
            "smtpdoc auth-check {recipient_domain} --only mx",
        ),
        sources=(rfc(5321, "3.6.1"), rfc(6409, "4.3")),
    ),
    Reason(
        name="auth-required",
        title="Log in first",
        meaning="The server wants a login before it takes this mail, and the session had none.",
        causes=(
            "the program has no user name and password set",
            "login is offered only after STARTTLS, and the program did not use it",
            "the wrong server: a submission server where the recipient's MX was meant",
        ),
        steps=(
            "Set user name and password in the sending program and switch on STARTTLS (port 587) or TLS (465).",
            "Check that the server then offers AUTH (command below).",
        ),
        who=Who.SENDER,
        action="fix-credentials",
        commands=("smtpdoc probe {host}:587 --auth-user YOUR-LOGIN",),
        sources=(rfc(4954, "6"), rfc(6409, "4.3")),
    ),
    Reason(
        name="auth-failed",
        title="The login was refused",
        meaning="The server does not accept this user name and password, or not in this way.",
        causes=(
            "a wrong or changed password, or the wrong form of the user name",
            "an account with two-step sign-in needs an application password or OAuth",
            "SMTP login is switched off for the account or the organization",
            "too many wrong tries",
        ),
        steps=(
            "Stop automatic retries: repeated wrong logins lock accounts.",
            "Try once by hand (command below); use the full address as user name if unsure.",
            "Create an application password, or ask the administrator whether SMTP login is allowed.",
        ),
        who=Who.SENDER,
        action="fix-credentials",
        action_4yz="retry-slow",
        schedule_s=(15 * 60, HOUR, 4 * HOUR),
        give_up_s=DAY,
        commands=("smtpdoc probe {host}:587 --auth-user YOUR-LOGIN",),
        sources=(rfc(4954, "6"),),
    ),
    Reason(
        name="tls-required",
        title="The server wants an encrypted session",
        meaning="The command was refused because the session was not encrypted with TLS.",
        causes=("TLS is switched off in the sending program", "an old program that knows no STARTTLS"),
        steps=(
            "Switch on STARTTLS for port 587 or 25, or use implicit TLS on port 465.",
            "On a mail server allow TLS for outgoing mail (Postfix: smtp_tls_security_level = may).",
            "See that the handshake works (command below).",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        commands=("smtpdoc probe {recipient_domain} --mx --tls starttls",),
        sources=(rfc(3207, "4"), rfc(8314, "3.3")),
    ),
    Reason(
        name="tls-failed",
        title="TLS could not be had",
        meaning="Encryption is wanted for this delivery, but the other side does not offer it or failed its checks.",
        causes=(
            "STARTTLS is not offered, or fails for the moment",
            "a certificate that expired, has another name, or is not trusted",
            "a DANE or MTA-STS policy that no longer matches the server",
            "old protocol versions on one side",
        ),
        steps=(
            "See what the server offers and serves (command below).",
            "Tell its postmaster what fails: name, date, chain, TLSA record or MTA-STS policy.",
            "Do not switch the check off: a policy asks for it. Let the queue try again.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc probe {recipient_domain} --mx --tls starttls",),
        sources=(rfc(3207, "4"), rfc(7672, "2.2"), rfc(8461, "5")),
    ),
)

SERVER = (
    Reason(
        name="server-error",
        title="A fault inside the receiving system",
        meaning="Something broke at the receiver: a lookup, its queue, its configuration or a delivery program.",
        causes=(
            "a directory or database that the server needs is down",
            "a mistake in its configuration",
            "a disk or permission fault",
        ),
        steps=(
            "Let the queue try again; nothing in your message caused this.",
            "If it lasts a day or is a 5yz, tell the postmaster of {recipient_domain} with this reply and the time.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc probe {recipient_domain} --mx",),
        sources=(REPLY_CODES, rfc(3463, "3.4")),
    ),
    Reason(
        name="server-unavailable",
        title="The server is busy or closed for the moment",
        meaning="The receiver cannot take mail right now and names no cause on your side.",
        causes=("load, a restart or maintenance", "its disk is full", "a polite delay that hides greylisting"),
        steps=(
            "Let the queue try again with growing intervals.",
            "If it lasts for hours, see whether it is only you (command below) and slow down.",
        ),
        who=Who.NOBODY,
        action="retry",
        commands=("smtpdoc probe {recipient_domain} --mx",),
        sources=(rfc(5321, "3.8"), RETRYING),
    ),
    Reason(
        name="protocol-error",
        title="The server did not understand the conversation",
        meaning="A command was unknown, out of order, or had parameters that this server does not take.",
        causes=(
            "a home-made client, or a firewall that rewrites SMTP",
            "a parameter that the server did not announce in EHLO",
            "commands sent before the answers (pipelining) where it is not offered",
            "a command that follows an earlier refusal",
        ),
        steps=(
            "Look at the whole session (command below): the first refusal counts, later ones only follow it.",
            "Compare the command with what the server announced after EHLO.",
            "Switch off SMTP inspection in firewalls on the way; update the client.",
        ),
        who=Who.SENDER_ADMIN,
        action="fix-config",
        commands=("smtpdoc probe {recipient_domain} --mx --verbose",),
        sources=(rfc(5321, "4.1.4"), rfc(5321, "4.2.4")),
    ),
    Reason(
        name="policy",
        title="A local policy refused the message",
        meaning="The receiver has a rule against this message and does not say which.",
        causes=(
            "a mail flow rule of the receiving organization",
            "authentication, content or attachment rules that the text hides",
        ),
        steps=(
            "Check SPF, DKIM and DMARC first: it is the most common hidden cause (command below).",
            "Send a plain text without links; if it passes, the rule is about content.",
            "Send this reply with time, sender and recipient to the receiver's postmaster and ask for the rule.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc auth-check {domain} --ip {ip}",),
        sources=(REPLY_CODES, rfc(3463, "3.8")),
    ),
)

OUTCOME = (
    Reason(
        name="ok",
        title="Accepted",
        meaning="The server did what was asked. Acceptance is not delivery: a filter or a later bounce may follow.",
        causes=("the command succeeded",),
        steps=(
            "Note the queue id in the reply: the receiver finds the message by it.",
            "If the message does not arrive, look for a bounce to the envelope sender, then in spam folders.",
        ),
        who=Who.NOBODY,
        action="none",
        sources=(rfc(5321, "4.2.5"), rfc(5321, "6.1")),
    ),
    Reason(
        name="unknown",
        title="The reply does not say why",
        meaning="Neither the words nor the codes of this reply tell the cause; only its first digit is certain.",
        causes=(
            "a text of the operator's own making",
            "a refusal that hides its reason on purpose",
        ),
        steps=(
            "Run the session yourself and look for earlier refusals (command below).",
            "Send this reply with time, sender and recipient to the receiver's postmaster.",
        ),
        steps_4yz=(
            "Let the queue try again: the first digit 4 says that the refusal may pass.",
            "If it lasts for a day, run the session yourself and look for earlier refusals (command below).",
            "Then send this reply with time, sender and recipient to the receiver's postmaster.",
        ),
        steps_5yz=(
            "Do not send it again unchanged: the first digit 5 says that the answer stays.",
            "Run the session yourself and look for earlier refusals (command below).",
            "Send this reply with time, sender and recipient to the receiver's postmaster.",
        ),
        who=Who.RECEIVER_ADMIN,
        action="contact-postmaster",
        action_4yz="retry",
        schedule_s=QUEUE_S,
        commands=("smtpdoc probe {recipient_domain} --mx --to {address}",),
        sources=(rfc(5321, "4.2.1"), REPLY_CODES),
    ),
)
