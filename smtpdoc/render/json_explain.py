"""The JSON contract, version 1: explain -> evidence."""

from __future__ import annotations

from smtpdoc.evidence.explanation import Explanation, Retry
from smtpdoc.grammar.reply import Reply
from smtpdoc.render.json_values import Json, plain, source_json

#: A streamed line without a reply in it.
NO_EXPLANATION: Json = {
    "reply": None,
    "class": None,
    "reason": None,
    "provider": None,
    "action": "none",
    "retry": {"should": False},
    "who": "sender",
    "confidence": None,
    "title": "There is no reply in this line",
    "meaning": "",
    "causes": [],
    "steps": [],
    "commands": [],
    "facts": {},
    "notes": [],
    "entries": [],
    "sources": [],
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
