"""DANE, live: the TLSA records for a host and port, held against the chain that it serves (RFC 7672, RFC 7671)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512

from smtpdoc.evidence.dns import Lookup, TlsaRecord
from smtpdoc.evidence.dnssec import validates
from smtpdoc.evidence.looks import Dane, DaneStatus, TlsaMatch
from smtpdoc.evidence.smtp import Certificate, TlsFacts
from smtpdoc.evidence.transport import TlsaHost
from smtpdoc.gather.dnssec import ROOT_QUESTION
from smtpdoc.gather.tlsa import gather_tlsa_hosts
from smtpdoc.grammar.mta_sts import matches
from smtpdoc.grammar.names import is_address
from smtpdoc.grammar.tlsa import DANE_EE, FULL_CERTIFICATE, FULL_DATA, SHA256, judge_tlsa
from smtpdoc.seams import CheckingResolver, Resolver

#: Does this chain (DER, leaf first) lead to this certificate (DER)? Returns "" when it does, else why not.
LeadsTo = Callable[[Sequence[bytes], bytes], str]


@dataclass(frozen=True, slots=True)
class TlsaAnswer:
    """The TLSA records of a host and port, and what senders ask before they look at them (RFC 7672 section 2.2).

    `mx` is the answer that named the host, None where it was not asked for. `validating`: the resolver validates at
    all; None where that does not matter. `over_network`: as in seams.CheckingResolver.
    """

    host: TlsaHost
    mx: Lookup | None = None
    validating: bool | None = None
    over_network: bool = False

    @property
    def mx_secure(self) -> bool | None:
        return None if self.mx is None else self.mx.authenticated or self.mx.local


async def gather_tlsa_records(host: str, port: int, resolver: Resolver, domain: str | None = None) -> TlsaAnswer | None:
    """Ask for the TLSA records of a host and port and what leads there; None for an address, which has none.

    `domain` is the one whose MX records led to the host.
    """
    if is_address(host.strip("[]")):
        return None
    checking = resolver if isinstance(resolver, CheckingResolver) else None
    (found,) = await gather_tlsa_hosts((host,), port, resolver, None if checking is None else checking.unchecked())
    mx = None if domain is None else await resolver.lookup(domain, "MX")
    # Whose fault it is that they are not secure matters only where there are some.
    root = await resolver.lookup(*ROOT_QUESTION) if found.records and not found.secure else None
    over_network = checking is not None and checking.over_network
    return TlsaAnswer(found, mx, None if root is None else validates(root), over_network)


def hold_against(answer: TlsaAnswer, tls: TlsFacts | None, leads_to: LeadsTo) -> Dane:
    """Return what the records say about a served chain, and what each of them matches."""
    host, lookup = answer.host, answer.host.lookup
    chain = tls.chain if tls is not None else ()
    names = _acceptable_names(answer)
    held = tuple(_match(record, chain, tls, names, leads_to) for record in lookup.tlsa)
    status: DaneStatus
    if not lookup.answered or host.bogus:
        status = "unknown"
    elif not lookup.tlsa:
        status = "none"
    elif not any(match.usable for match in held):
        status = "unusable"
    elif not chain:
        status = "no-tls"
    else:
        status = "match" if any(match.position is not None and not match.problem for match in held) else "mismatch"
    return Dane(
        host.name,
        status,
        host.secure,
        lookup,
        held,
        host.local,
        answer.validating,
        answer.mx_secure,
        answer.over_network,
        host.address,
        host.bogus,
    )


def _acceptable_names(answer: TlsaAnswer) -> tuple[str, ...]:
    """Return the names that a certificate under an authority may be for, the host's own first: where its records were
    found, and the domain whose signed MX led to it (RFC 7672 section 3.2.2)."""
    base = answer.host.name.partition("._tcp.")[2]
    return answer.host.host, base, *((answer.mx.name,) if answer.mx is not None and answer.mx_secure else ())


def _is_for(leaf: Certificate, names: Sequence[str]) -> bool:
    written = leaf.names or ((leaf.common_name,) if leaf.common_name else ())
    return any(matches(pattern, name) for pattern in written for name in names)


def _match(
    record: TlsaRecord, chain: tuple[Certificate, ...], tls: TlsFacts | None, names: Sequence[str], leads_to: LeadsTo
) -> TlsaMatch:
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
    others = [name for name in names if name != tls.server_name]
    if not problem and not tls.name_matches and not _is_for(chain[0], others):
        problem = f"the certificate is not for {' or '.join(dict.fromkeys(names))}"
    return TlsaMatch(record, usable=True, position=position, problem=problem)


def _digest(record: TlsaRecord, certificate: Certificate) -> bytes:
    data = certificate.der if record.selector == FULL_CERTIFICATE else certificate.public_key
    if record.matching_type == FULL_DATA:
        return data
    return (sha256 if record.matching_type == SHA256 else sha512)(data).digest()
