"""Whom a session that somebody kept was with: host, port and address, out of what programs say when they connect."""

from __future__ import annotations

import re

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._:-]{0,253}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}")
_IP = r"[0-9A-Fa-f:.]{2,45}"
_PLACE = re.compile(
    r"(?:.{0,120}?[:.] )?(?:connecting to|Trying|Error connecting to|Connected to|Connection to|connect to) "
    rf"(?!port |to )(?:host )?\"?(?:(?P<host>[A-Za-z0-9._-]+)|\[(?P<v6>{_IP})\])"
    rf"\"?,?(?: ?[\[(](?P<ip>{_IP})[\])])?"
    r"(?::(?P<port>\d{1,5})|(?: \S+)? port:? (?P<other>\d{1,5})| (?P<nc>\d{1,5}) port )?"
    rf"(?: at (?P<address>{_IP}))?",
    re.IGNORECASE,
)


class Place:
    """What is known of it so far; None stands for what nobody said."""

    def __init__(self, host: str | None, port: int | None, address: str | None) -> None:
        self.host = named(host)
        self.port = port
        self.address = named(address)

    def take(self, note: str) -> None:
        """Learn from a line of a program."""
        match = _PLACE.match(note)
        if match is None:
            return
        host = named((match["host"] or match["v6"] or "").rstrip("."))
        if self.host is None or (host is not None and _is_address(self.host) and not _is_address(host)):
            # telnet tries the address first and then tells the name
            self.address = self.address or self.host if self.host != host else self.address
            self.host = host
        port = match["port"] or match["other"] or match["nc"]
        self.port = self.port or (int(port) if port and 0 < int(port) < 65536 else None)
        self.address = named(match["address"] or match["ip"]) or self.address

    @property
    def family(self) -> str | None:
        return None if self.address is None else "ipv6" if ":" in self.address else "ipv4"


def named(text: str | None) -> str | None:
    """Return a host name or address that is written like one, else None: the file may say anything."""
    return text if text and _HOST.fullmatch(text) else None


def _is_address(host: str) -> bool:
    return ":" in host or not host.strip("0123456789.")
