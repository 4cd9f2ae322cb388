"""What a DKIM key record says: is there a usable key in it, how strong, for what (RFC 6376 section 3.6.1, RFC 8301)?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.auth import DkimEvidence, DkimSelector
from smtpdoc.findings import Level, Source, rfc
from smtpdoc.grammar.dkim import RSA_ADVISED_BITS, RSA_MAXIMUM_BITS, RSA_MINIMUM_BITS, compose_key
from smtpdoc.grammar.printable import printable

checks = CheckSet[DkimEvidence]("dkim")
#: What does no harm, and is told after everything else.
notes = CheckSet[DkimEvidence]("dkim")


def key_name(dkim: DkimEvidence, selector: DkimSelector) -> str:
    """Return the name at which a selector's key stands (RFC 6376 section 3.6.2.1)."""
    return f"{selector.selector}._domainkey.{dkim.domain}"


def flagged(dkim: DkimEvidence, flag: str) -> Iterator[tuple[DkimSelector, str, tuple[str, ...]]]:
    """Yield the selectors with a flag, their record's name, and what stands behind the flag's colon."""
    for selector in dkim.selectors:
        values = tuple(
            found.partition(":")[2] for found in selector.problems if found == flag or found.startswith(f"{flag}:")
        )
        if values:
            yield selector, key_name(dkim, selector), values


def corrected(selector: DkimSelector, *leave_out: str) -> tuple[str, ...]:
    """Return the record to publish, without these tags; nothing where there is no key in it."""
    record = compose_key(selector.record or "", *leave_out)
    return (printable(record),) if "p=" in record else ()


def _flag_check(
    flag: str,
    slug: str,
    says: str,
    *,
    title: str,
    level: Level,
    why: str,
    fix: str,
    sources: tuple[Source, ...],
    leave_out: tuple[str, ...] | None = None,
    to: CheckSet[DkimEvidence] = checks,
) -> Callable[[DkimEvidence], Iterator[Detail]]:
    """Register a check for a flag of grammar/dkim.py. `says` follows the record's name; {values} are the flag's own.

    `leave_out` names the tags that the corrected record goes without; None means that no record can be offered.
    """

    def check(dkim: DkimEvidence) -> Iterator[Detail]:
        for selector, name, values in flagged(dkim, flag):
            named = ", ".join(f"{printable(value)}=" for value in values if value)
            paste = () if leave_out is None else corrected(selector, *leave_out)
            yield Detail(f"{name} {says.format(values=named)}", subject=name, paste=paste, selector=selector.selector)

    return to.add(slug, title=title, level=level, why=why, fix=fix, sources=sources)(check)


_flag_check(
    "duplicate-tag",
    "duplicate-tag",
    "has {values} more than once, which makes the whole record invalid",
    title="A tag stands twice in a DKIM key record",
    level=Level.ERROR,
    why="Of a tag list in which a name is repeated, nothing may be used.",
    fix="Keep one of each.",
    sources=(rfc(6376, "3.2"),),
    leave_out=(),
)
_flag_check(
    "bad-version",
    "bad-version",
    "does not say v=DKIM1",
    title="The version of a DKIM key record is wrong",
    level=Level.ERROR,
    why="The value is compared letter by letter, in upper case; with any other value receivers discard the record.",
    fix="Write v=DKIM1, exactly so, at the beginning.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
)
_flag_check(
    "version-not-first",
    "version-not-first",
    "has v= after another tag",
    title="v=DKIM1 is not at the beginning of the key record",
    level=Level.ERROR,
    why="When v= is there it has to be the first tag; receivers discard the record otherwise.",
    fix="Move v=DKIM1 to the beginning.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
)
_flag_check(
    "missing-p",
    "missing-key",
    "has no p= tag, so there is no key in it",
    title="A DKIM record without a key",
    level=Level.ERROR,
    why="p= is the one tag that is required. Often the record was cut, or the panel took the text after a semicolon away.",
    fix="Copy the record from the signer again, whole; put it in quotes if the panel cuts at semicolons.",
    sources=(rfc(6376, "3.6.1"),),
)
_flag_check(
    "bad-base64",
    "bad-base64",
    "has a p= that is not valid base64",
    title="The public key of a DKIM record is damaged",
    level=Level.ERROR,
    why="The key cannot be decoded, so every signature with this selector fails. Typical causes: the text was cut at 255 characters, quotes or a PEM line were pasted with it, or the last characters are missing.",
    fix="Copy the value of p= again: letters, digits, +, / and = only, without the BEGIN and END lines. Text over 255 characters is split into two strings with nothing between them.",
    sources=(rfc(6376, "3.6.1"),),
)
_flag_check(
    "bad-key",
    "bad-key",
    "has a p= that decodes, but not to a key of the type that k= names",
    title="The public key of a DKIM record cannot be read",
    level=Level.ERROR,
    why="An RSA key is a DER SubjectPublicKeyInfo, an Ed25519 key is 32 bare octets. Anything else is no key to receivers.",
    fix="Copy the record from the signer again. For an Ed25519 key say k=ed25519 and publish the 32 octets alone, in base64.",
    sources=(rfc(6376, "3.6.1"), rfc(8463, "4")),
)
_flag_check(
    "unknown-key-type",
    "unknown-key-type",
    "names a key type that receivers do not know",
    title="The key type of a DKIM record is unknown",
    level=Level.ERROR,
    why="k= is rsa or ed25519. Receivers ignore a key of any other type.",
    fix="Write k=rsa or k=ed25519 (the hash goes into the signature, not here); without k= it is rsa.",
    sources=(rfc(6376, "3.6.1"), rfc(8463, "4")),
    leave_out=("k",),
)


@checks.add(
    "short-key",
    title="The DKIM key is too short to be accepted",
    level=Level.ERROR,
    why=f"Receivers must not accept RSA keys under {RSA_MINIMUM_BITS} bits: they can be broken in days, and then anyone signs as you.",
    fix=f"Make a new RSA {RSA_ADVISED_BITS} key under a new selector, sign with it, and empty the old record's p= after a week.",
    sources=(rfc(8301, "3.2"),),
)
def short_key(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector, name, _ in flagged(dkim, "key-too-short"):
        yield Detail(
            f"{name} is RSA {selector.key_bits}, the least that is accepted is {RSA_MINIMUM_BITS}",
            subject=name,
            bits=selector.key_bits,
        )


@checks.add(
    "weak-key",
    title="The DKIM key is shorter than advised",
    level=Level.WARNING,
    why=f"Signers should use RSA keys of at least {RSA_ADVISED_BITS} bits. {RSA_MINIMUM_BITS} is still accepted, and is the least that Gmail takes.",
    fix=f"Make an RSA {RSA_ADVISED_BITS} key under a new selector, switch the signer to it, and keep the old record for a week.",
    sources=(rfc(8301, "3.2"),),
)
def weak_key(dkim: DkimEvidence) -> Iterator[Detail]:
    for flag in ("key-weak-1024", "key-weak"):
        for selector, name, _ in flagged(dkim, flag):
            yield Detail(
                f"{name} is RSA {selector.key_bits}; {RSA_ADVISED_BITS} is advised",
                subject=name,
                bits=selector.key_bits,
            )


@checks.add(
    "long-key",
    title="The DKIM key is longer than every receiver supports",
    level=Level.WARNING,
    why=f"Receivers have to support RSA keys up to {RSA_MAXIMUM_BITS} bits; more may fail, and the record may need TCP.",
    fix=f"Use RSA {RSA_ADVISED_BITS}.",
    sources=(rfc(8301, "3.2"), rfc(6376, "3.3.3")),
)
def long_key(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector, name, _ in flagged(dkim, "key-very-long"):
        yield Detail(f"{name} is RSA {selector.key_bits}", subject=name, bits=selector.key_bits)


_flag_check(
    "h-no-sha256",
    "no-sha256",
    "does not allow SHA-256 in h=, so no signature of today verifies",
    title="The DKIM key does not allow SHA-256",
    level=Level.ERROR,
    why="h= limits the hashes that may be used with this key. Receivers verify SHA-256 only.",
    fix="Take h= away, or write h=sha256.",
    sources=(rfc(8301, "3.1"), rfc(6376, "3.6.1")),
    leave_out=("h",),
)
_flag_check(
    "h-allows-sha1",
    "allows-sha1",
    "still allows SHA-1 in h=",
    title="The DKIM key allows SHA-1",
    level=Level.WARNING,
    why="SHA-1 must not be used for signing or verifying any more. Naming it gains nothing.",
    fix="Take h= away, or write h=sha256.",
    sources=(rfc(8301, "3.1"),),
    leave_out=("h",),
)
_flag_check(
    "not-for-email",
    "not-for-email",
    "allows neither email nor * in s=",
    title="The DKIM key is not for mail",
    level=Level.ERROR,
    why="s= limits what a key may be used for. Receivers of mail ignore a key whose list has neither email nor *.",
    fix="Take s= away, or write s=email.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=("s",),
)
_flag_check(
    "testing",
    "testing",
    "says t=y: the domain is testing DKIM",
    title="The DKIM key is marked as a test",
    level=Level.WARNING,
    why="Receivers must not treat a message with such a signature differently from an unsigned one, so the signature may count for nothing.",
    fix="Take t=y away once signing works.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=("t",),
)


@checks.add(
    "revoked",
    title="A DKIM key was withdrawn",
    level=Level.INFO,
    why="An empty p= says that this key is no longer valid; signatures with it fail, as the owner intended.",
    fix="Nothing to do if the selector is out of use. If mail is still signed with it, publish the new key or change the signer's selector.",
    sources=(rfc(6376, "3.6.1"),),
)
def revoked(dkim: DkimEvidence) -> Iterator[Detail]:
    for selector, name, _ in flagged(dkim, "revoked"):
        level = Level.WARNING if selector.requested else None
        yield Detail(f"{name} is revoked: p= is empty", subject=name, level=level, selector=selector.selector)


_flag_check(
    "malformed-tag",
    "malformed",
    "has a part that is no tag=value",
    title="A DKIM key record is malformed",
    level=Level.ERROR,
    why="Between semicolons a record has name=value and nothing else. Receivers may discard the whole record.",
    fix="Remove what does not belong there.",
    sources=(rfc(6376, "3.2"),),
    leave_out=(),
)
_flag_check(
    "escaped-semicolon",
    "escaped-semicolon",
    "has backslashes before its semicolons",
    title="Backslashes in a DKIM key record",
    level=Level.ERROR,
    why="The backslash belongs to zone files; in the record itself it becomes part of a value and breaks it.",
    fix="Remove the backslashes: the DNS panel escapes by itself.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
)
_flag_check(
    "quoted",
    "quotes",
    "begins with a quotation mark",
    title="Quotation marks inside a DKIM key record",
    level=Level.ERROR,
    why="The quotes became part of the record, so v=DKIM1 is not at its beginning.",
    fix="Remove the quotation marks: the DNS panel adds its own.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
)


_flag_check(
    "missing-version",
    "missing-version",
    "does not begin with v=DKIM1",
    title="A DKIM key record without its version",
    level=Level.INFO,
    why="v=DKIM1 is recommended, not required; receivers take the record for version 1.",
    fix="Put v=DKIM1 at the beginning.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
    to=notes,
)
_flag_check(
    "strict-i-domain",
    "strict-identity",
    "says t=s: i= must name the signing domain itself, not a subdomain",
    title="The DKIM key is for the exact domain only",
    level=Level.INFO,
    why="With t=s a signature whose i= names a subdomain of d= fails.",
    fix="Nothing to do unless mail from subdomains is signed with this key.",
    sources=(rfc(6376, "3.6.1"),),
    to=notes,
)
_flag_check(
    "obsolete-tag",
    "obsolete-tag",
    "has the obsolete tag {values}",
    title="An obsolete tag in a DKIM key record",
    level=Level.INFO,
    why="g= was taken out of DKIM in 2011. An empty g= keeps old verifiers from using the key at all.",
    fix="Remove it.",
    sources=(rfc(6376, "C"),),
    leave_out=("g",),
    to=notes,
)
_flag_check(
    "unknown-tag",
    "unknown-tag",
    "has unknown tags: {values}",
    title="Unknown tags in a DKIM key record",
    level=Level.INFO,
    why="Receivers ignore tags that they do not know, so a misspelt one has no effect. Tag names are case-sensitive.",
    fix="Check the spelling, or remove them.",
    sources=(rfc(6376, "3.6.1"),),
    leave_out=(),
    to=notes,
)
_flag_check(
    "pkcs1-key",
    "bare-key",
    "holds the bare RSA key (PKCS#1) instead of a SubjectPublicKeyInfo",
    title="The DKIM key lacks its outer wrapping",
    level=Level.INFO,
    why="Most receivers read both forms; the standard means the wrapped one, which openssl rsa -pubout writes.",
    fix="Publish the key as openssl rsa -pubout -outform DER prints it, in base64.",
    sources=(rfc(6376, "3.6.1"),),
    to=notes,
)
