"""The JSON contract, version 1: what DNS block lists said."""

from __future__ import annotations

from smtpdoc.evidence.dnsbl import DnsblEvidence
from smtpdoc.render.json_values import Json


def dnsbl_json(dnsbl: DnsblEvidence) -> Json:
    """`subjects` are all that was looked up, `lists` all that were asked, and whether they work."""
    return {
        "status": str(dnsbl.status),
        "subjects": [
            {"subject": subject.name, "role": str(subject.role), "host": subject.host} for subject in dnsbl.subjects
        ],
        "listings": [
            {
                "subject": answer.subject.name,
                "list": answer.block_list.zone,
                "name": answer.block_list.name,
                "codes": list(answer.lookup.names),
                "meanings": list(answer.meanings),
                "reason": answer.reason,
                "page": answer.block_list.page,
            }
            for answer in dnsbl.listed
        ],
        "lists": [
            {
                "list": one.block_list.zone,
                "name": one.block_list.name,
                "kind": str(one.block_list.kind),
                "state": str(one.state),
                "detail": one.detail or None,
                "page": one.block_list.page,
            }
            for one in dnsbl.lists
        ],
    }
