"""The JSON contract, version 1: explain -> evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpdoc.evidence.explanation import ExplainEvidence, Explanation, Retry
from smtpdoc.findings import Entry
from smtpdoc.grammar.reply import Reply
from smtpdoc.render.json_values import Json, plain, source_json

if TYPE_CHECKING:
    from smtpdoc.evidence.catalog_page import CatalogPage

#: A streamed line without a reply in it, or a page of the catalog that explains no single reply.
NO_EXPLANATION: Json = {
    "reply": None,
    "class": None,
    "reason": None,
    "provider": None,
    "action": "none",
    "retry": {"should": False},
    "who": "sender",
    "confidence": None,
    "title": "",
    "meaning": "",
    "causes": [],
    "steps": [],
    "commands": [],
    "facts": {},
    "notes": [],
    "entries": [],
    "sources": [],
}


def explain_json(evidence: ExplainEvidence) -> Json:
    explained = dict(NO_EXPLANATION) if evidence.explanation is None else explanation_json(evidence.explanation)
    page = evidence.page
    if page is not None:
        if page.kind != "code":
            explained["reply"] = None
        if evidence.explanation is None:
            explained["title"] = page.title
            explained["entries"] = [row.id for row in page.rows] or [page.name]
    return {"input": evidence.input, **explained, "page": None if page is None else page_json(page)}


def page_json(page: CatalogPage) -> Json:
    return {
        "kind": page.kind,
        "name": page.name,
        "title": page.title,
        "rows": [
            {
                "id": row.id,
                "provider": row.provider,
                "code": row.code,
                "enhanced": row.enhanced,
                "reason": row.reason,
                "title": row.title,
            }
            for row in page.rows
        ],
        "finding": None if page.finding is None else entry_json(page.finding),
    }


def entry_json(entry: Entry) -> Json:
    return {
        "id": entry.id,
        "level": str(entry.level),
        "title": entry.title,
        "why": entry.why,
        "fix": entry.fix,
        "sources": [source_json(source) for source in entry.sources],
    }


def reply_json(reply: Reply) -> Json:
    return {"code": reply.code, "enhanced": reply.enhanced, "lines": list(reply.lines), "text": reply.text}


def retry_json(retry: Retry) -> Json:
    if not retry.should:
        return {"should": False}
    return {
        "should": True,
        "first_s": retry.first_s,
        "schedule_s": list(retry.schedule_s),
        "give_up_s": retry.give_up_s,
    }


def explanation_json(explanation: Explanation) -> Json:
    return {
        "reply": reply_json(explanation.reply),
        "class": explanation.reply_class,
        "reason": explanation.reason,
        "provider": explanation.provider,
        "action": explanation.action,
        "retry": retry_json(explanation.retry),
        "who": str(explanation.who),
        "confidence": str(explanation.confidence),
        "title": explanation.title,
        "meaning": explanation.meaning,
        "causes": list(explanation.causes),
        "steps": list(explanation.steps),
        "commands": list(explanation.commands),
        "facts": plain(explanation.facts),
        "notes": list(explanation.notes),
        "entries": list(explanation.entries),
        "sources": [source_json(source) for source in explanation.sources],
    }
