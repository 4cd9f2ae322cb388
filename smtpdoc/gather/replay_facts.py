"""What our own transcripts tell beside the lines: stages without a reply, and facts about the whole session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smtpdoc.evidence.smtp import (
    Exchange,
    Failure,
    FailureKind,
    MessageFacts,
    Purpose,
    Stage,
    StageStatus,
    Transcript,
    Withheld,
)

_CHARS = 2000
_ITEMS = 100


def told_stage(told: Mapping[str, object] | None, *, encrypted: bool) -> Exchange | None:
    """Return the stage that a `## stage` line tells, None for one that follows no rule."""
    if told is None:
        return None
    try:
        stage, status = Stage(_text(told, "stage")), StageStatus(_text(told, "status"))
        purpose = Purpose(_text(told, "purpose")) if told.get("purpose") is not None else None
        failure = _failure(told.get("failure"), stage)
    except ValueError:
        return None
    recipient = _text(told, "recipient") or None
    return Exchange(
        stage, _text(told, "command"), None, failure, encrypted, 0.0, recipient, status=status, purpose=purpose
    )


def with_facts(session: Transcript, facts: Mapping[str, object] | None) -> Transcript:
    """Return a session with the facts of its `## facts` line."""
    if facts is None:
        return session
    message, attempts = facts.get("message"), facts.get("attempts")
    return replace(
        session,
        legacy_tls=_text(facts, "legacy_tls") or None,
        legacy_cipher=_text(facts, "legacy_cipher") or None,
        source_address=_text(facts, "source_address") or None,
        relay_to=_text(facts, "relay_to") or None,
        declared_size_bytes=_number(facts, "declared_size_bytes") or None,
        attempt=_number(facts, "attempt") or 1,
        waited_s=float(_number(facts, "waited_s")),
        greylisted=_texts(facts, "greylisted"),
        superseded=facts.get("superseded") is True,
        parameters=_texts(facts, "parameters"),
        withheld=tuple(Withheld(*row) for row in _rows(facts, "withheld") if len(row) == 3),
        message=_message(message) if isinstance(message, dict) else None,
        attempts=tuple(_attempts(attempts if isinstance(attempts, list) else [])),
    )


def _failure(value: object, stage: Stage) -> Failure | None:
    if not isinstance(value, dict):
        return None
    return Failure(FailureKind(_text(value, "kind")), stage, _text(value, "detail"), _text(value, "word"))


def _message(value: Mapping[str, object]) -> MessageFacts:
    return MessageFacts(_number(value, "size_bytes"), _texts(value, "added"), _texts(value, "notes"))


def _attempts(values: list[object]) -> list[tuple[str, Failure]]:
    found = []
    for value in values[:_ITEMS]:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            try:
                failure = _failure(value[1], Stage.CONNECT)
            except ValueError:
                continue
            if failure is not None:
                found.append((value[0][:_CHARS], failure))
    return found


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key)
    return value[:_CHARS] if isinstance(value, str) else ""


def _texts(values: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = values.get(key)
    return tuple(one[:_CHARS] for one in value[:_ITEMS] if isinstance(one, str)) if isinstance(value, list) else ()


def _rows(values: Mapping[str, object], key: str) -> list[tuple[str, ...]]:
    value = values.get(key)
    rows = value[:_ITEMS] if isinstance(value, list) else []
    return [tuple(row) for row in rows if isinstance(row, list) and all(isinstance(one, str) for one in row)]


def _number(values: Mapping[str, object], key: str) -> int:
    """Return a number that is 0 or more, without what stands behind the point; 0 for anything else."""
    value = values.get(key)
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0
