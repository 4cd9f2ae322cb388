"""What an author probably meant with an SPF term that is wrong, or legal but strange. Guesses only; no verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network, summarize_address_range

from smtpdoc.grammar.senders import sender_of_include

MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")

#: Modifiers that RFC 6652 registers; receivers that do not know them ignore them, as they should.
REGISTERED = frozenset({"redirect", "exp", "ra", "rp", "rr"})

_DASHES = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-"})
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_SPACES = re.compile("[\t\r\n\v\f\u00a0\u2000-\u200a\u202f\u3000]+")
_QUOTES = re.compile("[\"'`\\\\\u2018-\u201f\u00ab\u00bb<>(){}\\[\\]]")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_\-]*[a-z0-9])?\.)+[a-z][a-z0-9\-]*[a-z0-9]\.?", re.IGNORECASE | re.ASCII)
_SPOKEN = re.compile(r"([+\-~?]?)([A-Za-z][A-Za-z0-9_\-]*?)\s*([:=;/]+|\s)\s*(.*)", re.DOTALL)
# A place where a new term starts though no space stands before it.
_GLUED = re.compile(
    r"(?<=.)(?=[+\-~?]?(?:include:|ip[46]:|exists:|redirect=|exp=|ptr:)|(?<=[\w.])[+\-~?]all\Z)", re.IGNORECASE
)
_GLUED_SHORT = re.compile(r"(?<=[0-9])(?=(?:a|mx):)", re.IGNORECASE)

_NAMES = {
    "ip": "ip4", "ipv4": "ip4", "ip4address": "ip4", "ip-4": "ip4", "ip_4": "ip4", "ip4s": "ip4", "ips": "ip4",
    "ipv6": "ip6", "ip-6": "ip6", "ip_6": "ip6",
    "includes": "include", "inc": "include", "import": "include",
    "host": "a", "a4": "a", "aaaa": "a", "cname": "a", "domain": "a", "mxs": "mx",
    "exist": "exists", "redir": "redirect", "redirects": "redirect", "explanation": "exp",
}  # fmt: skip

Valid = Callable[[str], bool]

# Longer tokens are no slips of the pen.
_MAX_TOKEN = 400


def guess_term(token: str, valid: Valid) -> str | None:
    """Return the terms that a broken token probably stands for, separated by single spaces.

    "" means that it should go; None that there is no good guess. Every term of a guess is valid.
    """
    if len(token) > _MAX_TOKEN:
        return None
    text = _SPACES.sub(" ", _INVISIBLE.sub("", token.translate(_DASHES)).strip(" \t\r\n\u00a0"))
    if not text.strip("+-~?.,;:\"'\\") or text.lower().startswith("v=spf"):
        return ""
    for candidate in _candidates(text, valid):
        if candidate and all(valid(term) for term in candidate.split(" ")):
            return candidate
    return None


def guess_unintended(token: str, valid: Valid) -> tuple[str, str | None] | None:
    """Return (what is strange, guess) for a legal token that hardly means what it says; None for a sane one."""
    if len(token) > _MAX_TOKEN:
        return None
    glued = _unglue(token)
    if glued is not None and all(valid(term) for term in glued):
        return "a space seems to be missing inside this term", " ".join(glued)
    name, sign, value = token.partition("=")
    name = name.lower()
    if not sign or ":" in name or "/" in name or name in REGISTERED:
        return None
    if name == "v":
        return "a version inside the record is an unknown modifier, and ignored", ""
    if name in MECHANISMS or name in _NAMES or _close(name, ("include",), 0.8):
        meant = guess_term(f"{name}:{value}", valid) if not valid(f"{name}:{value}") else f"{name}:{value}"
        return f"{name}= is an unknown modifier, and ignored; mechanisms are written with a colon", meant
    return None


def _candidates(text: str, valid: Valid) -> Iterator[str | None]:
    yield text
    cleaned = _QUOTES.sub("", text)
    yield cleaned
    stripped = cleaned.strip(".,;:=")
    yield stripped
    if re.search("[,;]", stripped):
        yield _each(re.split("[,; ]+", stripped), valid)
    glued = _unglue(cleaned)
    if glued is not None:
        yield _each(glued, valid)
    yield _as_address(stripped, "")
    yield _as_named(cleaned, valid)
    if " " in cleaned:
        yield cleaned.replace(" ", "")
        yield _each(cleaned.split(), valid)
    if _HOST.fullmatch(stripped):
        yield f"include:{stripped}" if sender_of_include(stripped) else f"a:{stripped}"
    yield _as_misspelt(stripped)


def _each(tokens: list[str], valid: Valid) -> str | None:
    guesses = [token if valid(token) else guess_term(token, valid) for token in tokens if token]
    if len(guesses) < 2 or None in guesses:
        return None
    return " ".join(guess for guess in guesses if guess)


def _unglue(token: str) -> list[str] | None:
    """Split a token where a second term starts inside it, or return None."""
    start = re.match(r"[+\-~?]?[a-z0-9]+[:=]", token, re.IGNORECASE)
    if start is None:
        return None
    cuts = sorted(
        {match.start() for pattern in (_GLUED, _GLUED_SHORT) for match in pattern.finditer(token, start.end())}
    )
    pieces = [token[a:b] for a, b in zip([0, *cuts], [*cuts, len(token)], strict=True)]
    return pieces if len(pieces) > 1 and len(pieces[0]) > start.end() else None


def _as_named(text: str, valid: Valid) -> str | None:
    """A mechanism under another name, with another sign, or with an argument of another kind."""
    match = _SPOKEN.fullmatch(text)
    if match is None:
        return None
    sign, name, _, value = match.groups()
    name = _meant_name(name.lower())
    value = value.strip(" .,;").removeprefix("https://").removeprefix("http://").rstrip("/")
    if name in ("redirect", "exp"):
        return f"{name}={value}"
    if name == "all":
        return f"{sign}all"
    if name in ("a", "mx", "ptr") and not value:
        return f"{sign}{name}"
    if name in ("ip4", "ip6", "a", "mx", "include", "exists", "ptr"):
        address = _as_address(value, sign)
        if address is not None:
            return address
    if name in ("a", "mx"):
        slashes = re.fullmatch(r"(.*?)/([0-9]+)/([0-9]+)", value)
        if slashes is not None or text.count("/") == 2:
            fixed = re.sub(r"/([0-9]+)/([0-9]+)\Z", r"/\1//\2", text)
            if valid(fixed):
                return fixed
    host = value.rpartition("@")[2].partition("/")[0].partition(":")[0]
    if name in ("ip4", "ip6") and _HOST.fullmatch(host):
        return f"{sign}a:{host}"
    if name in MECHANISMS:
        if valid(f"{sign}{name}:{value}"):
            return f"{sign}{name}:{value}"
        if _HOST.fullmatch(host):
            return f"{sign}{name}:{host}"
    return None


def _close(name: str, known: tuple[str, ...], cutoff: float) -> str | None:
    from difflib import get_close_matches  # loaded for broken records only

    return next(iter(get_close_matches(name, known, 1, cutoff)), None)


def _meant_name(name: str) -> str:
    if name in MECHANISMS or name in ("redirect", "exp"):
        return name
    if name in _NAMES:
        return _NAMES[name]
    return _close(name, ("include", "redirect", "exists", "ip4", "ip6"), 0.6) or name


def _as_misspelt(text: str) -> str | None:
    sign, bare = (text[0], text[1:]) if text[:1] in tuple("+-~?") else ("", text)
    bare = bare.lower().strip("+-~?*!.")
    if bare in ("al", "all", "alll", "a11", "al1", "none"):
        return f"{sign or ('-' if bare == 'none' else '')}all" if sign or bare != "none" else None
    return f"{sign}{bare}" if bare in ("a", "mx", "ptr") else None


def _as_address(text: str, sign: str) -> str | None:
    """Return ip4: or ip6: terms for an address, a network or a range, however it is written."""
    text = text.strip("[]")
    prefix = ""
    if "/" in text:
        text, _, prefix = text.partition("/")
        prefix = prefix.strip("/")
    wild = re.fullmatch(r"([0-9]+(?:\.[0-9]+){0,2})((?:\.\*)+|\.x)", text)
    quads = re.fullmatch(r"[0-9]+(?:\.[0-9]+){0,3}\.?", text)
    if wild is not None:
        given = wild[1].split(".")
        text, prefix = ".".join(given + ["0"] * (4 - len(given))), str(8 * len(given))
    elif quads is not None and text.count(".") >= 2:
        given = [str(int(part[:4])) for part in text.strip(".").split(".")]
        if len(given) < 4:
            if not prefix.isdigit() or int(prefix[:4]) > 8 * len(given):
                return None
            given += ["0"] * (4 - len(given))
        text = ".".join(given)
    else:
        port = re.fullmatch(r"([0-9.]+):[0-9]+", text)
        text = port[1] if port is not None else text
        ends = re.fullmatch(r"([0-9.]+)-([0-9.]+)", text)
        if ends is not None:
            return _as_range(ends[1], ends[2], sign)
    if prefix.isdigit():
        prefix = str(int(prefix[:4]))
    try:
        if prefix:
            network = ip_network(f"{text}/{prefix}", strict=False)
            return f"{sign}ip{network.version}:{text}/{network.prefixlen}"
        return f"{sign}ip{ip_address(text).version}:{text}"
    except ValueError:
        return None


def _as_range(first: str, last: str, sign: str) -> str | None:
    if last.isdigit():
        last = f"{first.rpartition('.')[0]}.{last}"
    try:
        low, high = ip_address(first), ip_address(last)
        if low.version != 4 or high.version != 4 or low > high:
            return None
        networks = list(summarize_address_range(low, high))
    except ValueError:
        return None
    return " ".join(f"{sign}ip4:{network}".removesuffix("/32") for network in networks) if len(networks) <= 8 else None
