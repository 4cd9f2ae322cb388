"""What `smtpdoc demo` talks to: a mail server and a small DNS, both in this process, on loopback."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

from smtpdoc.demo.certificate import make_certificate
from smtpdoc.demo.server import MailServer

ADDRESS = "127.0.0.1"
HOST = "mail.example.net"  # as in the certificate, the greeting and the zone
MAIL_DOMAIN = "example.net"  # whose recipients the server knows, see server.RECIPIENTS
DOMAIN = "example.com"  # with too many SPF lookups, a weak DKIM key and DMARC p=none
USER = "alice"


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running demo. `host` is a name that only `zone_file` knows; it stands for `address`.

    `ca_file` is the authority to trust, `zone_file` the DNS to ask; both are gone after `close`.
    """

    host: str
    address: str
    port: int
    user: str
    password: str = field(repr=False)
    ca_file: Path
    zone_file: Path
    _server: MailServer = field(repr=False)
    _folder: tempfile.TemporaryDirectory[str] = field(repr=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the server, drop its connections and remove the files."""
        await self._server.close()
        self._folder.cleanup()


async def start() -> DemoServer:
    """Start the demo on a free port of the running event loop; raise OSError when loopback cannot be used."""
    certificate = make_certificate(HOST, ADDRESS)
    password = secrets.token_urlsafe(12)
    server = MailServer(HOST, MAIL_DOMAIN, USER, password, certificate)
    port = await server.listen(ADDRESS)
    folder = tempfile.TemporaryDirectory(prefix="smtpdoc-demo-")
    ca_file, zone_file = _write_files(Path(folder.name), certificate.authority)
    return DemoServer(HOST, ADDRESS, port, USER, password, ca_file, zone_file, server, folder)


def _write_files(folder: Path, authority: bytes) -> tuple[Path, Path]:
    ca_file, zone_file = folder / "ca.pem", folder / "demo.zone"
    ca_file.write_bytes(authority)
    zone_file.write_bytes(files(__name__).joinpath("demo.zone").read_bytes())
    return ca_file, zone_file
