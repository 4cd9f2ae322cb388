"""Parameters of MAIL FROM and RCPT TO: which are sent, and which cannot be because the server does not offer them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from smtpdoc.errors import ParseError

NOTIFY_WORDS = ("never", "success", "failure", "delay")
_ENVID_LIMIT = 100  # RFC 3461 section 4.4
# xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "=" (RFC 3461 section 4)
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")
# QCHAR = %x21-2a / %x2c-3c / %x3e-5b / %x5d-7e, and what is beyond ASCII (RFC 6533 section 3)
_NOT_UNITEXT = re.compile(r"[\x00- +=\\\x7f]")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants said beside the addresses. None and () say nothing.

    `size_bytes` is the size that SIZE= declares, `body` is 8bitmime or binarymime, `notify` holds words of
    NOTIFY_WORDS, `returns` is full or hdrs, `envelope_id` a text as typed. `original_recipient`: each recipient is
    named in ORCPT, too. `utf8`: an address needs SMTPUTF8.
    """

    size_bytes: int | None = None
    body: str | None = None
    notify: tuple[str, ...] = ()
    returns: str | None = None
    envelope_id: str | None = None
    require_tls: bool = False
    utf8: bool = False
    original_recipient: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter and the EHLO keyword that allows it. `sent` False: the server does not offer that."""

    text: str
    keyword: str
    sent: bool


def mail_parameters(wishes: Wishes, offered: Mapping[str, str]) -> tuple[Parameter, ...]:
    """Return the parameters of MAIL FROM that are wished for, those to send among them.

    >>> [one.text for one in mail_parameters(Wishes(size_bytes=1000, returns="hdrs"), {"SIZE": "", "DSN": ""})]
    ['SIZE=1000', 'RET=HDRS']
    """
    wanted = []
    if wishes.size_bytes is not None:
        wanted.append((f"SIZE={wishes.size_bytes}", "SIZE"))  # RFC 1870 section 5
    if wishes.body is not None:
        wanted.append((f"BODY={wishes.body.upper()}", wishes.body.upper()))  # RFC 6152 section 2, RFC 3030 section 3
    if wishes.utf8:
        wanted.append(("SMTPUTF8", "SMTPUTF8"))  # RFC 6531 section 3.4
    if wishes.returns is not None:
        wanted.append((f"RET={wishes.returns.upper()}", "DSN"))  # RFC 3461 section 4.3
    if wishes.envelope_id is not None:
        wanted.append((f"ENVID={xtext(wishes.envelope_id)}", "DSN"))  # RFC 3461 section 4.4
    if wishes.require_tls:
        wanted.append(("REQUIRETLS", "REQUIRETLS"))  # RFC 8689 section 4
    return tuple(Parameter(text, keyword, keyword in offered) for text, keyword in wanted)


def rcpt_parameters(wishes: Wishes, offered: Mapping[str, str], path: str) -> tuple[Parameter, ...]:
    """Return the parameters of RCPT TO that are wished for, with its forward-path; see mail_parameters.

    >>> [one.text for one in rcpt_parameters(Wishes(original_recipient=True), {"DSN": ""}, "<a+b@example.net>")]
    ['ORCPT=rfc822;a+2Bb@example.net']
    """
    wanted = []
    if wishes.notify:
        wanted.append(f"NOTIFY={','.join(word.upper() for word in wishes.notify)}")  # RFC 3461 section 4.1
    if wishes.original_recipient:
        # Whoever submits a message names the same address in both places (RFC 3461 section 4.2).
        wanted.append(f"ORCPT={_original(path[1:-1])}" if "DSN" in offered else "ORCPT")
    return tuple(Parameter(text, "DSN", "DSN" in offered) for text in wanted)


def _original(address: str) -> str:
    """Return an address with its type, as ORCPT wants it."""
    if address.isascii():
        return f"rfc822;{xtext(address)}"
    unitext = _NOT_UNITEXT.sub(lambda found: rf"\x{{{ord(found[0]):X}}}", address)
    return f"utf-8;{unitext}"  # RFC 6533 section 3


def parse_notify(text: str) -> tuple[str, ...]:
    """Return the words of `never` or `success,failure,delay`, each once; raise ParseError for anything else.

    >>> parse_notify("failure,delay")
    ('failure', 'delay')
    """
    words = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    if any(word not in NOTIFY_WORDS for word in words) or ("never" in words and len(words) > 1):
        raise ParseError("never, or some of success,failure,delay", text)
    return words


def parse_envelope_id(text: str) -> str:
    """Return an envelope id as typed; raise ParseError where RFC 3461 section 4.4 has no room for it.

    It has to be printable ASCII, since that is what comes back in the notification, and 100 characters when encoded.
    """
    if not text or not text.isascii() or not text.isprintable() or len(xtext(text)) > _ENVID_LIMIT:
        raise ParseError(f"an envelope id of 1 to {_ENVID_LIMIT} printable ASCII characters", text)
    return text


def xtext(text: str) -> str:
    """Return a text in xtext, so that it can stand in a parameter (RFC 3461 section 4).

    >>> xtext("a+b c")
    'a+2Bb+20c'
    """
    return _NOT_XCHAR.sub(lambda found: f"+{ord(found[0]):02X}", text)
