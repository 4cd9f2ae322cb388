"""A connection that is opened while the rest of the program is still being loaded.

Loading asyncio, TLS and the catalog takes longer than most round trips. Begun before that, the connection and the
server's greeting travel in the meantime. This module must stay cheap to import: socket and threading only.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# Only the first address is tried, and not for long: whatever fails here is tried again, in order, by the dialer.
_PATIENCE_S = 3.0


class EarlyConnection:
    """Looks a host up and connects to its first address, in a thread of its own that nobody has to wait for.

    `addresses` and `address` are set once `done`. The socket can be taken once; `close()` drops it if nobody did.
    """

    def __init__(self, host: str, port: int, *, family: int = socket.AF_UNSPEC, source_ip: str | None = None) -> None:
        self.host = host
        self.port = port
        self.source_ip = source_ip
        self.family = family
        self.addresses: tuple[str, ...] = ()
        self.address: str | None = None
        self.connect_s = 0.0
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._done = False
        self._closed = False
        self._callbacks: list[Callable[[], None]] = []
        threading.Thread(target=self._run, name="early connection", daemon=True).start()

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back once, from the thread, or now when it is over already."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback()

    def take(self, address: str, port: int, source_ip: str | None) -> socket.socket | None:
        """Return the open connection when it is the one that is wanted, and forget it."""
        with self._lock:
            if (address, port, source_ip) != (self.address, self.port, self.source_ip):
                return None
            taken, self._socket = self._socket, None
            return taken

    def close(self) -> None:
        """Drop the connection, also one that is not open yet."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _run(self) -> None:
        with suppress(OSError, UnicodeError):
            self._connect()
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, family=self.family, type=socket.SOCK_STREAM)
        self.addresses = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        family, kind, protocol, _, where = found[0]
        began = time.monotonic()
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_PATIENCE_S)
            if self.source_ip:
                connection.bind((self.source_ip, 0))
            connection.connect(where)
            connection.setblocking(False)
        except OSError:
            connection.close()
            raise
        with self._lock:
            if self._closed:
                connection.close()
                return
            self.connect_s = time.monotonic() - began
            self.address = self.addresses[0]
            self._socket = connection
