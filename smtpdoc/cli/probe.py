"""smtpdoc probe."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from smtpdoc.cli import head_start
from smtpdoc.cli.catalogs import catalog_option, read_catalog
from smtpdoc.cli.envelope import check_envelope, confirm_sending, envelope_options, read_message
from smtpdoc.cli.help import ProbeCommand
from smtpdoc.cli.looks import look_options
from smtpdoc.cli.options import network_options, option, output_options
from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.cli.probe_screen import ProbeScreen, show_probe
from smtpdoc.cli.transcripts import TranscriptFile, check_repeat, read_transcript, transcript_options
from smtpdoc.target import SMTP_PORT, SUBMISSION_PORT, domain_name, parse_target

if TYPE_CHECKING:
    from smtpdoc.api.catalogs import UserCatalog

TIMEOUT_S = 60.0
TLS_MODES = ("auto", "starttls", "implicit", "optional", "none")
#: As grammar/sasl.py has them, which is not loaded for it.
AUTH_MECHANISMS = (
    *("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-1"),
    *("XOAUTH2", "OAUTHBEARER", "EXTERNAL"),
)
QUIT_STAGES = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt")


def read_address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read an IP address, of IPv6 perhaps with a zone."""
    try:
        return None if value is None else str(ip_address(value.strip("[]")))
    except ValueError:
        raise click.BadParameter(f"expected an IP address, got {value!r}", ctx, param) from None


@click.command("probe", cls=ProbeCommand)
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
@option("--source-ip", callback=read_address, metavar="IP", help="Connect from this address of ours.")
@option(
    "--auth",
    type=click.Choice(AUTH_MECHANISMS, case_sensitive=False),
    metavar="MECH",
    help=f"SASL mechanism: {', '.join(AUTH_MECHANISMS)}. Default: the best one offered.",
)
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
    mechanism = auth.upper() if auth else None
    if mechanism not in (None, "EXTERNAL") and auth_user is None:  # EXTERNAL: whom the certificate names
        raise click.UsageError(f"--auth {mechanism} needs --auth-user NAME.")
    session["family"] = _family(ipv4, ipv6)
    _check_pairs(session, mx=mx)
    parsed = [parse_target(text, SMTP_PORT if mx else SUBMISSION_PORT) for text in targets]
    catalog = read_catalog(catalogs)
    if repeat is not None:
        check_repeat({**session, "mx": mx, "all_addresses": all_addresses})
    check_envelope({**session, "auth_user": auth_user}, parsed, mx=mx, all_addresses=all_addresses)
    path, yes = session.pop("send"), session.pop("yes")
    if path == "-" and "-" in (auth_password_file, auth_token_file):
        raise click.UsageError("stdin has either the message or the secret; read one of them from a file.")
    from smtpdoc.cli.credentials import find_credentials

    credentials = find_credentials(
        auth_user,
        hosts=[target.host for target in parsed],
        password_file=auth_password_file,
        password_command=auth_password_command,
        token_file=auth_token_file,
        needs_secret=mechanism != "EXTERNAL",
    )
    if path is not None:
        session["message"] = message = read_message(path, binary=session["body"] == "binarymime")
        confirm_sending(message, session["recipients"], parsed[0], path=path, yes=yes)
    kept = TranscriptFile(transcript) if transcript is not None else None
    screen = ProbeScreen(options, many=len(parsed) > 1, repeat=repeat, kept=kept)
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
        "watcher": screen.watcher,
        "progress": screen.waiting.tell,
        "early": head_start.claim(),
        "meanwhile": screen.meanwhile,
        "catalog": catalog,
        "fail_on": options.fail_on,
        "ignore": options.ignore,
    }
    from smtpdoc.api.runs import probe_targets

    try:
        probe_targets(
            parsed,
            settings,
            nameservers=nameservers,
            zone=zone,
            concurrency=concurrency,
            show=screen.show,
            refuse=screen.refuse,
            repeat=None if repeat is None else (repeat, repeat_interval, screen.sessions),
        )
    finally:
        code = screen.close()
    return code


def _family(ipv4: bool, ipv6: bool) -> str | None:
    if ipv4 and ipv6:
        raise click.UsageError("-4 and -6 exclude each other.")
    return "ipv4" if ipv4 else "ipv6" if ipv6 else None


def _check_pairs(session: dict[str, Any], *, mx: bool) -> None:
    """Raise UsageError for an option without the one that it needs."""
    if session["mta_sts"] and not mx:
        raise click.UsageError("--mta-sts needs --mx: the policy is that of a domain.")
    if session["client_key"] and not session["client_cert"]:
        raise click.UsageError("--client-key needs --client-cert.")


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


def read_overrides(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Read --resolve HOST:IP; the same host may be given several addresses."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        host, _, ip = text.partition(":")
        try:
            address = str(ip_address(ip.strip("[]")))
        except ValueError:
            words = f"expected HOST:IP, without a port, got {text!r}"
            raise click.BadParameter(words, param_hint="--resolve") from None
        name = domain_name(host)
        found[name] = (*found.get(name, ()), address)
    return found


_OUTPUT_OPTIONS = ("format_", "as_json", "output", "fail_on", "ignore", "color", "quiet", "verbose")
