"""What a server takes in clear: MAIL FROM, and a login that is begun and cancelled. No credentials are sent."""

from __future__ import annotations

from smtpdoc.evidence.looks import Enforcement
from smtpdoc.evidence.smtp import Stage, Transcript
from smtpdoc.gather.look import LookError, Place, greeted, leave, looking
from smtpdoc.grammar.ehlo import auth_mechanisms
from smtpdoc.grammar.reply import Reply
from smtpdoc.seams import Command, Dialer, Session


async def gather_enforcement(place: Place, session: Transcript, dialer: Dialer) -> Enforcement:
    """Ask in clear, on a connection of its own, for MAIL FROM and for the mechanism that the session was offered."""
    mechanism = _mechanism(session)
    mail: Reply | None = None
    auth: Reply | None = None
    try:
        async with looking(place, dialer, tls=False) as clear:
            await greeted(clear, place)
            mail = await _asked(clear, f"MAIL FROM:{_sender(session)}")
            if mail is not None and mail.positive:
                await _asked(clear, "RSET")
            if mechanism is not None and clear.alive:
                auth = await _asked(clear, f"AUTH {mechanism}")
                if auth is not None and auth.code == 334:
                    await _asked(clear, "*")  # RFC 4954 section 4: the client cancels
            await leave(clear)
    except LookError as error:
        return Enforcement(mechanism=mechanism, problem=str(error))
    return Enforcement(mail, auth, mechanism)


async def _asked(session: Session, text: str) -> Reply | None:
    session.send(Command(Stage.AUTH if text.startswith("AUTH") else Stage.MAIL, text))
    return (await session.reply()).reply


def _sender(session: Transcript) -> str:
    """The null reverse-path, which every server has to take (RFC 5321 section 4.5.5); a submission server may ask for
    more."""
    return f"<{session.mail_from}>" if session.mail_from and session.mail_from.isascii() else "<>"


def _mechanism(session: Transcript) -> str | None:
    """One that waits for the client after 334, so that it can be cancelled."""
    offered = auth_mechanisms(session.capabilities_after_tls or {}) or auth_mechanisms(
        session.capabilities_before_tls or {}
    )
    return next((one for one in ("LOGIN", "PLAIN") if one in offered), None)
