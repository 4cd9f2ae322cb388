r"""Bytes of a session as text that survives an editor, a pager and a ticket, and can be turned back into the bytes.

Printable UTF-8 stands for itself, a backslash is doubled, and everything else is \r, \n, \t or \xNN.
"""

from __future__ import annotations

import re

from smtpdoc.grammar.printable import unsafe

_NAMED = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\"}
_BYTES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([rnt\\]))")


def escape(text: str) -> str:
    r"""Return text of the wire (bytes that are no UTF-8 as lone surrogates) with its controls written out.

    >>> escape("250 caf\u00e9 \x1b[31m\r\n")
    '250 café \\x1b[31m\\r\\n'
    """
    return "".join(_NAMED.get(char) or (_bytes_of(char) if unsafe(char) else char) for char in text)


def _bytes_of(char: str) -> str:
    data = char.encode("utf-8", "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in data)


def unescape(text: str) -> str:
    r"""Return the text that `escape` was given; a backslash that begins no escape stands for itself.

    >>> unescape("220 a\\xc3\\xa9\\r\\n")
    '220 aé\r\n'
    """
    parts: list[bytes] = []
    done = 0
    for match in _ESCAPED.finditer(text):
        parts.append(text[done : match.start()].encode("utf-8", "surrogateescape"))
        parts.append(bytes([int(match[1], 16)]) if match[1] else _BYTES[match[2]])
        done = match.end()
    parts.append(text[done:].encode("utf-8", "surrogateescape"))
    return b"".join(parts).decode("utf-8", "surrogateescape")
