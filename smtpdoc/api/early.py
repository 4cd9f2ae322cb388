"""Beginning a connection before everything else is loaded; `smtpdoc.aio.probe(early=...)` goes on with it."""

from __future__ import annotations

from smtpdoc.net.early import EarlyConnection

__all__ = ["EarlyConnection"]
