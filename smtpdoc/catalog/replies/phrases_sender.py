"""Phrases about the sender's address and account, and about volume."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

_FROM = r"(?:sender|mail ?from|from|envelope|return[- ]path|reverse[- ]path|originator|expediteur|emetteur|émetteur|absender|mittente|remitente)"

SENDER = (
    phrase(
        "sender-check-pending",
        "sender-invalid",
        "The sender's address could not be checked yet",
        r"verification in progress|could not complete sender verif|sender verif\w+ (?:in progress|temporar|deferred|pending)|sender address rejected: unverified address|sender (?:callout|verify)[^.]{0,20}(?:defer|temporar|timed? ?out)",
        "450 4.1.7 Sender address rejected: unverified address: Address verification in progress",
        action="retry",
    ),
    phrase(
        "sender-not-yours",
        "sender-blocked",
        "The sender address does not belong to this login or host",
        r"not owned by|mail ?from (?:address )?must (?:be (?:the )?same|equal|match)|send ?as ?denied|not the owner of|(?:do(?:es)? not|don't|doesn't) own|not logged in|(?:must|does not|doesn't|should) (?:match|belong to)[^.]{0,30}(?:auth|user|login|account|sender)|not allowed to (?:send|use)[^.]{0,20}(?:from this|this (?:address|sender)|as )|spoof|(?:send as|send-as)\b|sender (?:e-?mail )?(?:address )?is not in my domain"
        r"|sender (?:address )?(?:mismatch|does not match)|not (?:permitted|authori[sz]ed|allowed) to send (?:as|mail as|on behalf)|forged sender|unregistered domains?|(?:from|sender) (?:address )?(?:is )?not (?:verified|registered)|sender not allowed for|address not owned|impersonat",
        "553 5.7.1 Sender address rejected: not owned by user",
        action="fix-config",
    ),
    phrase(
        "sender-invalid",
        "sender-invalid",
        "The sender's address or domain does not exist",
        _FROM
        + r"(?:'s)?\b(?! ip\b)(?: e-?mail| mail| envelope)?(?: address| domain| host)?\W[^.;]{0,50}\b(?:not found|(?:not|n't) have (?:\w+ ){0,3}(?:mx|dns|a record)|does ?n[o']t (?:exist|resolve)|not exist|must (?:exist|resolve)|invalid|unresolvable|resolve fail|reserved (?:domain|tld|name)|unknown tld|cannot (?:be )?(?:resolve|verif)|could not be (?:resolve|verif)|not (?:be )?resolv|no (?:a|mx|valid)\b|has no|null mx|not configured for mail|unroutable|unrouteable|undeliverable|user unknown|unknown user|unverifi|non-?existent|no such|verif\w* fail|not valid|unknown|bad dns|has null)"
        r"|(?:unroutable|unrouteable|invalid|unknown|bad|fake|non-?existent|unresolvable|undeliverable|unverifiable|incorrect) (?:e-?mail |envelope )?(?:sender|mail ?from|return[- ]path|reverse[- ]path)(?!'s quota)|(?:sender|postmaster|callout|callback|call-?back|mailfrom|return path)\b[^.]{0,20}\b(?:verify|verification|check|validation) (?:has )?fail"
        r"|(?:cannot|could not|unable to|can't|failed to) (?:verify|validate|resolve|check) (?:the |your )?(?:sender|mail ?from|from\b|envelope|return|originator)|call-?(?:back|out) (?:has )?fail|verify mailfrom failed|mail from invalid|(?:emetteur|expediteur) invalide|sender domain (?:must|not|does)|domain of sender address|sender verif\w+ fail|verification failed for|no such domain[^.]{0,20}sender|from: domain is invalid|invalid return[- ]path|domain may not exist|(?:absender|expéditeur|mittente|remitente|remetente|nadawc|отправител|发件人|寄件者|差出人|送信者)\S*[^.]{0,30}(?:unbekannt|existiert nicht|n\'existe pas|invalide?|inesistente|no existe|não existe|inv(?:á|a)lid|nie istnieje|не существует|недействител|не найден|不存在|无效|無效|存在し)",
        "450 4.1.8 Sender address rejected: Domain not found",
    ),
    phrase(
        "sender-blocked",
        "sender-blocked",
        "This sender is blocked",
        r"(?:sender|from|envelope)(?:'s)?\b(?: e-?mail| mail)?(?: address| domain| mx record| account)?\W{0,3}(?: \S*addr#\S*)? (?:is |was |has been )?(?:rejected|blocked|denied|refused|banned|not (?:allowed|permitted|accepted|authori[sz]ed|welcome)|prohibited|on (?:our|the|a) (?:block|black))|denies the sender"
        r"|(?:banned|blocked|rejected|unwanted|denied|unauthori[sz]ed|undesired|disallowed) senders?|envelope blocked|client blocked from sending|(?:your|this|sender'?s?) (?:account|tenant|mailbox|user)\b[^.]{0,30}(?:blocked|suspended|disabled|restricted|banned|not allowed) (?:from|to|for|due)?[^.]{0,20}send|sending denied|(?:blocked|prohibited|restricted|not allowed|barred|disabled) from sending|sending (?:for|from|of) (?:this|your) (?:account|mailbox|user|address) (?:is |has been )?(?:disabled|blocked|suspended|restricted)|unusual activity (?:in|from|on) your|(?:blocked|suspended|disabled|locked) your account"
        r"|no access for (?:this|your) (?:user|domain|sender|account)|your (?:e-?mail )?(?:address|domain|account) (?:has been|is|was) (?:blocked|banned|rejected)|sender (?:address )?blocked|spam abuse detected|outbound spam|bad outbound sender|we do not (?:want|accept) (?:mail|e-?mail) from (?:you|this sender|addr#)|do not accept mail from (?:you|this|that)|in (?:my|our|their|the) (?:kill|block|reject|bad)\w*|(?:your|sender) address is not (?:an? )?(?:liked|accepted|allowed|permitted|welcome)|outgoing (?:e-?mail|mail) (?:is |has been )?(?:disabled|suspended|blocked)|compromised account|(?:mail|messages?) from (?:\S*addr#\S*|this (?:sender|domain|address)|your domain) (?:is |are |was |has been |have been )?(?:not (?:allowed|accepted|permitted|welcome)|rejected|blocked|refused|denied|banned)",
        "554 5.7.1 Sender address rejected: Access denied",
    ),
)

QUOTA = (
    phrase(
        "own-quota",
        "sender-quota",
        "Your own sending allowance is used up",
        r"sendquota|send quota|max defers|defers and failures|(?:daily|hourly|monthly) (?:limit|quota) (?:for|of|on) (?:outgoing|outbound|sending|sent)|(?:submission|sending|outgoing|outbound|relay) (?:quota|limit|threshold|allowance|message limit)|(?:tenant|customer|subscriber|your account|your plan|trial|mailbox|account|organi[sz]ation)\b[^.]{0,50}\b(?:exceeded|reached|over|has hit)[^.]{0,40}\b(?:threshold|daily|hourly|sending|limit(?:s)? for sending|messages? (?:limit|sent)|email limit|recipient rate)"
        r"|(?:sender'?s?|you|you've)(?: have| has)?\b[^.]{0,20}\b(?:exceeded|reached|hit)[^.]{0,20}\b(?:daily|hourly|sending|quota|monthly|allowed|maximum number of (?:messages|emails) (?:per|allowed))(?![^.]{0,40}(?:to this recipient|connection))|over past 24h|daily (?:user |smtp )?(?:sending|message|email) (?:quota|limit)|recipient rate limit|maximum credits|monthly (?:quota|limit)"
        r"|maxoutgoing|too many (?:messages|emails|mails) sent (?:today|from (?:your|this) account)|sender hourly|hourly (?:e-?mail )?(?:sending )?(?:quota|limit) (?:for|of|has)|mail(?:s|ing)? quota exceeded|send(?:ing)? limit (?:exceeded|reached)",
        "550 5.4.5 Daily user sending limit exceeded",
    ),
)

RATE = (
    phrase(
        "authentication-slowed",
        "rate-limited",
        "Gmail saw an unusual rate of mail",
        r"unusual (?:rate|amount|volume|number) of",
        "421 4.7.28 We detected an unusual rate of unsolicited mail from your DKIM domain",
    ),
    phrase(
        "recipients-per-time",
        "rate-limited",
        "Too many recipients or messages in this span of time",
        r"too many (?:recipients|messages|e-?mails|mails|connections|sessions|requests)[^.]{0,30}(?:this|per|an?|in the (?:last|past)|in one|within) (?:hour|minute|day|session|connection|second|short)|recipients?\b[^.]{0,20}\b(?:hourly|daily|per hour|per day)|(?:domain|recipients?) (?:daily|hourly) (?:quota|limit)|(?:daily|hourly) (?:recipient|domain|receiving)\w* (?:quota|limit)"
        r"|(?:exceeded|limit)[^.]{0,60}\b(?:to|from) (?:this|specific|the same|one|a single) (?:recipient|sender|mailbox|ip)|(?:receive|receiving|message|mail) (?:rate |messages? )?(?:limit|quota)[^.]{0,30}(?:exceeded|reached|specific sender)|rate that prevents",
        "450 4.2.1 Too many messages for this recipient this hour",
    ),
    phrase(
        "rate",
        "rate-limited",
        "Too much mail or too many connections for this receiver",
        r"rate[- ]?limit|being limited|ratelimit|throttl|frequency limit|(?:too|very) many (?:concurrent |simultaneous |open |smtp |parallel |active )*(?:connections?|sessions?|messages?|e-?mails?|mails?|auth|requests|commands?|errors|connects|threads|transactions|deliveries)|too much (?:mail|e-?mail|traffic)|too (?:fast|quickly|frequent)"
        r"|(?:connection|message|mail|sending|delivery|concurren\w+|thread|session|smtp|client|recipient|sender|host|ip) (?:rate|count|frequency|limit)s? (?:limit |has been |is |was )?(?:exce?eded|reached|hit|high|limited|too)|rate (?:for (?:this|your) \w+ )?(?:is |has )?(?:exceeded|exceeds|too high|control)|max(?:imum)?\.? (?:number of )?(?:concurrent |simultaneous )?(?:messages?|connections?|sessions?)\b(?! size| length)(?: \w+)? (?:per|reached|exceeded|allowed|in)"
        r"|(?:exce?eded|reached|over) (?:the |your |its )?(?:max(?:imum)? |allowed |permitted )*(?:number|limit|amount|count|rate) (?:of|for) (?:\w+ )?(?:messages?|connections?|mails?|e-?mails?|sessions?|sends?|deliveries)|slow(?:ing)? down|mail flood|flood(?:ing)?\b|concurrent connection|messages? per (?:connection|session|hour|minute|day)|connections? (?:per|limit)|hourly limit|daily limit|per hour"
        r"|received too many|too many[^.]{0,20}from (?:your|this|ip#|the same)|ip frequency|try sending (?:slower|less)|reduce (?:your|the) (?:rate|number of conn|speed)|(?:volume|traffic) (?:limit|too high|exceeded)|account service is temporarily unavailable|exceeded[^.]{0,20}connection",
        "421 4.7.0 Too many connections from your address",
    ),
)

RECIPIENT_COUNT = (
    phrase(
        "too-many-recipients",
        "too-many-recipients",
        "Too many recipients in one message",
        r"too many (?:recipients?|rcpts?|rcpt to|addressees|addresses)|recipients? (?:count|number|limit)\b|(?:max(?:imum)?|limit|number) (?:number )?(?:of )?(?:recipients|rcpts?)\b|out of allow rcpt|recipients per (?:message|transaction|mail)|reduce the number of recipients|exceeded[^.]{0,20}recipients",
        "452 4.5.3 Too many recipients",
    ),
)

GREY = (
    phrase(
        "greylisted-in-disguise",
        "greylisted",
        "Most likely greylisting: asked to come back later without a cause",
        r"^(?:please )?try again later\W*$|^service currently unavailable\W*$|^internal resources? (?:are )?temporarily unavailable"
        r"|^(?:temporarily )?deferred\W*$|^please try (?:again )?later\W*$",
        "451 4.7.1 Try again later",
        codes=(450, 451),
    ),
    phrase(
        "greylisted",
        "greylisted",
        "Greylisting: come back in a few minutes",
        r"gr[ea]y-?\s?list|postgrey|\bgrey\.|first (?:time )?(?:contact|seen|delivery attempt)[^.]{0,30}(?:retry|try|later|delay)|(?:not yet|un)(?: been)? (?:seen|known)[^.]{0,40}(?:try|retry|wait)|triplet|sqlgrey|come back in|(?:unknown|new) sender[^.]{0,20}(?:try|retry|wait)|please wait \d+ (?:sec|min)",
        "451 4.7.1 Greylisted, please try again in 300 seconds",
    ),
)
