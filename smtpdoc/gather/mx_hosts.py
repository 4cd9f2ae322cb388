"""Which hosts take mail for a domain (RFC 5321 section 5.1), with their addresses."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.evidence.probe import MxHost
from smtpdoc.evidence.smtp import Failure, FailureKind, Stage
from smtpdoc.seams import Resolver, fails_dnssec


@dataclass(frozen=True, slots=True)
class MailHosts:
    """The hosts of a domain, best preference first, and among equals by name, so that two runs say the same.

    `implicit`: there is no MX record, and the domain itself takes its mail. `null_mx`: it declares that it takes none
    (RFC 7505). `failure` says why `hosts` is empty otherwise.
    """

    domain: str
    hosts: tuple[MxHost, ...]
    lookup: Lookup
    implicit: bool = False
    null_mx: bool = False
    failure: Failure | None = None


async def resolve_mx(domain: str, resolver: Resolver, family: str | None = None) -> MailHosts:
    """Return the mail hosts of a domain with their addresses of this family ("ipv4", "ipv6", None for both)."""
    lookup = await resolver.lookup(domain, "MX")
    if not lookup.answered:
        detail = f"DNS gave no answer for {domain} MX: {lookup.detail or lookup.status.value}"
        word = "dns-" + lookup.status.value
        if await fails_dnssec(lookup, resolver):
            detail, word = f"{detail}; asked not to check DNSSEC signatures, it has an answer", "dns-bogus"
        return MailHosts(domain, (), lookup, failure=_failure(detail, word))
    wanted = [(record.preference, record.host) for record in lookup.mx if record.host not in (".", "")]
    if lookup.mx and not wanted:
        detail = f"{domain} declares that it takes no mail (null MX)"
        return MailHosts(domain, (), lookup, null_mx=True, failure=_failure(detail, "null-mx"))
    implicit = not wanted
    names = sorted(set(wanted)) or [(0, domain)]
    types = [rdtype for rdtype, of in (("AAAA", "ipv6"), ("A", "ipv4")) if family in (None, of)]
    lookups = await resolver.lookup_all([(host, rdtype) for _, host in names for rdtype in types])
    hosts: list[MxHost] = []
    for number, (preference, host) in enumerate(names):
        answers = lookups[number * len(types) : (number + 1) * len(types)]
        addresses = tuple(address for answer in answers for address in answer.names)
        by_type = {answer.rdtype: answer for answer in answers}
        hosts.append(MxHost(preference, host, addresses, lookup, by_type.get("A"), by_type.get("AAAA")))
    if implicit and not hosts[0].addresses:
        if any(not answer.answered for answer in lookups):
            failure = _failure(f"DNS gave no answer for the addresses of {domain}", "dns-servfail")
        else:
            gone = lookup.status is LookupStatus.NXDOMAIN
            what = "does not exist in DNS" if gone else "has neither MX nor address records"
            failure = _failure(f"{domain} {what}: nobody takes its mail", "no-domain" if gone else "no-mail-host")
        return MailHosts(domain, (), lookup, failure=failure)
    return MailHosts(domain, tuple(hosts), lookup, implicit=implicit)


def _failure(detail: str, word: str) -> Failure:
    return Failure(FailureKind.DNS, Stage.CONNECT, detail, word)
