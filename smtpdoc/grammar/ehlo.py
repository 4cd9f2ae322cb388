"""What a server says it can do: the reply to EHLO (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

# ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
# Dots and underscores are seen in private keywords; a keyword is listed even so.
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Some servers still add "AUTH=PLAIN" for clients that read the drafts of RFC 2554.
_AUTH_EQUALS = re.compile(r"AUTH=(.*)", re.IGNORECASE | re.DOTALL)
# What inspecting firewalls write over STARTTLS: as many letters, all the same.
_OVERWRITTEN = re.compile(r"([X*#])\1{3,}[A-Z]?")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The first line's words and the keywords with their parameters, in the server's order.

    `keywords` maps an upper-case keyword to its parameters as one text ("" for none); a keyword given twice has the
    parameters of both. `unreadable` are lines that follow no grammar.
    """

    domain: str
    greeting: str
    keywords: Mapping[str, str]
    unreadable: tuple[str, ...] = ()

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def auth_mechanisms(self) -> tuple[str, ...]:
        return auth_mechanisms(self.keywords)


def parse_ehlo(lines: Sequence[str]) -> Capabilities:
    """Return what the lines of a 250 reply to EHLO offer; lines are texts without reply codes.

    The first line is the domain even where it is empty; an extension is never looked for there.

    >>> dict(parse_ehlo(["mx.example.net", "SIZE 1000", "AUTH=LOGIN", "auth PLAIN"]).keywords)
    {'SIZE': '1000', 'AUTH': 'LOGIN PLAIN'}
    """
    domain, _, greeting = (lines[0] if lines else "").strip().partition(" ")
    keywords: dict[str, str] = {}
    unreadable: list[str] = []
    for line in lines[1:]:
        text = line.strip()
        if quirk := _AUTH_EQUALS.fullmatch(text):
            text = f"AUTH {quirk[1]}"
        keyword, _, parameters = text.partition(" ")
        if not _KEYWORD.fullmatch(keyword):
            unreadable.append(line)
            continue
        words = keywords.get(keyword.upper(), "").split()
        words += [word for word in parameters.split() if word not in words]
        keywords[keyword.upper()] = " ".join(words)
    return Capabilities(domain, greeting.strip(), MappingProxyType(keywords), tuple(unreadable))


def auth_mechanisms(keywords: Mapping[str, str]) -> tuple[str, ...]:
    """Return the SASL mechanisms that are offered, in upper case and the server's order, each once."""
    return tuple(dict.fromkeys(keywords.get("AUTH", "").upper().split()))


def size_limit(keywords: Mapping[str, str]) -> int | None:
    """Return the largest message in bytes (RFC 1870 section 4); None when not told, or when told that there is none."""
    value = keywords.get("SIZE", "").partition(" ")[0]
    return int(value) or None if value.isascii() and value.isdigit() and len(value) <= 20 else None


def meaning(keyword: str) -> str:
    """Return what an EHLO keyword offers, in a few words.

    >>> meaning("SIZE"), meaning("XXXXXXXA")
    ('names the largest message it takes, in bytes (RFC 1870)', 'written over on the way: most likely STARTTLS')
    """
    if known := MEANINGS.get(keyword):
        return known
    if overwritten_keyword((keyword,)) is not None:
        return "written over on the way: most likely STARTTLS"
    return "a private extension" if keyword.startswith("X") else "not a registered keyword"


def overwritten_keyword(keywords: Iterable[str]) -> str | None:
    """Return a keyword that looks written over by a device on the way ("XXXXXXXA"), or None."""
    return next((keyword for keyword in keywords if _OVERWRITTEN.fullmatch(keyword)), None)


MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "8BITMIME": "takes message bodies with eight-bit characters (RFC 6152)",
        "ATRN": "turns the connection around for authenticated pickup (RFC 2645)",
        "AUTH": "asks for a login with one of these mechanisms (RFC 4954)",
        "BDAT": "another name for CHUNKING",
        "BINARYMIME": "takes binary message bodies (RFC 3030)",
        "BURL": "fetches message parts from an IMAP server by itself (RFC 4468)",
        "CHECKPOINT": "can take up an interrupted message again (RFC 1845)",
        "CHUNKING": "takes the message in counted pieces, BDAT (RFC 3030)",
        "CONNEG": "tells what media a recipient can handle (RFC 4141)",
        "CONPERM": "passes on permission for content conversion (RFC 4141)",
        "DELIVERBY": "keeps a time limit for delivery; its number is the shortest in seconds (RFC 2852)",
        "DSN": "sends delivery notifications as the sender asks (RFC 3461)",
        "ENHANCEDSTATUSCODES": "puts codes like 5.1.1 into its replies (RFC 2034)",
        "ETRN": "starts the queue for a domain when asked (RFC 1985)",
        "EXPN": "lists the members of a mailing list, or says that it knows the command (RFC 5321)",
        "FUTURERELEASE": "holds a message until a given time (RFC 4865)",
        "HELP": "explains its commands (RFC 5321)",
        "LIMITS": "tells how many recipients and messages it takes per session (RFC 9422)",
        "MT-PRIORITY": "orders messages by priority (RFC 6710)",
        "MTRK": "keeps tracking data of messages (RFC 3885)",
        "NO-SOLICITING": "declares which bulk mail it refuses (RFC 3865)",
        "ONEX": "ends after one message (Sendmail's extension, gone)",
        "PIPECONNECT": "takes the first commands before its greeting is read (Exim's extension)",
        "PIPELINING": "takes several commands in one go (RFC 2920)",
        "PRDR": "answers after the message for each recipient (Exim's extension)",
        "REQUIRETLS": "passes the message on over verified TLS only, when asked (RFC 8689)",
        "RRVS": "delivers only if the mailbox has the same owner as at a given time (RFC 7293)",
        "SIZE": "names the largest message it takes, in bytes (RFC 1870)",
        "SMTPUTF8": "takes addresses and headers in any script (RFC 6531)",
        "STARTTLS": "can switch this connection to TLS (RFC 3207)",
        "SUBMITTER": "takes the responsible submitter in MAIL FROM (RFC 4405, historic)",
        "TURN": "turns the connection around (RFC 821, unsafe)",
        "UTF8SMTP": "an experimental forerunner of SMTPUTF8",
        "VERB": "turns on verbose replies (Sendmail's extension)",
        "VRFY": "says whether a mailbox exists, or says that it knows the command (RFC 5321)",
        "X-EXPS": "logins between Exchange servers",
        "X-ANONYMOUSTLS": "TLS between Exchange servers",
        "X-LINK2STATE": "routes between old Exchange servers",
        "XADR": "shows how it reads an address (PMDF's extension)",
        "XCLIENT": "lets trusted proxies tell the real client (Postfix's extension)",
        "XEXCH50": "properties of messages between old Exchange servers",
        "XFORWARD": "lets trusted filters tell the real client, for logs (Postfix's extension)",
        "XOORG": "tells the originating organization between Exchange servers",
        "XPROXY": "tells the real client between Exchange servers",
        "XRDST": "routes between Exchange servers",
        "XSHADOW": "keeps shadow copies between Exchange servers",
        "XVERP": "sends with a return address of its own for each recipient (Postfix's extension)",
    }
)
