"""smtpdoc, the SMTP doctor: why mail is not delivered, and what to do next."""

from smtpdoc.version import __version__

__all__ = ["__version__"]
