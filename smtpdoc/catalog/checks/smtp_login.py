"""What a session says about logging in: is it offered, would it be safe, and what came of it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_words import failure_of, last, probe_command, quoted, refusal
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, FailureKind, LineKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.ehlo import auth_mechanisms
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.secret import HIDDEN

checks = CheckSet[Transcript]("smtp")

#: Mechanisms that show the password or token to everybody on the way, and to whoever plays the server.
CLEAR_TEXT_MECHANISMS = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})
_TOKEN_MECHANISMS = frozenset({"XOAUTH2", "OAUTHBEARER"})
#: Names that a shell leaves alone.
_PLAIN = re.compile(r"[A-Za-z0-9._+@-]+")

_TOKEN_FIX = (
    "Get a new token. It may be expired, made for another user, or without the scope for SMTP (Google: "
    "https://mail.google.com/, Microsoft: https://outlook.office.com/SMTP.Send)."
)
_EXTERNAL_FIX = (
    "With EXTERNAL the client certificate is what logs in: give one that the server trusts, with --client-cert and "
    "--client-key."
)


def _again(session: Transcript) -> tuple[str, ...]:
    """Return the command that tries this login again."""
    user, mechanism = session.auth_user, session.auth_mechanism
    if not user or not _PLAIN.fullmatch(user):
        return ()
    options = f"--auth-user {user}"
    if mechanism in _TOKEN_MECHANISMS:
        options += f" --auth {mechanism} --auth-token-file TOKEN-FILE"
    elif mechanism == "EXTERNAL":
        options += " --auth EXTERNAL --client-cert CERT-FILE --client-key KEY-FILE"
    return probe_command(session, options)


@checks.add(
    "auth-offered-in-clear",
    title="Logins are offered without TLS",
    level=Level.WARNING,
    why="A client that is set up wrongly, or whose STARTTLS somebody removes, sends its password in clear.",
    fix="Offer AUTH only after STARTTLS (Postfix: smtpd_tls_auth_only = yes).",
    sources=(rfc(4954, "4"), rfc(8314, "3.2")),
)
def auth_offered_in_clear(session: Transcript) -> Iterator[Detail]:
    offered = auth_mechanisms(session.capabilities_before_tls or {})
    in_clear = tuple(mechanism for mechanism in offered if mechanism in CLEAR_TEXT_MECHANISMS)
    if in_clear:
        listed = " ".join(in_clear)
        yield Detail(
            f"{session.host} offers AUTH {printable(listed)} before TLS", subject=session.port_name, mechanisms=in_clear
        )


@checks.add(
    "auth-not-offered",
    title="The login that was asked for is not offered",
    level=Level.ERROR,
    why="A server offers AUTH on its submission ports only, and often only under TLS or to some clients.",
    fix="Use the submission port (587 or 465).",
    sources=(rfc(4954, "3"), rfc(6409, "4.3")),
)
def auth_not_offered(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.AUTH)
    if exchange is None or (failure := exchange.failure) is None:
        return
    if failure.word == "auth-not-offered":
        host = f"[{session.host}]" if ":" in session.host else session.host
        user = f" --auth-user {session.auth_user}" if _PLAIN.fullmatch(session.auth_user or "") else ""
        elsewhere: tuple[str, ...] = (f"smtpdoc probe {host}:587{user}",) if session.port != 587 else ()
        on_port = session.port in (465, 587)
        fix = "On a submission port every server should offer AUTH: turn it on there." if on_port else None
        message = f"{session.host} does not offer AUTH on port {session.port}"
        if _without_its_tls(session):
            message += " before TLS"
            fix = "Many servers offer AUTH under TLS only: leave out --tls none."
            elsewhere = _again(session)
        yield Detail(message, subject=session.port_name, fix=fix, paste=elsewhere)
    elif failure.word in ("mechanism-not-offered", "mechanism-unknown"):
        yield Detail(
            f"{session.host}: {printable(failure.detail)}",
            subject=session.port_name,
            fix=_other_mechanism(session, failure.detail),
            level=Level.UNKNOWN if failure.word == "mechanism-unknown" else None,
        )


def _without_its_tls(session: Transcript) -> bool:
    """True where the server offers TLS and was asked to do without."""
    return session.tls_mode == "none" and "STARTTLS" in (session.capabilities_before_tls or ())


def _other_mechanism(session: Transcript, detail: str) -> str:
    """Return what to do about a mechanism that cannot be tried."""
    offered = auth_mechanisms(session.capabilities_after_tls or session.capabilities_before_tls or {})
    if detail.startswith("EXTERNAL"):
        return (
            "Servers offer EXTERNAL to a client that shows a certificate, and often only if they trust its issuer: "
            "--client-cert and --client-key."
        )
    if "takes a password" in detail and _TOKEN_MECHANISMS.intersection(offered):
        return "This server wants an OAuth token in place of a password: --auth-token-file."
    if "takes a token" in detail:
        return "This server wants a password in place of a token: leave out --auth-token-file."
    if _without_its_tls(session):
        return "Many servers offer more mechanisms under TLS: leave out --tls none."
    return "Take one of the mechanisms that the server lists, or leave out --auth: then the best of them is taken."


@checks.add(
    "auth-not-safe",
    title="The login was not tried, because it would not have been safe",
    level=Level.UNKNOWN,
    why="Over clear text, or with a server whose certificate does not verify, the password may go to somebody else.",
    fix="Mend STARTTLS first. --tls none --allow-cleartext-auth logs in in clear text all the same.",
    sources=(rfc(8314, "3.2"), rfc(4954, "4")),
)
def auth_not_safe(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.AUTH)
    if exchange is None or exchange.failure is None or exchange.failure.kind is not FailureKind.SKIPPED_UNSAFE:
        return
    fix = None
    if session.tls is not None:
        fix = (
            "Mend the certificate; if its authority is your own, name it with --ca-file, and another name of the server "
            "with --server-name. --allow-cleartext-auth logs in all the same."
        )
    elif session.tls_mode == "none":
        fix = "Leave out --tls none. --allow-cleartext-auth logs in in clear text all the same."
    yield Detail(printable(exchange.failure.detail), subject=session.port_name, fix=fix)


@checks.add(
    "auth-exposed",
    title="The password was not protected on its way",
    level=Level.WARNING,
    why="The login was forced with --allow-cleartext-auth. Whoever listens, or plays the server, has the password now.",
    fix="Unless this network is your own from end to end: change the password, and log in over verified TLS only.",
    sources=(rfc(8314, "3.2"), rfc(4954, "9")),
)
def auth_exposed(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.AUTH)
    if exchange is None or exchange.status is StageStatus.SKIPPED or session.replayed_from is not None:
        return
    tls, what = session.tls, "token" if session.auth_mechanism in _TOKEN_MECHANISMS else "password"
    if session.auth_mechanism not in CLEAR_TEXT_MECHANISMS or not _secret_sent(session):
        return
    if not exchange.encrypted:
        yield Detail(
            f"the {what} went to {session.host} in clear text, with AUTH {session.auth_mechanism}",
            subject=session.port_name,
        )
    elif tls is not None and not (tls.trusted and tls.name_matches):
        yield Detail(
            f"the {what} went to {session.host}, whose certificate does not verify ({tls.verify_error or 'no reason told'})",
            subject=session.port_name,
        )


def _secret_sent(session: Transcript) -> bool:
    """Tell whether it came to that: what is hidden in the transcript is the user name first, where AUTH LOGIN asks for
    it."""
    hidden = [line for line in session.lines if line.kind is LineKind.SENT and line.text.endswith(HIDDEN)]
    return len(hidden) >= (2 if session.auth_mechanism == "LOGIN" else 1)


@checks.add(
    "auth-unproven",
    title="The server did not prove that it knows the password",
    level=Level.ERROR,
    why="With SCRAM both sides prove that they know the password. A server that cannot, or does not, accepts anybody: it "
    "may only play the server. Clients must not go on with it.",
    fix="Compare with a probe from another network. If it is your server, update or repair its SASL library.",
    sources=(rfc(5802, "3"), rfc(5802, "5")),
)
def auth_unproven(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.AUTH)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "server-unproven":
        yield Detail(_of(session, exchange.failure.detail), subject=session.port_name)


@checks.add(
    "auth-broken",
    title="The server does not follow the rules of the mechanism",
    level=Level.ERROR,
    why="A challenge that breaks the mechanism gets no answer from a careful client, whatever the password is.",
    fix="Try another mechanism with --auth; if several break, look at what speaks for the server.",
    sources=(rfc(4954, "4"),),
)
def auth_broken(session: Transcript) -> Iterator[Detail]:
    exchange = failure_of(session, Stage.AUTH)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "sasl-broken":
        yield Detail(_of(session, exchange.failure.detail), subject=session.port_name)


def _of(session: Transcript, detail: str) -> str:
    return printable(detail).replace("the server", session.host, 1)


@checks.add(
    "auth-refused",
    title="The server refused the login",
    level=Level.ERROR,
    why="User name, password or mechanism is not accepted. Servers count failures and lock accounts, so this was tried once.",
    fix="Check user name and password by hand once; some providers want an application password or a token.",
    sources=(rfc(4954, "6"),),
)
def auth_refused(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.AUTH)
    if exchange is None or exchange.status is not StageStatus.REFUSED or exchange.reply is None:
        return
    if exchange.reply.positive:
        yield Detail(
            f"{session.host} answered AUTH with {quoted(exchange)}; only 235 says that a login is accepted",
            subject=session.port_name,
            fix="Look at what speaks for the server: clients take this answer for a refusal, or do not know what to do.",
            code=exchange.reply.code,
        )
        return
    who = f" of {printable(session.auth_user)}" if session.auth_user else ""
    detail = refusal(session, exchange, f"refused the login{who} with {session.auth_mechanism}")
    detail.paste = _again(session)
    if _about_credentials(exchange):
        if session.auth_mechanism in _TOKEN_MECHANISMS:
            detail.fix = _TOKEN_FIX
        elif session.auth_mechanism == "EXTERNAL":
            detail.fix = _EXTERNAL_FIX
    yield detail


def _about_credentials(exchange: Exchange) -> bool:
    """True where the reply says no more than that the login is wrong."""
    known = exchange.explanation
    return known is None or known.reason in (None, "auth-failed")


@checks.add(
    "auth-deferred",
    title="The server could not check the login now",
    level=Level.UNKNOWN,
    why="Its user database or password service does not answer, or there were too many attempts.",
    fix="Wait some minutes before the next attempt; if it stays, look at the server's authentication service.",
    sources=(rfc(4954, "6"),),
)
def auth_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.AUTH)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        detail = refusal(session, exchange, "put the login off")
        detail.paste = _again(session)
        yield detail


ENTRIES = checks.entries
