"""Domain names and address names: labels, host name syntax, reverse names, and the names of the DMARC tree walk.

Names here are lower-case A-labels without a trailing dot, as in evidence/.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

#: The walk of RFC 9989 section 4.10 asks at most eight names: the domain itself and its last seven labels.
WALK_LABELS = 7

# RFC 1123 section 2.1: letters, digits and inner hyphens.
_LDH = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

# Address space from which no stranger's mail server can be reached (RFC 6890), with a word for each.
_SPECIAL = tuple(
    (ip_network(block), kind)
    for block, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("100::/64", "discard-only"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
    )
)


def is_within(name: str, ancestor: str) -> bool:
    """Whether `name` is `ancestor` or stands below it.

    >>> is_within("mail.example.com", "example.com"), is_within("badexample.com", "example.com")
    (True, False)
    """
    return name == ancestor or name.endswith(f".{ancestor}")


def is_hostname(name: str) -> bool:
    """Whether a name follows the host name rules (RFC 1123 section 2.1, RFC 5321 section 4.1.2), in lower case.

    >>> is_hostname("mx1.example.com"), is_hostname("mx_1.example.com")
    (True, False)
    """
    return 0 < len(name) <= 253 and all(_LDH.fullmatch(label) for label in name.split("."))


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address.

    >>> is_address("192.0.2.1"), is_address("192.0.2.1.example")
    (True, False)
    """
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def special_use(ip: str) -> str | None:
    """Return what kind of special-purpose address this is (RFC 6890), or None for a public one.

    >>> special_use("10.1.2.3"), special_use("9.9.9.9")
    ('private', None)
    """
    address = ip_address(ip)
    return next((kind for block, kind in _SPECIAL if address in block), None)


def tree_walk(domain: str) -> tuple[str, ...]:
    """Return the domains whose `_dmarc` names the walk asks, longest first, never more than eight.

    RFC 9989 section 4.10: the domain itself, then one label less each time; a domain of eight labels or more is cut
    to seven after the first question. The walk goes up to the top-level domain.

    >>> tree_walk("mail.example.com")
    ('mail.example.com', 'example.com', 'com')
    >>> len(tree_walk("a.b.c.d.e.f.g.h.i.j.mail.example.com"))
    8
    """
    labels = domain.split(".")
    rest = labels[1:] if len(labels) <= WALK_LABELS else labels[-WALK_LABELS:]
    return (domain, *(".".join(rest[start:]) for start in range(len(rest))))


# Second-level labels under which country registries have long registered names.
_REGISTRY_LABELS = frozenset(
    ("ac", "asn", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "gv", "id", "info", "ltd", "me", "mil", "ne")
).union(("net", "nhs", "nom", "or", "org", "plc", "sch", "web"))


def registered_guess(domain: str) -> str:
    """Return the registered domain that a name most likely belongs to: its last two labels, or three as in co.uk.

    A guess on purpose. The public suffix list would know, but it is a third of a megabyte that changes every few
    days, its private part is read differently by each receiver, and since RFC 9989 it decides nothing any more. What
    rests on this guess is a note about old receivers, worded as one.

    >>> registered_guess("a.b.example.com"), registered_guess("mail.example.co.uk"), registered_guess("co.uk")
    ('example.com', 'example.co.uk', 'co.uk')
    """
    labels = domain.split(".")
    third = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY_LABELS
    return ".".join(labels[-3:] if third else labels[-2:])


def reverse_name(ip: str) -> str:
    """Return the name that holds an address's PTR record (RFC 1035 section 3.5, RFC 3596 section 2.5).

    >>> reverse_name("192.0.2.10")
    '10.2.0.192.in-addr.arpa'
    """
    return ip_address(ip).reverse_pointer


# Words that access networks put into the names of the addresses they hand out.
_POOL_LABEL = re.compile(
    r"(?:^|[-.\d])(?:dyn|dynamic|dynip|pool|pools|dhcp|dsl|adsl|vdsl|xdsl|cable|ppp|pppoe|dial|dialup|dialin|"
    r"broadband|customer|customers|cust|client|clients|static-?ip|unassigned|unallocated)(?=$|[-.\d])"
)


def is_generic(ip: str, name: str) -> bool:
    """Whether a reverse name looks machine-made: the address written into it, or a word of access networks.

    A heuristic that many receivers use in their own way (M3AAWG Sender Best Common Practices).

    >>> is_generic("192.0.2.10", "host-192-0-2-10.pool.isp.example"), is_generic("192.0.2.10", "mail.example.com")
    (True, False)
    """
    name = name.lower()
    address = ip_address(ip)
    if _ipv4_in(address, name) if isinstance(address, IPv4Address) else _ipv6_in(address, name):
        return True
    # The registered domain at the end is no evidence: pool.example may well be the name of a company.
    return _POOL_LABEL.search(".".join(name.split(".")[:-2])) is not None


def _ipv4_in(address: IPv4Address, name: str) -> bool:
    octets = str(address).split(".")
    if any(hexed in name for hexed in (address.packed.hex(), address.packed[::-1].hex())):
        return True
    if any("".join(part.zfill(3) for part in order) in name for order in (octets, octets[::-1])):
        return True
    # Three of the four octets standing as numbers of their own, in any order ("ip10.ip-192-0-2.example").
    numbers = [str(int(number)) for number in re.findall(r"\d{1,3}", name)]
    found = 0
    for octet in octets:
        if octet in numbers:
            numbers.remove(octet)
            found += 1
    return found >= 3


def _ipv6_in(address: IPv6Address, name: str) -> bool:
    digits = re.sub(r"[^0-9a-f]", "", name)
    full = address.packed.hex()
    nibbles = ".".join(reversed(full))
    groups = re.findall(r"[0-9a-f]+", name)
    written = [group.lstrip("0") or "0" for group in groups]
    wanted = [group.lstrip("0") or "0" for group in address.exploded.split(":")]
    dashed = str(address).replace("::", ":").strip(":").split(":")
    return (
        full in digits
        or full[16:] in digits
        or nibbles in name
        or _contains(written, wanted)
        or (len(dashed) >= 3 and _contains(written, [group.lstrip("0") or "0" for group in dashed]))
    )


def _contains(sequence: list[str], part: list[str]) -> bool:
    return any(sequence[start : start + len(part)] == part for start in range(len(sequence) - len(part) + 1))
