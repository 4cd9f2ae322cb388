"""smtpdoc auth-check."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from smtpdoc.cli.answers import Answers
from smtpdoc.cli.options import network_options, option, output_options
from smtpdoc.cli.output import OutputOptions
from smtpdoc.cli.progress import Progress
from smtpdoc.errors import TargetError
from smtpdoc.report import Report

TIMEOUT_S = 30.0
#: As api/topics.py has them, which is not imported just to print the help.
TOPICS = "mx, spf, dkim, dmarc, ptr, mta-sts, tls-rpt, tlsa, dnssec, bimi, dnsbl"
#: More than any list of one owner's domains; a stream that never ends is a mistake.
MAX_DOMAINS = 1_000_000


@click.command("auth-check")
@click.argument("domains", nargs=-1, metavar="DOMAIN...")
@option("--selector", "selectors", multiple=True, metavar="NAME", help="A DKIM selector to look at (repeat).")
@option(
    "--ip",
    "ips",
    multiple=True,
    metavar="IP",
    help="A sending address: evaluate SPF for it and check its PTR (repeat).",
)
@option("--mail-from", metavar="ADDR", help="The envelope sender for --ip. Default: postmaster@DOMAIN.")
@option("--helo", metavar="NAME", help="The HELO name for --ip. Default: DOMAIN.")
@option("--only", multiple=True, metavar="TOPIC", help=f"Check only some topics (repeat): {TOPICS}.")
@option("--skip", multiple=True, metavar="TOPIC", help="Leave out a topic (repeat).")
@option(
    "--dnsbl",
    is_flag=True,
    help="Also ask DNS block lists about the domain, its MX addresses and those of --ip.",
)
@option("--offline", is_flag=True, help="Ask nobody: only the file of --zone counts.")
@option("--from-file", metavar="FILE|-", help="Read domains from a file or stdin, one a line; # begins a comment.")
@network_options(timeout_s=TIMEOUT_S)
@output_options
def command(
    domains: tuple[str, ...],
    selectors: tuple[str, ...],
    ips: tuple[str, ...],
    mail_from: str | None,
    helo: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    dnsbl: bool,
    offline: bool,
    from_file: str | None,
    timeout: float,
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    **shared: Any,
) -> int:
    """Check what a domain publishes for mail: MX, SPF, DKIM, DMARC, PTR, TLS and BIMI.

    \b
      smtpdoc auth-check example.com
      smtpdoc auth-check example.com --ip 192.0.2.1 --selector s1
      smtpdoc auth-check example.com --zone db.example.com     before you publish
      smtpdoc auth-check example.com --ip 192.0.2.1 --dnsbl    block lists too
      smtpdoc auth-check --from-file domains.txt               a row for each, then totals
    """
    options = OutputOptions.read(**shared)
    names = [name for domain in domains for name in (read_list("-") if domain == "-" else [domain])]
    names += read_list(from_file) if from_file else ()
    if not names:
        raise click.UsageError("Which domain? Name one, or a list with --from-file.")
    if offline and zone is None:
        raise click.UsageError("--offline needs --zone FILE: there would be nobody to ask.")
    from smtpdoc.api.runs import check_domains

    many = len(names) > 1 or from_file is not None or "-" in domains
    answers = Answers(options, names, many=many)
    progress = Progress(sys.stderr, answers.waiting_for, wanted=not options.quiet)

    def show(report: Report) -> None:
        progress.clear()
        answers.add(report)

    def refuse(name: str, error: TargetError) -> None:
        progress.clear()
        if not many:
            raise error
        answers.refuse(name, error)

    settings = {
        "selectors": (*selectors, *os.environ.get("SMTPDOC_DKIM_SELECTORS", "").replace(",", " ").split()),
        "ips": ips,
        "mail_from": mail_from,
        "helo": helo,
        "only": only,
        "skip": skip,
        "dnsbl": dnsbl,
        "offline": offline,
        "timeout_s": timeout,
        "fail_on": options.fail_on,
        "ignore": options.ignore,
    }
    try:
        check_domains(
            names,
            settings,
            nameservers=nameservers,
            zone=zone,
            concurrency=concurrency,
            show=show,
            refuse=refuse,
            tick=progress.tick,
            prepare=answers.prepare,
        )
    finally:
        progress.clear()
        code = answers.close()
    return code


def read_list(path: str) -> list[str]:
    """Return the domains of a file or of stdin (-): one a line, comments and blank lines left out."""
    try:
        if path == "-":
            return _domains(sys.stdin)
        with open(path, encoding="utf-8-sig", errors="replace") as lines:
            return _domains(lines)
    except OSError as error:
        raise TargetError(f"cannot read {path!r}: {error.strerror}") from None


def _domains(lines: Iterable[str]) -> list[str]:
    names = []
    for line in lines:
        name = line.partition("#")[0].strip().strip("\ufeff")
        if name:
            names.append(name)
        if len(names) > MAX_DOMAINS:
            raise TargetError(f"expected at most {MAX_DOMAINS} domains in one run")
    return names
