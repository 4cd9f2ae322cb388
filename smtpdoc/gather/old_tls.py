"""A second connection that speaks what nobody should any more: to say "TLS 1.0" instead of "failed"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtpdoc.evidence.smtp import Stage, TlsFacts
from smtpdoc.gather.look import LookError, Place, expect, greeted, looking
from smtpdoc.seams import Command, Dialer

OLD_TLS_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class OldTls:
    """What was agreed on with everything old allowed, None where that fails too; and what finding out took."""

    tls: TlsFacts | None
    round_trips: int


async def look_for_old_tls(place: Place, dialer: Dialer) -> OldTls:
    """Shake hands once more with old versions and weak ciphers allowed: never with a login, and without QUIT."""
    old = replace(
        place,
        tls=replace(place.tls, legacy=True, client_cert=None, client_key=None),
        deadline=min(place.deadline, dialer.now() + OLD_TLS_PATIENCE_S),
    )
    found, round_trips = None, 0
    try:
        async with looking(old, dialer) as session:
            try:
                if not place.implicit:
                    await greeted(session, place)
                    await expect(session, Command(Stage.STARTTLS, "STARTTLS"), 220)
                exchange = await session.start_tls()
                found = session.tls if exchange.failure is None else None
            finally:
                round_trips = session.round_trips
    except LookError:
        pass
    return OldTls(found, round_trips)
