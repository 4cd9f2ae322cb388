"""`Zone`, a dict that is a Resolver and remembers what it was asked, and `run_now` to drive gather/ without a loop."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from smtpdoc.evidence.dns import Lookup, LookupStatus, MxRecord, Record, TlsaRecord, TxtRecord

T = TypeVar("T")

#: One record as tests like to write it: text (TXT, A, PTR, ...), (10, "mx.example") or a ready-made record.
Written: TypeAlias = "str | tuple[int, str] | TxtRecord | MxRecord | TlsaRecord"
Answer: TypeAlias = "Written | Sequence[Written] | LookupStatus"

_MAX_ALIASES = 8


class Zone(dict[str, Answer]):
    """Answers from a dict with keys like "example.com TXT".

    A value is one record, a list of records, or a LookupStatus for a question that fails; the type `*` answers every
    type. A name that exists only with other types, or only has names below it, is NODATA; any other is NXDOMAIN.
    CNAMEs are followed, and `*.example.com` is a wildcard. `asked` lists the questions in the order they came;
    `rounds` the groups in which they came (one tuple for each call).

    >>> zone = Zone({"example.com TXT": "v=spf1 -all", "example.com MX": (10, "mx.example.com")})
    >>> run_now(zone.lookup("Example.com", "TXT")).txt[0].text
    'v=spf1 -all'
    >>> run_now(zone.lookup("nothing.example.com", "A")).status.value, zone.asked
    ('nxdomain', [('example.com', 'TXT'), ('nothing.example.com', 'A')])
    """

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self.rounds: list[tuple[tuple[str, str], ...]] = []
        for key, answer in (answers or {}).items():
            name, _, rdtype = key.rpartition(" ")
            self[f"{name.lower().rstrip('.')} {rdtype.upper()}"] = answer

    async def lookup(self, name: str, rdtype: str) -> Lookup:
        return (await self.lookup_all([(name, rdtype)]))[0]

    async def lookup_all(self, questions: Sequence[tuple[str, str]]) -> tuple[Lookup, ...]:
        asked = tuple((name.lower(), rdtype) for name, rdtype in questions)
        self.asked.extend(asked)
        self.rounds.append(asked)
        return tuple(self._answer(name, rdtype) for name, rdtype in asked)

    def _answer(self, name: str, rdtype: str) -> Lookup:
        aliases: list[str] = []
        owner = name
        for _ in range(_MAX_ALIASES):
            answer = self._find(owner, rdtype)
            if answer is not None:
                return _lookup(name, rdtype, answer, tuple(aliases))
            alias = self._find(owner, "CNAME")
            if not isinstance(alias, str):
                break
            owner = alias.lower().rstrip(".")
            aliases.append(owner)
        else:
            return Lookup(name, rdtype, LookupStatus.SERVFAIL, aliases=tuple(aliases), detail="CNAME loop")
        status = LookupStatus.NODATA if self._exists(owner) else LookupStatus.NXDOMAIN
        return Lookup(name, rdtype, status, aliases=tuple(aliases))

    def _find(self, owner: str, rdtype: str) -> Answer | None:
        for key in (f"{owner} {rdtype}", f"{owner} *"):
            if key in self:
                return self[key]
        if self._exists(owner):
            return None
        labels = owner.split(".")
        for cut in range(1, len(labels)):
            parent = ".".join(labels[cut:])
            for key in (f"*.{parent} {rdtype}", f"*.{parent} *"):
                if key in self:
                    return self[key]
            if self._exists(parent):
                return None  # the closest encloser ends the search (RFC 4592 section 3.3.1)
        return None

    def _exists(self, owner: str) -> bool:
        return any(known == owner or known.endswith("." + owner) for known in (key.rpartition(" ")[0] for key in self))


def _lookup(name: str, rdtype: str, answer: Answer, aliases: tuple[str, ...]) -> Lookup:
    if isinstance(answer, LookupStatus):
        return Lookup(name, rdtype, answer, aliases=aliases, detail=f"the zone says {answer.value}")
    alone = isinstance(answer, str | TxtRecord | MxRecord | TlsaRecord) or (
        isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], int)
    )
    many: Sequence[Any] = [answer] if alone else answer  # type: ignore[assignment]  # told apart by `alone`
    records = tuple(_record(one, rdtype) for one in many)
    status = LookupStatus.FOUND if records else LookupStatus.NODATA
    return Lookup(name, rdtype, status, records, aliases)


def _record(written: Any, rdtype: str) -> Record:
    match written:
        case str() if rdtype == "TXT":
            octets = written.encode("utf-8", "surrogateescape")
            return TxtRecord(tuple(octets[at : at + 255] for at in range(0, len(octets), 255)) or (b"",))
        case str():
            return written
        case (int() as preference, str() as host):
            return MxRecord(preference, host if host == "." else host.lower().rstrip("."))
        case TxtRecord() | MxRecord() | TlsaRecord():
            return written
        case other:
            raise TypeError(f"not a record of {rdtype}: {other!r}")


def run_now(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose every seam answers at once, and return its value. No event loop is involved."""
    try:
        coro.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coro.close()
    raise AssertionError("the coroutine waits for something that is no seam")
