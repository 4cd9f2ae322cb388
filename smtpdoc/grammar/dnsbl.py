"""DNS block lists: which ones are worth asking, how to ask, and what their answers mean (RFC 5782). Data and reading.

Lists that have closed (SORBS, NiX Spam), that charge for removal alone, or that list whole networks for their
neighbours are left out: what they say leads nobody to a cure. The pages are those that catalog/replies/ names as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from types import MappingProxyType

from smtpdoc.grammar.names import reverse_name

_LOOPBACK = IPv4Network("127.0.0.0/8")
#: Where the large lists put their error messages, following Spamhaus.
_ERRORS = IPv4Network("127.255.255.0/24")
_ERROR_WORDS = {
    "127.255.255.252": "the name of the list is mistyped",
    "127.255.255.254": "it does not answer public resolvers, nor those without a proper reverse name",
    "127.255.255.255": "too many questions came from this resolver",
}
_NO_WORDS: Mapping[str, str] = MappingProxyType({})


class Kind(StrEnum):
    IP = "ip"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class BlockList:
    """One list. `page` is where an entry is looked up and removed.

    `listed_test` stands on every working list and `clean_test` on none (RFC 5782 section 5), as they are written
    before the zone. `words` says what an answer means; with `bits`, the last octet is the sum of such answers.
    `errors` are answers that are no listing, besides those in 127.255.255.0/24. `widely_used`: many receivers refuse
    mail because of it; other lists count as a hint.
    """

    zone: str
    name: str
    kind: Kind
    page: str
    listed_test: str
    clean_test: str
    ipv6: bool = False
    widely_used: bool = False
    words: Mapping[str, str] = field(default_factory=lambda: _NO_WORDS)
    bits: bool = False
    errors: Mapping[str, str] = field(default_factory=lambda: _NO_WORDS)

    def name_of(self, subject: str) -> str | None:
        """Return the name to ask for about an address or a domain, or None when the list does not hold such.

        >>> LISTS[0].name_of("192.0.2.10")
        '10.2.0.192.zen.spamhaus.org'
        """
        if self.kind is Kind.DOMAIN:
            return f"{subject}.{self.zone}"
        if ":" in subject and not self.ipv6:
            return None
        reverse = reverse_name(subject).removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
        return f"{reverse}.{self.zone}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the addresses in an answer say: `listed` with `meanings` (maybe none known), or the list's `error`."""

    listed: bool
    meanings: tuple[str, ...] = ()
    error: str | None = None


def read_answer(block_list: BlockList, addresses: Sequence[str]) -> Reading:
    """Read the A records of an answer. One that is an error makes the whole answer one: never a listing.

    >>> read_answer(LISTS[0], ["127.0.0.4"]).meanings
    ('XBL: infected or open host',)
    >>> read_answer(LISTS[0], ["127.255.255.254"]).listed
    False
    """
    for address in addresses:
        error = block_list.errors.get(address) or _error(address)
        if error is not None:
            return Reading(False, error=f"{address}: {error}")
    found = [words for address in addresses for words in _meanings(block_list, address)]
    return Reading(bool(addresses), tuple(dict.fromkeys(found)))


def _error(address: str) -> str | None:
    try:
        value = IPv4Address(address)
    except AddressValueError:
        return "no address that a block list may answer with"
    if value in _ERRORS:
        return _ERROR_WORDS.get(address, "an error of the list")
    # RFC 5782 section 2.1: lists answer within 127.0.0.0/8. Others are parked domains and resolvers that rewrite.
    return None if value in _LOOPBACK else "outside 127.0.0.0/8, which no block list answers with"


def _meanings(block_list: BlockList, address: str) -> list[str]:
    if not block_list.bits:
        return [block_list.words[address]] if address in block_list.words else []
    last = IPv4Address(address).packed[-1]
    return [words for bit, words in block_list.words.items() if last & int(bit)]


_SPAMHAUS_PAGE = "https://check.spamhaus.org/"
_IP_LISTED, _IP_CLEAN = "2.0.0.127", "1.0.0.127"


def _ip_list(zone: str, name: str, page: str, *, ipv6: bool = False, widely_used: bool = False) -> BlockList:
    return BlockList(zone, name, Kind.IP, page, _IP_LISTED, _IP_CLEAN, ipv6=ipv6, widely_used=widely_used)


PBL = "PBL: not meant to send mail directly"

#: In the order in which they are told: what most receivers use comes first.
LISTS: tuple[BlockList, ...] = (
    BlockList(
        "zen.spamhaus.org",
        "Spamhaus ZEN",
        Kind.IP,
        _SPAMHAUS_PAGE,
        listed_test=_IP_LISTED,
        clean_test=_IP_CLEAN,
        ipv6=True,
        widely_used=True,
        words=MappingProxyType(
            {
                "127.0.0.2": "SBL: listed by hand",
                "127.0.0.3": "CSS: automatic spam signs",
                **{f"127.0.0.{number}": "XBL: infected or open host" for number in range(4, 8)},
                "127.0.0.9": "DROP: a network run by criminals",
                "127.0.0.10": PBL,
                "127.0.0.11": PBL,
            }
        ),
    ),
    _ip_list("bl.spamcop.net", "SpamCop", "https://www.spamcop.net/bl.shtml", widely_used=True),
    _ip_list(
        "b.barracudacentral.org", "Barracuda", "https://www.barracudacentral.org/rbl/removal-request", widely_used=True
    ),
    _ip_list("psbl.surriel.com", "PSBL", "https://psbl.org/remove"),
    _ip_list("bl.mailspike.net", "Mailspike", "https://mailspike.org/iplookup.html"),
    _ip_list("dnsbl-1.uceprotect.net", "UCEPROTECT Level 1", "https://www.uceprotect.net/en/rblcheck.php"),
    _ip_list("bl.spameatingmonkey.net", "Spam Eating Monkey", "https://spameatingmonkey.com/lookup"),
    _ip_list("bl.blocklist.de", "blocklist.de", "https://www.blocklist.de/en/delist.html"),
    BlockList(
        "dbl.spamhaus.org",
        "Spamhaus DBL",
        Kind.DOMAIN,
        _SPAMHAUS_PAGE,
        listed_test="dbltest.com",
        clean_test="invalid",
        widely_used=True,
        words=MappingProxyType(
            {
                "127.0.1.2": "spam domain",
                "127.0.1.4": "phishing domain",
                "127.0.1.5": "malware domain",
                "127.0.1.6": "domain that controls bots",
                "127.0.1.102": "abused web site: spam",
                "127.0.1.103": "abused redirector",
                "127.0.1.104": "abused web site: phishing",
                "127.0.1.105": "abused web site: malware",
                "127.0.1.106": "abused web site: controls bots",
            }
        ),
        errors=MappingProxyType({"127.0.1.255": "it was asked about an address, and holds domains only"}),
    ),
    BlockList(
        "multi.surbl.org",
        "SURBL",
        Kind.DOMAIN,
        "https://www.surbl.org/surbl-analysis",
        listed_test="test.surbl.org",
        clean_test="invalid",
        widely_used=True,
        words=MappingProxyType({"8": "phishing", "16": "malware", "64": "abuse", "128": "cracked web site"}),
        bits=True,
        errors=MappingProxyType({"127.0.0.1": "it refuses questions from this resolver"}),
    ),
    BlockList(
        "multi.uribl.com",
        "URIBL",
        Kind.DOMAIN,
        "https://admin.uribl.com/",
        listed_test="2.0.0.127",
        clean_test="invalid",
        widely_used=True,
        words=MappingProxyType({"2": "black: spam", "4": "grey: unwanted bulk mail", "8": "red: found automatically"}),
        bits=True,
        errors=MappingProxyType({"127.0.0.1": "it refuses questions from this resolver"}),
    ),
)
