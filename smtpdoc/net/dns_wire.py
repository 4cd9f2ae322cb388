"""DNS messages that are not the usual ones, read by dnspython. No I/O."""

from __future__ import annotations

import struct

import dns.edns
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
from smtpdoc.grammar.printable import printable
from smtpdoc.net.dns_values import HEADER_BYTES, MAX_ALIASES, Answer, Fault, Question, name_text

_RECORD_HEAD = struct.Struct("!HHIH")  # type, class, TTL, length of the data

_RCODES = {
    dns.rcode.SERVFAIL: "SERVFAIL: it got no valid answer from the domain's own name servers, or DNSSEC failed",
    dns.rcode.REFUSED: "REFUSED: it does not resolve names for this machine",
    dns.rcode.FORMERR: "FORMERR: it could not read the question",
    dns.rcode.NOTIMP: "NOTIMP: it does not know this kind of question",
}

#: Why an answer is none (RFC 8914 section 4), where the reason is more than the RCODE says.
_REASONS = {
    1: "the zone is signed with keys that it does not know",
    2: "the DS record has a digest that it does not know",
    6: "the DNSSEC signatures are not valid",
    7: "the DNSSEC signature has expired",
    8: "the DNSSEC signature is not valid yet",
    9: "DNSSEC: no usable DNSKEY fits the DS record",
    10: "DNSSEC: signatures are missing",
    11: "DNSSEC: no key is one for zones",
    12: "DNSSEC: the proof that there is no such record is missing",
    15: "it blocks this name",
    16: "it has to block this name",
    17: "it filters this name",
    18: "it does not serve this machine",
    22: "none of the domain's own name servers answered it",
    23: "it could not reach the domain's own name servers",
}
#: For these the server's own words say more.
_WITH_WORDS = {6, 22, 23}
_SHOWN_CHARS = 160


def read_message(message: bytes, question: Question) -> Answer | Fault:
    """Read a whole response that belongs to the question. Whatever the bytes are, this returns a value."""
    try:
        parsed = dns.message.from_wire(message, ignore_trailing=True, continue_on_error=question.rdtype == "TLSA")
        tlsa = _tlsa_records(message) if question.rdtype == "TLSA" else {}
    except (dns.exception.DNSException, struct.error):
        return Fault("sent an answer that is no valid DNS message")
    rcode = parsed.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        said = _reason(parsed, rcode) or _RCODES.get(rcode, dns.rcode.to_text(rcode))
        return Fault(
            f"answered {said}",
            without_edns=rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS),
            refused=rcode == dns.rcode.REFUSED,
        )
    return _judge(parsed, tlsa, question, rcode)


def _reason(parsed: dns.message.Message, rcode: dns.rcode.Rcode) -> str:
    """Return an extended error in words, with what the server adds to it; "" without one that says anything."""
    for option in parsed.options:
        if isinstance(option, dns.edns.EDEOption) and (reason := _REASONS.get(option.code)):
            words = printable(option.text)[:_SHOWN_CHARS] if option.text and option.code in _WITH_WORDS else ""
            return f"{dns.rcode.to_text(rcode)}: {reason}" + (f" ({words})" if words else "")
    return ""


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
    owner, rdtype = dns.name.from_wire(question.wire, 0)[0], dns.rdatatype.RdataType.make(question.number)
    aliases: list[str] = []
    while (owner, rdtype) not in rrsets and len(aliases) <= MAX_ALIASES:
        target = _cname_target(rrsets.get((owner, dns.rdatatype.CNAME)))
        if target is None:
            break
        aliases.append(name_text(target))
        owner = target
    authenticated = bool(parsed.flags & dns.flags.AD)
    found = rrsets.get((owner, rdtype))
    records = tuple(dict.fromkeys(tlsa.get(owner, ()))) or (records_of(found) if found is not None else ())
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
