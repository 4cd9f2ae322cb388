"""A session of the probe without what the command line puts around it."""

from __future__ import annotations

from smtpdoc.evidence.smtp import Transcript
from smtpdoc.gather.probe import Probe, ProbeOptions
from smtpdoc.seams import Dialer, Watcher
from smtpdoc.target import Target


async def gather_probe(
    target: Target,
    options: ProbeOptions,
    dialer: Dialer,
    watcher: Watcher,
    *,
    address: str | None = None,
) -> Transcript:
    """Talk to the target, or to one given address of it, as far as the options want, and return what happened.

    The watcher is told every line and exchange as it happens. Raises ParseError or TargetError for addresses and names
    that are none, before anything is sent, and TargetError for files that cannot be used.
    """
    probe = Probe(target, options, dialer, watcher)
    try:
        await probe.run(address)
    finally:
        probe.close()
    return probe.transcript()
