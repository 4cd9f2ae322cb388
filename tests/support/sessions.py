"""Transcripts, handshakes and certificates as values, for tests of what is made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from smtpdoc.evidence.smtp import Certificate, Exchange, Stage, StageStatus, TlsFacts, Transcript
from support.scripted import reply

HOST = "mx.example.net"
NOW = datetime.now(UTC)


def exchange(stage: Stage, text: str, *, command: str = "", elapsed_s: float = 0.01) -> Exchange:
    """A stage that was answered with this reply."""
    status = {"4": StageStatus.DEFERRED, "5": StageStatus.REFUSED}.get(text[0], StageStatus.OK)
    return Exchange(stage, command, reply(text), None, False, elapsed_s, None, status)


def certificate(**changes: Any) -> Certificate:
    given: dict[str, Any] = {
        "subject": f"CN={HOST}",
        "issuer": "CN=intermediate",
        "names": (HOST,),
        "not_before": NOW - timedelta(days=10),
        "not_after": NOW + timedelta(days=50),
        "key": "EC P-256",
        "signature": "ecdsa-with-SHA256",
        "sha256": "00" * 32,
        "common_name": HOST,
        "der": b"certificate",
        "public_key": b"key",
        "public_key_sha256": sha256(b"key").hexdigest(),
    }
    return Certificate(**given | changes)


INTERMEDIATE = certificate(
    subject="CN=intermediate", issuer="CN=root", names=(), der=b"intermediate", public_key=b"intermediate key"
)


def handshake(leaf: Certificate | None = None, **changes: Any) -> TlsFacts:
    given: dict[str, Any] = {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "bits": 256,
        "chain": (leaf or certificate(), INTERMEDIATE),
        "trusted": True,
        "name_matches": True,
        "expired": False,
        "self_signed": False,
        "days_left": 49,
        "server_name": HOST,
        "verify_code": 0,
    }
    return TlsFacts(**given | changes)


def session(*exchanges: Exchange, **changes: Any) -> Transcript:
    given: dict[str, Any] = {
        "host": HOST,
        "address": "192.0.2.25",
        "port": 587,
        "family": "ipv4",
        "tls_mode": "auto",
        "outcome": StageStatus.OK,
        "exchanges": exchanges,
        "lines": (),
        "helo": "client.example",
    }
    return Transcript(**given | changes)
