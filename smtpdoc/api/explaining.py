"""Explaining the replies of a session one after the other, while it happens or when it is replayed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smtpdoc.evidence.smtp import Exchange, Stage

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog
    from smtpdoc.evidence.explanation import Explanation

#: Logins in which no password was given: advice on passwords would lead astray, and the findings say what helps.
_WITHOUT_PASSWORD = ("AUTH XOAUTH2", "AUTH OAUTHBEARER", "AUTH EXTERNAL")


class Explainer:
    """Explains each reply as an answer to its stage.

    What the greeting tells of the server's software or provider is a hint for the replies after it; `server`
    (host:port) and `login` stand in the commands that an explanation advises.
    """

    def __init__(self, catalog: UserCatalog | None = None, server: str | None = None, login: str | None = None) -> None:
        self._catalog = catalog
        self._server = server
        self._login = login
        self._provider: str | None = None

    def explained(self, exchange: Exchange) -> Exchange:
        """Return an exchange with its explanation; as it is where there was no reply."""
        if exchange.stage is Stage.GREETING:
            self._provider = _told_by_greeting(exchange)
        if exchange.reply is None:
            return exchange
        from smtpdoc.catalog.explain import explain  # the catalog is loaded while the server is busy, not before

        stage = None if exchange.stage is Stage.OTHER else str(exchange.stage)
        found = explain(exchange.reply, stage=stage, provider=self._provider, catalog=self._catalog)
        return replace(exchange, explanation=self._fitting(found, exchange))

    def _fitting(self, explanation: Explanation, exchange: Exchange) -> Explanation:
        """Return an explanation with advice for this session."""
        if exchange.command.startswith(_WITHOUT_PASSWORD) and not explanation.reply.positive:
            return replace(explanation, steps=(), commands=())
        if not explanation.commands or self._server is None:
            return explanation
        from smtpdoc.catalog.advice import in_session

        commands = in_session(explanation.commands, self._server, self._login, exchange.recipient)
        return replace(explanation, commands=commands)


def _told_by_greeting(exchange: Exchange) -> str | None:
    """Return the provider or server software that a greeting tells, or None."""
    if exchange.reply is None or not exchange.reply.positive:
        return None
    from smtpdoc.catalog.providers import recognise_greeting

    return recognise_greeting(exchange.reply.text)
