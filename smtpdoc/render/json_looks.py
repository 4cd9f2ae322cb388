"""The JSON contract, version 1: what was looked at beside the sessions of a probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smtpdoc.evidence.auth import HostAddress
from smtpdoc.evidence.looks import Enforcement, Identity, VersionAnswer
from smtpdoc.evidence.parity import differences
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.evidence.transport import MtaStsEvidence
from smtpdoc.render.json_explain import reply_json
from smtpdoc.render.json_values import Json, plain


def looks_json(session: Transcript) -> Json:
    """The keys of a session that further looks fill; all of them null where nobody asked."""
    injection = session.starttls_injection
    return {
        "source_address": session.source_address,
        "legacy_tls": session.legacy_tls,
        "tls_versions": [_version_json(one) for one in session.tls_versions] or None,
        "starttls_injection": None if injection is None else {"verdict": injection.verdict, "detail": injection.detail},
        "enforcement": None if session.enforcement is None else _enforcement_json(session.enforcement),
        "identity": None if session.identity is None else _identity_json(session.identity),
        "dane": None if session.dane is None else plain(session.dane.facts()),
        "mta_sts": None if session.mta_sts is None else plain(session.mta_sts.facts()),
    }


def _version_json(one: VersionAnswer) -> Json:
    return {
        "version": one.version,
        "works": one.works,
        "cipher": one.cipher or None,
        "group": one.group,
        "group_bits": one.group_bits,
        "detail": one.detail or None,
    }


def _enforcement_json(one: Enforcement) -> Json:
    return {
        "mail": None if one.mail is None else reply_json(one.mail),
        "auth": None if one.auth is None else reply_json(one.auth),
        "mechanism": one.mechanism,
        "problem": one.problem or None,
    }


def _identity_json(who: Identity) -> Json:
    return {
        "server": None if who.server is None else _address_json(who.server),
        "greeting_name": who.greeting_name,
        "ehlo_name": who.ehlo_name,
        "ours": None if who.ours is None else _address_json(who.ours),
        "seen_as": who.seen_as,
        "helo_addresses": [ip for one in who.helo_lookups for ip in one.names],
        "timed_out": who.timed_out,
    }


def _address_json(address: HostAddress) -> Json:
    return {
        "ip": address.ip,
        "ptr": list(address.ptr),
        "forward_confirmed": address.forward_confirmed,
        "generic": address.generic,
    }


def parity_json(sessions: Sequence[Transcript]) -> list[Any] | None:
    """What differs between the sessions; null for a single one. `sessions` are positions in the list of sessions."""
    # A session that was tried again later is no host of its own.
    at = [number for number, session in enumerate(sessions) if not session.superseded]
    if len(at) < 2:
        return None
    return [
        {
            "what": one.what,
            "values": [
                {"value": plain(value), "sessions": [at[place] for place in places]} for value, places in one.values
            ],
        }
        for one in differences([sessions[number] for number in at])
    ]


def policy_json(sts: MtaStsEvidence) -> Json:
    policy = sts.file.policy if sts.file is not None else None
    return {
        "domain": sts.domain,
        "id": sts.id,
        "mode": None if policy is None else policy.mode,
        "mx": None if policy is None else list(policy.mx),
        "problem": None if sts.file is None else sts.file.problem,
    }
