"""Would a sender that follows a domain's MTA-STS policy deliver to this host? (RFC 8461 section 4)"""

from __future__ import annotations

from smtpdoc.evidence.looks import StsDelivery
from smtpdoc.evidence.smtp import Transcript
from smtpdoc.evidence.transport import MtaStsEvidence
from smtpdoc.grammar.mta_sts import matches

#: RFC 8461 section 4.2 asks for TLS 1.2 or later by way of RFC 7525, today RFC 9325.
_GOOD_VERSIONS = ("TLSv1.2", "TLSv1.3")
_OLD_VERSIONS = ("TLSv1", "TLSv1.1")


def sts_delivery(policy_of: MtaStsEvidence, session: Transcript) -> StsDelivery:
    """Hold a session against the domain's policy; `delivers` is None without a policy that asks for anything, or
    without a session."""
    policy = policy_of.file.policy if policy_of.file is not None else None
    if policy is None or not policy.valid or policy.mode is None:
        return StsDelivery(policy_of.domain, None)
    if policy.mode == "none":
        return StsDelivery(policy_of.domain, "none")
    pattern = next((one for one in policy.mx if matches(one, session.host)), None)
    problems = [] if pattern is not None else ["mx-not-listed"]
    if session.capabilities_before_tls is None and session.tls is None:
        # Not listed is enough for senders; of the host itself nothing is known.
        return StsDelivery(policy_of.domain, policy.mode, pattern, tuple(problems), False if problems else None)
    tls = session.tls
    if tls is None:
        problems.append("old-tls" if session.legacy_tls in _OLD_VERSIONS else "no-starttls")
    else:
        problems += ["old-tls"] if tls.version not in _GOOD_VERSIONS else []
        problems += ["untrusted"] if not tls.trusted else []
        problems += ["name"] if not tls.name_matches else []
    return StsDelivery(policy_of.domain, policy.mode, pattern, tuple(problems), not problems)
