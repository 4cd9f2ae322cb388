"""IP addresses as SMTP writes them. Loaded before all else, so it loads nothing."""

from __future__ import annotations


def address_literal(ip: str) -> str:
    """Return an IP address as RFC 5321 section 4.1.3 writes it in EHLO and in addresses.

    >>> address_literal("2001:db8::1")
    '[IPv6:2001:db8::1]'
    """
    bare = ip.partition("%")[0]
    return f"[IPv6:{bare}]" if ":" in bare else f"[{bare}]"
