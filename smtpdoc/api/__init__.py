"""smtpdoc as a library. Names are resolved when they are first used: `smtpdoc.api.early` comes before all else."""

from __future__ import annotations

TYPE_CHECKING = False  # see smtpdoc/__init__.py
if TYPE_CHECKING:
    from smtpdoc.api.calls import auth_check, explain, probe

__all__ = ["auth_check", "explain", "probe"]


def __getattr__(name: str) -> object:
    """Resolve a public name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'smtpdoc.api' has no attribute {name!r}")
    from smtpdoc.api import calls

    return getattr(calls, name)
