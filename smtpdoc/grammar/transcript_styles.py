"""How programs mark who spoke: ours, swaks, curl -v, msmtp, Exim, Sendmail, Postfix, Thunderbird, libraries, RFCs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smtpdoc.grammar.dialogue import Mark
from smtpdoc.grammar.secret import HIDDEN
from smtpdoc.grammar.wire_text import unescape


@dataclass(frozen=True, slots=True)
class Style:
    """How one program marks its lines. The pattern's groups: `mark`, `text`, and optionally the time, as `at` (seconds)
    or `clock` (of the day).

    `marks` tells who speaks and whether under TLS, `errors` finds lines without a mark that tell of a failure, `more`
    (group `text`) those that go on with what stands above them. `marks_tls` is False where nothing tells what was
    under TLS.
    """

    name: str
    pattern: re.Pattern[str]
    marks: Mapping[str, tuple[Mark, bool]]
    decode: Callable[[str], str] = str
    more: re.Pattern[str] | None = None
    errors: re.Pattern[str] | None = None
    marks_tls: bool = False


def _literal(text: str) -> str:
    """Return what a Python literal like b'250 ok' holds, or the text itself."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return str(value).rstrip("\r\n")


def _rfc(text: str) -> str:
    r"""Test dialogues may write their line ends out: `S: 220 hi\r\n`."""
    return unescape(text).rstrip("\r\n") if text.endswith("\\n") else text


def _shown(text: str) -> str:
    """Thunderbird leaves out what may be a login, commands and responses alike."""
    return HIDDEN if text.startswith("Logging suppressed") else text


def _quoted(text: str) -> str:
    """Undo the quotation marks of a field of a log."""
    return text.replace('""', '"')


_SENT, _RECEIVED, _NOTE = (Mark.SENT, False), (Mark.RECEIVED, False), (Mark.NOTE, False)
_CLOCK = r"(?:(?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,6})?) )?"
#: Thunderbird's console says where in its code it is.
_PLACE_IN_CODE = r"(?:\s{1,4}Smtp[\w.]{1,30}:[\d:]{1,12}\s{0,8})?"
_FURTHER_REPLY = re.compile(r"\s{0,20}(?P<text>[2-5][0-9]{2}(?:[ -].*|$))")

#: In order of preference where two fit equally well.
STYLES = (
    Style(
        "marks",
        re.compile(
            r"\s*(?:(?P<at>\d{1,5}\.\d{3})\s+)?(?P<mark><\*\*|<~\*|\*\*>|\*~>|->|~>|<-(?!-)|<~|===|\*\*\*)(?:\s{1,3}(?P<text>.*))?"
        ),
        {
            "->": _SENT,
            "**>": _SENT,
            "~>": (Mark.SENT, True),
            "*~>": (Mark.SENT, True),
            "<-": _RECEIVED,
            # Who writes it means a refusal (swaks) or a reply that nobody asked for (we); which, the order tells.
            "<**": _RECEIVED,
            "<~": (Mark.RECEIVED, True),
            "<~*": (Mark.RECEIVED, True),
            "===": _NOTE,
            "***": (Mark.ERROR, False),
        },
        # Where our own pages put the text of a line that goes on below.
        more=re.compile(r" {10,14}(?![│|\s])(?P<text>\S.*)"),
        marks_tls=True,
    ),
    Style(
        "dialogue",
        re.compile(r"\s*(?P<mark>S|C|Server|Client|server|client)\s*:(?: (?P<text>.*))?"),
        {name: _RECEIVED if name[0] in "Ss" else _SENT for name in ("S", "C", "Server", "Client", "server", "client")},
        _rfc,
    ),
    # Thunderbird's error console, Nodemailer
    Style(
        "log",
        re.compile(r".{0,120}?(?:mailnews\.smtp[.\d]{0,6}:|\]) (?P<mark>[SC]): (?P<text>.*?)" + _PLACE_IN_CODE),
        {"S": _RECEIVED, "C": _SENT},
        _shown,
        more=re.compile(r"\s{0,20}(?P<text>[2-5][0-9]{2}(?:[ -].*?|$))" + _PLACE_IN_CODE),
    ),
    # Thunderbird's MOZ_LOG, before version 102
    Style(
        "log",
        re.compile(r".{0,160}?SMTP (?P<mark>Response|Send): (?P<text>.*)"),
        {"Response": _RECEIVED, "Send": _SENT},
        _shown,
    ),
    Style(
        "phpmailer",
        re.compile(r".{0,60}?(?P<mark>SERVER -> CLIENT|CLIENT -> SERVER): ?(?P<text>.*)"),
        {"SERVER -> CLIENT": _RECEIVED, "CLIENT -> SERVER": _SENT},
        more=_FURTHER_REPLY,
    ),
    Style(
        "smtplib",
        re.compile(r"(?:[\d:.]{0,16} )?(?P<mark>send|reply): (?P<text>b?['\"].*['\"])"),
        {"send": _SENT, "reply": _RECEIVED},
        _literal,
    ),
    # Ruby's Net::SMTP; its arrows point at what is read
    Style("log", re.compile(r'(?P<mark>->|<-) (?P<text>"(?:[^"\\]|\\.)*")'), {"->": _RECEIVED, "<-": _SENT}, _literal),
    Style("msmtp", re.compile(r"(?P<mark><--|-->) (?P<text>.*)"), {"<--": _RECEIVED, "-->": _SENT}),
    Style(
        "posttls-finger",
        re.compile(
            r"posttls-finger: (?:(?P<mark>[<>]) |(?P<note>(?!Failed to|SSL_connect err|warning: )))(?P<text>.*)"
        ),
        {"<": _RECEIVED, ">": _SENT},
        errors=re.compile(r"posttls-finger: (?:Failed to establish|SSL_connect error|warning: TLS library).*"),
        marks_tls=True,
    ),
    Style(
        "curl",
        re.compile(_CLOCK + r"(?:\[[\dx-]{1,12}\] )?(?P<mark>[<>*]) (?P<text>.*)"),
        {"<": _RECEIVED, ">": _SENT, "*": _NOTE},
        errors=re.compile(r"curl: \([1-9]\d?\) .*"),
        marks_tls=True,
    ),
    Style(
        "exim",
        re.compile(
            r"\s{0,4}SMTP(?P<mark><<|>>|\|>|\+>) (?P<text>.*)"
            r"|(?P<note>)\s{0,8}(?P<connecting>Connecting to .* connected\s*)"
        ),
        {"<<": _RECEIVED, ">>": _SENT, "|>": _SENT, "+>": _SENT},
        more=_FURTHER_REPLY,
        errors=re.compile(r"\s{0,8}Connecting to .* failed: .*"),
    ),
    # What Postfix tells the postmaster of a session that it was the server of
    Style(
        "postfix",
        re.compile(r"\s{0,8}(?P<mark>In|Out):\s{1,3}(?P<text>.*)"),
        {"In": _SENT, "Out": _RECEIVED},
        more=re.compile(r"\s{5,12}(?P<text>\S.*)"),
    ),
    # debug_peer_list
    Style(
        "log",
        re.compile(
            r".{0,120}?postfix/\w+/?\w*\[\d{1,8}\]: (?P<mark>[<>]) "
            r"[^ \[]{1,255}\[[^\]]{1,64}\](?::\d{1,5})?: (?P<text>.*)"
        ),
        {"<": _RECEIVED, ">": _SENT},
    ),
    # A bounce of Sendmail; Perl's Net::SMTP
    Style(
        "sendmail",
        re.compile(r"(?:Net::\w{1,20}=\w{1,10}\(0x[0-9a-f]{1,16}\))?(?P<mark>>>>|<<<) ?(?P<text>.*)"),
        {">>>": _SENT, "<<<": _RECEIVED},
    ),
    # sendmail -v
    Style(
        "sendmail",
        re.compile(
            r"(?P<mark>>>> |(?=[2-5][0-9]{2}(?:[ -]|$)))(?P<text>.*)"
            r"|(?P<note>)(?P<connecting>.{1,255}\.\.\. Connecting to .*)"
        ),
        {">>> ": _SENT, "": _RECEIVED},
    ),
    # The protocol log of Exchange
    Style(
        "log",
        re.compile(
            r"[\dT:.-]{19,24}Z?,[^,]{0,120},[0-9A-F]{1,32},\d{1,9},[^,]{0,80},[^,]{0,80},(?P<mark>[<>*]),(?P<quote>\"?)(?P<text>.*?)(?P=quote),[^,\"]*"
        ),
        {"<": _RECEIVED, ">": _SENT, "*": _NOTE},
        _quoted,
    ),
)
