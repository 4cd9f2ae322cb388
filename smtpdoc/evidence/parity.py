"""What differs between the sessions of one target: its MX hosts, or the addresses of a host. Values only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smtpdoc.evidence.smtp import Stage, Transcript
from smtpdoc.findings import Fact

_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which sessions differ. `values` are the different values, the most frequent first, each with the
    positions of the sessions that have it; sessions about which nothing is known stand in none."""

    what: str  # "outcome", "tls", "certificate", "auth", "size", "extensions", "greeting"
    values: tuple[tuple[Fact, tuple[int, ...]], ...]


def differences(sessions: Sequence[Transcript]) -> tuple[Difference, ...]:
    """Return what differs, the weightiest first; empty for fewer than two sessions."""
    found = (_difference(what, read, sessions) for what, read in _ASPECTS)
    return tuple(one for one in found if one is not None)


def _difference(what: str, read: Callable[[Transcript], Fact], sessions: Sequence[Transcript]) -> Difference | None:
    places: dict[Fact, list[int]] = {}
    for number, session in enumerate(sessions):
        if (value := read(session)) is not None:
            places.setdefault(value, []).append(number)
    if len(places) < 2:
        return None
    ordered = sorted(places.items(), key=lambda item: -len(item[1]))
    return Difference(what, tuple((value, tuple(numbers)) for value, numbers in ordered))


def capabilities(session: Transcript) -> dict[str, str] | None:
    """Return what a session was offered at its end, or None without an EHLO."""
    offered = session.capabilities_after_tls
    offered = session.capabilities_before_tls if offered is None else offered
    return None if offered is None else dict(offered)


def tls_word(session: Transcript) -> str | None:
    """Return the version of TLS, "not offered", "failed", or None where it did not come to that."""
    if session.tls is not None:
        return session.tls.version
    if any(one.stage is Stage.TLS and one.failure is not None for one in session.exchanges):
        return "failed"
    if session.capabilities_before_tls is None:
        return None
    return _NOT_OFFERED if "STARTTLS" not in session.capabilities_before_tls else None


def certificate_word(session: Transcript) -> str | None:
    """Return the verdict on the certificate in a word or two, or None without one."""
    tls = session.tls
    if tls is None:
        return None
    if tls.expired:
        return "expired"
    if tls.self_signed:
        return "self-signed"
    if not tls.trusted:
        return "not trusted"
    return "trusted" if tls.name_matches else "other name"


def _size(session: Transcript) -> str | None:
    offered = capabilities(session)
    return None if offered is None else offered.get("SIZE", _NOT_OFFERED) or "no limit"


def _auth(session: Transcript) -> str | None:
    offered = capabilities(session)
    if offered is None:
        return None
    return " ".join(sorted(offered["AUTH"].split())) if "AUTH" in offered else _NOT_OFFERED


def _extensions(session: Transcript) -> tuple[str, ...] | None:
    offered = capabilities(session)
    return None if offered is None else tuple(sorted(set(offered) - {"STARTTLS", "AUTH", "SIZE"}))


def _greeting(session: Transcript) -> str | None:
    """The words of the greeting without the host's name, numbers and identifiers: what the server calls itself."""
    for exchange in session.exchanges:
        if exchange.stage is Stage.GREETING and exchange.reply is not None and exchange.reply.lines:
            words = exchange.reply.lines[0].split()[1:]
            return " ".join(word for word in words if _WORD.fullmatch(word))
    return None


_ASPECTS: tuple[tuple[str, Callable[[Transcript], Fact]], ...] = (
    ("outcome", lambda session: str(session.outcome)),
    ("tls", tls_word),
    ("certificate", certificate_word),
    ("auth", _auth),
    ("size", _size),
    ("extensions", _extensions),
    ("greeting", _greeting),
)


def labels(sessions: Sequence[Transcript]) -> tuple[str, ...]:
    """Return a name for each session that tells it from the others: its host (with the port where those differ), its
    address, or both."""
    ports = {session.port for session in sessions}
    hosts = [session.host if len(ports) == 1 else session.port_name for session in sessions]
    if len(set(hosts)) == len(hosts):
        return tuple(hosts)
    if len(set(hosts)) == 1:
        return tuple(session.address or session.host for session in sessions)
    return tuple(
        f"{host} {session.address}" if session.address and hosts.count(host) > 1 else host
        for host, session in zip(hosts, sessions, strict=True)
    )
