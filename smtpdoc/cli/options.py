"""Options that mean the same in every command (contract.md), each with its environment variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from smtpdoc.findings import Level

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "json", "jsonl")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_seconds(ctx: click.Context | None, param: click.Parameter | None, value: str | float) -> float:
    """Read a duration: a number of seconds, or with a unit (500ms, 30s, 2m)."""
    match = _SECONDS.fullmatch(str(value).strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= 86400:
        raise click.BadParameter(f"expected a duration like 30, 30s or 2m, got {value!r}", ctx, param)
    return seconds


def read_level(ctx: click.Context | None, param: click.Parameter | None, value: str) -> Level | None:  # noqa: ARG001 - click's signature
    """Read a level, or `never` (None)."""
    return None if value == "never" else Level(value)


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return a click option whose environment variable is SMTPDOC_ and its long name."""
    long_name = max((name for name in names if name.startswith("--")), key=len)
    settings.setdefault("envvar", "SMTPDOC_" + long_name.split("/")[0].strip("-").replace("-", "_").upper())
    return click.option(*names, **settings)


def output_options(command: F) -> F:
    """Add what decides how an answer is shown and which exit code it gives."""
    for decorate in reversed(
        (
            option(
                "--format",
                "format_",
                type=click.Choice(FORMATS),
                default="text",
                show_default=True,
                help="How to print the answer.",
            ),
            option("--json", "as_json", is_flag=True, help="The same as --format json."),
            option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the answer to FILE."),
            option(
                "--fail-on",
                type=click.Choice(("error", "warning", "info", "never")),
                callback=read_level,
                default="error",
                show_default=True,
                help="Exit with 1 for findings of this level and above.",
            ),
            option(
                "--ignore", multiple=True, metavar="ID", help="Leave out a finding (repeat); `spf.` means all of SPF."
            ),
            option(
                "--color",
                type=click.Choice(("auto", "always", "never")),
                default="auto",
                show_default=True,
                help="Colour the text. NO_COLOR is honoured.",
            ),
            option("-q", "--quiet", is_flag=True, help="Only the verdict."),
            option("-v", "--verbose", is_flag=True, help="Everything: reasons, sources, details."),
        )
    ):
        command = decorate(command)
    return command


def network_options(*, timeout_s: float) -> Callable[[F], F]:
    """Add what decides how the network is asked; `timeout_s` is the default for one target."""

    def add(command: F) -> F:
        for decorate in reversed(
            (
                option(
                    "--timeout",
                    callback=read_seconds,
                    default=f"{timeout_s:g}",
                    show_default=True,
                    metavar="SECONDS",
                    help="For the whole target.",
                ),
                option(
                    "--nameserver",
                    "nameservers",
                    multiple=True,
                    metavar="IP[:PORT]",
                    help="Ask this name server instead of the system's (repeat).",
                ),
                option(
                    "--zone",
                    type=click.Path(exists=True, dir_okay=False),
                    metavar="FILE",
                    help="Answer DNS from this zone file first: check before you publish.",
                ),
                option(
                    "--concurrency",
                    type=click.IntRange(1, 500),
                    default=20,
                    show_default=True,
                    metavar="N",
                    help="How many targets at once.",
                ),
            )
        ):
            command = decorate(command)
        return command

    return add
