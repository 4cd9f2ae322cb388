"""The commands by their names, each imported when it is called."""

from __future__ import annotations

from typing import Any

import click

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
