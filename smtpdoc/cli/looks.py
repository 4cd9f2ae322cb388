"""Options of probe that look at a server from further sides: DNS, TLS versions, connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from smtpdoc.cli.options import option

F = TypeVar("F", bound=Callable[..., Any])


def look_options(command: F) -> F:
    """Add them; they reach the probe by their own names (ProbeOptions)."""
    for decorate in reversed(
        (
            option("--dane", is_flag=True, help="Look up TLSA records, and hold them against the certificate."),
            option(
                "--mta-sts",
                is_flag=True,
                help="With --mx: would senders that follow the domain's MTA-STS policy deliver?",
            ),
            option(
                "--tls-versions",
                is_flag=True,
                help="Try TLS 1.0 to 1.3 one by one: one short connection for each, without a login.",
            ),
            option(
                "--starttls-injection",
                is_flag=True,
                help="Does a command sent together with STARTTLS run under TLS? One more connection.",
            ),
            option(
                "--check-enforcement",
                is_flag=True,
                help="Would MAIL FROM or a login be taken without TLS? One more connection, no credentials.",
            ),
            option(
                "--identity/--no-identity",
                "identity",
                default=None,
                help="Reverse DNS of both sides and the name we give. On port 25 the server's is looked up anyway.",
            ),
        )
    ):
        command = decorate(command)
    return command
