"""A line on stderr that says what a long run is waiting for; only on a terminal, and gone when there is an answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import IO

from smtpdoc.grammar.printable import printable

#: Silence before the line appears (looks.md).
PATIENCE_S = 0.5
DEFAULT_COLUMNS = 80


class Progress:
    """One line that is written over itself; `words` tells what to say; `timed` adds how long it has been."""

    def __init__(self, stream: IO[str], words: Callable[[], str], *, wanted: bool = True, timed: bool = True) -> None:
        self._stream = stream
        self._words = words
        self._timed = timed
        self._wanted = wanted and stream.isatty()
        self._began = self._quiet_since = time.monotonic()
        self._width = 0

    def tick(self) -> None:
        """Show the line, or bring it up to date, after half a second without an answer."""
        now = time.monotonic()
        if not self._wanted or now - self._quiet_since < PATIENCE_S:
            return
        text = printable(self._words()) + (f", {now - self._began:.0f} s" if self._timed else "")
        # One column short: some terminals wrap when the last one is written.
        text = text[: self._columns() - 1]
        self._stream.write(f"\r{text:<{self._width}}")
        self._stream.flush()
        self._width = len(text)

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or DEFAULT_COLUMNS
        except (OSError, ValueError):
            return DEFAULT_COLUMNS

    def clear(self) -> None:
        """Take the line away: an answer comes, or the end."""
        self._quiet_since = time.monotonic()
        if self._width:
            self._stream.write(f"\r{'':{self._width}}\r")
            self._stream.flush()
            self._width = 0
