"""The line of `auth-check` about DNS block lists."""

from __future__ import annotations

from smtpdoc.evidence.dnsbl import DnsblEvidence, ListState, Role
from smtpdoc.render.text import plural

_SHOWN = 4


def dnsbl_words(dnsbl: DnsblEvidence) -> str:
    working = sum(one.state is ListState.WORKING for one in dnsbl.lists)
    if not working:
        return "could not be determined: no list answered"
    addresses = sum(subject.role is not Role.DOMAIN for subject in dnsbl.subjects)
    asked = f"{plural(addresses, 'address')} and the domain" if addresses else "the domain"
    listings = [f"{answer.subject.name} on {answer.block_list.name}" for answer in dnsbl.listed]
    words = f"{asked} on none of {plural(working, 'list')}"
    if listings:
        more = f" · {len(listings) - _SHOWN} more" if len(listings) > _SHOWN else ""
        words = " · ".join(listings[:_SHOWN]) + more
    others = len(dnsbl.lists) - working
    return words + (f"; {plural(others, 'list')} left out" if others else "")
