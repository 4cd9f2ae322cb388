"""What an SPF record, the tree behind it, and the result for a client mean (RFC 7208)."""

from __future__ import annotations

from smtpdoc.catalog.checks.spf import advice, client, limits, record, scope
from smtpdoc.catalog.model import CheckSet
from smtpdoc.evidence.auth import SpfEvidence

__all__ = ["ENTRIES", "checks"]

checks = CheckSet[SpfEvidence]("spf")
checks.include(record.checks, limits.checks, scope.checks, client.checks, advice.checks)

ENTRIES = checks.entries
