"""BIMI assertion records (draft-brand-indicators-for-message-identification section 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtpdoc.grammar.tags import TagList, parse_tags

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_KNOWN_TAGS = frozenset(("v", "l", "a", "avp", "lps"))


@dataclass(frozen=True, slots=True)
class BimiRecord:
    """A TXT text read as a BIMI record; `declined` means that the owner wants no logo shown."""

    text: str
    valid: bool
    declined: bool = False
    location: str | None = None
    evidence: str | None = None
    flags: tuple[str, ...] = ()


def parse_bimi(text: str) -> BimiRecord:
    """Read an assertion record. Nothing is raised.

    >>> parse_bimi("v=BIMI1; l=; a=;").declined
    True
    """
    tags = parse_tags(text)
    first = tags.tags[0] if tags.tags else None
    if first is None or first.name.lower() != "v" or first.value.upper() != "BIMI1" or text[: first.offset].strip():
        return BimiRecord(text, valid=False, flags=("bad-version",))
    notes = set() if first.value == "BIMI1" else {"version-case"}
    broken = {f"duplicate-tag:{name}" for name in tags.duplicates}
    broken |= {"malformed-tag" for piece in tags.malformed if piece.text}
    notes |= {f"unknown-tag:{tag.name}" for tag in tags.tags[1:] if tag.name not in _KNOWN_TAGS}
    location, evidence = _value(tags, "l"), _value(tags, "a")
    if location is None:
        broken.add("missing-l")
    declined = location == "" and not evidence
    if declined:
        notes.add("declined")
    elif not evidence:
        notes.add("no-evidence-document")
    for name, value in (("l", location), ("a", evidence)):
        if value and not _HTTPS.fullmatch(value):
            broken.add(f"not-https:{name}" if _URI.fullmatch(value) else f"bad-uri:{name}")
    if broken:
        notes.discard("no-evidence-document")
    flags = tuple(sorted(broken | notes))
    return BimiRecord(text, not broken, declined, location or None, evidence or None, flags)


def _value(tags: TagList, name: str) -> str | None:
    tag = tags.get(name)
    return None if tag is None else tag.value
