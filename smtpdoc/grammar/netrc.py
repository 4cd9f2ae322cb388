"""The .netrc format of ftp, as curl reads it: who logs in where, with which password."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A quoted string with backslashes, or whatever has no blank in it.
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def find_password(text: str, host: str, user: str) -> str | None:
    """Return the password of a user on a host, or None.

    The first entry counts that is for this host or, after all of these, the default, and names this user or none. What
    is no entry is passed over: a password may stand anywhere in it, so no word of it is ever quoted.

    >>> find_password('machine mx.example.net login alice password "a b"', "mx.example.net", "alice")
    'a b'
    """
    default = None
    for machine, login, password in _entries(text):
        if login in (None, user) and password:
            if machine is not None and machine.lower() == host.lower():
                return password
            if machine is None and default is None:
                default = password
    return default


def _entries(text: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Yield machine (None: the default), login and password of each entry."""
    words = _words(text)
    found: dict[str, str] | None = None
    for word in words:
        if word in ("machine", "default"):
            if found is not None:
                yield found.get("machine"), found.get("login"), found.get("password")
            found = {} if word == "default" else {"machine": next(words, "")}
        elif word in ("login", "user", "account", "password", "port", "protocol") and found is not None:
            found["login" if word == "user" else word] = next(words, "")
    if found is not None:
        yield found.get("machine"), found.get("login"), found.get("password")


def _words(text: str) -> Iterator[str]:
    in_macro = False
    after_password = False
    for line in text.splitlines():
        if in_macro:  # a macro ends with an empty line
            in_macro = bool(line.strip())
            continue
        for match in _WORD.finditer(line):
            if match[2] is not None and match[2].startswith("#") and not after_password:
                break  # a comment
            if match[2] == "macdef" and not after_password:
                in_macro = True
                break
            after_password = match[2] == "password" and not after_password
            yield match[2] if match[1] is None else _ESCAPED.sub(r"\1", match[1])
