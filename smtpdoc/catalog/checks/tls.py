"""What a handshake and the served certificates say, each fact by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import probe_command
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Certificate, FailureKind, Stage, TlsFacts, Transcript
from smtpdoc.findings import Level, Source, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("tls")

# OpenSSL's X509_V_ERR numbers that have a finding of their own.
NOT_YET_VALID, EXPIRED = 9, 10
SELF_SIGNED, SELF_SIGNED_IN_CHAIN, NO_ISSUER, UNVERIFIED_LEAF = 18, 19, 20, 21
NAME_MISMATCH, ADDRESS_MISMATCH = 62, 64
WEAK_CODES = (66, 67, 68)
_TOLD_APART = (NOT_YET_VALID, EXPIRED, SELF_SIGNED, NAME_MISMATCH, ADDRESS_MISMATCH, *WEAK_CODES)

ERROR_DAYS = 3
MIN_RSA_BITS = MIN_DH_BITS = 2048
_SHOWN_NAMES = 6
_WEAK_SIGNATURE = re.compile(r"md5|sha1", re.IGNORECASE)


def _level(session: Transcript) -> Level:
    """Between mail servers a certificate that nobody checks is better than clear text, and senders go on
    (RFC 7435, RFC 7672); a client that is about to send a password must not."""
    return Level.WARNING if session.opportunistic else Level.ERROR


def _leaf(session: Transcript) -> Certificate | None:
    return session.tls.chain[0] if session.tls is not None and session.tls.chain else None


def _names(certificate: Certificate) -> str:
    names = certificate.names or ((certificate.common_name,) if certificate.common_name else ())
    shown = ", ".join(printable(name) for name in names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return shown + more if shown else "no host at all"


@checks.add(
    "handshake-failed",
    title="The TLS handshake failed",
    level=Level.ERROR,
    why="No client that insists on TLS can use this server; others go on in clear or give up.",
    fix="Look into the server's log for this moment: versions, ciphers, or a key it cannot load.",
    sources=(rfc(3207, "4.1"), rfc(8996)),
)
def handshake_failed(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        failure = exchange.failure
        if failure is None or exchange.stage is Stage.QUIT:
            continue
        if failure.kind is FailureKind.TLS:  # in TLS 1.3 a server refuses our certificate after the handshake
            message = failure.detail
            if session.legacy_tls == "TLSv1.2":
                message += f"; with old ciphers and keys allowed it does speak TLS 1.2 ({session.legacy_cipher})"
            elif session.legacy_tls:
                message += f"; it does speak {version_name(session.legacy_tls)}, which nobody should any more"
            yield Detail(message, subject=session.port_name, fault=failure.word)
            return
        if failure.kind is FailureKind.TIMEOUT and exchange.stage is Stage.TLS:
            yield Detail(
                failure.detail,
                subject=session.port_name,
                level=Level.UNKNOWN,
                fix="Try the other way to TLS, or a longer --timeout." if session.tls_mode == "implicit" else None,
                paste=probe_command(session, "--tls starttls") if session.tls_mode == "implicit" else (),
            )


@checks.add(
    "old-version",
    title="The server speaks an old version of TLS",
    level=Level.ERROR,
    why="TLS 1.0 and 1.1 are broken and retired; current clients refuse them.",
    fix="Turn on TLS 1.2 and 1.3 at the server.",
    sources=(rfc(8996), rfc(9325, "3.1.1")),
)
def old_version(session: Transcript) -> Iterator[Detail]:
    version = session.tls.version if session.tls is not None else session.legacy_tls
    if version in ("SSLv3", "TLSv1", "TLSv1.1"):
        only = "only " if session.legacy_tls else ""
        yield Detail(
            f"{session.host} speaks {only}{version_name(version)}", subject=session.port_name, level=_level(session)
        )


def version_name(version: str) -> str:
    """Return "TLS 1.2" for OpenSSL's "TLSv1.2"."""
    return {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}.get(version, version)


@checks.add(
    "weak-key-exchange",
    title="The keys are exchanged with a Diffie-Hellman group that is too small",
    level=Level.WARNING,
    why="Below 2048 bits, finite-field Diffie-Hellman can be computed with enough money, for all sessions of a group at once; "
    "whoever does can read what was recorded.",
    fix="Let the server prefer ECDHE, or give it a group of 2048 bits (Postfix: smtpd_tls_dh1024_param_file = auto; "
    "Sendmail: DHParameters; Dovecot: ssl_dh).",
    sources=(rfc(9325, "4.5"), Source("Logjam", None, "https://weakdh.org/")),
)
def weak_key_exchange(session: Transcript) -> Iterator[Detail]:
    for version, group, bits in _key_exchanges(session):
        if group == "DHE" and bits is not None and bits < MIN_DH_BITS:
            yield Detail(
                f"{session.host} uses a Diffie-Hellman prime of {bits} bits with {version_name(version)}",
                subject=session.port_name,
                bits=bits,
            )


def _key_exchanges(session: Transcript) -> Iterator[tuple[str, str | None, int | None]]:
    """Version, group and bits of the session and of every version that was tried beside it."""
    tls = session.tls
    if tls is not None:
        yield tls.version, tls.group, tls.group_bits
    for one in session.tls_versions:
        if tls is None or one.version != tls.version:
            yield one.version, one.group, one.group_bits


@checks.add(
    "hello-retry",
    title="The TLS handshake takes one round trip more",
    level=Level.INFO,
    why="In TLS 1.3 a client sends a key for the group that it expects, today mostly x25519. This server does not take that "
    "group and asks for another (HelloRetryRequest). It is as safe, only slower.",
    fix="Nothing is broken. To save the round trip, let the server take x25519 as well (Postfix: tls_eecdh_auto_curves, "
    "Exim: tls_eccurve, Dovecot: ssl_curve_list); Sendmail 8.17 takes secp256r1 only.",
    sources=(rfc(8446, "4.1.4"), rfc(8446, "2.1")),
)
def hello_retry(session: Transcript) -> Iterator[Detail]:
    if session.tls is not None and session.tls.hello_retry:
        group = session.tls.group
        yield Detail(
            f"{session.host} asks for a second ClientHello" + (f", with a key for {printable(group)}" if group else ""),
            subject=session.port_name,
            group=group,
        )


@checks.add(
    "certificate-expired",
    title="The certificate has expired",
    level=Level.ERROR,
    why="Clients that verify refuse to go on; users are asked to accept what they cannot judge.",
    fix="Renew the certificate, and make the server load the new one: many read it at start only.",
    sources=(rfc(5280, "4.1.2.5"),),
)
def certificate_expired(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is None or session.tls is None or session.tls.days_left is None:
        return
    if session.tls.expired:
        days = -session.tls.days_left - 1
        since = f"{days} days ago" if days > 1 else "less than two days ago"
        yield Detail(
            f"the certificate of {session.host} expired on {leaf.not_after:%Y-%m-%d}, {since}",
            subject=session.port_name,
            level=_level(session),
            paste=probe_command(session),
            not_after=leaf.not_after.isoformat(),
            days_left=session.tls.days_left,
        )
    elif session.tls.verify_code == EXPIRED:
        yield Detail(
            f"the certificate of {session.host} is current, but one above it in its chain has expired",
            subject=session.port_name,
            level=_level(session),
            fix="Replace the expired intermediate certificate in the server's chain file.",
        )


@checks.add(
    "certificate-not-yet-valid",
    title="The certificate is not valid yet",
    level=Level.ERROR,
    why="Clients that verify refuse to go on until its first day. A wrong clock, here or there, looks the same.",
    fix="Check both clocks; otherwise use the previous certificate until then.",
    sources=(rfc(5280, "4.1.2.5"),),
)
def certificate_not_yet_valid(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is not None and session.tls is not None and session.tls.verify_code == NOT_YET_VALID:
        yield Detail(
            f"the certificate of {session.host} begins on {leaf.not_before:%Y-%m-%d}",
            subject=session.port_name,
            level=_level(session),
            not_before=leaf.not_before.isoformat(),
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
            level=_level(session),
            sha256=leaf.sha256,
        )


@checks.add(
    "chain-incomplete",
    title="An intermediate certificate is missing",
    level=Level.ERROR,
    why="The server sends its own certificate only. Clients know the roots, not what stands between, so most cannot "
    "verify it; browsers hide this by fetching the missing one.",
    fix="Send the full chain: the server's certificate first, then the intermediate (fullchain.pem rather than cert.pem).",
    sources=(rfc(8446, "4.4.2"),),
)
def chain_incomplete(session: Transcript) -> Iterator[Detail]:
    leaf = _leaf(session)
    if leaf is not None and session.tls is not None and _looks_incomplete(session.tls):
        yield Detail(
            f"{session.host} sends one certificate, issued by {printable(leaf.issuer)}, which is neither sent nor a "
            "root known here",
            subject=session.port_name,
            level=_level(session),
            fix="Send the full chain: the server's certificate first, then the intermediate (fullchain.pem rather than "
            "cert.pem). If the issuer is your own authority, verify with --ca-file.",
            issuer=leaf.issuer,
        )


def _looks_incomplete(tls: TlsFacts) -> bool:
    return tls.verify_code in (NO_ISSUER, UNVERIFIED_LEAF) and len(tls.chain) == 1 and not tls.self_signed


@checks.add(
    "certificate-untrusted",
    title="The certificate is not from an authority that is trusted here",
    level=Level.ERROR,
    why="Its chain ends at an issuer that is not among the trusted roots, or breaks on the way.",
    fix="Get a certificate from a public authority; for one of your own, verify with --ca-file.",
    sources=(rfc(5280, "6.1"),),
)
def certificate_untrusted(session: Transcript) -> Iterator[Detail]:
    tls, leaf = session.tls, _leaf(session)
    if tls is None or leaf is None or tls.trusted or tls.verify_code is None:
        return
    if tls.verify_code not in _TOLD_APART and not _looks_incomplete(tls):
        top = tls.chain[-1]
        yield Detail(
            f"the certificate of {session.host} does not lead to a trusted root: {tls.verify_error}; "
            f"the last one sent was issued by {printable(top.issuer)}",
            subject=session.port_name,
            level=_level(session),
            verify_code=tls.verify_code,
        )


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
    usable = [name for name in leaf.names if not name.startswith("*")]
    yield Detail(
        f"the certificate is for {_names(leaf)}, not for {tls.server_name}",
        subject=session.port_name,
        level=_level(session),
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
        kind, _, bits = certificate.key.partition(" ")
        if kind == "RSA" and bits.isdigit() and int(bits) < MIN_RSA_BITS:
            yield Detail(
                f"the certificate {printable(certificate.subject)} has a key of {certificate.key} bits",
                subject=session.port_name,
                level=_level(session),
                key=certificate.key,
            )


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
        # A root's signature on itself proves nothing and is not checked.
        if _WEAK_SIGNATURE.search(certificate.signature) and certificate.subject != certificate.issuer:
            yield Detail(
                f"the certificate {printable(certificate.subject)} is signed with {certificate.signature}",
                subject=session.port_name,
                level=_level(session),
                signature=certificate.signature,
            )


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
    if tls is None or leaf is None or tls.expired or tls.days_left is None or tls.days_left > session.cert_days:
        return
    urgent = tls.days_left <= ERROR_DAYS
    left = {0: "today", 1: "in 1 day"}.get(tls.days_left, f"in {tls.days_left} days")
    yield Detail(
        f"the certificate of {session.host} expires {left}, on {leaf.not_after:%Y-%m-%d}",
        subject=session.port_name,
        level=_level(session) if urgent else Level.WARNING,
        paste=probe_command(session, f"--cert-days {session.cert_days}"),
        days_left=tls.days_left,
        not_after=leaf.not_after.isoformat(),
    )


ENTRIES = checks.entries
