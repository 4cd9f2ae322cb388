"""A session that somebody kept: who said what, in order. Values that all readers of transcripts make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from smtpdoc.errors import ParseError

#: A line that only a server says.
CODE = re.compile(r"[2-5][0-9]{2}(?:[ -]|$)")
#: A line that only a client says.
COMMAND = re.compile(
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|HELP|STARTTLS|AUTH|ETRN|TURN|XCLIENT|XFORWARD"
    r"|SEND|SOML|SAML|ATRN|BURL)(?:[ :\t]|$)",
    re.IGNORECASE,
)


class TranscriptParseError(ParseError):
    """Nothing in the text is a session."""


class Mark(StrEnum):
    SENT = "sent"
    RECEIVED = "received"
    UNEXPECTED = "unexpected"
    NOTE = "note"
    ERROR = "error"
    STAGE = "stage"  # JSON, of a stage that no line tells: it failed, was left out, or was tried for a reason


@dataclass(frozen=True, slots=True)
class Saying:
    """One line that was said, or a note about it. `at_s` is None where nobody kept the time; `number` is the line of
    the file, from 1; `end` the line end of the wire, "" where that was not kept."""

    mark: Mark
    text: str
    encrypted: bool
    at_s: float | None
    number: int
    end: str = ""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """One session of a file. `format` names what wrote it; None stands for what it does not say.

    `tls_mode` is the --tls mode, `observed_at` an RFC 3339 time; `tls` and `facts` hold what is known about the
    handshake and beside the lines, under the keys of the JSON report; `pem` the certificates served, in base64, the
    leaf first. `marks_tls` is False where the format does not tell what was said under TLS. Sessions with the same
    `report` were of one target, and our own.
    """

    format: str
    sayings: tuple[Saying, ...]
    host: str | None = None
    port: int | None = None
    address: str | None = None
    tls_mode: str | None = None
    observed_at: str | None = None
    tls: Mapping[str, object] | None = None
    pem: tuple[str, ...] = ()
    marks_tls: bool = True
    facts: Mapping[str, object] | None = None
    report: int | None = None
