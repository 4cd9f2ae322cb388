"""Terminal sessions without marks: telnet, nc, openssl s_client. A reply code tells the server's lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smtpdoc.grammar.dialogue import CODE, COMMAND, Mark, SavedSession, Saying
from smtpdoc.grammar.transcript_tls import Handshake

_SHELL = re.compile(r".{0,80}?[$#>%] *(?P<tool>telnet|nc|ncat|netcat|openssl)\b(?P<rest> .*)", re.IGNORECASE)
_NOTES = re.compile(
    r"Trying |Connected to |Connection to .+ (?:succeeded|closed)|Ncat: (?:Version|Connected)|\(UNKNOWN\) .+ open$"
    r"|.{1,80} \[[0-9a-fA-F.:]+\] \d+ \(.*\) open$|=== |\*\*\*\* |DEBUG SMTP",
    re.IGNORECASE,
)
# What clients say at the keyboard, marks of a pasted block, and what `exim -bh` thinks aloud.
_SKIPPED = re.compile(
    r"Escape character is|Ncat: \d+ bytes|sent \d+, rcvd \d+|telnet> |```|~~~|>>> |Script (?:started|done) on",
    re.IGNORECASE,
)
_ERRORS = re.compile(
    r"(?:inetutils-)?telnet: |nc: |Ncat: |Connection closed by foreign host|.*\b(?:Connection refused"
    r"|Connection timed out|Connection reset by peer|No route to host|Network is unreachable|Name or service not known"
    r"|nodename nor servname provided)",
    re.IGNORECASE,
)
#: What may be a command that no RFC has.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}(?:\s.{0,500})?")

_OPENSSL = re.compile(r"CONNECTED\([0-9A-Fa-f]{8}\)$|---$|CONNECTION ESTABLISHED$|depth=\d+ .*")
_OPENSSL_ERRORS = re.compile(
    r"[0-9A-F]{8,16}:error:.*|(?:connect|read|write|socket|gethostbyname|BIO_lookup_ex).*:(?:errno=)?.*"
    r"|.*didn't find STARTTLS.*|.*didn't found starttls.*|no peer certificate available|.*: No such host is known.*",
    re.IGNORECASE,
)
_OPENSSL_ASIDES = re.compile(r"DONE|closed|---|read R BLOCK|Post-Handshake .*|SSL-Session:")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_CONNECT = re.compile(r"-connect[ =]\[?(?P<host>[^\s\]]+?)\]?:(?P<port>\d{1,5})\b")
_PEM = re.compile(r"[A-Za-z0-9+/]{1,76}={0,2}")
_MAX_CERTIFICATES = 20
#: A line that is longer may have been broken by whoever passed it on.
_BROKEN_FROM = 55


def typed(lines: Sequence[str]) -> tuple[SavedSession, ...]:
    """Return the one session of a terminal log; empty when no line in it is a reply or a failure to connect."""
    openssl = any(_OPENSSL.fullmatch(line) for line in lines[:400]) and any(
        line.startswith(
            ("CONNECTED(", "CONNECTION EST", "Certificate chain", "SSL handshake has read", "no peer cert", "verify ")
        )
        for line in lines
    )
    log = _Log(lines, openssl=openssl)
    for number, line in enumerate(lines, 1):
        log.take(line.rstrip(), number)
    facts = log.handshake.facts if openssl else None
    if not any(one.mark in (Mark.RECEIVED, Mark.ERROR) for one in log.sayings) and facts is None:
        return ()
    if not log.sayings and facts is not None:
        log.say(Mark.NOTE, f"TLS {str(facts['version']).removeprefix('TLSv')}, {facts['cipher']}", len(lines))
    return (
        SavedSession(
            format="openssl" if openssl else "telnet",
            sayings=tuple(log.sayings),
            host=log.host,
            port=log.port,
            tls_mode=("starttls" if log.starttls else "implicit") if openssl else None,
            observed_at=log.handshake.started,
            tls=facts,
            pem=tuple(log.handshake.pem),
            marks_tls=openssl,
        ),
    )


class _Log:
    """Reads line by line; knows whose turn it is."""

    def __init__(self, lines: Sequence[str], *, openssl: bool) -> None:
        self.sayings: list[Saying] = []
        self.handshake = Handshake()
        self.host: str | None = None
        self.port: int | None = None
        self.starttls = False
        self._lines = lines
        self._openssl = openssl
        self._wanted: str | None = None  # "message" after 354, "response" after 334
        self._greeted = False
        self._quit = False
        self._certificate: list[str] | None = None
        self._one_sided = not any(COMMAND.match(line) for line in lines)

    def take(self, line: str, number: int) -> None:
        if self._certificate is not None or line == _BEGIN:
            self._pem(line)
        elif self._wanted == "message":
            self._message(line, number)
        elif (match := _SHELL.fullmatch(line)) and not COMMAND.match(line):
            self._shell(match["tool"].lower(), match["rest"])
        elif CODE.match(line):
            self._reply(line, number)
        elif self._aside(line, number):
            pass
        elif COMMAND.match(line) or (self._wanted == "response" and (line or self._answered(number))):
            self.say(Mark.SENT, line, number)
            self._wanted = None
        elif self._greeted and line:
            self._unknown(line, number)

    def say(self, mark: Mark, text: str, number: int) -> None:
        self.sayings.append(Saying(mark, text, self._openssl, None, number))
        self._quit = self._quit or (mark is Mark.SENT and text[:4].upper() == "QUIT")

    def _message(self, line: str, number: int) -> None:
        """Take in a line of a message. Where only the server was heard, there is none before its answer."""
        if self._one_sided and CODE.match(line):
            self._wanted = None
            self._reply(line, number)
            return
        self.say(Mark.SENT, line, number)
        self._wanted = None if line == "." else "message"

    def _unknown(self, line: str, number: int) -> None:
        """Take in a line that is neither reply nor command that we know: it was a command if it was answered, or the
        rest of a line that was broken; else it stays beside the session."""
        last = self.sayings[-1]
        heard = last.mark is Mark.RECEIVED
        broken = heard and last.number == number - 1 and len(self._lines[number - 2]) >= _BROKEN_FROM
        if broken and (last.text[3:4] == "-" or self._one_sided or not _WORD.fullmatch(line) or line[0].islower()):
            self.sayings[-1] = Saying(last.mark, f"{last.text} {line}", last.encrypted, None, number)
        elif self._openssl:
            return  # it says much about itself
        elif heard and last.text[3:4] != "-" and self._answered(number):
            self.say(Mark.SENT, line, number)
        else:
            self.say(Mark.NOTE, line, number)

    def _answered(self, number: int) -> bool:
        """Is the next line that is not empty a reply?"""
        return CODE.match(next((line for line in self._lines[number : number + 20] if line.strip()), "")) is not None

    def _reply(self, line: str, number: int) -> None:
        if self._openssl and not self._greeted and line.startswith("250"):
            # s_client shows the last line of what it had to read itself before STARTTLS.
            self.starttls = self._greeted = True
            self.say(Mark.NOTE, f"openssl has said EHLO and STARTTLS itself; the EHLO reply ended with: {line}", number)
            return
        self._greeted = True
        self.say(Mark.RECEIVED, line, number)
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
            self.say(Mark.NOTE, words, number)
            return True
        if self.handshake.read(line) or _OPENSSL_ASIDES.fullmatch(line):
            return True
        if _OPENSSL_ERRORS.fullmatch(line) and not self._greeted:
            self.say(Mark.ERROR, line, number)
            return True
        return False

    def _about_connection(self, line: str, number: int) -> bool:
        if _SKIPPED.match(line):
            return True
        if _NOTES.match(line):
            self.say(Mark.NOTE, line.removeprefix("=== "), number)
            return True
        if _ERRORS.match(line):
            self.say(Mark.NOTE if self._quit else Mark.ERROR, line, number)
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
