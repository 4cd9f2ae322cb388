"""Do the hosts or addresses of one target behave alike, and what do they all have in common?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.parity import Difference, differences, labels
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import FailureKind, Stage, Transcript, version_name
from smtpdoc.findings import Fact, Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[ProbeEvidence]("smtp")

_MX_PORT = 25
_WORDS = {
    "outcome": "the outcome",
    "tls": "TLS",
    "certificate": "the certificate",
    "auth": "AUTH",
    "size": "SIZE",
    "extensions": "extensions",
    "greeting": "the greeting's words",
}
_SERIOUS = ("outcome", "tls", "certificate")
_SHOWN = 3


@checks.add(
    "hosts-differ",
    title="The hosts or addresses of this target do not behave alike",
    level=Level.INFO,
    why="Which one a client gets is chance, so trouble with one of them comes and goes. Attackers pick the weakest.",
    fix="Bring them to the same settings, software and certificate; a backup host should be as strict as the first.",
    sources=(rfc(5321, "5.1"),),
)
def hosts_differ(evidence: ProbeEvidence) -> Iterator[Detail]:
    names = labels(evidence.sessions)
    for one in differences(evidence.sessions):
        told = _extensions_words(one, names) if one.what == "extensions" else _values_words(one, names)
        yield Detail(
            f"{_WORDS[one.what]}: {told}",
            level=Level.WARNING if one.what in _SERIOUS else None,
            what=one.what,
            values=tuple({"value": value, "hosts": tuple(names[at] for at in places)} for value, places in one.values),
        )


def _values_words(one: Difference, names: Sequence[str]) -> str:
    return "; ".join(f"{_value(value)} at {_hosts(places, names)}" for value, places in one.values)


def _extensions_words(one: Difference, names: Sequence[str]) -> str:
    """Name what some lack, seen from all that anybody has."""
    sets = [(frozenset(value) if isinstance(value, tuple) else frozenset(), places) for value, places in one.values]
    everything = frozenset[Fact]().union(*(offered for offered, _ in sets))
    lacking = [(sorted(map(str, everything - offered)), places) for offered, places in sets]
    return "; ".join(
        f"{_hosts(places, names)} without {printable(', '.join(missing))}" for missing, places in lacking if missing
    )


def _value(value: Fact) -> str:
    return printable(version_name(str(value))) or "none"


def _hosts(places: Sequence[int], names: Sequence[str]) -> str:
    shown = ", ".join(names[at] for at in places[:_SHOWN])
    return shown + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")


@checks.add(
    "port-25-blocked",
    title="Port 25 looks blocked on the way out of this network",
    level=Level.UNKNOWN,
    why="No host answered on port 25, which is rare for several hosts at once. Access networks and cloud providers block "
    "this port against spam.",
    fix="Try from another network, or ask the provider to open port 25; for sending mail of your own, port 587 is right.",
)
def port_25_blocked(evidence: ProbeEvidence) -> Iterator[Detail]:
    hosts = {session.address: session for session in evidence.sessions if session.address is not None}
    if len(hosts) > 1 and all(_dropped(session) for session in hosts.values()):
        yield Detail(f"none of {len(hosts)} addresses answered a connection to port 25", addresses=tuple(hosts))


@checks.add(
    "sessions-left-out",
    title="Some hosts or addresses were not probed",
    level=Level.INFO,
    why="Whoever runs the DNS of a domain decides how many hosts it names; a probe makes only so many sessions for one target.",
    fix="Probe the others by their names or addresses.",
)
def sessions_left_out(evidence: ProbeEvidence) -> Iterator[Detail]:
    if evidence.left_out:
        yield Detail(f"{evidence.left_out} more were not probed", left_out=evidence.left_out)


def _dropped(session: Transcript) -> bool:
    return session.port == _MX_PORT and any(
        one.stage is Stage.CONNECT and one.failure is not None and one.failure.kind is FailureKind.TIMEOUT
        for one in session.exchanges
    )


@checks.add(
    "same-greeting",
    title="Servers of different owners greet with the same name",
    level=Level.WARNING,
    why="A firewall or a security gateway on this side looks to be answering for all of them. What is seen here is then "
    "the gateway, not the servers.",
    fix="Try from another network and compare.",
)
def same_greeting(evidence: ProbeEvidence) -> Iterator[Detail]:
    greeters: dict[str, set[str]] = {}
    for session in evidence.sessions:
        name = session.identity.greeting_name if session.identity is not None else None
        if name is not None:
            greeters.setdefault(name, set()).add(_owner(session.host))
    for name, owners in greeters.items():
        # One of them may well greet by its own name; a provider's hosts under many names have that one in common.
        if len(owners) > 1 and _owner(name) not in owners:
            yield Detail(f"hosts of {', '.join(sorted(owners)[:_SHOWN])} all greet as {name}", greeting=name)


def _owner(host: str) -> str:
    """The last two labels: enough to tell hosts of one owner from those of another, mostly."""
    return ".".join(host.split(".")[-2:])


ENTRIES = checks.entries
