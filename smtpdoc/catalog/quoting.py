"""A reply's text as the catalog reads it: the reply quoted inside it, and names masked so that they are no words."""

from __future__ import annotations

import re
from functools import cache

# What stands before a quoted reply inside the text of another one.
_INNER = r"(?:\bsaid:?|->|\breturned\b[^:>]{0,80}[:>]|\bresponded with:?|\bwas:|<<<|<(?=[45][0-9]{2} [45]\.)|^) ?[\"'<]?[2-5][0-9]{2}[ -](?:[245]\.[0-9]\.[0-9]{1,3}\b)? ?"


@cache
def _inner() -> re.Pattern[str]:
    return re.compile(_INNER, re.IGNORECASE)


def inner_reply(text: str) -> str | None:
    """Return the text of the innermost quoted reply, or None.

    A callback about the sender quotes a reply too, but the refusal stays about the sender.

    >>> inner_reply("undeliverable address: host mx.example.net said: 550 5.1.1 User unknown")
    'User unknown'
    """
    if not any(char in text for char in "2345"):
        return None
    quoted = list(_inner().finditer(text))
    if not quoted or quoted[-1].end() >= len(text) - 2:
        return None
    before = text[: quoted[-1].start()].lower()
    checked = "sender" in before or "postmaster" in before
    if checked and any(word in before for word in ("verif", "rejected", "callout", "callback")):
        return None
    return text[quoted[-1].end() :].strip(" \"'>")


def mask(text: str) -> str:
    """Return the text as phrases see it: no stranger's name or link can look like a word.

    >>> mask("<spam@example.org> blocked, see http://www.spamhaus.org/query/ip/192.0.2.1")
    '<addr#> blocked, see listurl#'
    """
    if "://" in text:
        text = _masks()[0].sub(_mask_url, text)
    if "@" in text:
        text = _masks()[1].sub("addr#", text)
    return _masks()[3].sub(_mask_host, _masks()[2].sub("ip#", text)) if "." in text else text


@cache
def _masks() -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(r"https?://[^\s<>\"'\])]+", re.IGNORECASE),
        re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,80}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}"),
        re.compile(r"(?<![\w.])(?!127\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]*[0-9])"),
        # Lower or upper case throughout: "denied.Please" is two sentences. Longer endings are Microsoft's words.
        re.compile(r"(?<![\w.#-])(?:[\w-]{1,63}\.){1,8}(?:[a-z]{2,5}|[A-Z]{2,5}|example)(?![\w.-]*\w)"),
    )


def _mask_host(found: re.Match[str]) -> str:
    host = found[0].lower()
    return found[0] if any(word in host for word in LIST_WORDS) else "host#"


def _mask_url(found: re.Match[str]) -> str:
    url = found[0].lower()
    if "openspf" in url:
        return "spf url#"
    if any(mark in url for mark in ("dbl", "/query/domain", "surbl", "uribl")) and "dnsbl" not in url:
        return "domainlisturl#"
    return "listurl#" if any(mark in url for mark in (*LIST_WORDS, "/rbl", "denyip", "delist", "lookup")) else "url#"


#: Host names with one of these are left as they are: they are what the reply is about.
LIST_WORDS = (
    "spamhaus", "spamcop", "sorbs", "barracuda", "dnsbl", "rbl.", ".rbl", "blacklist", "blocklist", "cloudmark",
    "abuseat", "uribl", "surbl", "uceprotect", "abusix", "invaluement", "hostkarma", "spamrats", "countries.nerd",
    "mailspike", "grey.", "spamrl", "nerd.dk",
)  # fmt: skip
