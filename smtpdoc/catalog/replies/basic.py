"""Reply codes: what each means by its RFC, and what unregistered ones are used for."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source, rfc

# code: (title, meaning, reason when nothing else is known, RFC numbers; none for codes that no standard defines).
_CODES: dict[int, tuple[str, str, str, tuple[int, ...]]] = {
    211: ("System status", "The answer to HELP or a status question.", "ok", (5321,)),
    214: ("Help text", "Text for people, in answer to HELP.", "ok", (5321,)),
    220: ("Server ready", "The greeting; after STARTTLS it means: begin the TLS handshake now.", "ok", (5321, 3207)),
    221: ("Closing", "The server says goodbye and closes the connection, normally after QUIT.", "ok", (5321,)),
    235: ("Logged in", "The login succeeded. Nothing has been sent yet.", "ok", (4954,)),
    250: (
        "Done",
        "The command was carried out. After the final dot: the server has taken responsibility for the message.",
        "ok",
        (5321,),
    ),
    251: ("Recipient elsewhere, will forward", "The server accepts and passes the message on.", "ok", (5321, 1985)),
    252: ("Not verified, but will try", "The server cannot check the address and accepts anyway.", "ok", (5321, 1985)),
    253: ("Queue started", "ETRN: waiting messages are being sent.", "ok", (1985,)),
    334: ("Go on with the login", "The server waits for the next, base64-coded step of AUTH.", "ok", (4954,)),
    354: ("Send the message", "The server waits for the message, ended by a line with a dot.", "ok", (5321,)),
    421: (
        "Service not available, closing",
        "The server ends the connection: shutdown, load, a limit, or a delay because of reputation.",
        "server-unavailable",
        (5321,),
    ),
    430: ("Login problem", "Named only in the registry of enhanced codes, beside X.5.1.", "auth-failed", (5248,)),
    432: (
        "Password transition needed",
        "The account must first log in another way before this mechanism works.",
        "auth-failed",
        (4954,),
    ),
    450: (
        "Recipient not available now",
        "The mailbox is busy or held back by a policy; greylisting and failed checks use this code too.",
        "unknown",
        (5321,),
    ),
    451: ("Local fault, aborted", "The server met an error while it worked on this.", "server-error", (5321,)),
    452: (
        "No room now",
        "Not enough storage or another resource; also the answer to too many recipients at once.",
        "server-unavailable",
        (5321, 1870),
    ),
    453: ("No mail for you", "ATRN: nothing is waiting.", "server-unavailable", (2645,)),
    454: ("TLS or login not possible now", "The server cannot start TLS or check logins.", "tls-failed", (3207, 4954)),
    455: ("Cannot honour the parameters now", "MAIL or RCPT parameters fail for now.", "protocol-error", (5321,)),
    458: (
        "Cannot queue for this node",
        "ETRN: the queue for the named node cannot be started.",
        "server-error",
        (1985,),
    ),
    459: ("Node not allowed", "ETRN: the server does not do this for the named node.", "protocol-error", (1985,)),
    500: ("Command not recognised", "The command is unknown, or its line is too long.", "protocol-error", (5321,)),
    501: (
        "Wrong parameters",
        "The command's parameters or addresses have wrong syntax; AUTH: cancelled or no base64.",
        "protocol-error",
        (5321, 4954),
    ),
    502: ("Command not implemented", "The server knows the command and does not offer it.", "protocol-error", (5321,)),
    503: (
        "Wrong order of commands",
        "The command does not fit here; often an earlier command was refused.",
        "protocol-error",
        (5321, 4954),
    ),
    504: (
        "Parameter not implemented",
        "The server does not offer this parameter; AUTH: it does not know the mechanism.",
        "protocol-error",
        (5321, 4954),
    ),
    521: ("This host takes no mail", "The host never accepts mail; some use it for blocks.", "bad-domain", (7504,)),
    523: ("Encryption needed", "The session has to be encrypted first.", "tls-required", (5248,)),
    524: ("Encryption needed for this login", "The mechanism works under TLS only.", "tls-required", (5248,)),
    525: ("Account disabled", "The account exists and is switched off.", "mailbox-disabled", (5248,)),
    530: (
        "Login or TLS needed first",
        "The server wants a login, or STARTTLS, before this command.",
        "auth-required",
        (4954, 3207),
    ),
    533: ("Not authorized", "Named only in the registry of enhanced codes, beside X.7.1.", "unknown", (5248,)),
    534: ("Login mechanism too weak", "The server wants a stronger way to log in.", "auth-failed", (4954,)),
    535: ("Login refused", "User name and password, or the token, were not accepted.", "auth-failed", (4954,)),
    538: ("Encryption needed for this login", "An older form of 524.", "tls-required", (4954,)),
    550: (
        "Refused",
        "Formally: the mailbox is not available. In practice the code of nearly every refusal; only the text tells.",
        "unknown",
        (5321,),
    ),
    551: (
        "Recipient not here",
        "Formally: try the address in the text. In practice mostly: no such user.",
        "user-unknown",
        (5321,),
    ),
    552: (
        "Too much to store",
        "The mailbox is full, or the message is over the size limit; some filters use it for spam.",
        "unknown",
        (5321, 1870),
    ),
    553: (
        "Mailbox name not allowed",
        "Formally wrong syntax of an address; also used for relaying, unknown users and refused senders.",
        "unknown",
        (5321,),
    ),
    554: (
        "Transaction failed",
        "The catch-all: list, content, policy. In place of a greeting: no service for you.",
        "unknown",
        (5321,),
    ),
    555: ("Parameters not known", "MAIL or RCPT parameters that the server does not know.", "protocol-error", (5321,)),
    556: ("Domain takes no mail", "The domain has a null MX, or is known to answer 521.", "bad-domain", (7504, 7505)),
    400: ("Delayed", "Not a standard code; Exchange writes it into delay notices.", "unknown", ()),
    422: ("Mailbox full", "Not a standard code; several servers use it for a full mailbox.", "mailbox-full", ()),
    435: ("Login not possible now", "Not a standard code; Exim uses it.", "server-error", ()),
    441: ("No answer from the host", "Not a standard code; Exchange writes it itself.", "network-error", ()),
    442: ("Connection dropped", "Not a standard code; Exchange writes it itself.", "network-error", ()),
    446: ("Too many hops", "Not a standard code; Exchange uses it for loops.", "routing-loop", ()),
    447: ("Delivery time expired", "Not a standard code; the sending queue gave up.", "expired", ()),
    449: ("Routing error", "Not a standard code; Exchange writes it itself.", "network-error", ()),
    471: ("Stopped on the sending side", "Not a standard code; local filters and firewalls use it.", "policy", ()),
    498: ("No MX", "Not a standard code; the domain has no mail server.", "bad-domain", ()),
    505: ("Account suspended", "Not a standard code for recipients.", "mailbox-disabled", ()),
    510: ("Bad address", "Not a standard code; the recipient address is refused.", "user-unknown", ()),
    511: ("Bad address", "Not a standard code; the recipient address is refused.", "user-unknown", ()),
    512: ("Host unknown", "Not a standard code; the recipient's domain was not found.", "bad-domain", ()),
    517: ("Problem with the sender", "Not a standard code; the sender's address is refused.", "sender-invalid", ()),
    522: ("Mailbox full", "Not a standard code; the recipient's quota is used up.", "mailbox-full", ()),
    540: ("Inactive account", "Not a standard code; Rambler uses it.", "mailbox-disabled", ()),
    541: ("Refused by the recipient's domain", "Not a standard code; Zoho uses it.", "policy", ()),
    542: ("Bad address", "Not a standard code; the recipient address is refused.", "user-unknown", ()),
    557: ("Access denied or duplicates", "Not a standard code.", "policy", ()),
    571: ("Refused by policy", "Not a standard code; made from 5.7.1.", "policy", ()),
    585: ("Unknown user", "Not a standard code.", "user-unknown", ()),
    591: ("On a block list", "Not a standard code.", "ip-blocklisted", ()),
    592: ("On a block list", "Not a standard code.", "ip-blocklisted", ()),
}

#: Codes that a standard or registry defines.
CODES = tuple(_CODES)

CLASSES = MappingProxyType(
    {
        "2": ("success", "The command succeeded."),
        "3": ("intermediate", "The server waits for the rest of the command."),
        "4": ("temporary", "Refused for now: the same command may succeed later."),
        "5": ("permanent", "Refused: the same command will fail again."),
    }
)


@cache
def basic_entry(code: int) -> ReplyEntry | None:
    """Return the entry of a reply code ("reply.550"), or None for a code that nobody lists."""
    row = _CODES.get(code)
    if row is None:
        return None
    title, meaning, reason, numbers = row
    sources = tuple(rfc(number) for number in numbers) or (rfc(5321, "4.2.1"), Source("Replies seen in the field"))
    return ReplyEntry(f"reply.{code}", reason, title, meaning, code=code, sources=sources)


@cache
def class_entry(digit: str) -> ReplyEntry:
    """Return the entry of a first digit ("reply.5yz"), the least that can be said about a reply."""
    word, meaning = CLASSES[digit]
    reason = "ok" if digit in "23" else "unknown"
    title = f"A {word} reply" if digit in "23" else f"A {word} refusal"
    return ReplyEntry(f"reply.{digit}yz", reason, title, meaning, sources=(rfc(5321, "4.2.1"),))


@cache
def basic_entries() -> tuple[ReplyEntry, ...]:
    """Return the entries of all reply codes, by number."""
    return tuple(entry for code in sorted(_CODES) if (entry := basic_entry(code)))
