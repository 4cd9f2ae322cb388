"""Phrases about the sending host: block lists, reputation, reverse DNS, HELO names, local rules."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

#: A list's own error answer is no listing. These come before everything that reads "blocked using".
LIST_ERRORS = (
    phrase(
        "list-error",
        "dns-failure",
        "The block list refused the receiver's query: this is no listing",
        r"127\.255\.255\.\d+|query refused|(?:open|public) (?:dns )?resolver|excessive (?:number of )?quer(?:y|ies)|returnc/(?:pub|vol|typing)",
        "550 5.7.1 blocked using multi.uribl.com; 127.0.0.1 -> Query Refused. See http://uribl.com/refused.shtml",
        action="contact-postmaster",
        meaning=(
            "The receiver asked a block list in a way that the list does not answer, and took the error for a listing."
            " Your address or domain need not be listed at all."
        ),
        steps=(
            "Look your address up at the list's own page: it is most likely not listed, and removal cannot help.",
            (
                "Tell the receiver's postmaster, another way: its DNS resolver is refused by the list (open or public resolver,"
                " or too many queries)."
            ),
        ),
    ),
)

#: Local rules about the host that look like lists but are none.
LOCAL_RULES = (
    phrase(
        "not-on-allow-list",
        "client-refused",
        "The receiver takes mail only from servers on its own list",
        r"not (?:in|on) (?:the |our |an? )?(?:white|allow|approved|accept)(?:ed)?[- ]?\s?list|(?:only|just) (?:white|allow)-?listed (?:hosts|ip|servers|clients|senders)",
        "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.",
    ),
    phrase(
        "location",
        "client-refused",
        "The receiver does not take mail from your country or network",
        r"geograph|from (?:your|that|this) (?:location|country|region)|country (?:is )?(?:blocked|not allowed|restrict)|countries\.nerd|geo-?(?:ip|block)",
        "550 Mail from your country is not accepted: geographical restriction",
    ),
    phrase(
        "dynamic-address",
        "client-refused",
        "The receiver takes no mail from dynamic addresses",
        r"dial-?up|dynamic(?:[- ](?:ip|address|range|host|pool|ally)|ally assigned)|residential|consumer (?:ip|range|address)|end-?user range",
        "550 Mail from dynamic IP addresses is not accepted",
    ),
    phrase(
        "short-block",
        "client-refused",
        "The sending server is blocked for a while",
        r"blocked for the day|temporarily blocked (?:for|because|due)(?![^.]{0,60}(?:too (?:fast|many (?:mails|messages|connect))|rate))|(?:ip#\S*|\bip|host|address|you) (?:has been|have been|is|are) temporarily (?:blocked|banned)"
        r"|namespace mining|too many (?:bad|invalid|unknown|non-?existent) (?:recipients|users|commands|rcpt|addresses)|(?:dictionary|directory harvest) attack",
        "554 192.0.2.1 has been temporarily blocked for too many invalid recipients",
    ),
)

LISTS = (
    phrase(
        "domain-listed",
        "domain-blocklisted",
        "A domain is on a block list",
        r"(?:helo|ehlo|sender|from|envelope|mail) ?(?:domain|address)[^;.]{0,40}(?:listed (?:in|on|at|by)|blocked using|is in an? (?:rbl|dbl)|dbl)"
        r"|\b(?:dbl|surbl|uribl|rhsbl|dbl-?listed)\b|uribl|surbl|domainlisturl#|(?:url|uri|link|domain|website)s? (?:in (?:the|your) (?:message|mail|body) )?"
        r"(?:is |are |was |were )?(?:listed|black-?listed|block-?listed|on (?:a|the) (?:block|black)list)(?! (?:for|by (?:this|the) recipient))"
        r"|(?:contains?|containing) (?:an? )?(?:[\w-]+[ -]){0,3}(?:(?:black-?|block-?)?listed|block(?:ed|ing)|black) (?:url|uri|link|domain)|having a domain present|(?:malicious|listed) (?:url|link)",
        "550 5.7.1 Message contains a URL listed in SURBL",
    ),
    phrase(
        "sender-domain-listed",
        "sender-blocked",
        "The receiver has the sender on a list of its own",
        r"sender (?:address |domain |e-?mail )?(?:is )?(?:on|in) (?:\S+ )?(?:local )?(?:black|block)|\b(?:user|sender) (?:is )?in (?:the )?(?:black|block)-?list|(?:your |sender(?:'s)? |from )(?:e-?mail |mail )?(?:domain|address) (?:has been|is|was) (?:black|block)-?listed"
        r"|(?:black|block)-?listed sender|sender (?:is )?(?:black|block)-?listed|header based manually blocked senders|blocked senders?:",
        "550 5.7.1 Your domain has been blacklisted",
    ),
    phrase(
        "address-listed",
        "ip-blocklisted",
        "The sending address is on a block list",
        r"(?:in|on) the (?:cbl|xbl|sbl|pbl|css)\b|spam ?list\b|blocked (?:using|by|via) (?:host#|[\w.-]+\.[a-z]{2,}\b|spamhaus|\w+ dnsbl|trend micro|cloudmark|customer block|senderscore|barracuda|cm-csi|ivmsip)"
        r"|\bdns-?(?:bl|rbl)\b|\brbls?\b|\brbl\+|(?:block|black|deny)[- ]?list(?!ed sender)|block listed|black listed|(?:is|are|was|been|ip|currently) listed (?:in|on|at|by)"
        r"|\blisted (?:in|on|at|by) (?!public|domino|the (?:directory|domino|ldap))|found (?:in|on) (?:\w+ ){0,2}(?:\S+ )?(?:list|listing|rbl|dnsbl)"
        r"|spamhaus|spamcop|\bsorbs\b|uceprotect|barracudacentral|barracudanetworks|abuseat|abusix|invaluement|ivmsip|spamrats|mailspike|hostkarma"
        r"|backscatterer|spam ?rl|real-?time block|\bblacklisted\b|exploits block|block list|listurl#|reputation services?|listing in"
        r"|(?:known|suspected|reported) (?:spam|spammer|abuse) (?:ip|source|host|server)|spammer list|(?:spam|bad|suspected) (?:source|sender) ip|spam ip",
        "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using bl.example.net",
    ),
)

REMOVAL = (
    phrase(
        "removal-route",
        "ip-blocklisted",
        "The sending address is blocked, with a way to be removed",
        r"(?:mail|message|connection)s? (?:refused|rejected|blocked)[ -]{1,3}<?ip#\S*[ -]{1,3}(?:see|visit)|(?:request|ask for) (?:the )?(?:removal|delisting)|\bde-?list|removal (?:request|form|page)|(?:ip|address|host|server|client|sender)\b[^;]{0,80}\b(?:unblock|to be removed)"
        r"|ip#\S*(?: (?:is|was|has been))? (?:refused|rejected|blocked|denied)[^;]{0,12}\b(?:see|visit)\b[^;]{0,12}url#|banned sending ip|blocked for spam[^;]{0,30}(?:see|visit)[^;]{0,10}url#|ip blocked see|blocked - see|block for spam|spamming ip",
        "550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal visit the page",
    ),
)

REPUTATION = (
    phrase(
        "reputation",
        "bad-reputation",
        "The receiver trusts the sending address or domain too little",
        r"reputation|sender ?score|permanently deferred|(?:user|spam|abuse) complaints|complaints? (?:rate|received|about)|spam rate exceeded"
        r"|(?:poor|low|bad) (?:sender )?(?:score|rating|karma)|\bip based\b|weren't sent|high (?:spam|complaint) (?:rate|level|volume)",
        "550 5.7.1 Refused because of the low reputation of the sending address",
    ),
)

REVERSE_DNS = (
    phrase(
        "reverse-dns",
        "no-ptr",
        "The sending address has no proper reverse DNS",
        r"reverse[- ]?(?:dns|hostname|lookup|name|mapping|record|resolution|address)|\br-?dns\b|\bptr\b|ip name (?:lookup|possibly)|fcrdns|forward[- ]confirmed"
        r"|cannot (?:find|resolve) your (?:reverse )?(?:host|address|hostname|domain|ip)|(?:cannot|can't|unable to|could not|failed to) (?:find|resolve|look ?up) (?:your|the (?:client|sending|ip)|client|sending)\b|no (?:host ?name|name|dns) (?:for|found for) (?:your )?(?:ip|address|client)"
        r"|(?:client|your|sending|sender'?s?) (?:host|ip|address|server)[^.]{0,30}(?:does not|doesn't|must|not|cannot|can't) (?:be )?resolv|ip#\S* (?:host )?(?:cannot|can't|could not) be resolved|rdns\b|unresolvable (?:client|host|ip)"
        r"|without a valid sender domain|(?:hostname|host name) lookup (?:fail|error)|in-addr\.arpa|generic (?:host ?name|reverse|dns)",
        "550 5.7.25 The sending address has no reverse DNS entry",
    ),
)

HELO = (
    phrase(
        "helo-name",
        "bad-helo",
        "The EHLO name is refused",
        r"helo command rejected|(?:name|domain|host) in (?:your |the )?(?:helo|ehlo)|\b(?:bad|bogus|invalid|forged|fake|wrong|unacceptable|suspicious) (?:helo|ehlo)|(?:helo|ehlo)(?: name)? (?:is )?(?:denied|rejected|refused)"
        r"|(?:helo|ehlo)(?:[ /](?:helo|ehlo))?(?: name| host ?name| domain| argument| string| identity)?[^.]{0,40}\b(?:does not|doesn't|must|should|not|invalid|forged|spoof|bad|mismatch|missing|unresolv\w*|is (?:in )?my)"
        r"|your (?:helo|ehlo)|(?:helo|ehlo) (?:name|host ?name|domain) (?:is|was)",
        "550 5.7.1 Invalid HELO name",
    ),
)

#: Refusals of the host without any cause. They come late: nearly every other phrase says more.
CLIENT = (
    phrase(
        "client-refused",
        "client-refused",
        "The sending server is refused by a local rule",
        r"client host rejected|^(?:\[\w{1,8}\] )?blocked\W*$|\b(?:mail|e-?mail|messages?|connections?) from ip#\S* (?:is |are )?not (?:allowed|accepted|permitted)|ip (?:is )?forbidden|(?:denies|denied) access|(?:rejected|blocked|denied|banned) (?:host|ip|client|server)\b|(?:your |this |sending |client |remote )?(?:ip|host|server|network|mta|client)(?: address)?(?: ip#\S*| \S*ip#\S*)?"
        r" (?:is |has been |was |are )?(?:not (?:allowed|permitted|authori[sz]ed|accepted)|denied|rejected|refused|banned|forbidden|blocked)"
        r"|bad ip|(?:traffic|mail|connections?) not accepted from (?:this|your)|not (?:in|on) (?:the )?(?:white|allow)-?list|not in whitelist|does not accept (?:e-?mail|mail) over"
        r"|no access for (?:this|your) (?:ip|host|server|network)|not allowed (?:access|to connect)|not (?:allowed|permitted|authori[sz]ed|welcome) to (?:send|connect|deliver|submit)\b|connection refused (?:from|for)|access\b[^.]{0,20}\bforbidden|(?:unauthenticated|direct) mail not allowed|from this range|blocked by (?:ldap|local|administrator|admin|our|firewall)"
        r"|blocked for abuse|abus(?:e|ive) (?:host|ip|network|client)|(?:ip|address)\W+ip#\W[^.]{0,20}(?:blocked|denied|rejected|refused)|may not be mail exchanger"
        r"|ip#\S* (?:is |has been )?(?:blocked|banned|denied|rejected|refused)|we do not accept (?:mail|connections?) from|connection (?:rejected|denied|not (?:allowed|authori[sz]ed))",
        "554 5.7.1 Client host rejected: Access denied",
    ),
    phrase(
        "no-service-for-you",
        "client-refused",
        "The server refuses service to this client at once",
        r"smtp service (?:is )?not available|no smtp service|access (?:was |is )?(?:denied|refused|forbidden)|not (?:welcome|authori[sz]ed) (?:here|to (?:send|use))",
        "554 No SMTP service here",
        codes=(554, 550, 451, 450, 521, 421),
    ),
)
