"""smtpdoc probe --mx: the records that lead to the hosts are judged, not only the hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Smtpdoc
from support.hostile import C, Step
from support.served import served

SCRIPT: tuple[Step, ...] = (b"220 mx.example.net ESMTP\r\n", C, b"250-mx\r\n250 SIZE\r\n", C, b"221 bye\r\n")


@pytest.mark.parametrize(
    ("records", "finding", "code"),
    [
        ("example.net. MX 10 mx.example.net.", None, 0),
        ("example.net. MX 0 .\nexample.net. MX 10 mx.example.net.", "mx.null-with-others", 1),
        ("example.net. MX 10 127.0.0.1.", "mx.address-as-host", 1),
        ("example.net. MX 10 old.example.net.\nold.example.net. CNAME mx.example.net.", "mx.alias", 0),
        ("example.net. A 127.0.0.1", "mx.implicit", 0),
        ("example.net. MX 0 .", "smtp.no-mail-wanted", 1),
        ("example.net. TXT x", "smtp.no-mail-host", 1),
        ("example.org. TXT x", "smtp.no-mail-host", 1),
        ("example.net. MX 10 gone.example.net.", "smtp.name-not-found", 1),
    ],
)
def test_the_records_of_the_domain_are_judged(
    smtpdoc: Smtpdoc, tmp_path: Path, records: str, finding: str | None, code: int
) -> None:
    path = tmp_path / "zone"
    path.write_text(f"{records}\nmx.example.net. A 127.0.0.1\n")
    with served(*SCRIPT) as port:
        ran = smtpdoc(
            *("probe", "--mx", f"example.net:{port}", "--zone", str(path), "--tls", "none", "--quit-after", "ehlo"),
            *("--timeout", "3", "--json"),
        )

    found = {one["id"] for one in ran.json["findings"] if one["level"] != "info"}

    assert ({finding} if finding else set()) == found
    assert code == ran.code
