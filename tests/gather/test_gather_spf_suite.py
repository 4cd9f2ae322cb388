"""The RFC 7208 test suite, and the cases of two implementations, run against check_spf.

Zone data of the suites: a list of records for each name, TIMEOUT for "all other types time out", and SPF records that
stand for TXT records where a name has no TXT of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.zone import Answer, Zone, run_now

from smtpdoc.evidence.dns import LookupStatus, TxtRecord
from smtpdoc.gather.spf import gather_spf
from smtpdoc.gather.spf_check import SpfClient, check_spf

DATA = Path(__file__).parent.parent / "data" / "spf"

# Not questions about RFC 7208: pyspf has a lax and a "harsh" mode, in which a `default=` modifier of early drafts
# counts. RFC 7208 section 6: "Unrecognized modifiers MUST be ignored", and section 4.7 then says neutral.
BY_RFC = {
    "default-modifier": "neutral",
    "default-modifier-harsh": "neutral",
}


def _octets(text: str) -> bytes:
    """The suites write octets above 127 as characters of the same number."""
    return text.encode("latin-1")


def _txt(value: Any) -> TxtRecord:
    strings = value if isinstance(value, list) else [value]
    return TxtRecord(tuple(_octets(str(string)) for string in strings))


def _zone(zonedata: dict[str, list[Any]]) -> Zone:
    answers: dict[str, Answer] = {}
    for name, records in zonedata.items():
        collected: dict[str, list[Any]] = {}
        fails: LookupStatus | None = None
        for record in records:
            if record == "TIMEOUT" or (isinstance(record, dict) and "TIMEOUT" in record):
                fails = LookupStatus.TIMEOUT
            elif isinstance(record, dict) and "SERVFAIL" in record:
                fails = LookupStatus.SERVFAIL
            else:
                ((rdtype, value),) = record.items()
                collected.setdefault(rdtype, []).append(value)
        if "TXT" not in collected and "SPF" in collected:
            collected["TXT"] = collected["SPF"]
        if collected.get("TXT") == ["NONE"]:
            del collected["TXT"]
        for rdtype, values in collected.items():
            answers[f"{name} {rdtype}"] = _answer(rdtype, values)
        if fails is not None:
            answers[f"{name} *"] = fails
    return Zone(answers)


def _answer(rdtype: str, values: list[Any]) -> Answer:
    match rdtype:
        case "TXT":
            return [_txt(value) for value in values]
        case "MX":
            return [(preference, host or ".") for preference, host in values]
        case "CNAME":
            return str(values[0])
        case _:
            return [str(value) for value in values]


def _cases() -> Iterator[Any]:
    for path in sorted(DATA.glob("*.yml")):
        for scenario in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if scenario is None:
                continue
            for name, case in scenario["tests"].items():
                yield pytest.param(name, case, scenario["zonedata"], id=f"{path.stem}-{name}")


CASES = list(_cases())


@pytest.mark.parametrize(("name", "case", "zonedata"), CASES)
def test_the_suite_result(name: str, case: dict[str, Any], zonedata: dict[str, list[Any]]) -> None:
    client = SpfClient(ip=str(case["host"]), mail_from=case["mailfrom"], helo=case.get("helo", ""))

    check = run_now(check_spf(client, "unused.example", _zone(zonedata)))

    wanted = BY_RFC.get(name, case["result"])
    assert check.result.value in (wanted if isinstance(wanted, list) else [wanted])
    if "explanation" in case:
        told = None if case["explanation"] == "DEFAULT" else case["explanation"]
        assert told == check.explanation


@pytest.mark.parametrize("zonedata", [pytest.param(case.values[2], id=case.id) for case in CASES])
def test_the_static_tree_of_every_suite_domain_is_bounded(zonedata: dict[str, list[Any]]) -> None:
    """Whatever the suites publish, reading the tree ends, and asks no question twice."""
    for domain in zonedata:
        zone = _zone(zonedata)
        evidence = run_now(gather_spf(domain, zone))

        assert domain == evidence.domain
        assert len(zone.asked) == len(set(zone.asked))


def test_the_suites_are_all_there() -> None:
    assert {"rfc7208-dev", "extra-blitiri", "extra-pyspf"} == {path.stem for path in DATA.glob("*.yml")}
    assert len(CASES) > 120
