"""HTTP responses: whole, byte by byte, with trailing bytes; whatever arrives is a value or an HttpParseError."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.http import MAX_HEAD_BYTES, HttpParseError, HttpResponse, ResponseReader, TooLongError

OK = b"HTTP/1.1 200 OK\r\n"

READ = {
    "counted": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "empty": (OK + b"Content-Length: 0\r\n\r\n", b""),
    "chunked": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n", b"hello"),
    "chunked wins over a length": (
        OK + b"Content-Length: 1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"hello",
    ),
    "after 103": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", b"hi"),
    "bare LF": (b"HTTP/1.0 200\nContent-Length: 2\n\nhi", b"hi"),
    "not found": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", b""),
}


def whole(data: bytes, *, size: int = 1 << 20) -> HttpResponse:
    """Read data in pieces of `size`, then its end."""
    reader = ResponseReader(max_body_bytes=100)
    for start in range(0, len(data), size):
        response = reader.feed(data[start : start + size])
        if response is not None:
            return response
    return reader.end()


@pytest.mark.parametrize(("data", "body"), READ.values(), ids=READ)
def test_the_body_is_the_same_however_the_bytes_arrive(data: bytes, body: bytes) -> None:
    assert whole(data) == whole(data, size=1) == whole(data, size=3)
    assert body == whole(data).body


@pytest.mark.parametrize(("data", "body"), READ.values(), ids=READ)
def test_bytes_behind_the_response_are_not_read(data: bytes, body: bytes) -> None:
    assert body == whole(data + b"HTTP/1.1 500 for somebody else").body


def test_without_a_length_the_end_of_the_connection_is_the_end() -> None:
    assert b"hello" == whole(OK + b"\r\nhello", size=1).body


def test_fields_are_read_without_regard_to_case_and_joined() -> None:
    response = whole(OK + b"X-Two: a\r\nx-two:\t b \r\nContent-Length: 0\r\n\r\n")

    assert "a, b" == response.field("x-two")
    assert response.field("x-three") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x16\x03\x01",
        b"hello, I am no web server\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 600 x\r\n\r\n",
        OK,
        OK + b"no colon\r\n\r\n",
        OK + b"Folded: a\r\n b\r\n\r\n",
        OK + b"Content-Length: 5\r\n\r\nhell",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 6,
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_whole_response_is_refused(data: bytes, size: int) -> None:
    with pytest.raises(HttpParseError):
        whole(data, size=size)


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 101\r\n\r\n",
        OK + b"\r\n" + b"x" * 101,
        OK + b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 100 + b"\r\n1\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        OK + b"X: y\r\n" * (MAX_HEAD_BYTES // 5),
        b"x" * (MAX_HEAD_BYTES + 2),
    ],
    ids=["length", "until the end", "chunks", "huge chunk", "many fields", "no line end"],
)
def test_what_is_too_long_is_refused_before_it_is_all_there(data: bytes) -> None:
    reader = ResponseReader(max_body_bytes=100)

    with pytest.raises(TooLongError):
        reader.feed(data)
