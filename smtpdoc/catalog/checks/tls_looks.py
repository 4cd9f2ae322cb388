"""What a closer look at TLS shows: versions one by one, a command smuggled in front of TLS, weak ciphers, the chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Certificate, Transcript, version_name
from smtpdoc.findings import Level, Source, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("tls")

_SHOWN = 3
OLD_VERSIONS = ("SSLv3", "TLSv1", "TLSv1.1")
CVE = Source("CVE-2011-0411", None, "https://www.cve.org/CVERecord?id=CVE-2011-0411")
_BROKEN_CIPHER = re.compile(r"RC4|DES|NULL|EXP|IDEA|SEED|MD5|ADH|AECDH", re.IGNORECASE)
# ECDHE and DHE make a key for each session; without them OpenSSL's names begin with the cipher itself.
_FORWARD_SECRET = re.compile(r"TLS_|ECDHE|DHE|EDH|ADH|AECDH")


def _ciphers(session: Transcript) -> Iterator[tuple[str, str]]:
    """The cipher of the session, or of the second look at a server that knows old ones only, with its version; and of
    TLS 1.2 where that was tried beside it. (What is wrong with older ones is their version.)"""
    if session.tls is not None and session.tls.cipher:
        yield session.tls.cipher, session.tls.version
    elif session.legacy_cipher:
        yield session.legacy_cipher, session.legacy_tls or ""
    for one in session.tls_versions:
        if one.version == "TLSv1.2" and one.cipher and (session.tls is None or session.tls.version != one.version):
            yield one.cipher, one.version


@checks.add(
    "weak-cipher",
    title="The connection is encrypted with a weak cipher",
    level=Level.WARNING,
    why="RC4, DES and their like can be broken. Without ECDHE or DHE, whoever gets the server's key later can read all that "
    "was recorded before.",
    fix="Let the server prefer ECDHE with AES-GCM or ChaCha20; that is the default of every current mail server.",
    sources=(rfc(9325, "4.1"), rfc(9325, "4.2")),
)
def weak_cipher(session: Transcript) -> Iterator[Detail]:
    for cipher, version in dict.fromkeys(_ciphers(session)):
        if _BROKEN_CIPHER.search(cipher):
            level = Level.WARNING if session.opportunistic else Level.ERROR
            yield Detail(f"{session.host} uses {cipher}", subject=session.port_name, level=level, cipher=cipher)
        elif not _FORWARD_SECRET.match(cipher):
            yield Detail(
                f"{session.host} uses {cipher} with {version_name(version)}, which has no forward secrecy",
                subject=session.port_name,
                cipher=cipher,
            )


@checks.add(
    "chain-order",
    title="The certificates are sent in the wrong order",
    level=Level.WARNING,
    why="Each certificate has to vouch for the one before it. OpenSSL puts them in order by itself; some clients do not.",
    fix="Write the chain file in this order: the server's certificate, the one that issued it, and so on, without the root.",
    sources=(rfc(5246, "7.4.2"),),
)
def chain_order(session: Transcript) -> Iterator[Detail]:
    chain = session.tls.chain if session.tls is not None else ()
    useful = [
        one for number, one in enumerate(chain) if one not in chain[:number] and (not number or _issued(one, chain))
    ]
    for one, above in pairwise(useful):
        if one.issuer != above.subject:
            number = chain.index(above)
            yield Detail(
                f"certificate {number} is {printable(above.subject)}, but {printable(one.issuer)} issued the one before it",
                subject=session.port_name,
            )
            return


def _issued(one: Certificate, chain: tuple[Certificate, ...]) -> bool:
    """Did it issue any other of these?"""
    return any(other.issuer == one.subject and other != one for other in chain)


@checks.add(
    "chain-surplus",
    title="Certificates are sent that nobody needs",
    level=Level.INFO,
    why="One that is sent twice, or that issued none of the others, makes the handshake longer. Clients of today look past "
    "it; some old ones expect each certificate to have issued the one before it.",
    fix="Leave it out of the server's chain file.",
    sources=(rfc(8446, "4.4.2"),),
)
def chain_surplus(session: Transcript) -> Iterator[Detail]:
    chain = session.tls.chain if session.tls is not None else ()
    surplus = []
    for number, one in enumerate(chain):
        if one in chain[:number]:
            surplus.append(f"number {number} ({printable(one.subject)}, sent before)")
        elif number and not _issued(one, chain):
            surplus.append(f"number {number} ({printable(one.subject)}, which issued none of the others)")
    if surplus:
        more = f" and {len(surplus) - _SHOWN} more" if len(surplus) > _SHOWN else ""
        yield Detail(
            f"{session.host} sends {len(chain)} certificates; not needed: {', '.join(surplus[:_SHOWN])}{more}",
            subject=session.port_name,
            count=len(surplus),
        )


@checks.add(
    "old-version-accepted",
    title="The server still accepts old versions of TLS",
    level=Level.WARNING,
    why="TLS 1.0 and 1.1 are retired. Clients that could do better are not harmed, but somebody in between may try to "
    "steer them there, and audits complain.",
    fix="Allow TLS 1.2 and 1.3 only (Postfix: smtpd_tls_protocols = >=TLSv1.2). On port 25 some old senders then fall back "
    "to clear text, which is why many keep the old versions there.",
    sources=(rfc(8996), rfc(9325, "3.1.1")),
)
def old_version_accepted(session: Transcript) -> Iterator[Detail]:
    old = [one.version for one in session.tls_versions if one.works and one.version in OLD_VERSIONS]
    newer = any(one.works and one.version not in OLD_VERSIONS for one in session.tls_versions)
    if old and newer:
        words = " and ".join(map(version_name, old))
        yield Detail(
            f"{session.host} still accepts {words}",
            subject=session.port_name,
            level=Level.INFO if session.opportunistic else None,
            versions=tuple(old),
        )


@checks.add(
    "no-current-version",
    title="The server does not speak TLS 1.3",
    level=Level.INFO,
    why="TLS 1.2 is fine when it is set up well; TLS 1.3 is quicker by one round trip and has no weak settings.",
    fix="Update the server's TLS library (OpenSSL 1.1.1 or later) and allow TLS 1.3.",
    sources=(rfc(8446), rfc(9325, "3.1.1")),
)
def no_current_version(session: Transcript) -> Iterator[Detail]:
    works = {one.version: one.works for one in session.tls_versions}
    if works.get("TLSv1.3") is False and works.get("TLSv1.2"):
        yield Detail(f"{session.host} speaks TLS 1.2 and not 1.3", subject=session.port_name)


@checks.add(
    "versions-unknown",
    title="Some versions of TLS could not be tried",
    level=Level.UNKNOWN,
    why="The connection for this version did not come as far as a handshake, or OpenSSL on this machine does not have it.",
    fix="Try again; a server that limits connections may want some minutes in between.",
)
def versions_unknown(session: Transcript) -> Iterator[Detail]:
    for one in session.tls_versions:
        if one.works is None:
            ours = "on this machine" in one.detail
            yield Detail(
                f"{version_name(one.version)}: {printable(one.detail)}",
                subject=session.port_name,
                level=Level.INFO if ours else None,
            )


@checks.add(
    "command-injection",
    title="A command that was sent before TLS is executed under TLS",
    level=Level.ERROR,
    why="Somebody on the way can put commands in front of a user's encrypted session: the server takes them for the user's "
    "own. With a login among what follows, mail can be stolen.",
    fix="Update the mail server; this was fixed in most in 2011. A proxy in front that handles STARTTLS may be the culprit.",
    sources=(CVE, rfc(3207, "4.2")),
)
def command_injection(session: Transcript) -> Iterator[Detail]:
    look = session.starttls_injection
    if look is not None and look.verdict == "executed":
        yield Detail(f"{session.host} is vulnerable: {look.detail}", subject=session.port_name, verdict=look.verdict)


@checks.add(
    "command-injection-clear",
    title="A command behind STARTTLS is answered before TLS",
    level=Level.WARNING,
    why="The server should forget what came with STARTTLS. Executed in clear it does no harm by itself, but clients that "
    "wait for the handshake get text instead.",
    fix="Update the mail server, or the proxy in front of it.",
    sources=(rfc(3207, "4.2"),),
)
def command_injection_clear(session: Transcript) -> Iterator[Detail]:
    look = session.starttls_injection
    if look is not None and look.verdict == "answered-in-clear":
        yield Detail(printable(look.detail), subject=session.port_name, verdict=look.verdict)


@checks.add(
    "command-injection-safe",
    title="A command behind STARTTLS is not executed under TLS",
    level=Level.PASS,
    why="What arrived in clear is thrown away, or ends the session, as it should.",
    fix="",
    sources=(CVE, rfc(3207, "4.2")),
)
def command_injection_safe(session: Transcript) -> Iterator[Detail]:
    look = session.starttls_injection
    if look is not None and look.verdict in ("discarded", "refused"):
        yield Detail(
            f"{session.host} is not vulnerable: {printable(look.detail)}",
            subject=session.port_name,
            verdict=look.verdict,
        )


@checks.add(
    "command-injection-unknown",
    title="Whether commands can be injected before TLS could not be determined",
    level=Level.UNKNOWN,
    why="The connection for this test did not come as far as a handshake.",
    fix="Try again; with implicit TLS (port 465) there is nothing to inject.",
)
def command_injection_unknown(session: Transcript) -> Iterator[Detail]:
    look = session.starttls_injection
    if look is not None and look.verdict == "unknown":
        yield Detail(printable(look.detail), subject=session.port_name, verdict=look.verdict)


ENTRIES = checks.entries
