"""Block list answers that are errors of the query and not listings: the receiver's DNS set-up is at fault.

These have to be tried before dnsbl.py, because the same replies name the list as well.
"""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.evidence.explanation import Retry, Who
from smtpdoc.findings import Source

_ZONES = Source(
    "Spamhaus zones and return codes",
    None,
    "https://docs.spamhaus.com/datasets/docs/source/10-data-type-documentation/datasets/040-zones.html",
)
_USAGE = Source("Spamhaus: return codes of errors", None, "https://www.spamhaus.org/faqs/dnsbl-usage/")
_RETRY = Retry(True, (3600, 21600, 86400), 432000)
_RECEIVER = "Receiver: let the mail server ask a resolver of its own (not 8.8.8.8, 1.1.1.1 or the provider's), and compare the list's return codes instead of any answer."

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="spamhaus.error-open-resolver",
        provider="spamhaus",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the receiver asks Spamhaus through a public resolver",
        meaning="Spamhaus answers 127.255.255.254 to queries from public or anonymous resolvers. The receiver takes this error for a listing and so refuses everybody.",
        text=r"127\.255\.255\.254|spamhaus.{0,160}\b(open|public|generic|anonymous)[ /-]?(/ ?anonymous )?(dns )?(resolver|rdns|dns)\b|returnc/pub|open resolver[;:].{0,80}spamhaus",
        causes=(
            "The receiving server uses 8.8.8.8, 1.1.1.1, 9.9.9.9 or a hosting provider's shared resolver.",
            "Its filter reads every answer of the list as a hit.",
        ),
        steps=(
            "Do not ask for removal: your address is not listed because of this reply. Verify it at https://check.spamhaus.org/.",
            "Tell the receiving postmaster by another channel and quote the code 127.255.255.254.",
            _RECEIVER,
            "Receiver with Postfix: reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]. The free Data Query Service with a key also works from shared resolvers.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip} --dnsbl",),
        sources=(_USAGE, _ZONES),
        example="554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org; Error: open resolver; https://www.spamhaus.org/returnc/pub/192.0.2.53",
        examples=("550 5.7.1 Rejected, listed at zen.spamhaus.org (127.255.255.254)",),
    ),
    ReplyEntry(
        id="spamhaus.error-too-many-queries",
        provider="spamhaus",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the receiver asks Spamhaus too often",
        meaning="Spamhaus answers 127.255.255.255 when the receiver's queries go over the free allowance. The receiver takes this error for a listing and so refuses everybody.",
        text=r"127\.255\.255\.255|spamhaus.{0,160}\b(excessive|too many|over) (number of )?quer|returnc/vol|excessive number of queries",
        steps=(
            "Do not ask for removal: verify at https://check.spamhaus.org/ that your address is not listed.",
            "Tell the receiving postmaster by another channel and quote the code 127.255.255.255.",
            "Receiver: get a key for the Data Query Service, cache answers in a local resolver, and compare return codes.",
        ),
        commands=("smtpdoc auth-check {domain} --ip {ip} --dnsbl",),
        sources=(_USAGE, _ZONES),
        example="550 5.7.1 Service unavailable; client [192.0.2.10] blocked using zen.spamhaus.org; Excessive number of queries; https://www.spamhaus.org/returnc/vol",
    ),
    ReplyEntry(
        id="spamhaus.error-wrong-name",
        provider="spamhaus",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the receiver asks for a Spamhaus zone that does not exist",
        meaning="Spamhaus answers 127.255.255.252 when the zone name in the receiver's configuration has a typing error.",
        text=r"127\.255\.255\.252|spamhaus.{0,160}\b(typing|zone name) error|returnc/typ",
        steps=(
            "Tell the receiving postmaster by another channel and quote the code 127.255.255.252.",
            "Receiver: correct the zone's name in the configuration (zen.spamhaus.org, or KEY.zen.dq.spamhaus.net).",
        ),
        sources=(_USAGE, _ZONES),
        example="554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhouse.example (127.255.255.252)",
    ),
    ReplyEntry(
        id="spamhaus.error-ip-in-dbl",
        provider="spamhaus",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the receiver looks an IP address up in a domain list",
        meaning="The DBL holds domains only and answers 127.0.1.255 to every IP address. The receiver takes this error for a listing.",
        text=r"127\.0\.1\.255|spamhaus.{0,160}no ip queries|\bdbl\b.{0,80}no ip queries allowed",
        steps=(
            "Do not ask for removal.",
            "Tell the receiving postmaster by another channel and quote the code 127.0.1.255.",
            "Receiver: use dbl.spamhaus.org for domains (reject_rhsbl_…) and zen.spamhaus.org for addresses (reject_rbl_client).",
        ),
        sources=(_ZONES,),
        example="554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using dbl.spamhaus.org; No IP queries allowed! 127.0.1.255",
    ),
    ReplyEntry(
        id="uribl.error-query-refused",
        provider="uribl",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: URIBL refuses the receiver's queries",
        meaning="URIBL answers 127.0.0.1 with 'Query Refused' to resolvers that ask too much. The receiver takes this error for a listing of every domain.",
        text=r"uribl.{0,200}quer(y|ies) (was |were |is |are )?(refused|denied|blocked)|quer(y|ies) refused.{0,120}uribl|uribl\.com/refused",
        steps=(
            "Do not ask for removal: verify at https://admin.uribl.com/ that the domain is not listed.",
            "Tell the receiving postmaster by another channel.",
            _RECEIVER,
        ),
        sources=(Source("URIBL: query refused", None, "http://uribl.com/refused.shtml"),),
        example="554 5.7.1 Service unavailable; Client host [mail.example.com] blocked using multi.uribl.com; 127.0.0.1 -> Query Refused. See http://uribl.com/refused.shtml for more information [Your DNS IP: 192.0.2.53]",
    ),
    ReplyEntry(
        id="surbl.error-blocked",
        provider="surbl",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: SURBL refuses the receiver's queries",
        meaning="SURBL answers 127.0.0.1 to resolvers that may not use the free service. The receiver takes this error for a listing.",
        text=r"surbl.{0,160}(quer(y|ies) (refused|blocked|denied)|access (denied|blocked)|127\.0\.0\.1\b)",
        steps=(
            "Do not ask for removal: verify at https://www.surbl.org/surbl-analysis.",
            "Tell the receiving postmaster by another channel.",
            _RECEIVER,
        ),
        sources=(Source("SURBL usage policy", None, "https://www.surbl.org/usage-policy"),),
        example="550 5.7.1 Message contains a link listed in multi.surbl.org (127.0.0.1, query refused)",
    ),
    ReplyEntry(
        id="barracuda.error-unregistered",
        provider="barracuda",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the receiver's resolver may not ask Barracuda",
        meaning="Barracuda's list answers registered resolvers only. The receiver takes the refusal for a listing.",
        text=r"barracuda.{0,160}(quer(y|ies) (refused|denied|blocked)|not registered|unregistered)",
        steps=(
            "Verify at https://www.barracudacentral.org/lookups that your address is not listed.",
            "Tell the receiving postmaster by another channel; the resolver's address has to be registered at barracudacentral.org.",
        ),
        sources=(Source("Barracuda Central", None, "https://www.barracudacentral.org/rbl"),),
        example="554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using b.barracudacentral.org; query refused, resolver not registered",
    ),
    ReplyEntry(
        id="dnsbl.error-refused",
        reason="dns-failure",
        action="contact-postmaster",
        who=Who.RECEIVER_ADMIN,
        retry=_RETRY,
        title="Not a listing: the block list refused to answer the receiver",
        meaning="The reply shows an error of the list (refused, over the limit, open resolver) and not an entry. The receiver's DNS or filter is set up wrongly and probably refuses everybody.",
        text=r"(dnsbl|rbl|block ?list|black ?list|blocked using|listed (at|by|in)).{0,200}(query refused|queries refused|excessive quer|open (dns )?resolver|public (dns )?resolver|query limit|over (the )?(query )?quota|rate ?limit(ed)? exceeded|127\.255\.255\.\d+)|127\.255\.255\.\d+",
        steps=(
            "Look your address up on the list's own web page; it is probably not there.",
            "Tell the receiving postmaster by another channel and quote the whole reply.",
            _RECEIVER,
        ),
        example="554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using dnsbl.example.org; Query refused, open resolver",
    ),
)
