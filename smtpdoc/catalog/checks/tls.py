"""What a handshake says, each fact by itself: version, key exchange, round trips; then the certificates."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.checks import tls_certificate
from smtpdoc.catalog.checks.smtp_words import probe_command
from smtpdoc.catalog.checks.tls_certificate import level_of
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import FailureKind, Stage, Transcript, version_name
from smtpdoc.findings import Level, Source, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("tls")

MIN_DH_BITS = 2048


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
            message, fix = failure.detail, None
            if session.legacy_tls == "TLSv1.2":
                message += f"; with old ciphers and keys allowed it does speak TLS 1.2 ({session.legacy_cipher})"
            elif session.legacy_tls:
                message += f"; it does speak {version_name(session.legacy_tls)}, which nobody should any more"
                fix = "Let the server speak TLS 1.2 and 1.3: its version is what is wrong."
            yield Detail(message, subject=session.port_name, fix=fix, fault=failure.word)
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
            f"{session.host} speaks {only}{version_name(version)}", subject=session.port_name, level=level_of(session)
        )


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


checks.include(tls_certificate.checks)
ENTRIES = checks.entries
