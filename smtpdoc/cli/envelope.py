"""Options of probe about the envelope and the message: read, held against each other, and asked about."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from smtpdoc.cli.options import option, read_seconds
from smtpdoc.errors import ParseError, TargetError
from smtpdoc.report import ExitCode
from smtpdoc.target import Target

if TYPE_CHECKING:
    from smtpdoc.grammar.message import Blocks, Message

F = TypeVar("F", bound=Callable[..., Any])

#: What comes from a pipe is kept in a temporary file, since its size must be known before it is sent. A pipe may have
#: no end.
MAX_PIPED_BYTES = 256 << 20
_HELD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16


def _notify(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    from smtpdoc.grammar.parameters import parse_notify

    try:
        return parse_notify(value)
    except ParseError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def _envelope_id(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from smtpdoc.grammar.parameters import parse_envelope_id

    try:
        return parse_envelope_id(value)
    except ParseError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def _wait(ctx: click.Context, param: click.Parameter, value: str | None) -> float | Literal["auto"] | None:
    if value is None or value == "auto":
        return "auto" if value else None
    try:
        return read_seconds(ctx, param, value)
    except click.BadParameter:
        words = f"expected auto or a duration like 300 or 5m, got {value!r}; before a target write --greylist-wait=auto"
        raise click.BadParameter(words, ctx, param) from None


def envelope_options(command: F) -> F:
    """Add what is said beside the addresses, who else is tried, and whether a message is sent."""
    for decorate in reversed(
        (
            option(
                "--catch-all",
                is_flag=True,
                help="Try a made-up address at each recipient's domain too: what is acceptance worth?",
            ),
            option(
                "--greylist-wait",
                is_flag=False,
                flag_value="auto",
                callback=_wait,
                metavar="[SECONDS]",
                help="When put off by greylisting, wait as long as the server says, or SECONDS, and try again. "
                "--timeout is for each of the two sessions, without the wait.",
            ),
            option("--vrfy", "verify", multiple=True, metavar="NAME", help="Ask VRFY for this mailbox (repeat)."),
            option("--expn", "expand", multiple=True, metavar="LIST", help="Ask EXPN for this list (repeat)."),
            option(
                "--relay-test",
                is_flag=True,
                help="Would strangers' mail for elsewhere be accepted? RCPT TO in five forms, nothing is sent.",
            ),
            option(
                "--relay-to",
                metavar="ADDR",
                help="The address elsewhere for --relay-test. Default: relay-test@example.com.",
            ),
            option("--size", "size_bytes", type=click.IntRange(0), metavar="BYTES", help="Announce this size (SIZE=)."),
            option(
                "--body",
                type=click.Choice(("8bitmime", "binarymime")),
                help="Announce this kind of message body (BODY=). A binarymime message is sent by BDAT, as it is.",
            ),
            option(
                "--dsn-notify",
                callback=_notify,
                metavar="WORDS",
                help="Ask for delivery notifications: never, or some of success,failure,delay.",
            ),
            option("--dsn-ret", type=click.Choice(("full", "hdrs")), help="What a notification should return (RET=)."),
            option("--dsn-envid", callback=_envelope_id, metavar="ID", help="An id that notifications carry (ENVID=)."),
            option(
                "--dsn-orcpt", is_flag=True, help="Name each recipient in ORCPT= too, as notifications should tell it."
            ),
            option("--require-tls", is_flag=True, help="Ask for verified TLS on the whole way (REQUIRETLS)."),
            option(
                "--send",
                metavar="FILE|-",
                help="Really send the message in FILE to each --to. Asks first, on a terminal.",
            ),
            option("--yes", is_flag=True, help="Do not ask before --send."),
        )
    ):
        command = decorate(command)
    return command


def check_envelope(session: dict[str, Any], targets: Sequence[Target], *, mx: bool, all_addresses: bool) -> None:
    """Hold the envelope's options against each other; raise UsageError where they cannot be meant."""
    recipients = session["recipients"]
    for name, wanted in (("--catch-all", session["catch_all"]), ("--greylist-wait", session["greylist_wait"])):
        if wanted and not recipients:
            raise click.UsageError(f"{name} needs a recipient: --to ADDR.")
    if session["relay_to"] and not session["relay_test"]:
        raise click.UsageError("--relay-to is for --relay-test.")
    if session["relay_test"] and session["auth_user"]:
        raise click.UsageError("--relay-test asks as a stranger: leave out --auth-user.")
    if session["send"] is None:
        return
    if not recipients:
        raise click.UsageError("Whom is the message for? --send needs --to ADDR.")
    if len(targets) > 1 or mx or all_addresses:
        raise click.UsageError("--send sends once: name one server, without --mx and --all-addresses.")
    clashes = {"--catch-all": "catch_all", "--relay-test": "relay_test", "--quit-after": "quit_after"}
    for name, key in {**clashes, "--size": "size_bytes"}.items():
        if session[key] is not None and session[key] is not False:
            raise click.UsageError(f"{name} and --send exclude each other.")


def read_message(path: str, *, binary: bool) -> Message:
    """Return the message in a file or, for "-", on stdin; raise TargetError when there is none. A `binary` one goes
    byte for byte."""
    from smtpdoc.grammar.message import parse_message

    try:
        blocks = _reread_file(path) if path != "-" and Path(path).is_file() else _reread_copy(path)
        return parse_message(blocks, binary=binary)
    except OSError as error:
        raise TargetError(f"cannot read the message {path!r}: {error.strerror}") from None
    except ParseError as error:
        raise TargetError(f"{'stdin' if path == '-' else path}: {error}") from None


def _reread_file(path: str) -> Blocks:
    def blocks() -> Iterator[bytes]:
        try:
            with open(path, "rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    yield block
        except OSError as error:  # also minutes later, when the message is sent
            raise TargetError(f"cannot read the message {path!r}: {error.strerror}") from None

    return blocks


def _reread_copy(path: str) -> Blocks:
    """Keep what comes from a pipe or a device, which can be read once only and may have no end."""
    from tempfile import SpooledTemporaryFile

    with ExitStack() as stack:
        copy = stack.enter_context(SpooledTemporaryFile(max_size=_HELD_BYTES))
        file = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
        while block := file.read(_BLOCK_BYTES):
            if copy.tell() + len(block) > MAX_PIPED_BYTES:
                name = "stdin" if path == "-" else path
                words = "--send takes a larger message from a regular file"
                raise TargetError(f"{name} has more than {MAX_PIPED_BYTES:,} bytes; {words}")
            copy.write(block)
        click.get_current_context().call_on_close(stack.pop_all().close)

    def blocks() -> Iterator[bytes]:
        copy.seek(0)
        while block := copy.read(_BLOCK_BYTES):
            yield block

    return blocks


def confirm_sending(message: Message, recipients: Sequence[str], target: Target, *, path: str, yes: bool) -> None:
    """Ask before a message is sent; raise UsageError where there is nobody to ask, Exit when the answer is no."""
    if yes:
        return
    if path == "-" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            "--send asks before it sends, and there is no terminal to ask on. Add --yes if you mean it."
        )
    from smtpdoc.grammar.printable import printable

    for note in message.notes:
        click.echo(f"Note: {note}.", err=True)
    whom = printable(", ".join(recipients))
    if not click.confirm(f"Send {len(message.data):,} bytes to {whom} through {target}?", err=True):
        click.echo("Nothing was sent.", err=True)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
