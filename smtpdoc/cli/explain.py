"""smtpdoc explain."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import click

from smtpdoc.cli.options import option, output_options
from smtpdoc.cli.output import Output, OutputOptions
from smtpdoc.report import Report

if TYPE_CHECKING:
    from io import BufferedIOBase

    from smtpdoc.render.text import Page


@click.command("explain")
@click.argument("words", nargs=-1, metavar="WORDS...")
@option("--provider", metavar="NAME", help="Whose reply it is (gmail, postfix, ...), when the text does not tell.")
@option("--stage", metavar="NAME", help="Which command it answered (connect, ehlo, auth, mail, rcpt, data, message).")
@option("--list", "list_", is_flag=True, help="List the catalog; narrow it with --provider, --reason, --code.")
@option("--reason", metavar="NAME", help="With --list: only entries with this reason.")
@option("--code", metavar="CODE", help="With --list: only entries with this reply code or enhanced code.")
@output_options
def command(
    words: tuple[str, ...],
    provider: str | None,
    stage: str | None,
    list_: bool,
    reason: str | None,
    code: str | None,
    **shared: Any,
) -> int:
    """Explain a reply, a code, a reason, a provider or a finding id.

    Paste the reply as it stands in the log or the bounce; `-` reads one reply per line from stdin.

    \b
      smtpdoc explain "550 5.7.26 Unauthenticated email from example.com ..."
      smtpdoc explain 451 4.7.1
      smtpdoc explain spf.too-many-lookups
      grep status=bounced /var/log/mail.log | smtpdoc explain -
    """
    options = OutputOptions.read(**shared)
    if list_:
        if words:
            raise click.UsageError("--list takes no words; narrow it with --provider, --reason or --code.")
        return _list(options, provider=provider, reason=reason, code=code)
    if reason is not None or code is not None:
        raise click.UsageError("--reason and --code narrow --list.")
    if not words:
        raise click.UsageError("What should be explained? Paste a reply, or give - to read replies from stdin.")
    if words == ("-",):
        from smtpdoc.cli.explain_stream import explain_stream

        settings = {"stage": stage, "provider": provider, "fail_on": options.fail_on, "ignore": options.ignore}
        return explain_stream(options, cast("BufferedIOBase", sys.stdin.buffer), settings)
    if len(words) == 1 and os.path.isfile(words[0]):
        raise click.UsageError(f"{words[0]!r} is a file. To explain each of its lines: smtpdoc explain - < {words[0]}")
    return _one(options, " ".join(words), stage=stage, provider=provider)


def _one(options: OutputOptions, text: str, *, stage: str | None, provider: str | None) -> int:
    from smtpdoc.api.pages import look_up

    report = look_up(text, stage=stage, provider=provider, fail_on=options.fail_on, ignore=options.ignore)
    output = Output(options, many=False)
    output.add(report, partial(show_explanation, report))
    return output.close()


def _list(options: OutputOptions, *, provider: str | None, reason: str | None, code: str | None) -> int:
    from smtpdoc.api.pages import catalog_list

    report = catalog_list(provider=provider, reason=reason, code=code, fail_on=options.fail_on, ignore=options.ignore)
    output = Output(options, many=False)
    output.add(report, partial(show_explanation, report))
    return output.close()


def show_explanation(report: Report, page: Page, asked: str = "") -> None:
    """Print one explained reply; `asked` is its line, where several are answered."""
    from smtpdoc.evidence.explanation import ExplainEvidence
    from smtpdoc.render.text_explain import render_asked, render_explanation, render_no_reply

    if asked:
        render_asked(page, asked)
    match report.evidence:
        case ExplainEvidence(explanation=explanation, page=catalog_page) if catalog_page is not None:
            from smtpdoc.render.text_catalog import render_page

            render_page(page, catalog_page, explanation)
        case ExplainEvidence(explanation=None, input=text):
            render_no_reply(page, text)
        case ExplainEvidence(explanation=explanation) if explanation is not None:
            render_explanation(page, explanation)
