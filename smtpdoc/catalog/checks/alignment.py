"""Senders whose mail cannot pass DMARC for the author domain (RFC 9989 section 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DmarcEvidence
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[DmarcEvidence]("dmarc")

_AUTHENTICATE = (
    "Turn on domain authentication (DKIM with a key below your domain) at the service, and set a return-path domain "
    "there if it offers one."
)


@checks.add(
    "sender-unaligned",
    title="A sending service whose mail may fail DMARC",
    level=Level.INFO,
    why="SPF counts for DMARC only where the bounce domain belongs to the From domain, and many services use one of their own; its place in the SPF record does not change that. Then DKIM has to sign as the domain itself.",
    fix=f"{_AUTHENTICATE} If its key is there under another name, name it with --selector.",
    sources=(rfc(9989, "4.4"), rfc(9989, "4.4.2")),
)
def sender_unaligned(dmarc: DmarcEvidence) -> Iterator[Detail]:
    if dmarc.applies is None:
        return
    for sender in dmarc.alignment:
        if sender.ip is None and sender.spf is False and sender.dkim is not True:
            yield Detail(
                f"{printable(sender.sender)}: {printable(sender.spf_because)}; {printable(sender.dkim_because)}",
                subject=dmarc.domain,
                level=Level.WARNING if sender.dkim is False else None,
                fix=_AUTHENTICATE if sender.dkim is False else None,
                sender=sender.sender,
            )


@checks.add(
    "client-unaligned",
    title="SPF passes for a domain that does not count for DMARC",
    level=Level.WARNING,
    why="The domain of the bounce address passes SPF, but it does not belong to the From domain in the sense of DMARC, so only an aligned DKIM signature can make the mail pass.",
    fix="Use a bounce address at the From domain (or below it, unless aspf=s), or sign with DKIM as the From domain.",
    sources=(rfc(9989, "4.4"), rfc(9989, "4.4.2")),
)
def client_unaligned(dmarc: DmarcEvidence) -> Iterator[Detail]:
    for sender in dmarc.alignment:
        if sender.passes and sender.spf is False:
            yield Detail(
                f"{sender.ip} sending as {printable(', '.join(sender.via))}: {printable(sender.spf_because)}",
                subject=sender.sender,
                ip=sender.ip,
            )
