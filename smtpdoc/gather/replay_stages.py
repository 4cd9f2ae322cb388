"""Commands and replies of a session that somebody kept: which stage each is, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import replace

from smtpdoc.evidence.smtp import Exchange, Stage, StageStatus
from smtpdoc.gather.record import expecting
from smtpdoc.grammar.reply import Reply
from smtpdoc.grammar.secret import HIDDEN

_VERBS = {
    "EHLO": Stage.EHLO,
    "HELO": Stage.EHLO,
    "LHLO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS,
    "AUTH": Stage.AUTH,
    "MAIL": Stage.MAIL,
    "RCPT": Stage.RCPT,
    "DATA": Stage.DATA,
    "RSET": Stage.RSET,
    "VRFY": Stage.VRFY,
    "EXPN": Stage.EXPN,
    "QUIT": Stage.QUIT,
}
_LAST_CHUNK = re.compile(r"BDAT\s+\d+\s+LAST\s*", re.IGNORECASE)
_EXPECTED = {
    Stage.GREETING: (220,),
    Stage.EHLO: (250,),
    Stage.EHLO_TLS: (250,),
    Stage.STARTTLS: (220,),
    Stage.AUTH: (235,),
    Stage.MAIL: (250,),
    Stage.RCPT: (250, 251, 252),
    Stage.DATA: (354,),
    Stage.MESSAGE: (250,),
}
_PATH = re.compile(r"(?:FROM|TO)\s*:\s*<?(?P<path>[^<>\s]*)>?", re.IGNORECASE)


def stage_of(command: str) -> Stage:
    """Return the stage that a command is; OTHER for those that are none, and for those that nobody knows."""
    if command == HIDDEN:
        return Stage.AUTH  # only a login is left out
    if _LAST_CHUNK.fullmatch(command):
        return Stage.MESSAGE
    return _VERBS.get(command.partition(" ")[0].rstrip(":").upper(), Stage.OTHER)


def path_of(command: str) -> str | None:
    """Return the address in MAIL or RCPT, "" for the null reverse-path, None without one."""
    match = _PATH.search(command)
    return None if match is None else match["path"]


def guessed(code: int, text: str, done: Set[Stage], *, again: bool) -> Stage:
    """Return what a reply answers where only the server's side was kept. `again` tells that EHLO would be the one after
    STARTTLS."""
    by_code = {221: Stage.QUIT, 235: Stage.AUTH, 334: Stage.AUTH, 354: Stage.DATA}
    if code in (530, 534, 535, 538) or code in by_code:
        return by_code.get(code, Stage.AUTH)
    if code == 220:
        return Stage.STARTTLS if Stage.GREETING in done else Stage.GREETING
    hello = Stage.EHLO_TLS if again else Stage.EHLO
    if Stage.MAIL not in done:
        return Stage.MAIL if hello in done or text.startswith("2.1.0") else hello
    # A 2.0.0 says nothing about an address (RFC 3463 section 3.1).
    return Stage.RSET if code == 250 and text.startswith("2.0.0") else Stage.RCPT


def judged(exchange: Exchange) -> Exchange:
    """Return an exchange that has a reply with its status: by the reply, and by what the stage may be answered with."""
    reply = exchange.reply
    if reply is None:
        return exchange
    exchange = replace(exchange, status=_status(reply))
    codes = _EXPECTED.get(exchange.stage)
    return exchange if codes is None else expecting(exchange, *codes)


def _status(reply: Reply) -> StageStatus:
    if reply.positive:
        return StageStatus.OK
    return StageStatus.DEFERRED if reply.temporary else StageStatus.REFUSED
