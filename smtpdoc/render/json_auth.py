"""The JSON contract, version 1: auth-check -> evidence."""

from __future__ import annotations

from smtpdoc.catalog.bulk_senders import SOURCES
from smtpdoc.evidence.auth import (
    DkimEvidence,
    DmarcEvidence,
    HostAddress,
    MxEvidence,
    PtrEvidence,
    SpfEvidence,
    SpfNode,
)
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.evidence.senders import BulkRule
from smtpdoc.render.json_transport import bimi_json, dnssec_json, mta_sts_json, tls_rpt_json, tlsa_json
from smtpdoc.render.json_values import Json, seconds, source_json


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
    if evidence.mta_sts is not None:
        topics["mta_sts"] = mta_sts_json(evidence.mta_sts)
    if evidence.tls_rpt is not None:
        topics["tls_rpt"] = tls_rpt_json(evidence.tls_rpt)
    if evidence.tlsa is not None:
        topics["tlsa"] = tlsa_json(evidence.tlsa)
    if evidence.dnssec is not None:
        topics["dnssec"] = dnssec_json(evidence.dnssec)
    if evidence.bimi is not None:
        topics["bimi"] = bimi_json(evidence.bimi)
    if evidence.dnsbl is not None:
        from smtpdoc.render.json_dnsbl import dnsbl_json  # few runs ask block lists

        topics["dnsbl"] = dnsbl_json(evidence.dnsbl)
    if evidence.bulk_senders:
        topics["bulk_senders"] = bulk_senders_json(evidence.bulk_senders)
    topics["dns"] = {
        "queries": evidence.queries,
        "elapsed_s": seconds(evidence.elapsed_s),
        "rewrites_nxdomain": None if evidence.resolver is None else evidence.resolver.rewrites,
    }
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
        "alignment": [
            {
                "sender": sender.sender,
                "via": list(sender.via),
                "spf": sender.spf,
                "spf_because": sender.spf_because,
                "dkim": sender.dkim,
                "dkim_because": sender.dkim_because,
                "selectors": list(sender.selectors),
                "ip": sender.ip,
            }
            for sender in dmarc.alignment
        ],
    }


def bulk_senders_json(rules: tuple[BulkRule, ...]) -> list[Json]:
    return [
        {
            "rule": rule.rule,
            "asked_by": list(rule.asked_by),
            "state": str(rule.state),
            "because": rule.because,
            "refusals": list(rule.refusals),
            "sources": [source_json(SOURCES[provider]) for provider in rule.asked_by],
        }
        for rule in rules
    ]


def address_json(address: HostAddress) -> Json:
    return {
        "ip": address.ip,
        "names": list(address.ptr),
        "forward_confirmed": address.forward_confirmed,
        "generic": address.generic,
    }


def ptr_json(ptr: PtrEvidence) -> Json:
    return {"addresses": [address_json(address) for address in ptr.addresses]}
