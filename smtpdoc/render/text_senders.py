"""The part of auth-check's page that is about senders: the rules for bulk mail, and who can pass DMARC how."""

from __future__ import annotations

from rich.text import Text

from smtpdoc.catalog.bulk_senders import LEVELS, NAMES, PROVIDERS, WORDS, level, summary
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.senders import BulkRule, SenderAlignment
from smtpdoc.findings import Level
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page

_SENDER_WIDTH = 26
_SPF_WIDTH = 11


def bulk_line(page: Page, rules: tuple[BulkRule, ...], name_width: int) -> None:
    """Print the one line about Gmail's, Yahoo's and Microsoft's rules."""
    if rules:
        first = Text.assemble((f"{'Bulk':<{name_width}}", "head"), page.mark(level(rules)), "  ")
        page.hanging(first, summary(rules))


def senders_blocks(page: Page, evidence: AuthEvidence) -> None:
    """Print what stands behind the lines: each rule, and each sender's alignment."""
    if evidence.bulk_senders:
        page.blank()
        page.split(Text("Bulk senders", "head"), "over 5,000 messages a day to one provider")
        for rule in evidence.bulk_senders:
            _rule(page, rule)
    if evidence.dmarc is not None and evidence.dmarc.alignment:
        page.blank()
        broken = evidence.spf is not None and evidence.spf.result == "permerror"
        when = ", once its SPF record is repaired" if broken else ""
        page.line(Text.assemble(("Alignment", "head"), f" with {printable(evidence.domain)}, by sender{when}"))
        for sender in evidence.dmarc.alignment:
            _sender(page, sender)


def _rule(page: Page, rule: BulkRule) -> None:
    first = Text.assemble(page.mark(LEVELS[rule.state]), " ", f"{NAMES[rule.rule]:<12}", f"{WORDS[rule.state]:<13}")
    asked = "" if rule.asked_by == PROVIDERS else f" ({', '.join(rule.asked_by)})"
    page.hanging(first, printable(rule.because) + asked)


def _sender(page: Page, sender: SenderAlignment) -> None:
    spf = {True: "SPF yes", False: "SPF no", None: "SPF ?"}[sender.spf]
    dkim = {True: f"DKIM yes ({', '.join(sender.selectors)})", False: "DKIM no", None: "DKIM not seen"}[sender.dkim]
    good = sender.spf or sender.dkim
    mark = page.mark(Level.PASS if good else Level.WARNING if sender.spf is sender.dkim is False else Level.INFO)
    row = f"{printable(sender.sender):<{_SENDER_WIDTH}} {spf:<{_SPF_WIDTH}}{printable(dkim)}"
    page.line(Text.assemble(mark, " ", row))
