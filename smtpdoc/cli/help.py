"""Help for a command with many options: in groups, the ones most asked for first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import click

#: Long names in the order in which they are told; `test_cli_help` holds that each option of probe has its place.
PROBE_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Where to": (
            "--mx",
            "--all-addresses",
            "--ipv4",
            "--ipv6",
            "--resolve",
            "--source-ip",
            "--nameserver",
            "--zone",
            "--timeout",
            "--concurrency",
        ),
        "Envelope": (
            "--to",
            "--from",
            "--helo",
            "--quit-after",
            "--catch-all",
            "--greylist-wait",
            "--relay-test",
            "--relay-to",
            "--vrfy",
            "--expn",
            "--size",
            "--body",
            "--dsn-notify",
            "--dsn-ret",
            "--dsn-envid",
            "--dsn-orcpt",
            "--require-tls",
            "--send",
            "--yes",
        ),
        "Login": (
            "--auth-user",
            "--auth",
            "--auth-password-file",
            "--auth-password-command",
            "--auth-token-file",
            "--allow-cleartext-auth",
        ),
        "TLS": (
            "--tls",
            "--ca-file",
            "--server-name",
            "--client-cert",
            "--client-key",
            "--cert-days",
        ),
        "A closer look": (
            "--identity",
            "--tls-versions",
            "--starttls-injection",
            "--check-enforcement",
            "--dane",
            "--mta-sts",
        ),
        "Keep and repeat": ("--transcript", "--replay", "--repeat", "--repeat-interval"),
        "Output": (
            "--format",
            "--json",
            "--output",
            "--fail-on",
            "--ignore",
            "--catalog",
            "--color",
            "--quiet",
            "--verbose",
            "--help",
        ),
    }
)
_NAMES_WIDTH = 26


class ProbeCommand(click.Command):
    """`probe`, whose options stand in PROBE_GROUPS."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options group by group."""
        known = {name: param for param in self.get_params(ctx) for name in param.opts}
        for title, names in PROBE_GROUPS.items():
            records = (known[name].get_help_record(ctx) for name in names if name in known)
            with formatter.section(title):
                formatter.write_dl([record for record in records if record is not None], col_max=_NAMES_WIDTH)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write what holds for all options, and what a script wants to know."""
        formatter.write_paragraph()
        formatter.write_text("Each option has an environment variable, such as SMTPDOC_TIMEOUT for --timeout.")
        formatter.write_text(
            "Exit codes: 0 nothing to mend, 1 findings, 2 usage, 3 no verdict, 70 a bug in smtpdoc, 130 interrupted."
        )
