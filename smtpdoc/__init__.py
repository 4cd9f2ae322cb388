"""smtpdoc, the SMTP doctor: why mail is not delivered, and what to do next.

    >>> import smtpdoc
    >>> report = smtpdoc.explain("550 5.1.1 User unknown")
    >>> report.evidence.explanation.reason
    'user-unknown'

`smtpdoc.explain`, `smtpdoc.probe` and `smtpdoc.auth_check` return the same Report objects as the awaitable forms in
`smtpdoc.aio`. Names are resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from smtpdoc.version import __version__

TYPE_CHECKING = False  # loading `typing` takes longer than all else that happens before a probe's connection is begun
if TYPE_CHECKING:
    from smtpdoc.api import auth_check, explain, probe
    from smtpdoc.api.catalogs import load_catalog
    from smtpdoc.errors import ParseError, SmtpdocError, TargetError
    from smtpdoc.findings import Finding, Level
    from smtpdoc.report import ExitCode, Report

_HOMES = {
    "auth_check": "smtpdoc.api",
    "explain": "smtpdoc.api",
    "load_catalog": "smtpdoc.api.catalogs",
    "probe": "smtpdoc.api",
    "ExitCode": "smtpdoc.report",
    "Finding": "smtpdoc.findings",
    "Level": "smtpdoc.findings",
    "ParseError": "smtpdoc.errors",
    "Report": "smtpdoc.report",
    "SmtpdocError": "smtpdoc.errors",
    "TargetError": "smtpdoc.errors",
}

__all__ = [
    "ExitCode",
    "Finding",
    "Level",
    "ParseError",
    "Report",
    "SmtpdocError",
    "TargetError",
    "__version__",
    "auth_check",
    "explain",
    "load_catalog",
    "probe",
]


def __getattr__(name: str) -> object:
    """Resolve a public name (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'smtpdoc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
