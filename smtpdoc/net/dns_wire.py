"""DNS messages: a question as bytes, an answer as a value. No I/O; dnspython does the parsing."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.txtbase
import dns.rrset

from smtpdoc.evidence.dns import LookupStatus, MxRecord, Record, TlsaRecord, TxtRecord

#: CNAMEs followed for one question. RFC 1034 section 3.6.2 wants none chained; resolvers stop between 8 and 16.
MAX_ALIASES = 8
#: A message may hold 65,535 octets of tiny records; nothing about mail needs more than this, and reading takes time.
MAX_RECORDS = 2000
#: A name may be a long chain of compression pointers, and every record may name it. At most so many steps altogether,
#: which is a fraction of a second; an honest answer is far below, even a full one.
MAX_POINTER_STEPS = 1_000_000
HEADER_BYTES = 12

_FLAGS = 0x0120  # RD, and AD to say that we understand it in answers (RFC 6840 section 5.7)
# OPT: no name, type 41, 1232 octets (fits any path unfragmented), version 0, no flags. DO stays off: it would
# only make answers longer, the AD flag comes without it.
_OPT = bytes.fromhex("00 0029 04d0 00000000 0000")
_POINTER_OCTETS = bytes(range(0xC0, 0x100))  # what a pointer starts with (RFC 1035 section 4.1.4)
_RECORD_HEAD = struct.Struct("!HHIH")  # type, class, TTL, length of the data
_CLASS_IN = b"\x00\x01"


class UnaskableNameError(ValueError):
    """The text cannot be a domain name, so nobody can have published anything there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask. `name` and `rdtype` as in Lookup, `owner` and `number` for dnspython; `wire` as a message has it."""

    name: str
    rdtype: str
    owner: dns.name.Name
    number: dns.rdatatype.RdataType
    wire: bytes

    def packet(self, message_id: int, *, edns: bool = True) -> bytes:
        """Return the query: recursion desired, EDNS with 1232 octets unless switched off."""
        counts = b"\x00\x01\x00\x00\x00\x00" + (b"\x00\x01" if edns else b"\x00\x00")
        return message_id.to_bytes(2, "big") + _FLAGS.to_bytes(2, "big") + counts + self.wire + (_OPT if edns else b"")

    def is_answered_by(self, message: bytes) -> bool:
        """True for a response (QR, opcode QUERY) that repeats our question; the caller has compared the id.

        A server that could not read the question may leave it out, which only an error may do (RFC 1035 section 4.1.1).
        """
        if len(message) < HEADER_BYTES or message[2] & 0xF8 != 0x80:
            return False
        questions = int.from_bytes(message[4:6], "big")
        if questions == 0:
            return message[3] & 0x0F not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
        end = HEADER_BYTES + len(self.wire)
        # Length octets are below 64, so lower() touches letters only; type and class are compared as they are.
        return (
            questions == 1
            and message[HEADER_BYTES : end - 4].lower() == self.wire[:-4]
            and message[end - 4 : end] == self.wire[-4:]
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server, or a zone, said: FOUND, NODATA or NXDOMAIN.

    `aliases` are the CNAME targets in order. `complete` is False where the answer ends with a CNAME whose target
    is still to be asked for; its status is then NODATA.
    """

    status: LookupStatus
    records: tuple[Record, ...] = ()
    aliases: tuple[dns.name.Name, ...] = ()
    authenticated: bool = False
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer: `detail` is a clause without a subject, "answered REFUSED: ...".

    `without_edns` says that the server may do better when asked again without EDNS (RFC 6891 section 7).
    """

    detail: str
    without_edns: bool = False


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer did not fit; nothing in it may be used, ask again over TCP (RFC 2181 section 9, RFC 7766)."""


_RCODES = {
    dns.rcode.SERVFAIL: "SERVFAIL: it got no valid answer from the domain's own name servers, or DNSSEC failed",
    dns.rcode.REFUSED: "REFUSED: it does not resolve names for this machine",
    dns.rcode.FORMERR: "FORMERR: it could not read the question",
    dns.rcode.NOTIMP: "NOTIMP: it does not know this kind of question",
}


def parse_name(text: str) -> dns.name.Name:
    """Read a name in any case, with or without a trailing dot, U-labels allowed; raise UnaskableNameError.

    A backslash escapes as in master files, so that every name in a Lookup can be asked for again.
    """
    try:
        if text.isascii() and "\\" not in text:
            bare = text.lower().removesuffix(".")
            labels = [label.encode("ascii") for label in bare.split(".")] if bare else []
            return dns.name.Name([*labels, b""])
        return dns.name.from_text(text, dns.name.root).canonicalize()
    except dns.name.EmptyLabel:
        raise UnaskableNameError("it has an empty label") from None
    except dns.name.LabelTooLong:
        raise UnaskableNameError("a label is longer than 63 octets, or cannot be written in DNS") from None
    except dns.name.NameTooLong:
        raise UnaskableNameError("it is longer than 253 octets") from None
    except (dns.exception.DNSException, UnicodeError):
        raise UnaskableNameError("it cannot be written in DNS") from None


def name_text(name: dns.name.Name) -> str:
    """Return a name in lower case without the trailing dot; the root is "."."""
    return name.to_text(omit_final_dot=True).lower()


def make_question(owner: dns.name.Name, rdtype: str) -> Question:
    """Return the question for a name and a type; an unknown type raises dns.rdatatype.UnknownRdatatype."""
    number = dns.rdatatype.from_text(rdtype)
    wire = b"".join(len(label).to_bytes(1, "big") + label.lower() for label in owner.labels)
    return Question(name_text(owner), rdtype, owner, number, wire + number.to_bytes(2, "big") + _CLASS_IN)


def read_answer(message: bytes, question: Question) -> Answer | Fault | Truncated:
    """Read a response that belongs to the question. Whatever the bytes are, this returns a value."""
    if message[2] & 0x02:
        return Truncated()
    records = sum(int.from_bytes(message[at : at + 2], "big") for at in (6, 8, 10))
    pointers = len(message) - len(message.translate(None, _POINTER_OCTETS))
    if records > MAX_RECORDS or records * pointers > MAX_POINTER_STEPS:
        return Fault(f"sent an answer that is too large to read: {records} records in {len(message)} octets")
    try:
        parsed = dns.message.from_wire(message, ignore_trailing=True, continue_on_error=question.rdtype == "TLSA")
        tlsa = _tlsa_records(message) if question.rdtype == "TLSA" else {}
    except (dns.exception.DNSException, struct.error):
        return Fault("sent an answer that is no valid DNS message")
    rcode = parsed.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        said = _RCODES.get(rcode, dns.rcode.to_text(rcode))
        return Fault(f"answered {said}", without_edns=rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS))
    return _judge(parsed, tlsa, question, rcode)


def _tlsa_records(message: bytes) -> dict[dns.name.Name, tuple[Record, ...]]:
    """Return the TLSA records of the answer section by owner; raise dns.exception.FormError or struct.error.

    dnspython gives up on a whole message for one whose data has the wrong length for its matching type. That is a
    mistake people make, and for the checks to tell. What is too short to be TLSA at all is written as in RFC 3597.
    """
    found: dict[dns.name.Name, tuple[Record, ...]] = {}
    at = HEADER_BYTES + dns.name.from_wire(message, HEADER_BYTES)[1] + 4
    for _ in range(int.from_bytes(message[6:8], "big")):
        owner, octets = dns.name.from_wire(message, at)
        rdtype, rdclass, _, size = _RECORD_HEAD.unpack_from(message, at + octets)
        at += octets + _RECORD_HEAD.size + size
        data = message[at - size : at]
        if at > len(message):
            raise dns.exception.FormError
        if (rdtype, rdclass) == (dns.rdatatype.TLSA, dns.rdataclass.IN):
            whole = len(data) >= 3
            record = TlsaRecord(data[0], data[1], data[2], data[3:]) if whole else f"\\# {size} {data.hex()}"
            found[owner] = (*found.get(owner, ()), record)
    return found


def _judge(
    parsed: dns.message.Message,
    tlsa: dict[dns.name.Name, tuple[Record, ...]],
    question: Question,
    rcode: dns.rcode.Rcode,
) -> Answer | Fault:
    rrsets = {(rrset.name, rrset.rdtype): rrset for rrset in parsed.answer if rrset.rdclass == dns.rdataclass.IN}
    owner, rdtype = question.owner, question.number
    aliases: list[dns.name.Name] = []
    while (owner, rdtype) not in rrsets and len(aliases) <= MAX_ALIASES:
        target = _cname_target(rrsets.get((owner, dns.rdatatype.CNAME)))
        if target is None:
            break
        aliases.append(target)
        owner = target
    authenticated = bool(parsed.flags & dns.flags.AD)
    found = rrsets.get((owner, rdtype))
    records = tlsa.get(owner) or (records_of(found) if found is not None else ())
    authority = {rrset.rdtype for rrset in parsed.authority}
    if records:
        return Answer(LookupStatus.FOUND, records, tuple(aliases), authenticated)
    if rcode == dns.rcode.NXDOMAIN:  # of the last name in the chain: RFC 6604 section 2
        return Answer(LookupStatus.NXDOMAIN, (), tuple(aliases), authenticated)
    if dns.rdatatype.SOA in authority:  # RFC 2308 section 2.2
        return Answer(LookupStatus.NODATA, (), tuple(aliases), authenticated)
    if aliases:
        return Answer(LookupStatus.NODATA, (), tuple(aliases), authenticated, complete=False)
    if dns.rdatatype.NS in authority and not parsed.flags & (dns.flags.AA | dns.flags.RA):
        return Fault("only refers to other name servers: it does not resolve names, and this one is not in its zones")
    return Answer(LookupStatus.NODATA, (), (), authenticated)


def _cname_target(rrset: dns.rrset.RRset | None) -> dns.name.Name | None:
    if rrset is None or not isinstance(rrset[0], dns.rdtypes.ANY.CNAME.CNAME):
        return None
    return rrset[0].target


def records_of(rdatas: dns.rrset.RRset | tuple[dns.rdata.Rdata, ...]) -> tuple[Record, ...]:
    """Return the records of one name and type as evidence, in their order."""
    return tuple(_record(rdata) for rdata in rdatas)


def _record(rdata: dns.rdata.Rdata) -> Record:
    match rdata:
        case dns.rdtypes.txtbase.TXTBase():
            return TxtRecord(tuple(rdata.strings))
        case dns.rdtypes.ANY.MX.MX():
            return MxRecord(rdata.preference, name_text(rdata.exchange))
        case dns.rdtypes.ANY.TLSA.TLSA():
            return TlsaRecord(rdata.usage, rdata.selector, rdata.mtype, rdata.cert)
        case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
            return str(rdata.address)
        case dns.rdtypes.ANY.PTR.PTR() | dns.rdtypes.ANY.NS.NS() | dns.rdtypes.ANY.CNAME.CNAME():
            return name_text(rdata.target)
        case _:
            return rdata.to_text()
