"""The awaitable forms of smtpdoc.explain, smtpdoc.probe and smtpdoc.auth_check, for callers with an event loop."""

from __future__ import annotations

from typing import Any

from smtpdoc.api import explain as _explain
from smtpdoc.api.domains import auth_check
from smtpdoc.api.sessions import probe
from smtpdoc.report import Report

__all__ = ["auth_check", "explain", "probe"]


async def explain(text: str, **options: Any) -> Report:
    """The awaitable form of `smtpdoc.explain`; it waits for nothing."""
    return _explain(text, **options)
