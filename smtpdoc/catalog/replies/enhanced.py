"""Enhanced status codes (RFC 3463 and its registry): what each means, whatever the class digit."""

from __future__ import annotations

from functools import cache

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source, rfc

REGISTRY = Source(
    "IANA: SMTP enhanced status codes",
    url="https://www.iana.org/assignments/smtp-enhanced-status-codes/smtp-enhanced-status-codes.xhtml",
)

# subject.detail: (registered title, what it means and how it is used, reason when nothing else is known, RFC).
_CODES: dict[str, tuple[str, str, str, int]] = {
    "0.0": ("Other undefined status", "The server gives no detail; read the text.", "unknown", 3463),
    "1.0": ("Other address status", "Something about an address; read the text.", "unknown", 3463),
    "1.1": (
        "Bad destination mailbox address",
        "No such mailbox. A text beside it about quota, rates or preferences counts more.",
        "user-unknown",
        3463,
    ),
    "1.2": ("Bad destination system address", "The recipient's domain takes no mail.", "bad-domain", 3463),
    "1.3": ("Bad destination mailbox address syntax", "The recipient address is misspelt.", "bad-address", 3463),
    "1.4": ("Destination mailbox address ambiguous", "Several mailboxes fit the address.", "unknown", 3463),
    "1.5": ("Destination address valid", "The recipient was accepted.", "ok", 3463),
    "1.6": (
        "Destination mailbox has moved, no forwarding address",
        "The recipient left and gave no new address.",
        "recipient-moved",
        3463,
    ),
    "1.7": ("Bad sender's mailbox address syntax", "The sender address is misspelt.", "bad-address", 3463),
    "1.8": (
        "Bad sender's system address",
        "The sender's domain does not exist or takes no mail. Exchange Online: your own account is blocked.",
        "sender-invalid",
        3463,
    ),
    "1.9": ("Message relayed to non-compliant mailer", "Passed on; no further notices follow.", "ok", 3886),
    "1.10": (
        "Recipient address has null MX",
        "The domain declares that it takes no mail. Exchange Online: recipient not found.",
        "bad-domain",
        7505,
    ),
    "2.0": ("Other or undefined mailbox status", "Something about the mailbox; read the text.", "unknown", 3463),
    "2.1": (
        "Mailbox disabled, not accepting messages",
        "The mailbox is switched off. Gmail also says this of a mailbox that gets mail too fast.",
        "mailbox-disabled",
        3463,
    ),
    "2.2": (
        "Mailbox full",
        "The recipient's quota is used up. Exchange Online also: your own submission quota.",
        "mailbox-full",
        3463,
    ),
    "2.3": (
        "Message length exceeds administrative limit",
        "The message is larger than this mailbox may receive.",
        "message-too-big",
        3463,
    ),
    "2.4": ("Mailing list expansion problem", "A list behind the address is broken.", "server-error", 3463),
    "3.0": ("Other or undefined mail system status", "Something in the receiving system.", "server-error", 3463),
    "3.1": ("Mail system full", "The server's storage is full.", "server-unavailable", 3463),
    "3.2": (
        "System not accepting network messages",
        "The server takes no mail, for now (4) or at all (5).",
        "server-unavailable",
        3463,
    ),
    "3.3": ("System not capable of selected features", "A feature is not offered.", "protocol-error", 3463),
    "3.4": ("Message too big for system", "The message is over the server's limit.", "message-too-big", 3463),
    "3.5": ("System incorrectly configured", "The server is set up wrongly.", "server-error", 3463),
    "3.6": ("Requested priority was changed", "Accepted with another priority.", "ok", 6710),
    "4.0": ("Other or undefined network or routing status", "Something on the way.", "network-error", 3463),
    "4.1": (
        "No answer from host",
        "The next server did not answer. Exchange Online 5.4.1: unknown recipient or relaying.",
        "network-error",
        3463,
    ),
    "4.2": ("Bad connection", "The connection broke.", "network-error", 3463),
    "4.3": ("Directory server failure", "A name or directory server gave no answer.", "dns-failure", 3463),
    "4.4": ("Unable to route", "No usable mail server for the domain was found.", "bad-domain", 3463),
    "4.5": ("Mail system congestion", "The server has too much to do.", "server-unavailable", 3463),
    "4.6": ("Routing loop detected", "The message runs in circles.", "routing-loop", 3463),
    "4.7": ("Delivery time expired", "The queue gave up. Titan: an hourly quota.", "expired", 3463),
    "4.8": (
        "MTA-STS or IPv4 retry",
        "Not registered. Exchange Online: the mail servers do not fit the MTA-STS policy.",
        "tls-failed",
        8461,
    ),
    "5.0": ("Other or undefined protocol status", "Something in the conversation.", "protocol-error", 3463),
    "5.1": ("Invalid command", "The command is unknown or not allowed here.", "protocol-error", 3463),
    "5.2": ("Syntax error", "The command has wrong syntax.", "protocol-error", 3463),
    "5.3": ("Too many recipients", "More recipients than one message may have.", "too-many-recipients", 3463),
    "5.4": ("Invalid command arguments", "The parameters are wrong or not offered.", "protocol-error", 3463),
    "5.5": ("Wrong protocol version", "The two sides speak different versions.", "protocol-error", 3463),
    "5.6": ("Authentication exchange line is too long", "An AUTH line is too long.", "protocol-error", 4954),
    "6.0": ("Other or undefined media error", "Something about the message's form.", "malformed-message", 3463),
    "6.1": ("Media not supported", "The receiver does not take this kind of content.", "malformed-message", 3463),
    "6.2": (
        "Conversion required and prohibited",
        "The message would have to be converted and may not be.",
        "malformed-message",
        3463,
    ),
    "6.3": (
        "Conversion required but not supported",
        "The next server does not take 8-bit or binary content, and nobody converts it.",
        "malformed-message",
        3463,
    ),
    "6.4": ("Conversion with loss performed", "Delivered, but changed.", "unknown", 3463),
    "6.5": ("Conversion failed", "A conversion was tried and failed.", "malformed-message", 3463),
    "6.6": ("Message content not available", "BURL: the message could not be fetched.", "server-error", 4468),
    "6.7": (
        "Non-ASCII addresses not permitted",
        "The server does not take internationalized addresses here.",
        "protocol-error",
        6531,
    ),
    "6.8": ("UTF-8 reply required", "The client did not ask for UTF-8 answers.", "protocol-error", 6531),
    "6.9": (
        "UTF-8 header message cannot be transferred",
        "The next server does not take UTF-8 headers.",
        "protocol-error",
        6531,
    ),
    "6.10": ("UTF-8 reply required (withdrawn)", "A withdrawn double of X.6.8.", "protocol-error", 6531),
    "7.0": ("Other or undefined security status", "Any security matter; read the text.", "unknown", 3463),
    "7.1": (
        "Delivery not authorized, message refused",
        "Used for nearly every refusal by policy; it says nothing without its text.",
        "unknown",
        3463,
    ),
    "7.2": ("Mailing list expansion prohibited", "You may not write to this list.", "recipient-refused", 3463),
    "7.3": ("Security conversion required but not possible", "Security would be lost.", "tls-failed", 3463),
    "7.4": ("Security features not supported", "A security feature is not offered.", "protocol-error", 3463),
    "7.5": ("Cryptographic failure", "TLS, DANE or MTA-STS checks failed.", "tls-failed", 3463),
    "7.6": ("Cryptographic algorithm not supported", "No common algorithm.", "tls-failed", 3463),
    "7.7": ("Message integrity failure", "The message was changed on the way.", "unknown", 3463),
    "7.8": ("Authentication credentials invalid", "User name or password is wrong.", "auth-failed", 4954),
    "7.9": ("Authentication mechanism is too weak", "A stronger login is wanted.", "auth-failed", 4954),
    "7.10": ("Encryption needed", "The session must be encrypted.", "tls-required", 5248),
    "7.11": (
        "Encryption required for the authentication mechanism",
        "This login works under TLS only.",
        "tls-required",
        4954,
    ),
    "7.12": ("A password transition is needed", "Log in once by other means.", "auth-failed", 4954),
    "7.13": (
        "User account disabled",
        "A login's account is switched off; some receivers say it of the recipient.",
        "mailbox-disabled",
        5248,
    ),
    "7.14": (
        "Trust relationship required",
        "The login needs a trusted third party. Gmail: sign in with a browser first.",
        "auth-failed",
        5248,
    ),
    "7.15": ("Priority level is too low", "The server takes only urgent mail now.", "policy", 6710),
    "7.16": ("Message too big for its priority", "Smaller, or with other priority.", "message-too-big", 6710),
    "7.17": ("Mailbox owner has changed", "The address belongs to someone else now.", "recipient-moved", 7293),
    "7.18": ("Domain owner has changed", "The domain belongs to someone else now.", "recipient-moved", 7293),
    "7.19": ("Owner check cannot be completed", "The test of the owner failed.", "policy", 7293),
    "7.20": ("No passing DKIM signature found", "No signature verified.", "dkim-fail", 7372),
    "7.21": ("No acceptable DKIM signature found", "Signatures verified but do not count here.", "dkim-fail", 7372),
    "7.22": (
        "No valid author-matched DKIM signature found",
        "No signature is from the author's domain.",
        "dkim-fail",
        7372,
    ),
    "7.23": ("SPF validation failed", "SPF says no. Gmail 4.7.23: no PTR record.", "spf-fail", 7372),
    "7.24": ("SPF validation error", "The SPF record is broken or could not be read.", "spf-fail", 7372),
    "7.25": ("Reverse DNS validation failed", "The sending address has no proper PTR.", "no-ptr", 7372),
    "7.26": (
        "Multiple authentication checks failed",
        "Gmail uses it for DMARC, SPF and missing authentication; the text tells which.",
        "unauthenticated",
        7372,
    ),
    "7.27": (
        "Sender address has null MX",
        "The sender's domain takes no mail. Gmail: SPF did not pass.",
        "sender-invalid",
        7505,
    ),
    "7.28": ("Mail flood detected", "Too much mail at once.", "rate-limited", 5248),
    "7.29": ("ARC validation failure", "A forwarder's seal is broken. Gmail: no TLS.", "unauthenticated", 8617),
    "7.30": (
        "REQUIRETLS support required",
        "The message may only travel over TLS. Gmail: DKIM did not pass.",
        "tls-failed",
        8689,
    ),
    "7.32": ("From not aligned", "Not registered. Gmail: DMARC alignment is missing.", "dmarc-fail", 9989),
    "7.40": ("No DMARC record", "Not registered. Gmail: the domain has no DMARC record.", "dmarc-fail", 9989),
}

SUBJECTS = {
    "0": "undefined",
    "1": "addresses",
    "2": "mailbox",
    "3": "mail system",
    "4": "network and routing",
    "5": "protocol",
    "6": "message content",
    "7": "security and policy",
}


def known(enhanced: str) -> bool:
    """Tell whether a code like "5.7.26" or "X.7.26" is in the table."""
    return enhanced.partition(".")[2] in _CODES


@cache
def enhanced_entry(enhanced: str) -> ReplyEntry | None:
    """Return the entry of "5.7.26" under its own class digit ("enhanced.5.7.26"), or None."""
    digit, _, rest = enhanced.partition(".")
    row = _CODES.get(rest)
    if row is None or digit not in ("2", "4", "5", "X"):
        return None
    title, meaning, reason, number = row
    if digit == "2":
        reason = "ok"
    elif reason == "ok":
        reason = "unknown"
    return ReplyEntry(
        f"enhanced.{enhanced}", reason, title, meaning, enhanced=enhanced, sources=(rfc(number), REGISTRY)
    )


@cache
def enhanced_entries() -> tuple[ReplyEntry, ...]:
    """Return the entries of all codes, with X for the class, in the order of the registry."""
    return tuple(entry for code in _CODES if (entry := enhanced_entry(f"X.{code}")))
