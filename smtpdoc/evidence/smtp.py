"""What an SMTP server said and did: transcript lines, exchanges, TLS facts. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from smtpdoc.findings import NO_FACTS, Fact

if TYPE_CHECKING:
    from smtpdoc.evidence.explanation import Explanation
    from smtpdoc.evidence.looks import (
        Dane,
        Enforcement,
        Identity,
        StarttlsInjection,
        StsDelivery,
        VersionAnswer,
    )
    from smtpdoc.grammar.reply import Reply


class Stage(StrEnum):
    """Steps of a session, in order."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    EHLO_TLS = "ehlo-tls"
    AUTH = "auth"
    VRFY = "vrfy"
    EXPN = "expn"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    MESSAGE = "message"
    RSET = "rset"
    QUIT = "quit"
    OTHER = "other"  # a command that we never say: in sessions that somebody else had


class Purpose(StrEnum):
    """Why a recipient was tried that the user did not name."""

    CONTROL = "control"  # an address made up at random: does the server know its recipients?
    RELAY = "relay"  # an address elsewhere: does the server forward for strangers?


class LineKind(StrEnum):
    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"
    ERROR = "error"
    UNEXPECTED = "unexpected"  # a reply that nobody asked for


class FailureKind(StrEnum):
    TIMEOUT = "timeout"
    REFUSED = "refused"  # the TCP connection was refused
    UNREACHABLE = "unreachable"  # no route, network down
    CLOSED = "closed"  # the peer closed or reset an open connection
    TLS = "tls"
    DNS = "dns"
    PROTOCOL = "protocol"  # what came is not SMTP, or breaks it beyond pairing
    SKIPPED_UNSAFE = "unsafe"  # we refused to go on (AUTH over clear text or an unverified certificate)


class StageStatus(StrEnum):
    OK = "ok"
    REFUSED = "refused"  # 5yz, or a positive code where none is allowed
    DEFERRED = "deferred"  # 4yz
    FAILED = "failed"  # no verdict
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript, as it crossed the wire, secrets taken out. `at_s` counts from session start.

    `end` is the line end that came or went with it: "" for notes, and where a line was cut short. Bytes that are no
    UTF-8 are lone surrogates, so that text and end together are the bytes of the wire.
    """

    kind: LineKind
    text: str
    encrypted: bool
    at_s: float
    end: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage has no reply. `word` is a stable fault word of net/smtp.py ("eof-mid-reply"), `detail` a sentence."""

    kind: FailureKind
    stage: Stage
    detail: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A stage with what came of it. `command` is "" where nothing is sent (connect, greeting, tls).

    `recipient` is set at RCPT, and at VRFY and EXPN, where it is what was asked about; `elapsed_s` runs from sending to
    the last byte of the reply.
    """

    stage: Stage
    command: str
    reply: Reply | None
    failure: Failure | None
    encrypted: bool
    elapsed_s: float
    recipient: str | None = None
    status: StageStatus = StageStatus.OK
    explanation: Explanation | None = None
    lines_before: int = 0  # how many transcript lines there were when it ended
    purpose: Purpose | None = None  # at RCPT; None for the user's own recipients

    @property
    def decides(self) -> bool:
        """False where a refusal is as good an answer as any: at QUIT and RSET, VRFY and EXPN, and for recipients that
        were tried to learn about the server."""
        return self.purpose is None and self.stage not in _NEVER_DECIDE


_NEVER_DECIDE = frozenset({Stage.VRFY, Stage.EXPN, Stage.RSET, Stage.QUIT, Stage.OTHER})


@dataclass(frozen=True, slots=True)
class Withheld:
    """A parameter of MAIL FROM or RCPT TO that was asked for and not sent, since `keyword` is not offered."""

    parameter: str  # "RET=HDRS"
    keyword: str  # "DSN"
    detail: str = ""  # a further reason, as half a sentence


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """The message that was to be sent. `size_bytes` as it crosses the wire, without the dots that SMTP adds;
    `added` are names of header fields that it lacked, `notes` sentences about it."""

    size_bytes: int
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of the served chain. `names` are its DNS names and addresses (subjectAltName), in order."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str  # "RSA 2048", "EC P-256", "Ed25519"
    signature: str  # "sha256WithRSAEncryption"
    sha256: str  # fingerprint of the DER form, lower-case hex
    common_name: str | None = None
    der: bytes = field(default=b"", repr=False)
    public_key: bytes = field(default=b"", repr=False)  # SubjectPublicKeyInfo, DER
    public_key_sha256: str | None = None  # its digest, lower-case hex: what a 3 1 1 TLSA record holds


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A finished handshake and the verdict on its certificate.

    `verify_code` is OpenSSL's X509_V_ERR number, 0 when trusted, None when it could not be told; `verify_error` its
    words. `trusted` is the chain alone (root, dates, signatures), `name_matches` the host name alone. `group` is what
    the keys were exchanged with ("x25519", "DHE", "RSA"; None where not known), `hello_retry` whether the server asked
    for a second ClientHello.
    """

    version: str
    cipher: str
    bits: int
    chain: tuple[Certificate, ...]
    trusted: bool
    name_matches: bool
    expired: bool
    self_signed: bool
    days_left: int | None
    server_name: str
    verify_code: int | None = None
    verify_error: str | None = None
    group: str | None = None
    group_bits: int | None = None
    hello_retry: bool = False
    implicit: bool = False
    dane: Mapping[str, Fact] | None = None
    mta_sts: Mapping[str, Fact] | None = None


_VERSION_NAMES = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}


def version_name(version: str) -> str:
    """Return "TLS 1.2" for OpenSSL's "TLSv1.2"; what is none of these as it is."""
    return _VERSION_NAMES.get(version, version)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One session with one address.

    `outcome` is "ok", "refused" (5yz), "deferred" (4yz) or "failed" (no verdict). `capabilities_*` map an EHLO
    keyword in upper case to its parameters ("" for none), in the server's order, or are None without an EHLO.
    """

    host: str
    address: str | None
    port: int
    family: str | None  # "ipv4", "ipv6"
    tls_mode: str  # "starttls", "implicit", "optional", "none", "auto"
    outcome: StageStatus
    exchanges: tuple[Exchange, ...]
    lines: tuple[Line, ...]
    capabilities_before_tls: Mapping[str, str] | None = None
    capabilities_after_tls: Mapping[str, str] | None = None
    tls: TlsFacts | None = None
    round_trips: int = 0
    elapsed_s: float = 0.0
    observed_at: datetime | None = None
    facts: Mapping[str, Fact] = field(default_factory=lambda: NO_FACTS)
    helo: str = ""  # the name given in EHLO
    mail_from: str | None = None  # the reverse-path that was used or would have been, None when none was wanted
    auth_user: str | None = None  # None when no AUTH was wanted
    auth_mechanism: str | None = None  # the one that was tried
    opportunistic: bool = False  # clear text and unverified certificates are acceptable here (RFC 7435)
    cert_days: int = 14
    unsolicited: tuple[Reply, ...] = ()  # replies that nobody asked for: earlier pairings may be off
    legacy_tls: str | None = None  # the old version that a second look found, after a failed handshake
    attempts: tuple[tuple[str, Failure], ...] = ()  # addresses tried in vain before `address`
    source_address: str | None = None  # our side of the connection
    legacy_cipher: str | None = None  # the cipher that came with `legacy_tls`
    # What further looks found; None or empty where nobody asked for them.
    tls_versions: tuple[VersionAnswer, ...] = ()
    starttls_injection: StarttlsInjection | None = None
    enforcement: Enforcement | None = None
    identity: Identity | None = None
    dane: Dane | None = None
    mta_sts: StsDelivery | None = None
    # What the envelope was to be, and what became of it.
    parameters: tuple[str, ...] = ()  # of MAIL FROM and RCPT TO, as sent, each once
    withheld: tuple[Withheld, ...] = ()
    declared_size_bytes: int | None = None  # what SIZE= said, or would have said
    relay_to: str | None = None  # the foreign address of a relay test
    message: MessageFacts | None = None
    attempt: int = 1  # 2 after a wait for greylisting
    waited_s: float = 0.0  # before this session began
    greylisted: tuple[str, ...] = ()  # recipients that the session before this one put off
    superseded: bool = False  # put off by greylisting and then tried again: the session after it decides
    replayed_from: str | None = None  # what wrote the transcript that this was read from; None: it happened just now

    @property
    def port_name(self) -> str:
        """The target as one pastes it: host:port, an IPv6 address in brackets. A replayed session may know no port."""
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
