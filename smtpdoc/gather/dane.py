"""DANE, live: the TLSA records for a host and port, held against the chain that it serves (RFC 7672, RFC 7671)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512

from smtpdoc.evidence.dns import Lookup, LookupStatus, TlsaRecord
from smtpdoc.evidence.dnssec import validates
from smtpdoc.evidence.looks import Dane, TlsaMatch
from smtpdoc.evidence.smtp import Certificate, TlsFacts
from smtpdoc.gather.dnssec import ROOT_QUESTION
from smtpdoc.grammar.names import is_address
from smtpdoc.grammar.tlsa import DANE_EE, FULL_CERTIFICATE, FULL_DATA, SHA256, judge_tlsa
from smtpdoc.seams import Resolver

#: Does this chain (DER, leaf first) lead to this certificate (DER)? Returns "" when it does, else why not.
LeadsTo = Callable[[Sequence[bytes], bytes], str]


@dataclass(frozen=True, slots=True)
class TlsaAnswer:
    """The TLSA records of a host and port, and what senders ask before they look at them (RFC 7672 section 2.2).

    `secure`: every answer on the way was authenticated, or stands in a zone file (`local` tells that one did).
    `validating`: the resolver validates at all; None where that does not matter.
    """

    lookup: Lookup
    secure: bool
    local: bool
    validating: bool | None


async def gather_tlsa_records(host: str, port: int, resolver: Resolver, domain: str | None = None) -> TlsaAnswer | None:
    """Ask for the TLSA records of a host and port and what leads there; None for an address, which has none.

    `domain` is the one whose MX records led to the host. A host that is an alias is asked for under its canonical name
    first (RFC 7672 section 2.2.2).
    """
    if is_address(host.strip("[]")):
        return None
    questions = [(host, "A"), (host, "AAAA"), (f"_{port}._tcp.{host}", "TLSA")]
    if domain is not None:
        questions.append((domain, "MX"))
    a, aaaa, tlsa, *mx = await resolver.lookup_all(questions)
    address = a if a.status is LookupStatus.FOUND else aaaa
    if address.aliases:
        canonical = await resolver.lookup(f"_{port}._tcp.{address.aliases[-1]}", "TLSA")
        tlsa = canonical if canonical.tlsa else tlsa
    chain = (address, tlsa, *mx)
    local = any(one.local for one in chain)
    secure = all(one.authenticated or one.local for one in chain)
    # Whose fault it is that they are not secure matters only where there are some.
    root = await resolver.lookup(*ROOT_QUESTION) if tlsa.tlsa and not secure else None
    return TlsaAnswer(tlsa, secure, local, None if root is None else validates(root))


def hold_against(answer: TlsaAnswer, tls: TlsFacts | None, leads_to: LeadsTo) -> Dane:
    """Return what the records say about a served chain, and what each of them matches."""
    lookup = answer.lookup
    chain = tls.chain if tls is not None else ()
    matches = tuple(_match(record, chain, tls, leads_to) for record in lookup.tlsa)
    if not lookup.answered:
        status = "unknown"
    elif not lookup.tlsa:
        status = "none"
    elif not any(match.usable for match in matches):
        status = "unusable"
    elif not chain:
        status = "no-tls"
    else:
        status = "match" if any(match.position is not None and not match.problem for match in matches) else "mismatch"
    return Dane(lookup.name, status, answer.secure, lookup, matches, answer.local, answer.validating)  # type: ignore[arg-type]  # Literal


def _match(record: TlsaRecord, chain: tuple[Certificate, ...], tls: TlsFacts | None, leads_to: LeadsTo) -> TlsaMatch:
    verdict = judge_tlsa(record.usage, record.selector, record.matching_type, record.data)
    if not verdict.usable:
        return TlsaMatch(record, usable=False, problem="senders cannot use it")
    if record.usage == DANE_EE:
        # The server's own certificate; names and dates do not matter (RFC 7671 section 5.1).
        fits = bool(chain) and _digest(record, chain[0]) == record.data
        return TlsaMatch(record, usable=True, position=0 if fits else None)
    position = next((at for at, one in enumerate(chain) if at and _digest(record, one) == record.data), None)
    if position is None or tls is None:
        absent = record.matching_type == FULL_DATA and not any(_digest(record, one) == record.data for one in chain)
        problem = "the authority is not in the served chain" if chain and absent else ""
        return TlsaMatch(record, usable=True, problem=problem)
    # RFC 7671 section 5.2: the chain has to lead there, and the name has to fit.
    problem = leads_to([one.der for one in chain[: position + 1]], chain[position].der)
    if not problem and not tls.name_matches:
        problem = f"the certificate is not for {tls.server_name}"
    return TlsaMatch(record, usable=True, position=position, problem=problem)


def _digest(record: TlsaRecord, certificate: Certificate) -> bytes:
    data = certificate.der if record.selector == FULL_CERTIFICATE else certificate.public_key
    if record.matching_type == FULL_DATA:
        return data
    return (sha256 if record.matching_type == SHA256 else sha512)(data).digest()
