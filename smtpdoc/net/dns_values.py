"""DNS questions and answers as values: a question as octets to send, an answer as what one server said. No I/O.

dnspython is loaded for unusual names and types only: importing it takes longer than asking about a domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smtpdoc.evidence.dns import LookupStatus, Record

if TYPE_CHECKING:
    import dns.name

#: CNAMEs followed for one question. RFC 1034 section 3.6.2 wants none chained; resolvers stop between 8 and 16.
MAX_ALIASES = 8
HEADER_BYTES = 12
NOERROR, NXDOMAIN = 0, 3  # RFC 1035 section 4.1.1

_FLAGS = 0x0120  # RD, and AD to say that we understand it in answers (RFC 6840 section 5.7)
# OPT: no name, type 41, 1232 octets (fits any path unfragmented), version 0, no flags. DO stays off: it would
# only make answers longer, the AD flag comes without it.
_OPT = bytes.fromhex("00 0029 04d0 00000000 0000")
_CHECKING_DISABLED = 0x0010  # RFC 4035 section 3.2.2
_COUNTS = bytes.fromhex("0001 0000 0000")  # one question, no answer, no authority
_QUERY = _FLAGS.to_bytes(2, "big") + _COUNTS
_UNCHECKED_QUERY = (_FLAGS | _CHECKING_DISABLED).to_bytes(2, "big") + _COUNTS
_CLASS_IN = b"\x00\x01"
_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "DS": 43, "DNSKEY": 48, "TLSA": 52}
#: A name as most are: canonical, nothing to escape, no label longer than RFC 1035 section 2.3.4 allows.
_PLAIN_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_MAX_TEXT = 253


class UnaskableNameError(ValueError):
    """The text cannot be a domain name, so nobody can have published anything there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: `name` and `rdtype` as in Lookup, the type's `number`, and all of it as it stands in a message.

    `unchecked` asks the resolver for what it has even where DNSSEC says that it is forged (the CD flag).
    """

    name: str
    rdtype: str
    number: int
    wire: bytes
    unchecked: bool = False

    def packet(self, message_id: int, *, edns: bool = True) -> bytes:
        """Return the query: recursion desired, EDNS with 1232 octets unless switched off."""
        header = message_id.to_bytes(2, "big") + (_UNCHECKED_QUERY if self.unchecked else _QUERY)
        return header + b"\x00\x01" + self.wire + _OPT if edns else header + b"\x00\x00" + self.wire

    def is_answered_by(self, message: bytes) -> bool:
        """True for a response (QR, opcode QUERY) that repeats our question; the caller has compared the id.

        A server that could not read the question may leave it out, which only an error may do (RFC 1035 section 4.1.1).
        """
        if len(message) < HEADER_BYTES or message[2] & 0xF8 != 0x80:
            return False
        questions = int.from_bytes(message[4:6], "big")
        if questions == 0:
            return message[3] & 0x0F not in (NOERROR, NXDOMAIN)
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
    aliases: tuple[str, ...] = ()
    authenticated: bool = False
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer: `detail` is a clause without a subject, "answered REFUSED: ...".

    `without_edns` says that the server may do better when asked again without EDNS (RFC 6891 section 7), `refused`
    that it does not want to answer this, or not now.
    """

    detail: str
    without_edns: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer did not fit; nothing in it may be used, ask again over TCP (RFC 2181 section 9, RFC 7766)."""


def make_question(name: str, rdtype: str) -> Question:
    """Return the question for a name in any case, with or without a trailing dot, U-labels allowed.

    A backslash escapes as in master files, so that every name in a Lookup can be asked for again. Raises
    UnaskableNameError for a name that DNS cannot hold, and dns.rdatatype.UnknownRdatatype for an unknown type.
    """
    number = _TYPES.get(rdtype) or _type_number(rdtype)
    plain = name.removesuffix(".").lower()
    if len(plain) <= _MAX_TEXT and _PLAIN_NAME.fullmatch(plain):
        owner = b"".join(len(label).to_bytes(1, "big") + label for label in plain.encode("ascii").split(b"."))
        return Question(plain, rdtype, number, owner + b"\0" + number.to_bytes(2, "big") + _CLASS_IN)
    if not plain:
        return Question(".", rdtype, number, b"\0" + number.to_bytes(2, "big") + _CLASS_IN)
    parsed = parse_name(name)
    owner = b"".join(len(label).to_bytes(1, "big") + label.lower() for label in parsed.labels)
    return Question(name_text(parsed), rdtype, number, owner + number.to_bytes(2, "big") + _CLASS_IN)


def _type_number(rdtype: str) -> int:
    import dns.rdatatype

    return int(dns.rdatatype.from_text(rdtype))


def parse_name(text: str) -> dns.name.Name:
    """Read a name as make_question does; raise UnaskableNameError."""
    import dns.exception
    import dns.name

    if not text.isascii():
        from smtpdoc.grammar.idn import IdnParseError, ascii_name

        try:
            text = ascii_name(text)
        except IdnParseError:
            raise UnaskableNameError("IDNA 2008 does not allow it") from None
    try:
        if "\\" not in text:
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
