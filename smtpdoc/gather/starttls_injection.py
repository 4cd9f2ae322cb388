"""Does a server take a command that came in clear for one that came under TLS? (RFC 3207 section 4.2, CVE-2011-0411)"""

from __future__ import annotations

from smtpdoc.evidence.looks import StarttlsInjection
from smtpdoc.evidence.smtp import FailureKind, Stage, StageStatus
from smtpdoc.gather.look import LookError, Place, greeted, looking, said
from smtpdoc.gather.record import expecting
from smtpdoc.grammar.printable import printable
from smtpdoc.seams import Command, Dialer


async def gather_starttls_injection(place: Place, dialer: Dialer) -> StarttlsInjection:
    """Send NOOP in the same packet as STARTTLS, shake hands, say QUIT, and see which of the two is answered first."""
    try:
        async with looking(place, dialer) as session:
            if "STARTTLS" not in await greeted(session, place):
                return StarttlsInjection("unknown", "STARTTLS is not offered")
            session.send(Command(Stage.STARTTLS, "STARTTLS"), Command(Stage.STARTTLS, "NOOP"))
            agreed = expecting(await session.reply(), 220)
            if agreed.status is not StageStatus.OK:
                return StarttlsInjection("refused", said(agreed))
            shaken = await session.start_tls()
            if shaken.failure is not None:
                return _not_under_tls(shaken.failure.word, shaken.failure.kind, shaken.failure.detail)
            # With TLS up, 221 answers this; whatever comes before it answers the NOOP.
            session.send(Command(Stage.QUIT, "QUIT"))
            first = await session.reply()
            if first.reply is None:
                return StarttlsInjection("refused", said(first))
            if first.reply.code == 221:
                return StarttlsInjection("discarded", "only what came under TLS was answered")
            second = await session.reply()
            answer = f"{first.reply.code} {printable(first.reply.text[:200])}".rstrip()
            if second.reply is not None and second.reply.code == 221:
                return StarttlsInjection("executed", f"under TLS it answered the NOOP from before with {answer}")
            return StarttlsInjection("unknown", f"QUIT was answered with {answer}")
    except LookError as error:
        return StarttlsInjection("unknown", str(error))


def _not_under_tls(word: str, kind: FailureKind, detail: str) -> StarttlsInjection:
    if word in ("starttls-injection", "tls-clear-answer", "tls-clear-deferral"):
        return StarttlsInjection("answered-in-clear", detail)
    if kind is FailureKind.TLS:
        # It took the NOOP for the beginning of the handshake, or closed: either way nothing was executed.
        return StarttlsInjection("refused", detail)
    return StarttlsInjection("unknown", detail)
