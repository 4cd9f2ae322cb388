"""A head start for the usual `smtpdoc probe TARGET`: the connection is begun before the command line is loaded.

Only when all that was typed is known to be in order, so that nobody is called for nothing; anything unusual begins its
connection later, when click has read it. What was begun is only used where it is what click's reading asks for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from smtpdoc.errors import TargetError
from smtpdoc.target import Target, parse_target

if TYPE_CHECKING:
    from smtpdoc.api.early import EarlyConnection

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ADDRESS = rf"[A-Za-z0-9._+-]+@{_NAME}"
_FILE = "file"

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

        target, family = plain
        _begun = EarlyConnection(target.host, target.port, family=family)


def claim() -> EarlyConnection | None:
    """Return what was begun, once."""
    global _begun
    claimed, _begun = _begun, None
    return claimed


def read_plainly(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Target, str | None] | None:
    """Return target and family, or None when anything at all is out of the ordinary.

    >>> read_plainly(["mx.example.net:25", "-4", "--to", "bob@example.net"], {})
    (Target(host='mx.example.net', port=25, implicit_tls=False), 'ipv4')
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
    try:
        return parse_target(targets[0]), next(iter(families), None)
    except TargetError:
        return None


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
