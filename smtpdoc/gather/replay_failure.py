"""What went wrong in a session that somebody kept, in the words of the program that had it."""

from __future__ import annotations

from dataclasses import replace

from smtpdoc.evidence.smtp import Failure, FailureKind, Stage

#: Words, what they mean, and its fault word.
_WORDS = (
    (("refused",), FailureKind.REFUSED, "refused"),
    (("timed out", "timeout", "no answer within", "said nothing"), FailureKind.TIMEOUT, "timeout"),
    (("no route", "unreachable"), FailureKind.UNREACHABLE, "unreachable"),
    (
        (
            *("not known", "nxdomain", "no such host", "servname", "could not resolve", "does not exist"),
            *("name resolution", "host not found", "bad hostname", "unknown host"),
        ),
        FailureKind.DNS,
        "name-lookup-failed",
    ),
    (("tls", "ssl", "handshake", "certificate"), FailureKind.TLS, "tls-failed"),
    (("closed", "reset", "eof", "broken pipe", "disconnect", "lost"), FailureKind.CLOSED, "eof"),
)
_SILENT = Failure(FailureKind.PROTOCOL, Stage.CONNECT, "the transcript ends before", "not-in-transcript")


def failure_of(words: str, stage: Stage) -> Failure:
    """Return what an error message means; its kind is PROTOCOL where it says nothing known."""
    known = words.lower()
    for parts, kind, word in _WORDS:
        if any(part in known for part in parts):
            return Failure(kind, stage, words, word)
    return Failure(FailureKind.PROTOCOL, stage, words, "protocol")


def unanswered(command: str, stage: Stage) -> Failure:
    """Return what is said of a command whose reply is not in the transcript; of the greeting, if it is ""."""
    what = (
        f"a reply to {command}" if command else "the reply to a message" if stage is Stage.MESSAGE else "the greeting"
    )
    return replace(_SILENT, stage=stage, detail=f"{_SILENT.detail} {what}")
