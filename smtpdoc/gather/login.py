"""AUTH: one mechanism, one attempt (RFC 4954). Failed attempts count towards lock-outs, so there is never a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus
from smtpdoc.grammar.reply import Reply
from smtpdoc.grammar.sasl import (
    MECHANISMS,
    TOKEN_MECHANISMS,
    Dialogue,
    ProofError,
    SaslError,
    bearer_error,
    choose,
    dialogue,
    encode_response,
    parse_challenge,
    scram_error,
)
from smtpdoc.grammar.secret import HIDDEN, Mask, Secret
from smtpdoc.seams import Command, Session

#: RFC 5321 section 4.5.3.1.4, CRLF included. A longer initial response waits for the challenge (RFC 4954 section 4).
_COMMAND_LIMIT_BYTES = 512
#: What the client says that holds no secret: nothing, and the answer to an error of OAUTHBEARER.
_EMPTY = (b"", b"\1")
_SHORT_BYTES = 8


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
        if self.mechanism is not None and self.mechanism not in MECHANISMS:
            known = " ".join(MECHANISMS)
            return _not_tried(f"{self.mechanism} is no mechanism that smtpdoc has, only {known}", "mechanism-unknown")
        if not offered:
            return _not_tried("AUTH is not offered", "auth-not-offered")
        listed = " ".join(offered)
        if self.mechanism is not None:
            if self.mechanism in offered:
                return self.mechanism
            return _not_tried(f"{self.mechanism} is not offered, only {listed}", "mechanism-not-offered")
        chosen = choose(offered, token=self.token, encrypted=encrypted)
        if chosen is None:
            what = "a token" if self.token else "a password"
            return _not_tried(f"none of the mechanisms offered takes {what}: {listed}", "mechanism-not-offered")
        return chosen

    async def run(self, session: Session, mechanism: str, note: Callable[[str], None]) -> Exchange:
        """Go through the mechanism; return one exchange with the final reply and the time of the whole."""
        attempt = _Attempt(self, session, mechanism, note)
        return await attempt.run()


class _Attempt:
    """A login under way."""

    def __init__(self, login: Login, session: Session, mechanism: str, note: Callable[[str], None]) -> None:
        self._login = login
        self._session = session
        self._mechanism = mechanism
        self._note = note
        self._steps: Dialogue = dialogue(mechanism, login.user, login.secret)
        self._elapsed_s = 0.0
        self._shown = f"AUTH {mechanism}"
        self._mask = Mask()
        self._secret = login.secret.reveal()
        self._mask.add(self._secret)

    async def run(self) -> Exchange:
        # Not before: what the server said until now are its own words, whatever the secret is.
        if self._secret and self._secret != self._login.user:
            self._session.hide(self._secret)
        initial = next(self._steps)
        command = self._shown
        if initial is not None:
            encoded = self._encoded(initial) or "="
            if len(command) + len(encoded) + 3 <= _COMMAND_LIMIT_BYTES:
                command, initial = f"{command} {encoded}", None
                self._shown += f" {HIDDEN}"
        exchange = await self._say(command, self._shown)
        while exchange.reply is not None and exchange.reply.code == 334:
            try:
                response = self._answer(exchange.reply) if initial is None else initial
            except SaslError as error:
                return await self._break_off(error)
            initial = None
            encoded = self._encoded(response)
            exchange = await self._say(encoded, HIDDEN if encoded else "")
        reply, status = exchange.reply, exchange.status
        if reply is not None and status is StageStatus.OK:
            if reply.code != 235:
                status = StageStatus.REFUSED
            elif (unproven := self._unproven(reply)) is not None:
                return self._broken(exchange, unproven)
        return replace(exchange, command=self._shown, elapsed_s=self._elapsed_s, status=status)

    async def _say(self, text: str, shown: str) -> Exchange:
        # A SCRAM server proves with its last challenge that it knows the password, to whoever wants to guess it too.
        hide = self._mechanism.startswith("SCRAM-")
        self._session.send(Command(Stage.AUTH, text, shown=shown, hide_challenge=hide))
        exchange = await self._session.reply()
        self._elapsed_s += exchange.elapsed_s
        return exchange

    def _answer(self, reply: Reply) -> bytes:
        """Return the answer to a challenge; raise SaslError when there is none."""
        challenge = parse_challenge(reply.lines[-1])
        if self._mechanism in TOKEN_MECHANISMS and (reason := bearer_error(challenge)) is not None:
            self._tell(f"the server's reason for refusing the token: {reason}")
        if self._mechanism.startswith("SCRAM-") and (reason := scram_error(challenge)) is not None:
            self._tell(f"the server's reason for refusing the login: {reason}")
        try:
            return self._steps.send(challenge) or b""
        except StopIteration:
            raise SaslError(f"it asks on where {self._mechanism} is at its end") from None

    def _unproven(self, reply: Reply) -> SaslError | None:
        """Return what is wrong with an acceptance: a server that has to show that it knows the password skips that."""
        try:
            data = parse_challenge(reply.lines[-1])
        except SaslError:
            data = b""  # words, as mostly
        try:
            while True:  # whatever it still has to say is not sent: the server asks for no more
                self._steps.send(data)
                data = b""
        except SaslError:
            return ProofError()
        except StopIteration:
            return None

    async def _break_off(self, error: SaslError) -> Exchange:
        self._tell(f"the server breaks {self._mechanism}: {error}; broken off")
        return self._broken(await self._say("*", "*"), error)

    def _broken(self, exchange: Exchange, error: SaslError) -> Exchange:
        """Return the exchange without its reply, which only answers that we broke off, or accepts what we do not."""
        word = "server-unproven" if isinstance(error, ProofError) else "sasl-broken"
        detail = self._masked(f"the server breaks {self._mechanism}: {error}")
        failure = Failure(FailureKind.PROTOCOL, Stage.AUTH, detail, word)
        return replace(
            exchange,
            command=self._shown,
            reply=None,
            failure=failure,
            elapsed_s=self._elapsed_s,
            status=StageStatus.FAILED,
        )

    def _tell(self, text: str) -> None:
        self._note(self._masked(text))

    def _masked(self, text: str) -> str:
        """Return a text with the secret taken out: a challenge may give it back, and we have just decoded it."""
        return self._mask(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _encoded(self, response: bytes) -> str:
        """Return a response as it is sent, and have hidden what is made from the secret."""
        encoded = encode_response(response)
        user, secret = (text.encode("utf-8", "surrogateescape") for text in (self._login.user, self._secret))
        name_only = response == user or response.startswith(b"n,,n=")  # SCRAM's first message
        if response in _EMPTY or name_only:
            return encoded
        if secret not in response:
            self._session.hide(encoded, response.decode("utf-8", "surrogateescape"))
        if len(secret) < _SHORT_BYTES:  # too little to be found within other base64
            self._session.hide(encoded)
        return encoded


def _not_tried(detail: str, word: str) -> Failure:
    return Failure(FailureKind.PROTOCOL, Stage.AUTH, detail, word)
