"""Facts that stand in a reply's text: addresses, names, limits, waiting times, queue ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache

#: Only this much of a text is searched for facts.
MAX_CHARS = 8192

_NAME = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.){1,10}[a-z][a-z0-9-]{1,61}"

_PATTERNS = {
    "ipv4": r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])",
    "ipv6": r"(?<![\w:.])(?:ipv6:)?([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:])",
    "address": rf"(?<![\w.@=])[<'\"]?([a-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_NAME})",
    "url": r"\bhttps?://[^\s<>\"'\])]{3,500}",
    "host": rf"\b(?:host|server|mx|mta|gateway)\s+\[?({_NAME})\b",
    "helo": rf"\b(?:helo|ehlo)(?:\s+(?:command|name|domain|host(?:name)?))?\s+(?:rejected:\s+)?"
    rf"[<\[('\"]?({_NAME}|localhost)\b"
    rf"|<([^<>@\s]{{1,253}})>:?\s+(?:helo|ehlo) command",
    "domain": rf"\b(?:from|domains?|for|of|per|sender|from:)\s+(?:of\s+|\(|the\s+domain\s+)?[\[<('\"]?({_NAME})\b"
    rf"|\b({_NAME})(?:'s|\s+domain\b|\s+doesn't\s+(?:allow|designate))",
    # Postfix writes the client as name[address]; others name the record.
    "ptr": rf"<({_NAME})\[[0-9a-f.:]{{2,45}}\]>: client host|\bclient (?:host )?<?({_NAME})\[[0-9a-f.:]{{2,45}}\]"
    rf"|\b(?:ptr(?: record| name)?|r-?dns|reverse (?:dns|lookup|name|host ?name)(?: name| record| entry)?)"
    rf"(?:\s+(?:for|of|is|as|name|:|\S{{0,3}}[0-9a-f.:]{{7,45}}\S{{0,2}})){{0,3}}[\s(:='\"<\[]{{1,3}}({_NAME})\b",
    "zone": rf"\b(?:using|by|on|in|at|from|via|list|rbl|dnsbl|zone|database)\s+(?:the\s+)?[\[<('\"]?({_NAME})\b",
    "bytes": r"\b([0-9]{4,12})\s*(?:bytes|octets|characters)\b|\((?:max(?:imum)?\s*)?([0-9]{5,12})\)"
    r"|\b(?:limit|size|max(?:imum)?)[\s=:]{1,3}(?:is\s|of\s)?\(?([0-9]{5,12})\b",
    "scaled": r"\b([0-9]{1,7}(?:\.[0-9]{1,3})?)\s?(k|m|g)i?b(?:ytes)?\b",
    "wait": r"\b(?:in|after|for|wait|within|retry|least)\s+(?:at\s+least\s+|about\s+|another\s+|after\s+)?"
    r"([0-9]{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b|\bretry[- ]after[:=]?\s*([0-9]{1,6})\b",
    "clock": r"\b(?:in|for|after)\s+([0-9]{1,2}):([0-9]{2}):([0-9]{2})\b",
    "queue": r"\bqueued?(?:\s+(?:as|id|with\s+id))?[\s:=]+<?([a-z0-9][\w.@-]{4,80})|\bid=<?([a-z0-9][\w.-]{5,60})"
    r"|^ok\s+id=([\w-]{6,40})|^\s*ok:?\s+([a-z0-9]+-[a-z0-9-]{8,60})\b|\b([a-z0-9]{6,30})\s+message\s+accepted",
    "google": r"\b([0-9]{10}\s+[\w-]{8,60}(?:\.[0-9]+)?)\s+-\s+g?smtp|\b([\w]{8,40}\.[0-9]{1,4})\s+-\s+gsmtp",
    "session": r"\b([a-z]{2,3}[0-9][a-z0-9]{4,6}[0-9]{3,5}\.[\w.]{2,40}outlook\.com)"
    r"|\(([a-z0-9]{2,}:[a-z0-9:]{6,60})\)",
    "tag": r"\[((?:ts|bl|gl|pm|ip|cp|c|hvu|con|dns|rly|rt|hm|mf|im)[0-9:b]{1,4})\]"
    r"|\(?\b(as[0-9]{3,8}|s[0-9]{3,4})\b\)?",
    "answer": r"(?<![\w.])(127\.(?:[0-9]{1,3}\.){2}[0-9]{1,3})(?![\w]|\.[0-9])",
}

_DIGITS = frozenset("0123456789")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SCALE = {"k": 1024, "m": 1024**2, "g": 1024**3}

#: Names of list zones: the words that make a name one.
_ZONE_WORDS = (
    "spamhaus", "spamcop", "sorbs", "uceprotect", "barracudacentral", "abuseat", "abusix", "uribl", "surbl", "dnsbl",
    "rbl", "dnswl", "invaluement", "spamrats", "mailspike", "blocklist", "blacklist", "hostkarma", "junkemailfilter",
    "cloudmark", "senderscore", "senderbase", "nszones", "backscatterer", "truncate.gbudb", "psbl", "surriel", "njabl",
    "0spam", "s5h", "manitu", "dronebl", "cobion", "countries.nerd", "grey.",
)  # fmt: skip

#: Hosts in support links that are nobody's sending domain.
_NOT_A_DOMAIN = (
    "google.com", "gmail.com", "outlook.com", "microsoft.com", "office.com", "live.com", "yahoo.com", "yahoodns.net",
    "apple.com", "icloud.com", "spamhaus.org", "spamcop.net", "comcast.net", "secureserver.net", "proofpoint.com",
    "mimecast.com", "barracudanetworks.com", "cloudmark.com", "qq.com", "163.com", "mail.ru", "1and1.com", "gmx.net",
    "t-online.de", "facebook.com", "openspf.org", "openspf.net", "sorbs.net", "abuseat.org", "invaluement.com",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """What a reply's text names; None where it does not.

    `ip` is the client it speaks of, `domain` the sender's or the one refused, `address` the first mailbox, `ptr` the
    client's name by reverse DNS, `remote_host` the host that a log or bounce line names as the one that replied,
    `dnsbl` a list's zone with `dnsbl_answer` (127.0.0.x) beside it, `limit` a number of bytes, `retry_after_s`
    seconds, `tag` the server's own short code ("TS03", "S3150").
    """

    ip: str | None = None
    domain: str | None = None
    address: str | None = None
    helo: str | None = None
    host: str | None = None
    ptr: str | None = None
    remote_host: str | None = None
    dnsbl: str | None = None
    dnsbl_answer: str | None = None
    limit: int | None = None
    retry_after_s: int | None = None
    queue_id: str | None = None
    session_id: str | None = None
    tag: str | None = None
    url: str | None = None

    def items(self) -> Iterator[tuple[str, str | int]]:
        """Yield the facts that are there, in the order of the fields."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed."""
    return re.compile(_PATTERNS[name], re.IGNORECASE)


def read_facts(text: str, remote_host: str | None = None) -> ReplyFacts:
    """Return the facts in a reply's text (`Reply.text`); `remote_host` is what its wrapper told (`Reply.remote_host`).

    >>> read_facts("Greylisted, try again in 5 minutes").retry_after_s
    300
    >>> read_facts("blocked using zen.spamhaus.org; client [192.0.2.1]").dnsbl
    'zen.spamhaus.org'
    """
    text = text[:MAX_CHARS]
    lower = text.lower()
    digits = not _DIGITS.isdisjoint(text)
    address = _first("address", text) if "@" in text else None
    host = _first("host", text) if "." in text else None
    dnsbl = _zone(lower) if "." in text else None
    answer = _first("answer", text) if "127." in text else None
    return ReplyFacts(
        ip=_client(text),
        domain=_domain(lower, address, {host, dnsbl}) if "." in text else None,
        address=address,
        helo=_first("helo", text) if "helo" in lower or "ehlo" in lower else None,
        host=host.lower() if host else None,
        ptr=_ptr(lower) if "." in text else None,
        remote_host=remote_host,
        dnsbl=dnsbl,
        dnsbl_answer=answer if answer != "127.0.0.1" else None,
        limit=_limit(lower) if digits else None,
        retry_after_s=_wait(lower) if digits else None,
        queue_id=_queue_id(text, lower),
        session_id=_first("session", text) if "outlook.com" in lower or ":" in text else None,
        tag=_first("tag", text) if digits else None,
        url=_url(text) if "://" in text else None,
    )


def _first(name: str, text: str) -> str | None:
    """Return the first group that matched anywhere in the text, or None."""
    match = _pattern(name).search(text)
    return next((group for group in match.groups() if group), None) if match else None


def _client(text: str) -> str | None:
    """Return the first address that is no loopback: replies name the client before anything else."""
    names = (["ipv4"] if "." in text else []) + (["ipv6"] if text.count(":") > 1 else [])
    for name in names:
        for match in _pattern(name).finditer(text):
            import ipaddress  # only where there is an address: start-up is measured

            try:
                found = ipaddress.ip_address(match[0] if name == "ipv4" else match[1])
            except ValueError:
                continue
            if not found.is_loopback and not found.is_unspecified:
                return str(found)
    return None


def _ptr(lower: str) -> str | None:
    """Return the client's name by reverse DNS, where the text has one."""
    return _first("ptr", lower) if any(word in lower for word in ("client", "ptr", "rdns", "reverse")) else None


def _zone(lower: str) -> str | None:
    """Return the zone of a DNS list that the text names."""
    for match in _pattern("zone").finditer(lower):
        if any(word in match[1] for word in _ZONE_WORDS):
            return match[1]
    return None


def _domain(lower: str, address: str | None, taken: set[str | None]) -> str | None:
    """Return the domain that the text is about: named as one, or else the address's."""
    for match in _pattern("domain").finditer(lower):
        name = match[1] or match[2]
        before = lower[max(0, match.start(1 if match[1] else 2) - 1)]
        known = any(name == other or name.endswith("." + other) for other in _NOT_A_DOMAIN)
        if not known and name not in taken and before not in "@/" and not any(word in name for word in _ZONE_WORDS):
            return name
    return address.rpartition("@")[2].lower() if address else None


def _limit(lower: str) -> int | None:
    """Return a size limit in bytes."""
    if found := _first("bytes", lower):
        return int(found)
    match = _pattern("scaled").search(lower)
    return int(float(match[1]) * _SCALE[match[2]]) if match else None


def _wait(lower: str) -> int | None:
    """Return the seconds that the server asks us to wait."""
    if match := _pattern("wait").search(lower):
        seconds = int(match[3]) if match[3] else int(match[1]) * _SECONDS[match[2][0]]
        # Queue ages ("in 840 minutes", "after 5 days") are no requests to wait.
        expired = "unable to deliver" in lower or "could not be delivered" in lower or "could not deliver" in lower
        return None if expired else seconds
    if match := _pattern("clock").search(lower):
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
    return None


def _queue_id(text: str, lower: str) -> str | None:
    """Return the receiver's name for the message."""
    if "smtp" in lower and (found := _first("google", text)):
        return found
    if "queue" in lower or "id=" in lower or "message accepted" in lower or lower.lstrip().startswith("ok"):
        found = _first("queue", text)
        return found if found and any(char.isdigit() for char in found) else None
    return None


def _url(text: str) -> str | None:
    match = _pattern("url").search(text)
    return match[0].rstrip(".,;:") if match else None
