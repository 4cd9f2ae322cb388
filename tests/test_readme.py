"""What the README shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest
from support.command import Smtpdoc

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```console\n\$ smtpdoc (.*?)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command[:40] for command, _ in BLOCKS])
def test_a_console_block_shows_what_the_command_prints(
    smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch, command: str, shown: str
) -> None:
    monkeypatch.chdir(README.parent)
    printed = smtpdoc(*shlex.split(command)).out.strip("\n")

    assert shown.strip("\n") == re.sub(r"in \d+\.\d\d s", "in 0.02 s", printed)


def test_there_are_console_blocks() -> None:
    assert len(BLOCKS) >= 2


def test_the_exit_codes_are_the_real_ones() -> None:
    from smtpdoc.report import ExitCode

    table = re.findall(r"^\| (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(code) for code in ExitCode] == [int(code) for code in table]
