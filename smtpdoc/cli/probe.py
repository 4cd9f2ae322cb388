"""smtpdoc probe."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from smtpdoc.cli import head_start
from smtpdoc.cli.catalogs import catalog_option, read_catalog
from smtpdoc.cli.envelope import check_envelope, confirm_sending, envelope_options, read_message
from smtpdoc.cli.looks import look_options
from smtpdoc.cli.options import network_options, option, output_options
from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.cli.transcripts import SessionsKept, TranscriptFile, check_repeat, read_transcript, transcript_options
from smtpdoc.errors import TargetError
from smtpdoc.report import Report
from smtpdoc.target import SMTP_PORT, SUBMISSION_PORT, domain_name, parse_target

if TYPE_CHECKING:
    from smtpdoc.api.catalogs import UserCatalog
    from smtpdoc.cli.progress import Progress
    from smtpdoc.evidence.smtp import Exchange, Line, Transcript
    from smtpdoc.render.text import Page
    from smtpdoc.render.text_probe import TranscriptView

TIMEOUT_S = 60.0
#: More targets than this are not set side by side at the end.
TABLE_ROWS = 50
TLS_MODES = ("auto", "starttls", "implicit", "optional", "none")
QUIT_STAGES = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt")


@click.command("probe")
@click.argument("targets", nargs=-1, metavar="TARGET...")
@option(
    "--tls",
    type=click.Choice(TLS_MODES),
    default="auto",
    show_default=True,
    help="auto: as the port and server want it; starttls: required; optional: use it if offered.",
)
@option("--helo", metavar="NAME", help="The name to give in EHLO.")
@option("--from", "mail_from", metavar="ADDR", help="Envelope sender; <> is the null reverse-path.")
@option(
    "--to",
    "recipients",
    multiple=True,
    metavar="ADDR",
    help="Try this recipient, up to RCPT TO (repeat). No message is sent without --send.",
)
@option("-4", "--ipv4", "ipv4", is_flag=True, help="IPv4 only.")
@option("-6", "--ipv6", "ipv6", is_flag=True, help="IPv6 only.")
@option("--source-ip", metavar="IP", help="Connect from this address of ours.")
@option("--auth", metavar="MECH", help="SASL mechanism. Default: the best one offered.")
@option(
    "--auth-user",
    metavar="NAME",
    help="Log in as NAME. The password comes from a file, a command, SMTPDOC_AUTH_PASSWORD, netrc or a prompt.",
)
@option("--auth-password-file", metavar="FILE|-", help="Read the password from the first line of FILE.")
@option("--auth-password-command", metavar="CMD", help="Read the password from the first line that CMD prints.")
@option("--auth-token-file", metavar="FILE|-", help="Read an OAuth access token from the first line of FILE.")
@option(
    "--allow-cleartext-auth", is_flag=True, help="Log in even without TLS or over a certificate that does not verify."
)
@option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Trust the certificates in this PEM file instead of the system's.",
)
@option("--client-cert", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="Our certificate, PEM.")
@option("--client-key", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="Its key, PEM.")
@option("--server-name", metavar="NAME", help="The name to ask for in TLS (SNI) and to verify. Default: the host.")
@option(
    "--quit-after",
    type=click.Choice(QUIT_STAGES),
    help="Say QUIT after this stage; starttls includes the EHLO after it.",
)
@option("--mx", is_flag=True, help="TARGET is a domain: probe its MX hosts, on port 25.")
@option("--all-addresses", is_flag=True, help="Probe each address of the host.")
@option("--resolve", "overrides", multiple=True, metavar="HOST:IP", help="Use this address for a host (repeat).")
@option(
    "--cert-days",
    type=click.IntRange(0, 3650),
    default=14,
    show_default=True,
    metavar="N",
    help="Warn when the certificate ends within N days.",
)
@envelope_options
@transcript_options
@catalog_option
@look_options
@network_options(timeout_s=TIMEOUT_S)
@output_options
def command(
    targets: tuple[str, ...],
    auth_user: str | None,
    auth_password_file: str | None,
    auth_password_command: str | None,
    auth_token_file: str | None,
    auth: str | None,
    ipv4: bool,
    ipv6: bool,
    mx: bool,
    all_addresses: bool,
    overrides: tuple[str, ...],
    catalogs: tuple[str, ...],
    timeout: float,
    nameservers: tuple[str, ...],
    zone: str | None,
    concurrency: int,
    transcript: str | None,
    replay: str | None,
    repeat: int | None,
    repeat_interval: float,
    **session: Any,
) -> int:
    """Talk to a mail server and explain every reply where it stands.

    TARGET is host, host:port, [v6]:port, smtp://, submission:// or smtps://. Without a port: 587, with --mx 25.

    \b
      smtpdoc probe mail.example.net
      smtpdoc probe mail.example.net:587 --auth-user alice --to bob@example.net
      smtpdoc probe --mx example.net --to bob@example.net
    """
    options = OutputOptions.read(**{name: session.pop(name) for name in _OUTPUT_OPTIONS})
    if replay is not None:
        if targets:
            raise click.UsageError("--replay reads a file and talks to nobody; leave out the TARGET.")
        return _replay(replay, options, read_catalog(catalogs), cert_days=session["cert_days"])
    if not targets:
        raise click.UsageError("Which server? Name one, such as mail.example.net:587, or a domain with --mx.")
    if ipv4 and ipv6:
        raise click.UsageError("-4 and -6 exclude each other.")
    if session["mta_sts"] and not mx:
        raise click.UsageError("--mta-sts needs --mx: the policy is that of a domain.")
    if session["client_key"] and not session["client_cert"]:
        raise click.UsageError("--client-key needs --client-cert.")
    session["family"] = "ipv4" if ipv4 else "ipv6" if ipv6 else None
    parsed = [parse_target(text, SMTP_PORT if mx else SUBMISSION_PORT) for text in targets]

    catalog = read_catalog(catalogs)
    from smtpdoc.cli.credentials import find_credentials

    if repeat is not None:
        check_repeat({**session, "mx": mx, "all_addresses": all_addresses})
    check_envelope({**session, "auth_user": auth_user}, parsed, mx=mx, all_addresses=all_addresses)
    path, yes = session.pop("send"), session.pop("yes")
    if path == "-" and "-" in (auth_password_file, auth_token_file):
        raise click.UsageError("stdin has either the message or the secret; read one of them from a file.")
    mechanism = auth.upper() if auth else None
    if mechanism is not None and auth_user is None:
        raise click.UsageError(f"--auth {mechanism} needs --auth-user NAME.")
    credentials = find_credentials(
        auth_user,
        host=parsed[0].host,
        password_file=auth_password_file,
        password_command=auth_password_command,
        token_file=auth_token_file,
        needs_secret=mechanism != "EXTERNAL",
    )
    if path is not None:
        session["message"] = message = read_message(path)
        confirm_sending(message, session["recipients"], parsed[0], path=path, yes=yes)
    many = len(parsed) > 1
    kept = TranscriptFile(transcript) if transcript is not None else None
    output = Output(options, many=many)
    waiting = Waiting(wanted=not options.quiet)
    view = TranscriptOutput(output, waiting) if output.is_text and not many and not options.quiet else None
    sessions = SessionsKept(kept, repeat, wanted=not options.quiet)
    if repeat is not None:
        view = None

    def show(report: Report) -> None:
        waiting.clear()
        sessions.clear()
        if repeat is None:
            sessions(report)
        if view is not None:
            view.finish()
        output.add(report, lambda page: show_probe(page, report, live=view is not None and view.begun))
        if output.is_text and many and isinstance(report.evidence, ProbeEvidence) and len(beside) <= TABLE_ROWS:
            beside.extend(report.evidence.standing)

    from smtpdoc.evidence.probe import ProbeEvidence

    beside: list[Transcript] = []

    def refuse(name: str, error: TargetError) -> None:
        if not many:
            raise error
        output.refuse(name, error)

    from smtpdoc.api.runs import probe_targets

    settings = {
        **session,
        "auth_user": credentials.user,
        "secret": credentials.secret,
        "token": credentials.is_token,
        "auth_mechanism": mechanism,
        "timeout_s": timeout,
        "mx": mx,
        "all_addresses": all_addresses,
        "resolve": read_overrides(overrides),
        "watcher": view,
        "progress": waiting.tell,
        "early": head_start.claim(),
        "meanwhile": load_text if output.is_text else load_json,
        "catalog": catalog,
        "fail_on": options.fail_on,
        "ignore": options.ignore,
    }
    try:
        probe_targets(
            parsed,
            settings,
            nameservers=nameservers,
            zone=zone,
            concurrency=concurrency,
            show=show,
            refuse=refuse,
            repeat=None if repeat is None else (repeat, repeat_interval, sessions),
        )
    finally:
        if kept is not None:
            kept.close()
        if 1 < len(beside) <= TABLE_ROWS and not options.quiet:
            from smtpdoc.render.text_parity import render_parity

            output.page.blank()
            render_parity(output.page, beside)
        code = output.close()
    return code


def _replay(path: str, options: OutputOptions, catalog: UserCatalog | None, *, cert_days: int) -> int:
    """Explain a session that was kept, as if it happened now."""
    from smtpdoc.api.replay import replay

    data = read_transcript(path)
    output = Output(options, many=False)
    try:
        report = replay(
            data,
            name=path,
            catalog=catalog,
            fail_on=options.fail_on,
            ignore=options.ignore,
            cert_days=cert_days,
        )
        output.add(report, lambda page: show_probe(page, report, live=False))
    finally:
        code = output.close()
    return code


def load_text() -> None:
    """Load what prints a session, while the server is busy."""
    from smtpdoc.render import text_probe  # noqa: F401 - for `show_probe`


def load_json() -> None:
    """Load what writes a session as JSON, while the server is busy."""
    from smtpdoc.render import json_probe, json_v1  # noqa: F401 - for `Output`


class Waiting:
    """Says on stderr, on a terminal only, how long a wait for greylisting still is."""

    def __init__(self, *, wanted: bool) -> None:
        self._left_s = 0.0
        self._progress: Progress | None = None
        self._wanted = wanted

    def tell(self, left_s: float) -> None:
        if self._progress is None:
            from smtpdoc.cli.progress import Progress

            self._progress = Progress(sys.stderr, self._words, wanted=self._wanted, timed=False)
        self._left_s = left_s
        self._progress.tick()

    def _words(self) -> str:
        return f"greylisted, trying again in {self._left_s:.0f} s (Ctrl-C ends with what is known)"

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()


class TranscriptOutput:
    """A Watcher that prints the only session of a run while it happens."""

    def __init__(self, output: Output, waiting: Waiting) -> None:
        self._output = output
        self._waiting = waiting
        self._view: TranscriptView | None = None

    @property
    def begun(self) -> bool:
        return self._view is not None

    def _begin(self) -> TranscriptView:
        self._waiting.clear()
        if self._view is None:
            from smtpdoc.render.text_probe import TranscriptView

            self._view = TranscriptView(self._output.page)
        return self._view

    def line(self, line: Line) -> None:
        self._begin().line(line)

    def exchange(self, exchange: Exchange) -> None:
        self._begin().exchange(exchange)

    def finish(self) -> None:
        if self._view is not None:
            self._view.finish()


def show_probe(page: Page, report: Report, *, live: bool) -> None:
    """Print a report; the transcript too, unless it was shown while it happened."""
    from smtpdoc.evidence.probe import ProbeEvidence
    from smtpdoc.evidence.smtp import StageStatus
    from smtpdoc.render.text_probe import render_transcript, render_verdict

    if not isinstance(report.evidence, ProbeEvidence):
        return
    if not live and not page.quiet:
        sessions = report.evidence.sessions
        repeated = report.evidence.timings is not None
        for session in sessions:
            if repeated and not page.verbose and session.outcome is StageStatus.OK:
                continue  # the numbers are what was asked for
            # Of several sessions only those are shown whole in which something went wrong; the table has the others.
            if len(sessions) == 1 or page.verbose or session.outcome is not StageStatus.OK:
                render_transcript(page, session)
                page.blank()
    elif live:
        page.blank()
    render_verdict(page, report, report.evidence)


def read_overrides(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Read --resolve HOST:IP; the same host may be given several addresses."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        host, _, ip = text.partition(":")
        try:
            address = str(ip_address(ip.strip("[]")))
        except ValueError:
            raise click.BadParameter(f"expected HOST:IP, got {text!r}", param_hint="--resolve") from None
        name = domain_name(host)
        found[name] = (*found.get(name, ()), address)
    return found


_OUTPUT_OPTIONS = ("format_", "as_json", "output", "fail_on", "ignore", "color", "quiet", "verbose")
