"""smtpdoc schema."""

from __future__ import annotations

from importlib.resources import files

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the reports (--format json and jsonl)."""
    click.echo(files("smtpdoc").joinpath("schema_v1.json").read_text(encoding="utf-8"), nl=False)
