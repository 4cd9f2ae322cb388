"""MTA-STS from end to end: zone, policy over HTTPS, findings, text and JSON."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from support.hostile import TLS, Pause, Read, Step, hostile_server
from support.pki import server_context, write_shelf
from support.zone import Zone

from smtpdoc.api.domains import auth_check
from smtpdoc.net.https import HttpsPolicies
from smtpdoc.render.json_v1 import report_json
from smtpdoc.render.text import Page
from smtpdoc.render.text_auth import render_auth
from smtpdoc.report import Report

HOST = "mta-sts.example.com"
POLICY = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    write_shelf(directory, HOST, "127.0.0.1")
    return directory


def zone(mx: str = "mx.example.com") -> Zone:
    return Zone(
        {"example.com MX": (10, mx), "_mta-sts.example.com TXT": "v=STSv1; id=1", f"{HOST} A": "127.0.0.1"},
    )


def check(pki: Path, *steps: Step, mx: str = "mx.example.com", timeout_s: float = 5.0) -> Report:
    context = server_context(pki, "good")

    async def run() -> Report:
        async with hostile_server((TLS, Read(7), *steps), context) as server:
            resolver = zone(mx)
            policies = HttpsPolicies(resolver, timeout_s=timeout_s, port=server.port, ca_file=str(pki / "ca.pem"))
            return await auth_check("example.com", resolver=resolver, policies=policies, only=["mta-sts"])

    return asyncio.run(run())


def answer(policy: str = POLICY) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(policy)}\r\n\r\n"
    return (head + policy).encode()


def text(report: Report) -> str:
    out = io.StringIO()
    render_auth(Page(out, width=80), report, report.evidence)  # type: ignore[arg-type]  # of auth-check
    return out.getvalue()


def test_a_policy_in_order_raises_nothing(pki: Path) -> None:
    report = check(pki, answer())

    assert () == report.findings
    assert "TLS    ✔  MTA-STS enforced" in text(report)
    assert {
        "url": f"https://{HOST}/.well-known/mta-sts.txt", "problem": None, "valid": True, "mode": "enforce",
        "max_age_s": 604800, "mx": ["mx.example.com"], "text": POLICY,
    } == report_json(report)["evidence"]["mta_sts"]["policy"]  # fmt: skip


def test_an_mx_that_the_policy_does_not_name_is_an_error(pki: Path) -> None:
    report = check(pki, answer(), mx="other.example.com")

    assert ["mta-sts.mx-not-covered", "mta-sts.unused-pattern"] == [finding.id for finding in report.findings]
    assert 1 == report.exit_code


def test_a_redirect_is_an_error_that_says_where_to(pki: Path) -> None:
    report = check(pki, b"HTTP/1.1 302 Found\r\nLocation: https://www.example.com/\r\n\r\n")

    assert ["mta-sts.policy-unavailable"] == [finding.id for finding in report.findings]
    assert "https://www.example.com/" in report.findings[0].message
    assert "TLS    ✖  MTA-STS without a policy" in text(report)


def test_a_silent_policy_host_is_no_verdict(pki: Path) -> None:
    report = check(pki, Pause(30), timeout_s=0.3)

    assert ["mta-sts.policy-unknown"] == [finding.id for finding in report.findings]
    assert 3 == report.exit_code
