"""AUTH: one mechanism, one attempt (RFC 4954). Failed attempts count towards lock-outs, so there is never a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus
from smtpdoc.grammar.reply import Reply
from smtpdoc.grammar.sasl import (
    TOKEN_MECHANISMS,
    Dialogue,
    SaslError,
    bearer_error,
    choose,
    dialogue,
    encode_response,
    parse_challenge,
)
from smtpdoc.grammar.secret import HIDDEN, Secret
from smtpdoc.seams import Command, Session

#: RFC 5321 section 4.5.3.1.4, CRLF included. A longer initial response waits for the challenge (RFC 4954 section 4).
_COMMAND_LIMIT_BYTES = 512
# A server may send 334 for ever; no mechanism needs more turns than this.
_MAX_TURNS = 8
# Shorter responses ("", "%x01") hold no secret, and hiding them would hide half of every reply.
_HIDDEN_BYTES = 4


def unsafe_reason(session: Session, *, downgraded: bool, allowed: bool) -> str | None:
    """Return why a login must not be tried over this session, or None when it may.

    `allowed` lifts clear text and unverified certificates, but not a lost STARTTLS: whoever stands on the way and
    removed it would get the password.
    """
    if downgraded and not session.encrypted:
        return "no password goes over a connection that should have been encrypted: STARTTLS did not come about"
    if allowed:
        return None
    if not session.encrypted:
        return "no password goes over clear text; --allow-cleartext-auth sends it anyway"
    tls = session.tls
    if tls is None or not tls.trusted or not tls.name_matches:
        words = tls.verify_error if tls is not None and tls.verify_error else "it could not be verified"
        return f"no password goes to a server whose certificate does not verify ({words})"
    return None


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, with what; `mechanism` None lets the server's offer decide."""

    user: str
    secret: Secret
    token: bool
    mechanism: str | None

    def choose(self, offered: tuple[str, ...], *, encrypted: bool) -> str | Failure:
        """Return the mechanism to try, or why there is none."""
        if not offered:
            return _not_offered("AUTH is not offered", "auth-not-offered")
        listed = " ".join(offered)
        if self.mechanism is not None:
            if self.mechanism in offered:
                return self.mechanism
            return _not_offered(f"{self.mechanism} is not offered, only {listed}", "mechanism-not-offered")
        chosen = choose(offered, token=self.token, encrypted=encrypted)
        if chosen is None:
            what = "a token" if self.token else "a password"
            return _not_offered(f"none of the mechanisms offered takes {what}: {listed}", "mechanism-not-offered")
        return chosen

    async def run(self, session: Session, mechanism: str, note: Callable[[str], None]) -> Exchange:
        """Go through the mechanism; return one exchange with the final reply and the time of the whole."""
        # A SCRAM server proves with its last challenge that it knows the password, to whoever wants to guess it too.
        hide = mechanism.startswith("SCRAM-")
        steps = dialogue(mechanism, self.user, self.secret)
        initial = next(steps)
        command = f"AUTH {mechanism}"
        if initial is not None:
            encoded = self._encoded(session, initial) or "="
            if len(command) + len(encoded) + 3 <= _COMMAND_LIMIT_BYTES:
                command, initial = f"{command} {encoded}", None
        shown = f"AUTH {mechanism}" if command.endswith(mechanism) else f"AUTH {mechanism} {HIDDEN}"
        session.send(Command(Stage.AUTH, command, shown=shown, hide_challenge=hide))
        exchange = await session.reply()
        elapsed_s = exchange.elapsed_s
        for _ in range(_MAX_TURNS):
            if exchange.reply is None or exchange.reply.code != 334:
                break
            try:
                response = initial if initial is not None else self._next(steps, exchange.reply, mechanism, note)
            except SaslError as error:
                note(f"the server's challenge breaks {mechanism}: {error}; cancelled")
                session.send(Command(Stage.AUTH, "*"))
            else:
                encoded = self._encoded(session, response)
                session.send(Command(Stage.AUTH, encoded, shown=HIDDEN if encoded else "", hide_challenge=hide))
            initial = None
            exchange = await session.reply()
            elapsed_s += exchange.elapsed_s
        status = exchange.status
        if status is StageStatus.OK and exchange.reply is not None and exchange.reply.code != 235:
            status = StageStatus.REFUSED
        reply = exchange.reply
        if reply is not None and reply.code == 334:  # for ever, it seems
            reply = replace(reply, lines=(HIDDEN,), text=HIDDEN)
        return replace(exchange, command=shown, reply=reply, elapsed_s=elapsed_s, status=status)

    def _next(self, steps: Dialogue, reply: Reply, mechanism: str, note: Callable[[str], None]) -> bytes:
        """Return the answer to a challenge; raise SaslError when there is none."""
        challenge = parse_challenge(reply.lines[-1])
        if mechanism in TOKEN_MECHANISMS and (reason := bearer_error(challenge)) is not None:
            note(f"the server's reason for refusing the token: {reason}")
        try:
            return steps.send(challenge) or b""
        except StopIteration:
            raise SaslError(f"the end of {mechanism}", "another challenge") from None

    def _encoded(self, session: Session, response: bytes) -> str:
        """Return a response as it is sent, and have it hidden: it is as good as the secret it is made from."""
        encoded = encode_response(response)
        if len(response) >= _HIDDEN_BYTES and response != self.user.encode():
            session.hide(encoded, response.decode("utf-8", "surrogateescape"))
        return encoded


def _not_offered(detail: str, word: str) -> Failure:
    return Failure(FailureKind.PROTOCOL, Stage.AUTH, detail, word)
