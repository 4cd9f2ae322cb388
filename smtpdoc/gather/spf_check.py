"""check_host(): what a receiver decides about one client (RFC 7208 section 4)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from smtpdoc.errors import ParseError, TargetError
from smtpdoc.evidence.auth import SpfCheck, SpfResult
from smtpdoc.evidence.dns import Lookup, LookupStatus
from smtpdoc.grammar.spf import SpfRecord, is_spf, parse_spf
from smtpdoc.grammar.spf_macros import (
    MacroError,
    MacroString,
    MacroValues,
    can_be_asked,
    expand,
    parse_macros,
    target_name,
)
from smtpdoc.grammar.spf_terms import (
    A,
    All,
    Directive,
    Exists,
    Include,
    Ip4,
    Ip6,
    Mechanism,
    Mx,
    Ptr,
    Qualifier,
    Redirect,
)
from smtpdoc.seams import Resolver

#: RFC 7208 section 4.6.4.
LOOKUP_LIMIT = 10
VOID_LIMIT = 2
MX_LIMIT = 10
PTR_LIMIT = 10

_RESULTS = {
    Qualifier.PASS: SpfResult.PASS,
    Qualifier.FAIL: SpfResult.FAIL,
    Qualifier.SOFTFAIL: SpfResult.SOFTFAIL,
    Qualifier.NEUTRAL: SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class SpfClient:
    """A client to evaluate SPF for.

    `mail_from` None stands for postmaster at the domain that is checked, "" for the null reverse-path (the HELO
    identity then decides, RFC 7208 section 2.4). `helo` None stands for the domain that is checked.
    """

    ip: str
    mail_from: str | None = None
    helo: str | None = None


class _ExitError(Exception):
    """check_host() exits at once with a result (RFC 7208 sections 2.6.6 and 2.6.7)."""

    def __init__(self, result: SpfResult, problem: str) -> None:
        self.result = result
        self.problem = problem
        super().__init__(problem)


async def check_spf(client: SpfClient, domain: str, resolver: Resolver) -> SpfCheck:
    """Evaluate SPF for one client as a receiver does; raise TargetError when its address is none.

    `path` leads from the first record to the term that decided. `problem` says why there is no other result than
    none, temperror or permerror; it is None with every other result.
    """
    ip = _client_address(client.ip)
    helo = a_labels((domain if client.helo is None else client.helo).strip())
    mail_from = f"postmaster@{domain}" if client.mail_from is None else client.mail_from.strip().strip("<>")
    local_part, _, typed = (mail_from or helo).rpartition("@")
    sender_domain = a_labels(typed)
    # RFC 7208 section 4.3: without a local-part it is "postmaster".
    evaluation = _Evaluation(resolver, ip, f"{local_part or 'postmaster'}@{sender_domain}", helo)
    problem: str | None = None
    try:
        result = await evaluation.check_host(sender_domain.lower(), top=True)
        if result is SpfResult.NONE:
            problem = f"{sender_domain or 'an empty domain'} has no SPF record"
    except _ExitError as stop:
        result, problem = stop.result, stop.problem
    return SpfCheck(
        ip=str(ip),
        mail_from=mail_from,
        helo=helo,
        result=result,
        path=tuple(evaluation.path),
        explanation=evaluation.explanation if result is SpfResult.FAIL else None,
        lookups=evaluation.lookups,
        void_lookups=evaluation.void_lookups,
        problem=problem,
    )


def a_labels(domain: str) -> str:
    """Return a domain of an envelope with U-labels converted (RFC 8616 section 4); unchanged where it is no name."""
    if not domain.isascii():
        from smtpdoc.grammar.idn import ascii_name  # few names need it

        with suppress(ParseError):
            domain = ascii_name(domain)
    return domain.removesuffix(".")


def _client_address(text: str) -> IPv4Address | IPv6Address:
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        raise TargetError(f'expected an IP address, got "{text}"') from None
    # RFC 7208 section 5: an IPv4-mapped IPv6 address is the IPv4 address.
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


class _Evaluation:
    """The state of one check_host() with everything it includes or redirects to."""

    def __init__(self, resolver: Resolver, ip: IPv4Address | IPv6Address, sender: str, helo: str) -> None:
        self.path: list[str] = []
        self.lookups = 0
        self.void_lookups = 0
        self.explanation: str | None = None
        self._resolver = resolver
        self._ip = ip
        self._family = "A" if ip.version == 4 else "AAAA"
        self._sender = sender
        self._helo = helo

    async def check_host(self, domain: str, *, top: bool, term: str = "") -> SpfResult:
        """Return the result at one domain; `term` is the include or redirect that led here.

        `top` is True where an explanation counts: not inside an include (RFC 7208 section 6.2).
        """
        # RFC 7208 section 4.3: a malformed domain, or one of a single label, is "none" without a query.
        if not can_be_asked(domain):
            return SpfResult.NONE
        lookup = await self._resolver.lookup(domain, "TXT")
        self._answered(lookup, domain, term)
        if term:  # the first TXT lookup is no term's
            self._count_void(lookup, domain, term)
        record = self._record(lookup, domain)
        if record is None:
            return SpfResult.NONE
        for directive in record.directives:
            before = len(self.path)
            self.path.append(f"{domain}: {directive.text}")
            if await self._matches(directive, domain):
                result = _RESULTS[directive.qualifier]
                if result is SpfResult.FAIL and top:
                    self.explanation = await self._explain(record, domain)
                return result
            del self.path[before:]
        if record.redirect is not None:
            return await self._redirect(record.redirect, domain, top)
        self.path.append(f"{domain}: no term matches")
        return SpfResult.NEUTRAL  # RFC 7208 section 4.7

    def _record(self, lookup: Lookup, domain: str) -> SpfRecord | None:
        texts = [record.text for record in lookup.txt if is_spf(record.text)]
        if not texts:
            return None
        if len(texts) > 1:  # RFC 7208 section 4.5
            raise _ExitError(SpfResult.PERMERROR, f"{domain} has {len(texts)} SPF records, one is allowed")
        record = parse_spf(texts[0])
        if record.problems:  # RFC 7208 section 4.6: anywhere in the record, before anything is evaluated
            first = record.problems[0]
            raise _ExitError(SpfResult.PERMERROR, f"{first.token} in the record of {domain}: {first.message}")
        return record

    async def _redirect(self, redirect: Redirect, domain: str, top: bool) -> SpfResult:
        self.path.append(f"{domain}: {redirect.text}")
        self._count(domain, redirect.text)
        target = await self._target(redirect.domain, domain)
        result = await self.check_host(target, top=top, term=redirect.text)
        if result is SpfResult.NONE:  # RFC 7208 section 6.1
            raise _ExitError(SpfResult.PERMERROR, f"{redirect.text} of {domain} points to a name without SPF record")
        return result

    async def _matches(self, directive: Directive, domain: str) -> bool:
        mechanism, term = directive.mechanism, directive.text
        if directive.queries:
            self._count(domain, term)
        match mechanism:
            case All():
                return True
            case Ip4() | Ip6():
                return self._ip.version == mechanism.address.version and self._ip in mechanism.network
            case Include():
                return await self._includes(mechanism, domain, term)
            case A():
                lookup = await self._ask(await self._target(mechanism.domain, domain), self._family, domain, term)
                return lookup is not None and self._found(lookup.names, mechanism)
            case Mx():
                return await self._matches_mx(mechanism, domain, term)
            case Exists():
                # RFC 7208 section 5.7: an A lookup, whatever the client's family.
                lookup = await self._ask(await self._target(mechanism.domain, domain), "A", domain, term)
                return lookup is not None and lookup.status is LookupStatus.FOUND
            case Ptr():
                return await self._matches_ptr(mechanism, domain, term)

    async def _includes(self, mechanism: Include, domain: str, term: str) -> bool:
        target = await self._target(mechanism.domain, domain)
        result = await self.check_host(target, top=False, term=term)
        if result is SpfResult.NONE:  # RFC 7208 section 5.2
            raise _ExitError(SpfResult.PERMERROR, f"{term} of {domain} points to a name without SPF record")
        return result is SpfResult.PASS

    async def _matches_mx(self, mechanism: Mx, domain: str, term: str) -> bool:
        target = await self._target(mechanism.domain, domain)
        lookup = await self._ask(target, "MX", domain, term)
        if lookup is None:
            return False
        if len(lookup.mx) > MX_LIMIT:  # RFC 7208 section 4.6.4
            raise _ExitError(
                SpfResult.PERMERROR, f"{term} of {domain} has {len(lookup.mx)} MX hosts, {MX_LIMIT} are allowed"
            )
        hosts = [record.host for record in sorted(lookup.mx, key=lambda record: record.preference)]
        questions = [(host, self._family) for host in dict.fromkeys(hosts) if host.strip(".")]
        for answer in await self._resolver.lookup_all(questions) if questions else ():
            self._answered(answer, domain, term)
            if self._found(answer.names, mechanism):
                return True
        return False

    async def _matches_ptr(self, mechanism: Ptr, domain: str, term: str) -> bool:
        lookup = await self._resolver.lookup(self._ip.reverse_pointer, "PTR")
        self._count_void(lookup, domain, term)
        target = await self._target(mechanism.domain, domain)
        for name in await self._validated_names():
            if name == target or name.endswith(f".{target}"):
                self.path[-1] += f" matches {name}"
                return True
        return False

    async def _validated_names(self) -> tuple[str, ...]:
        """Return the client's PTR names that lead back to it (RFC 7208 section 5.5); DNS errors only skip a name."""
        lookup = await self._resolver.lookup(self._ip.reverse_pointer, "PTR")
        names = [name.lower().removesuffix(".") for name in lookup.names[:PTR_LIMIT]]
        questions = [(name, self._family) for name in dict.fromkeys(names) if name]
        answers = await self._resolver.lookup_all(questions) if questions else ()
        return tuple(
            name
            for (name, _), answer in zip(questions, answers, strict=True)
            if any(ip_address(text) == self._ip for text in answer.names)
        )

    async def _target(self, spec: MacroString | None, domain: str) -> str:
        return domain if spec is None else target_name(await self._expand(spec, domain))

    async def _expand(self, string: MacroString, domain: str) -> str:
        name = "unknown"
        if "p" in string.letters:
            name = _preferred(await self._validated_names(), domain)
        values = MacroValues(self._ip, self._sender, domain, self._helo, name, time_s=int(time.time()))
        return expand(string, values)

    async def _ask(self, name: str, rdtype: str, domain: str, term: str) -> Lookup | None:
        """Ask on behalf of a term; None where no query can be made for the name, which then matches nothing."""
        if not can_be_asked(name):
            return None
        lookup = await self._resolver.lookup(name, rdtype)
        self._answered(lookup, domain, term)
        self._count_void(lookup, domain, term)
        return lookup

    def _answered(self, lookup: Lookup, domain: str, term: str) -> None:
        # RFC 7208 sections 4.4 and 5: any answer but "found" and "there is none" is a temperror.
        if not lookup.answered:
            behind = f", behind {term} of {domain}" if term and domain != lookup.name else ""
            problem = f"DNS gave no answer for {lookup.name} {lookup.rdtype} ({lookup.status.value}){behind}"
            raise _ExitError(SpfResult.TEMPERROR, problem)

    def _count(self, domain: str, term: str) -> None:
        self.lookups += 1
        if self.lookups > LOOKUP_LIMIT:
            problem = f"{term} of {domain} would be lookup {self.lookups}, receivers stop at {LOOKUP_LIMIT}"
            raise _ExitError(SpfResult.PERMERROR, problem)

    def _count_void(self, lookup: Lookup, domain: str, term: str) -> None:
        # RFC 7208 section 4.6.4 limits the terms with void lookups: one each, whatever else a term has to ask.
        self.void_lookups += lookup.void
        if lookup.void and self.void_lookups > VOID_LIMIT:
            problem = f"{term} of {domain} is void lookup {self.void_lookups}, receivers allow {VOID_LIMIT}"
            raise _ExitError(SpfResult.PERMERROR, problem)

    def _found(self, addresses: Sequence[str], mechanism: A | Mx) -> bool:
        bits = self._ip.max_prefixlen
        shift = bits - (mechanism.prefix4 if bits == 32 else mechanism.prefix6)
        for text in addresses:
            if int(ip_address(text)) >> shift == int(self._ip) >> shift:
                self.path[-1] += f" matches {text}"
                return True
        return False

    async def _explain(self, record: SpfRecord, domain: str) -> str | None:
        """Return the text behind exp=, or None: any fault in it is passed over (RFC 7208 section 6.2)."""
        if record.exp is None:
            return None
        name = await self._target(record.exp.domain, domain)
        if not can_be_asked(name):
            return None
        lookup = await self._resolver.lookup(name, "TXT")
        if len(lookup.txt) != 1:
            return None
        try:
            return await self._expand(parse_macros(lookup.txt[0].text, explanation=True), domain)
        except MacroError:
            return None


def _preferred(names: Sequence[str], domain: str) -> str:
    """Return the name for %{p}: the domain itself, else one below it, else any (RFC 7208 section 7.3)."""
    if domain in names:
        return domain
    below = [name for name in names if name.endswith(f".{domain}")]
    return (*below, *names, "unknown")[0]


def mechanism_name(mechanism: Mechanism) -> str:
    """Return a mechanism's name in lower case.

    >>> mechanism_name(All())
    'all'
    """
    return type(mechanism).__name__.lower()
