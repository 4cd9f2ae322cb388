"""How the checks of a session tell what they saw: the exchange they are about, a reply as one quotes it, the next command."""

from __future__ import annotations

import re

from smtpdoc.catalog.model import Detail
from smtpdoc.evidence.explanation import Confidence
from smtpdoc.evidence.smtp import Exchange, Stage, Transcript
from smtpdoc.grammar.printable import printable

QUOTED_CHARS = 300
#: Addresses that a shell leaves alone.
_PLAIN = re.compile(r"[A-Za-z0-9._+@-]+")
_BY_CODE = (Confidence.CODE, Confidence.CLASS)


def failure_of(session: Transcript, *stages: Stage) -> Exchange | None:
    """Return the first exchange of these stages that ended in a failure."""
    return next((one for one in session.exchanges if one.stage in stages and one.failure is not None), None)


def last(session: Transcript, stage: Stage) -> Exchange | None:
    """Return the last exchange of a stage: the one that counts."""
    return next((one for one in reversed(session.exchanges) if one.stage is stage), None)


def quoted(exchange: Exchange) -> str:
    """Return a reply as one quotes it: codes and text on one line."""
    reply = exchange.reply
    if reply is None:
        return exchange.failure.detail if exchange.failure else ""
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    text = printable(reply.text)
    if len(text) > QUOTED_CHARS:
        text = text[: QUOTED_CHARS - 1] + "…"
    return f"{codes} {text}".rstrip()


def probe_command(session: Transcript, *options: str) -> tuple[str, ...]:
    """Return the command that looks again."""
    return (" ".join(("smtpdoc probe", session.port_name, *options)),)


def envelope_options(session: Transcript, recipient: str) -> tuple[str, ...]:
    """Return the options that ask for one recipient again, from the same sender; none where a shell would read more."""
    sender = session.mail_from or ""
    if not _PLAIN.fullmatch(recipient):
        return ()
    return (*((f"--from {sender}",) if _PLAIN.fullmatch(sender) else ()), f"--to {recipient}")


def refusal(
    session: Transcript, exchange: Exchange, what: str, *, again: tuple[str, ...] = (), stage_knows: bool = False
) -> Detail:
    """Return the detail for a negative reply, with the catalog's advice where it knows the reply.

    `stage_knows`: the stage tells more about the reason than the codes alone do, so that only words that the catalog
    knows bring advice of their own.
    """
    reply, known = exchange.reply, exchange.explanation
    reason = f" ({known.reason})" if known is not None and known.reason not in (None, "ok") else ""
    if stage_knows and known is not None and known.confidence in _BY_CODE:
        known = None
    return Detail(
        f"{session.host} {what}: {quoted(exchange)}{reason}",
        subject=session.port_name,
        fix=known.steps[0] if known is not None and known.steps else None,
        paste=known.commands if known is not None and known.commands else again,
        code=reply.code if reply else None,
        enhanced=reply.enhanced if reply else None,
        reason=known.reason if known else None,
    )
