"""The JSON contract, version 1: MTA-STS, TLS-RPT, DANE, DNSSEC and BIMI of auth-check -> evidence."""

from __future__ import annotations

from smtpdoc.evidence.dnssec import DnssecEvidence
from smtpdoc.evidence.transport import BimiEvidence, MtaStsEvidence, PolicyFile, TlsaEvidence, TlsRptEvidence
from smtpdoc.grammar.bimi import parse_bimi
from smtpdoc.grammar.tlsa import judge_tlsa
from smtpdoc.render.json_values import Json


def mta_sts_json(sts: MtaStsEvidence) -> Json:
    """`policy` is null when no policy file was asked for."""
    return {
        "status": str(sts.status),
        "record": sts.records[0] if sts.records else None,
        "id": sts.id,
        "policy": None if sts.file is None else policy_json(sts.file),
    }


def policy_json(file: PolicyFile) -> Json:
    policy = file.policy
    return {
        "url": file.url,
        "problem": file.problem,
        "valid": policy is not None and policy.valid,
        "mode": None if policy is None else policy.mode,
        "max_age_s": None if policy is None else policy.max_age_s,
        "mx": [] if policy is None else list(policy.mx),
        "text": file.text or None,
    }


def tls_rpt_json(rpt: TlsRptEvidence) -> Json:
    return {"status": str(rpt.status), "record": rpt.records[0] if rpt.records else None, "rua": list(rpt.rua)}


def tlsa_json(tlsa: TlsaEvidence) -> Json:
    return {
        "status": str(tlsa.status),
        "mx_secure": tlsa.mx.authenticated,
        "hosts": [
            {
                "host": host.host,
                "name": host.name,
                "secure": host.secure and not host.local,
                "bogus": bool(host.bogus),
                "records": [
                    {
                        "usage": record.usage,
                        "selector": record.selector,
                        "matching_type": record.matching_type,
                        "data": record.data.hex(),
                        "usable": judge_tlsa(record.usage, record.selector, record.matching_type, record.data).usable,
                    }
                    for record in host.records
                ],
            }
            for host in tlsa.hosts
        ],
    }


def dnssec_json(dnssec: DnssecEvidence) -> Json:
    """`ds` are the DS records; null when they were not asked for, or DNS did not answer."""
    ds = dnssec.ds
    return {
        "status": str(dnssec.status),
        "state": str(dnssec.state),
        "resolver_validates": dnssec.resolver_validates,
        "ds": None if ds is None or not ds.answered else list(ds.names),
    }


def bimi_json(bimi: BimiEvidence) -> Json:
    record = parse_bimi(bimi.records[0]) if bimi.records else None
    return {
        "status": str(bimi.status),
        "selector": bimi.selector,
        "record": bimi.records[0] if bimi.records else None,
        "found_at": bimi.found_at,
        "location": None if record is None else record.location,
        "certificate": None if record is None else record.evidence,
        "declined": record is not None and record.declined,
    }
