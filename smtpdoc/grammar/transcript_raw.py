"""Terminal sessions without marks: telnet, nc, and openssl s_client. A line with a reply code is the server's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from smtpdoc.grammar.dialogue import Mark, SavedSession, Saying
from smtpdoc.grammar.transcript_styles import CODE

COMMAND = re.compile(
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|HELP|STARTTLS|AUTH|ETRN|TURN|XCLIENT|XFORWARD"
    r"|SEND|SOML|SAML|ATRN|BURL)(?:[ :\t]|$)",
    re.IGNORECASE,
)
_SHELL = re.compile(r".{0,80}?[$#>%] *(?P<tool>telnet|nc|ncat|netcat|openssl)\b(?P<rest> .*)", re.IGNORECASE)
_NOTES = re.compile(
    r"Trying |Connected to |Connection to .+ (?:succeeded|closed)|Ncat: (?:Version|Connected)|\(UNKNOWN\) .+ open$"
    r"|.{1,80} \[[0-9a-fA-F.:]+\] \d+ \(.*\) open$",
    re.IGNORECASE,
)
_SKIPPED = re.compile(r"Escape character is|Ncat: \d+ bytes|sent \d+, rcvd \d+|telnet> ", re.IGNORECASE)
_ERRORS = re.compile(
    r"telnet: |nc: |Ncat: |Connection closed by foreign host|.*\b(?:Connection refused|Connection timed out"
    r"|Connection reset by peer|No route to host|Network is unreachable|Name or service not known"
    r"|nodename nor servname provided)",
    re.IGNORECASE,
)

_OPENSSL = re.compile(r"CONNECTED\([0-9A-Fa-f]{8}\)$|---$")
_OPENSSL_ERRORS = re.compile(
    r"[0-9A-F]{8,16}:error:.*|(?:connect|read|write|socket|gethostbyname|BIO_lookup_ex).*:(?:errno=)?.*"
    r"|.*didn't find STARTTLS.*|.*didn't found starttls.*|no peer certificate available|.*: No such host is known.*",
    re.IGNORECASE,
)
_CIPHER = re.compile(r"New, (?P<version>[A-Za-z0-9.]+), Cipher is (?P<cipher>[A-Z0-9_-]+)")
_PROTOCOL = re.compile(r"\s*Protocol(?: version)?\s*: (?P<version>(?:TLSv|SSLv)[0-9.]+)")
_VERIFY = re.compile(r"\s*Verify return code: (?P<code>\d{1,3}) \((?P<words>[^)]*)\)")
_GROUP = re.compile(
    r"(?:Server|Peer) Temp Key: (?:ECDH, )?(?P<group>[\w-]+), (?P<bits>\d{1,5}) bits"
    r"|Negotiated TLS1\.3 group: (?P<hybrid>[\w-]+)"
)
_START = re.compile(r"\s*Start Time: (?P<epoch>\d{9,11})$")
_CHAIN = re.compile(r" *\d{1,2} s:(?P<subject>.*)")
_ABOUT = re.compile(r"   (?P<key>[iav]):(?P<value>.*)")
_KEY = re.compile(r"PKEY: (?P<kind>\w+), (?P<bits>\d+) \(bit\); sigalg: (?P<signature>\S+)")
_RDN = re.compile(r", (?=[A-Za-z0-9.]{1,30} ?= ?)")
_KEYS = {"rsaEncryption": "RSA", "id-ecPublicKey": "EC"}
# What openssl calls some groups, and what IANA does.
_GROUP_NAMES = {"X25519": "x25519", "X448": "x448", "prime256v1": "secp256r1", "DH": "DHE"}
_DATES = re.compile(r"NotBefore: (?P<not_before>[^;]+); NotAfter: (?P<not_after>.+)")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_CONNECT = re.compile(r"-connect[ =]\[?(?P<host>[^\s\]]+?)\]?:(?P<port>\d{1,5})\b")
_PEM = re.compile(r"[A-Za-z0-9+/]{1,76}={0,2}")
_MAX_CERTIFICATES = 20


@dataclass(slots=True)
class _Handshake:
    """What openssl prints about TLS, under the keys of the JSON report."""

    known: dict[str, object] = field(default_factory=dict)
    pem: list[str] = field(default_factory=list)
    chain: list[dict[str, object]] = field(default_factory=list)
    epoch: int | None = None

    def read(self, line: str) -> bool:
        """Take in a line; return whether it was about the handshake."""
        if match := _CIPHER.match(line) or _PROTOCOL.match(line):
            self.known.update({key: value for key, value in match.groupdict().items() if value != "(NONE)"})
        elif match := _VERIFY.match(line):
            self.known.setdefault("verify_code", int(match["code"]))
            self.known.setdefault("verify_error", match["words"])
        elif match := _GROUP.match(line):
            name = match["hybrid"] or match["group"]
            self.known["group"] = _GROUP_NAMES.get(name, name)
            self.known["group_bits"] = int(match["bits"]) if match["bits"] else None
        elif match := _START.match(line):
            self.epoch = int(match["epoch"])
        elif match := _CHAIN.match(line):
            if len(self.chain) < _MAX_CERTIFICATES:
                self.chain.append({"subject": _name(match["subject"])})
        elif self.chain and (match := _ABOUT.match(line)):
            self._about(match["key"], match["value"])
        else:
            return False
        return True

    def _about(self, key: str, value: str) -> None:
        """Take in what stands below a certificate's subject: issuer, key, dates (these since OpenSSL 3)."""
        last = self.chain[-1]
        if key == "i":
            last["issuer"] = _name(value)
        elif key == "a" and (match := _KEY.match(value)):
            last["key"] = f"{_KEYS.get(match['kind'], match['kind'])} {match['bits']}"
            last["signature"] = match["signature"]
        elif key == "v" and (match := _DATES.match(value)):
            last.update(match.groupdict())

    @property
    def started(self) -> str | None:
        return None if self.epoch is None else datetime.fromtimestamp(self.epoch, UTC).isoformat()

    @property
    def facts(self) -> dict[str, object] | None:
        """All of it, the certificates only where all of them have dates; None without a handshake."""
        if not self.known.get("cipher") or not self.known.get("version"):
            return None
        complete = all("not_before" in one for one in self.chain)
        return {**self.known, "certificates": len(self.chain), "chain": self.chain if complete else []}


def _name(text: str) -> str:
    """Return a distinguished name as we write it, the nearest first ("O = A, CN = b" is "CN=b, O=A")."""
    parts = _RDN.split(text)
    return ", ".join(re.sub(r"^([A-Za-z0-9.]+) ?= ?", r"\1=", part) for part in reversed(parts))


def spoken(lines: Sequence[str]) -> tuple[SavedSession, ...]:
    """Return the one session of a terminal log; empty when no line in it is a reply or a failure to connect."""
    openssl = any(_OPENSSL.fullmatch(line) for line in lines[:400]) and any(
        line.startswith(("CONNECTED(", "Certificate chain", "SSL handshake has read", "no peer certificate"))
        for line in lines
    )
    log = _Log(openssl=openssl)
    for number, line in enumerate(lines, 1):
        log.take(line.rstrip(), number)
    if not any(one.mark in (Mark.RECEIVED, Mark.ERROR) for one in log.sayings):
        return ()
    return (
        SavedSession(
            format="openssl" if openssl else "telnet",
            sayings=tuple(log.sayings),
            host=log.host,
            port=log.port,
            tls_mode=("starttls" if log.starttls else "implicit") if openssl else None,
            observed_at=log.handshake.started,
            tls=log.handshake.facts if openssl else None,
            pem=tuple(log.handshake.pem),
        ),
    )


class _Log:
    """Reads line by line; knows whose turn it is."""

    def __init__(self, *, openssl: bool) -> None:
        self.sayings: list[Saying] = []
        self.handshake = _Handshake()
        self.host: str | None = None
        self.port: int | None = None
        self.starttls = False
        self._openssl = openssl
        self._wanted: str | None = None  # "message" after 354, "response" after 334
        self._greeted = False
        self._certificate: list[str] | None = None

    def take(self, line: str, number: int) -> None:
        if self._certificate is not None or line == _BEGIN:
            self._pem(line)
        elif self._wanted == "message":
            self._say(Mark.SENT, line, number)
            self._wanted = None if line == "." else "message"
        elif (match := _SHELL.fullmatch(line)) and not COMMAND.match(line):
            self._shell(match["tool"].lower(), match["rest"])
        elif CODE.match(line):
            self._reply(line, number)
        elif self._aside(line, number):
            pass
        elif COMMAND.match(line) or self._wanted == "response" or (self._greeted and line and not self._openssl):
            self._say(Mark.SENT, line, number)
            self._wanted = None

    def _say(self, mark: Mark, text: str, number: int) -> None:
        self.sayings.append(Saying(mark, text, self._openssl, None, number))

    def _reply(self, line: str, number: int) -> None:
        if self._openssl and not self._greeted and line.startswith("250"):
            # s_client shows the last line of what it had to read itself before STARTTLS.
            self.starttls = self._greeted = True
            self._say(
                Mark.NOTE, f"openssl has said EHLO and STARTTLS itself; the EHLO reply ended with: {line}", number
            )
            return
        self._greeted = True
        self._say(Mark.RECEIVED, line, number)
        if line[3:4] != "-":
            self._wanted = {"354": "message", "334": "response"}.get(line[:3])

    def _pem(self, line: str) -> None:
        if line == _BEGIN:
            self._certificate = []
        elif line == _END:
            if len(self.handshake.pem) < _MAX_CERTIFICATES:
                self.handshake.pem.append("".join(self._certificate or ()))
            self._certificate = None
        elif self._certificate is not None and _PEM.fullmatch(line):
            self._certificate.append(line)
        else:
            self._certificate = None

    def _aside(self, line: str, number: int) -> bool:
        """Take in what the program says itself; return whether the line was such."""
        return self._about_tls(line, number) if self._openssl else self._about_connection(line, number)

    def _about_tls(self, line: str, number: int) -> bool:
        if line == "RENEGOTIATING":
            words = "openssl took the R that began a line for its own command; -quiet or small letters prevent that"
            self._say(Mark.NOTE, words, number)
            return True
        if self.handshake.read(line):
            return True
        if _OPENSSL_ERRORS.fullmatch(line) and not self._greeted:
            self._say(Mark.ERROR, line, number)
            return True
        return False

    def _about_connection(self, line: str, number: int) -> bool:
        if _SKIPPED.match(line):
            return True
        if _NOTES.match(line):
            self._say(Mark.NOTE, line, number)
            return True
        if _ERRORS.match(line):
            said = any(one.mark is Mark.SENT and one.text[:4].upper() == "QUIT" for one in self.sayings)
            self._say(Mark.NOTE if said else Mark.ERROR, line, number)
            return True
        return False

    def _shell(self, tool: str, rest: str) -> None:
        if tool == "openssl":
            self.starttls = "-starttls" in rest
            if match := _CONNECT.search(rest):
                self.host, self.port = match["host"], _port(match["port"])
            return
        words = [word for word in rest.split() if not word.startswith("-")]
        if words:
            self.host = words[0]
            self.port = _port(words[1]) if len(words) > 1 else None


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None
