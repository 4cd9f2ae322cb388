"""Loading what explains, judges and shows a session while the server is busy.

In a thread, so that a session never waits for it: what is to be said next to the server goes out while modules load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from smtpdoc.net.threads import in_thread

_loaded = False


def load(show: Callable[[], None] | None = None, *, with_envelope: bool = False) -> None:
    """Load the catalog with its explanations, the checks of a session, with or without an envelope, and what `show`
    loads."""
    global _loaded
    if show is not None:
        show()
    from smtpdoc.catalog.explain import explain
    from smtpdoc.grammar.reply import parse_reply

    for text in ("250 2.0.0 Ok", "451 4.7.1 Try again later", "550 5.1.1 User unknown"):
        explain(parse_reply(text))  # the first reply of each class prepares its rules
    from smtpdoc.api import looks_diagnosis  # noqa: F401 - for `diagnose`
    from smtpdoc.api.session_diagnosis import session_checks

    session_checks(with_envelope=with_envelope)
    _loaded = True


def loading(show: Callable[[], None] | None = None, *, with_envelope: bool = False) -> asyncio.Future[None] | None:
    """Begin to load in a thread; return what is done when it has, None where that was before."""
    if _loaded:
        return None
    return in_thread(partial(load, show, with_envelope=with_envelope), "preload")
