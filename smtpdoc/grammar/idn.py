"""Domain names in all scripts: what a person writes, as the labels that DNS holds (IDNA 2008, mapped as UTS 46 says).

Python's own codec follows IDNA 2003, which takes `straße` for `strasse`: another domain, with another owner. The idna
package is loaded for names beyond ASCII only.
"""

from __future__ import annotations

import re

from smtpdoc.errors import ParseError
from smtpdoc.grammar.printable import printable

#: More characters than any name has octets (RFC 1035 section 2.3.4); what is longer is not looked at.
_MAX_NAME = 253
_MAX_LABEL = 63
_CODE_POINT = re.compile(r"U\+([0-9A-F]{4,6})")


class IdnParseError(ParseError):
    """Text beyond ASCII that is no domain name."""


def unicode_name(text: str) -> str:
    """Return a name as its U-labels and ASCII labels: lower case, composed, with plain dots; raise IdnParseError.

    Labels in ASCII are not judged: DNS holds `_dmarc`, and A-labels that IDNA 2008 would not make.

    >>> unicode_name("_dmarc.STRAẞE。Example")
    '_dmarc.straße.example'
    """
    return ".".join(u_label for u_label, _ in _labels(text))


def ascii_name(text: str) -> str:
    """Return a name as A-labels and ASCII labels, in lower case; raise IdnParseError. See unicode_name.

    >>> ascii_name("straße.example"), ascii_name("Bücher.EXAMPLE")
    ('xn--strae-oqa.example', 'xn--bcher-kva.example')
    """
    return ".".join(a_label for _, a_label in _labels(text))


def readable_name(name: str) -> str | None:
    """Return a name of A-labels as people write it, or None where it has no such form that leads back to it.

    >>> readable_name("xn--strae-oqa.example"), readable_name("xn--a.example"), readable_name("example.com")
    ('straße.example', None, None)
    """
    import idna

    try:
        labels = (idna.ulabel(label) if label.startswith("xn--") else label for label in name.split("."))
        written = ".".join(labels)
        return written if written != name and ascii_name(written) == name else None
    except (UnicodeError, IdnParseError):
        return None


def _labels(text: str) -> list[tuple[str, str]]:
    """Return each label in both forms."""
    if len(text) > _MAX_NAME:
        raise IdnParseError(f"a domain name of at most {_MAX_NAME} octets", text)
    import idna

    try:
        # UTS 46 section 4, not transitional. Lower case comes from its table: str.lower() makes the last sigma of a
        # Greek label a final one, which is another name. What may stand in a host name is for the caller to say.
        labels = idna.uts46_remap(text, std3_rules=False).split(".")
        return [(label, label if label.isascii() else idna.alabel(label).decode("ascii")) for label in labels]
    except UnicodeError as error:  # IDNAError is one
        raise IdnParseError(_expected(str(error)), text) from None


def _expected(said: str) -> str:
    if found := _CODE_POINT.search(said):
        char = chr(int(found[1], 16))
        shown = f"{char} (U+{found[1]})" if printable(char) == char and char.isprintable() else f"U+{found[1]}"
        return f"a domain name, in which {shown} is not allowed (IDNA 2008; an xn-- name is taken as it is)"
    if "too long" in said:
        return f"a domain name whose labels have at most {_MAX_LABEL} octets each as DNS holds them"
    return "a domain name that IDNA 2008 allows (an xn-- name is taken as it is)"
