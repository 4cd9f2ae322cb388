"""Questions on the wire: UDP with retransmission and fail-over, TCP where an answer does not fit.

dnspython's own asynchronous transport opens a socket for each question and, from dns.query on, imports every HTTP and
cryptography library that happens to be installed. This one keeps a few connected sockets per server instead.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import deque
from collections.abc import Sequence
from itertools import islice

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.net.dns_reader import read_answer
from smtpdoc.net.dns_values import Answer, Fault, Question, Truncated
from smtpdoc.net.nameservers import NameServer
from smtpdoc.net.window import Window

#: Sockets per server. Each has a port of its own from the kernel, and every question a random id on a random one of
#: them: a forged answer has to guess both (RFC 5452 section 9).
SOCKETS = 8
#: A silent question is sent again after this time, then after twice and four times it, to the next server in turn.
FIRST_RETRY_S = 0.8
_FIRST_RETRY_SHARE = 0.16  # of a budget too short for the above
_RECEIVE_BUFFER_BYTES = 1 << 20
_HANDFUL_BYTES = 512
#: So many questions without one sound from any server, and they are taken for dead: what follows is not asked, but for
#: one question now and then, which does not wait long either.
GIVE_UP_AFTER = 20
TRY_AGAIN_EVERY_S = 5.0
TRY_AGAIN_FOR_S = 0.5
#: With so many questions under way, REFUSED may mean "too many"; ask once more, about so much later.
BUSY_FROM = 50
BUSY_S = 0.3


class NoAnswerError(Exception):
    """No server answered the question; `status` is SERVFAIL or TIMEOUT, the message a sentence. Never leaves net/."""

    def __init__(self, status: LookupStatus, detail: str) -> None:
        self.status = status
        super().__init__(detail)


class _Dice:
    """Numbers that nobody can guess, fetched from the system by the handful."""

    def __init__(self) -> None:
        self._octets = iter(b"")

    def number(self, octets: int) -> int:
        drawn = bytes(islice(self._octets, octets))
        while len(drawn) < octets:
            self._octets = iter(secrets.token_bytes(_HANDFUL_BYTES))
            drawn = bytes(islice(self._octets, octets))
        return int.from_bytes(drawn, "big")


class _Conversation:
    """One question under way and the letters that came back for it."""

    __slots__ = ("_letters", "_waiter", "patient", "question", "sent", "strays")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.strays = 0
        self.patient = False  # has asked a busy server once more
        self.sent: list[tuple[_Socket, int]] = []
        self._letters: deque[tuple[NameServer, bytes | OSError]] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def deliver(self, server: NameServer, letter: bytes | OSError) -> None:
        self._letters.append((server, letter))
        self._wake()

    async def letter(self, until: float) -> tuple[NameServer, bytes | OSError] | None:
        """Return the next letter, or None when the loop's clock passes `until` first."""
        if not self._letters:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_at(until, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        return self._letters.popleft() if self._letters else None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self) -> None:
        for endpoint, message_id in self.sent:
            if endpoint.pending.get(message_id) is self:
                del endpoint.pending[message_id]


class _Socket(asyncio.DatagramProtocol):
    """A connected UDP socket: the kernel drops what does not come from the server's address and port."""

    def __init__(self, server: NameServer, dice: _Dice) -> None:
        self.server = server
        self._dice = dice
        self.pending: dict[int, _Conversation] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # only UDP comes here
        self._transport = transport

    def send(self, conversation: _Conversation, *, edns: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        message_id = self._dice.number(2)
        while message_id in self.pending:
            message_id = self._dice.number(2)
        self.pending[message_id] = conversation
        conversation.sent.append((self, message_id))
        self._transport.sendto(conversation.question.packet(message_id, edns=edns))

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        message_id = int.from_bytes(data[:2], "big")
        conversation = self.pending.get(message_id)
        if conversation is None:
            return
        if conversation.question.is_answered_by(data):
            del self.pending[message_id]  # one answer a query, or a chatty server could make us ask for ever
            conversation.deliver(self.server, data)
        else:
            conversation.strays += 1

    def error_received(self, exc: Exception) -> None:
        # "Port unreachable" and its like name no question; they are about the server, so everyone waiting hears it.
        if isinstance(exc, OSError):
            for conversation in tuple(self.pending.values()):
                conversation.deliver(self.server, exc)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class DnsTransport:
    """Asks a fixed list of servers, the one that answered last first."""

    def __init__(self, servers: Sequence[NameServer]) -> None:
        self.window = Window()
        self._servers = tuple(dict.fromkeys(servers))
        self._helpful: set[NameServer] = set()
        self._heard = False  # anything at all, from any server
        self._silences = 0
        self._try_again_at = 0.0
        self._preferred = 0
        self._sockets: dict[NameServer, tuple[_Socket, ...]] = {}
        self._opening = asyncio.Lock()
        self._dice = _Dice()

    @property
    def on_this_machine(self) -> bool:
        return all(server.on_this_machine for server in self._servers)

    async def ask(self, question: Question, timeout_s: float) -> Answer:
        """Return the first usable answer within the budget; raise NoAnswerError otherwise."""
        if not self._heard and self._silences >= GIVE_UP_AFTER:
            now = asyncio.get_running_loop().time()
            if now < self._try_again_at:
                servers = ", ".join(map(str, self._servers))
                detail = f"no answer from {servers} to {self._silences} questions before; this one was not asked"
                raise NoAnswerError(LookupStatus.TIMEOUT, detail)
            self._try_again_at = now + TRY_AGAIN_EVERY_S
            timeout_s = min(timeout_s, TRY_AGAIN_FOR_S)
        conversation = _Conversation(question)
        try:
            return await self._converse(conversation, timeout_s)
        finally:
            conversation.end()

    async def _converse(self, conversation: _Conversation, timeout_s: float) -> Answer:
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + timeout_s
        retry_s = min(FIRST_RETRY_S, timeout_s * _FIRST_RETRY_SHARE)
        faults: dict[NameServer, Fault] = {}
        without_edns: set[NameServer] = set()
        turn = self._preferred
        while len(faults) < len(self._servers):
            server = self._servers[turn % len(self._servers)]
            turn += 1
            if server in faults:
                continue
            sockets = self._sockets.get(server) or await self._reach(server, faults)
            if not sockets:
                continue
            # Eight of them, so that any octet chooses fairly.
            sockets[self._dice.number(1) % SOCKETS].send(conversation, edns=server not in without_edns)
            resend_at = min(started + retry_s, deadline)
            letter = await conversation.letter(resend_at)
            if letter is None:
                if loop.time() >= deadline:
                    break
                self.window.lost()
                retry_s *= 2
                continue
            self._heard = True
            sender, data = letter
            outcome = _read(data, conversation.question)
            if isinstance(outcome, Truncated):
                outcome = await _ask_over_tcp(sender, conversation.question, deadline)
            if isinstance(outcome, Answer):
                self.window.answered()
                self._helpful.add(sender)
                self._preferred = self._servers.index(sender)
                return outcome
            if outcome.refused and self._may_be_busy(sender) and not conversation.patient:
                self.window.lost()
                conversation.patient = True
                await asyncio.sleep(BUSY_S * (0.5 + secrets.randbits(8) / 256))
                continue
            if outcome.without_edns and sender not in without_edns:
                without_edns.add(sender)
                turn = self._servers.index(sender)
            else:
                faults[sender] = outcome
        raise self._no_answer(conversation, faults, timeout_s)

    def _may_be_busy(self, server: NameServer) -> bool:
        """A resolver that answers others may refuse one because it forwards so many at a time only."""
        return server in self._helpful and self.window.under_way >= BUSY_FROM

    async def _reach(self, server: NameServer, faults: dict[NameServer, Fault]) -> tuple[_Socket, ...]:
        """Open the server's sockets, or note why there are none."""
        try:
            return await self._open(server)
        except OSError as error:
            faults[server] = Fault(f"cannot be reached: {_reason(error)}")
            return ()

    async def _open(self, server: NameServer) -> tuple[_Socket, ...]:
        """Open the server's sockets; raise OSError where there is no way to it."""
        async with self._opening:
            if server in self._sockets:  # while we waited
                return self._sockets[server]
            opened = []
            try:
                for _ in range(SOCKETS):
                    opened.append(await _connected_socket(server, self._dice))  # noqa: PERF401 - closed below if a later one fails
            except (OSError, asyncio.CancelledError):
                for endpoint in opened:
                    endpoint.close()
                raise
            self._sockets[server] = tuple(opened)
            return self._sockets[server]

    def _no_answer(
        self, conversation: _Conversation, faults: dict[NameServer, Fault], timeout_s: float
    ) -> NoAnswerError:
        said = [f"{server} {fault.detail}" for server, fault in faults.items()]
        silent = [str(server) for server in self._servers if server not in faults]
        if silent:
            said.append(f"no answer from {', '.join(silent)} within {round(timeout_s, 2):g} s")
        if conversation.strays:
            said.append(f"{conversation.strays} answers to other questions were ignored")
        status = LookupStatus.SERVFAIL if faults else LookupStatus.TIMEOUT
        self._silences += not faults
        return NoAnswerError(status, "; ".join(said))

    def close(self) -> None:
        for sockets in self._sockets.values():
            for endpoint in sockets:
                endpoint.close()
        self._sockets.clear()


def _read(data: bytes | OSError, question: Question) -> Answer | Fault | Truncated:
    if isinstance(data, OSError):
        return Fault(f"cannot be reached: {_reason(data)}")
    return read_answer(data, question)


async def _connected_socket(server: NameServer, dice: _Dice) -> _Socket:
    # A literal address, so this asks nobody; it reads the zone index of fe80::1%eth0 for us. Bytes: text would go
    # through the idna codec, which takes a millisecond to load.
    family, _, _, _, address = socket.getaddrinfo(
        server.address.encode(), server.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    _, endpoint = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Socket(server, dice), sock=sock)
    return endpoint


async def _ask_over_tcp(server: NameServer, question: Question, deadline: float) -> Answer | Fault:
    message_id = secrets.randbits(16)
    packet = question.packet(message_id)
    try:
        async with asyncio.timeout_at(deadline):
            reader, writer = await asyncio.open_connection(server.address, server.port)
            try:
                writer.write(len(packet).to_bytes(2, "big") + packet)
                size = int.from_bytes(await reader.readexactly(2), "big")
                data = await reader.readexactly(size)
            finally:
                writer.close()
    except TimeoutError:
        return Fault("sent a truncated answer, and the whole one did not come over TCP in time")
    except asyncio.IncompleteReadError:
        return Fault("sent a truncated answer, and closed the TCP connection before the whole one")
    except OSError as error:
        return Fault(f"sent a truncated answer, and cannot be reached over TCP: {_reason(error)}")
    if data[:2] != message_id.to_bytes(2, "big") or not question.is_answered_by(data):
        return Fault("answered another question over TCP")
    match read_answer(data, question):
        case Truncated():
            return Fault("sent a truncated answer even over TCP")
        case outcome:
            return outcome


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
