"""TLS-RPT records (RFC 8460 section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtpdoc.grammar.dmarc import parse_report_uri
from smtpdoc.grammar.fields import parse_fields

_HTTPS_HOST = re.compile(r"https://[A-Za-z0-9._\[\]:-]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TlsRptRecord:
    """A TXT text read as a TLS-RPT record; `rua` are its mailto and https URIs, in order."""

    text: str
    is_tls_rpt: bool
    valid: bool = False
    rua: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


def parse_tls_rpt(text: str) -> TlsRptRecord:
    """Read the TXT record at `_smtp._tls`; repeated rua fields and extensions are legal. Nothing is raised.

    >>> parse_tls_rpt("v=TLSRPTv1; rua=mailto:tls@example.com").rua
    ('mailto:tls@example.com',)
    """
    split = parse_fields(text, "v=TLSRPTv1", "rua")
    if split is None:
        return TlsRptRecord(text, is_tls_rpt=False)
    flags = set(split.flags)
    lists = [value for name, value in split.fields if name == "rua"]
    # tlsrpt-rua = %s"rua=" tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri)
    uris = [uri.strip(" \t") for value in lists for uri in value.split(",")]
    usable = tuple(uri for uri in uris if _is_destination(uri))
    if not lists:
        flags.add("missing-rua")
    elif len(usable) < len(uris):
        flags.add("bad-uri")
    extensions = tuple(field for field in split.fields if field[0] != "rua")
    return TlsRptRecord(text, True, not flags, usable, extensions, tuple(sorted(flags)))


def _is_destination(uri: str) -> bool:
    read = parse_report_uri(uri)
    return read is not None and (read.host is not None or _HTTPS_HOST.match(uri) is not None)
