"""Where a password or token comes from: a file, a command, the environment, netrc, or a hidden prompt. Never argv."""

from __future__ import annotations

import os
import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass

import click

from smtpdoc.errors import TargetError
from smtpdoc.grammar.secret import Secret

PASSWORD_VARIABLE = "SMTPDOC_AUTH_PASSWORD"
MAX_SECRET_BYTES = 65536
MAX_NETRC_BYTES = 1 << 20
COMMAND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in, with what. `is_token` tells an OAuth token from a password; both secrets print as (hidden)."""

    user: str | None = None
    secret: Secret | None = None
    is_token: bool = False


def find_credentials(
    user: str | None,
    *,
    hosts: Sequence[str],
    password_file: str | None,
    password_command: str | None,
    token_file: str | None,
    needs_secret: bool = True,
) -> Credentials:
    """Return the credentials for some hosts; raise TargetError when a source cannot be read, UsageError when none is
    left.

    Order: the file or command that was named, SMTPDOC_AUTH_PASSWORD, ~/.netrc, then a hidden prompt if there is a
    terminal to ask on.
    """
    if sum(source is not None for source in (password_file, password_command, token_file)) > 1:
        raise click.UsageError("Give one of --auth-password-file, --auth-password-command and --auth-token-file.")
    if user is None:
        if password_file or password_command or token_file:
            raise click.UsageError("Whose password is it? Add --auth-user NAME.")
        return Credentials()
    if not needs_secret:
        return Credentials(user)
    if token_file is not None:
        return Credentials(user, _from_file(token_file), is_token=True)
    if password_file is not None:
        return Credentials(user, _from_file(password_file))
    if password_command is not None:
        return Credentials(user, _from_command(password_command))
    if password := os.environ.get(PASSWORD_VARIABLE):
        return Credentials(user, Secret(password))
    if (found := _from_netrc(hosts[0], user)) is not None:
        if others := [host for host in hosts if host != hosts[0]]:
            words = f"The password for {hosts[0]} in netrc is not for {others[0]}; probe one host at a time"
            raise click.UsageError(f"{words}, or name the password with --auth-password-file.")
        return Credentials(user, found)
    return Credentials(user, _from_prompt(user, hosts[0]))


def _first_line(data: bytes, source: str) -> Secret:
    line = data.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape").partition("\n")[0].rstrip("\r")
    if not line:
        raise TargetError(f"expected a password on the first line of {source}, got an empty line")
    return Secret(line)


def _from_file(path: str) -> Secret:
    try:
        if path == "-":
            return _first_line(sys.stdin.buffer.read(MAX_SECRET_BYTES), "stdin")
        with open(path, "rb") as file:
            return _first_line(file.read(MAX_SECRET_BYTES), path)
    except OSError as error:
        raise TargetError(f"cannot read the password file {path!r}: {error.strerror}") from None


def _from_command(command: str) -> Secret:
    import subprocess

    try:
        # A shell, as a user of msmtp's passwordeval expects: `pass show mail | head -1`
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT_S, check=False)  # noqa: S602 - the user's own command
    except subprocess.TimeoutExpired:
        raise TargetError(f"the password command took longer than {COMMAND_TIMEOUT_S:g} s") from None
    if done.returncode != 0:
        how = f"by signal {-done.returncode}" if done.returncode < 0 else f"with exit code {done.returncode}"
        raise TargetError(f"the password command ended {how}")
    return _first_line(done.stdout[:MAX_SECRET_BYTES], "the password command's output")


def _from_netrc(host: str, user: str) -> Secret | None:
    from smtpdoc.grammar.netrc import find_password

    path = os.environ.get("NETRC") or os.path.join(os.path.expanduser("~"), ".netrc")
    try:
        with open(path, "rb") as file:
            readable_by_others = os.fstat(file.fileno()).st_mode & (stat.S_IRGRP | stat.S_IROTH)
            text = file.read(MAX_NETRC_BYTES).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise TargetError(f"cannot read {path!r}: {error.strerror}") from None
    password = find_password(text, host, user)
    if password is None:
        return None
    if readable_by_others and os.name == "posix":
        click.echo(f"Warning: other users of this machine can read {path}; chmod 600 ends that.", err=True)
    return Secret(password)


def _from_prompt(user: str, host: str) -> Secret:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            f"No password for {user} at {host}, and no terminal to ask on. Use --auth-password-file FILE, "
            f"--auth-password-command CMD, the variable {PASSWORD_VARIABLE}, or ~/.netrc."
        )
    return Secret(click.prompt(f"Password of {user} at {host}", hide_input=True, err=True, show_default=False))
