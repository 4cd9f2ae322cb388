"""A head start for the usual `smtpdoc probe TARGET`: the connection is begun before the command line is loaded.

Only when all that was typed is known to be in order, so that nobody is called for nothing; anything unusual begins its
connection later, when click has read it. What was begun is only used where it is what click's reading asks for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtpdoc.api.early import EarlyConnection

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ADDRESS = rf"[A-Za-z0-9._+-]+@{_NAME}"
_FILE = "file"
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.|$)){4}")
SUBMISSION_PORT = 587

#: Options that change nothing about the connection → what their value looks like when it is certainly in order.
VALUES = {
    "--auth": r"[A-Za-z0-9-]+",
    "--auth-password-file": _FILE,
    "--auth-token-file": _FILE,
    "--auth-user": r"[A-Za-z0-9@._+-]+",
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
    "--timeout": r"[1-9][0-9]{0,3}s?",
    "--tls": "auto|starttls|implicit|optional|none",
    "--to": _ADDRESS,
}
FLAGS = frozenset({"--json", "--quiet", "-q", "--verbose", "-v", "--allow-cleartext-auth"})
FAMILIES = {"-4": "ipv4", "--ipv4": "ipv4", "-6": "ipv6", "--ipv6": "ipv6"}

#: Variables that are no options: the password, and the place of the test servers.
_NO_OPTIONS = ("SMTPDOC_AUTH_PASSWORD", "SMTPDOC_LAB_")

_begun: EarlyConnection | None = None


def begin(arguments: Sequence[str]) -> None:
    """Begin the connection that the arguments of `probe` ask for, if they are plain."""
    global _begun
    plain = read_plainly(arguments, os.environ)
    if plain is not None:
        from smtpdoc.api.early import EarlyConnection

        host, port, family = plain
        _begun = EarlyConnection(host, port, family=family)


def claim() -> EarlyConnection | None:
    """Return what was begun, once."""
    global _begun
    claimed, _begun = _begun, None
    return claimed


def read_plainly(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int, str | None] | None:
    """Return host, port and family, or None when anything at all is out of the ordinary.

    >>> read_plainly(["mx.example.net:25", "-4", "--to", "bob@example.net"], {})
    ('mx.example.net', 25, 'ipv4')
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
    return None if place is None else (*place, next(iter(families), None))


def _read_target(text: str) -> tuple[str, int] | None:
    """Return host and port as `parse_target` does, but without loading it for what most people type."""
    plain = re.fullmatch(rf"({_NAME})(?::([1-9][0-9]{{0,4}}))?", text)
    if plain is not None and len(text) < 64 and (not plain[1][-1].isdigit() or _QUAD.fullmatch(plain[1])):
        port = int(plain[2] or SUBMISSION_PORT)
        return (plain[1].lower(), port) if port <= 65535 else None
    from smtpdoc.errors import TargetError
    from smtpdoc.target import parse_target

    try:
        target = parse_target(text)
    except TargetError:
        return None
    return target.host, target.port


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
