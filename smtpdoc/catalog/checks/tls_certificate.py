"""What the certificates that a server sends say, each fact by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import probe_command
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Certificate, TlsFacts, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("tls")

# OpenSSL's X509_V_ERR numbers that have a finding of their own.
NOT_YET_VALID, EXPIRED = 9, 10
SELF_SIGNED, SELF_SIGNED_IN_CHAIN, NO_ISSUER, UNVERIFIED_LEAF = 18, 19, 20, 21
NAME_MISMATCH, ADDRESS_MISMATCH = 62, 64
UNSUITABLE_PURPOSE = 26
WEAK_CODES = (66, 67, 68)
_TOLD_APART = (NOT_YET_VALID, EXPIRED, SELF_SIGNED, NAME_MISMATCH, ADDRESS_MISMATCH, *WEAK_CODES)

ERROR_DAYS = 3
MIN_RSA_BITS = 2048
_SHOWN_NAMES = 6
_WEAK_SIGNATURE = re.compile(r"md5|sha1", re.IGNORECASE)


def level_of(session: Transcript) -> Level:
    """Between mail servers a certificate that nobody checks is better than clear text, and senders go on
    (RFC 7435, RFC 7672); a client that is about to send a password must not."""
    return Level.WARNING if session.opportunistic else Level.ERROR


def _trust_level(session: Transcript) -> Level:
    """What DANE binds needs no authority, name or date (RFC 7672 section 3.1.1)."""
    bound = session.opportunistic and session.dane is not None and session.dane.binds_key
    return Level.INFO if bound else level_of(session)


def _leaf(session: Transcript) -> Certificate | None:
    return session.tls.chain[0] if session.tls is not None and session.tls.chain else None


def _names(certificate: Certificate) -> str:
    names = certificate.names or ((certificate.common_name,) if certificate.common_name else ())
    shown = ", ".join(printable(name) for name in names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return shown + more if shown else "no host at all"


@checks.add(
    "certificate-expired",
    title="The certificate has expired",
    level=Level.ERROR,
    why="Clients that verify refuse to go on; users are asked to accept what they cannot judge.",
    fix="Renew the certificate, and make the server load the new one: many read it at start only.",
    sources=(rfc(5280, "4.1.2.5"),),
)
def certificate_expired(session: Transcript) -> Iterator[Detail]:
    tls, leaf, now = session.tls, _leaf(session), session.observed_at
    if tls is None or leaf is None:
        return
    if tls.expired:
        yield Detail(
            f"the certificate of {session.host} expired on {leaf.not_after:%Y-%m-%d}{_since(tls.days_left)}",
            subject=session.port_name,
            level=_trust_level(session),
            paste=probe_command(session),
            not_after=leaf.not_after.isoformat(),
            days_left=tls.days_left,
        )
    above = [one for one in tls.chain[1:] if now is not None and one.not_after < now and not tls.trusted]
    message = f"the certificate of {session.host} is current, but one above it in its chain has expired"
    if above:
        name, day = printable(above[0].subject), f"{above[0].not_after:%Y-%m-%d}"
        message = f"{name}, above the certificate of {session.host} in its chain, expired on {day}"
    if above or (tls.verify_code == EXPIRED and not tls.expired):
        yield Detail(
            message,
            subject=session.port_name,
            level=_trust_level(session),
            fix="Put the current intermediate certificate into the server's chain file; its authority has it.",
        )


def _since(days_left: int | None) -> str:
    if days_left is None:
        return ""
    days = -days_left - 1  # days_left is rounded down
    return ", less than a day ago" if days < 1 else f", {days} day{'s' if days > 1 else ''} ago"


@checks.add(
    "certificate-not-yet-valid",
    title="The certificate is not valid yet",
    level=Level.ERROR,
    why="Clients that verify refuse to go on until its first day. A wrong clock, here or there, looks the same.",
    fix="Check both clocks; otherwise use the previous certificate until then.",
    sources=(rfc(5280, "4.1.2.5"),),
)
def certificate_not_yet_valid(session: Transcript) -> Iterator[Detail]:
    tls, leaf, now = session.tls, _leaf(session), session.observed_at
    if tls is None or leaf is None or tls.verify_code != NOT_YET_VALID:
        return
    late = next((one for one in tls.chain if now is not None and one.not_before > now), leaf)
    whose = f"the certificate of {session.host}"
    if late is not leaf:
        whose = f"{printable(late.subject)}, above the certificate of {session.host} in its chain,"
    yield Detail(
        f"{whose} begins on {late.not_before:%Y-%m-%d}",
        subject=session.port_name,
        level=_trust_level(session),
        not_before=late.not_before.isoformat(),
    )


@checks.add(
    "certificate-self-signed",
    title="The certificate is self-signed",
    level=Level.ERROR,
    why="Nobody vouches for it, so a client cannot tell this server from an impostor.",
    fix="Get a certificate from a public authority (Let's Encrypt gives them away), or verify with --ca-file.",
    sources=(rfc(7435), rfc(8314, "4.4")),
)
def certificate_self_signed(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is not None and session.tls is not None and session.tls.verify_code == SELF_SIGNED:
        yield Detail(
            f"the certificate of {session.host} is signed by itself: {printable(leaf.subject)}",
            subject=session.port_name,
            level=_trust_level(session),
            sha256=leaf.sha256,
        )


@checks.add(
    "chain-incomplete",
    title="An intermediate certificate is missing",
    level=Level.ERROR,
    why="The server does not send the certificate that vouches for its own. Clients know the roots, not what stands "
    "between, so most cannot verify it; browsers hide this by fetching the missing one.",
    fix="Send the full chain: the server's certificate first, then the intermediate (fullchain.pem rather than cert.pem).",
    sources=(rfc(8446, "4.4.2"),),
)
def chain_incomplete(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is None or session.tls is None or not _looks_incomplete(session.tls):
        return
    if len(session.tls.chain) == 1:
        message = f"{session.host} sends one certificate, issued by {printable(leaf.issuer)}, which is"
    else:
        message = f"the certificate of {session.host} was issued by {printable(leaf.issuer)}, which is"
    yield Detail(
        f"{message} neither sent nor a root known here",
        subject=session.port_name,
        level=_trust_level(session),
        fix="Send the full chain: the server's certificate first, then the intermediate (fullchain.pem rather than "
        "cert.pem). If the issuer is your own authority, verify with --ca-file.",
        issuer=leaf.issuer,
    )


def _looks_incomplete(tls: TlsFacts) -> bool:
    if tls.verify_code not in (NO_ISSUER, UNVERIFIED_LEAF) or tls.self_signed or not tls.chain:
        return False
    return _end(tls.chain) is tls.chain[0]


def _end(chain: tuple[Certificate, ...]) -> Certificate:
    """Return how far one gets from the leaf, always going to the issuer."""
    here, left = chain[0], list(chain[1:])
    while above := next((one for one in left if one.subject == here.issuer), None):
        left.remove(above)
        here = above
    return here


@checks.add(
    "certificate-untrusted",
    title="The certificate does not lead to an authority that is trusted here",
    level=Level.ERROR,
    why="Its chain ends at an issuer that is not among the trusted roots, or breaks on the way.",
    fix="Get a certificate from a public authority; for one of your own, verify with --ca-file.",
    sources=(rfc(5280, "6.1"),),
)
def certificate_untrusted(session: Transcript) -> Iterator[Detail]:
    tls, whose = session.tls, f"the certificate of {session.host}"
    if tls is None or not tls.verify_code or _told_elsewhere(tls):
        return
    message, fix = f"{whose} does not verify: {printable(tls.verify_error or '')}", None
    if tls.chain and tls.verify_code in (NO_ISSUER, UNVERIFIED_LEAF):
        issuer = printable(_end(tls.chain).issuer)
        message = f"the chain of {session.host} ends below {issuer}, which is neither sent nor a root known here"
        fix = (
            "If there is another intermediate certificate, add it to the server's chain file. If this is the root of an "
            "authority of your own, verify with --ca-file."
        )
    elif tls.chain and tls.verify_code == SELF_SIGNED_IN_CHAIN:
        root = printable(_end(tls.chain).subject)
        message = f"the chain of {session.host} ends at {root}, a root that is not trusted here"
    elif tls.verify_code == UNSUITABLE_PURPOSE:
        message = f"{whose} or one above it is not made for servers: {printable(tls.verify_error or '')}"
        fix = "Get a certificate whose extended key usage has serverAuth."
    yield Detail(message, subject=session.port_name, level=_trust_level(session), fix=fix, verify_code=tls.verify_code)


def _told_elsewhere(tls: TlsFacts) -> bool:
    """Is there another finding for OpenSSL's verdict? Those need a certificate, which a replayed session may lack."""
    if not tls.chain:
        return False
    if tls.verify_code in WEAK_CODES:
        return any(map(_key_too_short, tls.chain)) or any(map(_weakly_signed, tls.chain))
    return tls.verify_code in _TOLD_APART or _looks_incomplete(tls)


@checks.add(
    "certificate-not-judged",
    title="The certificate could not be verified",
    level=Level.UNKNOWN,
    why="OpenSSL did not come to a verdict about this chain.",
    fix="Look at it with: openssl s_client -starttls smtp -connect HOST:PORT -showcerts",
)
def certificate_not_judged(session: Transcript) -> Iterator[Detail]:
    if session.tls is not None and session.tls.verify_code is None and session.tls.verify_error is not None:
        yield Detail(
            f"the certificate of {session.host} could not be judged: {session.tls.verify_error}",
            subject=session.port_name,
        )


@checks.add(
    "name-mismatch",
    title="The certificate is for another name",
    level=Level.ERROR,
    why="A client asked for this name must not accept a certificate for another: it could be anybody's server.",
    fix="Use the name that the certificate has, or get a certificate with this name in it.",
    sources=(rfc(9525, "6"), rfc(8314, "4.2")),
)
def name_mismatch(session: Transcript) -> Iterator[Detail]:
    tls, leaf = session.tls, _leaf(session)
    if tls is None or leaf is None or tls.name_matches:
        return
    usable = [name for name in leaf.names if "*" not in name and name != tls.server_name]
    message = f"the certificate is for {_names(leaf)}, not for {tls.server_name}"
    if tls.server_name in leaf.names or (not leaf.names and leaf.common_name == tls.server_name):
        message = f"the certificate has {tls.server_name} as a host name, not as an address"
    elif leaf.common_name == tls.server_name:
        message += "; its common name does not count beside those"
    yield Detail(
        message,
        subject=session.port_name,
        level=_trust_level(session),
        paste=probe_command(session, f"--server-name {printable(usable[0])}") if usable else (),
        names=tuple(leaf.names),
        asked=tls.server_name,
    )


@checks.add(
    "name-only-in-subject",
    title="The certificate has its name in the old place only",
    level=Level.WARNING,
    why="Names belong into subjectAltName; current clients no longer look into the subject's common name.",
    fix="Get a new certificate with the name in subjectAltName.",
    sources=(rfc(9525, "2"),),
)
def name_only_in_subject(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is not None and not leaf.names and leaf.common_name:
        yield Detail(
            f"the certificate of {session.host} names {printable(leaf.common_name)} in its subject only",
            subject=session.port_name,
        )


@checks.add(
    "weak-key",
    title="A certificate's key is too short",
    level=Level.ERROR,
    why="RSA keys below 2048 bits can be broken with enough money; OpenSSL refuses them by default.",
    fix="Make a new key, RSA 2048 or EC P-256, and get a certificate for it.",
    sources=(rfc(9325, "4.5"),),
)
def weak_key(session: Transcript) -> Iterator[Detail]:
    for certificate in session.tls.chain if session.tls is not None else ():
        if _key_too_short(certificate):
            yield Detail(
                f"the certificate {printable(certificate.subject)} has a key of {certificate.key.split(' ')[1]} bits (RSA)",
                subject=session.port_name,
                level=level_of(session),
                key=certificate.key,
            )


def _key_too_short(certificate: Certificate) -> bool:
    kind, _, bits = certificate.key.partition(" ")
    return kind == "RSA" and bits.isdigit() and int(bits) < MIN_RSA_BITS


@checks.add(
    "weak-signature",
    title="A certificate is signed with a broken hash",
    level=Level.ERROR,
    why="Signatures over SHA-1 and MD5 can be forged.",
    fix="Get a certificate that is signed with SHA-256.",
    sources=(rfc(9155), rfc(9325, "4.4")),
)
def weak_signature(session: Transcript) -> Iterator[Detail]:
    for certificate in session.tls.chain if session.tls is not None else ():
        if _weakly_signed(certificate):
            yield Detail(
                f"the certificate {printable(certificate.subject)} is signed with {certificate.signature}",
                subject=session.port_name,
                level=level_of(session),
                signature=certificate.signature,
            )


def _weakly_signed(certificate: Certificate) -> bool:
    # A root's signature on itself proves nothing and is not checked.
    return bool(_WEAK_SIGNATURE.search(certificate.signature)) and certificate.subject != certificate.issuer


@checks.add(
    "certificate-expires-soon",
    title="The certificate expires soon",
    level=Level.WARNING,
    why="Automatic renewal happens weeks before the end; a certificate this old means that it did not.",
    fix="Renew it now, and find out why the renewal did not run or the server did not load the new one.",
    sources=(rfc(5280, "4.1.2.5"),),
)
def certificate_expires_soon(session: Transcript) -> Iterator[Detail]:
    tls, leaf = session.tls, _leaf(session)
    if tls is None or leaf is None or tls.expired or tls.days_left is None:
        return
    if tls.days_left > session.cert_days:
        yield from _above_expires_soon(session, tls)
        return
    urgent = tls.days_left <= ERROR_DAYS
    left = {0: "in less than a day", 1: "in 1 day"}.get(tls.days_left, f"in {tls.days_left} days")
    yield Detail(
        f"the certificate of {session.host} expires {left}, on {leaf.not_after:%Y-%m-%d}",
        subject=session.port_name,
        level=level_of(session) if urgent else Level.WARNING,
        paste=probe_command(session, f"--cert-days {session.cert_days}"),
        days_left=tls.days_left,
        not_after=leaf.not_after.isoformat(),
    )


def _above_expires_soon(session: Transcript, tls: TlsFacts) -> Iterator[Detail]:
    """The first of the intermediates that ends soon; a root that is sent proves nothing and is not looked at."""
    now = session.observed_at
    for one in tls.chain[1:]:
        days_left = (one.not_after - now).days if now is not None else -1
        if one.subject != one.issuer and 0 <= days_left <= session.cert_days:
            yield Detail(
                f"{printable(one.subject)}, above the certificate of {session.host} in its chain, expires on "
                f"{one.not_after:%Y-%m-%d}",
                subject=session.port_name,
                fix="Ask its authority for the current intermediate certificate, and put it into the server's chain file.",
                days_left=days_left,
                not_after=one.not_after.isoformat(),
            )
            return
