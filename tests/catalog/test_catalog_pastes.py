"""What findings offer to paste: a whole record wherever one can be given, and publishing it makes the finding go away.

Each zone in tests/data/zones has one fault. `test_every_error_and_warning_has_a_record_to_paste` holds the first claim,
`test_a_pasted_record_makes_its_finding_go_away` the second.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import dns.rdatatype
import dns.zone
import pytest
from support.domain import examine, findings_of
from support.zone import Answer

from smtpdoc.api.topics import TOPICS
from smtpdoc.evidence.dns import TxtRecord
from smtpdoc.findings import Finding, Level

ZONES = sorted((Path(__file__).parent.parent / "data" / "zones").glob("*.zone"))

#: Errors and warnings for which no record can be written down, and why.
NOTHING_TO_PASTE = {
    "dkim.absent": "the key comes from the signer",
    "domain.enforcement-without-dkim": "the key comes from the signer",
    "mx.ptr-missing": "the owner of the address block publishes it",
    "mx.ptr-not-confirmed": "the owner of the address block publishes it",
}

#: Errors whose record has a part with no good guess, by zone.
NO_GUESS = {("spf-syntax", "spf.syntax-error"), ("spf-syntax", "spf.no-all")}

#: What a pasted host name still needs before the finding about it can go away.
_PASTED_HOST = {"mail.example.com A": "192.0.2.77"}

_LINE = re.compile(r"(?P<name>\S+)\. IN (?P<type>[A-Z]+) (?P<data>.+)")


class Published(NamedTuple):
    """Where a pasted line goes, and what it says."""

    name: str
    rdtype: str
    answer: Answer


def _load(path: Path) -> dict[str, Answer]:
    zone = dns.zone.from_file(str(path), origin=".", relativize=False)
    answers: dict[str, list[object]] = {}
    for name, _, rdata in zone.iterate_rdatas():
        key = f"{name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(rdata.rdtype)}"
        match rdata.rdtype:
            case dns.rdatatype.TXT:
                value: object = TxtRecord(rdata.strings)  # type: ignore[attr-defined]  # known by its type
            case dns.rdatatype.MX:
                value = (rdata.preference, rdata.exchange.to_text())  # type: ignore[attr-defined]
            case _:
                value = rdata.to_text().removesuffix(".")
        answers.setdefault(key, []).append(value)
    return {key: many[0] if key.endswith("CNAME") else many for key, many in answers.items()}  # type: ignore[misc]


def _findings(answers: dict[str, Answer]) -> list[Finding]:
    found = findings_of(examine(answers, only=TOPICS))
    return [finding for finding in found if finding.level in (Level.ERROR, Level.WARNING)]


def _raised(path: Path) -> set[str]:
    (line,) = re.findall(r"^; raises (.+)$", path.read_text(), re.MULTILINE)
    return set(line.split())


def _published(finding: Finding) -> list[list[Published]]:
    """Return the ways in which a finding's lines can be published; alternatives stand as lines of their own."""
    if not finding.paste:
        return []
    lines = [_LINE.fullmatch(row) for row in finding.paste]
    if all(lines):
        return [[_line(line) for line in lines if line is not None]]
    return [[Published(_home(finding), "TXT", row)] for row in finding.paste]


def _line(line: re.Match[str]) -> Published:
    data = line["data"]
    if line["type"] == "MX":
        preference, _, host = data.partition(" ")
        return Published(line["name"], "MX", (int(preference), host))
    return Published(line["name"], line["type"], data.strip('"'))


def _home(finding: Finding) -> str:
    """Return the name at which a bare TXT text is to stand."""
    fixed = {"dmarc": "_dmarc", "tls-rpt": "_smtp._tls", "mta-sts": "_mta-sts", "bimi": "default._bimi"}
    if finding.topic in fixed:
        return f"{fixed[finding.topic]}.example.com"
    return "example.com" if finding.id == "spf.wrong-name" else finding.subject


def _publish(answers: dict[str, Answer], published: list[Published]) -> dict[str, Answer]:
    """Replace the records that the new ones stand for: of a TXT name those of the same kind, else all."""
    zone = dict(answers)
    for key in dict.fromkeys(f"{one.name} {one.rdtype}" for one in published):
        new = [one.answer for one in published if f"{one.name} {one.rdtype}" == key]
        old = zone.get(key, [])
        kept = [record for record in old if key.endswith("TXT") and not _same_kind(record, new[0])]  # type: ignore[union-attr]
        zone[key] = [*kept, *new]  # type: ignore[list-item]
    return _PASTED_HOST | zone


def _same_kind(record: object, new: Answer) -> bool:
    """Whether a TXT record is what the new one replaces: a verification text beside SPF stays, beside a key it goes."""
    assert isinstance(record, TxtRecord)
    if str(new).startswith("v=DKIM1"):
        return True
    kind = re.match(r"v=\s*([a-z]+)", str(new), re.IGNORECASE)

    assert kind is not None, new
    return kind[1].lower() in record.text.lower()


@pytest.mark.parametrize("path", ZONES, ids=lambda path: path.stem)
def test_the_fault_is_raised(path: Path) -> None:
    assert _raised(path) <= {finding.id for finding in _findings(_load(path))}


@pytest.mark.parametrize("path", ZONES, ids=lambda path: path.stem)
def test_every_error_and_warning_has_a_record_to_paste(path: Path) -> None:
    bare = {finding.id for finding in _findings(_load(path)) if not finding.paste}

    assert {name for name in bare if name not in NOTHING_TO_PASTE and (path.stem, name) not in NO_GUESS} == set()


@pytest.mark.parametrize("path", ZONES, ids=lambda path: path.stem)
def test_a_pasted_record_makes_its_finding_go_away(path: Path) -> None:
    answers = _load(path)
    for finding in _findings(answers):
        for way in _published(finding):
            left = _findings(_publish(answers, way))

            assert (finding.id, finding.subject) not in {(other.id, other.subject) for other in left}, way


def test_the_zones_are_all_there() -> None:
    assert len(ZONES) >= 40
