"""The page of `auth-check`: a line per topic, the SPF tree, findings with fixes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from smtpdoc.evidence.auth import (
    DkimEvidence,
    DmarcEvidence,
    HostAddress,
    MxEvidence,
    PtrEvidence,
    SpfEvidence,
    SpfNode,
    TopicStatus,
)
from smtpdoc.evidence.dnssec import DnssecState
from smtpdoc.evidence.domain import AuthEvidence
from smtpdoc.findings import Finding, Level, worst
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.senders import host_provider
from smtpdoc.render.text import Page, plural, tally
from smtpdoc.render.text_senders import bulk_line, senders_blocks
from smtpdoc.render.text_spf_tree import LOOKUP_LIMIT, render_spf_tree
from smtpdoc.render.text_transport import NO_RECORD, SAID_BY_TLS_LINE, TLS_TOPICS, UNDETERMINED, bimi_words, tls_words
from smtpdoc.report import Report

_NAME_WIDTH = 7


def render_auth(page: Page, report: Report, evidence: AuthEvidence) -> None:
    """Print the compact report of one domain; in quiet mode only its verdict line."""
    if page.quiet:
        verdict(page, report)
        return
    queries = f"{plural(evidence.queries, 'lookup')} in {evidence.elapsed_s:.2f} s"
    head = Text(printable(evidence.domain), "head")
    if "xn--" in evidence.domain:
        from smtpdoc.grammar.idn import readable_name  # few domains need it

        head.append(f"  {printable(readable_name(evidence.domain) or '')}", "quiet")
    page.split(head, queries)
    lines = tuple(topic_lines(evidence, verbose=page.verbose))
    if lines:
        page.blank()
    for name, words in lines:
        if evidence.dnssec is not None and evidence.dnssec.state is DnssecState.BOGUS:
            words = words.replace("DNS did not answer", "DNSSEC fails")
        topics = TLS_TOPICS if name == "TLS" else (name.lower(),)
        level = worst(section.level for section in report.sections if section.name in topics)
        if level is Level.PASS and UNDETERMINED in words:  # told once for the domain, not again by every topic
            level = Level.UNKNOWN
        if level is Level.PASS and words == NO_RECORD:  # nothing wrong, and nothing there
            level = Level.INFO
        first = Text.assemble((f"{name:<{_NAME_WIDTH}}", "head"), page.mark(level), "  ")
        page.hanging(first, words)
    bulk_line(page, evidence.bulk_senders, _NAME_WIDTH)
    if evidence.spf is not None and evidence.spf.tree is not None and evidence.spf.tree.record is not None:
        render_spf_tree(page, evidence.spf, evidence.spf.tree)
    if page.verbose:
        senders_blocks(page, evidence)
    shown = [finding for finding in report.findings if page.verbose or _is_news(finding)]
    if shown:
        page.blank()
        page.findings(shown)
    page.blank()
    verdict(page, report)


def _is_news(finding: Finding) -> bool:
    """False for what the topics' own lines have said already."""
    return finding.level is not Level.PASS and finding.id not in SAID_BY_TLS_LINE


def verdict(page: Page, report: Report) -> None:
    words = tally(report.findings)
    if page.quiet:
        words = f"{report.target}  {words}"
    page.line(Text.assemble(page.mark(report.level), " ", (printable(words), "head")))


# -- topics ----------------------------------------------------------------------


def topic_lines(evidence: AuthEvidence, *, verbose: bool = False) -> Iterable[tuple[str, str]]:
    """Yield a topic's name and its one line, in the order of looks.md, for the topics that ran.

    That most domains have no BIMI is worth a line in verbose mode only.
    """
    if evidence.mx is not None:
        yield "MX", mx_words(evidence.mx)
    if evidence.spf is not None:
        yield "SPF", spf_words(evidence.spf)
    if evidence.dkim is not None:
        yield "DKIM", dkim_words(evidence.dkim)
    if evidence.dmarc is not None:
        yield "DMARC", dmarc_words(evidence.dmarc)
    if evidence.ptr is not None:
        yield "PTR", ptr_words(evidence.ptr)
    if tls := tls_words(evidence):
        yield "TLS", tls
    if evidence.bimi is not None and (verbose or evidence.bimi.status is not TopicStatus.ABSENT):
        yield "BIMI", bimi_words(evidence.bimi)
    if evidence.dnsbl is not None:
        from smtpdoc.render.text_dnsbl import dnsbl_words  # few runs ask block lists

        yield "DNSBL", dnsbl_words(evidence.dnsbl)


def mx_words(mx: MxEvidence) -> str:
    if mx.status is TopicStatus.UNKNOWN:
        return "could not be determined: DNS did not answer"
    if mx.null_mx:
        return "null MX: this domain takes no mail"
    if not mx.hosts:
        return "no MX and no address: mail for this domain has nowhere to go"
    providers = list(dict.fromkeys(name for host in mx.hosts if (name := host_provider(host.host))))
    words = plural(len(mx.hosts), "host")
    if len(mx.hosts) == 1:
        words = mx.hosts[0].host
    if providers:
        words += " at " + ", ".join(providers)
    if mx.implicit:
        words = f"no MX; the address of {mx.domain} itself is used"
    addresses = [address for host in mx.hosts for address in host.addresses]
    asked = [answer for host in mx.hosts for answer in (host.a, host.aaaa) if answer is not None]
    if not addresses and not all(answer.answered for answer in asked):
        return f"{words}; addresses could not be determined"
    return f"{words}, {_confirmed_words(addresses)}"


def _confirmed_words(addresses: list[HostAddress]) -> str:
    if not addresses:
        return "without any address"
    confirmed = sum(address.forward_confirmed is True for address in addresses)
    if confirmed == len(addresses):
        return "forward-confirmed" if confirmed == 1 else "all forward-confirmed"
    unknown = sum(address.forward_confirmed is None for address in addresses)
    if unknown == len(addresses):
        return "reverse DNS could not be determined"
    words = f"{confirmed} of {len(addresses)} addresses forward-confirmed"
    return words + (f", {unknown} could not be determined" if unknown else "")


def spf_words(spf: SpfEvidence) -> str:
    match spf.status, spf.result:
        case TopicStatus.UNKNOWN, _:
            return "could not be determined: DNS did not answer"
        case TopicStatus.ABSENT, _:
            return "no record"
    words = f"{plural(spf.lookups, 'lookup')} of {LOOKUP_LIMIT}"
    if spf.lookups > LOOKUP_LIMIT:
        words = f"needs {plural(spf.lookups, 'lookup')}, receivers stop at {LOOKUP_LIMIT}"
    elif spf.result == "permerror":
        words = f"broken: receivers answer permerror ({words})"
    elif spf.result == "temperror":
        words = "part of it could not be determined: DNS did not answer"
    elif spf.tree is not None:
        words = f"{words}, ends in {_ending(spf.tree)}"
    for check in spf.checks:
        words += f"; {check.ip} {check.result}"
    return words


def _ending(node: SpfNode) -> str:
    """Return the term that decides for everybody else."""
    for term in reversed(node.terms):
        if term.term.lower().endswith("all") or term.term.lower().startswith("redirect="):
            return term.term
    return "nothing (neutral for everybody else)"


def dkim_words(dkim: DkimEvidence) -> str:
    found = []
    for selector in dkim.selectors:
        if selector.status is TopicStatus.ABSENT:
            continue
        name = selector.selector + (f" ({selector.sender})" if selector.sender else "")
        key = {"rsa": "RSA", "ed25519": "Ed25519"}.get(selector.key_type or "", selector.key_type or "")
        size = str(selector.key_bits) if selector.key_bits and key == "RSA" else ""
        state = "revoked" if selector.revoked else f"{key} {size}".strip()
        if selector.status is TopicStatus.INVALID and not selector.revoked:
            state = "broken"
        if selector.status is TopicStatus.UNKNOWN:
            state = "could not be determined"
        found.append(f"{name} {state}")
    if dkim.proven_absent:
        return "none: _domainkey does not exist, so no selector can"
    others = dkim.tried - len(dkim.selectors)
    if not found:
        if dkim.unanswered >= dkim.tried:
            return "could not be determined: DNS did not answer"
        return f"no key at the {dkim.tried} names tried; a selector can only be guessed (--selector NAME)"
    words = " · ".join(found)
    return words + (f"; {others} other names tried" if others > 0 else "")


def dmarc_words(dmarc: DmarcEvidence) -> str:
    if dmarc.status is TopicStatus.UNKNOWN:
        return "could not be determined: DNS did not answer"
    if dmarc.status is TopicStatus.ABSENT:
        return "no record"
    if dmarc.record is None:
        return (
            "more than one record: receivers use none"
            if len(dmarc.records) > 1
            else "a record that is not read as DMARC"
        )
    if dmarc.applies is None:
        return "a record that receivers will not use"
    meaning = {
        "none": "failures are reported, nothing is enforced",
        "quarantine": "failures go to the spam folder",
        "reject": "failures are refused",
    }.get(dmarc.applies, "")
    words = f"p={dmarc.applies}: {meaning}"
    if dmarc.found_at and dmarc.found_at != f"_dmarc.{dmarc.domain}":
        words += f", from {dmarc.found_at.removeprefix('_dmarc.')}"
    return words


def ptr_words(ptr: PtrEvidence) -> str:
    def words(address: HostAddress) -> str:
        name = address.ptr[0] if address.ptr else "no name"
        state = {True: "confirmed", False: "not confirmed", None: "could not be determined"}[address.forward_confirmed]
        return f"{address.ip} {name} ({state})" if address.ptr else f"{address.ip} {name}"

    return " · ".join(words(address) for address in ptr.addresses)
