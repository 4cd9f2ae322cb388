"""What a server says in clear while it shakes hands (RFC 8446 section 4.1, RFC 5246 section 7.4, RFC 8422)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.handshake import RETRY_RANDOM, Handshake, read_handshake

NOTHING = Handshake()
RANDOM = bytes(range(32))


def record(content: bytes, kind: int = 22) -> bytes:
    return bytes((kind, 3, 3)) + len(content).to_bytes(2) + content


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2) + len(content).to_bytes(2) + content


def server_hello(*extensions: bytes, random: bytes = RANDOM, session_id: bytes = b"") -> bytes:
    together = b"".join(extensions)
    tail = len(together).to_bytes(2) + together if extensions else b""
    return message(2, b"\3\3" + random + bytes((len(session_id),)) + session_id + b"\xc0\x2f\0" + tail)


def hello_1_3(group: int) -> bytes:
    return server_hello(extension(43, b"\3\4"), extension(51, group.to_bytes(2) + b"\0\4key!"), session_id=b"s" * 32)


def hello_retry(group: int) -> bytes:
    return server_hello(extension(51, group.to_bytes(2)), extension(43, b"\3\4"), random=RETRY_RANDOM)


HELLO_1_2 = server_hello(extension(0xFF01, b"\0"), extension(11, b"\1\0"))
CERTIFICATE = message(11, b"c" * 5000)
DONE = message(14, b"")
ENCRYPTED = record(b"\x17" * 900, kind=23)
CHANGE_CIPHER_SPEC = record(b"\1", kind=20)
SIGNATURE = b"\4\1" + (256).to_bytes(2) + b"s" * 256
SIGNATURE_1_0 = (128).to_bytes(2) + b"s" * 128


def elliptic(group: int, tail: bytes = SIGNATURE, kind: int = 3) -> bytes:
    return message(12, bytes((kind,)) + group.to_bytes(2) + b"\x41" + b"\4" * 65 + tail)


def finite(prime: int, tail: bytes = SIGNATURE, zeros: int = 0) -> bytes:
    size = (prime.bit_length() + 7) // 8
    fields = (bytes(zeros) + prime.to_bytes(size), b"\2", b"Y" * size)
    return message(12, b"".join(len(one).to_bytes(2) + one for one in fields) + tail)


def flight_1_2(*exchange: bytes, hello: bytes = HELLO_1_2) -> bytes:
    return record(hello) + record(CERTIFICATE) + record(b"".join(exchange) + DONE)


READ: dict[str, tuple[bytes, Handshake]] = {
    "x25519": (record(hello_1_3(29)) + CHANGE_CIPHER_SPEC + ENCRYPTED, Handshake(False, "x25519", 253)),
    "ffdhe": (record(hello_1_3(256)), Handshake(False, "ffdhe2048", 2048)),
    "hybrid": (record(hello_1_3(4588)), Handshake(False, "X25519MLKEM768", None)),
    "a group without a name": (record(hello_1_3(4711)), Handshake(False, "group 4711", None)),
    "GREASE, which nobody should choose": (record(hello_1_3(0x8A8A)), Handshake(False, "group 35466", None)),
    "retry": (
        record(hello_retry(23)) + CHANGE_CIPHER_SPEC + record(hello_1_3(23)) + ENCRYPTED,
        Handshake(True, "secp256r1", 256),
    ),
    "retry without the compatibility record": (
        record(hello_retry(24)) + record(hello_1_3(24)),
        Handshake(True, "secp384r1", 384),
    ),
    "retry, and not yet more": (record(hello_retry(25)), Handshake(True, "secp521r1", 521)),
    "retry for a cookie only": (
        record(server_hello(extension(43, b"\3\4"), extension(44, b"\0\1c"), random=RETRY_RANDOM)),
        Handshake(True, None, None),
    ),
    "pre-shared key alone": (
        record(server_hello(extension(43, b"\3\4"), extension(41, b"\0\0"))) + ENCRYPTED,
        NOTHING,
    ),
    "ECDHE": (flight_1_2(elliptic(24)), Handshake(False, "secp384r1", 384)),
    "ECDHE of TLS 1.0": (flight_1_2(elliptic(23, SIGNATURE_1_0)), Handshake(False, "secp256r1", 256)),
    "ECDHE without a signature": (flight_1_2(elliptic(29, b"")), Handshake(False, "x25519", 253)),
    "a curve that is written out": (flight_1_2(elliptic(23, kind=1)), NOTHING),
    "DHE": (flight_1_2(finite((1 << 1024) - 3)), Handshake(False, "DHE", 1024)),
    "DHE of TLS 1.0": (flight_1_2(finite((1 << 2048) - 3, SIGNATURE_1_0)), Handshake(False, "DHE", 2048)),
    "DHE, anonymous": (flight_1_2(finite((1 << 512) - 3, b"")), Handshake(False, "DHE", 512)),
    "a prime with zeros in front": (flight_1_2(finite((1 << 768) - 3, zeros=1)), Handshake(False, "DHE", 768)),
    # 768 bytes: it begins with 3, as a named curve does
    "a prime of 6144 bits": (flight_1_2(finite((1 << 6144) - 3)), Handshake(False, "DHE", 6144)),
    "RSA": (flight_1_2(), Handshake(False, "RSA", None)),
    "no extensions at all": (flight_1_2(hello=server_hello()), Handshake(False, "RSA", None)),
    "one record": (record(HELLO_1_2 + CERTIFICATE + elliptic(29) + DONE), Handshake(False, "x25519", 253)),
    "an alert": (record(b"\2\x28", kind=21), NOTHING),
    "an alert after the hello": (record(HELLO_1_2) + record(b"\2\x28", kind=21) + record(elliptic(29)), NOTHING),
    "SMTP": (b"454 4.7.0 TLS not available\r\n", NOTHING),
    "nothing": (b"", NOTHING),
    "a hello that is too short": (record(message(2, RANDOM)), NOTHING),
    "an extension that is too long": (record(server_hello(b"\0\x33\xff\xff\0\x1d")), NOTHING),
    "a key share without a group": (record(server_hello(extension(51, b"\0"), extension(43, b"\3\4"))), NOTHING),
    "half a signature": (flight_1_2(elliptic(29, SIGNATURE[:-1])), NOTHING),
    "more behind the signature": (flight_1_2(finite((1 << 1024) - 3, SIGNATURE + b"!")), NOTHING),
}


@pytest.mark.parametrize("name", READ)
def test_the_key_exchange_is_read(name: str) -> None:
    data, expected = READ[name]

    assert read_handshake(data) == expected


def test_the_random_of_a_retry_is_the_one_of_the_standard() -> None:
    assert (len(RETRY_RANDOM), RETRY_RANDOM[:4].hex(), RETRY_RANDOM[-4:].hex()) == (32, "cf21ad74", "c8a8339c")


@pytest.mark.parametrize("name", ["x25519", "retry", "ECDHE", "DHE", "RSA"])
def test_byte_by_byte_nothing_wrong_is_told_on_the_way(name: str) -> None:
    """What is told of half a flight may be less, and is never anything else."""
    data, expected = READ[name]
    on_the_way = {read_handshake(data[:size]) for size in range(len(data))}

    assert on_the_way <= {NOTHING, Handshake(True, expected.group, expected.bits), expected}


@given(
    st.sampled_from([HELLO_1_2 + CERTIFICATE + elliptic(29) + DONE, hello_retry(23) + hello_1_3(23)]),
    st.lists(st.integers(1, 200), max_size=12),
)
def test_records_cut_anywhere_read_the_same(messages: bytes, sizes: list[int]) -> None:
    data, at = b"", 0
    for size in sizes:
        data += record(messages[at : at + size])
        at += size
    data += record(messages[at:])

    assert read_handshake(data) == read_handshake(record(messages))


@given(st.sampled_from(["x25519", "retry", "ECDHE", "DHE", "RSA"]), st.binary(max_size=300))
def test_what_comes_behind_changes_nothing(name: str, garbage: bytes) -> None:
    data, expected = READ[name]

    assert read_handshake(data + garbage) == expected


@given(st.sampled_from(sorted(READ)), st.data())
def test_any_bytes_are_read_without_a_word(name: str, drawn: st.DataObject) -> None:
    data = bytearray(READ[name][0])
    for _ in range(drawn.draw(st.integers(1, 8)) if data else 0):
        data[drawn.draw(st.integers(0, min(len(data), 400) - 1))] = drawn.draw(st.integers(0, 255))

    assert isinstance(read_handshake(bytes(data)), Handshake)


@given(st.binary(max_size=400))
def test_no_handshake_tells_nothing_of_a_retry(data: bytes) -> None:
    assert not read_handshake(data).hello_retry
