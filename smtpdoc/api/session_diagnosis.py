"""What sessions mean, whether they happened just now or were kept: the checks that judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Stage, StageStatus, Transcript
from smtpdoc.report import Section

if TYPE_CHECKING:
    from smtpdoc.catalog.model import CheckSet

_ENVELOPE = frozenset({Stage.VRFY, Stage.EXPN, Stage.MAIL})


def session_checks(*, with_envelope: bool) -> dict[str, list[CheckSet[Transcript]]]:
    """Return section → its checks of a session, in which something was said to MAIL or VRFY or not; loaded here."""
    from smtpdoc.catalog.checks import smtp, tls

    found = {"smtp": [smtp.checks], "tls": [tls.checks]}
    if with_envelope:
        from smtpdoc.catalog.checks import envelope, message

        found["smtp"] += [envelope.checks, message.checks]
    return found


def diagnose(evidence: ProbeEvidence) -> tuple[Section, ...]:
    """Return the findings of all sessions: what the server said, and its TLS."""
    from smtpdoc.api.looks_diagnosis import with_looks

    sessions = _decided(evidence.sessions)
    with_envelope = any(one.stage in _ENVELOPE for session in sessions for one in session.exchanges)
    sections = tuple(
        Section(name, tuple(found for session in sessions for one in checks for found in one.run(session)))
        for name, checks in session_checks(with_envelope=with_envelope).items()
    )
    return with_looks(sections, evidence, sessions)


def _decided(sessions: Sequence[Transcript]) -> tuple[Transcript, ...]:
    """Return the sessions that findings are made from: a second try with the first one's other recipients beside it, in
    place of both."""
    found: list[Transcript] = []
    first: Transcript | None = None
    for session in sessions:
        if session.superseded:
            first = session
            continue
        found.append(session if first is None else _merged(first, session))
        first = None
    return tuple(found)


def _merged(first: Transcript, second: Transcript) -> Transcript:
    tried = {one.recipient for one in second.exchanges if one.stage is Stage.RCPT} | set(second.greylisted)
    standing = [one for one in first.exchanges if one.stage is Stage.RCPT and one.recipient not in tried]
    kept = {Stage.VRFY, Stage.EXPN}
    if any(one.decides and one.status is StageStatus.OK for one in standing):
        kept |= {Stage.DATA, Stage.MESSAGE}  # the message was for these
    earlier = [one for one in first.exchanges if one in standing or one.stage in kept]
    return replace(second, exchanges=(*earlier, *second.exchanges))
