"""Replies as nobody should send them: random bytes, mutated real replies, and what they are made of in any order."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LABELLED = Path(__file__).parent.parent / "data" / "replies" / "labelled.jsonl"
#: No text is longer than this, in bytes.
MAX_BYTES = 8192

_PIECES = (
    b"550 ", b"550-", b"5.7.1 ", b"4.", b"(#5.1.1)", b"\r\n", b"\n", b"\r", b"\x00", b"\x1b[31m",
    b"\xff\xfe", b"{", b'"}',
    b"said: ", b"host mx.example.net[192.0.2.1] ", b"<", b">", b"@", b"a@b.example ", b"::",
    b"2001:db8::1", b"300 seconds",
    b"99999999999999999999", b"http://", b"https://www.spamhaus.org/query/ip/", b"127.0.0.2",
    b"127.255.255.254", b"zen.",
    b"size=", b"limit ", b"user unknown ", b"quota ", b"status=bounced (",
    b"Diagnostic-Code: smtp; ", b"dsn=5.0.0 ",
    b"\xe2\x80\xae", b"\xc2\xa0", b"\xf0\x9f\x93\xa7", b"\\n", b"\\u0000", b"'", b'"',
    b"\xe2\x80\x9c", b" ** x T=y: ",
)  # fmt: skip


@cache
def _real() -> tuple[bytes, ...]:
    with LABELLED.open(encoding="utf-8") as rows:
        found = [json.loads(row) for row in rows]
    return tuple(text.encode() for row in found for text in (row["reply"], row.get("embedded")) if text)


def garbled(count: int, seed: int) -> Iterator[bytes]:
    """Yield texts; the same ones for the same seed."""
    chance = random.Random(seed)
    makers = (_noise, _pieces, _mutated, _mutated, _spliced, _repeated)
    for _ in range(count):
        yield chance.choice(makers)(chance)[:MAX_BYTES]


def _noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice((1, 3, 20, 200, 2000)))


def _pieces(chance: random.Random) -> bytes:
    return b"".join(chance.choices(_PIECES, k=chance.randrange(1, 60)))


def _mutated(chance: random.Random) -> bytes:
    text = bytearray(chance.choice(_real()))
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                text[at : at + 1] = chance.randbytes(1)
            case 1:
                text[at:at] = chance.choice(_PIECES)
            case 2:
                del text[at : at + chance.randrange(1, 9)]
            case _:
                text[at:at] = text[: chance.randrange(30)]
    return bytes(text)


def _spliced(chance: random.Random) -> bytes:
    left, right = chance.choice(_real()), chance.choice(_real())
    return left[: chance.randrange(len(left) + 1)] + right[chance.randrange(len(right)) :]


def _repeated(chance: random.Random) -> bytes:
    """One piece or a stretch of a real reply over and over: what slow patterns are slow with."""
    real = chance.choice(_real())
    start = chance.randrange(len(real))
    unit = chance.choice((chance.choice(_PIECES), real[start : start + chance.randrange(1, 20)])) or b" "
    head = chance.choice((b"", b"550 ", b"550 5.7.1 ", real[:start]))
    return head + unit * (MAX_BYTES // len(unit))
