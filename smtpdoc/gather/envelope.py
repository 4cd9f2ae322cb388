"""The envelope: MAIL FROM and RCPT TO with their parameters, pipelined where that is offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smtpdoc.errors import TargetError
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Purpose, Stage, StageStatus, Withheld
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.record import Record, expecting, quit_command
from smtpdoc.grammar.address import NULL, Address, parse_address
from smtpdoc.grammar.ehlo import Capabilities
from smtpdoc.grammar.message import Message
from smtpdoc.grammar.parameters import Parameter, Wishes, mail_parameters, rcpt_parameters
from smtpdoc.seams import Command, Session
from smtpdoc.target import domain_name

# MAIL and RCPT lines that leave in one segment; a full TCP window on both sides would be a deadlock for blocking
# clients, and is at least impolite (RFC 2920 section 3.1).
_GROUP_LIMIT = 50
_GOODBYE = 221


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to try: the address as it is told, the path as it is sent, and why, if the user did not name it."""

    address: str
    path: str
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """A command of the transaction, and what it is for beside the user's own question."""

    command: Command
    purpose: Purpose | None = None


class Envelope:
    """One mail transaction up to the last RCPT TO. `parameters` and `withheld` tell afterwards what was said beside
    the addresses; `accepted` tells whether sender and at least one of the user's recipients were."""

    def __init__(
        self,
        session: Session,
        options: ProbeOptions,
        record: Record,
        capabilities: Capabilities | None,
        message: Message | None = None,
    ) -> None:
        self.parameters: tuple[str, ...] = ()
        self.withheld: tuple[Withheld, ...] = ()
        self.accepted = False
        self._session = session
        self._options = options
        self.message = message
        self._record = record
        self._offered = {} if capabilities is None else capabilities.keywords
        self._mail_accepted = True

    def own_sender(self, helo: str) -> Address:
        """Return the reverse-path when none was given: the login where that is an address, since submission servers
        let a user send as himself only; else postmaster at our EHLO name, the one mailbox that every domain has
        (RFC 5321 section 4.5.1); else the null reverse-path, when that name is an address literal."""
        user = self._options.auth_user
        if user and "@" in user and self._record.logged_in:
            return parse_address(user)
        return NULL if helo.startswith("[") else parse_address(f"postmaster@{helo}")

    async def run(
        self, sender: Address, recipients: Sequence[Address], extra: Sequence[Recipient] = (), *, last: bool = True
    ) -> None:
        """Ask for the sender, the recipients and the extra ones. `last`: nothing but QUIT follows, which may then go
        along."""
        spoken = self._spoken(sender)
        if spoken is None:
            self._unspeakable(Command(Stage.MAIL, f"MAIL FROM:{sender.path}"))
            return
        wanted: list[Recipient] = list(extra)
        unspeakable: list[Command] = []
        utf8 = not spoken.ascii
        for place, one in enumerate(recipients):
            if (sayable := self._spoken(one)) is None:
                unspeakable.append(Command(Stage.RCPT, f"RCPT TO:{one.path}", recipient=str(one)))
            else:
                utf8 = utf8 or not sayable.ascii
                wanted.insert(place - len(unspeakable), Recipient(str(one), sayable.path))
        steps = self._steps(spoken, wanted if self._options.wants("rcpt") else [], utf8=utf8)
        if "PIPELINING" in self._offered:
            await self._pipelined(steps, last=last and not unspeakable)
        else:
            await self._one_by_one(steps)
        for command in unspeakable:
            self._unspeakable(command)

    def _spoken(self, address: Address) -> Address | None:
        """Return an address as this server can be told it: with its domain in A-labels where SMTPUTF8 is not offered
        (RFC 6531 section 3.7.1 leaves that to us), or None where the mailbox's own name needs it."""
        if address.ascii or "SMTPUTF8" in self._offered:
            return address
        if not address.local_part.isascii():
            return None
        try:
            return Address(address.local_part, domain_name(address.domain))
        except TargetError:
            return None

    def _unspeakable(self, command: Command) -> None:
        detail = "not sent: the address is not in ASCII, and SMTPUTF8 is not offered"
        failure = Failure(FailureKind.PROTOCOL, command.stage, detail, "smtputf8-not-offered")
        self._record.skip(command.stage, failure, command)

    def _steps(self, sender: Address, recipients: Sequence[Recipient], *, utf8: bool) -> list[_Step]:
        wishes = replace(self._wishes(), utf8=utf8)
        mail = self._said(mail_parameters(wishes, self._offered))
        steps = [_Step(Command(Stage.MAIL, f"MAIL FROM:{sender.path}{mail}"))]
        for one in recipients:
            # A recipient that nobody named gets no notification wishes: its reply is all that is wanted.
            rcpt = self._said(rcpt_parameters(wishes, self._offered, one.path)) if one.purpose is None else ""
            command = Command(Stage.RCPT, f"RCPT TO:{one.path}{rcpt}", recipient=one.address)
            steps.append(_Step(command, one.purpose))
        return steps

    def _wishes(self) -> Wishes:
        options, message = self._options, self.message
        size_bytes, body = options.size_bytes, options.body
        if message is not None:
            size_bytes = len(message.data) if "SIZE" in self._offered else None
            body = "binarymime" if message.binary else body or ("8bitmime" if message.eight_bit else None)
        return Wishes(
            size_bytes=size_bytes,
            body=body,
            notify=options.dsn_notify,
            returns=options.dsn_ret,
            envelope_id=options.dsn_envid,
            original_recipient=options.dsn_orcpt,
            require_tls=options.require_tls,
        )

    def _said(self, parameters: Sequence[Parameter]) -> str:
        """Note which parameters are sent and which are not; return the former as they follow the path."""
        sent, held = [], []
        for one in parameters:
            if not one.sent:
                held.append(Withheld(one.text, one.keyword))
            elif one.keyword == "REQUIRETLS" and not self._verified:  # RFC 8689 section 4.2.1
                held.append(Withheld(one.text, one.keyword, "it wants verified TLS from here on, and this is none"))
            else:
                sent.append(one.text)
        self.parameters += tuple(text for text in sent if text not in self.parameters)
        self.withheld += tuple(one for one in held if one not in self.withheld)
        return "".join(f" {text}" for text in sent)

    @property
    def _verified(self) -> bool:
        tls = self._session.tls
        return self._session.encrypted and tls is not None and tls.trusted and tls.name_matches

    async def _pipelined(self, steps: Sequence[_Step], *, last: bool) -> None:
        """All in one go, QUIT last (RFC 2920 section 3.1): two round trips less."""
        session = self._session
        for start in range(0, len(steps), _GROUP_LIMIT):
            group = steps[start : start + _GROUP_LIMIT]
            commands = [step.command for step in group]
            if last and start + _GROUP_LIMIT >= len(steps):
                commands.append(quit_command())
            session.send(*commands)
            for place, step in enumerate(group):
                exchange = await session.reply()
                if exchange.reply is not None and exchange.reply.code == _GOODBYE:
                    self._goodbye(exchange, steps[start + place :], quit_sent=len(commands) > len(group))
                    return
                self._answered(exchange, step.purpose)
        if last:
            self._record.exchange(await session.reply())
            session.close()

    def _goodbye(self, exchange: Exchange, unanswered: Sequence[_Step], *, quit_sent: bool) -> None:
        """Keep a 221 for what it is. It answers QUIT and nothing else (RFC 5321 section 4.3.2), so whoever sends it
        earlier has left commands unanswered, and nobody can say which."""
        count = f"{len(unanswered)} command{'s' if len(unanswered) > 1 else ''}"
        detail = f"the server said goodbye (221) with {count} unanswered, so which answer is whose is not certain"
        for step in unanswered:
            command = step.command
            failure = Failure(FailureKind.PROTOCOL, command.stage, detail, "replies-missing")
            failed = replace(exchange, stage=command.stage, command=command.visible, recipient=command.recipient)
            failed = replace(failed, reply=None, failure=failure, status=StageStatus.FAILED, purpose=step.purpose)
            self._record.exchange(failed)
        if quit_sent:
            self._record.exchange(replace(exchange, stage=Stage.QUIT, command="QUIT", recipient=None))
        self._session.close()

    async def _one_by_one(self, steps: Sequence[_Step]) -> None:
        session = self._session
        for step in steps:
            if self._mail_accepted and session.alive:
                session.send(step.command)
                self._answered(await session.reply(), step.purpose)
                continue
            detail = "not tried, since MAIL FROM was not accepted" if not self._mail_accepted else "not tried any more"
            failure = Failure(FailureKind.PROTOCOL, step.command.stage, detail, "not-tried")
            self._record.skip(step.command.stage, failure, step.command, step.purpose)

    def _answered(self, exchange: Exchange, purpose: Purpose | None) -> None:
        """Keep an answer. A recipient's answer without an accepted sender says nothing about the recipient."""
        codes = (250,) if exchange.stage is Stage.MAIL else (250, 251, 252)
        exchange = replace(expecting(exchange, *codes), purpose=purpose)
        ok = exchange.status is StageStatus.OK
        if exchange.stage is Stage.MAIL:
            self._mail_accepted = ok
        elif not self._mail_accepted and exchange.reply is not None:
            exchange = replace(exchange, status=StageStatus.SKIPPED)
        elif ok and purpose is None:
            self.accepted = True
        self._record.exchange(exchange)
