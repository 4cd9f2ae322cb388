"""Real output keeps the published schema."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.command import Smtpdoc

from smtpdoc.demo import DemoServer

DEMO_ZONE = str(Path(__file__).parents[2] / "smtpdoc" / "demo" / "demo.zone")


@pytest.fixture(scope="session")
def validator() -> Draft202012Validator:
    schema = json.loads(files("smtpdoc").joinpath("schema_v1.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(validator: Draft202012Validator, report: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(report)]


@pytest.mark.parametrize(
    "text",
    [
        "550-5.7.26 Unauthenticated email from example.com is not accepted",
        "451 4.7.1 Greylisted, try again in 300 seconds",
        "250 2.0.0 Ok: queued as 4ABC123",
        "354 go ahead",
        "599 blurb",
        "mailbox full",
    ],
)
def test_explanations(smtpdoc: Smtpdoc, validator: Draft202012Validator, text: str) -> None:
    assert [] == errors(validator, smtpdoc("explain", "--json", text).json)


def test_probes(smtpdoc: Smtpdoc, validator: Draft202012Validator, demo_server: DemoServer) -> None:
    here = ("--resolve", f"{demo_server.host}:127.0.0.1")
    good = smtpdoc("probe", f"{demo_server.host}:{demo_server.port}", *here, "--to", "grey@example.net", "--json").json
    closed = smtpdoc("probe", "127.0.0.1:9", "--json").json

    assert [] == errors(validator, good)
    assert [] == errors(validator, closed)
    assert [] == errors(validator, [good, closed])
    assert good["evidence"]["sessions"][0]["tls"]["chain"]


@pytest.mark.parametrize("domain", ["example.com", "example.org", "nosuch.example"])
def test_domains(smtpdoc: Smtpdoc, validator: Draft202012Validator, domain: str) -> None:
    report = smtpdoc("auth-check", domain, "--zone", DEMO_ZONE, "--ip", "198.51.100.10", "--json").json

    assert [] == errors(validator, report)


def test_block_lists(smtpdoc: Smtpdoc, validator: Draft202012Validator) -> None:
    report = smtpdoc("auth-check", "example.org", "--zone", DEMO_ZONE, "--dnsbl", "--offline", "--json").json

    assert "dnsbl" in report["evidence"]
    assert [] == errors(validator, report)


def test_the_schema_notices_what_is_wrong(smtpdoc: Smtpdoc, validator: Draft202012Validator) -> None:
    report = smtpdoc("explain", "--json", "550 5.1.1 x").json
    for broken in (
        {**report, "schema": "smtpdoc/2"},
        {**report, "level": "bad"},
        {**report, "evidence": {**report["evidence"], "action": "panic"}},
        {**report, "evidence": {**report["evidence"], "retry": {"should": True}}},
        {key: value for key, value in report.items() if key != "findings"},
    ):
        assert errors(validator, broken)


def test_the_command_prints_the_schema_that_ships(smtpdoc: Smtpdoc) -> None:
    assert files("smtpdoc").joinpath("schema_v1.json").read_text(encoding="utf-8") == smtpdoc("schema").out
