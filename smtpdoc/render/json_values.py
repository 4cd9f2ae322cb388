"""The small parts of the JSON contract that all commands share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from smtpdoc.findings import Source

#: A JSON value on its way out. The schema, not this type, says what stands where.
Json = dict[str, Any]


def time_json(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(value: float) -> float:
    """Microseconds are as fine as our clocks are honest."""
    return round(value, 6)


def source_json(source: Source) -> Json:
    return {"title": source.title, "section": source.section, "url": source.url}


def plain(value: object) -> Any:
    """Return facts (mappings, tuples, scalars) as JSON's own types."""
    match value:
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case bytes():
            return value.hex()
        case _:
            return value
