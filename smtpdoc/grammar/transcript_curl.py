"""What `curl --trace-ascii` writes, in the form of `curl -v`."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADING = re.compile(
    r"(?P<clock>\d\d:\d\d:\d\d\.\d{1,6} )?"
    r"(?:(?P<way><=|=>) (?:Recv|Send) (?:header|data), \d+ bytes.*|== Info: (?P<info>.*))"
)
_BYTES = re.compile(r"[0-9a-f]{4,8}: (?P<text>.*)")
# --trace-ascii breaks a line after so many characters.
_WIDTH = 64


def without_trace(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines with a mark each, or the same lines if this is no trace."""
    if not any(_HEADING.fullmatch(line) for line in lines[:400]):
        return lines
    found: list[str] = []
    mark, broken = "", False
    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            mark, broken = "", False
            clock = heading["clock"] or ""
            if heading["info"] is not None:
                found.append(f"{clock}* {heading['info']}")
            else:
                mark = f"{clock}{'<' if heading['way'] == '<=' else '>'} "
        elif mark and (match := _BYTES.fullmatch(line)):
            if broken:
                found[-1] += match["text"]
            else:
                found.append(mark + match["text"])
            broken = len(match["text"]) == _WIDTH
        else:
            found.append(line)
    return found
