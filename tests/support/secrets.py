"""The forms in which a secret may show up."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote


def forms(secret: str) -> list[str]:
    """The secret as it is, percent-encoded, and in base64 at every alignment, cut to the part that stays the same."""
    raw = secret.encode()
    found = [secret, quote(secret), quote(secret, safe="")]
    for encode in (b64encode, urlsafe_b64encode):
        for skip in range(3):
            core = encode(bytes(skip) + raw + bytes(3)).decode()
            found.append(core[4 if skip else 0 : (skip + len(raw)) * 8 // 6 - 1])
    return found
