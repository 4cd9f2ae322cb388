"""The mail server of the demo: aiosmtpd in our own event loop, with the replies that people meet out there."""

from __future__ import annotations

import asyncio
import hmac
import logging
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from smtpdoc.demo.certificate import ServerCertificate

SIZE_LIMIT_BYTES = 10_240_000  # Postfix's default
IDLE_TIMEOUT_S = 60.0

#: What a recipient of the demo's domain meets, by local part; any other is unknown. {address} is filled in.
RECIPIENTS = {
    "bob": "250 2.1.5 Ok",
    "postmaster": "250 2.1.5 Ok",
    "grey": "451 4.7.1 <{address}>: Recipient address rejected: Greylisting in action, please come back later",
    "full": "452 4.2.2 <{address}>: Recipient address rejected: Mailbox full",
    "blocked": (
        "554 5.7.1 Service unavailable; Client host [192.0.2.99] blocked using zen.spamhaus.org; "
        "https://www.spamhaus.org/query/ip/192.0.2.99"
    ),
}
_UNKNOWN = "550 5.1.1 <{address}>: Recipient address rejected: User unknown in local recipient table"
_RELAY_DENIED = "554 5.7.1 <{address}>: Relay access denied"
_AUTH_FAILED = "535 5.7.8 Error: authentication failed: (reason unavailable)"

_STARTTLS = {"220 Ready to start TLS": "220 2.0.0 Ready to start TLS"}  # aiosmtpd's words, and Postfix's

# aiosmtpd logs a warning about its own insides on every login; without any handler Python would print it on stderr.
logging.getLogger("mail.log").addHandler(logging.NullHandler())


class _Connection(SMTP):
    """One connection."""

    async def push(self, status: str | bytes) -> None:
        if isinstance(status, bytes):
            await super().push(status)
        else:
            await super().push(_STARTTLS.get(status, status))

    def abort(self) -> None:
        """Drop the connection at once, without a TLS farewell that the peer may never answer."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class _Session(Protocol):
    """The part of aiosmtpd's session that the demo reads."""

    host_name: str | None
    authenticated: bool | None


class _Envelope(Protocol):
    """The part of aiosmtpd's envelope that the demo fills."""

    mail_from: str | None
    rcpt_tos: list[str]


class _Policy:
    """aiosmtpd calls these by their names, and expects the arguments in this order."""

    def __init__(self, domain: str) -> None:
        self._domain = domain

    async def handle_EHLO(
        self, server: object, session: _Session, envelope: object, hostname: str, responses: Sequence[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:-1], "250 ENHANCEDSTATUSCODES"]

    async def handle_MAIL(
        self, server: object, session: object, envelope: _Envelope, address: str, options: object
    ) -> str:
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: object, session: _Session, envelope: _Envelope, address: str, options: object
    ) -> str:
        local_part, _, domain = address.lower().rpartition("@")
        if domain == self._domain:
            reply = RECIPIENTS.get(local_part, _UNKNOWN)
        else:
            reply = "250 2.1.5 Ok" if session.authenticated else _RELAY_DENIED
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply.format(address=address)

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        return "554 5.7.1 The demo takes no messages"

    async def handle_RSET(self, server: object, session: object, envelope: object) -> str:
        return "250 2.0.0 Ok"

    async def handle_QUIT(self, server: object, session: object, envelope: object) -> str:
        return "221 2.0.0 Bye"


class MailServer:
    """One listening server; `close` also drops the connections."""

    def __init__(self, host: str, domain: str, user: str, password: str, certificate: ServerCertificate) -> None:
        self._host = host
        self._policy = _Policy(domain)
        self._user = user.encode()
        self._password = password.encode()
        self._tls = _tls_context(certificate)
        self._listener: asyncio.Server | None = None
        self._connections: list[_Connection] = []

    async def listen(self, address: str) -> int:
        """Start on a free port of this address and return the port; raise OSError when that is not possible."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, address, 0)
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        for connection in self._connections:
            connection.abort()
        await asyncio.sleep(0)  # the loop tells the protocols, and they end their tasks and timers
        self._listener = None

    def _connection(self) -> _Connection:
        self._connections = [connection for connection in self._connections if connection.transport is not None]
        connection = _Connection(
            self._policy,
            hostname=self._host,
            ident="ESMTP Postfix",
            data_size_limit=SIZE_LIMIT_BYTES,
            tls_context=self._tls,
            authenticator=self._authenticate,
            timeout=IDLE_TIMEOUT_S,
            loop=asyncio.get_running_loop(),
        )
        self._connections.append(connection)
        return connection

    def _authenticate(
        self, server: object, session: object, envelope: object, mechanism: str, credentials: LoginPassword
    ) -> AuthResult:
        known = hmac.compare_digest(credentials.login, self._user)
        if hmac.compare_digest(credentials.password, self._password) and known:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=_AUTH_FAILED)


def _tls_context(certificate: ServerCertificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # ssl reads keys from files only; this one exists for as long as it takes.
    with tempfile.TemporaryDirectory(prefix="smtpdoc-demo-") as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_bytes(certificate.chain)
        key.write_bytes(certificate.key)
        context.load_cert_chain(chain, key)
    return context
