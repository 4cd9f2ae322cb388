"""DMARC policy records (RFC 9989 sections 4.7 and 4.8), with the fallbacks of section 4.10.1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from smtpdoc.grammar.tags import TagList, parse_tags

POLICIES = ("none", "quarantine", "reject")

# dmarc-record = dmarc-version *(*WSP ";" *WSP dmarc-tag) [*WSP ";"] *WSP
# dmarc-version = "v" *WSP "=" *WSP %s"DMARC1"
_VERSION = re.compile(r"[Vv][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
# dmarc-tag = 1*ALPHA *WSP "=" *WSP dmarc-value; dmarc-value = %x20-3A / %x3C-7E
_TAG_NAME = re.compile(r"[A-Za-z]+")
_TAG_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
# RFC 7489 section 6.4 had dmarc-uri = URI [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ]; the size is obsolete.
_SIZE = re.compile(r"[ \t]*![ \t]*\d+[ \t]*[kmgt]?$", re.IGNORECASE)
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})+)"
)
_MAILBOX = re.compile(r"(?P<local>[^@?]+)@(?P<host>[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*)\.?(?:\?.*)?")

_REMOVED_TAGS = ("pct", "rf", "ri")  # RFC 9989 appendix A.6 and C
_KNOWN_TAGS = frozenset(("v", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t", *_REMOVED_TAGS))


@dataclass(frozen=True, slots=True)
class ReportUri:
    """A rua or ruf URI without its obsolete size; `host` is the mailbox's domain in lower case, None unless mailto."""

    uri: str
    host: str | None


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A TXT text read as a DMARC record.

    `is_dmarc` is False for a text that receivers pass over; then only `flags` tells whether it was meant to be one.
    `policy` (p), `subdomain_policy` (sp) and `nonexistent_policy` (np) are the effective values after the fallbacks,
    None where no DMARC applies; `applies` says whether receivers act on the record at all (section 4.10.1), and
    `treated_as_none` that they act as if p=none were all it said. `testing` is t=y, `psd` is "y", "n" or "u".
    `tags` are the usable tags as published, lower-case names, the first of each. `flags` are sorted and unique.
    """

    text: str
    is_dmarc: bool
    applies: bool = False
    treated_as_none: bool = False
    policy: str | None = None
    subdomain_policy: str | None = None
    nonexistent_policy: str | None = None
    adkim: str = "r"
    aspf: str = "r"
    testing: bool = False
    psd: str = "u"
    failure_options: tuple[str, ...] = ("0",)
    rua: tuple[ReportUri, ...] = ()
    ruf: tuple[ReportUri, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()

    def tag(self, name: str) -> str | None:
        """Return a tag's value as published, or None."""
        return next((value for known, value in self.tags if known == name), None)


def parse_dmarc(text: str) -> DmarcRecord:
    """Read a TXT text as a DMARC record. Nothing is raised.

    >>> parse_dmarc("v=DMARC1; p=reject; sp=none").nonexistent_policy
    'none'
    >>> parse_dmarc("v=dmarc1; p=reject").flags
    ('version-case',)
    """
    if not _VERSION.match(text):
        return DmarcRecord(text, is_dmarc=False, flags=_near_misses(text))
    split = parse_tags(text)
    values, flags = _usable_tags(split)
    rua = _uris("rua", values, flags)
    ruf = _uris("ruf", values, flags)
    keywords = {
        name: _keyword(name, values, allowed, default, flags)
        for name, allowed, default in (("adkim", "rs", "r"), ("aspf", "rs", "r"), ("t", "yn", "n"), ("psd", "ynu", "u"))
    }
    if "rua" not in values:
        flags.add("missing-rua")
    policies = _policies(values, bool(rua), flags)
    names = list(values)
    if "p" in values and names.index("p") != 1:
        flags.add("p-not-second")
    return DmarcRecord(
        text,
        is_dmarc=True,
        applies=policies is not None,
        treated_as_none=policies == ("none",) * 3 and _has_bad_policy(values),
        policy=policies[0] if policies else None,
        subdomain_policy=policies[1] if policies else None,
        nonexistent_policy=policies[2] if policies else None,
        adkim=keywords["adkim"],
        aspf=keywords["aspf"],
        testing=keywords["t"] == "y",
        psd=keywords["psd"],
        failure_options=_failure_options(values, bool(ruf), flags),
        rua=rua,
        ruf=ruf,
        tags=tuple(values.items()),
        flags=tuple(sorted(flags)),
    )


def _near_misses(text: str) -> tuple[str, ...]:
    """Return why a text that was meant to be a DMARC record is none; empty for other texts."""
    flags: set[str] = set()
    bare = text.strip(" \t\r\n\"'“”\u00a0\ufeff")
    if "\\;" in text and re.match(r"v\s*=\s*DMARC1", bare, re.IGNORECASE):
        return ("escaped-semicolon",)
    if bare != text and re.match(r"v\s*=\s*DMARC1(?![A-Za-z0-9])", bare, re.IGNORECASE):
        first = text.lstrip(" \t\r\n")[:1]
        flags.add("quoted" if first in "\"'“”" else "leading-space" if text[:1] in " \t\r\n" else "stray-character")
    if _VERSION.match(bare):
        return tuple(sorted(flags))
    if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", bare, re.IGNORECASE):
        flags.add("version-case")
    elif re.match(r"v\s*=\s*DMARC1(?:[\s.,:]|\s*(?:p|sp|rua)\s*=)", bare, re.IGNORECASE):
        flags.add("missing-semicolon")
    elif re.match(r"DMARC1\s*;", bare, re.IGNORECASE):
        flags.add("missing-version")
    elif any(tag.name.lower() == "v" and tag.value == "DMARC1" for tag in parse_tags(bare).tags):
        flags.add("version-not-first")
    return tuple(sorted(flags))


def _usable_tags(split: TagList) -> tuple[dict[str, str], set[str]]:
    """Return the first of each well-formed tag, in order, and the flags of all that is not well-formed.

    RFC 9989 section 4.8: syntax errors after the version are discarded, tag by tag.
    """
    flags = {"malformed-tag" if piece.text else "empty-tag" for piece in split.malformed}
    values: dict[str, str] = {}
    for tag in split.tags:
        name = tag.name.lower()
        if not _TAG_NAME.fullmatch(name) or not _TAG_VALUE.fullmatch(tag.value):
            flags.add("malformed-tag")
        elif not tag.value:
            flags.add(f"empty-value:{name}")
        elif name in values:
            # RFC 6376 section 3.2: "Tags with duplicate names MUST NOT occur within a single tag-list; if a tag name
            # does occur more than once, the entire tag-list is invalid." Many receivers read the first one.
            flags |= {f"duplicate-tag:{name}", "whole-record-invalid-rfc6376-3.2"}
        else:
            values[name] = tag.value
            if name in _REMOVED_TAGS:
                flags.add(f"removed-tag:{name}")
            elif name not in _KNOWN_TAGS:
                flags.add(f"unknown-tag:{name}")
    return values, flags


def _keyword(name: str, values: dict[str, str], allowed: str, default: str, flags: set[str]) -> str:
    value = values.get(name, default).lower()
    if len(value) == 1 and value in allowed:
        return value
    flags.add(f"invalid-value:{name}")
    return default


def _has_bad_policy(values: dict[str, str]) -> bool:
    return any(values.get(name, default).lower() not in POLICIES for name, default in _POLICY_DEFAULTS)


_POLICY_DEFAULTS = (("p", ""), ("sp", "none"), ("np", "none"))


def _policies(values: dict[str, str], has_rua: bool, flags: set[str]) -> tuple[str, str, str] | None:
    """Return p, sp and np after the fallbacks; None when receivers do no DMARC processing (section 4.10.1)."""
    if "p" not in values:
        flags.add("missing-p")
    flags |= {f"invalid-value:{name}" for name in ("p", "sp", "np") if values.get(name, "none").lower() not in POLICIES}
    if _has_bad_policy(values):
        # Without a valid p, or with an invalid sp or np: as p=none when a report URI is usable, else nothing at all.
        return ("none", "none", "none") if has_rua else None
    policy = values["p"].lower()
    subdomain = values.get("sp", policy).lower()
    return policy, subdomain, values.get("np", subdomain).lower()


def _failure_options(values: dict[str, str], has_ruf: bool, flags: set[str]) -> tuple[str, ...]:
    """Return fo's options in order, ("0",) by default (section 4.7)."""
    if "fo" not in values:
        return ("0",)
    if not has_ruf:
        flags.add("fo-without-ruf")
    options = [option.strip(" ").lower() for option in values["fo"].split(":")]
    if any(option not in ("0", "1", "d", "s") for option in options):
        flags.add("invalid-value:fo")
        return ("0",)
    if len(set(options)) != len(options):
        flags.add("repeated-option:fo")
    if {"0", "1"} <= set(options):
        flags.add("fo-0-and-1")
    return tuple(dict.fromkeys(options))


def _uris(name: str, values: dict[str, str], flags: set[str]) -> tuple[ReportUri, ...]:
    if name not in values:
        return ()
    found: list[ReportUri] = []
    for text in values[name].split(","):
        whole = text.strip(" ")
        uri = _SIZE.sub("", whole)
        if uri != whole:
            flags.add(f"obsolete-size:{name}")
        report_uri = parse_report_uri(uri)
        if report_uri is None:
            flags.add(f"bad-uri:{name}")
            if _MAILBOX.fullmatch(uri) and ":" not in uri:
                flags.add(f"missing-mailto:{name}")
            continue
        if report_uri.host is None:
            flags.add(f"unsupported-scheme:{name}")
        found.append(report_uri)
    return tuple(found)


def parse_report_uri(uri: str) -> ReportUri | None:
    """Read one report URI (section 4.6), or return None when it is none.

    >>> parse_report_uri("mailto:dmarc@Example.com")
    ReportUri(uri='mailto:dmarc@Example.com', host='example.com')
    >>> parse_report_uri("dmarc@example.com") is None
    True
    """
    match = _URI.fullmatch(uri)
    if match is None:
        return None
    if match["scheme"].lower() != "mailto":
        return ReportUri(uri, None)
    mailbox = _MAILBOX.fullmatch(match["rest"])
    return ReportUri(uri, mailbox["host"].lower()) if mailbox else None


def compose(record: DmarcRecord, **changes: str | None) -> str:
    """Write a record anew: what is usable of it, with these tags set (None takes one away), removed tags left out.

    >>> compose(parse_dmarc("v=DMARC1; pct=50; p=reject"), t="y")
    'v=DMARC1; p=reject; t=y'
    """
    values = {name: value for name, value in record.tags if name in _KNOWN_TAGS and name not in _REMOVED_TAGS}
    for name in ("p", "sp", "np"):
        if values.get(name, "none").lower() not in POLICIES:
            del values[name]
    for flag in record.flags:
        kind, _, name = flag.partition(":")
        if kind == "invalid-value":
            values.pop(name, None)
    for name, uris in (("rua", record.rua), ("ruf", record.ruf)):
        values[name] = ",".join(uri.uri for uri in uris if uri.host is not None)
    if not values["ruf"] and not changes.get("ruf"):
        values.pop("fo", None)
    for name, value in changes.items():
        values[name] = value or ""
    values.setdefault("p", "none")
    order: Iterable[str] = ("p", "sp", "np", "adkim", "aspf", "t", "psd", "rua", "ruf", "fo")
    return "; ".join(("v=DMARC1", *(f"{name}={values[name]}" for name in order if values.get(name))))


def repair(text: str) -> str | None:
    r"""Return the record that a text was meant to be, written properly, or None when it cannot be told.

    >>> repair(r"v=dmarc1\; p=reject\;")
    'v=DMARC1; p=reject'
    >>> repair("v=spf1 -all") is None
    True
    """
    bare = text.replace("\\;", ";").strip(" \t\r\n\"'“”\u00a0\ufeff")
    start = re.match(r"(?:v\s*=\s*)?DMARC1\s*[;.,:]?", bare, re.IGNORECASE)
    rest = bare[start.end() :] if start else re.sub(r";?\s*v\s*=\s*DMARC1\s*", "", bare)
    record = parse_dmarc(f"v=DMARC1; {rest.strip()}") if start or rest != bare else None
    return compose(record) if record is not None and record.tags[1:] else None
