"""Secrets out of other people's transcripts: logins, what echoes them, and the text of messages."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import replace

from smtpdoc.grammar.dialogue import CODE, COMMAND, Mark, Saying, TranscriptParseError
from smtpdoc.grammar.sasl import SaslError, bearer_error, parse_challenge
from smtpdoc.grammar.secret import HIDDEN, Mask

_AUTH = re.compile(r"(?P<command>\s*AUTH(?:\s+(?P<mechanism>[A-Za-z0-9_-]{1,20}))?)(?P<rest>[\s=].*)?", re.IGNORECASE)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HARMLESS = ("", "=", "*", HIDDEN)
#: Words that logs write in place of what they leave out.
_LEFT_OUT = re.compile(r"[(<\[].*[)>\]]|PROVIDED_BUT_REMOVED|\*+", re.IGNORECASE)
_PROMPTS = {"username": "VXNlcm5hbWU6", "password": "UGFzc3dvcmQ6"}
_BEARER = re.compile(r"auth=Bearer ([^\x01\s]+)", re.IGNORECASE)
_MIN_SECRET = 3
#: All of them are looked for in every line.
_MAX_SECRETS = 60


def without_secrets(sayings: Sequence[Saying]) -> tuple[Saying, ...]:
    """Return a session without passwords, tokens, challenges that are made from them, and without message texts."""
    logins = _Logins()
    kept = [said for one in _without_messages(sayings) for said in logins.hide(one)]
    return tuple(_masked(one, logins.mask) for one in kept)


def _masked(one: Saying, mask: Mask) -> Saying:
    data = one.text.encode("utf-8", "surrogateescape")
    masked = mask(data)
    return one if masked == data else replace(one, text=masked.decode("utf-8", "surrogateescape"))


def _without_messages(sayings: Iterable[Saying]) -> list[Saying]:
    """Put the number of lines in place of a message: what people wrote is nobody's business here."""
    kept: list[Saying] = []
    message: list[Saying] | None = None
    for one in sayings:
        if message is None:
            kept.append(one)
            if one.mark is Mark.RECEIVED and one.text.startswith("354"):
                message = []
        elif one.mark is Mark.SENT:
            message.append(one)
            if one.text == ".":
                kept.append(_message(message))
                message = None
        else:
            if message:
                kept.append(_message(message))
            kept.append(one)
            # A note between the lines of a message does not end it; the server's answer does.
            message = None if one.mark is Mark.RECEIVED else []
    if message:
        kept.append(_message(message))
    return kept


def _message(lines: Sequence[Saying]) -> Saying:
    count = len(lines) - (lines[-1].text == ".")
    words = "1 line" if count == 1 else f"{count} lines"
    return replace(lines[0], mark=Mark.SENT, text=f"({words} of a message)", end="")


class _Logins:
    """Follows AUTH: from the command to the reply that is no 334, all that the client says is a secret."""

    def __init__(self) -> None:
        self.mask = Mask()
        self._known: set[str] = set()
        self._mechanism: str | None = None
        self._asked = False  # a 334 waits for its answer
        self._prompt = ""

    def hide(self, one: Saying) -> list[Saying]:
        if one.mark is Mark.SENT:
            return [self._sent(one)]
        if one.mark in (Mark.RECEIVED, Mark.UNEXPECTED):
            return self._received(one)
        return [one]

    def _sent(self, one: Saying) -> Saying:
        if not self._asked and (match := _AUTH.fullmatch(one.text)):
            self._mechanism, self._prompt = (match["mechanism"] or "?").upper(), ""
            rest = (match["rest"] or "").strip()
            if rest in _HARMLESS:
                return one
            self._learn(rest, is_user=self._mechanism == "LOGIN")
            return replace(one, text=f"{match['command'].strip()} {HIDDEN}")
        if self._mechanism is None:
            # A login whose beginning is missing looks like this.
            return (
                replace(one, text=HIDDEN) if not COMMAND.match(one.text) and _BLOB.fullmatch(one.text.strip()) else one
            )
        if not self._asked and COMMAND.match(one.text):
            self._mechanism = None
            return one
        self._asked = False
        answer = one.text.strip()
        if answer in _HARMLESS:
            return one
        self._learn(answer, is_user=self._prompt == "username")
        return replace(one, text=HIDDEN)

    def _received(self, one: Saying) -> list[Saying]:
        if not one.text.startswith("334"):
            if CODE.match(one.text) and one.text[3:4] != "-" and self._mechanism is not None:
                self._mechanism, self._asked = None, False
            return [one]
        self._mechanism = self._mechanism or "?"
        self._asked = True
        challenge = one.text[4:].strip()
        self._prompt = _prompt(challenge)
        if challenge in _HARMLESS:
            return [one]
        if self._prompt:
            return [replace(one, text=f"334 {_PROMPTS[self._prompt]}")]
        hidden = replace(one, text=f"334 {HIDDEN}")
        try:
            reason = bearer_error(parse_challenge(challenge))
        except SaslError:
            reason = None
        if reason is None:
            return [hidden]
        return [
            hidden,
            replace(one, mark=Mark.NOTE, text=f"the server's reason for refusing the token: {reason}", end=""),
        ]

    def _learn(self, text: str, *, is_user: bool) -> None:
        """Have a response hidden wherever it shows up, and what is in it; a user name is no secret by itself."""
        if is_user or _LEFT_OUT.fullmatch(text):
            return
        self._hide(text)
        plain = _decoded(text)
        for form in (text.replace("\\0", "\0"), *(() if plain is None else (plain,))):
            if match := _BEARER.search(form):
                self._hide(match[1])
            parts = form.split("\0")
            if len(parts) > 1:
                self._hide(parts[-1])
            elif plain is not None and form == plain:
                self._hide(form)

    def _hide(self, secret: str) -> None:
        if len(secret) < _MIN_SECRET or secret in self._known:
            return
        if len(self._known) >= _MAX_SECRETS:
            raise TranscriptParseError("a session with no more logins than anybody tries", "one with many more")
        self._known.add(secret)
        self.mask.add(secret)


def _decoded(text: str) -> str | None:
    try:
        return b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except (Base64Error, ValueError):
        return None


def _prompt(challenge: str) -> str:
    """Return "username" or "password" when the challenge of AUTH LOGIN asks for that, else ""."""
    words = (_decoded(challenge) or challenge).strip("\0 :").lower().replace(" ", "")
    return {"username": "username", "user": "username", "password": "password"}.get(words, "")
