"""What a kept session says about TLS, as evidence: out of a JSON report, or out of what openssl s_client prints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from smtpdoc.evidence.smtp import Certificate, TlsFacts
from smtpdoc.grammar.dialogue import SavedSession

# OpenSSL's X509_V_ERR numbers.
_TRUSTED, _EXPIRED, _SELF_SIGNED, _OTHER_NAMES = 0, 10, (18, 19), (62, 63, 64)
_MAX_CHAIN = 20


def saved_tls(saved: SavedSession, host: str) -> TlsFacts | None:
    """Return the facts of the handshake, or None where the text does not have them: nothing is made up."""
    tls = saved.tls
    if tls is None:
        return None
    code = tls.get("verify_code")
    verify_code = code if isinstance(code, int) and not isinstance(code, bool) else None
    agreed = isinstance(tls.get("version"), str) and isinstance(tls.get("cipher"), str)
    if not agreed and not verify_code:  # `s_client -quiet` tells what is wrong with the certificate, and nothing else
        return None
    chain = tls.get("chain")
    certificates = [_certificate(one) for one in chain[:_MAX_CHAIN]] if isinstance(chain, list) else []
    days_left, bits, group_bits = tls.get("days_left"), tls.get("bits"), tls.get("group_bits")
    return TlsFacts(
        version=_text(tls, "version"),
        cipher=_text(tls, "cipher"),
        bits=bits if isinstance(bits, int) else 0,
        chain=tuple(one for one in certificates if one is not None),
        trusted=tls.get("trusted") is True or ("trusted" not in tls and verify_code in (_TRUSTED, *_OTHER_NAMES)),
        name_matches=tls.get("name_matches") is not False and verify_code not in _OTHER_NAMES,
        expired=tls.get("expired") is True or verify_code == _EXPIRED,
        self_signed=tls.get("self_signed") is True or verify_code in _SELF_SIGNED,
        days_left=days_left if isinstance(days_left, int) else None,
        server_name=_text(tls, "server_name") or host,
        verify_code=verify_code,
        verify_error=_text(tls, "verify_error") or None,
        group=_text(tls, "group") or None,
        group_bits=group_bits if isinstance(group_bits, int) else None,
        hello_retry=tls.get("hello_retry") is True,
        implicit=saved.tls_mode == "implicit",
    )


def _certificate(value: object) -> Certificate | None:
    if not isinstance(value, dict):
        return None
    not_before, not_after = _date(value.get("not_before")), _date(value.get("not_after"))
    if not_before is None or not_after is None:
        return None
    names = value.get("names")
    return Certificate(
        subject=_text(value, "subject"),
        issuer=_text(value, "issuer"),
        names=tuple(str(name)[:255] for name in names) if isinstance(names, list) else (),
        not_before=not_before,
        not_after=not_after,
        key=_text(value, "key"),
        signature=_text(value, "signature"),
        sha256=_text(value, "sha256"),
        public_key_sha256=_text(value, "public_key_sha256") or None,
        common_name=_text(value, "common_name") or None,
    )


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    return value[:500] if isinstance(value, str) else ""


def _date(value: object) -> datetime | None:
    """Read a date of JSON, or of openssl ("Feb 18 23:03:20 2027 GMT")."""
    if not isinstance(value, str):
        return None
    try:
        if value.endswith(" GMT"):
            return datetime.strptime(value, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last day are another year's in UTC
        return None
