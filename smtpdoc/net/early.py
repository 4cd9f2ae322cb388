"""A connection that is opened, and its greeting answered, while the rest of the program is still being loaded.

Loading asyncio, TLS and the catalog takes longer than most round trips. Begun before that, the connection, the server's
greeting and our EHLO travel in the meantime. This module must stay cheap to import: no typing, no dataclasses. Its
thread imports nothing: what the main thread has loaded by half, such as typing, it would find in that state.
"""

from __future__ import annotations

import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable

from smtpdoc.grammar.literal import address_literal

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6, None: socket.AF_UNSPEC}
#: Greetings that leave nothing to decide: whole, and every line says 220. Any other is left to the session.
_PLAIN_GREETING = re.compile(rb"(?:220-[^\r\n]{0,500}\r\n){0,20}220(?: [^\r\n]{0,500})?\r\n")
#: What a server says beyond this stays in the system's buffer until the session reads it.
_LIMIT_BYTES = 1 << 14


class Signal:
    """Something that happens once, in a thread; whoever wants to know is called back from there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._happened = False
        self._callbacks: list[Callable[[], None]] = []

    def when(self, callback: Callable[[], None]) -> None:
        """Call back once it has happened; now, when it has already."""
        with self._lock:
            if not self._happened:
                self._callbacks.append(callback)
                return
        callback()

    def happens(self) -> None:
        with self._lock:
            self._happened = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


class Word:
    """What was said (`ours`) or heard, and when, on the clock `time.monotonic`."""

    __slots__ = ("at", "data", "ours")

    def __init__(self, data: bytes, *, ours: bool) -> None:
        self.at = time.monotonic()
        self.data = data
        self.ours = ours


class Opened:
    """An open connection, since when, and what was said on it since, in order."""

    __slots__ = ("at", "socket", "words")

    def __init__(self, connection: socket.socket, at: float, words: list[Word]) -> None:
        self.socket = connection
        self.at = at
        self.words = words


class EarlyConnection:
    """Looks a host up and connects to its first address, in a thread of its own that nobody has to wait for.

    `addresses` or `lookup_error` is set once `looked_up`; `address` once `done`, if it is open. The connection, or the
    reason why there is none, can be taken once; `close()` drops what nobody took. How long to wait is up to the
    dialer: here only the system's own patience ends.

    With `helo`, a name for EHLO ("": our own), a plain greeting is answered with EHLO as soon as it comes. With None
    nothing is read or written here.
    """

    def __init__(
        self, host: str, port: int, *, family: str | None = None, source_ip: str | None = None, helo: str | None = None
    ) -> None:
        self.host = host
        self.port = port
        self.source_ip = source_ip
        self.family = family
        self.helo = helo
        self.looked_up = Signal()
        self.done = Signal()
        self.addresses: tuple[str, ...] = ()
        self.lookup_error: OSError | UnicodeError | None = None
        self.address: str | None = None
        self.begun_at = time.monotonic()
        self._error: OSError | None = None
        self._opened: Opened | None = None
        self._ear: _Ear | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="early connection", daemon=True)
        self._thread.start()

    def leads_to(self, address: str, port: int, source_ip: str | None, helo: str | None) -> bool:
        """Is this the connection that is wanted? Only to be asked when the addresses are known.

        `helo` is the name that the session will give in EHLO after the greeting, None when it will say something else.
        """
        place = (next(iter(self.addresses), None), self.port, self.source_ip)
        return place == (address, port, source_ip) and self.helo in (None, helo)

    def take(self, address: str, port: int, source_ip: str | None, helo: str | None) -> Opened | None:
        """Return the open connection when it is the one that is wanted, and forget it; raise why it did not open.

        To be called once it is `done`; nothing is read or written here from then on.
        """
        if not self.leads_to(address, port, source_ip, helo):
            return None
        self._stop_listening()
        with self._lock:
            taken, error, self._opened, self._error = self._opened, self._error, None, None
        if error is not None:
            raise error
        return taken

    def close(self) -> None:
        """Drop the connection, also one that is not open yet."""
        with self._lock:
            self._closed = True
        self._stop_listening()
        with self._lock:
            if self._opened is not None:
                self._opened.socket.close()
                self._opened = None

    def _stop_listening(self) -> None:
        with self._lock:
            ear, self._ear = self._ear, None
        if ear is not None:
            ear.stop()
            self._thread.join()
            ear.close()

    def _run(self) -> None:
        try:
            # Bytes: text would go through the idna codec, which takes longer to load than the answer to come.
            found = socket.getaddrinfo(
                self.host.encode(), self.port, family=FAMILIES[self.family], type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            self.lookup_error = error
        else:
            self.addresses = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        self.looked_up.happens()
        if self.addresses:
            self._connect(*found[0])
        ear = self._ear
        self.done.happens()
        if ear is not None:
            ear.listen()

    def _connect(self, family: int, kind: int, protocol: int, _: str, where: tuple[str | int | bytes, ...]) -> None:
        self.begun_at = time.monotonic()
        connection = socket.socket(family, kind, protocol)
        try:
            if self.source_ip:
                connection.bind((self.source_ip, 0))
            connection.connect(where)
            connection.setblocking(False)
        except OSError as error:
            connection.close()
            with self._lock:
                self._error = None if self._closed else error
            return
        with self._lock:
            if self._closed:
                connection.close()
                return
            self._opened = Opened(connection, time.monotonic(), [])
            self.address = self.addresses[0]
            if self.helo is not None and hasattr(select, "poll"):
                name = self.helo or helo_name(connection)
                self._ear = _Ear(self._opened, b"EHLO " + name.encode() + b"\r\n")


class _Ear:
    """Listens on a connection in one thread until another says that it is enough."""

    def __init__(self, opened: Opened, answer: bytes) -> None:
        self._connection = opened.socket
        self._words = opened.words
        self._answer = answer
        self._stopped, self._stop = os.pipe()

    def stop(self) -> None:
        os.write(self._stop, b".")

    def close(self) -> None:
        """Only when nobody listens any more."""
        os.close(self._stopped)
        os.close(self._stop)

    def listen(self) -> None:
        """Keep what comes, and give the answer after a plain greeting.

        An end, an error and whatever comes after them is for the session to find.
        """
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        heard = b""
        while len(heard) < _LIMIT_BYTES and poll.poll() == [(self._connection.fileno(), select.POLLIN)]:
            try:
                data = self._connection.recv(_LIMIT_BYTES - len(heard))
                if not data:
                    return
                self._words.append(Word(data, ours=False))
                heard += data
                if _PLAIN_GREETING.fullmatch(heard):
                    answer = Word(self._answer, ours=True)
                    self._connection.sendall(answer.data)
                    self._words.append(answer)
            except OSError:
                return


def helo_name(connection: socket.socket) -> str:
    """Return the name to give in EHLO (RFC 5321 section 4.1.4): never one that says nothing, like localhost."""
    return _own_name() or address_literal(str(connection.getsockname()[0]))


def _own_name() -> str:
    """Return our host name when it can be a name in DNS, else "". Never asks DNS: that can take half a minute."""
    name = socket.gethostname().strip(".").lower()
    private = (".local", ".localdomain", ".lan", ".internal", ".home", ".invalid")
    if "." not in name or name.startswith("localhost") or name.endswith(private) or is_literal(name):
        return ""
    return name if all(char.isascii() and (char.isalnum() or char in ".-") for char in name) else ""


def is_literal(host: str) -> bool:
    """Tell whether a host is an IP address, with or without a zone."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False
