"""All sessions of one target, and what was asked beside them. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smtpdoc.evidence.smtp import Transcript

if TYPE_CHECKING:  # loaded by those who ask for them
    from smtpdoc.evidence.dns import Lookup
    from smtpdoc.evidence.timings import Timings
    from smtpdoc.evidence.transport import MtaStsEvidence


@dataclass(frozen=True, slots=True)
class MxHost:
    """One MX record and what its host resolves to, with the answers that say so: the domain's MX, the host's A and
    AAAA, None where nobody asked."""

    preference: int
    host: str
    addresses: tuple[str, ...]
    mx: Lookup | None = field(default=None, compare=False, repr=False)
    a: Lookup | None = field(default=None, compare=False, repr=False)
    aaaa: Lookup | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ProbeEvidence:
    """All sessions of one target; `mx` is None unless `--mx` asked for a domain's hosts."""

    sessions: tuple[Transcript, ...]
    mx: tuple[MxHost, ...] | None = None
    left_out: int = 0  # hosts or addresses for which no session was made: there are limits to politeness
    mta_sts: MtaStsEvidence | None = None  # of the `--mx` domain, None unless `--mta-sts` asked for it
    timings: Timings | None = None  # of all sessions of `--repeat`; `sessions` then has the one that ended worst

    @property
    def standing(self) -> tuple[Transcript, ...]:
        """The sessions whose word counts: not those that were put off and tried again."""
        return tuple(session for session in self.sessions if not session.superseded)
