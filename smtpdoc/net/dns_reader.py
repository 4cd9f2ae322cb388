"""The usual DNS answer, read without dnspython: a list of domains is mostly reading, and most answers are alike.

Whatever is not plain here (another type, an EDNS option, a name to escape, anything malformed) is `None`, and
dns_wire.py has dnspython read it. Where this gives an answer it is the one dnspython gives; a test compares the two.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable

from smtpdoc.evidence.dns import LookupStatus, MxRecord, Record, TlsaRecord, TxtRecord
from smtpdoc.net.dns_values import (
    HEADER_BYTES,
    MAX_ALIASES,
    NOERROR,
    NXDOMAIN,
    Answer,
    Fault,
    Question,
    Truncated,
)

#: A message may hold 65,535 octets of tiny records; nothing about mail needs more than this, and reading takes time.
MAX_RECORDS = 2000
#: A name may be a long chain of compression pointers, and every record may name it. At most so many steps altogether,
#: which is a fraction of a second; an honest answer is far below, even a full one.
MAX_POINTER_STEPS = 1_000_000

_A, _NS, _CNAME, _SOA, _PTR, _MX, _TXT, _AAAA, _OPT, _TLSA = 1, 2, 5, 6, 12, 15, 16, 28, 41, 52
_HEAD = struct.Struct("!HHIH")  # type, class, TTL, length of the data
_COUNTS = struct.Struct("!HHHH")
_MAX_NAME_BYTES = 255  # RFC 1035 section 3.1
_MAX_HOPS = 8  # pointers in one name; servers need one or two
_POINTER_OCTETS = bytes(range(0xC0, 0x100))  # what a pointer starts with (RFC 1035 section 4.1.4)
_POINTER_TO_QUESTION = b"\xc0\x0c"
#: Labels that stand in text as they are; dnspython escapes others.
_PLAIN_LABEL = re.compile(rb"[a-z0-9_-]{1,63}")


class _Unusual(Exception):  # noqa: N818 - no error: somebody else reads it
    """Not one of the answers that this module reads."""


def read_answer(message: bytes, question: Question) -> Answer | Fault | Truncated:
    """Read a response that belongs to the question. Whatever the bytes are, this returns a value."""
    if message[2] & 0x02:
        return Truncated()
    records = sum(_COUNTS.unpack_from(message, 4)[1:])
    pointers = len(message) - len(message.translate(None, _POINTER_OCTETS))
    if records > MAX_RECORDS or records * pointers > MAX_POINTER_STEPS:
        return Fault(f"sent an answer that is too large to read: {records} records in {len(message)} octets")
    usual = read_usual_answer(message, question)
    if usual is not None:
        return usual
    from smtpdoc.net.dns_wire import read_message  # importing dnspython takes longer than most runs

    return read_message(message, question)


def read_usual_answer(message: bytes, question: Question) -> Answer | None:
    """Return what a response to the question says, or None where it is not a usual one.

    The caller knows that it is a response, whole, and repeats the question.
    """
    rcode = message[3] & 0x0F
    questions, answers, authorities, additionals = _COUNTS.unpack_from(message, 4)
    if rcode not in (NOERROR, NXDOMAIN) or questions != 1 or additionals > 1:
        return None
    at = HEADER_BYTES + len(question.wire)
    try:
        found, at = _answers(message, at, answers, question)
        soa, at = _only_soa(message, at, authorities)
        if additionals:
            _plain_opt(message, at)
    except (_Unusual, IndexError, struct.error):
        return None
    owner, aliases = question.name, list[str]()
    while (owner, question.number) not in found and len(aliases) <= MAX_ALIASES:
        target = found.get((owner, _CNAME))
        if target is None:
            break
        owner = str(target[0])
        aliases.append(owner)
    authenticated = bool(message[3] & 0x20)  # RFC 6840 section 5.7
    records = found.get((owner, question.number))
    if records:
        return Answer(LookupStatus.FOUND, tuple(dict.fromkeys(records)), tuple(aliases), authenticated)
    if rcode == NXDOMAIN:
        return Answer(LookupStatus.NXDOMAIN, (), tuple(aliases), authenticated)
    return Answer(LookupStatus.NODATA, (), tuple(aliases), authenticated, complete=soa or not aliases)


def _answers(
    message: bytes, at: int, count: int, question: Question
) -> tuple[dict[tuple[str, int], list[Record]], int]:
    """Return the records by owner and type, in their order, and where the section ends."""
    found: dict[tuple[str, int], list[Record]] = {}
    for _ in range(count):
        if message[at : at + 2] == _POINTER_TO_QUESTION:
            owner, at = question.name, at + 2
        else:
            owner, at = _read_name(message, at, len(message))
        rdtype, rdclass, _, size = _HEAD.unpack_from(message, at)
        at += _HEAD.size
        end = at + size
        read = _READERS.get(rdtype)
        if read is None or rdclass != 1 or end > len(message):
            raise _Unusual
        records = found.setdefault((owner, rdtype), [])
        if rdtype == _CNAME and records:
            raise _Unusual
        records.append(read(message, at, end))
        at = end
    return found, at


def _only_soa(message: bytes, at: int, count: int) -> tuple[bool, int]:
    """Tell whether there is an SOA record, and where the authority section ends; nothing else is usual there."""
    for _ in range(count):
        at = _skip_name(message, at, len(message))
        rdtype, rdclass, _, size = _HEAD.unpack_from(message, at)
        at += _HEAD.size
        end = at + size
        if rdtype != _SOA or rdclass != 1 or end > len(message):
            raise _Unusual
        numbers = _skip_name(message, _skip_name(message, at, end), end)
        if numbers + 20 != end:
            raise _Unusual
        at = end
    return count > 0, at


def _plain_opt(message: bytes, at: int) -> None:
    """Pass over an OPT record of EDNS 0 without options; anything else is unusual (RFC 6891 section 6.1.2)."""
    owner, (rdtype, _, ttl, size) = message[at], _HEAD.unpack_from(message, at + 1)
    if owner != 0 or rdtype != _OPT or ttl >> 16 or size:
        raise _Unusual


def _skip_name(message: bytes, at: int, end: int) -> int:
    return _read_name(message, at, end)[1]


def _read_name(message: bytes, at: int, end: int) -> tuple[str, int]:
    """Return the name at an offset in lower case without its final dot ("." for the root), and where it ends."""
    labels: list[bytes] = []
    room = _MAX_NAME_BYTES - 1
    after = hops = 0
    bound = at  # RFC 1035 section 4.1.4: a pointer leads to a prior occurrence, which ends before this one
    size = message[at]
    at += 1
    while size:
        if size < 64:
            room -= size + 1
            label = message[at : at + size].lower()
            if at + size >= end or room < 0 or not _PLAIN_LABEL.fullmatch(label):
                raise _Unusual
            labels.append(label)
            at += size
        elif size >= 192:
            target = (size & 0x3F) << 8 | message[at]
            after = after or at + 1
            hops += 1
            if target >= bound or at + 1 > end or hops > _MAX_HOPS:
                raise _Unusual
            end, at, bound = bound, target, target
        else:
            raise _Unusual
        size = message[at]
        at += 1
    if at > end:
        raise _Unusual
    after = after or at
    return b".".join(labels).decode("ascii") or ".", after


def _whole_name(message: bytes, at: int, end: int) -> str:
    name, after = _read_name(message, at, end)
    if after != end:
        raise _Unusual
    return name


def _txt(message: bytes, at: int, end: int) -> Record:
    strings = []
    while at < end:
        size = message[at]
        strings.append(message[at + 1 : at + 1 + size])
        at += 1 + size
    if at != end or not strings:
        raise _Unusual
    return TxtRecord(tuple(strings))


def _mx(message: bytes, at: int, end: int) -> Record:
    if end - at < 3:
        raise _Unusual
    return MxRecord(message[at] << 8 | message[at + 1], _whole_name(message, at + 2, end))


def _a(message: bytes, at: int, end: int) -> Record:
    if end - at != 4:
        raise _Unusual
    return socket.inet_ntoa(message[at:end])


def _aaaa(message: bytes, at: int, end: int) -> Record:
    # Platforms differ in how they write the few that hold an IPv4 address.
    if end - at != 16 or message[at : at + 10] == bytes(10):
        raise _Unusual
    return socket.inet_ntop(socket.AF_INET6, message[at:end])


def _tlsa(message: bytes, at: int, end: int) -> Record:
    if end - at < 3:
        raise _Unusual
    return TlsaRecord(message[at], message[at + 1], message[at + 2], message[at + 3 : end])


_READERS: dict[int, Callable[[bytes, int, int], Record]] = {
    _A: _a,
    _AAAA: _aaaa,
    _MX: _mx,
    _TXT: _txt,
    _CNAME: _whole_name,
    _NS: _whole_name,
    _PTR: _whole_name,
    _TLSA: _tlsa,
}
