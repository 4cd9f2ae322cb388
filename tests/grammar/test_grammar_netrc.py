"""Entries of .netrc, in the ways in which people write them."""

from __future__ import annotations

import pytest

from smtpdoc.grammar.netrc import find_password

HOST = "mx.example.net"


@pytest.mark.parametrize(
    "text",
    [
        "machine mx.example.net login alice password s3cret",
        "machine mx.example.net\n  login alice\n  password s3cret\n",
        "machine MX.Example.NET login alice password s3cret",
        'machine mx.example.net login "alice" password "s3cret"',
        "machine mx.example.net password s3cret login alice",
        "machine mx.example.net login alice account mail password s3cret",
        "machine mx.example.net user alice password s3cret",
        "machine mx.example.net port 587 login alice password s3cret",
        "machine mx.example.net password s3cret",
        "# mail\nmachine mx.example.net # the server\nlogin alice password s3cret # no comment",
        "machine other.example login alice password no\nmachine mx.example.net login alice password s3cret",
        "machine mx.example.net login bob password no\nmachine mx.example.net login alice password s3cret",
        "machine mx.example.net login alice password s3cret\nmachine mx.example.net login bob password no",
        "machine mx.example.net login alice password s3cret\ndefault login alice password no",
        "default login alice password s3cret",
        "default login bob password no\ndefault password s3cret",
        "macdef init\nmachine mx.example.net login alice password no\n\ndefault login alice password s3cret",
        "machine other.example unknown words here\nmachine mx.example.net login alice password s3cret",
        "nonsense\nmachine mx.example.net login alice password s3cret",
    ],
)
def test_the_password_of_a_user_on_a_host_is_found(text: str) -> None:
    assert "s3cret" == find_password(text, HOST, "alice")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "machine mx.example.net login bob password s3cret",
        "machine mx.example.net.evil.example login alice password s3cret",
        "machine mx.example.net login alice",
        'machine mx.example.net login alice password ""',
        "default login bob password s3cret",
        "machine",
        "password s3cret",
        "# machine mx.example.net login alice password s3cret",
    ],
)
def test_another_users_password_is_none(text: str) -> None:
    assert find_password(text, HOST, "alice") is None


@pytest.mark.parametrize(
    ("written", "password"),
    [("#s3cret", "#s3cret"), ("password", "password"), ('"s3 \\"cret\\\\"', 's3 "cret\\'), ("s3#cret", "s3#cret")],
)
def test_a_password_may_look_like_anything(written: str, password: str) -> None:
    text = f"machine {HOST} login alice password {written}\nmachine other.example login x password y"

    assert password == find_password(text, HOST, "alice")
