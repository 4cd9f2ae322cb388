"""A connection that is opened while the rest of the program is still being loaded.

Loading asyncio, TLS and the catalog takes longer than most round trips. Begun before that, the connection and the
server's greeting travel in the meantime. This module must stay cheap to import: socket and threading only.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6, None: socket.AF_UNSPEC}


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


class EarlyConnection:
    """Looks a host up and connects to its first address, in a thread of its own that nobody has to wait for.

    `addresses` or `lookup_error` is set once `looked_up`; `address` once `done`, if it is open. The socket, or the
    reason why there is none, can be taken once; `close()` drops what nobody took. How long to wait is up to the
    dialer: here only the system's own patience ends.
    """

    def __init__(self, host: str, port: int, *, family: str | None = None, source_ip: str | None = None) -> None:
        self.host = host
        self.port = port
        self.source_ip = source_ip
        self.family = family
        self.looked_up = Signal()
        self.done = Signal()
        self.addresses: tuple[str, ...] = ()
        self.lookup_error: OSError | UnicodeError | None = None
        self.address: str | None = None
        self.connect_s = 0.0
        self._error: OSError | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._run, name="early connection", daemon=True).start()

    def leads_to(self, address: str, port: int, source_ip: str | None) -> bool:
        """Is this the connection that is wanted? Only to be asked when the addresses are known."""
        return (address, port, source_ip) == (next(iter(self.addresses), None), self.port, self.source_ip)

    def take(self, address: str, port: int, source_ip: str | None) -> socket.socket | None:
        """Return the open connection when it is the one that is wanted, and forget it; raise why it did not open."""
        with self._lock:
            if not self.leads_to(address, port, source_ip):
                return None
            taken, error, self._socket, self._error = self._socket, self._error, None, None
        if error is not None:
            raise error
        return taken

    def close(self) -> None:
        """Drop the connection, also one that is not open yet."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                self._socket.close()
                self._socket = None

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
        self.done.happens()

    def _connect(self, family: int, kind: int, protocol: int, _: str, where: tuple[str | int | bytes, ...]) -> None:
        began = time.monotonic()
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
            self.connect_s = time.monotonic() - began
            self.address = self.addresses[0]
            self._socket = connection
