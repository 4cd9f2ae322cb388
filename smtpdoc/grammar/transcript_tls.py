"""What programs say about the TLS handshake and the certificate, under the keys of the JSON report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from smtpdoc.grammar.dialogue import Mark, Saying

_CIPHER = re.compile(r"New, (?P<version>[A-Za-z0-9.]+), Cipher is (?P<cipher>[A-Z0-9_-]+)")
_PROTOCOL = re.compile(r"\s*Protocol(?: version)?\s*: (?P<version>(?:TLSv|SSLv)[0-9.]+)")
_CIPHERSUITE = re.compile(r"Ciphersuite: (?P<cipher>[A-Z0-9_-]+)")  # -brief
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
# What the verification said on its way, certificate by certificate; the only word of it with -quiet and -brief.
_ON_THE_WAY = re.compile(r"verify error:num=(?P<code>\d{1,3}):(?P<words>.*)")
_VERIFIED = re.compile(r"Verification: OK")
_MAX_CERTIFICATES = 20


@dataclass(slots=True)
class Handshake:
    """What openssl prints about TLS, under the keys of the JSON report."""

    known: dict[str, object] = field(default_factory=dict)
    pem: list[str] = field(default_factory=list)
    chain: list[dict[str, object]] = field(default_factory=list)
    epoch: int | None = None
    on_the_way: tuple[int, str] | None = None

    def read(self, line: str) -> bool:
        """Take in a line; return whether it was about the handshake."""
        if match := _CIPHER.match(line) or _PROTOCOL.match(line) or _CIPHERSUITE.match(line):
            self.known.update(match.groupdict())
            if self.known.get("version") == "TLSv1.0":
                self.known["version"] = "TLSv1"  # as its Protocol line has it
        elif match := _VERIFY.match(line):
            self.known.setdefault("verify_code", int(match["code"]))
            self.known.setdefault("verify_error", match["words"])
        elif match := _ON_THE_WAY.match(line):
            self.on_the_way = int(match["code"]), match["words"]
        elif _VERIFIED.match(line):
            self.known.setdefault("verify_code", 0)
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
        """All of it, the certificates only where all of them have dates; None without a handshake.

        With -quiet there is no word of version and cipher, but still what is wrong with the certificate.
        """
        if self.on_the_way is None and not (self.known.get("cipher") and self.known.get("version")):
            return None
        if self.on_the_way is not None and "verify_code" not in self.known:
            self.known["verify_code"], self.known["verify_error"] = self.on_the_way
        complete = all("not_before" in one for one in self.chain)
        return {**self.known, "certificates": len(self.chain), "chain": self.chain if complete else []}


def _name(text: str) -> str:
    """Return a distinguished name as we write it, the nearest first ("O = A, CN = b" is "CN=b, O=A")."""
    parts = _RDN.split(text)
    return ", ".join(re.sub(r"^([A-Za-z0-9.]+) ?= ?", r"\1=", part) for part in reversed(parts))


# A note each: swaks, curl -v, posttls-finger.
_STARTED = (
    re.compile(r"TLS started with cipher (?P<version>[A-Za-z0-9.]+):(?P<cipher>[A-Z0-9_-]+):(?P<bits>\d{1,4})"),
    re.compile(r"SSL connection using (?P<version>[A-Za-z0-9.]+) / (?P<cipher>[A-Z0-9_-]+)(?: / (?P<group>[\w-]+))?"),
    re.compile(
        r"(?P<trust>\w+) TLS connection established to .{1,300}: (?P<version>[A-Za-z0-9.]+)"
        r" with cipher (?P<cipher>[A-Z0-9_-]+) \((?P<bits>\d{1,4})/\d{1,4} bits\)(?: key-exchange (?P<group>[\w-]+))?"
    ),
)
_VERDICTS = (
    re.compile(r"\s*SSL certificate verify result: (?P<words>.*?) \((?P<code>\d{1,3})\)"),
    re.compile(r".{0,300}verification failed .{0,300}: num=(?P<code>\d{1,3}):(?P<words>.*)"),
)
_SWAKS_VERDICT = re.compile(
    r"TLS peer certificate (?P<chain>passed|failed) CA verification(?: \((?P<words>[^)]*)\))?,? "
    r"(?P<name>passed|failed) host verification"
)
_CURL_TRUSTS = re.compile(r"\s*SSL certificate verify ok\.")
_UNTRUSTED, _OTHER_NAME = 20, 62


def told_facts(sayings: Iterable[Saying]) -> dict[str, object] | None:
    """Return what the notes beside a session say of its handshake, None if they do not. Without "verify_code" nobody
    told whether the certificate was verified."""
    known: dict[str, object] = {}
    for one in sayings:
        if one.mark is Mark.NOTE:
            _take_note(one.text, known)
    return known if "version" in known else None


def _take_note(text: str, known: dict[str, object]) -> None:
    for pattern in _STARTED:
        if match := pattern.match(text):
            known.update(
                {key: value for key, value in match.groupdict().items() if value and key in ("version", "cipher")}
            )
            groups = match.groupdict()
            if groups.get("bits"):
                known["bits"] = int(groups["bits"])
            if groups.get("group"):
                known["group"] = _GROUP_NAMES.get(groups["group"], groups["group"])
            if groups.get("trust") in ("Trusted", "Verified"):
                known.setdefault("verify_code", 0)
            return
    for pattern in _VERDICTS:
        if match := pattern.match(text):
            known["verify_code"], known["verify_error"] = int(match["code"]), match["words"]
            return
    if match := _SWAKS_VERDICT.match(text):
        passed, words = match["chain"] == "passed", match["words"]
        named = match["name"] == "passed"
        known["verify_code"] = _UNTRUSTED if not passed else 0 if named else _OTHER_NAME
        known["name_matches"] = named
        if words:
            known["verify_error"] = words
    elif _CURL_TRUSTS.match(text):
        known["verify_code"] = 0
