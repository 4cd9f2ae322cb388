"""The page of `explain`: the answer in the first lines, then what to do."""

from __future__ import annotations

from rich.text import Text

from smtpdoc.catalog.providers import display_name
from smtpdoc.evidence.explanation import Confidence, Explanation, Retry, Who
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page, duration

_LABEL_WIDTH = 11

_WHO = {
    Who.SENDER: "the sender: whoever wrote or sends this message",
    Who.RECIPIENT: "the recipient, or whoever keeps that mailbox",
    Who.RECEIVER_ADMIN: "the receiving side's postmaster",
    Who.SENDER_ADMIN: "you: whoever runs the sending server, its DNS or its sending service",
    Who.NOBODY: "nobody: nothing has to be done",
}

_CONFIDENCE = {
    Confidence.EXACT: "exact match",
    Confidence.PATTERN: "matched by its wording",
    Confidence.CODE: "judged by its code alone",
    Confidence.CLASS: "only its first digit is known",
}


def level_of(explanation: Explanation) -> Level:
    """Return the colour of an answer: what the reply itself says of the mail."""
    known = {
        "success": Level.PASS,
        "intermediate": Level.INFO,
        "temporary": Level.WARNING,
        "permanent": Level.ERROR,
    }.get(explanation.reply_class or "")
    if known is not None or explanation.reason is None:
        return known or Level.UNKNOWN
    return Level.WARNING if explanation.retry.should else Level.ERROR  # words without a code


def codes(explanation: Explanation) -> str:
    reply = explanation.reply
    return " ".join(str(code) for code in (reply.code, reply.enhanced) if code is not None)


def render_asked(page: Page, line: str) -> None:
    """Print the line that is answered next, cut to one line of the page; not in quiet mode."""
    if not page.quiet:
        shown = Text(f"> {printable(line)}", "quiet")
        shown.truncate(page.width, overflow="ellipsis")
        page.line(shown)


def render_no_reply(page: Page, text: str) -> None:
    page.hanging(page.mark(Level.ERROR).append(" "), f"no SMTP reply in {text[:120]!r}")


def render_explanation(page: Page, explanation: Explanation, *, official: str = "") -> None:
    """Print a whole explanation; in quiet mode one line. `official` says what the standard calls the code."""
    level = level_of(explanation)
    if page.quiet:
        words = [codes(explanation), explanation.reason or "reason unknown", explanation.title]
        page.line(Text.assemble(page.mark(level), " ", printable("  ".join(filter(None, words)))))
        return
    _headline(page, explanation)
    page.hanging(page.mark(level).append(" "), explanation.title, "head")
    if explanation.meaning and explanation.meaning != explanation.title:
        page.paragraph(explanation.meaning, 2)
    if official:
        page.paragraph(official, 2)
    for note in explanation.notes:
        page.hanging(Text.assemble("  ", ("note ", "warning")), note)
    render_advice(page, explanation)
    page.blank()
    _sources(page, explanation)


def _headline(page: Page, explanation: Explanation) -> None:
    left = Text()
    for part, style in (
        (codes(explanation) or "no code", "head"),
        (provider_name(explanation.provider), ""),
        (explanation.reply_class or "", str(level_of(explanation))),
    ):
        if part:
            left.append("  " if left else "").append(printable(part), style)
    page.split(left, explanation.reason or "reason unknown")


def render_advice(page: Page, explanation: Explanation) -> None:
    """Print steps, commands, retry, who must act and the usual causes."""
    if explanation.steps:
        page.blank()
        page.line("Do this", "head")
        for number, step in enumerate(explanation.steps, 1):
            page.hanging(Text(f"{number:>3}. "), step)
    if explanation.commands:
        page.blank()
        page.line("Next command", "head")
        for command in explanation.commands:
            page.copyable(command, 5)
    rows = []
    if explanation.reason != "ok":  # after a success there is nothing to try again, and nobody has to act
        rows += [("Retry", retry_words(explanation.retry)), ("Who acts", _WHO[explanation.who])]
        shown = explanation.causes if page.verbose else explanation.causes[:3]
        often = f" {page.marks.dot} ".join(cause.removesuffix(".") for cause in shown)
        rows += [("Often", often)] if shown else []
    if page.verbose and explanation.facts:
        found = (f"{name.replace('_', ' ')} {value}" for name, value in explanation.facts.items())
        rows.append(("In it", ", ".join(found)))
    if rows:
        page.blank()
    for label, text in rows:
        _labelled(page, label, text)


def _labelled(page: Page, label: str, text: str) -> None:
    page.hanging(Text(f"{label:<{_LABEL_WIDTH}}", "quiet"), text)


def _sources(page: Page, explanation: Explanation) -> None:
    parts = [f"{_CONFIDENCE[explanation.confidence]} {explanation.entries[0]}"]
    parts += [str(source) for source in explanation.sources[: None if page.verbose else 2]]
    page.hanging(Text(), f" {page.marks.dot} ".join(parts), "quiet")
    if page.verbose:
        page.hanging(Text(), "entries " + ", ".join(explanation.entries), "quiet")
        for source in explanation.sources:
            if source.url:
                page.line("  " + source.url, "quiet")


def retry_words(retry: Retry) -> str:
    """Return a retry advice in words.

    >>> retry_words(Retry(True, (300, 1800), 172800))
    'yes: after 5 min, 30 min; give up after 2 days'
    """
    if not retry.should:
        return "no: sending the same again gets the same answer"
    words = "yes"
    if retry.schedule_s:
        words += ": after " + ", ".join(duration(delay) for delay in retry.schedule_s)
    if retry.give_up_s:
        words += f"; give up after {duration(retry.give_up_s)}"
    return words


def provider_name(provider: str | None) -> str:
    """Return a provider's name in a line of text; "" for None."""
    return display_name(provider).partition(",")[0] if provider else ""
