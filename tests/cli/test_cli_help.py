"""The help of a command with many options: each has its place, and fits a terminal."""

from __future__ import annotations

from collections import Counter

import click
from support.command import Smtpdoc

from smtpdoc.cli.group import SETTINGS
from smtpdoc.cli.help import PROBE_GROUPS
from smtpdoc.cli.probe import command


def test_each_option_of_probe_stands_in_one_group() -> None:
    context = click.Context(command, **SETTINGS)  # a command keeps its help option from the first context it meets
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    longest = [max(option.opts, key=len) for option in options]

    places = Counter(name for names in PROBE_GROUPS.values() for name in names)

    assert [] == [name for name in longest if places[name] != 1]


def test_the_help_of_probe_is_in_groups_and_80_columns_wide(smtpdoc: Smtpdoc) -> None:
    ran = smtpdoc("probe", "--help")
    lines = ran.out.splitlines()

    assert 0 == ran.code
    assert [f"{title}:" for title in PROBE_GROUPS] == [line for line in lines if line.endswith(":") and line[0] != " "]
    assert max(map(len, lines)) <= 80
    assert "Exit codes: 0 nothing to mend" in ran.out
    assert "SMTPDOC_TIMEOUT" in ran.out
