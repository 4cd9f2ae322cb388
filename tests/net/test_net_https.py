"""Policy files over HTTPS, from servers on loopback that do what they should not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.hostile import CLOSE, RESET, TLS, Chopped, Flood, HostileServer, Pause, Read, Step, hostile_server
from support.pki import server_context, write_shelf
from support.zone import Zone

from smtpdoc.evidence.dns import LookupStatus
from smtpdoc.evidence.transport import PolicyFile
from smtpdoc.net.https import MAX_POLICY_BYTES, HttpsPolicies

HOST = "mta-sts.example.com"
URL = f"https://{HOST}/.well-known/mta-sts.txt"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
GOOD = PLAIN + b"Content-Length: %d\r\n\r\n" % len(POLICY) + POLICY
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n4\r\nvers\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(POLICY) - 4, POLICY[4:])
REQUEST = Read(7)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    write_shelf(directory, HOST, "127.0.0.1")
    return directory


def fetch(
    pki: Path,
    *script: Step,
    certificate: str = "good",
    zone: Zone | None = None,
    timeout_s: float = 5.0,
    deadline_s: float | None = None,
) -> tuple[PolicyFile, HostileServer]:
    """Fetch the policy from a server that shakes hands, takes the request and then does what the script says."""
    context = server_context(pki, certificate)
    resolver = zone if zone is not None else Zone({f"{HOST} A": "127.0.0.1"})

    async def run() -> tuple[PolicyFile, HostileServer]:
        steps: Sequence[Step] = script if script[0] == RESET else (TLS, REQUEST, *script)
        deadline = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
        async with hostile_server(steps, context) as server:
            policies = HttpsPolicies(
                resolver, timeout_s=timeout_s, deadline=deadline, port=server.port, ca_file=str(pki / "ca.pem")
            )
            return await policies.fetch_policy(URL), server

    return asyncio.run(run())


def problem(pki: Path, *script: Step, certificate: str = "good") -> str:
    """Fetch a policy that must not be taken, and return why not."""
    file, _ = fetch(pki, *script, certificate=certificate)

    assert file.policy is None
    assert file.answered
    return file.problem or ""


def test_a_policy_is_fetched(pki: Path) -> None:
    file, server = fetch(pki, GOOD)

    assert file.policy is not None
    assert (True, "enforce", None, POLICY.decode()) == (file.policy.valid, file.policy.mode, file.problem, file.text)
    assert server.secure[0] == "GET /.well-known/mta-sts.txt HTTP/1.1"
    assert f"Host: {HOST}" in server.secure


@pytest.mark.parametrize(
    "script",
    [
        [Chopped(GOOD)],
        [PLAIN + b"\r\n" + POLICY, CLOSE],
        [PLAIN + CHUNKED],
        [b"HTTP/1.0 200 OK\r\nContent-Type: TEXT/PLAIN\r\n\r\n" + POLICY, CLOSE],
        [GOOD, Pause(30)],
    ],
    ids=["byte by byte", "until the end", "chunked", "HTTP/1.0", "connection left open"],
)
def test_ways_to_send_it(pki: Path, script: list[Step]) -> None:
    file, _ = fetch(pki, *script)

    assert file.policy is not None
    assert file.policy.valid


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "the answer has no Content-Type, text/plain is needed"),
        (GOOD.replace(b"text/plain", b"text/html"), "the Content-Type is text/html; charset=utf-8, not text/plain"),
        (GOOD.replace(b"OK", b"OK\r\nContent-Encoding: gzip"), "the file is sent compressed (gzip)"),
        (PLAIN + b"Content-Length: 2\r\n\r\n\xff\xfe", "the file is no UTF-8 text"),
    ],
)
def test_answers_that_senders_do_not_take(pki: Path, answer: bytes, expected: str) -> None:
    assert problem(pki, answer).startswith(expected)


def test_a_redirect_is_not_followed(pki: Path) -> None:
    """RFC 8461 section 3.3: HTTP 3xx redirects MUST NOT be followed."""
    target = f"https://www.example.com{URL.partition(HOST)[2]}"
    file, server = fetch(pki, f"HTTP/1.1 301 Moved\r\nLocation: {target}\r\n\r\n".encode())

    assert (None, target) == (file.policy, file.location)
    assert f"status 301, a redirect to {target}, which senders do not follow" == file.problem
    assert 1 == server.sessions


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([PLAIN + b"\r\n", Flood(b"x" * 4096)], "too long: expected a body of at most 65536"),
        ([PLAIN + b"X: ", Flood(b"x" * 4096)], "too long: expected a head of at most 16384"),
        ([PLAIN + b"Content-Length: %d\r\n\r\n" % (MAX_POLICY_BYTES + 1)], "too long: expected a body"),
        ([b"I am a teapot\r\n"], 'expected an HTTP status line, got "I am a teapot"'),
        ([b"\x1b[31mred\r\n"], r'got "\x1b[31mred"'),
        ([PLAIN + b"Content-Length: 9\r\n\r\nhi", CLOSE], "closed the connection before"),
        ([CLOSE], "closed the connection before"),
    ],
    ids=["endless body", "endless head", "too long", "no HTTP", "escape sequences", "cut short", "nothing"],
)
def test_hostile_answers_end_soon_and_in_words(pki: Path, script: list[Step], expected: str) -> None:
    assert expected in problem(pki, *script)


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        ("wrong-name", f"the certificate is not for {HOST}"),
        ("expired", "certificate has expired"),
        ("self-signed", "self-signed certificate"),
        ("untrusted", "unable to get local issuer certificate"),
    ],
)
def test_the_certificate_has_to_be_valid_for_the_policy_host(pki: Path, certificate: str, expected: str) -> None:
    reason = problem(pki, GOOD, certificate=certificate)

    assert reason.startswith("the certificate is not ")
    assert expected.lower() in reason.lower()


def test_a_wildcard_certificate_will_do(pki: Path) -> None:
    assert fetch(pki, GOOD, certificate="wildcard")[0].policy is not None


def test_a_server_that_drips_is_left_and_nothing_is_claimed(pki: Path) -> None:
    slow = [step for octet in GOOD for step in (bytes([octet]), Pause(0.05))]
    file, _ = fetch(pki, *slow, timeout_s=0.4)

    assert (None, False) == (file.policy, file.answered)
    assert "no whole answer within 0.4 s" == file.problem


def test_the_target_s_own_time_ends_it_too(pki: Path) -> None:
    file, _ = fetch(pki, Pause(30), timeout_s=20, deadline_s=0.3)

    assert not file.answered


def test_a_reset_is_told(pki: Path) -> None:
    assert "127.0.0.1" in problem(pki, RESET)


def test_the_next_address_is_tried(pki: Path) -> None:
    zone = Zone({f"{HOST} A": ["127.0.0.99", "127.0.0.1"]})

    assert fetch(pki, GOOD, zone=zone)[0].policy is not None


def test_a_closed_port_is_an_answer() -> None:
    file = asyncio.run(HttpsPolicies(Zone({f"{HOST} A": "127.0.0.1"}), port=9).fetch_policy(URL))

    assert ("127.0.0.1:9 refuses connections", True) == (file.problem, file.answered)


@pytest.mark.parametrize(("answer", "answered"), [(LookupStatus.NXDOMAIN, True), (LookupStatus.TIMEOUT, False)])
def test_only_our_resolver_is_asked_for_the_address(answer: LookupStatus, answered: bool) -> None:
    zone = Zone({f"{HOST} A": answer, f"{HOST} AAAA": answer})
    file = asyncio.run(HttpsPolicies(zone).fetch_policy(URL))

    assert [(HOST, "A"), (HOST, "AAAA")] == zone.asked
    assert (None, answered) == (file.policy, file.answered)
