"""Fixtures around the lab: `lab`, one per server, and `mail_server` for tests that hold for all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.lab import NAMES, Lab, LabUnavailableError, MailServer, OwnedLab

#: With this set to 1, as CI does, a server that cannot run fails its tests in place of skipping them.
REQUIRE = "SMTPDOC_REQUIRE_SERVERS"

_LAB = pytest.StashKey[Lab]()


def _lab_of(config: pytest.Config) -> Lab:
    """Return the run's lab; make it when this is the process that owns it and nobody has asked before."""
    if _LAB not in config.stash:
        state = getattr(config, "workerinput", {}).get("lab_state")
        config.stash[_LAB] = Lab(Path(state)) if state else OwnedLab()
    return config.stash[_LAB]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a pytest-xdist worker where the run's one lab is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist ships no types for its nodes
    node.workerinput["lab_state"] = str(_lab_of(config).state)  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    owned = config.stash.get(_LAB, None)
    if isinstance(owned, OwnedLab):
        owned.close()


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Lab:
    """The run's real servers; `lab.server(name)` starts one."""
    return _lab_of(pytestconfig)


def _server(lab: Lab, name: str) -> MailServer:
    try:
        return lab.server(name)
    except LabUnavailableError as reason:
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{REQUIRE}=1, but {reason}", pytrace=False)
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postfix(lab: Lab) -> MailServer:
    return _server(lab, "postfix")


@pytest.fixture(scope="session")
def dovecot(lab: Lab) -> MailServer:
    """Dovecot's submission server; it has no MX, and hands on to Postfix."""
    _server(lab, "postfix")
    return _server(lab, "dovecot")


@pytest.fixture(scope="session")
def exim(lab: Lab) -> MailServer:
    return _server(lab, "exim")


@pytest.fixture(scope="session")
def opensmtpd(lab: Lab) -> MailServer:
    return _server(lab, "opensmtpd")


@pytest.fixture(scope="session")
def sendmail(lab: Lab) -> MailServer:
    return _server(lab, "sendmail")


@pytest.fixture(scope="session", params=NAMES)
def mail_server(lab: Lab, request: pytest.FixtureRequest) -> MailServer:
    """Each server in turn, by its submission port."""
    if request.param == "dovecot":
        _server(lab, "postfix")
    return _server(lab, request.param)


@pytest.fixture(scope="session", params=[name for name in NAMES if name != "dovecot"])
def mx_server(lab: Lab, request: pytest.FixtureRequest) -> MailServer:
    """Each server that receives mail for lab.example, in turn."""
    return _server(lab, request.param)
