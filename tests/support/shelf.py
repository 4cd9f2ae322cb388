"""The shelf of certificates that tests with TLS share: made once, only read, for the host of most scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.pki import write_shelf

HOST = "mx.lab.example"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a `write_shelf` for HOST and 127.0.0.1."""
    directory = tmp_path_factory.mktemp("pki")
    write_shelf(directory, HOST, "127.0.0.1")
    return directory
