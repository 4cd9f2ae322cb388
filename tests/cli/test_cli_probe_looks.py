"""Further looks of smtpdoc probe, as a user asks for them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.command import Ran, Smtpdoc

from smtpdoc.demo import DemoServer


@pytest.fixture
def place(demo_server: DemoServer) -> tuple[str, ...]:
    """The arguments that name the embedded server and its certificate authority."""
    here = f"{demo_server.host}:{demo_server.address}"
    return (
        *(f"{demo_server.host}:{demo_server.port}", "--resolve", here, "--ca-file", str(demo_server.ca_file)),
        *("--cert-days", "0", "--helo", "client.example.com"),
    )


@pytest.fixture
def zone(demo_server: DemoServer, tmp_path: Path) -> str:
    path = tmp_path / "test.zone"
    path.write_text(
        f"1.0.0.127.in-addr.arpa. PTR {demo_server.host}.\n"
        f"{demo_server.host}. A {demo_server.address}\n"
        "client.example.com. A 203.0.113.7\nclient.example.com. AAAA 2001:db8::7\n"
        f"_{demo_server.port}._tcp.{demo_server.host}. TLSA 3 1 1 {'00' * 32}\n"
    )
    return str(path)


def schema_errors(report: Any) -> list[str]:
    schema = json.loads(files("smtpdoc").joinpath("schema_v1.json").read_text(encoding="utf-8"))
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(report)]


def session_of(ran: Ran) -> Any:
    (session,) = ran.json["evidence"]["sessions"]
    return session


def finding_ids(ran: Ran) -> set[str]:
    return {finding["id"] for finding in ran.json["findings"]}


def test_all_looks_at_once_keep_the_schema(smtpdoc: Smtpdoc, place: tuple[str, ...], zone: str) -> None:
    ran = smtpdoc(
        *("probe", *place, "--zone", zone, "--tls-versions", "--starttls-injection", "--check-enforcement"),
        *("--identity", "--dane", "--json"),
    )
    session = session_of(ran)

    assert [] == schema_errors(ran.json)
    assert ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] == [one["version"] for one in session["tls_versions"]]
    assert session["starttls_injection"]["verdict"] in ("executed", "discarded", "refused", "answered-in-clear")
    assert 250 == session["enforcement"]["mail"]["code"]  # the embedded server refuses at RCPT only
    assert session["identity"]["server"]["forward_confirmed"] is True
    assert ["203.0.113.7", "2001:db8::7"] == session["identity"]["helo_addresses"]
    assert "mismatch" == session["dane"]["status"] == session["tls"]["dane"]["status"]
    assert "dane.mismatch" in finding_ids(ran)


def test_without_them_their_keys_are_null(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, "--json")
    session = session_of(ran)
    keys = ("tls_versions", "starttls_injection", "enforcement", "identity", "dane", "mta_sts")

    assert [None] * len(keys) == [session[key] for key in keys]
    assert ran.json["evidence"]["parity"] is ran.json["evidence"]["mta_sts"] is None


def test_answers_that_were_asked_for_are_shown_also_when_all_is_well(
    smtpdoc: Smtpdoc, place: tuple[str, ...], zone: str
) -> None:
    ran = smtpdoc("probe", *place, "--zone", zone, "--tls-versions", "--check-enforcement", "--identity", "--dane")

    assert "versions    " in ran.out
    assert "✔ TLS 1.3  " in ran.out
    assert "=== another connection, with TLS 1.2 only" in ran.out
    assert "in clear    ▲ MAIL FROM: 250" in ran.out
    assert "identity    server 127.0.0.1 is mail.example.net, confirmed" in ran.out
    assert "DANE        _" in ran.out
    assert max(len(line) for line in ran.out.splitlines() if "IN TLSA" not in line) <= 80


def test_no_identity_switches_names_off(smtpdoc: Smtpdoc, place: tuple[str, ...], zone: str) -> None:
    assert session_of(smtpdoc("probe", *place, "--zone", zone, "--no-identity", "--json"))["identity"] is None


def test_looks_have_environment_variables(
    smtpdoc: Smtpdoc, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPDOC_TLS_VERSIONS", "1")

    assert session_of(smtpdoc("probe", *place, "--json"))["tls_versions"]


def test_a_policy_is_asked_for_of_a_domain_only(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    ran = smtpdoc("probe", *place, "--mta-sts")

    assert 2 == ran.code
    assert "--mta-sts needs --mx" in ran.err


def test_a_domain_without_a_policy(smtpdoc: Smtpdoc, demo_server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "mx.zone"
    path.write_text(
        f"example.net. MX 10 {demo_server.host}.\n{demo_server.host}. A 127.0.0.1\n"
        '_mta-sts.example.net. TXT "none"\nmta-sts.example.net. TXT "none"\n'
    )
    ran = smtpdoc(
        *("probe", f"example.net:{demo_server.port}", "--mx", "--zone", str(path), "--mta-sts", "--json"),
        *("--ca-file", str(demo_server.ca_file)),
    )

    assert [] == schema_errors(ran.json)
    assert "mta-sts.no-usable-policy" in finding_ids(ran)
    assert {"domain": "example.net", "id": None, "mode": None, "mx": None, "problem": None} == ran.json["evidence"][
        "mta_sts"
    ]


@pytest.fixture
def plain_server(demo_server: DemoServer) -> Iterator[None]:
    """A server without STARTTLS on the same port of another address."""
    listener = socket.create_server(("127.0.0.2", demo_server.port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 backup.example.net ESMTP\r\n")
                for line in lines:
                    quit_ = line.upper().startswith(b"QUIT")
                    connection.sendall(b"221 bye\r\n" if quit_ else b"250 backup.example.net\r\n")
                    if quit_:
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    listener.shutdown(socket.SHUT_RDWR)  # or accept() would keep the port
    listener.close()
    thread.join(timeout=5)


@pytest.mark.usefixtures("plain_server")
def test_addresses_stand_in_a_table_and_what_differs_is_marked(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    host = place[0].partition(":")[0]
    both = ("--all-addresses", "--resolve", f"{host}:127.0.0.2", "--tls", "optional")
    ran = smtpdoc("probe", *place, *both)
    rows = [line for line in ran.out.splitlines() if line.startswith(("✔ 127.0.0.", "✖ 127.0.0."))]

    assert 2 == len(rows)
    assert "TLS 1.3" in rows[0]
    assert "trusted" in rows[0]
    assert "none*" in rows[1]
    assert "* unlike most others" in ran.out
    assert "▲ smtp.hosts-differ" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "-> EHLO" not in ran.out  # all went well: the table has what one wants to know


@pytest.mark.usefixtures("plain_server")
def test_what_differs_between_addresses_is_in_the_json(smtpdoc: Smtpdoc, place: tuple[str, ...]) -> None:
    host = place[0].partition(":")[0]
    ran = smtpdoc("probe", *place, "--all-addresses", "--resolve", f"{host}:127.0.0.2", "--tls", "optional", "--json")
    parity = {one["what"]: one["values"] for one in ran.json["evidence"]["parity"]}

    assert [] == schema_errors(ran.json)
    assert [{"value": "TLSv1.3", "sessions": [0]}, {"value": "not offered", "sessions": [1]}] == parity["tls"]


def test_several_targets_end_with_a_table(smtpdoc: Smtpdoc, place: tuple[str, ...], demo_server: DemoServer) -> None:
    ran = smtpdoc("probe", *place, "127.0.0.1:9")
    table = ran.out[ran.out.rindex("outcome") :]

    assert f"✔ {demo_server.host}:{demo_server.port}" in table
    assert "? 127.0.0.1:9" in table
    assert "failed at connect*" in table
    assert 3 == ran.code
