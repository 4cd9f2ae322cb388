"""What happens to a transcript on its way: redirected, quoted, indented, wrapped, coloured, pasted out of a browser."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Mapping
from types import MappingProxyType


def _each(change: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda text: "".join(f"{change(line)}\n" for line in text.splitlines()).encode()


def _wrapped(line: str) -> str:
    return (
        textwrap.fill(line, 76, drop_whitespace=True, break_long_words=False, break_on_hyphens=False)
        if len(line) > 76
        else line
    )


def _html(text: str) -> bytes:
    return f"<html><body><pre>{html.escape(text)}</pre></body></html>".encode()


def _html_lines(text: str) -> bytes:
    return (
        "<div>" + "<br>\n".join(html.escape(line).replace("  ", "&nbsp; ") for line in text.splitlines()) + "</div>"
    ).encode()


def _in_prose(text: str) -> bytes:
    return (
        f"Hello,\n\nI tried this yesterday, and it does not work:\n\n```\n{text}```\n\nWhat can I do?\n\nBob\n".encode()
    )


def _typed_wrong(line: str) -> str:
    return f"{line[:6]}x\b \b{line[6:]}" if len(line) > 6 else line


FORMS: Mapping[str, Callable[[str], bytes]] = MappingProxyType(
    {
        "as it is": lambda text: text.encode(),
        "without the last line end": lambda text: text.rstrip("\n").encode(),
        "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
        "CR CR LF": lambda text: text.replace("\n", "\r\r\n").encode(),
        "CR only": lambda text: text.replace("\n", "\r").encode(),
        "UTF-8 with BOM": lambda text: text.encode("utf-8-sig"),
        "UTF-16 of PowerShell": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        "UTF-16 without BOM": lambda text: text.encode("utf-16-le"),
        "quoted": _each(lambda line: f"> {line}".rstrip()),
        "quoted twice": _each(lambda line: f">> {line}".rstrip()),
        "quoted by bars": _each(lambda line: f"| {line}"),
        "indented": _each(lambda line: f"    {line}"),
        "indented by a tab": _each(lambda line: f"\t{line}"),
        "blanks at the ends": _each(lambda line: f"{line}   "),
        "wrapped": _each(_wrapped),
        "coloured": _each(lambda line: f"\x1b[1;32m{line}\x1b[0m"),
        "typed wrong": _each(_typed_wrong),
        "a blank line after each": _each(lambda line: f"{line}\n"),
        "HTML": _html,
        "HTML lines": _html_lines,
        "in a letter": _in_prose,
    }
)
