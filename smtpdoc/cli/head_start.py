"""A head start for the usual `smtpdoc probe TARGET`: the session is begun before the command line is loaded.

Only when all that was typed is known to be in order, so that nobody is called for nothing; anything unusual begins its
connection later, when click has read it. What was begun is only used where it is what click's reading asks for.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False  # loading `typing` would cost as much as all that happens here
if TYPE_CHECKING:
    from smtpdoc.api.early import EarlyConnection

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ADDRESS = rf"[A-Za-z0-9._+-]+@{_NAME}"
_FILE = "file"
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.|$)){4}")
SUBMISSION_PORT = 587
SUBMISSIONS_PORT = 465
#: One thread talks to the server while another loads the program: it must not wait for its turn as long as Python's
#: usual 5 ms.
SWITCH_S = 0.0005

#: Options that change nothing about the connection → what their value looks like when it is certainly in order.
VALUES = {
    "--auth": "(?i:PLAIN|LOGIN|CRAM-MD5|SCRAM-SHA-256|SCRAM-SHA-1|XOAUTH2|OAUTHBEARER)",
    "--auth-password-file": _FILE,
    "--auth-token-file": _FILE,
    "--auth-user": r"[A-Za-z0-9@._+-]+",
    "--body": "8bitmime|binarymime",
    "--ca-file": _FILE,
    "--cert-days": r"[0-9]{1,3}",
    "--color": "auto|always|never",
    "--fail-on": "error|warning|info|never",
    "--format": "text|json|jsonl",
    "--from": f"{_ADDRESS}|<>",
    "--helo": _NAME,
    "--ignore": r"[a-z0-9.-]+",
    "--quit-after": "greeting|ehlo|starttls|auth|mail|rcpt",
    "--server-name": _NAME,
    "--size": r"[0-9]{1,12}",
    "--timeout": r"[1-9][0-9]{0,3}s?",
    "--tls": "auto|starttls|implicit|optional|none",
    "--to": _ADDRESS,
}
FLAGS = frozenset(
    {
        "--json",
        "--quiet",
        "-q",
        "--verbose",
        "-v",
        "--allow-cleartext-auth",
        "--require-tls",
        "--dane",
        "--tls-versions",
    }
    | {"--starttls-injection", "--check-enforcement", "--identity", "--no-identity"}
)
FAMILIES = {"-4": "ipv4", "--ipv4": "ipv4", "-6": "ipv6", "--ipv6": "ipv6"}

#: Variables that are no options: the password, and the place of the test servers.
_NO_OPTIONS = ("SMTPDOC_AUTH_PASSWORD", "SMTPDOC_LAB_")

_begun: EarlyConnection | None = None


class Beginning:
    """How a session begins: where, over IPv4 or IPv6 only, and the name for EHLO after the greeting.

    `helo` is "" for our own name, None where something else than EHLO comes first.
    """

    __slots__ = ("family", "helo", "host", "port")

    def __init__(self, host: str, port: int, family: str | None, helo: str | None) -> None:
        self.host = host
        self.port = port
        self.family = family
        self.helo = helo


def begin(arguments: Sequence[str]) -> None:
    """Begin the session that the arguments of `probe` ask for, if they are plain."""
    global _begun
    plain = read_plainly(arguments, os.environ)
    if plain is not None:
        from smtpdoc.api.early import EarlyConnection

        sys.setswitchinterval(SWITCH_S)
        _begun = EarlyConnection(plain.host, plain.port, family=plain.family, helo=plain.helo)


def claim() -> EarlyConnection | None:
    """Return what was begun, once."""
    global _begun
    claimed, _begun = _begun, None
    return claimed


def read_plainly(arguments: Sequence[str], environment: Mapping[str, str]) -> Beginning | None:
    """Return how the session begins, or None when anything at all is out of the ordinary.

    >>> plain = read_plainly(["mx.example.net:25", "-4", "--helo", "probe.example"], {})
    >>> plain.host, plain.port, plain.family, plain.helo
    ('mx.example.net', 25, 'ipv4', 'probe.example')
    >>> read_plainly(["--mx", "example.net"], {})
    """
    if any(name.startswith("SMTPDOC_") and not name.startswith(_NO_OPTIONS) for name in environment):
        return None  # options by environment: click knows them
    targets: list[str] = []
    given: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument in VALUES:
            given[argument] = value = next(rest, "")
            if not _in_order(VALUES[argument], value):
                return None
        elif argument in FLAGS or argument in FAMILIES:
            given[argument] = ""
        elif argument.startswith("-"):
            return None
        else:
            targets.append(argument)
    families = {FAMILIES[name] for name in given if name in FAMILIES}
    if len(targets) != 1 or len(families) > 1 or _contradictory(given) or _asks(given, environment):
        return None
    place = _read_target(targets[0])
    if place is None:
        return None
    host, port, implicit = place
    implicit = given.get("--tls") == "implicit" or (implicit and given.get("--tls", "auto") == "auto")
    silent = implicit or given.get("--quit-after") == "greeting"
    return Beginning(host, port, next(iter(families), None), None if silent else given.get("--helo", ""))


def _read_target(text: str) -> tuple[str, int, bool] | None:
    """Return host, port and whether TLS comes first, as `parse_target` reads them, but without loading it for what most
    people type."""
    plain = re.fullmatch(rf"({_NAME})(?::([1-9][0-9]{{0,4}}))?", text)
    if plain is not None and len(text) < 64 and (not plain[1][-1].isdigit() or _QUAD.fullmatch(plain[1])):
        port = int(plain[2] or SUBMISSION_PORT)
        return (plain[1].lower(), port, port == SUBMISSIONS_PORT) if port <= 65535 else None
    from smtpdoc.errors import TargetError
    from smtpdoc.target import parse_target

    try:
        target = parse_target(text)
    except TargetError:
        return None
    return target.host, target.port, target.implicit_tls


def _in_order(pattern: str, value: str) -> bool:
    if pattern == _FILE:
        return os.path.isfile(value)
    return re.fullmatch(pattern, value) is not None


def _contradictory(given: Mapping[str, str]) -> bool:
    quiet, verbose = ("--quiet" in given or "-q" in given), ("--verbose" in given or "-v" in given)
    login = [name for name in given if name.startswith("--auth")]
    return (quiet and verbose) or (bool(login) and "--auth-user" not in given) or set(login) >= _FILE_OPTIONS


def _asks(given: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Might there be a prompt for a password? No server should wait for that."""
    return "--auth-user" in given and not _FILE_OPTIONS & set(given) and not environment.get("SMTPDOC_AUTH_PASSWORD")


_FILE_OPTIONS = {"--auth-password-file", "--auth-token-file"}
