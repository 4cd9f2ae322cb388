"""The JSON contract, version 1: probe -> evidence."""

from __future__ import annotations

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Certificate, Exchange, Failure, MessageFacts, TlsFacts, Transcript
from smtpdoc.evidence.timings import Timings
from smtpdoc.render.json_explain import explanation_json, reply_json
from smtpdoc.render.json_looks import looks_json, parity_json, policy_json
from smtpdoc.render.json_values import Json, plain, seconds, time_json


def probe_json(evidence: ProbeEvidence) -> Json:
    mx = evidence.mx
    return {
        "sessions": [session_json(session) for session in evidence.sessions],
        "mx": None
        if mx is None
        else [{"preference": host.preference, "host": host.host, "addresses": list(host.addresses)} for host in mx],
        "parity": parity_json(evidence.sessions),
        "left_out": evidence.left_out,
        "mta_sts": None if evidence.mta_sts is None else policy_json(evidence.mta_sts),
        "timings": None if evidence.timings is None else timings_json(evidence.timings),
    }


def timings_json(timings: Timings) -> Json:
    return {
        "asked": timings.asked,
        "done": timings.done,
        "interval_s": seconds(timings.interval_s),
        "stopped": timings.stopped,
        "steps": [
            {
                "step": step.step,
                "count": step.count,
                "min_s": seconds(step.min_s),
                "median_s": seconds(step.median_s),
                "p95_s": seconds(step.p95_s),
            }
            for step in timings.steps
        ],
        "ended": [
            {
                "status": str(ended.status),
                "stage": None if ended.stage is None else str(ended.stage),
                "code": ended.code,
                "failure": ended.failure,
                "count": ended.count,
                "first": ended.first,
            }
            for ended in timings.ended
        ],
    }


def session_json(session: Transcript) -> Json:
    return {
        "host": session.host,
        "address": session.address,
        "port": session.port or None,
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
        **looks_json(session),
        "round_trips": session.round_trips,
        "mail_from": session.mail_from,
        "parameters": list(session.parameters),
        "withheld": [
            {"parameter": one.parameter, "keyword": one.keyword, "detail": one.detail} for one in session.withheld
        ],
        "message": None if session.message is None else message_json(session.message),
        "attempt": session.attempt,
        "waited_s": seconds(session.waited_s),
        "superseded": session.superseded,
        "replayed_from": session.replayed_from,
        "elapsed_s": seconds(session.elapsed_s),
    }


def session_facts_json(session: Transcript) -> Json:
    """Return what a session's lines, stages and handshake do not tell, without what is as usual."""
    told = {
        "legacy_tls": session.legacy_tls,
        "legacy_cipher": session.legacy_cipher,
        "source_address": session.source_address,
        "relay_to": session.relay_to,
        "declared_size_bytes": session.declared_size_bytes,
        "attempt": session.attempt if session.attempt > 1 else None,
        "waited_s": session.waited_s,
        "greylisted": list(session.greylisted),
        "superseded": session.superseded,
        "parameters": list(session.parameters),
        "withheld": [[one.parameter, one.keyword, one.detail] for one in session.withheld],
        "message": None if session.message is None else message_json(session.message),
        "attempts": [[address, failure_json(failure)] for address, failure in session.attempts],
    }
    return {key: value for key, value in told.items() if value}


def exchange_json(exchange: Exchange) -> Json:
    return {
        "stage": str(exchange.stage),
        "status": str(exchange.status),
        "elapsed_s": seconds(exchange.elapsed_s),
        "recipient": exchange.recipient,
        "purpose": None if exchange.purpose is None else str(exchange.purpose),
        "reply": None if exchange.reply is None else reply_json(exchange.reply),
        "failure": None if exchange.failure is None else failure_json(exchange.failure),
        "explanation": None if exchange.explanation is None else explanation_json(exchange.explanation),
    }


def message_json(message: MessageFacts) -> Json:
    return {"size_bytes": message.size_bytes, "added": list(message.added), "notes": list(message.notes)}


def failure_json(failure: Failure) -> Json:
    return {"kind": str(failure.kind), "detail": failure.detail, "word": failure.word}


def tls_json(tls: TlsFacts) -> Json:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "bits": tls.bits,
        "group": tls.group,
        "group_bits": tls.group_bits,
        "hello_retry": tls.hello_retry,
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
        "public_key_sha256": certificate.public_key_sha256,
    }
