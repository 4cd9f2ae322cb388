"""smtpdoc explain."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import click

from smtpdoc.cli.catalogs import catalog_option, read_catalog
from smtpdoc.cli.explain_screen import show_explanation
from smtpdoc.cli.options import option, output_options
from smtpdoc.cli.output import Output, OutputOptions

if TYPE_CHECKING:
    from io import BufferedIOBase

    from smtpdoc.api.catalogs import UserCatalog


#: As evidence/smtp.py has them, which is not imported for it.
STAGES = (
    *("connect", "greeting", "ehlo", "starttls", "tls", "ehlo-tls"),
    *("auth", "vrfy", "expn", "mail", "rcpt", "data", "message", "rset", "quit"),
)


@click.command("explain")
@click.argument("words", nargs=-1, metavar="WORDS...")
@option("--provider", metavar="NAME", help="Whose reply it is (gmail, postfix, ...), when the text does not tell.")
@option("--stage", type=click.Choice(STAGES), metavar="NAME", help=f"What it answered: {', '.join(STAGES)}.")
@option("--list", "list_", is_flag=True, help="List the catalog; narrow it with --provider, --reason, --code.")
@option("--reason", metavar="NAME", help="With --list: only entries with this reason.")
@option("--code", metavar="CODE", help="With --list: only entries with this reply code or enhanced code.")
@catalog_option
@output_options
def command(
    words: tuple[str, ...],
    provider: str | None,
    stage: str | None,
    list_: bool,
    reason: str | None,
    code: str | None,
    catalogs: tuple[str, ...],
    **shared: Any,
) -> int:
    """Explain a reply, a code, a reason, a provider or a finding id.

    Paste the reply as it stands in the log or the bounce; `-` reads one reply per line from stdin and answers each in
    order. Exit codes: 0 explained, 2 no reply in it, 3 only its first digit is known; of several lines the worst.

    \b
      smtpdoc explain "550 5.7.26 Unauthenticated email from example.com ..."
      smtpdoc explain 451 4.7.1
      smtpdoc explain spf.too-many-lookups
      grep status=bounced /var/log/mail.log | smtpdoc explain -
    """
    options = OutputOptions.read(**shared)
    if not list_ and (reason is not None or code is not None):
        raise click.UsageError("--reason and --code narrow --list.")
    if list_ and words:
        raise click.UsageError("--list takes no words; narrow it with --provider, --reason or --code.")
    if not list_ and not words:
        raise click.UsageError("What should be explained? Paste a reply, or give - to read replies from stdin.")
    if len(words) == 1 and os.path.isfile(words[0]):
        raise click.UsageError(f"{words[0]!r} is a file. To explain each of its lines: smtpdoc explain - < {words[0]}")
    catalog = read_catalog(catalogs)
    settings = {
        "provider": provider and _provider(provider, catalog),
        "catalog": catalog,
        "fail_on": options.fail_on,
        "ignore": options.ignore,
    }
    if list_:
        return _list(options, reason=reason, code=code, **settings)
    if words == ("-",):
        from smtpdoc.cli.explain_stream import explain_stream

        if sys.stdin.isatty() and not options.quiet:
            click.echo("Paste replies, one per line; Ctrl-D ends.", err=True)
        return explain_stream(options, cast("BufferedIOBase", sys.stdin.buffer), {"stage": stage, **settings})
    return _one(options, " ".join(words), stage=stage, **settings)


def _provider(name: str, catalog: UserCatalog | None) -> str:
    from smtpdoc.api.pages import provider_id  # only when it is asked for: it may read the whole catalog

    return provider_id(name, catalog)


def _one(options: OutputOptions, text: str, **settings: Any) -> int:
    if _is_reply(text):  # then the names of the catalog need not be loaded
        from smtpdoc.api import explain

        report = explain(text, **settings)
    else:
        from smtpdoc.api.pages import look_up

        report = look_up(text, **settings)
    output = Output(options, many=False)
    output.add(report, partial(show_explanation, report))
    return output.close()


def _is_reply(text: str) -> bool:
    """Tell whether words can be nothing but a reply: a reply code and more."""
    return text[:3].isdecimal() and text[3:4] in (" ", "-") and any(char.isalnum() for char in text[4:])


def _list(options: OutputOptions, **settings: Any) -> int:
    from smtpdoc.api.pages import catalog_list

    report = catalog_list(**settings)
    output = Output(options, many=False)
    output.add(report, partial(show_explanation, report))
    return output.close()
