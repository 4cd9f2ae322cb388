"""Does the server insist on TLS and a login, or does it take mail and passwords in clear?"""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply import Reply

checks = CheckSet[Transcript]("smtp")


def _quoted(reply: Reply) -> str:
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else f"{reply.code}"
    return f"{codes} {printable(reply.text[:200])}".rstrip()


@checks.add(
    "mail-taken-in-clear",
    title="The server accepts a sender without TLS",
    level=Level.WARNING,
    why="A submission server should ask for TLS and a login before anything else; a program that is set up without TLS "
    "works here, and nobody notices that its mail crosses the network in clear.",
    fix="Require TLS and a login on this port (Postfix: smtpd_tls_security_level = encrypt, smtpd_sasl_auth_enable = yes, "
    "and permit_sasl_authenticated, reject in smtpd_relay_restrictions).",
    sources=(rfc(6409, "4.3"), rfc(8314, "3.3")),
)
def mail_taken_in_clear(session: Transcript) -> Iterator[Detail]:
    look = session.enforcement
    if look is not None and look.mail is not None and look.mail.positive and not session.opportunistic:
        yield Detail(
            f"{session.host} answered MAIL FROM without TLS or a login with {_quoted(look.mail)}; it may still refuse "
            "the recipient",
            subject=session.port_name,
            code=look.mail.code,
        )


@checks.add(
    "auth-taken-in-clear",
    title="The server takes a login without TLS",
    level=Level.ERROR,
    why="A client whose STARTTLS somebody removes, or that was set up without TLS, sends its password in clear, and it "
    "works, so nobody notices.",
    fix="Refuse AUTH before STARTTLS (Postfix: smtpd_tls_auth_only = yes; Dovecot: disable_plaintext_auth = yes).",
    sources=(rfc(4954, "4"), rfc(8314, "3.2")),
)
def auth_taken_in_clear(session: Transcript) -> Iterator[Detail]:
    look = session.enforcement
    if look is not None and look.auth is not None and look.auth.code == 334:
        yield Detail(
            f"{session.host} asked for the password of AUTH {look.mechanism} without TLS (the attempt was cancelled)",
            subject=session.port_name,
            mechanism=look.mechanism,
        )


@checks.add(
    "tls-enforced",
    title="The server insists on TLS",
    level=Level.PASS,
    why="Neither mail nor passwords are taken in clear on this port.",
    fix="",
    sources=(rfc(8314, "3.3"),),
)
def tls_enforced(session: Transcript) -> Iterator[Detail]:
    look = session.enforcement
    if look is None:
        return
    asked = [(f"AUTH {look.mechanism}", look.auth), ("MAIL FROM", look.mail)]
    refused = [f"{what} with {_quoted(reply)}" for what, reply in asked if reply is not None and not reply.positive]
    if refused:
        yield Detail(f"without TLS {session.host} refused {', '.join(refused)}", subject=session.port_name)


@checks.add(
    "enforcement-unknown",
    title="Whether the server insists on TLS could not be determined",
    level=Level.UNKNOWN,
    why="The connection in clear did not come as far as MAIL FROM.",
    fix="Try again; a server that limits connections may want some minutes in between.",
)
def enforcement_unknown(session: Transcript) -> Iterator[Detail]:
    look = session.enforcement
    if look is not None and look.mail is None and look.auth is None:
        yield Detail(printable(look.problem or "MAIL FROM was not answered"), subject=session.port_name)


ENTRIES = checks.entries
