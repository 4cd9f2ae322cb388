"""Does the certificate that is served fit the TLSA records (RFC 7672, RFC 7671)?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks.tlsa import bogus_words, insecure_words
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.looks import Dane, TlsaMatch
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("dane")


def _words(match: TlsaMatch) -> str:
    record = match.record
    digest = record.data.hex()
    return f"{record.usage} {record.selector} {record.matching_type} {digest[:16]}{'…' if len(digest) > 16 else ''}"


def _fitting(session: Transcript, dane: Dane) -> tuple[str, ...]:
    """The record to publish for the key that is served: 3 1 1, as RFC 7672 section 3.1 advises."""
    leaf = session.tls.chain[0] if session.tls is not None and session.tls.chain else None
    if leaf is None or leaf.public_key_sha256 is None:
        return ()
    return (f"{dane.name}. IN TLSA 3 1 1 {leaf.public_key_sha256}",)


def _level(dane: Dane) -> Level:
    """Records that are not authenticated keep no mail back, today."""
    return Level.ERROR if dane.secure else Level.WARNING


@checks.add(
    "mismatch",
    title="No TLSA record fits the certificate that is served",
    level=Level.ERROR,
    why="Senders with DANE do not deliver to this host until a record fits; they keep the mail and try again, and bounce it "
    "after days.",
    fix="If the certificate or key was changed on purpose, publish its record now, beside the old one. If not, find out who "
    "answers on this port.",
    sources=(rfc(7672, "2.2"), rfc(7671, "8.1")),
)
def mismatch(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is None or dane.status != "mismatch":
        return
    told = "; ".join(
        _words(match) + (f" ({match.problem})" if match.problem else "") for match in dane.matches if match.usable
    )
    yield Detail(
        f"{dane.name} has {told}, and the served chain fits none of them",
        subject=session.port_name,
        level=_level(dane),
        paste=_fitting(session, dane),
        name=dane.name,
        authenticated=dane.secure,
    )


@checks.add(
    "no-tls",
    title="There are TLSA records, and no TLS",
    level=Level.ERROR,
    why="With usable TLSA records senders insist on TLS; without it they do not deliver.",
    fix="Turn STARTTLS on at the server, or look for what removes it; the findings about TLS say more.",
    sources=(rfc(7672, "2.2"),),
)
def no_tls(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.status == "no-tls" and session.capabilities_before_tls is not None:
        yield Detail(
            f"{dane.name} exists, but the session came to no certificate", subject=session.port_name, level=_level(dane)
        )


@checks.add(
    "unusable",
    title="None of the TLSA records can be used",
    level=Level.WARNING,
    why="Senders skip usages 0 and 1 and malformed records; with none left they use TLS without looking at the key.",
    fix="Publish a 3 1 1 record: the SHA-256 of the server's public key.",
    sources=(rfc(7672, "3.1"),),
)
def unusable(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.status == "unusable":
        told = ", ".join(map(_words, dane.matches))
        yield Detail(f"{dane.name} has only {told}", subject=session.port_name, paste=_fitting(session, dane))


@checks.add(
    "one-record-stale",
    title="One of the TLSA records fits nothing that is served",
    level=Level.INFO,
    why="A record for the next key is good practice; one that was left over from an old key can go.",
    fix="Keep it if it is for the next key or for another certificate of this host, else take it out.",
    sources=(rfc(7671, "8.1"),),
)
def one_record_stale(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is None or dane.status != "match":
        return
    for match in dane.matches:
        if match.usable and match.position is None:
            yield Detail(f"{dane.name}: {_words(match)} fits no certificate sent today", subject=session.port_name)


@checks.add(
    "not-authenticated",
    title="The TLSA records are not authenticated",
    level=Level.WARNING,
    why="Senders look at TLSA records only when the answers for the host's address and for the records are secure (DNSSEC). "
    "Either a zone is not signed, or the resolver that was asked does not validate (then this is a note).",
    fix="Sign the zone of the host and publish its DS record; if it is signed, ask a validating resolver with --nameserver.",
    sources=(rfc(7672, "2.2.2"),),
)
def not_authenticated(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.matches and not dane.secure and not dane.bogus:
        blind = dane.resolver_validates is False
        why = "the resolver that was asked does not validate" if blind else insecure_words(dane.address, dane.lookup)
        yield Detail(f"{dane.name}: {why}", subject=session.port_name, level=Level.INFO if blind else None)


@checks.add(
    "mx-not-authenticated",
    title="The host has DANE, but the MX that names it is not signed",
    level=Level.INFO,
    why="Many senders (Postfix is one) use the records all the same. But who can forge the MX answer can name another host, "
    "and some senders want a signed MX before they use DANE at all.",
    fix="Sign the domain too.",
    sources=(rfc(7672, "2.2.1"),),
)
def mx_not_authenticated(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.matches and dane.secure and dane.mx_secure is False:
        yield Detail(f"the MX that leads to {session.host} is not signed", subject=session.port_name)


@checks.add(
    "none",
    title="There are no TLSA records for this host and port",
    level=Level.INFO,
    why="Without them senders use TLS when they see it, and do not check the key.",
    fix="Where the host's zone is signed, publish a 3 1 1 record.",
    sources=(rfc(7672, "3.1"),),
)
def none(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.status == "none":
        proved = ", as DNSSEC proves" if dane.lookup.authenticated else ""
        yield Detail(f"no TLSA record at {dane.name}{proved}", subject=session.port_name, paste=_fitting(session, dane))


@checks.add(
    "unknown",
    title="DANE could not be determined",
    level=Level.UNKNOWN,
    why="DNS gave no answer for the TLSA record. Where the zone is signed, senders with DANE hold the mail meanwhile.",
    fix="Try again, or ask another resolver with --nameserver.",
    sources=(rfc(7672, "2.1"),),
)
def unknown(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.status == "unknown" and not dane.bogus:
        detail = printable(dane.lookup.detail or dane.lookup.status.value)
        signed = dane.address is not None and dane.address.authenticated
        refused = signed and dane.lookup.status is LookupStatus.SERVFAIL
        yield Detail(
            f"DNS gave no answer for {dane.name}: {detail}",
            subject=session.port_name,
            level=Level.ERROR if refused else None,
        )


@checks.add(
    "bogus",
    title="DNSSEC fails for this host",
    level=Level.ERROR,
    why="To senders that validate it is as if the host's name servers were down: they pass the host over, and keep the mail "
    "when no other is left.",
    fix="Have the host's zone signed again, or correct its DS record.",
    sources=(rfc(7672, "2.1.1"), rfc(4035, "5.5")),
)
def bogus(session: Transcript) -> Iterator[Detail]:
    for lookup in session.dane.bogus if session.dane is not None else ():
        yield Detail(bogus_words(lookup), subject=session.port_name, paste=(f"dig {lookup.name} {lookup.rdtype} +cd",))


@checks.add(
    "match",
    title="A TLSA record fits the certificate that is served",
    level=Level.PASS,
    why="Senders with DANE deliver here, with the key checked. (That an answer is authenticated is the resolver's word. It could "
    "be forged on a network, so a mail server asks a validating resolver on its own machine.)",
    fix="",
    sources=(rfc(7672, "2.2"),),
)
def match(session: Transcript) -> Iterator[Detail]:
    dane = session.dane
    if dane is not None and dane.status == "match":
        good = next(one for one in dane.matches if one.position is not None and not one.problem)
        what = "the server's certificate" if good.position == 0 else f"certificate {good.position} of the chain"
        source = "the zone file's record" if dane.local else "the record"
        yield Detail(f"{dane.name}: {source} {_words(good)} fits {what}", subject=session.port_name)


ENTRIES = checks.entries
