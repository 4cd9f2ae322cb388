"""Phrases about the way to the server, the server itself and the conversation."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

LOOP = (
    phrase(
        "loop",
        "routing-loop",
        "The message runs in circles",
        r"\bloop(?:s|ing|ed)?\b(?!back (?:address|ip))|(?:too many|maximum|exceeded) hops?|hop count|too many received|received\W{0,4}(?:\w+ )?headers?|points? (?:back )?to (?:local|localhost|itself|myself|us|me|this host)|mx (?:record )?(?:list|points)|back to (?:my|it)self|hops exceeded|mail forwarding loop|bouncing back and forth|too many \"?received|points back to",
        "554 5.4.6 Too many hops, mail loop detected",
    ),
)

EXPIRED = (
    phrase(
        "expired",
        "expired",
        "The queue gave up",
        r"(?:message|delivery|envelope|mail|retry)\b[^.;]{0,20}\b(?:expired|timed out in (?:the )?queue)|in the queue too long|delivered for too long|(?:been|is) in (?:the )?queue for|deleted from (?:the )?queue|giving up|queue (?:life)?time|(?:could not|couldn't|can not|cannot|unable to|not) (?:be )?deliver(?:ed)?\b[^.]{0,40}\b(?:for|after|within|in) (?:the last )?\d+ ?(?:day|hour|minute|second|h\b|d\b)|retry time(?:out)? (?:exceeded|not reached)|delivery (?:time|period|attempts?) (?:expired|exceeded|exhausted)|max(?:imum)? (?:retries|attempts|delivery time)|been (?:queued|undeliverable|deferred) for|(?:undeliverable|undelivered) (?:for|after) \d+",
        "554 5.4.7 Message expired: could not be delivered for 5 days",
    ),
)

NETWORK = (
    phrase(
        "network",
        "network-error",
        "The connection did not hold",
        r"(?<!database )connection (?:was |has |is |to \S+ |with \S+ )?(?:timed? ?-?out|refused(?![,.;:]? ?(?:from \W?ip#|by (?:policy|our|the|this|local)|too|this|due|-|because|ib))|reset|dropped|closed|broken|lost|aborted|failed|expired|time-?out|is broken|terminated|interrupted|attempt failed)|no route to host|network (?:is )?(?:unreachable|error|down)|host (?:is )?(?:unreachable|down)|lost connection|(?:operation|session|conversation|connect|read|greeting|command|data|idle|time)\b[^.;]{0,40} ?timed? ?-?out|timeout exceeded|time ?-?out (?:exceeded|waiting|after|on|while)|timed out (?:while|after|waiting)"
        r"|(?:unable|failed|failure|cannot|couldn't|could not|can't) (?:to )?(?:open |establish )?(?:an? )?(?:smtp )?connect|read error|write error (?:to|on) (?:socket|connection)|broken pipe|socket error|did not accept our requests to connect|unexpected (?:eof|end of|disconnect|close)|no (?:answer|response|reply) (?:from|received|by)|not (?:answer|respond)ing|connection is broken|bad connection|connect\w* to unreachable|unreachable host|remote host (?:closed|hung|not)|server (?:closed|dropped|did not respond|not responding|refused to talk)|wasn't able to establish|network problem|no connection",
        "Connection timed out",
    ),
)

SYNTAX = (
    phrase(
        "no-recipients-left",
        "protocol-error",
        "No recipient had been accepted before the message",
        r"\bno (?:valid )?recipients?\W*$|no valid recipients|need rcpt",
        "554 5.5.1 Error: no valid recipients",
        codes=(503, 554),
        steps=(
            "Look at the replies to RCPT TO before this one: they hold the true cause.",
            "Run the session again and read them (command below).",
        ),
    ),
    phrase(
        "syntax",
        "protocol-error",
        "The server does not understand the command's syntax",
        r"^(?:error: )?syntax\b|syntactically invalid (?:helo|ehlo)",
        "501 5.5.4 Syntax: MAIL FROM:<address>",
        codes=(500, 501, 502, 503, 504, 555),
    ),
)

PROTOCOL = (
    phrase(
        "sequence",
        "protocol-error",
        "A command came out of order",
        r"(?:ehlo|helo|mail|rcpt|data|auth)(?:/(?:ehlo|helo))?(?: command| from| to)? (?:first|before)|(?:need|issue|say|expecting|polite)\b[^.]{0,20}\b(?:ehlo|helo|mail|rcpt)\b|(?:send|use) (?:an? |the )?(?:ehlo|helo|mail from|mail command|rcpt)\b|(?:out of|bad|wrong|incorrect|invalid) (?:sequence|order)|sequence of commands|command (?:not allowed|out of sequence)|nested mail|already (?:authenticated|specified|issued|given|in tls|active)|may not be repeated|(?:sender|mail) (?:already|has already)|without (?:helo|ehlo|mail|rcpt)|no (?:valid )?recipients (?:specified|given)|pipelin|synchroni[sz]ation|tls already",
        "503 5.5.1 Bad sequence of commands",
    ),
    phrase(
        "command",
        "protocol-error",
        "The server does not know or allow this command or parameter",
        r"(?:command|verb|option|parameter|argument|keyword|extension|mechanism)s?\b[^.;]{0,30}\b(?:not (?:recogni[sz]ed|implemented|supported|understood|allowed|known|enabled|available|accepted)|unknown|unrecogni[sz]ed|unimplemented|disabled|invalid|missing|required|too long|error|rejected|expected)|(?:unknown|invalid|unrecogni[sz]ed|unimplemented|unsupported|bad|illegal|unexpected|undefined) (?:smtp |mail |rcpt |auth |esmtp )?(?:command|parameter|argument|option|verb|keyword|mechanism|input)|syntax(?::| error|ally invalid (?:helo|ehlo)| -)|syntactically invalid (?:helo|ehlo)|(?:cannot|can't|could not|unable to) decode|no parameters|invalid command|what\?|no longer supported|not (?:yet )?implemented|unimplemented|authentication not enabled|bad base64|invalid base64|protocol (?:error|violation|deviation)|unable to accommodate|(?:smtputf8|8bitmime|binarymime|chunking|bdat|utf-?8)\b[^.]{0,30}(?:not|required|unsupported)",
        "500 5.5.2 Error: command not recognized",
    ),
)

SERVER = (
    phrase(
        "storage",
        "server-unavailable",
        "The server's disk is full",
        r"insufficient (?:system|disk|server) (?:storage|space|resource)|(?:no|out of|low) (?:disk )?space (?:left )?on|system (?:storage|disk) (?:is )?full|out of (?:disk|memory|swap)|not enough (?:system )?(?:disk|storage|resources)|insufficient (?:resources|storage)|disk (?:is )?full|queue (?:is )?full|no space left",
        "452 4.3.1 Insufficient system storage",
    ),
    phrase(
        "server-fault",
        "server-error",
        "A fault inside the receiving system",
        r"error (?:while |in |during )?(?:processing|writing|storing|saving|reading|opening)|(?:internal|system|server|mailer|configuration|lookup|database|local|software|backend|application|i/?o|file|disk|delivery|processing|ldap|directory|policy (?:service|server)|milter|content filter|scanner)\s?(?:\w+ )?(?:error|failure|problem|fault|misconfigur|failed|trouble|crash)(?!s? (?:prevent|in your|: host))|ldap|mailer error|(?:queue|write) (?:\w+ ){0,2}(?:error|failure|problem|file)|temporary (?:\w+ )?error|unable to (?:switch|open|create|write|process|contact|queue|save|store|access|complete|chdir|read)|could not (?:load|open|create|write|process|save|queue|complete|access)|can(?:not|'t) (?:create|open|write|save|store|process|queue|fork|exec)|invalid pieces|temporarily unable|failed to be replicated|no healthy|database|unexpected error|exception|transaction failed[^.]{0,20}(?:internal|blame)|out of sync|lock(?:ed|ing)? (?:file|mailbox|error)|qqt failure|qq (?:write|read|temporary)|delivery program|command output:|temporary mta failure|child (?:status|crashed)|command died|permission denied|service (?:not )?(?:error|config)|general failure|unknown error|resolver\.\S*|storedrv|aborted[^.]{0,20}(?:local )?error|error in processing|mailing list|(?:processing|local) error",
        "451 4.3.0 Temporary lookup failure",
    ),
    phrase(
        "busy",
        "server-unavailable",
        "The server is busy or closed for the moment",
        r"(?:server|system|service|host|mailbox server|mta|resource)s?\b[^.;]{0,40}\b(?:busy|overload|unavailable|not available|shutting down|down for|maintenance|too busy|closing|out of service|offline|under load|not ready|stopped|is down)|too busy|too much load|load (?:is )?too high|overload|(?:try|come back|retry|again) (?:\w+ )?later|try again|temporar(?:y|ily) (?:\w+ )?(?:unavailable|failure|deferred|rejected|not available|problem|out of|closed|refused|disabled)|service (?:is )?(?:unavailable|not available|shutting)|resources temporarily|shutting down|maintenance|not accepting (?:mail|messages|connections) (?:at this|right|now|currently)|at this time|congestion|high (?:load|traffic|volume)|server busy|temporary (?:failure|error|problem|deferral)|please (?:retry|wait)|(?:später|spaeter) (?:erneut|noch ?mal|wieder)|(?:erneut|noch ?mal) (?:versuchen|probieren)|(?:r(?:é|e)essay|essay)\w+ (?:\w+ )?(?:plus tard|ult(?:é|e)rieurement)|(?:intente|intent(?:é|e)lo|int(?:é|e)ntelo|vuelva|pruebe)\b[^.]{0,30}m(?:á|a)s tarde|tente (?:\w+ ){0,2}mais tarde|(?:riprov|ritent)\w+ (?:\w+ )?(?:pi(?:ù|u)' tardi|più tardi|piu tardi|dopo)|(?:probeer|poging)\b[^.]{0,20}\b(?:later|opnieuw)|spr(?:ó|o)buj\b[^.]{0,20}(?:p(?:ó|o)(?:ź|z)niej|ponownie)|(?:повторите|попробуйте|позже|позднее)|稍(?:后|後)再?(?:试|試)|请稍后|後で(?:再|もう)|しばらくして|再度お試し|временн\w+ (?:недоступ|ошибк)|暂时(?:无法|不可用)|一時的",
        "421 4.3.2 Service not available, try again later",
    ),
)

POLICY_NAMED = (
    phrase(
        "policy-violation",
        "policy",
        "The message goes against a policy of the receiver",
        r"policy ?violation|violat\w+ (?:\w+ ){0,3}(?:policy|policies|rules?)",
        "554 5.7.1 Local policy violation",
    ),
)

POLICY = (
    phrase(
        "policy",
        "policy",
        "A local policy refused the message",
        r"polic(?:y|ies)|not authori[sz]ed|message refused|(?:rejected|refused|denied|blocked|prohibited|disallowed) by (?:\w+ ){0,3}(?:rule|filter|administrator|admin|destination|domain|organi[sz]ation|transport|system|server|us)|administrative(?:ly)? (?:prohibit|reject|den|block)|transport rule|mail ?flow rule|security (?:policy|reasons)|(?:message|mail|e-?mail) (?:was |has been |is )?(?:rejected|refused|denied|blocked|not (?:accepted|allowed|permitted))|local rules?|rejected for",
        "550 5.7.0 Refused for policy reasons",
    ),
)
