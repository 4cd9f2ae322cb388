"""What the reverse DNS of a sending address means (RFC 1912 section 2.1; Gmail's and others' demands on senders)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import HostAddress, PtrEvidence
from smtpdoc.findings import Level, Source, rfc
from smtpdoc.grammar.names import is_address, is_hostname, reverse_name, special_use
from smtpdoc.grammar.printable import printable

checks = CheckSet[PtrEvidence]("ptr")

GMAIL = Source("Google: Email sender guidelines", None, "https://support.google.com/a/answer/81126")
M3AAWG = Source(
    "M3AAWG Sender Best Common Practices",
    None,
    "https://www.m3aawg.org/documents/en/m3aawg-sender-best-common-practices",
)

#: More PTR names than this draw a note: receivers read a few, in no fixed order.
MANY_NAMES = 3


def names_of(address: HostAddress) -> str:
    """Return an address's PTR names for a sentence, at most three."""
    shown = ", ".join(printable(name) for name in address.ptr[:3])
    return shown + (f" and {len(address.ptr) - 3} more" if len(address.ptr) > 3 else "")


def is_missing(address: HostAddress) -> bool:
    """Whether DNS says that there is no PTR record."""
    return address.lookup is not None and address.lookup.void


def is_refuted(address: HostAddress) -> bool:
    """Whether there are names, and none of them resolves back."""
    return bool(address.ptr) and address.forward_confirmed is False


@checks.add(
    "unknown",
    title="Reverse DNS could not be determined",
    level=Level.UNKNOWN,
    why="The name servers of the address block, or of the names in it, did not answer. Receivers that ask at such a moment defer or refuse mail.",
    fix="Run the check again, or with another resolver (--nameserver). If it stays so, tell the owner of the address block.",
    sources=(rfc(8601, "2.7.3"),),
)
def unknown(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if address.forward_confirmed is None:
            asked = reverse_name(address.ip) if not address.ptr else names_of(address)
            yield Detail(f"DNS gave no answer for {asked} ({address.ip})", subject=address.ip, ip=address.ip)
    for lookup in ptr.helo_lookups:
        if not lookup.answered:
            yield Detail(f"DNS gave no answer for the HELO name {printable(lookup.name)}", subject=lookup.name)


@checks.add(
    "missing",
    title="The sending address has no reverse name",
    level=Level.ERROR,
    why="Gmail refuses or defers mail from an address without a PTR record (550 5.7.25, 421 4.7.23), and many others do the same.",
    fix="Ask the owner of the address block (the hosting or access provider, not the DNS host of your domain) to set the PTR record to the server's name, and give that name this address.",
    sources=(rfc(1912, "2.1"), GMAIL),
)
def missing(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if is_missing(address):
            yield Detail(
                f"{address.ip} has no PTR record",
                subject=address.ip,
                paste=(f"{reverse_name(address.ip)}. IN PTR {printable(ptr.helo or 'mail.example.com')}.",),
                ip=address.ip,
            )


@checks.add(
    "not-confirmed",
    title="The reverse name does not lead back to the address",
    level=Level.ERROR,
    why="A PTR record is believed only when its name resolves to the same address (forward-confirmed reverse DNS); anyone can write any name into it. Gmail asks for both directions (550 5.7.25).",
    fix="Publish an A (or AAAA) record for the name with this address, or have the PTR record changed to a name that has it.",
    sources=(rfc(8601, "2.7.3"), rfc(1912, "2.1"), GMAIL),
)
def not_confirmed(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if is_refuted(address):
            kind = "AAAA" if ":" in address.ip else "A"
            yield Detail(
                f"{address.ip} is named {names_of(address)}, which does not resolve to {address.ip}",
                subject=address.ip,
                paste=(f"{printable(address.ptr[0])}. IN {kind} {address.ip}",),
                ip=address.ip,
                names=address.ptr,
            )


@checks.add(
    "generic",
    title="The reverse name looks like that of an access line",
    level=Level.WARNING,
    why="Names with the address in them, or with words like dyn, pool or dsl, are given to customers' lines by the thousand. Many receivers refuse or score mail from them.",
    fix="Have the PTR record set to the mail server's own name, such as mail.example.com.",
    sources=(M3AAWG,),
)
def generic(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if address.generic:
            yield Detail(
                f"{address.ip} is named {names_of(address)}, which looks machine-made",
                subject=address.ip,
                ip=address.ip,
            )


@checks.add(
    "bad-name",
    title="The reverse name is no host name",
    level=Level.WARNING,
    why="A PTR record should hold a fully qualified host name; receivers cannot confirm anything else.",
    fix="Have the PTR record set to the server's full name.",
    sources=(rfc(1912, "2.1"), rfc(5321, "2.3.5")),
)
def bad_name(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        for name in address.ptr[:MANY_NAMES]:
            if "." not in name or not is_hostname(name) or is_address(name):
                yield Detail(f"{address.ip} is named {printable(name)}", subject=address.ip, ip=address.ip)


@checks.add(
    "many-names",
    title="The address has many reverse names",
    level=Level.INFO,
    why="Receivers read only some PTR names (SPF reads ten) and in any order, so another name may be shown each time.",
    fix="Keep one PTR record, with the name that the server says in HELO.",
    sources=(rfc(7208, "4.6.4"), M3AAWG),
)
def many_names(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if len(address.ptr) > MANY_NAMES:
            yield Detail(f"{address.ip} has {len(address.ptr)} PTR names", subject=address.ip, names=len(address.ptr))


@checks.add(
    "special-address",
    title="The address is not one that receivers can see",
    level=Level.WARNING,
    why="Addresses of this kind are not routed on the Internet. Receivers see the public address that mail leaves from, behind NAT for example.",
    fix="Name the public address with --ip: the one in the receivers' logs and in the Received header.",
    sources=(rfc(6890, "2.2.2"),),
)
def special_address(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        kind = special_use(address.ip)
        if kind is not None:
            level = Level.INFO if kind == "documentation" else None
            yield Detail(f"{address.ip} is a {kind} address", subject=address.ip, level=level, kind=kind)


@checks.add(
    "helo-not-resolving",
    title="The HELO name does not resolve to the sending address",
    level=Level.WARNING,
    why="The client must say its own name in HELO or EHLO, one that resolves. Receivers may not refuse for a mismatch alone, but they score it, and SPF checks this name too.",
    fix="Publish the address for the name, or have the server say the name that its PTR record holds.",
    sources=(rfc(5321, "4.1.1.1"), rfc(5321, "4.1.4")),
)
def helo_not_resolving(ptr: PtrEvidence) -> Iterator[Detail]:
    if ptr.helo is None or not all(lookup.answered for lookup in ptr.helo_lookups):
        return
    known = {ip for lookup in ptr.helo_lookups for ip in lookup.names}
    for address in ptr.addresses:
        if address.ip not in known:
            shown = ", ".join(sorted(known)) or "no address"
            yield Detail(
                f"HELO {printable(ptr.helo)} resolves to {shown}, not to {address.ip}", subject=ptr.helo, ip=address.ip
            )


@checks.add(
    "helo-differs",
    title="The HELO name is not the reverse name",
    level=Level.INFO,
    why="Both names may be right; one name in both places is what receivers' heuristics like best.",
    fix="Have the server say the name of its PTR record in HELO, if you can choose.",
    sources=(rfc(5321, "4.1.4"), M3AAWG),
)
def helo_differs(ptr: PtrEvidence) -> Iterator[Detail]:
    for address in ptr.addresses:
        if ptr.helo is not None and address.forward_confirmed and ptr.helo not in address.ptr:
            yield Detail(
                f"the server says {printable(ptr.helo)}, its address {address.ip} is named {names_of(address)}",
                subject=address.ip,
            )


ENTRIES = checks.entries
