"""Replies: reply code, enhanced status code, text (RFC 5321 section 4.2, RFC 3463), however they were pasted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from smtpdoc.errors import ParseError

#: Longer input is cut here. RFC 5321 section 4.5.3.1.5 allows 512 octets a line; no honest reply comes near.
MAX_CHARS = 65536
#: Lines of one reply that are kept.
MAX_LINES = 200


class ReplyParseError(ParseError):
    """There is no reply in the text: no code, no enhanced status code, no word."""


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One line of a reply as a server sent it: `raw` without its line end, `text` without code and separator."""

    code: int
    last: bool
    text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or what is left of one in a log line: a code, an enhanced code, or only a text may be there.

    `code` is None for a pasted text without one; `enhanced` is "5.7.26" or None; `lines` are the texts of the
    lines without codes, never empty; `text` is the lines joined by one space, enhanced code taken out.
    `faults` names what RFC 5321 does not allow in it ("bare-lf", "mixed-codes", ...), in order of appearance.
    """

    code: int | None
    enhanced: str | None
    lines: tuple[str, ...]
    text: str
    faults: tuple[str, ...] = ()

    @property
    def positive(self) -> bool:
        return self.code is not None and 200 <= self.code <= 399

    @property
    def temporary(self) -> bool:
        return self.code is not None and 400 <= self.code <= 499

    @property
    def permanent(self) -> bool:
        return self.code is not None and 500 <= self.code <= 599


# Reply-code = %x32-35 %x30-35 %x30-39 (RFC 5321 section 4.2); 591 and the like are seen too, so any second digit.
_CODE = r"[2-5][0-9]{2}"
# status-code = class "." subject "." detail (RFC 3463 section 2). Subjects are one digit; 4.16.55 is Yahoo's own
# numbering. Four groups are an address, "v5.1.0" is a version.
_ENHANCED = r"(?<![\w.:/=-])[245]\.[0-9]\.[0-9]{1,3}(?![\w-]|\.[0-9])"

_PATTERNS = {
    "leading": rf"[\s\"'<(\[*>#]{{0,8}}({_CODE})(?![0-9])(?:([ \t]|-(?![ \t])|[:;,)\]>#.](?![0-9])|#)|(?=[\r\n]|$))",
    "line": rf"({_CODE})(?:([ \t-])|$)",
    "enhanced-first": r"[\s#(\[:-]{0,4}([245]\.[0-9]\.[0-9]{1,3})(?![\w-]|\.[0-9])[)\]]?[:\s-]{0,3}",
    "enhanced": _ENHANCED,
    # What stands before a reply that something else quotes. Each alternative ends where the code must begin.
    "wrapper": (
        r"(?:[:;,(\"'|>\]][ \t]*|<<<[ \t]*|->[ \t]*|\b(?:stat|reply|response|text|msg|reason|diag\w*)="
        r"|\b(?:said|error|code|reply|replied|response|responded|returned|answered|status|got|was)[ \t]+)"
        rf"[\"']?({_CODE})(?![0-9])(?=[ \t-]+[\w<\"'#(\[*.:]|-?[\"')\]]|$|[\r\n:;])"
    ),
    "field": r"(?im)^[ \t]*diagnostic-code:[ \t]*((?:[^\r\n]|\r?\n[ \t]+|\r?\n(?=[2-5][0-9]{2}[ -]))*)",
    "status": r"\b(?:dsn=|status:[ \t]*)([245]\.[0-9]\.[0-9]{1,3})\b",
    "command": r"[\s(]+\(?in reply to [^()\r\n]{0,80}\)?[)\s,;]*$",
    "postfix-tail": r"; from=<[^\r\n]*$",
    "qmail": r"_said:_(\S+)",
    "final-state": r"[ \t]+\(state [0-9]+\)\.?[ \t]*$",
}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed: start-up pays for none."""
    return re.compile(_PATTERNS[name], re.IGNORECASE)


def parse_reply(text: str) -> Reply:
    """Return the reply in a pasted text: raw, quoted, folded on one line, or inside a log or bounce line.

    The inner reply beats the wrapper around it. Raises ReplyParseError when there is neither code nor word.

    >>> parse_reply("550-5.7.26 not accepted 550 5.7.26 see there").lines
    ('not accepted', 'see there')
    >>> parse_reply("status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 No such user)").code
    550
    """
    whole = _tidy(text[:MAX_CHARS])
    if not any(char.isalnum() for char in whole):
        raise ReplyParseError("a reply, a reply code or the text of one", text[:MAX_CHARS].strip())
    leading = _leading_code(whole)
    fallback: str | None = None
    if leading is None:
        whole, fallback = _unwrap(whole)
        leading = _leading_code(whole)
    elif leading[0] == 354 and (found := _quoted_reply(whole, 3)) is not None:
        # A pasted DATA dialogue: the answer to the message counts, not the invitation before it.
        whole = whole[found:]
        leading = _leading_code(whole)
    if leading is None:
        return _build(None, [line.strip() for line in whole.split("\n")], fallback)
    code, dash, end = leading
    lines, mixed = _split_lines(whole[end:], code, dash)
    return _build(code, lines, None, ("mixed-codes",) if mixed else ())


def reply_from_lines(lines: Sequence[ReplyLine], faults: Sequence[str] = ()) -> Reply:
    """Return the reply that these lines of the wire make, the last line's code deciding; `lines` is not empty."""
    found = list(faults)
    if len({line.code for line in lines}) > 1 and "mixed-codes" not in found:
        # RFC 5321 section 4.2.1: the codes of all lines are the same.
        found.append("mixed-codes")
    return _build(lines[-1].code, [line.text for line in lines], None, found)


def _tidy(text: str) -> str:
    """Undo what copying does to a reply: literal line ends, quotes around it, quote marks before its lines."""
    text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\r", "\n")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\ufeff", "").strip(" \t\n")
    if text.startswith("{"):
        text = _from_json(text)
    for start, end in ('""', "''", "``", "“”", "‘’", "«»", "„“"):
        if len(text) > 1 and text.startswith(start) and text.endswith(end) and end not in text[1:-1]:
            text = text[1:-1].strip(" \t\n")
    if "\n" in text or text.startswith(("<-", "<~", "<**", "S:", "> ")):
        kept = [_unquote(line) for line in text.split("\n")]
        text = "\n".join(line for line in kept if line.strip())
    return text


def _unquote(line: str) -> str:
    """Take transcript and mail quoting marks off the start of a line."""
    bare = line.lstrip(" \t")
    for mark in ("<-  ", "<- ", "<~  ", "<~ ", "<** ", "S: ", "> "):
        if bare.startswith(mark):
            return bare[len(mark) :].lstrip(" \t")
    return line


def _from_json(text: str) -> str:
    """Return the reply inside a KumoMTA log record or a webhook's JSON, or the text itself."""
    import json  # only for pasted JSON; explain's start-up should not pay for it

    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(record, dict):
        return text
    response = record.get("response", record.get("diagnostic", record.get("diagnosticCode", record.get("reason"))))
    if isinstance(response, str) and response.strip():
        return response
    if isinstance(response, dict):
        enhanced = response.get("enhanced_code")
        parts = [str(response.get("code") or "")]
        if isinstance(enhanced, dict):
            parts.append(".".join(str(enhanced.get(key, "")) for key in ("class", "subject", "detail")))
        parts.append(str(response.get("content") or ""))
        return " ".join(part for part in parts if part)
    return text


def _leading_code(text: str) -> tuple[int, bool, int] | None:
    """Return (code, continued by a hyphen, where its text begins) when the text begins with a reply code."""
    match = _pattern("leading").match(text)
    return (int(match[1]), match[2] == "-", match.end()) if match else None


def _quoted_reply(text: str, start: int = 0) -> int | None:
    """Return where a quoted reply's code begins, or None."""
    for match in _pattern("wrapper").finditer(text, start):
        return match.start(1)
    if start:
        follow = re.search(rf"(?<=[\s>])({_CODE})[ -][245]\.[0-9]\.[0-9]", text[start:])
        return start + follow.start(1) if follow else None
    return None


def _unwrap(text: str) -> tuple[str, str | None]:
    """Return the reply inside a log or bounce line, and the wrapper's own enhanced code as a fallback."""
    if field := _pattern("field").search(text):
        status = _pattern("status").search(text)
        inner = _pattern("command").sub("", field[1].strip())
        position = _quoted_reply(inner)
        kind, semicolon, rest = inner.partition(";")
        if position is None and semicolon and " " not in kind:
            inner = rest.strip()
        return (inner if position is None else inner[position:]), (status[1] if status else None)
    if _pattern("enhanced-first").match(text):
        return text, None
    position = None if "refused to start TLS" in text else _quoted_reply(text)
    if position is not None:
        inner = text[position:]
        if text[position - 1] == '"':  # a field of a CSV log ends with its quote
            inner = inner.partition('"')[0]
        inner = _pattern("command").sub("", inner.rstrip())
        inner = _pattern("final-state").sub("", _pattern("postfix-tail").sub("", inner))
        if inner.endswith(")") and inner.count("(") < inner.count(")"):
            inner = inner[:-1].rstrip()
        return inner, None
    if match := _pattern("qmail").search(text):  # qmail-send logs blanks as underscores
        return match[1].partition("/Giving_up")[0].replace("_", " ").rstrip("/ "), None
    status = _pattern("status").search(text)
    if own := _own_words(text):
        return own, status[1] if status else None
    kind, semicolon, rest = text.partition(";")
    if semicolon and kind.strip().lower() in ("smtp", "x-postfix", "x-unix", "lmtp", "x-exim") and rest.strip():
        return rest.strip(), None
    return text, status[1] if status else None


def _own_words(line: str) -> str:
    """Return what a server logged in its own words where no reply is quoted, or "".

    Postfix: `status=deferred (text)`; Sendmail: `stat=text`; Exim: `** address R=… T=…: text`.
    """
    _, status, rest = line.partition("status=")
    if status and (start := rest.find(" (")) >= 0 and (end := rest.rfind(")")) > start:
        return rest[start + 2 : end].strip()
    _, stat, rest = line.partition("stat=")
    if stat:
        return rest.partition("\n")[0].strip()
    for flag in (" ** ", " == "):
        _, found, rest = line.partition(flag)
        _, transport, rest = rest.partition(" T=")
        _, blank, rest = rest.partition(" ") if " " in rest.partition(":")[0] else rest.partition(":")
        if found and transport and blank:
            return re.sub(r"^defer \(-?[0-9]+\):?[ \t]*", "", rest.strip())
    return ""


def _split_lines(text: str, code: int, continued: bool) -> tuple[list[str], bool]:
    """Return the texts of a reply's lines, codes taken off, and whether another code stood among them.

    `text` begins after the first code. A pasted multi-line reply has its codes in mid-line: "550-5.7.1 a 550 5.7.1 b".
    """
    mixed = False
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        rest = line.strip()
        if number and (match := _pattern("line").match(rest)):
            mixed = mixed or int(match[1]) != code
            continued = match[2] == "-"
            rest = rest[match.end() :]
        while continued:
            # Only as many joints as there are hyphens: after "550 " the reply is over (RFC 5321 section 4.2.1).
            joint = re.search(rf"\s{code}([ -])", rest)
            if joint is None:
                break
            lines.append(rest[: joint.start()].strip())
            continued = joint[1] == "-"
            rest = rest[joint.end() :]
            if len(lines) >= MAX_LINES:
                break
        lines.append(rest.strip())
        if len(lines) >= MAX_LINES:
            break
    return lines, mixed


def _build(code: int | None, texts: Sequence[str], fallback: str | None, faults: Sequence[str] = ()) -> Reply:
    """Take the enhanced code out of the lines and put the reply together."""
    first = _pattern("enhanced-first")
    match = first.match(texts[0])
    if match is not None:
        enhanced: str | None = match[1]
        bare: list[str] = []
        for text in texts:
            again = first.match(text)
            bare.append(text[again.end() :].strip() if again and again[1] == enhanced else text.strip())
    else:
        bare = [text.strip() for text in texts]
        # A greeting may name a version and an EHLO answer anything: only failures carry codes in mid-sentence.
        enhanced = None if code is not None and code < 400 else _enhanced_within(bare)
        enhanced = enhanced or fallback
    return Reply(code, enhanced, tuple(bare), " ".join(" ".join(bare).split()), tuple(faults))


def _enhanced_within(lines: Sequence[str]) -> str | None:
    """Return the first enhanced code inside the text, as in "(#5.1.1)", or None."""
    for line in lines:
        for match in _pattern("enhanced").finditer(line):
            before = line[: match.start()].rstrip().rpartition(" ")[2].lower()
            if before not in _VERSIONED:
                return match[0]
    return None


#: Words before a number that make it a version.
_VERSIONED = frozenset(
    (
        "version",
        "v",
        "release",
        "build",
        "exim",
        "postfix",
        "sendmail",
        "qmail",
        "courier",
        "haraka",
        "ecelerity",
        "php",
    )
)
