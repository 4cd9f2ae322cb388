"""Phrases about message authentication, logins, TLS and relaying."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

#: SPF, DKIM and DMARC. Alignment and policies before single checks: they name the checks only in passing.
AUTHENTICATION = (
    phrase(
        "duplicate-header",
        "malformed-message",
        "A header stands twice in the message",
        r"header syntax|\bheader (?:field )?(?:is )?(?:missing|invalid) or (?:missing|invalid)|duplicate (?:\S+ )?headers?\b|multiple (?:\S+ )?headers? (?:found|not allowed)",
        "554 Transaction failed: Duplicate header 'DKIM-Signature'.",
    ),
    phrase(
        "dmarc-refusal",
        "dmarc-fail",
        "The From domain's DMARC policy asks for a refusal",
        r"not accepted due to [^;]{0,60}dmarc|(?:sender|domain)(?:'s|s)? policy (?:prohibits|forbids|does not allow|asks)|dmarc policy[^;]{0,40}temporary dns",
        "550 5.7.26 Unauthenticated email from example.com is not accepted due to the domain's DMARC policy",
    ),
    phrase(
        "authentication-dns",
        "dns-failure",
        "A DNS lookup for SPF, DKIM or DMARC failed",
        r"temporary (?:\w+ )?dns (?:lookup )?(?:failure|error)(?! prevent|s prevent)"
        r"|(?:spf|dkim|dmarc)[^.]{0,40}(?:temporary|temperror|dns) (?:lookup )?(?:error|failure|timeout)",
        "451 4.7.24 SPF temporary error, please try again",
    ),
    phrase(
        "authentication-level",
        "unauthenticated",
        "The sender requirements of the receiver are not met",
        r"required authentication level|fail(?:s|ed)? (?:the )?authentication checks?|multiple authentication (?:checks )?fail|authentication requirements"
        r"|(?:does not|doesn't) have authentication information|(?:domain|mail|message) (?:is )?not authenticated"
        r"(?!.{0,40}dmarc)",
        "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.",
    ),
    phrase(
        "dmarc-alignment",
        "dmarc-fail",
        "The From domain is not aligned with SPF or DKIM",
        r"\b(?:not|isn't|no|without|missing|lacks?)\b[^.]{0,30}\balign|align(?:ed|ment)\b[^.]{0,30}\b(?:fail|missing|required)",
        "550 5.7.1 The From header is not aligned with the authenticated domain",
    ),
    phrase(
        "dmarc-policy",
        "dmarc-fail",
        "DMARC did not pass",
        r"\bdmarc\b[\w'’ :,()#./-]{0,60}\b(?:polic|fail|reject|refus|check|verif|evaluat|quarantine|pass|record|required|violat"
        r"|missing|invalid|bad|denied|block)|\b(?:polic|fail|reject|refus|violat|due to|by|no|missing|invalid|bad|pass)\w*"
        r"[\w'’ :,()#-]{0,40}\bdmarc\b",
        "550 5.7.1 Message rejected because of the DMARC policy of example.com",
    ),
    phrase(
        "neither-spf-nor-dkim",
        "unauthenticated",
        "Neither SPF nor DKIM passed",
        r"\bspf\b ?(?:and|or|nor|/|,|&|\+|and/or) ?(?:a )?(?:valid )?\bdkim\b|\bdkim\b ?(?:and|or|nor|/|,|&|\+|and/or) ?\bspf\b"
        r"|\barc\b[^.]{0,30}(?:fail|invalid|validation)|unauthenticated (?:e-?mail|message|sender is)|sender is unauthenticated",
        "550 5.7.26 The message passes neither SPF nor DKIM checks: SPF and DKIM are required",
    ),
    phrase("dmarc", "dmarc-fail", "DMARC is named as the cause", r"\bdmarc\b", "550 5.7.1 DMARC"),
    phrase(
        "dkim",
        "dkim-fail",
        "DKIM is missing or did not verify",
        r"\bdkim\b(?!-signature'? ?(?:header )?(?:is )?duplic)|domainkeys",
        "550 5.7.20 No passing DKIM signature found",
    ),
    phrase(
        "spf",
        "spf-fail",
        "SPF did not pass",
        r"\bspf\b|sender policy framework|(?:ip#|host|server|address)\W{0,3}(?: is)? not (?:allowed|authori[sz]ed|permitted|designated)"
        r" (?:to send|as a sender|sender)[^.]{0,30}(?:for|from|on behalf|domain)"
        r"|doesn't (?:allow|designate|permit)[\w ]{0,20}send|does not (?:allow|designate|permit)[\w ]{0,20}send(?:ing|er)",
        "550 5.7.23 SPF: 192.0.2.1 is not allowed to send mail from example.com",
    ),
)

#: A login that could not be tried, that is missing, that failed.
LOGIN = (
    phrase(
        "login-unavailable",
        "server-error",
        "The server cannot check logins just now",
        r"temporary authentication failure|unable to authenticate at present|cannot authenticate due to"
        r"|connection lost to authentication server|temporary (?:auth|login)\w* (?:failure|error|problem)"
        r"|authentication (?:server|service|backend)\b[^.]{0,30}(?:unavailable|down|fail|not)",
        "454 4.7.0 Temporary authentication failure",
        meaning="What checks names and passwords does not answer the mail server. The password is not in doubt.",
        steps=(
            "Wait some minutes and try again; do not change the password.",
            "On the server: look at what checks logins (Dovecot's auth service, saslauthd, LDAP, Active Directory) and its log.",
            "Between Exchange servers: compare their clocks, check the Service Principal Names and the connector's certificate.",
        ),
    ),
    phrase(
        "login-for-recipient",
        "recipient-refused",
        "The recipient only takes mail from signed-in senders",
        r"not authenticated (?:for|by) (?:the )?(?:mailbox|group|public folder|organi[sz]ation|recipient|distribution)"
        r"|rst\.senderno|notauthenticatedfor",
        "550 5.7.133 Sender not authenticated for group",
    ),
    phrase(
        "login-missing",
        "auth-required",
        "The server wants a login first",
        r"must issue an auth|(?:only|not|never) (?:\w+ )?(?:allowed|permitted|possible|accepted) (?:with|without|after) (?:\w+ )?(?:auth|log)|(?:receive|check|get|pop|fetch|read|retrieve) (?:your )?(?:new )?(?:mail|e-?mail|messages) (?:first|before)|\bauth is (?:required|needed|mandatory)|authentication (?:is )?(?:required|needed)|(?:you )?must (?:first )?(?:authenticate|log ?in|be authenticated)"
        r"|requires? (?:smtp )?auth|(?:client|sender|user|you)\b[^.]{0,20}\bnot (?:been )?authenticated|(?:log|sign) ?in (?:first|before)"
        r"|unauthenticated senders?|auth(?:entication)? first|please (?:authenticate|log ?in|use smtp auth)|need to authenticate"
        r"|anmeldung erforderlich|authentifizierung (?:erforderlich|notwendig|nötig)|autentica(?:ción|zione|ção|cion|cao) (?:requerid|necesari|richiest|necess(?:á|a)ri|obrigat|obligator)|wymaga(?:ne|na)? (?:jest )?(?:uwierzytelni|autoryzac|logowani)|требуется (?:авторизац|аутентификац)|(?:需要|请先)(?:身份)?(?:验证|認證|认证|登录)|認証が必要|authentification (?:requise|nécessaire|obligatoire)|smtp auth(?:entication)? (?:is )?(?:needed|mandatory)",
        "530 5.7.0 Authentication required",
    ),
    phrase(
        "account-disabled",
        "auth-failed",
        "The account that logs in is switched off",
        r"account (?:is |has been )?(?:disabled|suspended|locked|blocked|inactive)",
        "525 5.7.13 User Account Disabled",
        enhanced="X.7.13",
        meaning="Name and password may be right: the server does not let this account log in (RFC 5248 section 2.4).",
        steps=("Ask whoever runs the server to switch the account on again.", "Stop automatic logins until then."),
    ),
    phrase(
        "mechanism-too-weak",
        "auth-failed",
        "The server wants a stronger login mechanism",
        r"mechanism is too weak",
        "534 5.7.9 Authentication mechanism is too weak",
        meaning="The user may not log in with this mechanism; the password itself was not judged (RFC 4954 section 6).",
        steps=(
            "Choose a stronger mechanism from the second EHLO answer: SCRAM, or OAuth.",
            "Some providers mean an application password or OAuth by this: create one in the account's settings.",
        ),
    ),
    phrase(
        "password-transition",
        "auth-failed",
        "The account needs one login with PLAIN before this mechanism works",
        r"password transition",
        "432 4.7.12 A password transition is needed",
        meaning="The server stores the password in a form that this mechanism cannot use yet (RFC 4954 section 6).",
        steps=("Log in once with PLAIN, under TLS; afterwards this mechanism works.",),
    ),
    phrase(
        "login-refused",
        "auth-failed",
        "The login was refused",
        r"failed log-?ins?|log-?in attempts|(?:for|from) smtp (?:login|auth)|authentication (?:credentials |mechanism |has |is )?(?:fail|invalid|unsuccessful|rejected|denied|error|too weak|disabled)"
        r"|\bauth(?:ori[sz]ation)?\.? (?:has )?(?:fail|error|unsuccessful|invalid)|(?:incorrect|invalid|wrong|bad) (?:auth\w*|credentials|password"
        r"|user(?:name)?(?:\W{1,4}|\W{1,3}(?:or|and) )pass\w*|log-?in|user/pass)|(?:password|credentials?|user ?name and password)"
        r" (?:is |are |was )?(?:not accepted|incorrect|invalid|wrong|required|expired|fail)|log-?in (?:has )?(?:fail|incorrect|invalid|denied|disabled"
        r"|is disabled)|application-specific password|too many (?:failed )?(?:log-?in|auth\w*) (?:attempts|failures)|cannot assume other role"
        r"|smtpclientauth\w* is disabled|mechanism is too weak|web ?login required|not accepted[^.]{0,20}badcredentials"
        r"|log in (?:via|with) your web browser|access not configured|oauth\w*[^.]{0,20}(?:fail|invalid|error)",
        "535 5.7.8 Error: authentication failed",
    ),
)

#: TLS that is wanted and missing, or wanted and impossible.
TLS = (
    phrase(
        "tls-impossible",
        "tls-failed",
        "TLS is wanted and cannot be had",
        r"(?:starttls|tls|encryption)\b[^.]{0,40}\b(?:but (?:was |is )?not|not (?:offered|available|currently available)|unavailable"
        r"|handshake|negotiation (?:fail|error))|refused to start tls|(?:does not|doesn't) (?:support|offer) (?:starttls|tls)|ssl_(?:accept|connect)|cannot start tls|tls (?:connect\w*|session|set-?up) (?:fail|error)|mta-sts|\btlsa\b|\bdane\b|starttls-not-supported"
        r"|certificate\b[^.]{0,60}(?:verif|fail|expired|mismatch|invalid|untrusted|not trusted|must|revoked|self-signed)"
        r"|(?:invalid|expired|untrusted|bad) certificate|(?:tls|ssl) (?:error|failure|failed|handshake)|server certificate"
        r"|no matching (?:tls|certificate)",
        "454 4.7.0 TLS not available due to local problem",
    ),
    phrase(
        "tls-missing",
        "tls-required",
        "The server wants TLS first",
        r"must issue a starttls|secure connection (?:is )?(?:requ|need|mandator)|only (?:tls|encrypted|secure)\b|starttls (?:command )?(?:is )?(?:required|first|needed)|(?:session )?encryption (?:is )?(?:required|needed|mandatory)"
        r"|(?:requires?|must use|need(?:s|ed)?|use) (?:an? )?(?:encrypted|tls|ssl|starttls|encryption)|requiretls only"
        r"|(?:tls|ssl) (?:is )?(?:required|mandatory|needed)|(?:not|un)[- ]?encrypted (?:connection|session)|tls-encrypted connection"
        r"|(?:using|over|via|without) (?:a )?(?:tls|secure) connection|plaintext authentication",
        "530 5.7.0 Must issue a STARTTLS command first",
    ),
)

RELAY = (
    phrase(
        "relay",
        "relay-denied",
        "The server does not relay for this client",
        r"relay(?:ing)?\)?(?: access| of \w+)? (?:is )?(?:denied|disallowed|not (?:permitted|allowed|authori[sz]ed)|prohibited|rejected|refused|forbidden)"
        r"|(?:denies|deny|no|not|unauthori[sz]ed|isn't|unable to|cannot|won't|don't|refuse to|illegal|prohibit\w*|attempt(?:ed)? to|denied|credentials for)"
        r" (?:\w+ ){0,3}relay|as a relay|not (?:currently |be )?(?:permitted|allowed|configured|authori[sz]ed|able) to (?:\w+ )?relay|relaying to"
        r"|\brelay not|(?:only local|local) users?(?: only|$)|relaying mail|rcpthosts|locally hosted|not (?:a )?local (?:domain|host)|not our domain"
        r"|(?:do(?:es)? not|don't|doesn't) (?:host|handle mail for|accept mail for|deliver mail for|serve) (?:this |the |that )?(?:domain|recipient domain|host#)"
        r"|not (?:configured|responsible|authoritative) for (?:this |the |that )?(?:domain|host)|not hosted here|not (?:a )?local recipient|domain (?:is )?not (?:hosted|local|handled|served) (?:here|on|by)|not (?:a )?gateway|check for new mail before sending"
        r"|recipient domain not (?:allowed|accepted|local)|relay(?:ing)? (?:weiter|interdit|non autoris|no permitido)|relay attempt|retransmis\w+ (?:negad|denegad|n(?:ã|a)o (?:permitid|autorizad)|no (?:permitid|autorizad))|relais (?:refus|interdit|non autoris)|weiterleit\w+ (?:nicht (?:erlaubt|gestattet|zulässig)|verweigert)|inoltro (?:negato|non)|rcpthosts|(?:пересылка|ретрансляция|релей)\S*[^.]{0,20}(?:запрещ|не (?:разреш|допуск))|(?:中继|轉發|转发)\S{0,6}(?:拒绝|拒絕|禁止)",
        "554 5.7.1 <user@example.net>: Relay access denied",
    ),
)
