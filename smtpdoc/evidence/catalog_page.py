"""What the catalog holds under a name: the value that `explain` answers with when it is given no reply."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.findings import Entry


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One entry of the catalog in a list. `provider` is None for a wording or a code that anybody may use."""

    id: str
    reason: str
    title: str
    provider: str | None = None
    code: int | None = None
    enhanced: str | None = None


#: The title of a code's page when it has none.
UNLISTED = "a code that no standard and no list names"


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """What the catalog holds under a name that is no reply.

    `kind` is "code", "reason", "provider", "entry", "finding" or "list"; `rows` are the replies that belong to it, in
    the catalog's order; `finding` is set for the id of a finding.
    """

    kind: str
    name: str
    title: str
    rows: tuple[CatalogRow, ...] = ()
    finding: Entry | None = None
