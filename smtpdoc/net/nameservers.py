"""Which name servers to ask: the ones the user names, else the system's own."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from smtpdoc.errors import TargetError
from smtpdoc.grammar.printable import printable

DNS_PORT = 53
RESOLV_CONF = Path("/etc/resolv.conf")
_RESOLV_CONF_LIMIT_BYTES = 65536
_MAX_SYSTEM_SERVERS = 3  # as resolv.conf(5): MAXNS


@dataclass(frozen=True, slots=True)
class NameServer:
    """An IP address (a zone index like %eth0 is kept) and a port."""

    address: str
    port: int = DNS_PORT

    @property
    def on_this_machine(self) -> bool:
        return ip_address(self.address).is_loopback

    def __str__(self) -> str:
        if self.port == DNS_PORT:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse_nameserver(text: str) -> NameServer:
    """Read IP, IP:PORT or [v6]:PORT; raise TargetError otherwise. Host names are refused: who would resolve them?

    >>> parse_nameserver("192.0.2.53")
    NameServer(address='192.0.2.53', port=53)
    >>> str(parse_nameserver("[2001:db8::53]:5353"))
    '[2001:db8::53]:5353'
    """
    address, port = text.strip(), str(DNS_PORT)
    if address.startswith("["):
        address, bracket, tail = address[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise _no_nameserver(text)
        port = tail[1:] if tail else port
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise TargetError(f"expected a port between 1 and 65535, got {printable(text)!r}")
    try:
        return NameServer(str(ip_address(address)), int(port))
    except ValueError:
        raise _no_nameserver(text) from None


def _no_nameserver(text: str) -> TargetError:
    return TargetError(f"expected the IP address of a name server like 192.0.2.53:53, got {printable(text)!r}")


def system_nameservers(path: Path = RESOLV_CONF) -> tuple[NameServer, ...]:
    """Return the name servers of resolv.conf(5), at most three; without any, the one on this machine.

    Never empty. Lines that cannot be read are passed over, as the C library does.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_RESOLV_CONF_LIMIT_BYTES).splitlines()
    except OSError:
        lines = []
    servers: list[NameServer] = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                servers.append(NameServer(str(ip_address(words[1]))))
            except ValueError:
                continue
    return tuple(servers[:_MAX_SYSTEM_SERVERS]) or (NameServer("127.0.0.1"),)
