"""The reply inside what was put around it: log lines, bounces, exceptions of mail libraries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

# Reply-code = %x32-35 %x30-35 %x30-39 (RFC 5321 section 4.2); a refusal's second digit may be any, as in reply.py.
# Successes are those that RFCs know: the 256 in "ECDHE:256 CV=no" is none.
_CODE = r"(?:2(?:1[14]|2[01]|35|5[0-3])|3[35]4|[45][0-9]{2})"
_STATUS = r"[245]\.[0-9]\.[0-9]{1,3}"

_PATTERNS = {
    # What stands before a quoted reply. Each alternative ends where the code must begin.
    "quoted": (
        r"(?::\s*|[;,(\"'|>\]][ \t]*|<<<[ \t]*|->[ \t]*|\n[ \t]*(?=[45])"
        r"|\b(?:stat|reply|response|text|msg|reason|diag\w*)="
        r"|(?<!expected response )\b(?:said|error|code|reply|replied|response|responded|returned|answered"
        r"|status|got|was)[ \t]+)"
        rf"[\"']?({_CODE})(?![0-9])(?=[ \t-]+[\w<\"'#(\[*.:]|-?[\"')\]]|$|[\r\n:;])"
    ),
    "later": rf"(?<=[\s>])({_CODE})[ -][245]\.[0-9]\.[0-9]",
    "field": r"(?im)^[ \t]*diagnostic-code:[ \t]*((?:[^\r\n]|\r?\n[ \t]+|\r?\n(?=[2-5][0-9]{2}[ -]))*)",
    "status": rf"\b(?:dsn=|status:[ \t]*)({_STATUS})\b",
    "enhanced-first": rf"[\s#(\[:-]{{0,4}}{_STATUS}(?![\w-]|\.[0-9])",
    # IronPort: its own enhanced code and words, then the reply with a hyphen and in quotes.
    "ironport": rf"{_STATUS} - [^'\n]{{3,80}}[ :]({_CODE})-'",
    # Python: (550, b'text'); Swift and Symfony Mailer; PHPMailer; .NET
    "python": rf"\(({_CODE}), ?(?:b?'((?:[^'\\]|\\.)*)|b?\"((?:[^\"\\]|\\.)*)|([^'\"()]+)\))",
    "swift": rf"with message \"({_CODE}[ -][^\"]*)",
    "phpmailer": rf"\bDetail: (.+?)\s*SMTP code: ({_CODE})(?:.{{0,80}}?info:? ({_STATUS}))?",
    "dotnet": r"\bserver response was: ?(.+)",
    # What stands after it.
    # A run of blanks is tried from its first one only: thousands of them would take seconds.
    "command": r"(?<![\s(])[\s(]+\(?in reply to [^()\r\n]{0,80}\)?[)\s,;]*$",
    "postfix-tail": r"; from=<[^\r\n]*$",
    "final-state": r"(?<![ \t])[ \t]+\(state [0-9]+\)\.?[ \t]*$",
    "gave-up": r"(?<!\s)\s*(?:\nGiving up on [^\n]*|\nI'm not going to try again;[^\n]*|: retry timeout exceeded)\s*$",
    "qmail": r"_said:_(\S+)",
    # Own words where no reply is quoted
    "exim-rejected": r" rejected (?:RCPT|MAIL|EHLO|HELO|AUTH|after DATA)[^:\n]{0,400}?(?:<[^>\n]*>)?: (.+)",
    "defer": r"^defer \(-?[0-9]+\):?[ \t]*",
    "host": (
        r"(?:\bhost[ \t]+|\brelay=|\bserver[ \t]+|\bremote-mta:[ \t]*dns;[ \t]*|(?<!\w)H=)\(?"
        r"((?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,24})\.?(?=[\s\[:;,)]|$)"
    ),
}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_PATTERNS[name], re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A reply's text without its wrapper; the wrapper's own enhanced code, and the host that it says spoke."""

    text: str
    enhanced: str | None = None
    host: str | None = None


def quoted_reply(text: str, start: int = 0) -> int | None:
    """Return where a quoted reply's code begins, or None."""
    match = _pattern("quoted").search(text, start)
    if match and text.startswith(match[1]):
        return None  # "554- text", a blank after the hyphen: its next line is no other reply
    if match is None and start:
        match = _pattern("later").search(text, start)
    return match.start(1) if match else None


def unwrap(text: str) -> Unwrapped:
    """Return the reply inside a log or bounce line; the text itself where nothing is around it.

    >>> unwrap("host mx.example.net[192.0.2.1] said: 550 No such user (in reply to RCPT TO command)")
    Unwrapped(text='550 No such user', enhanced=None, host='mx.example.net')
    """
    if (inner := _from_library(text)) is not None:
        return Unwrapped(inner)
    if field := _pattern("field").search(text):
        return _from_field(text, field[1])
    begins_with_status = _pattern("enhanced-first").match(text) is not None
    match = _pattern("ironport").search(text)
    if match and not (begins_with_status and not _pattern("enhanced-first").match(text, match.end())):
        return Unwrapped(f"{match[1]} " + text[match.end() :].rstrip().rstrip("'"))
    if begins_with_status:
        return Unwrapped(text)
    position = None if "refused to start TLS" in text else quoted_reply(text)
    if position is not None:
        return Unwrapped(_without_tail(text, position), None, _host(text[:position]))
    if match := _pattern("qmail").search(text):  # qmail-send logs blanks as underscores
        return Unwrapped(match[1].partition("/Giving_up")[0].replace("_", " ").strip("/ "))
    status = _pattern("status").search(text)
    enhanced = status[1] if status else None
    if own := _own_words(text):
        return Unwrapped(own, enhanced)
    kind, semicolon, rest = text.partition(";")
    if semicolon and kind.strip().lower() in ("smtp", "x-postfix", "x-unix", "lmtp", "x-exim") and rest.strip():
        return Unwrapped(rest.strip())
    return Unwrapped(text, enhanced)


def _from_library(text: str) -> str | None:
    """Return the reply in the message of a mail library's exception, or None."""
    if "(" in text and (match := _pattern("python").search(text)):
        words = match[2] or match[3] or match[4] or ""
        return f"{match[1]} " + words.replace("\\'", "'").replace('\\"', '"')
    if "with message" in text and (match := _pattern("swift").search(text)):
        return match[1].strip()
    if "SMTP code:" in text and (match := _pattern("phpmailer").search(text)):
        return " ".join(part for part in (match[2], match[3], match[1]) if part)
    if "response was:" in text and (match := _pattern("dotnet").search(text)):
        return match[1].strip()
    return None


def _from_field(text: str, value: str) -> Unwrapped:
    """Return the reply in a Diagnostic-Code field (RFC 3464 section 2.3.6)."""
    status = _pattern("status").search(text)
    inner = _pattern("command").sub("", value.strip())
    position = quoted_reply(inner)
    kind, semicolon, rest = inner.partition(";")
    if position is None and semicolon and " " not in kind:
        inner = rest.strip()
    elif position is not None:
        inner = inner[position:]
    return Unwrapped(inner, status[1] if status else None, _host(text))


def _without_tail(text: str, position: int) -> str:
    """Return the quoted reply that begins at `position`, without what the wrapper says after it."""
    inner = text[position:]
    if text[position - 1] == '"':  # a field of a CSV log ends with its quote
        inner = inner.partition('"')[0]
    inner = _pattern("command").sub("", inner.rstrip())
    inner = _pattern("final-state").sub("", _pattern("postfix-tail").sub("", inner))
    inner = _pattern("gave-up").sub("", inner)
    if inner.endswith(")") and inner.count("(") < inner.count(")"):
        inner = inner[:-1].rstrip()
    return inner


def _host(before: str) -> str | None:
    """Return the host named last before a quoted reply."""
    found = None
    for match in _pattern("host").finditer(before[-2000:]):
        found = match[1].lower()
    return found


def _own_words(line: str) -> str:
    """Return what a server logged in its own words where no reply is quoted, or "".

    Postfix: `status=deferred (text)`; Sendmail: `stat=text`; Exim: `** address R=… T=…: text` and
    `rejected RCPT <…>: text`.
    """
    _, status, rest = line.partition("status=")
    if status and (start := rest.find(" (")) >= 0 and (end := rest.rfind(")")) > start:
        return rest[start + 2 : end].strip()
    _, stat, rest = line.partition("stat=")
    if stat:
        return rest.partition("\n")[0].strip()
    if " rejected " in line and (match := _pattern("exim-rejected").search(line)):
        return match[1].strip()
    for flag in (" ** ", " == "):
        _, found, rest = line.partition(flag)
        _, transport, rest = rest.partition(" T=")
        _, blank, rest = rest.partition(" ") if " " in rest.partition(":")[0] else rest.partition(":")
        if found and transport and blank:
            return _pattern("defer").sub("", rest.strip())
    return ""
