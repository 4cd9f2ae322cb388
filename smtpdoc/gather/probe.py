"""One session with one server, step by step: what it was asked and what it answered. No verdicts here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smtpdoc.errors import ParseError
from smtpdoc.evidence.smtp import (
    Exchange,
    Failure,
    FailureKind,
    LineKind,
    MessageFacts,
    Stage,
    StageStatus,
    Transcript,
    version_name,
)
from smtpdoc.findings import Fact
from smtpdoc.gather.envelope import Envelope, Recipient
from smtpdoc.gather.options import ProbeOptions as ProbeOptions
from smtpdoc.gather.outcome import outcome
from smtpdoc.gather.questions import question
from smtpdoc.gather.record import Record, expecting, quit_command
from smtpdoc.gather.relay import RELAY_TO, made_up_name
from smtpdoc.grammar.address import parse_address
from smtpdoc.grammar.ehlo import MEANINGS, Capabilities, parse_ehlo
from smtpdoc.grammar.literal import address_literal
from smtpdoc.grammar.message import Message
from smtpdoc.grammar.secret import Secret
from smtpdoc.seams import Budget, Command, Dialer, Session, TlsPolicy, Watcher
from smtpdoc.target import SMTP_PORT, Target, domain_name

if TYPE_CHECKING:
    from smtpdoc.gather.old_tls import OldTls

#: With more addresses left to try, one that does not answer may not take all the time.
CONNECT_PATIENCE_S = 5.0


class Probe:
    """A session under way. `transcript()` may be asked for at any time, also after a cancellation."""

    def __init__(self, target: Target, options: ProbeOptions, dialer: Dialer, watcher: Watcher) -> None:
        self.target = target
        self.options = options
        self.recipients = tuple(parse_address(text) for text in options.recipients)
        self.reverse_path = None if options.mail_from is None else parse_address(options.mail_from, null_allowed=True)
        self.verify = tuple(question(text) for text in options.verify)
        self.expand = tuple(question(text) for text in options.expand)
        self.control_name = options.control_name or (made_up_name() if options.catch_all else None)
        self.relay_to = parse_address(options.relay_to or RELAY_TO) if options.relay_test else None
        self._envelope_made: Envelope | None = None
        self._helo = "" if options.helo is None else _helo_argument(options.helo)
        self._server_name = target.host if options.server_name is None else _server_name(options.server_name)
        self._dialer = dialer
        self._record = Record(watcher, self._at_s, lambda: self._session is not None and self._session.encrypted)
        self._budget = Budget(0.0, 0.0)
        self._session: Session | None = None
        self._address: str | None = None
        self._attempts: list[tuple[str, Failure]] = []
        self._before_tls: Capabilities | None = None
        self._after_tls: Capabilities | None = None
        self._mechanism: str | None = None
        self._old: OldTls | None = None
        self._tls_downgraded = False
        self._observed_at = datetime.now(UTC)
        self._ended_at: float | None = None
        self._over = False
        self._facts: dict[str, Fact] = {}

    @property
    def implicit(self) -> bool:
        return self.options.tls == "implicit" or (self.options.tls == "auto" and self.target.implicit_tls)

    @property
    def opportunistic(self) -> bool:
        """Clear text is better than nothing here (RFC 7435): between servers, or when the user says so."""
        mode = self.options.tls
        between_servers = self.options.between_servers or self.target.port == SMTP_PORT
        return not self.implicit and (mode in ("optional", "none") or (mode == "auto" and between_servers))

    @property
    def _capabilities(self) -> Capabilities | None:
        return self._after_tls or self._before_tls

    # The steps

    async def run(self, address: str | None = None, spent_s: float = 0.0) -> None:
        """Go through the session once; `spent_s` of its time went into finding the address."""
        now = self._dialer.now() - spent_s
        self._budget = Budget(now, now + self.options.timeout_s)
        try:
            await self._steps(address)
            self._over = True
        finally:
            self._ended_at = self._dialer.now()

    async def _steps(self, address: str | None) -> None:
        session = await self._connect(address)
        if session is None:
            return
        self._session = session
        if self.options.secret is not None and not self._usual(self.options.secret.reveal()):
            session.hide(self.options.secret.reveal())
        self._helo = self._helo or session.helo_name
        if self.implicit and not await self._shake_hands(session, None):
            return
        if await self._greeting(session) and self.options.wants("ehlo") and await self._hello(session, Stage.EHLO):
            await self._secured_part(session)
        await self._quit(session)

    def _usual(self, secret: str) -> bool:
        """Whether servers say this by themselves. Hidden before the login, it would make holes in what they offer, and
        the holes would spell it."""
        return secret.upper() in MEANINGS or secret.lower() in self.target.host.lower()

    async def _secured_part(self, session: Session) -> None:
        if self.options.wants("starttls") and not await self._starttls(session):
            return
        if self.options.wants_auth and self.options.wants("auth") and not await self._login(session):
            return
        await self._asked(session)
        if session.alive and self._wants_envelope and self.options.wants("mail"):
            await self._envelope(session)

    async def _connect(self, address: str | None) -> Session | None:
        if address is not None:
            found: tuple[str, ...] | Failure = (address,)
        else:
            found = await self._dialer.addresses(self.target.host, self.options.family, self._budget)
        if isinstance(found, Failure):
            self._failed_to_connect(found)
            return None
        for number, candidate in enumerate(found, 1):
            self._address = candidate
            began = self._begun(candidate)
            self._record.note(f"connecting to {self._place(candidate)}", at=began)
            outcome = await self._dialer.dial(
                candidate,
                self.target.port,
                host=self.target.host,
                tls=self._tls_policy(),
                source_ip=self.options.source_ip,
                budget=self._budget,
                patience_s=CONNECT_PATIENCE_S if number < len(found) else None,
                watcher=self._record,
                helo=self._first_words,
            )
            if not isinstance(outcome, Failure):
                self._record.note(f"connected to {candidate}", at=outcome.connected_at)
                self._record.exchange(Exchange(Stage.CONNECT, "", None, None, False, outcome.connected_at - began))
                return outcome
            if number == len(found):
                self._failed_to_connect(outcome, self._dialer.now() - began)
            else:
                self._attempts.append((candidate, outcome))
                self._record.note(outcome.detail, LineKind.ERROR)
        return None

    @property
    def _first_words(self) -> str | None:
        """The name for EHLO if that follows the greeting ("": our own), else None."""
        return None if self.implicit or not self.options.wants("ehlo") else self._helo

    def _begun(self, address: str) -> float:
        """Return when the connection to an address begins: now, or before, and then the session began with it."""
        options, now = self.options, self._dialer.now()
        ahead = self._dialer.begun_at(address, self.target.port, options.source_ip, self._first_words)
        if ahead is not None and not self._attempts:
            self._budget = Budget(ahead, ahead + options.timeout_s)
            return ahead
        return now

    def _failed_to_connect(self, failure: Failure, elapsed_s: float = 0.0) -> None:
        self._record.note(failure.detail, LineKind.ERROR)
        self._record.exchange(Exchange(Stage.CONNECT, "", None, failure, False, elapsed_s, status=StageStatus.FAILED))

    async def _greeting(self, session: Session) -> bool:
        exchange = expecting(await session.reply(), 220)
        self._record.exchange(exchange)
        return exchange.status is StageStatus.OK

    async def _hello(self, session: Session, stage: Stage) -> bool:
        """EHLO, and HELO where that is not understood (RFC 5321 section 3.2)."""
        session.send(Command(stage, f"EHLO {self._helo}"))
        return await self._hello_answered(session, stage)

    async def _hello_answered(self, session: Session, stage: Stage) -> bool:
        exchange = expecting(await session.reply(), 250)
        self._record.exchange(exchange)
        reply = exchange.reply
        if exchange.status is StageStatus.OK and reply is not None:
            self._keep_capabilities(stage, parse_ehlo(reply.lines))
            return True
        if reply is None or not reply.permanent or not session.alive:
            return False
        session.send(Command(stage, f"HELO {self._helo}"))
        exchange = expecting(await session.reply(), 250)
        self._record.exchange(exchange)
        if exchange.status is StageStatus.OK and exchange.reply is not None:
            # HELO's reply has no extensions, whatever its text looks like.
            self._keep_capabilities(stage, parse_ehlo(exchange.reply.lines[:1]))
            return True
        return False

    def _keep_capabilities(self, stage: Stage, capabilities: Capabilities) -> None:
        if stage is Stage.EHLO_TLS or self.implicit:
            self._after_tls = capabilities
        else:
            self._before_tls = capabilities

    async def _starttls(self, session: Session) -> bool:
        """Return whether the session may go on to AUTH and the envelope."""
        mode = self.options.tls
        if self.implicit or mode == "none":
            return True
        offered = self._before_tls is not None and "STARTTLS" in self._before_tls
        if not offered:
            detail = f"{self.target.host} does not offer STARTTLS"
            self._record.skip(Stage.STARTTLS, Failure(FailureKind.PROTOCOL, Stage.STARTTLS, detail, "starttls-missing"))
            return self._in_clear(detail)
        session.send(Command(Stage.STARTTLS, "STARTTLS"))
        exchange = expecting(await session.reply(), 220)
        self._record.exchange(exchange)
        if exchange.status is not StageStatus.OK:
            self._tls_downgraded = True
            return session.alive and self._in_clear(f"{self.target.host} did not start TLS")
        opening = Command(Stage.EHLO_TLS, f"EHLO {self._helo}")
        if not await self._shake_hands(session, opening):
            return False
        return await self._hello_answered(session, Stage.EHLO_TLS)

    def _in_clear(self, why: str) -> bool:
        """Go on without TLS? Only where that is usual or was allowed, and there is something left to do."""
        self._tls_downgraded = self._tls_downgraded or self.options.tls in ("auto", "starttls")
        if self.opportunistic:
            return True
        rest = [(Stage.AUTH, self.options.wants_auth and self.options.wants("auth"))]
        rest += [(Stage.MAIL, self._wants_envelope and self.options.wants("mail"))]
        for stage, wanted in rest:
            if wanted:
                hint = "; --tls optional sends it" if stage is Stage.MAIL else ""
                self._record.skip_unsafe(stage, f"{why}, so {stage.value.upper()} was not sent in clear{hint}")
        return False

    async def _shake_hands(self, session: Session, opening: Command | None) -> bool:
        exchange = await session.start_tls(opening)
        self._record.exchange(exchange)
        if exchange.failure is None:
            return True
        if exchange.failure.word in ("tls-failed", "tls-closed"):
            await self._look_for_old_tls()
        return False

    async def _look_for_old_tls(self) -> None:
        if self._address is None or self._budget.deadline <= self._dialer.now():
            return
        from smtpdoc.gather.look import Place
        from smtpdoc.gather.old_tls import look_for_old_tls

        place = Place(
            host=self.target.host,
            address=self._address,
            port=self.target.port,
            helo=self._helo,
            tls=self._tls_policy_wanted(),
            source_ip=self.options.source_ip,
            deadline=self._budget.deadline,
        )
        self._old = old = await look_for_old_tls(place, self._dialer)
        if old.tls is not None:
            works = version_name(old.tls.version)
            self._record.note(f"a second connection, with what is old allowed: {works} works")

    async def _login(self, session: Session) -> bool:
        # Only now: the mechanisms bring hashing and JSON with them.
        from smtpdoc.gather.login import Login, unsafe_reason

        options = self.options
        login = Login(
            user=options.auth_user or "",
            secret=options.secret or Secret(""),
            token=options.token,
            mechanism=None if options.auth_mechanism is None else options.auth_mechanism.upper(),
        )
        capabilities = self._capabilities
        reason = unsafe_reason(session, downgraded=self._tls_downgraded, allowed=options.allow_cleartext_auth)
        if reason is not None:
            self._record.skip_unsafe(Stage.AUTH, reason)
            return False
        chosen = login.choose(capabilities.auth_mechanisms if capabilities else (), encrypted=session.encrypted)
        if isinstance(chosen, Failure):
            self._record.skip(Stage.AUTH, chosen)
            return False
        self._mechanism = chosen
        exchange = await login.run(session, chosen, self._record.note)
        self._record.exchange(exchange)
        return exchange.status is StageStatus.OK

    # The envelope

    @property
    def _wants_envelope(self) -> bool:
        options = self.options
        wanted = bool(self.recipients) or self.reverse_path is not None or options.relay_test or options.has_parameters
        return wanted or self.options.quit_after in ("mail", "rcpt")

    async def _asked(self, session: Session) -> None:
        """VRFY and EXPN, where the user wants them."""
        if self.verify or self.expand:
            from smtpdoc.gather.questions import ask

            offered = self._capabilities
            utf8 = offered is not None and "SMTPUTF8" in offered
            await ask(session, self._record, self.verify, self.expand, utf8=utf8)

    async def _envelope(self, session: Session) -> None:
        options = self.options
        message = options.message if options.quit_after is None else None
        envelope = self._envelope_made = Envelope(session, options, self._record, self._capabilities, message)
        sender = self.reverse_path
        if sender is None:
            sender = self.reverse_path = envelope.own_sender(self._helo)
        if message is None:
            await envelope.run(sender, self.recipients, self._extra_recipients())
            return
        message = envelope.message = message.completed(str(sender), self._observed_at)
        # Nobody but the user's own recipients may get the message, so nobody else is named beside it.
        await envelope.run(sender, self.recipients, last=False)
        await self._send(session, envelope, message)

    def _extra_recipients(self) -> tuple[Recipient, ...]:
        """Whom the user did not name: controls at the recipients' domains, foreign ones for a relay test."""
        relay_to = self.relay_to if self.options.relay_test else None
        control_name = self.control_name if self.options.catch_all else None
        if relay_to is None and control_name is None:
            return ()
        from smtpdoc.gather.relay import extra_recipients

        # A domain that the server should take mail for when no recipient names one: its own name or address.
        own_domain = address_literal(self.target.host) if self.target.is_address else self.target.host
        return extra_recipients(self.recipients, control_name, relay_to, own_domain)

    async def _send(self, session: Session, envelope: Envelope, message: Message) -> None:
        """Hand the message over, if the envelope was accepted and nothing stands against it."""
        from smtpdoc.gather.message import Delivery, hand_over, not_sent, unsafe_transport

        offered = _keywords(self._capabilities) or {}
        allowed = self.opportunistic or self.options.allow_cleartext_auth
        required = self.options.require_tls
        if not envelope.accepted:
            not_sent(self._record, "no message was sent, since no recipient was accepted", "not-tried")
        elif (reason := Delivery(message, self.target.host, offered).obstacle(self.options)) is not None:
            not_sent(self._record, f"not sent: {reason}", "message-not-sent")
        elif (reason := unsafe_transport(session, clear_allowed=allowed, tls_required=required)) is not None:
            self._record.skip_unsafe(Stage.DATA, reason)
        else:
            await hand_over(session, self._record, message)

    async def _quit(self, session: Session) -> None:
        """Say goodbye, also after a refused greeting (RFC 5321 section 3.1)."""
        if not session.alive:
            return
        session.send(quit_command())
        self._record.exchange(await session.reply())
        session.close()

    def _at_s(self, at: float | None) -> float:
        return (self._dialer.now() if at is None else at) - self._budget.started

    def _place(self, address: str) -> str:
        host = self.target.host
        return f"{self.target}" if address == host else f"{self.target} at {address}"

    def _tls_policy_wanted(self) -> TlsPolicy:
        options = self.options
        return TlsPolicy(
            server_name=self._server_name,
            implicit=self.implicit,
            ca_file=options.ca_file,
            client_cert=options.client_cert,
            client_key=options.client_key,
        )

    def _tls_policy(self) -> TlsPolicy | None:
        """None where TLS cannot come up: then no roots are read for nothing."""
        needed = self.implicit or (self.options.tls != "none" and self.options.wants("starttls"))
        return self._tls_policy_wanted() if needed else None

    def _declared_size(self) -> int | None:
        message = None if self._envelope_made is None else self._envelope_made.message
        return self.options.size_bytes if message is None else len(message.data)

    def note(self, text: str) -> None:
        """Write a line about the session into its transcript."""
        self._record.note(text)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def transcript(self) -> Transcript:
        """Return what has happened so far."""
        session, envelope, old = self._session, self._envelope_made, self._old
        exchanges = tuple(self._record.exchanges)
        address = self._address
        return Transcript(
            host=self.target.host,
            address=address,
            port=self.target.port,
            family=None if address is None else "ipv6" if ":" in address else "ipv4",
            tls_mode="implicit" if self.implicit else self.options.tls,
            outcome=outcome(exchanges, over=self._over),
            exchanges=exchanges,
            lines=tuple(self._record.lines),
            capabilities_before_tls=_keywords(self._before_tls),
            capabilities_after_tls=_keywords(self._after_tls),
            tls=session.tls if session is not None else None,
            round_trips=sum(one.round_trips for one in (session, old) if one is not None),
            elapsed_s=max(
                0.0, (self._dialer.now() if self._ended_at is None else self._ended_at) - self._budget.started
            ),
            observed_at=self._observed_at,
            facts=self._facts,
            helo=self._helo,
            mail_from=None if self.reverse_path is None else str(self.reverse_path),
            auth_user=self.options.auth_user if self.options.wants_auth else None,
            auth_mechanism=self._mechanism,
            opportunistic=self.opportunistic,
            cert_days=self.options.cert_days,
            unsolicited=session.unsolicited if session is not None else (),
            legacy_tls=old.tls.version if old is not None and old.tls is not None else None,
            attempts=tuple(self._attempts),
            parameters=() if envelope is None else envelope.parameters,
            withheld=() if envelope is None else envelope.withheld,
            declared_size_bytes=self._declared_size(),
            relay_to=None if self.relay_to is None else str(self.relay_to),
            message=None if envelope is None else _message_facts(envelope.message),
            source_address=session.local_address if session is not None else None,
            legacy_cipher=old.tls.cipher if old is not None and old.tls is not None else None,
        )


def _message_facts(message: Message | None) -> MessageFacts | None:
    return None if message is None else MessageFacts(len(message.data), message.added, message.notes)


def _helo_argument(name: str) -> str:
    """A name for EHLO as typed, a U-label as A-label: nothing that ends the line or adds an argument."""
    if not name.isascii():
        return domain_name(name)
    if not name or any(not "!" <= char <= "~" for char in name):
        raise ParseError("a host name or an address literal for EHLO", name)
    return name


def _server_name(name: str) -> str:
    """A name for SNI and verification as typed: a domain or an address; raises TargetError."""
    literal = name.strip("[]")
    return literal if Target(literal, SMTP_PORT).is_address else domain_name(name)


def _keywords(capabilities: Capabilities | None) -> Mapping[str, str] | None:
    return None if capabilities is None else capabilities.keywords
