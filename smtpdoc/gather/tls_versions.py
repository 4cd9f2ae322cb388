"""Which versions of TLS a server speaks: one short connection for each, never with a login."""

from __future__ import annotations

from smtpdoc.evidence.looks import VersionAnswer
from smtpdoc.evidence.smtp import FailureKind, Stage, TlsFacts, Transcript
from smtpdoc.gather.look import LookError, Place, expect, greeted, leave, looking
from smtpdoc.seams import Command, Dialer

VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

# The handshake ended before anything was sent: it is our OpenSSL that does not have the version.
_NOT_HERE = "no protocols available"
# The version was agreed on before the server asked for a certificate of ours, which a look never shows.
_CLIENT_CERTIFICATE = "client certificate"


def versions_to_ask(session: Transcript) -> tuple[str, ...]:
    """Return the versions that the session has not shown already, oldest first; none where there is no TLS at all."""
    offered = "STARTTLS" in (session.capabilities_before_tls or {})
    if session.tls is None and not offered and session.tls_mode != "implicit":
        return ()
    known = {one.version for one in known_version(session)}
    return tuple(version for version in VERSIONS if version not in known)


def known_version(session: Transcript) -> tuple[VersionAnswer, ...]:
    """Return the answer that the session itself has given, or its second look at a server that knows old ciphers only:
    asked as usual, such a server would seem not to have that version."""
    if session.tls is not None and session.tls.version in VERSIONS:
        return (_works(session.tls),)
    if session.legacy_tls in VERSIONS:
        return (VersionAnswer(session.legacy_tls, True, session.legacy_cipher or ""),)
    return ()


def _works(tls: TlsFacts) -> VersionAnswer:
    return VersionAnswer(tls.version, True, tls.cipher, group=tls.group, group_bits=tls.group_bits)


async def gather_tls_version(place: Place, version: str, dialer: Dialer) -> VersionAnswer:
    """Try one version and leave; every failure is an answer."""
    try:
        async with looking(place, dialer, version=version) as session:
            if not place.implicit:
                await greeted(session, place)
                await expect(session, Command(Stage.STARTTLS, "STARTTLS"), 220)
            exchange = await session.start_tls()
            if exchange.failure is None and session.tls is not None:
                answer = _works(session.tls)
                if place.implicit:
                    await session.reply()
                await leave(session)
                return answer
            failure = exchange.failure
    except LookError as error:
        return VersionAnswer(version, None, detail=str(error))
    detail = failure.detail if failure is not None else ""
    undecided = _NOT_HERE in detail or _CLIENT_CERTIFICATE in detail
    refused = failure is not None and failure.kind is FailureKind.TLS and not undecided
    if _NOT_HERE in detail:
        detail = "OpenSSL on this machine does not have this version, so it could not be tried"
    return VersionAnswer(version, False if refused else None, detail=detail)
