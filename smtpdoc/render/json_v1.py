"""The JSON contract, version 1: additions are fine, any other change is a json_v2.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from smtpdoc.evidence.auth import (
    AuthEvidence,
    DkimEvidence,
    DmarcEvidence,
    HostAddress,
    MxEvidence,
    PtrEvidence,
    SpfEvidence,
    SpfNode,
)
from smtpdoc.evidence.explanation import ExplainEvidence, Explanation, Retry
from smtpdoc.evidence.smtp import Certificate, Exchange, Failure, ProbeEvidence, TlsFacts, Transcript
from smtpdoc.findings import Finding, Source
from smtpdoc.grammar.reply import Reply
from smtpdoc.report import Evidence, Report

SCHEMA = "smtpdoc/1"

#: A JSON value on its way out. The schema, not this type, says what stands where.
Json = dict[str, Any]


def report_json(report: Report) -> Json:
    """Return a report as the contract's object."""
    return {
        "schema": SCHEMA,
        "version": report.version,
        "command": report.command,
        "target": report.target,
        "level": str(report.level),
        "exit_code": int(report.exit_code),
        "started_at": time_json(report.started_at),
        "elapsed_s": seconds(report.elapsed_s),
        "findings": [finding_json(finding) for finding in report.findings],
        "evidence": evidence_json(report.evidence),
    }


def dumps(value: object, *, indent: int | None = None) -> str:
    """Return JSON text: UTF-8 as it is, no NaN, and what could not be decoded written as replacement characters."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return text.encode("utf-8", "replace").decode("utf-8")


def write_all(reports: Iterable[Report], out: IO[str], *, many: bool) -> None:
    """Print `--format json`: the object for one target, an array for several."""
    objects = [report_json(report) for report in reports]
    out.write(dumps(objects if many else objects[0], indent=2) + "\n")


def write_line(report: Report, out: IO[str]) -> None:
    """Print `--format jsonl`: one object on one line, now."""
    out.write(dumps(report_json(report)) + "\n")
    out.flush()


def time_json(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(value: float) -> float:
    """Microseconds are as fine as our clocks are honest."""
    return round(value, 6)


def source_json(source: Source) -> Json:
    return {"title": source.title, "section": source.section, "url": source.url}


def finding_json(finding: Finding) -> Json:
    return {
        "id": finding.id,
        "topic": finding.topic,
        "level": str(finding.level),
        "title": finding.title,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix,
        "subject": finding.subject,
        "facts": plain(finding.facts),
        "paste": list(finding.paste),
        "sources": [source_json(source) for source in finding.sources],
    }


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


def evidence_json(evidence: Evidence) -> Json:
    match evidence:
        case ExplainEvidence():
            explained = NO_EXPLANATION if evidence.explanation is None else explanation_json(evidence.explanation)
            return {"input": evidence.input, **explained}
        case ProbeEvidence():
            return probe_json(evidence)
        case AuthEvidence():
            return auth_json(evidence)


# -- explain ------------------------------------------------------------------

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


# -- probe --------------------------------------------------------------------


def probe_json(evidence: ProbeEvidence) -> Json:
    mx = evidence.mx
    return {
        "sessions": [session_json(session) for session in evidence.sessions],
        "mx": None
        if mx is None
        else [{"preference": host.preference, "host": host.host, "addresses": list(host.addresses)} for host in mx],
    }


def session_json(session: Transcript) -> Json:
    return {
        "host": session.host,
        "address": session.address,
        "port": session.port,
        "family": session.family,
        "tls_mode": session.tls_mode,
        "outcome": str(session.outcome),
        "stages": [exchange_json(exchange) for exchange in session.exchanges],
        "transcript": [
            {"kind": str(line.kind), "text": line.text, "encrypted": line.encrypted, "at_s": seconds(line.at_s)}
            for line in session.lines
        ],
        "capabilities": {
            "before_tls": None if session.capabilities_before_tls is None else dict(session.capabilities_before_tls),
            "after_tls": None if session.capabilities_after_tls is None else dict(session.capabilities_after_tls),
        },
        "tls": None if session.tls is None else tls_json(session.tls),
        "round_trips": session.round_trips,
        "elapsed_s": seconds(session.elapsed_s),
    }


def exchange_json(exchange: Exchange) -> Json:
    return {
        "stage": str(exchange.stage),
        "status": str(exchange.status),
        "elapsed_s": seconds(exchange.elapsed_s),
        "recipient": exchange.recipient,
        "reply": None if exchange.reply is None else reply_json(exchange.reply),
        "failure": None if exchange.failure is None else failure_json(exchange.failure),
        "explanation": None if exchange.explanation is None else explanation_json(exchange.explanation),
    }


def failure_json(failure: Failure) -> Json:
    return {"kind": str(failure.kind), "detail": failure.detail, "word": failure.word}


def tls_json(tls: TlsFacts) -> Json:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "bits": tls.bits,
        "group": tls.group,
        "trusted": tls.trusted,
        "name_matches": tls.name_matches,
        "expired": tls.expired,
        "self_signed": tls.self_signed,
        "days_left": tls.days_left,
        "verify_code": tls.verify_code,
        "verify_error": tls.verify_error,
        "server_name": tls.server_name,
        "chain": [certificate_json(certificate) for certificate in tls.chain],
        "dane": plain(tls.dane),
        "mta_sts": plain(tls.mta_sts),
    }


def certificate_json(certificate: Certificate) -> Json:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "not_before": time_json(certificate.not_before),
        "not_after": time_json(certificate.not_after),
        "key": certificate.key,
        "signature": certificate.signature,
        "sha256": certificate.sha256,
    }


# -- auth-check ---------------------------------------------------------------


def auth_json(evidence: AuthEvidence) -> Json:
    topics: Json = {"domain": evidence.domain}
    if evidence.mx is not None:
        topics["mx"] = mx_json(evidence.mx)
    if evidence.spf is not None:
        topics["spf"] = spf_json(evidence.spf)
    if evidence.dkim is not None:
        topics["dkim"] = dkim_json(evidence.dkim)
    if evidence.dmarc is not None:
        topics["dmarc"] = dmarc_json(evidence.dmarc)
    if evidence.ptr is not None:
        topics["ptr"] = ptr_json(evidence.ptr)
    topics["dns"] = {"queries": evidence.queries, "elapsed_s": seconds(evidence.elapsed_s)}
    return topics


def mx_json(mx: MxEvidence) -> Json:
    return {
        "status": str(mx.status),
        "hosts": [
            {
                "preference": host.preference,
                "host": host.host,
                "addresses": [
                    {"ip": address.ip, "ptr": list(address.ptr), "forward_confirmed": address.forward_confirmed}
                    for address in host.addresses
                ],
            }
            for host in mx.hosts
        ],
        "null_mx": mx.null_mx,
        "implicit": mx.implicit,
    }


def spf_json(spf: SpfEvidence) -> Json:
    return {
        "status": str(spf.status),
        "record": spf.record,
        "lookups": spf.lookups,
        "void_lookups": spf.void_lookups,
        "valid": spf.valid,
        "result": spf.result,
        "tree": None if spf.tree is None else spf_node_json(spf.tree),
        "checks": [
            {
                "ip": check.ip,
                "mail_from": check.mail_from,
                "helo": check.helo,
                "result": str(check.result),
                "path": list(check.path),
                "explanation": check.explanation,
                "lookups": check.lookups,
                "void_lookups": check.void_lookups,
            }
            for check in spf.checks
        ],
    }


def spf_node_json(node: SpfNode) -> Json:
    return {
        "domain": node.domain,
        "record": node.record,
        "terms": [
            {
                "term": term.term,
                "lookups": term.lookups,
                "void": term.void,
                "sender": term.sender,
                "problem": term.problem,
                "child": None if term.child is None else spf_node_json(term.child),
            }
            for term in node.terms
        ],
    }


def dkim_json(dkim: DkimEvidence) -> Json:
    return {
        "status": str(dkim.status),
        "selectors": [
            {
                "selector": selector.selector,
                "status": str(selector.status),
                "record": selector.record,
                "key_type": selector.key_type,
                "key_bits": selector.key_bits,
                "revoked": selector.revoked,
                "testing": selector.testing,
                "cname": selector.cname,
                "sender": selector.sender,
            }
            for selector in dkim.selectors
        ],
        "tried": dkim.tried,
        "proven_absent": dkim.proven_absent,
    }


def dmarc_json(dmarc: DmarcEvidence) -> Json:
    return {
        "status": str(dmarc.status),
        "record": dmarc.record,
        "found_at": dmarc.found_at,
        "organizational_domain": dmarc.organizational_domain,
        "policy": dmarc.policy,
        "subdomain_policy": dmarc.subdomain_policy,
        "np": dmarc.np,
        "applies": dmarc.applies,
        "adkim": dmarc.adkim,
        "aspf": dmarc.aspf,
        "rua": list(dmarc.rua),
        "ruf": list(dmarc.ruf),
        "valid": dmarc.valid,
        "queries": list(dmarc.queries),
    }


def address_json(address: HostAddress) -> Json:
    return {
        "ip": address.ip,
        "names": list(address.ptr),
        "forward_confirmed": address.forward_confirmed,
        "generic": address.generic,
    }


def ptr_json(ptr: PtrEvidence) -> Json:
    return {"addresses": [address_json(address) for address in ptr.addresses]}
