"""Whatever a server says: no exception, no long wait, and JSON that follows the schema."""

from __future__ import annotations

import json
import time
from importlib.resources import files

import jsonschema
import pytest
from support.garbled import MAX_BYTES, garbled

import smtpdoc
from smtpdoc.render.json_stream import around_clock, with_clock
from smtpdoc.render.json_v1 import dumps, report_json

#: Seconds of processor time for one reply of 8 kB: fifty times what it takes, for slow machines.
SLOW_S = 1.0


def test_no_bytes_break_explain_or_its_json() -> None:
    for data in garbled(3000, seed=20):
        text = data.decode("utf-8", "surrogateescape")
        start = time.process_time()
        report = smtpdoc.explain(text)
        line = dumps(report_json(report))
        took_s = time.process_time() - start

        assert took_s < SLOW_S, data
        assert "\n" not in line, data
        value = json.loads(line)
        streamed = json.loads(with_clock(around_clock(report), report.started_at, report.elapsed_s))
        assert value == streamed, data
        explanation = value["evidence"]
        assert (2 if explanation["reply"] is None else 0) == value["exit_code"] or 3 == value["exit_code"], data


def test_the_json_of_garbled_replies_follows_the_schema() -> None:
    schema = json.loads(files("smtpdoc").joinpath("schema_v1.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for data in garbled(150, seed=21):
        report = smtpdoc.explain(data.decode("utf-8", "replace"))

        validator.validate(json.loads(dumps(report_json(report))))


@pytest.mark.parametrize(
    "head", ["550 ", "smtp; 552 5", "host mx.example.net[192.0.2.5] said: 553-", "Diagnostic-Code: x; "]
)
@pytest.mark.parametrize(
    "unit", [" ", "\xa0", "(", ")", "\n", "(\n", "\t\n ", "5", "a.", "- ", "<<< ", "\r", "'", "550 "]
)
def test_long_runs_of_anything_take_no_time(head: str, unit: str) -> None:
    text = head + unit * (65536 // len(unit)) + " x"
    start = time.process_time()
    smtpdoc.explain(text)

    assert time.process_time() - start < SLOW_S


def test_garbled_texts_are_bounded_and_come_again() -> None:
    texts = list(garbled(300, seed=22))

    assert texts == list(garbled(300, seed=22))
    assert MAX_BYTES >= max(map(len, texts)) > MAX_BYTES // 2
