"""One HTTP/1.x response, read as its bytes arrive (RFC 9112). Bounded, and strict: a policy server is no browser's."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from smtpdoc.errors import ParseError

MAX_HEAD_BYTES = 16_384
MAX_INTERIM = 4  # responses like 103 Early Hints that may come before the answer
_MAX_CHUNK_LINE_BYTES = 1024

# status-line = HTTP-version SP status-code SP [ reason-phrase ]
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?")
# field-line = field-name ":" OWS field-value OWS
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)")
# chunk = chunk-size [ chunk-ext ] CRLF
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_LENGTH = re.compile(r"[0-9]{1,15}")


class HttpParseError(ParseError):
    """The bytes are no HTTP response, or of a kind that is not read here."""


class TooLongError(HttpParseError):
    """The head or the body is longer than it may be."""


class CutShortError(HttpParseError):
    """The connection ended before the response did."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`fields` have names in lower case, in their order. `body` is read for 200 only, chunked coding undone."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""

    def field(self, name: str) -> str | None:
        """Return the values of a field, joined as RFC 9110 section 5.3 does, or None."""
        values = [value for known, value in self.fields if known == name]
        return ", ".join(values) if values else None


class ResponseReader:
    """Takes the bytes of one response as they come. Both methods raise HttpParseError for what cannot be read.

    >>> reader = ResponseReader(max_body_bytes=100)
    >>> reader.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nh")
    >>> reader.feed(b"i, and what nobody asked for").body
    b'hi'
    """

    def __init__(self, *, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        self._ended = False
        self._reading = self._response()

    def feed(self, data: bytes) -> HttpResponse | None:
        """Return the response once it is whole, before that None; must not be called again after that."""
        self._buffer += data
        try:
            next(self._reading)
        except StopIteration as done:
            response: HttpResponse = done.value
            return response
        return None

    def end(self) -> HttpResponse:
        """Return the response that the end of the connection completes."""
        self._ended = True
        response = self.feed(b"")
        if response is None:
            raise CutShortError("the rest of the response")
        return response

    def _response(self) -> Generator[None, None, HttpResponse]:
        for _ in range(MAX_INTERIM + 1):
            head = yield from self._head()
            if head.status >= 200:
                break
        else:
            raise HttpParseError(f"an answer after {MAX_INTERIM} interim responses")
        if head.status != 200:
            return head
        coding, length = head.field("transfer-encoding"), head.field("content-length")
        # RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length; both together smell of smuggling.
        if coding is not None and coding.lower() == "chunked":
            body = yield from self._chunks()
        elif coding is not None:
            raise HttpParseError("no transfer coding but chunked", coding)
        elif length is not None:
            body = yield from self._counted(length)
        else:
            body = yield from self._rest()
        return HttpResponse(head.status, head.fields, body)

    def _head(self) -> Generator[None, None, HttpResponse]:
        line = yield from self._line(MAX_HEAD_BYTES)
        status = _STATUS_LINE.fullmatch(line)
        if status is None:
            raise HttpParseError("an HTTP status line", _text(line))
        fields: list[tuple[str, str]] = []
        left = MAX_HEAD_BYTES - len(line)
        while line := (yield from self._line(left)):
            left -= len(line) + 1
            field = _FIELD.fullmatch(line)
            if field is None:  # a folded line too: RFC 9112 section 5.2 forbids to send them
                raise HttpParseError("an HTTP header field", _text(line))
            fields.append((_text(field[1]).lower(), _text(field[2]).strip(" \t")))
        return HttpResponse(int(status[1]), tuple(fields))

    def _counted(self, length: str) -> Generator[None, None, bytes]:
        if not _LENGTH.fullmatch(length):
            raise HttpParseError("one number as Content-Length", length)
        size = int(length)
        self._refuse_too_long(size)
        return (yield from self._take(size))

    def _chunks(self) -> Generator[None, None, bytes]:
        body = bytearray()
        while True:
            line = yield from self._line(_MAX_CHUNK_LINE_BYTES)
            chunk = _CHUNK.fullmatch(line)
            if chunk is None:
                raise HttpParseError("the size of a chunk", _text(line))
            size = int(chunk[1], 16)
            if size == 0:
                return bytes(body)  # trailers are of no use to us
            self._refuse_too_long(len(body) + size)
            body += yield from self._take(size)
            if (yield from self._line(_MAX_CHUNK_LINE_BYTES)):
                raise HttpParseError("the end of a chunk")

    def _rest(self) -> Generator[None, None, bytes]:
        while not self._ended:
            self._refuse_too_long(len(self._buffer))
            yield
        self._refuse_too_long(len(self._buffer))
        return bytes(self._buffer)

    def _refuse_too_long(self, size: int) -> None:
        if size > self._max_body_bytes:
            raise TooLongError(f"a body of at most {self._max_body_bytes} octets")

    def _take(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield from self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _line(self, limit: int) -> Generator[None, None, bytes]:
        """Return a line without its CRLF; a bare LF ends one as well (RFC 9112 section 2.2)."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            if len(self._buffer) > limit:
                break
            searched = len(self._buffer)
            yield from self._more()
        if end < 0 or end > limit:
            raise TooLongError(f"a head of at most {MAX_HEAD_BYTES} octets")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _more(self) -> Generator[None, None, None]:
        if self._ended:
            raise CutShortError("the rest of the response")
        yield


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
