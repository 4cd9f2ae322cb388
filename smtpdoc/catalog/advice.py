"""Putting today's names into timeless advice: {domain}, {ip}, {host} in steps and commands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from smtpdoc.grammar.reply_facts import ReplyFacts

#: Reasons whose reply speaks of the recipient: an address or domain in it is theirs, not ours.
ABOUT_RECIPIENT = frozenset(
    (
        "user-unknown",
        "mailbox-full",
        "mailbox-disabled",
        "recipient-moved",
        "recipient-refused",
        "bad-domain",
        "relay-denied",
        "routing-loop",
        "network-error",
        "expired",
        "greylisted",
        "rate-limited",
        "server-error",
        "server-unavailable",
        "tls-failed",
        "unknown",
    )
)

#: Places in texts: what stands there in a command, and in a sentence, when the reply names nothing.
PLACES = {
    "domain": ("YOUR-DOMAIN", "your domain"),
    "recipient_domain": ("THEIR-DOMAIN", "the recipient's domain"),
    "ip": ("YOUR.SENDING.IP", "your sending address"),
    "host": ("YOUR-SERVER", "the server"),
    "address": ("THE-ADDRESS", "the address"),
    "sender": ("YOUR-ADDRESS", "your address"),
    "helo": ("YOUR-HOST-NAME", "your host name"),
    "dnsbl": ("THE-LIST", "the list"),
    "url": ("THE-LINK", "the link in the reply"),
    "list": ("", ""),
    "limit": ("", ""),
    "queue": ("", ""),
}


@cache
def _pasteable() -> re.Pattern[str]:
    # Strangers' text that goes into a command line: nothing that a shell reads, and no option in disguise.
    return re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+=-]*(?:@[A-Za-z0-9.-]+)?")


def values(facts: ReplyFacts, reason: str) -> dict[str, str]:
    """Return what the reply names for each place; places that it does not name are absent."""
    found: dict[str, str] = {}
    theirs = reason in ABOUT_RECIPIENT
    if facts.domain:
        found["recipient_domain" if theirs else "domain"] = facts.domain
    if facts.address:
        found["address" if theirs else "sender"] = facts.address
    for name in ("ip", "host", "helo", "dnsbl", "url"):
        value = getattr(facts, name)
        if value:
            found[name] = value
    if theirs and reason in ("network-error", "tls-failed", "unknown"):
        found.pop("ip", None)  # here an address is the other server's
    if facts.dnsbl:
        found["list"] = f" ({facts.dnsbl})"
    if facts.limit:
        found["limit"] = f" (the limit here is {megabytes(facts.limit)})"
    if facts.queue_id:
        found["queue"] = f" ({facts.queue_id})"
    return found


def megabytes(size: int) -> str:
    """Return a size as people say it.

    >>> megabytes(26214400)
    '25 MB'
    """
    return f"{size / 1048576:.3g} MB" if size >= 1048576 else f"{size:,} bytes"


def fill(texts: Iterable[str], found: dict[str, str], *, command: bool = False) -> tuple[str, ...]:
    """Return the texts with their places filled; in a command only by what is safe to paste.

    >>> fill(["smtpdoc auth-check {domain} --ip {ip}"], {"domain": "example.com"}, command=True)
    ('smtpdoc auth-check example.com --ip YOUR.SENDING.IP',)
    """
    return tuple(_fill(text, found, command) for text in texts)


def in_session(commands: Iterable[str], server: str, login: str | None, recipient: str | None) -> tuple[str, ...]:
    """Return commands for a reply of a session that we had ourselves: what it named stands in their open places.

    >>> in_session(["smtpdoc probe YOUR-SERVER:587 --auth-user YOUR-LOGIN"], "mx.example.net:465", "alice", None)
    ('smtpdoc probe mx.example.net:465 --auth-user alice',)
    >>> in_session(["smtpdoc probe THEIR-DOMAIN --mx --tls starttls"], "mx.example.net:25", None, "bob@example.net")
    ('smtpdoc probe mx.example.net:25 --tls starttls',)
    """
    known = {
        r"YOUR-SERVER(?::[0-9]+)?": server,
        r"(?<=smtpdoc probe )(?:--mx )?THEIR-DOMAIN(?: --mx)?": server,  # we are there already
        "YOUR-LOGIN": login,
        "THE-ADDRESS": recipient,
        "THEIR-DOMAIN": (recipient or "").rpartition("@")[2],
    }
    found = {place: value for place, value in known.items() if value and _pasteable().fullmatch(value)}
    filled = []
    for command in commands:
        for place, value in found.items():
            command = re.sub(place, value, command)  # a pasteable value holds no backslash
        filled.append(command)
    return tuple(filled)


def _fill(text: str, found: dict[str, str], command: bool) -> str:
    if "{" not in text:
        return text
    for name, (in_command, in_sentence) in PLACES.items():
        place = "{" + name + "}"
        if place in text:
            value = found.get(name)
            if command and value is not None and not _pasteable().fullmatch(value):
                value = None
            text = text.replace(place, (in_command if command else in_sentence) if value is None else value)
    return text[:1].upper() + text[1:] if not command else text
