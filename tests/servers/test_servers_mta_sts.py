"""MTA-STS from end to end: a policy on a web server, held against what Postfix serves."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.dnssec import Apex, validating
from support.lab import HOST, MailServer
from support.pki import write_shelf
from support.web import Site, https_site
from support.zone import Zone

from smtpdoc import aio
from smtpdoc.net.https import HttpsPolicies
from smtpdoc.report import Report

pytestmark = pytest.mark.servers

DOMAIN = "lab.example"
WEB = f"mta-sts.{DOMAIN}"
MAX_BYTES = 64 * 1024


def policy(mode: str = "enforce", *mx: str, max_age: int = 1_209_600) -> bytes:
    lines = ("version: STSv1", f"mode: {mode}", *(f"mx: {one}" for one in mx or (HOST,)), f"max_age: {max_age}")
    return "".join(f"{line}\r\n" for line in lines).encode()


@pytest.fixture(scope="module")
def web_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("web")
    write_shelf(directory, WEB, "127.0.0.1")
    return directory


@pytest.fixture
def probed(postfix: MailServer, web_pki: Path) -> Any:
    """Probe the domain's mail host on the port of a certificate, while a site serves its policy."""

    def run(site: Site, port: str | int = "good", web: str = "good") -> Report:
        number = postfix.certificate_port(port) if isinstance(port, str) else port
        zone = Zone(
            {
                f"{DOMAIN} MX": (10, HOST),
                f"{HOST} A": postfix.address,
                f"_mta-sts.{DOMAIN} TXT": "v=STSv1; id=20260831",
                f"{WEB} A": postfix.address,
            }
        )
        with https_site(site, web_pki, web, address=postfix.address) as web_port:
            policies = HttpsPolicies(zone, port=web_port, ca_file=str(web_pki / "ca.pem"))
            return asyncio.run(
                aio.probe(
                    f"{DOMAIN}:{number}",
                    mx=True,
                    mta_sts=True,
                    resolver=zone,
                    policies=policies,
                    ca_file=str(postfix.ca_file),
                    identity=False,
                    helo="probe.example",
                    timeout_s=30,
                )
            )

    return run


def told(report: Report) -> dict[str, str]:
    return {one.id: one.level.value for one in report.findings if one.topic == "mta-sts"}


def message(report: Report) -> str:
    (found,) = (one.message for one in report.findings if one.topic == "mta-sts")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (policy(), {"mta-sts.host-passes": "pass"}),
        (policy("testing"), {"mta-sts.host-passes": "pass"}),
        (policy("enforce", "*.lab.example"), {"mta-sts.host-passes": "pass"}),
        (policy("enforce", "other.example", "*.example"), {"mta-sts.host-fails": "error"}),
        (policy("testing", "other.example"), {"mta-sts.host-fails": "warning"}),
        (policy("none"), {}),
        (b"version: STSv1\nmode: enforce\n", {"mta-sts.no-usable-policy": "warning"}),
    ],
    ids=["enforce", "testing", "wildcard", "not listed", "not listed, testing", "none", "not valid"],
)
def test_policies_and_a_good_host(probed: Any, text: bytes, expected: dict[str, str]) -> None:
    site = Site(text)

    assert expected == told(probed(site))
    assert [f"GET /.well-known/mta-sts.txt {WEB}"] == site.requests


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("expired", "its certificate is not trusted (certificate has expired)"),
        ("self-signed", "(self-signed certificate)"),
        ("untrusted", "(unable to get local issuer certificate)"),
        ("no-intermediate", "(unable to get local issuer certificate)"),
        ("wrong-name", "its certificate is for another name"),
    ],
)
def test_hosts_that_break_the_policy(probed: Any, port: str, why: str) -> None:
    enforced, tested = probed(Site(policy()), port), probed(Site(policy("testing")), port)

    assert ({"mta-sts.host-fails": "error"}, {"mta-sts.host-fails": "warning"}) == (told(enforced), told(tested))
    assert f"{why}; senders pass it over" in message(enforced)


@pytest.mark.parametrize(("use", "why"), [("no-starttls", "does not come to TLS"), ("old-tls", "newer than TLS 1.1")])
def test_hosts_without_tls_break_it_too(postfix: MailServer, probed: Any, use: str, why: str) -> None:
    assert why in message(probed(Site(policy()), postfix.ports[use]))


@pytest.mark.parametrize(
    ("site", "why"),
    [
        (Site(status=404), "status 404"),
        (Site(policy(), 301, {"Location": "https://www.lab.example/mta-sts.txt"}), "a redirect to https://www.lab"),
        (Site(policy(), headers={"Content-Type": "text/html"}), "the Content-Type is text/html, not text/plain"),
        (Site(policy() + b"#" * MAX_BYTES), "too long"),
        (Site(), "it is not valid"),
    ],
    ids=["404", "redirect", "content type", "too big", "empty"],
)
def test_sites_that_senders_get_no_policy_from(probed: Any, site: Site, why: str) -> None:
    report = probed(site)

    assert {"mta-sts.no-usable-policy": "warning"} == told(report)
    assert why in message(report)
    assert 1 == len(site.requests)


@pytest.mark.parametrize(
    ("web", "why"),
    [
        ("expired", "certificate has expired"),
        ("self-signed", "self-signed certificate"),
        ("wrong-name", f"the certificate is not for {WEB}"),
        ("untrusted", "unable to get local issuer certificate"),
    ],
)
def test_a_policy_host_needs_a_certificate_that_holds(probed: Any, web: str, why: str) -> None:
    site = Site(policy())
    report = probed(site, web=web)

    assert {"mta-sts.no-usable-policy": "warning"} == told(report)
    assert why in message(report)
    assert [] == site.requests


@pytest.fixture(scope="module")
def whole(postfix: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The domain in signed zones, its policy on port 443; yields the resolver."""
    records = f"""
@ MX 10 mx
mx A {postfix.address}
mta-sts A {postfix.address}
_mta-sts TXT "v=STSv1; id=20260831"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{DOMAIN}"
"""
    pki = postfix.ca_file.parent
    with (
        validating({DOMAIN: Apex(records)}, tmp_path_factory.mktemp("whole")) as resolver,
        https_site(Site(policy()), pki, "wildcard", address=postfix.address, port=443),
    ):
        yield resolver


def test_the_command_line_with_nothing_in_between(postfix: MailServer, whole: str) -> None:
    def smtpdoc(*arguments: str) -> Any:
        """Run the command with the lab's root as one of the system's."""
        ran = subprocess.run(
            [sys.executable, "-m", "smtpdoc", *arguments, "--nameserver", whole, "--json"],
            env={**os.environ, "SSL_CERT_FILE": str(postfix.ca_file)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return json.loads(ran.stdout)

    probe = smtpdoc("probe", "--mx", f"{DOMAIN}:{postfix.certificate_port('good')}", "--mta-sts", "--no-identity")
    checked = smtpdoc("auth-check", DOMAIN, "--only", "mta-sts", "--only", "dnssec", "--only", "tls-rpt")

    assert ["mta-sts.host-passes"] == [one["id"] for one in probe["findings"] if one["topic"] == "mta-sts"]
    assert "enforce" == checked["evidence"]["mta_sts"]["policy"]["mode"]
    assert ([], "signed") == (checked["findings"], checked["evidence"]["dnssec"]["state"])
