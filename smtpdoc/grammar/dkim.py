"""DKIM key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463)."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass

from smtpdoc.errors import ParseError
from smtpdoc.grammar.der import BIT_STRING, INTEGER, OID, SEQUENCE, Node, integer, object_identifier, read
from smtpdoc.grammar.tags import TagList, parse_tags

RSA_MINIMUM_BITS = 1024  # RFC 8301 section 3.2: shorter keys MUST NOT be accepted
RSA_ADVISED_BITS = 2048
RSA_MAXIMUM_BITS = 4096  # RFC 8301 section 3.2: verifiers MUST take up to this; longer ones are their choice

_KNOWN_TAGS = frozenset(("v", "g", "h", "k", "n", "p", "s", "t"))
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_RSA = "1.2.840.113549.1.1.1"  # rsaEncryption, RFC 8017 appendix A.1


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key record as a verifier reads it; defaults are filled in.

    `bits` is the modulus size of an RSA key, 256 for Ed25519, None when the key cannot be read. `hashes` is None
    when h= is absent (all are allowed). `usable` is True when a verifier can use the key for mail; a revoked key is
    not usable. `flags` name what is to point out ("bad-base64", "duplicate-tag:p", ...), sorted, unique.
    """

    record: str
    key_type: str
    bits: int | None
    hashes: tuple[str, ...] | None
    services: tuple[str, ...]
    key_flags: tuple[str, ...]
    revoked: bool
    usable: bool
    flags: tuple[str, ...]

    @property
    def testing(self) -> bool:
        return "y" in self.key_flags


def looks_like_key(text: str) -> bool:
    """Whether a TXT text is meant to be a key record: it says v=DKIM…, or has p= and no other version.

    >>> looks_like_key("v=DKIM1; p="), looks_like_key("v=spf1 -all"), looks_like_key("k=rsa; p=MIGf")
    (True, False, True)
    """
    tags = parse_tags(text.lstrip("\"'").replace("\\;", ";"))
    version = next((tag.value for tag in tags.tags if tag.name in ("v", "V")), None)
    if version is not None:
        return version.upper().startswith("DKIM")
    return tags.get("p") is not None


def parse_dkim_key(record: str) -> DkimKey:
    """Read a key record. Nothing is raised: what is wrong with it stands in `flags`."""
    tags = parse_tags(record)
    flags = {f"duplicate-tag:{name}" for name in tags.duplicates}
    flags |= {f"unknown-tag:{tag.name}" for tag in tags.tags if tag.name not in _KNOWN_TAGS}
    flags |= _text_flags(record, tags)
    flags |= _version_flags(tags)
    key_type = _value(tags, "k", "rsa").lower()
    hashes = _words(tags, "h")
    services = _words(tags, "s") or ("*",)
    key_flags = _words(tags, "t") or ()
    if hashes is not None:
        flags |= {"h-allows-sha1"} if "sha1" in hashes else set()
        flags |= set() if "sha256" in hashes else {"h-no-sha256"}
    if not {"*", "email"} & set(services):
        flags.add("not-for-email")
    if "y" in key_flags:
        flags.add("testing")
    if "s" in key_flags:
        flags.add("strict-i-domain")

    key = tags.get("p")
    revoked = key is not None and not re.sub(r"\s", "", key.value)
    bits: int | None = None
    if key is None:
        flags.add("missing-p")
    elif revoked:
        flags.add("revoked")
    else:
        bits, key_problems = _read_key(key_type, re.sub(r"\s", "", key.value))
        flags |= key_problems
    return DkimKey(
        record=record,
        key_type=key_type,
        bits=bits,
        hashes=hashes,
        services=services,
        key_flags=key_flags,
        revoked=revoked,
        usable=bits is not None and not _UNUSABLE & {flag.partition(":")[0] for flag in flags},
        flags=tuple(sorted(flags)),
    )


def compose_key(record: str, *leave_out: str) -> str:
    """Write a key record anew: v first, each tag once, malformed and obsolete parts and the tags named left out.

    >>> compose_key("k=rsa; g=*; t=y; p=MIGf; v=DKIM1", "t")
    'v=DKIM1; k=rsa; p=MIGf'
    """
    tags = parse_tags(record.strip().strip("\"'“”").replace("\\;", ";"))
    values = {tag.name: tag.value for tag in reversed(tags.tags) if tag.name in _KNOWN_TAGS}
    if "p" in values:
        values["p"] = re.sub(r"\s", "", values["p"])
    order = [name for name in ("k", "h", "s", "t", "n", "p") if name in values and name not in leave_out]
    return "; ".join(("v=DKIM1", *(f"{name}={values[name]}" for name in order if values[name] or name == "p")))


# Flags with which no verifier that follows the RFCs uses the key.
_UNUSABLE = frozenset(
    (
        "bad-version",
        "duplicate-tag",
        "h-no-sha256",
        "key-too-short",
        "malformed-tag",
        "not-for-email",
        "unknown-key-type",
        "version-not-first",
    )
)


def _value(tags: TagList, name: str, default: str) -> str:
    tag = tags.get(name)
    return tag.value if tag and tag.value else default


def _words(tags: TagList, name: str) -> tuple[str, ...] | None:
    """Return a colon-separated list in lower case, or None when the tag is absent or empty."""
    tag = tags.get(name)
    if tag is None:
        return None
    return tuple(word.strip().lower() for word in tag.value.split(":") if word.strip()) or None


def _text_flags(record: str, tags: TagList) -> set[str]:
    flags = {"malformed-tag" if piece.text else "empty-tag" for piece in tags.malformed}
    if "\\;" in record:
        flags.add("escaped-semicolon")
    if record.strip() and record.strip()[0] in "\"'“”":
        flags.add("quoted")
    group = tags.get("g")
    if group is not None:
        flags.add("obsolete-tag:g")
        if not group.value:
            flags.add("empty-g")  # RFC 4871 verifiers take it for "matches no address"
    return flags if record.strip() else flags - {"empty-tag"}


def _version_flags(tags: TagList) -> set[str]:
    # RFC 6376 section 3.6.1: "v= ... RECOMMENDED, default is "DKIM1" ... If specified, this tag MUST be set to
    # "DKIM1" ... This tag MUST be the first tag in the record."
    version = tags.get("v")
    if version is None:
        return {"missing-version"}
    flags = set() if version.value == "DKIM1" else {"bad-version"}
    if tags.tags[0] is not version:
        flags.add("version-not-first")
    return flags


def _read_key(key_type: str, text: str) -> tuple[int | None, set[str]]:
    """Return the size in bits (None when unreadable) and the flags of a key's base64 text without white space."""
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return None, {"bad-base64"} | ({"unknown-key-type"} if key_type not in ("rsa", "ed25519") else set())
    data = b64decode(text)
    if key_type == "ed25519":  # RFC 8463 section 4: the 32 octets themselves, without ASN.1
        return (256, set()) if len(data) == 32 else (None, {"bad-key"})
    if key_type != "rsa":
        return None, {"unknown-key-type"}
    try:
        bits, bare = rsa_bits(data)
    except ParseError:
        return None, {"bad-key"}
    flags = {"pkcs1-key"} if bare else set()
    if bits < RSA_MINIMUM_BITS:
        flags.add("key-too-short")
    elif bits < RSA_ADVISED_BITS:
        flags.add("key-weak-1024" if bits == RSA_MINIMUM_BITS else "key-weak")
    elif bits > RSA_MAXIMUM_BITS:
        flags.add("key-very-long")
    return bits, flags


def rsa_bits(data: bytes) -> tuple[int, bool]:
    """Return the modulus size of an RSA public key in DER, and True for the bare PKCS#1 form.

    SubjectPublicKeyInfo (RFC 5280 section 4.1) is what RFC 6376 means; RSAPublicKey alone (RFC 8017 appendix A.1.1)
    is also seen and taken by verifiers. Raises ParseError for anything else.
    """
    parts = _sequence(data)
    if parts[0].tag == INTEGER:
        return _modulus_bits(parts), True
    if len(parts) != 2 or object_identifier(_sequence_of(parts[0])[0].expect(OID, "an algorithm").content) != _RSA:
        raise ParseError("an RSA key")
    bits = parts[1].expect(BIT_STRING, "a bit string").content
    if not bits.startswith(b"\0"):
        raise ParseError("a bit string of whole octets")
    return _modulus_bits(_sequence(bits[1:])), False


def _sequence(data: bytes) -> tuple[Node, ...]:
    """Return the parts of a SEQUENCE that is all there is."""
    node = read(data)
    if len(node.whole) != len(data):
        raise ParseError("nothing after the key")
    return _sequence_of(node)


def _sequence_of(node: Node) -> tuple[Node, ...]:
    parts = node.expect(SEQUENCE, "a sequence").children()
    if not parts:
        raise ParseError("a sequence with something in it")
    return parts


def _modulus_bits(parts: tuple[Node, ...]) -> int:
    if len(parts) != 2 or integer(parts[0]) <= 0 or integer(parts[1]) <= 1:
        raise ParseError("an RSA modulus and exponent")
    return integer(parts[0]).bit_length()
