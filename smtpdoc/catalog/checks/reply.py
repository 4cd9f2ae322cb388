"""What can be doubtful about an explained reply."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.explanation import Confidence, ExplainEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[ExplainEvidence]("reply")


@checks.add(
    "not-a-reply",
    title="There is no SMTP reply in this text",
    level=Level.ERROR,
    why="An explanation needs a reply code, an enhanced status code, or the words of a reply.",
    fix="Paste the line that the server said, such as: 550 5.1.1 User unknown",
    sources=(rfc(5321, "4.2"),),
)
def not_a_reply(evidence: ExplainEvidence) -> Iterator[Detail]:
    if evidence.explanation is None and evidence.page is None:
        yield Detail(f"no reply in {printable(evidence.input[:80])!r}")


@checks.add(
    "only-class-known",
    title="Only the first digit of this reply is known",
    level=Level.UNKNOWN,
    why="Neither the words nor the codes stand in the catalog. A client that does not know a code acts on its first digit.",
    fix="Look the words up at the server's own pages, or ask its postmaster; the reply's first digit says whether to retry.",
    sources=(rfc(5321, "4.2.1"),),
)
def only_class_known(evidence: ExplainEvidence) -> Iterator[Detail]:
    if evidence.page is not None and evidence.page.kind == "code" and evidence.page.rows:
        return  # asked for by its number, and there is something to say
    if evidence.explanation is not None and evidence.explanation.confidence is Confidence.CLASS:
        kind = evidence.explanation.reply_class
        yield Detail(
            f"nothing in the catalog knows this reply; its first digit says {kind}" if kind else
            "nothing in the catalog knows these words, and there is no code beside them"
        )  # fmt: skip


@checks.add(
    "doubtful",
    title="The reply contradicts itself",
    level=Level.INFO,
    why="Servers put codes and words together that do not belong together; the words are right more often than the codes.",
    fix="Go by the explanation, and keep the whole reply for the receiving postmaster.",
    sources=(rfc(3463, "2"),),
)
def doubtful(evidence: ExplainEvidence) -> Iterator[Detail]:
    if evidence.explanation is not None:
        for note in evidence.explanation.notes:
            yield Detail(note)


ENTRIES = checks.entries
