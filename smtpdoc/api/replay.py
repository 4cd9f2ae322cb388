"""probe --replay: a session that somebody kept, explained without a network."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smtpdoc.api.clock import Clock
from smtpdoc.api.explaining import Explainer
from smtpdoc.api.session_diagnosis import diagnose
from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.findings import Finding, Level
from smtpdoc.gather.replay import replayed
from smtpdoc.grammar.der import DerParseError
from smtpdoc.grammar.dialogue import SavedSession
from smtpdoc.grammar.transcript_text import decode
from smtpdoc.grammar.transcripts import parse_transcripts
from smtpdoc.net.certificates import read_certificate
from smtpdoc.report import Report, Section

if TYPE_CHECKING:
    from smtpdoc.catalog.user import UserCatalog


def replay(
    text: str | bytes,
    *,
    name: str = "",
    catalog: UserCatalog | None = None,
    fail_on: Level | None = Level.ERROR,
    ignore: Sequence[str] = (),
    cert_days: int = 14,
) -> Report:
    """Explain the sessions in a text: of `probe --transcript`, swaks, openssl s_client, telnet, JSON of a probe, S: and
    C: lines.

    `name` is the report's target where the text does not name exactly one server. Passwords in it are hidden. Raises
    ParseError when there is no session in it.
    """
    clock = Clock()
    saved = parse_transcripts(decode(text) if isinstance(text, bytes) else text)
    sessions = tuple(_explained(_with_leaf(replayed(one), one), catalog, cert_days) for one in saved)
    evidence = ProbeEvidence(sessions)
    # Only sessions of one target are compared.
    of_target: dict[int, list[Transcript]] = {}
    for number, (one, session) in enumerate(zip(saved, sessions, strict=True)):
        of_target.setdefault(-1 - number if one.report is None else one.report, []).append(session)
    found: dict[str, list[Finding]] = {}
    for group in of_target.values():
        for section in diagnose(ProbeEvidence(tuple(group))):
            found.setdefault(section.name, []).extend(section.findings)
    sections = tuple(Section(section, tuple(findings)) for section, findings in found.items())
    places = {session.port_name for session in sessions}
    target = places.pop() if len(places) == 1 else name or "transcript"
    return clock.report("probe", target, evidence, sections, fail_on, ignore)


def _explained(session: Transcript, catalog: UserCatalog | None, cert_days: int) -> Transcript:
    explainer = Explainer(catalog)
    return replace(session, exchanges=tuple(map(explainer.explained, session.exchanges)), cert_days=cert_days)


def _with_leaf(session: Transcript, saved: SavedSession) -> Transcript:
    """Read the certificate that openssl prints, so that its names and dates can be judged."""
    tls = session.tls
    if tls is None or not saved.pem:
        return session
    if not tls.chain and saved.tls is not None and saved.tls.get("certificates") != 1:
        return session  # an old openssl: what else was sent cannot be told, and half a chain would look like a fault
    try:
        leaf = read_certificate(b64decode(saved.pem[0], validate=True))
    except (Base64Error, DerParseError):
        return session
    now = session.observed_at or datetime.now(UTC)
    seen = replace(
        tls, chain=(leaf, *tls.chain[1:]), days_left=(leaf.not_after - now).days, expired=leaf.not_after < now
    )
    return replace(session, tls=seen)
