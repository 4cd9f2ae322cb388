"""The command line: reads what was asked, prints the answer, and ends with the documented exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from smtpdoc.errors import SmtpdocError
from smtpdoc.report import ExitCode
from smtpdoc.version import __version__

COMMANDS = {
    "probe": "smtpdoc.cli.probe",
    "auth-check": "smtpdoc.cli.auth_check",
    "explain": "smtpdoc.cli.explain",
    "demo": "smtpdoc.cli.demo",
    "schema": "smtpdoc.cli.schema",
}


class LazyGroup(click.Group):
    """Commands are imported when they are called, so that each pays for its own imports only."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        import importlib

        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)  # noqa: S101 - our own table
        return command


SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=SETTINGS, no_args_is_help=True)
@click.version_option(__version__, prog_name="smtpdoc")
def cli() -> None:
    """The SMTP doctor: why mail is not delivered, and what to do next.

    Exit codes: 0 nothing to mend, 1 findings, 2 usage, 3 no verdict, 70 a bug in smtpdoc, 130 interrupted.
    """


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an ASCII terminal shows \\xe4 rather than a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # `smtpdoc ... | head`: the reader has gone; nothing more can be said on stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + 13
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Return the exit code for some arguments; errors are told on stderr."""
    try:
        result = cli.main(arguments, prog_name="smtpdoc", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except SmtpdocError as error:
        click.echo(f"Error: {error}", err=True)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last door: a bug of ours, told without a traceback
        click.echo(bug_words(error), err=True)
        return ExitCode.BUG
    return int(result) if isinstance(result, int) else ExitCode.OK


def bug_words(error: Exception) -> str:
    """Return what to report about a bug: where it happened, without the values, which might hold a secret."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return (
        f"smtpdoc {__version__} has a bug: {type(error).__name__} at {place}.\n"
        "Please report it with this line and the command you ran (leave out passwords)."
    )


if __name__ == "__main__":
    main()
