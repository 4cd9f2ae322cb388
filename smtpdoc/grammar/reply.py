"""Replies: reply code, enhanced status code, text (RFC 5321 section 4.2, RFC 3463), however they were pasted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    end: bytes = field(default=b"\r\n", compare=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or what is left of one in a log line: a code, an enhanced code, or only a text may be there.

    `code` is None for a pasted text without one; `enhanced` is "5.7.26" or None; `lines` are the texts of the
    lines without codes, never empty; `text` is the lines joined by one space, enhanced code taken out.
    `faults` names what RFC 5321 does not allow in it ("bare-lf", "mixed-codes", ...), in order of appearance.
    `remote_host` is the host that a log or bounce line names as the one that said it, lower-case, or None.
    `answers` is "mail" where such a line says that this answered MAIL FROM, or None.
    """

    code: int | None
    enhanced: str | None
    lines: tuple[str, ...]
    text: str
    faults: tuple[str, ...] = ()
    remote_host: str | None = None
    answers: str | None = None

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
# Nobody makes up successes: a line that begins with 276 begins with a count.
_LEADING = r"(?:[23][0-5]|[45][0-9])[0-9]"
# status-code = class "." subject "." detail (RFC 3463 section 2). Subjects are one digit; 4.16.55 is Yahoo's own
# numbering. Four groups are an address, "v5.1.0" is a version.
_ENHANCED = r"(?<![\w.:/=-])[245]\.[0-9]\.[0-9]{1,3}(?![\w-]|\.[0-9])"

_PATTERNS = {
    "leading": rf"[\s\"'<(\[*>#]{{0,8}}({_LEADING})(?![0-9])(?:([ \t]|-(?![ \t])|[:;,)\]>#.](?![0-9])|#)|(?=[\r\n]|$))",
    "line": rf"({_CODE})(?:([ \t-])|$)",
    "enhanced-first": r"[\s#(\[:-]{0,4}([245]\.[0-9]\.[0-9]{1,3})(?![\w-]|\.[0-9])[)\]]?[:\s-]{0,3}",
    "enhanced": _ENHANCED,
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
    answers = _answers(whole)
    fallback: str | None = None
    host: str | None = None
    if leading is None:
        from smtpdoc.grammar.wrapping import unwrap  # a bare reply does not pay for it

        inner = unwrap(whole)
        whole, fallback, host = inner.text, inner.enhanced, inner.host
        leading = _leading_code(whole)
    elif leading[0] == 354 and (found := _answer_after_data(whole)) is not None:
        whole = whole[found:]
        leading = _leading_code(whole)
    if leading is None:
        return _build(None, [line.strip() for line in whole.split("\n")], fallback, (), host, answers)
    code, dash, end = leading
    lines, mixed = _split_lines(whole[end:], code, dash)
    return _build(code, lines, None, ("mixed-codes",) if mixed else (), host, answers)


def _answers(line: str) -> str | None:
    """Return "mail" where a log of Postfix or Exim, or a bounce of qmail, says that this answered MAIL FROM."""
    low = line.lower()
    said = ("in reply to mail from" in low, "server after mail from:" in low, "but sender was rejected" in low)
    return "mail" if any(said) else None


def _answer_after_data(text: str) -> int | None:
    """Return where the answer to the message begins in a pasted DATA dialogue: it counts, not the 354 before it."""
    from smtpdoc.grammar.wrapping import quoted_reply

    return quoted_reply(text, 3)


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


def _build(
    code: int | None,
    texts: Sequence[str],
    fallback: str | None,
    faults: Sequence[str] = (),
    remote_host: str | None = None,
    answers: str | None = None,
) -> Reply:
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
    return Reply(code, enhanced, tuple(bare), " ".join(" ".join(bare).split()), tuple(faults), remote_host, answers)


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
