"""MTA-STS: the TXT record, the policy file, and its MX patterns (RFC 8461 sections 3.1, 3.2 and 4.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtpdoc.grammar.fields import EXTENSION_NAME, parse_fields
from smtpdoc.grammar.names import is_hostname

MAX_AGE_LIMIT_S = 31_557_600  # about a year, RFC 8461 section 3.2
MODES = ("enforce", "testing", "none")

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_KEYS = ("version", "mode", "max_age", "mx")


@dataclass(frozen=True, slots=True)
class StsRecord:
    """A TXT text read as an MTA-STS record. `is_sts` is False for a text that senders pass over."""

    text: str
    is_sts: bool
    valid: bool = False
    id: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy file. `mode` and `max_age_s` are None when absent or invalid; `mx` are the valid patterns, in order."""

    valid: bool
    mode: str | None
    max_age_s: int | None
    mx: tuple[str, ...]
    extensions: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]


def parse_sts_record(text: str) -> StsRecord:
    """Read the TXT record at `_mta-sts`. Nothing is raised.

    >>> parse_sts_record("v=STSv1; id=20260831085700Z;").id
    '20260831085700Z'
    """
    split = parse_fields(text, "v=STSv1", "id")
    if split is None:
        return StsRecord(text, is_sts=False)
    flags = set(split.flags)
    ids = [value for name, value in split.fields if name == "id"]
    # sts-id = %s"id=" 1*32(ALPHA / DIGIT)
    if "" in ids:
        flags.add("malformed-field")
    ids = [value for value in ids if value]
    if not ids:
        flags.add("missing-id")
    elif not _ID.fullmatch(ids[0]):
        flags.add("bad-id")
    if len(ids) > 1:
        flags.add("duplicate-id")
    extensions = tuple(field for field in split.fields if field[0] != "id")
    return StsRecord(text, True, not flags, ids[0] if ids else None, extensions, tuple(sorted(flags)))


def parse_sts_policy(text: str) -> StsPolicy:
    """Read a policy file. Nothing is raised: what is wrong with it stands in `flags`.

    Of a key that stands twice (mx excepted) the first counts; unknown keys are extensions (section 3.2).
    """
    flags: set[str] = set()
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in _lines(text):
        # sts-policy-field-delim = ":" *WSP
        key, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not (colon and value and EXTENSION_NAME.fullmatch(key)):
            flags.add("malformed-line")
        elif key == "mx":
            patterns.append(value)
        elif key in fields:
            flags.add(f"duplicate-key:{key}")
        else:
            fields[key] = value
    duplicates = set(flags) - {"malformed-line"}
    flags |= {f"missing-{key}" for key in ("version", "mode", "max_age") if key not in fields}
    flags |= {"bad-version"} if fields.get("version", "STSv1") != "STSv1" else set()
    flags |= {"bad-mode"} if fields.get("mode", "none") not in MODES else set()
    max_age = fields.get("max_age", "0")
    if not re.fullmatch(r"[0-9]{1,10}", max_age) or int(max_age) > MAX_AGE_LIMIT_S:
        flags.add("bad-max_age")
    valid_patterns = tuple(pattern.lower() for pattern in patterns if is_pattern(pattern))
    if len(valid_patterns) < len(patterns):
        flags.add("bad-mx")
    elif not patterns and fields.get("mode") in ("enforce", "testing"):
        flags.add("missing-mx")
    return StsPolicy(
        valid=flags == duplicates,
        mode=fields.get("mode") if not flags & {"bad-mode", "missing-mode"} else None,
        max_age_s=int(max_age) if not flags & {"bad-max_age", "missing-max_age"} else None,
        mx=valid_patterns,
        extensions=tuple((key, value) for key, value in fields.items() if key not in _KEYS),
        flags=tuple(sorted(flags)),
    )


def _lines(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def is_pattern(text: str) -> bool:
    """Whether a text is a host name, or "*." before one (section 4.1).

    >>> is_pattern("*.example.com"), is_pattern("*.*.example.com")
    (True, False)
    """
    return is_hostname(text.lower().removeprefix("*."))


def matches(pattern: str, host: str) -> bool:
    """Whether an MX host fits a pattern; "*." stands for exactly one label (RFC 6125 section 6.4).

    >>> matches("*.example.com", "mx.example.com"), matches("*.example.com", "a.mx.example.com")
    (True, False)
    """
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == pattern[2:]
    return pattern == host


def is_text_plain(content_type: str) -> bool:
    """Whether a Content-Type is text/plain, whatever its parameters (section 3.3)."""
    return content_type.partition(";")[0].strip().lower() == "text/plain"
