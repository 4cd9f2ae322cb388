"""The envelope: MAIL FROM and RCPT TO, pipelined where that is offered. The message itself is another step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus
from smtpdoc.gather.options import ProbeOptions
from smtpdoc.gather.record import Record, expecting, quit_command
from smtpdoc.grammar.address import NULL, Address, parse_address
from smtpdoc.grammar.ehlo import Capabilities
from smtpdoc.seams import Command, Session

# MAIL and RCPT lines that leave in one segment; a full TCP window on both sides would be a deadlock for blocking
# clients, and is at least impolite (RFC 2920 section 3.1).
_GROUP_LIMIT = 50


class Envelope:
    """One mail transaction up to the last RCPT TO."""

    def __init__(
        self,
        session: Session,
        options: ProbeOptions,
        record: Record,
        capabilities: Capabilities | None,
        recipients: Sequence[Address],
    ) -> None:
        self._session = session
        self._options = options
        self._record = record
        self._capabilities = capabilities
        self._recipients = recipients

    def own_sender(self, helo: str) -> Address:
        """Return the reverse-path when none was given: the login where that is an address, since submission servers
        let a user send as himself only; else postmaster at our EHLO name, the one mailbox that every domain has
        (RFC 5321 section 4.5.1); else the null reverse-path, when that name is an address literal."""
        user = self._options.auth_user
        if user and "@" in user and self._record.logged_in:
            return parse_address(user)
        return NULL if helo.startswith("[") else parse_address(f"postmaster@{helo}")

    async def run(self, sender: Address) -> None:
        commands = [Command(Stage.MAIL, f"MAIL FROM:{sender.path}{self._parameters(sender)}")]
        if self._options.wants("rcpt"):
            commands += [Command(Stage.RCPT, f"RCPT TO:{one.path}", recipient=str(one)) for one in self._recipients]
        if self._offers("PIPELINING"):
            await self._pipelined(commands)
        else:
            await self._one_by_one(commands)

    def _offers(self, keyword: str) -> bool:
        return self._capabilities is not None and keyword in self._capabilities

    def _parameters(self, sender: Address) -> str:
        needed = not (sender.ascii and all(recipient.ascii for recipient in self._recipients))
        return " SMTPUTF8" if needed and self._offers("SMTPUTF8") else ""

    async def _pipelined(self, commands: Sequence[Command]) -> None:
        """All in one go, QUIT last (RFC 2920 section 3.1): two round trips less."""
        session = self._session
        mail_accepted = True
        for start in range(0, len(commands), _GROUP_LIMIT):
            group = commands[start : start + _GROUP_LIMIT]
            if start + _GROUP_LIMIT >= len(commands):
                session.send(*group, quit_command())
            else:
                session.send(*group)
            for _ in group:
                mail_accepted = self._answered(await session.reply(), mail_accepted)
        self._record.exchange(await session.reply())
        session.close()

    async def _one_by_one(self, commands: Sequence[Command]) -> None:
        session = self._session
        mail_accepted = True
        for command in commands:
            if not mail_accepted or not session.alive:
                detail = "not tried, since MAIL FROM was not accepted" if not mail_accepted else "not tried any more"
                failure = Failure(FailureKind.PROTOCOL, command.stage, detail, "not-tried")
                self._record.skip(command.stage, failure, command)
                continue
            session.send(command)
            mail_accepted = self._answered(await session.reply(), mail_accepted)

    def _answered(self, exchange: Exchange, mail_accepted: bool) -> bool:
        """Keep an answer; return whether the sender has been accepted. A recipient's answer without an accepted
        sender says nothing about the recipient."""
        codes = (250,) if exchange.stage is Stage.MAIL else (250, 251, 252)
        exchange = expecting(exchange, *codes)
        if exchange.stage is Stage.RCPT and not mail_accepted and exchange.reply is not None:
            exchange = replace(exchange, status=StageStatus.SKIPPED)
        self._record.exchange(exchange)
        return exchange.status is StageStatus.OK if exchange.stage is Stage.MAIL else mail_accepted
