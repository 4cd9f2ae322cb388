"""A master file as a source of answers: check a domain before it is published (RFC 1035 section 5, RFC 1034 4.3.2)."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.tokenizer
import dns.zonefile

from smtpdoc.errors import TargetError
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.grammar.printable import printable
from smtpdoc.net.dns_values import Answer, name_text, parse_name
from smtpdoc.net.dns_wire import records_of

#: A file of this size takes some ten seconds to read; a mail domain's is a few kilobytes.
MAX_ZONE_BYTES = 16 << 20
MAX_GENERATED = 65536  # records that one $GENERATE line may make
MAX_STRING_BYTES = 255  # RFC 1035 section 3.3: one length octet
_DEFAULT_TTL_S = 3600  # where neither $TTL, an SOA nor the record has one; no answer of ours shows it
# Stands for "we do not know" while reading: when a name below it comes out, the file used a relative name.
_UNKNOWN_ORIGIN = dns.name.from_text("origin-unknown.invalid.")

_Rdatas = Mapping[tuple[dns.name.Name, dns.rdatatype.RdataType], tuple[dns.rdata.Rdata, ...]]

_SOA_LINE = re.compile(r"^(\S+\.)[ \t]+(?:[0-9]\w*[ \t]+)?(?:IN[ \t]+)?(?:[0-9]\w*[ \t]+)?SOA[ \t]", re.I | re.M)
_DOMAIN = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}", re.I)
_FILE_SUFFIX = re.compile(r"\.(?:zone|db|dns|hosts|txt)$", re.I)
_GENERATE = re.compile(r"^\$GENERATE[ \t]+([0-9]{1,18})-([0-9]{1,18})(?:/([0-9]{1,18}))?", re.I | re.M)


class ZoneError(TargetError):
    """A zone file cannot be read. The message names the file, and line and column where there are any."""


class ZoneSource:
    """Answers questions about the names of a zone file.

    A file with an SOA is authoritative for the name that owns it and all below, except what it delegates with NS
    records; it may hold several such apexes. A file without one only overlays DNS: it answers for the names and types
    that stand in it, so that a single new record can be tried.
    """

    def __init__(self, rdatas: _Rdatas, label: str) -> None:
        self._rdatas = rdatas
        self.label = label
        self._apexes = frozenset(name for name, rdtype in rdatas if rdtype == dns.rdatatype.SOA)
        self._names = frozenset(ancestor for name, _ in rdatas for ancestor in _ancestors(name))

    def answer_to(self, name: str, rdtype_text: str) -> Answer | None:
        """Return the file's answer, or None where DNS has to be asked instead; the name is a Question's."""
        return self._answer(parse_name(name), rdtype_text)

    def _answer(self, name: dns.name.Name, rdtype_text: str) -> Answer | None:
        rdtype = dns.rdatatype.from_text(rdtype_text)
        if not self._apexes:
            return self._at(name, rdtype, absent=None)
        apex = self._apex(name)
        if apex is None or self._delegated(name, apex, rdtype):
            return None
        nodata = Answer(LookupStatus.NODATA)
        if name in self._names:  # an empty non-terminal exists: RFC 8020 section 2
            return self._at(name, rdtype, absent=nodata)
        encloser = name.parent()
        while encloser not in self._names:
            encloser = encloser.parent()
        wildcard = dns.name.Name((b"*", *encloser.labels))
        if wildcard in self._names:  # RFC 4592 section 3.3.1
            return self._at(wildcard, rdtype, absent=nodata)
        return Answer(LookupStatus.NXDOMAIN)

    def _at(self, node: dns.name.Name, rdtype: dns.rdatatype.RdataType, absent: Answer | None) -> Answer | None:
        found = self._rdatas.get((node, rdtype))
        if found is not None:
            return Answer(LookupStatus.FOUND, records_of(found))
        cname = self._rdatas.get((node, dns.rdatatype.CNAME))
        if cname is not None and isinstance(cname[0], dns.rdtypes.ANY.CNAME.CNAME):
            return Answer(LookupStatus.NODATA, aliases=(name_text(cname[0].target),), complete=False)
        return absent

    def _apex(self, name: dns.name.Name) -> dns.name.Name | None:
        """Return the nearest apex at or above a name."""
        for above in _ancestors(name):
            if above in self._apexes:
                return above
        return None

    def _delegated(self, name: dns.name.Name, apex: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> bool:
        for above in _ancestors(name):
            if above == apex:
                return False
            # DS belongs to the parent's side of the cut (RFC 4035 section 3.1.4.1).
            if (above, dns.rdatatype.NS) in self._rdatas and not (above == name and rdtype == dns.rdatatype.DS):
                return True
        return False


def _ancestors(name: dns.name.Name) -> Iterable[dns.name.Name]:
    """Yield a name and all above it, up to the root."""
    yield name
    while name.labels != (b"",):
        name = name.parent()
        yield name


def load_zone(path: str | Path, *, asked: str = "") -> ZoneSource:
    """Read a zone file; raise ZoneError when that is not possible.

    Relative names before any $ORIGIN are relative to the owner of the SOA record, else to the domain in the file's
    name (example.com.zone, db.example.com), else to `asked`, the domain that the user asked about.
    """
    path = Path(path)
    label = printable(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ZONE_BYTES + 1)
    except OSError as error:
        raise ZoneError(f"cannot read the zone file {label}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MAX_ZONE_BYTES:
        raise ZoneError(f"the zone file {label} is larger than {MAX_ZONE_BYTES >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        byte = data[error.start]
        raise ZoneError(f"{label}, line {line}, column {column}: expected UTF-8 text, got byte 0x{byte:02x}") from None
    return parse_zone(text, label=label, asked=asked, file_name=path.name)


def parse_zone(text: str, *, label: str = "zone", asked: str = "", file_name: str = "") -> ZoneSource:
    """Read the text of a zone file, named `label` in errors; raise ZoneError. See load_zone for the origin."""
    text = text.replace("\r\n", "\n")
    _refuse_endless_generate(text, label)
    origin = _origin(text, asked, file_name)
    tokenizer = _Tokenizer(text, label)
    records = _Collector()
    try:
        reader = dns.zonefile.Reader(tokenizer, dns.rdataclass.IN, records, default_ttl=_DEFAULT_TTL_S)
        reader.current_origin = origin
        reader.last_name = origin
        reader.read()
    # struct.error: what dnspython before 2.9 makes of an escape like \\999
    except (dns.exception.DNSException, UnicodeError, ValueError, KeyError, struct.error) as error:
        raise _at_token(tokenizer, label, error) from None
    rdatas = records.by_name_and_type()
    _refuse_unknown_origin(rdatas, label)
    _refuse_cname_beside_others(rdatas, label)
    if not rdatas:
        raise ZoneError(f"the zone file {label} holds no records")
    return ZoneSource(rdatas, label)


class _Idna2008(dns.name.IDNACodec):
    """The labels of names beyond ASCII. dnspython's own choice hangs on which versions are installed."""

    def __init__(self) -> None:  # dnspython's has no types
        pass

    def encode(self, label: str) -> bytes:
        from smtpdoc.grammar.idn import ascii_name  # few files need it

        return (label if label.isascii() else ascii_name(label)).encode("ascii")


class _Tokenizer(dns.tokenizer.Tokenizer):
    """dnspython's tokenizer, which remembers where the token that it reads began (it only counts lines)."""

    def __init__(self, text: str, label: str) -> None:
        super().__init__(io.StringIO(text), label, _Idna2008())
        self.text = text
        self.start = 0
        self.long_string: int | None = None  # where the record's first string over 255 octets began

    def skip_whitespace(self) -> int:
        skipped = super().skip_whitespace()
        self.start = self.file.tell() - (1 if self.ungotten_char else 0)
        return skipped

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        if want_leading:  # as only the first token of a line is read
            self.long_string = None
        token = super().get(want_leading, want_comment)
        if token.is_quoted_string() and self.long_string is None and len(token.value) > MAX_STRING_BYTES:
            self.long_string = self.start
        return token


class _Collector(dns.zonefile.RRsetsReaderTransaction):
    """Takes every record as it is read. dnspython's own would allow one apex only, and is slower."""

    def __init__(self) -> None:
        manager = dns.zonefile.RRSetsReaderManager(dns.name.root, False, dns.rdataclass.IN)
        super().__init__(manager, replacement=True, read_only=False)  # type: ignore[no-untyped-call] # dnspython's gap
        self._found: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dict[dns.rdata.Rdata, None]] = {}

    def add(self, *args: object) -> None:
        name, _, rdata = args
        if not isinstance(name, dns.name.Name) or not isinstance(rdata, dns.rdata.Rdata):
            raise TypeError(args)
        # A dict, because a set of records holds each one once (RFC 2181 section 5) but ours keeps the file's order.
        self._found.setdefault((name.canonicalize(), rdata.rdtype), {})[rdata] = None

    def by_name_and_type(self) -> _Rdatas:
        return {key: tuple(rdatas) for key, rdatas in self._found.items()}


# dnspython's words and ours. What is not here is shown as dnspython says it.
_PLAIN = (
    ("newline in quoted string", "the quoted string does not end on its line"),
    ("unbalanced parentheses", "a parenthesis is not closed"),
    ("expected EOL or EOF", "expected the end of the record"),
    ("expecting an identifier", "something is missing here"),
    ("generic rdata", "the octets do not have the length that stands before them"),
    ("expecting an integer", "expected a number"),
    ("unknown rdatatype", "expected a record type like A, MX or TXT"),
    ("RR class", "expected the class IN"),
    ("zone file directive '$INCLUDE'", "included files are not read, put their records in this file"),
    ("Unknown zone file directive '$INCLUDE'", "included files are not read, put their records in this file"),
    ("zone file directive", "expected $ORIGIN, $TTL or $GENERATE"),
    ("Unknown zone file directive", "expected $ORIGIN, $TTL or $GENERATE"),
    ("Text input is malformed", "that does not fit here"),
    ("caught exception", "that does not fit here"),
)


def _at_token(tokenizer: _Tokenizer, label: str, error: Exception) -> ZoneError:
    """Say where reading stopped: the token that dnspython read last, or the string that it found too long."""
    # The reader puts "file:line: " before what it has to say.
    said = str(error).removeprefix(f"{label}:").lstrip("0123456789").removeprefix(":").strip() or type(error).__name__
    said = next((ours for theirs, ours in _PLAIN if said.startswith(theirs)), said)
    start = tokenizer.start
    if said == "string too long" and tokenizer.long_string is not None:
        start = tokenizer.long_string
        said = f"a string holds at most {MAX_STRING_BYTES} octets, cut this one in two strings side by side"
    text = tokenizer.text
    start = min(start, max(len(text) - 1, 0))
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    rest = text[start:].split("\n", 1)[0]
    token = rest.split(maxsplit=1)[0] if rest.strip() else "the end of the line"
    if not rest.strip() and said == "that does not fit here":
        said = "the record ends too early, or what stands before this is wrong"
    if len(token) > 60:
        token = token[:57] + "..."
    return ZoneError(f"{label}, line {line}, column {column}: cannot read {printable(token)}: {printable(said)}")


def _origin(text: str, asked: str, file_name: str) -> dns.name.Name:
    soa = _SOA_LINE.search(text)
    named = _FILE_SUFFIX.sub("", file_name.removeprefix("db."))
    fits = _DOMAIN.fullmatch(named) and f".{asked or named}".lower().endswith(f".{named.lower()}")
    if soa:
        candidate = soa[1]
    elif fits:
        candidate = named
    else:
        candidate = asked
    try:
        return dns.name.from_text(candidate, dns.name.root) if candidate else _UNKNOWN_ORIGIN
    except dns.exception.DNSException:
        return _UNKNOWN_ORIGIN


def _refuse_endless_generate(text: str, label: str) -> None:
    for match in _GENERATE.finditer(text):
        first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step == 0 or (last - first) // step > MAX_GENERATED:
            line = text.count("\n", 0, match.start()) + 1
            raise ZoneError(f"{label}, line {line}, column 1: expected at most {MAX_GENERATED} records from $GENERATE")


def _refuse_unknown_origin(rdatas: _Rdatas, label: str) -> None:
    for name, _ in rdatas:
        if name.is_subdomain(_UNKNOWN_ORIGIN):
            relative = printable(name_text(name.relativize(_UNKNOWN_ORIGIN)))
            raise ZoneError(
                f"{label}: cannot tell which domain {relative!r} is relative to; "
                "start the file with a line like $ORIGIN example.com."
            )


def _refuse_cname_beside_others(rdatas: _Rdatas, label: str) -> None:
    """A name server would not load such a zone (RFC 1034 section 3.6.2, RFC 2181 section 10.1)."""
    companions = {dns.rdatatype.CNAME, dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.KEY}
    types: dict[dns.name.Name, set[dns.rdatatype.RdataType]] = {}
    for name, rdtype in rdatas:
        types.setdefault(name, set()).add(rdtype)
    for (name, rdtype), records in rdatas.items():
        if rdtype != dns.rdatatype.CNAME:
            continue
        owner = printable(name_text(name))
        if len(records) > 1:
            raise ZoneError(f"{label}: {owner} has {len(records)} CNAME records, a name may have only one")
        others = sorted(dns.rdatatype.to_text(other) for other in types[name] - companions)
        if others:
            raise ZoneError(f"{label}: {owner} has a CNAME beside {', '.join(others)}; a CNAME must stand alone")
