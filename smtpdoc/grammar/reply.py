"""Replies: reply code, enhanced status code, text (RFC 5321 section 4.2, RFC 3463)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One line of a reply as a server sent it: `raw` without its line end, `text` without code and separator."""

    code: int
    last: bool
    text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, or what is left of one in a log line: a code, an enhanced code, or only a text may be there.

    `code` is None for a pasted text without one; `enhanced` is "5.7.26" or None; `lines` are the texts of the
    lines without codes, never empty; `text` is the lines joined by one space, enhanced code taken out.
    `faults` names what RFC 5321 does not allow in it ("bare-lf", "mixed-codes", ...), in order of appearance.
    """

    code: int | None
    enhanced: str | None
    lines: tuple[str, ...]
    text: str
    faults: tuple[str, ...] = ()

    @property
    def positive(self) -> bool:
        return self.code is not None and 200 <= self.code <= 399

    @property
    def temporary(self) -> bool:
        return self.code is not None and 400 <= self.code <= 499

    @property
    def permanent(self) -> bool:
        return self.code is not None and 500 <= self.code <= 599
