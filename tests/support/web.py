"""A web server for one policy file: Python's own HTTPS, in a thread."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.pki import server_context


@dataclass(slots=True)
class Site:
    """What it answers to everybody, and the requests that it has had: "GET path host"."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain"})
    requests: list[str] = field(default_factory=list)


@contextmanager
def https_site(site: Site, pki: Path, certificate: str = "good", *, address: str, port: int = 0) -> Iterator[int]:
    """Serve a site with a certificate of `pki.write_shelf`; yields the port."""
    context = server_context(pki, certificate)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append(f"GET {self.path} {self.headers['Host']}")
            self.send_response(site.status)
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(site.body)))
            self.end_headers()
            self.wfile.write(site.body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def get_request(self) -> tuple[ssl.SSLSocket, tuple[str, int]]:
            sock, peer = super().get_request()
            return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), peer

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not like our certificate goes away in the middle of the handshake."""

    with Server((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)
