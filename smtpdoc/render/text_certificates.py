"""What was agreed on in the handshake, and the chain that a server sends, certificate by certificate."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from smtpdoc.evidence.smtp import TlsFacts, version_name
from smtpdoc.render.text import Page, plural

_INDENT = 5


def render_handshake(page: Page, tls: TlsFacts) -> None:
    """Print version, cipher and key exchange."""
    page.line("TLS", "head")
    bits = f" ({tls.bits} bits)" if tls.bits else ""
    page.paragraph(f"{version_name(tls.version)}, {tls.cipher}{bits}", 2)
    if tls.group:
        page.paragraph(f"key exchange {key_exchange(tls.group, tls.group_bits)}", 2)


def key_exchange(group: str, bits: int | None) -> str:
    """Return a group in words: "DHE (2048 bits)"; most names have their length in them."""
    if group == "RSA":
        return "RSA, without forward secrecy"
    return group if bits is None or any(map(str.isdigit, group)) else f"{group} ({bits} bits)"


def render_chain(page: Page, tls: TlsFacts, seen_at: datetime | None) -> None:
    """Print all of it: who vouches for whom, until when, and what is not sent."""
    page.line("Certificates", "head")
    for number, one in enumerate(tls.chain):
        page.hanging(Text(f"  {number}  "), f"{one.subject}, issued by {one.issuer}")
        until = f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}"
        page.paragraph(f"{one.key}, {one.signature}, {until}{_left(one.not_after, seen_at)}", _INDENT)
        if one.names:
            page.paragraph("names " + ", ".join(one.names), _INDENT)
        page.line(f"     sha256 {one.sha256}", "quiet")
        if number == 0 and one.public_key_sha256:
            page.line(f"     TLSA 3 1 1 {one.public_key_sha256}", "quiet")
    if not tls.chain:
        return
    top = tls.chain[-1]
    if top.subject == top.issuer:
        if len(tls.chain) > 1:
            page.paragraph("the last one is a root, which need not be sent", _INDENT, "quiet")
    elif tls.trusted:
        page.paragraph(f"then {top.issuer}, which is trusted here and need not be sent", _INDENT)
    else:
        page.paragraph(f"then {top.issuer}, which was not sent and is not trusted here", _INDENT)


def _left(not_after: datetime, seen_at: datetime | None) -> str:
    if seen_at is None:
        return ""
    days = (not_after - seen_at).days
    return f", {plural(days, 'day')} left" if days >= 0 else ", expired"
