"""Running smtpdoc in this process as the shell would, and looking at what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from smtpdoc.cli.main import run


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Smtpdoc = Callable[..., Ran]


@pytest.fixture
def smtpdoc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Smtpdoc:
    """Run `smtpdoc ARGUMENTS` with no configuration from outside, at 80 columns."""
    import os

    for name in [name for name in os.environ if name.startswith(("SMTPDOC_", "NO_COLOR", "FORCE_COLOR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(list(arguments))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call
