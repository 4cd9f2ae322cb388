"""Phrases about the recipient's address, its mailbox and its domain."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

#: Words for a mailbox and its owner in the languages that servers speak.
_WHO = (
    r"(?:user|recipient|mail ?-?box|e?-?mail(?: address)?|address|account|alias|inbox|person|destinataire|utilisateur|adresse|utente|indirizzo|casella"
    r"|destinatario|usuario|usuário|cuenta|conta|konto|konta|benutzer|empf(?:ä|ae)nger|postfach|odbiorca|gebruiker|ontvanger)"
)

ADDRESS = (
    phrase(
        "address-syntax",
        "bad-address",
        "An address in the envelope has wrong syntax",
        r"address syntax|fully[- ]?qualified (?:address|domain|host|e-?mail|recipient|sender)|must contain a domain|single label domain|(?:restricted|invalid|illegal|disallowed) characters? in (?:the )?(?:local|address|recipient|sender|user)"
        r"|(?:malformed|syntactically invalid|badly formed|ill-?formed) (?:\w+ )?(?:address|recipient|sender|path|mailbox)|invalid (?:mail from|rcpt to) address|(?:mail from|rcpt to)\W{0,3} (?:address )?(?:is )?(?:malformed|invalid address)"
        r"|invalid (?:address|e-?mail) (?:syntax|format)|syntax (?:error )?in (?:the )?(?:address|recipient|sender|mailbox)|submit; invalid recipient address|domain (?:part )?(?:is )?missing|address (?:is )?(?:not (?:rfc|syntactically)|incomplete|malformed)",
        "501 5.1.3 Recipient address syntax error",
    ),
)

FULL = (
    phrase(
        "mailbox-full",
        "mailbox-full",
        "The recipient's mailbox is full",
        r"quotaexceeded|quota is over|exce?ed(?:s|ed|ing)? (?:\w+ ){0,3}quota|over (?:the |its |his |their |your )?(?:allowed |maximum |storage |disk )+quota|(?:user|recipient|mailbox|account)\b[^.]{0,20}(?:not|n't|no) (?:have )?(?:enough |sufficient )(?:disk ?|storage ?|mailbox ?)?(?:space|storage|room)|rejected: not enough disk space|\b(?:over|out of) quot[ae]\b|space (?:has |is |was )?(?:been )?(?:all )?used up|mail ?-?box (?:has )?(?:exceeds|exceeded)|exhausted (?:\w+ ){0,2}(?:storage|space|quota)|(?:speicher\w*|quota) (?:ist |wurde )?(?:über|ueber)schritten|(?:speicherplatz|posteingang|postfach)\b[^.]{0,30}(?:erschöpft|aufgebraucht|voll)|переполнен|превышен\w* (?:квот|лимит|объ)|квота (?:превышен|исчерпан)|(?:邮箱|信箱|郵箱|收件箱|メールボックス|空间|容量)\S{0,8}(?:已满|已滿|满了|不足|超(?:限|出|過)|一杯|いっぱい|満杯)|容量(?:超過|オーバー)|przepe(?:ł|l)nion|(?:disk|space) full for|(?:user|recipient|mailbox|account) has no (?:\w+ )?(?:space|room)|mail ?box capacity|exceeds? (?:\w+ ){0,2}mail ?box (?:capacity|size|limit|quota)|(?:mail ?-?box|account|inbox|user|recipient) (?:is |has gone )?over (?:its|the|his|their) (?:limit|quota|size|storage)|(?:mail ?-?box|mail ?folder|inbox|account|folder|maildir|postfach|bo(?:i|î)te|messagerie|casella|buz(?:o|ó)n|bandeja|caixa|skrzynka|schr(?:á|a)nka|postvak|postbus|brevl(?:å|a)da|posta kutusu)\b[^.]{0,60}\b(?:(?:is |was )?(?:almost )?full|over ?-?quota|pe(?:ł|l)na|pleine?|piena|llen[oa]|voll?\b|overvol|cheia|lotada|saturée?|pln(?:á|a)\b|full[at]?\b|dolu)"
        r"|over ?-?quota|mail ?box full|full mail ?box|(?:disk|disc|mail(?:box)?|storage|user|account|recipient|mail folder|inbox) (?:quota|space|storage|limit)(?: \w+){0,3} (?:exce?eded|exe?eded|exceed|full|reached|violation|depleted|used up)"
        r"|quota (?:limit |usage |is |has been |has )?(?:exce?eded|exceed|full|reached|violation|depleted)|exce?eded? (?:\w+ ){0,3}(?:mailbox |storage |disk |mail |allowed |its |their |his )*(?:quota|storage|disk space|space|allocation|mailbox (?:size|limit))"
        r"|(?:not enough|insufficient|no|out of|lacks?|low) (?:\w+ )?(?:mailbox |storage |disk )?(?:space|storage)(?! on (?:device|server))[^.]{0,40}(?:user|mailbox|account|recipient|accept)|(?:not|n't) have enough (?:space|room|storage)"
        r"|space not enough|mailbox (?:size )?(?:limit|quota)|zuviele mails|too many (?:messages|mails) (?:on|in) (?:the |this |his |your )?(?:server|mail ?box|inbox|account)|extended quota|exceeded the (?:hard|soft) limit|exceed the hard limit"
        r"|(?:user|recipient|account) (?:is )?(?:over|out of) (?:quota|storage|space)|blocks limit|has exceeded (?:its|his|her|their) (?:disk|mail|storage)|cuota|superó|quota d(?:é|e)pass|quota (?:superata|esaurita|excedida)|cota (?:excedida|esgotada)|espace (?:de stockage )?(?:insuffisant|satur)|spazio (?:esaurito|insufficiente)|mbox full|mail ?quota"
        r"|storage allocation|limit exeeded for this e?mail|full \(quota",
        "552 5.2.2 Mailbox full",
    ),
)

#: Switched off. These come before the unknown: "account disabled" says more than "unavailable".
DISABLED = (
    phrase(
        "mailbox-disabled",
        "mailbox-disabled",
        "The recipient's mailbox is switched off",
        _WHO
        + r"\(?s?\)?\b[^.;]{0,60}\b(?:disabled|deactivated|inactive|suspended|locked|frozen|expired|closed|terminated|blocked (?:by|due|because)|cancell?ed|archived|archivee|archivée|dormant|retired|paused"
        r"|not (?:been )?activated?|not active|not enabled|deactivat|bloqu(?:é|e)e?|inativ|zablokowane|gesperrt|deaktiviert|inactivo|disattivat|disabilitat|d(?:é|e)sactiv|inactif)"
        r"|(?<!invalid/)\b(?:disabled|inactive|suspended|deactivated|locked|closed|expired|frozen|dormant|archived) (?:\w+ )?"
        + _WHO
        + r"|mail receiving disabled|account (?:is )?(?:temporarily )?(?:closed|expired|locked|suspended|frozen|unavailable)|(?:not|no longer) (?:used|monitored|in use|read)\b"
        r"|no longer (?:active|accept|receiv|in use)|\bnot active\b|(?<!delivery )temporarily suspended|(?:is|was) now disabled|has been (?:disabled|suspended|deactivated) |recipient account is (?:un|not )available"
        r"|inactivity|no (?:recipient |user |account )?activity|(?:has ?n[o\']t|has not|never|not) (?:yet )?(?:logged|entered|signed)(?: in| on| onto| during)\b|(?:should|must|has to|needs to) (?:log|sign) ?in to (?:enable|activate|receive)|(?:cuenta|buz(?:o|ó)n|conta|caixa|casella|compte|bo(?:i|î)te|konto|skrzynka|ящик|аккаунт)\b[^.]{0,40}(?:deshabilitad|desactivad|desativad|suspendid|bloquead|disattivat|sospes|d(?:é|e)sactiv|suspendu|ferm(?:é|e)|bloqu(?:é|e)|nieaktywn|zablokowan|zawieszon|заблокирован|отключ(?:ё|е)н|неактив)|(?:账号|帐号|邮箱|用户|帳號)\S{0,6}(?:禁用|停用|冻结|锁定|被锁|凍結)|停止されて|無効|利用停止|休止|this mailbox is disabled|delivery to this (?:user|mailbox) is disabled|mailbox (?:is )?(?:on hold|under migration)",
        "550 5.2.1 The mailbox is disabled",
    ),
)

MOVED = (
    phrase(
        "moved",
        "recipient-moved",
        "The recipient is no longer at this address",
        r"(?:user|mail ?box|recipient|account|person|employee|he|she|has)\b[^.]{0,20} moved|old address|no longer (?:at this|with (?:us|the|this)|works?|employed)|left (?:the )?(?:company|organi[sz]ation)"
        r"|(?:new|changed|please use) (?:e-?mail )?address (?:is|to)|address (?:has )?changed|mailbox owner has changed|please (?:use|update|try) (?:the )?(?:new )?(?:forward|addr)",
        "551 5.1.6 The mailbox has moved, no forwarding address",
    ),
)

#: A group's or list's own rule. Before the phrases about senders: "sender not allowed to send to this group".
GROUP = (
    phrase(
        "group-rule",
        "recipient-refused",
        "The group or list does not take mail from you",
        r"not subscribed to|group\b[^.]{0,20}\brestricted|(?:user|recipient|mail ?box)\b[^.]{0,20}do(?:es)?\W?\s?no?\W?t (?:want|wish)|receiver do(?:es)?\W?n\W?t want|(?:recipient|user) (?:has |have )?blocked (?:you|this|the)|restricted to (?:\w+ )?(?:senders|members|users|internal)"
        r"|not (?:allowed|permitted|authori[sz]ed) to (?:send|post|write|mail|e-?mail|submit)(?: \w+){0,3} to (?:this|the) (?:group|list|recipient|distribution|mailbox|address|user|mailing|alias)"
        r"|(?:distribution|mailing) (?:list|group)s?\b[^.]{0,40}\b(?:only|restricted|not allowed|not permitted)",
        "550 5.7.1 Sender not allowed to send to this group",
    ),
)

REFUSED = (
    phrase(
        "recipient-refuses",
        "recipient-refused",
        "The recipient or group does not take mail from you",
        r"deliver(?:y|ies) (?:is )?not (?:allowed|permitted|authori[sz]ed) to (?:this|the)|(?:rejected|refused|blocked|declined|denied) by (?:the |this )?(?:recipient|user|addressee|mailbox owner)s?\b|(?:user|recipient) (?:has )?(?:refused|declined|rejects?\b|refuses)|(?:allowed|approved|authori[sz]ed|permitted)[- ]senders?"
        r"|(?:member|subscriber)s?\b[ -](?:only|may|can)\b|only (?:\w+ )?(?:members|subscribers|employees)\b|not a (?:list )?(?:member|subscriber)|(?:only|just) accept(?:s|ing)? (?:e-?mail|mail|messages?|posts?) from|not (?:allowed|permitted|authori[sz]ed) to (?:post|send (?:e-?mail |mail |messages? )?to (?:this|the)|mail to|write)"
        r"|(?:does not|doesn't|do not|will not|not) (?:want|wish|accept(?:ing)? (?:mail|messages|e-?mail) from (?:you|this sender|outside|external|unknown))|external senders?|restricted (?:recipient|address|list|group)|recipient(?:'s)? preferences|moderated|challenge.{0,20}response"
        r"|sender (?:is )?not (?:in|on) (?:the |my )?(?:allow|white|address)",
        "550 5.7.1 This group only accepts mail from members",
    ),
    phrase(
        "recipient-access-denied",
        "user-unknown",
        "Microsoft's edge knows no such recipient",
        r"recipient address(?:es)? rejected ?: access denied",
        "550 5.4.1 Recipient address rejected: Access denied",
        enhanced="X.4.1",
    ),
    phrase(
        "recipient-access",
        "recipient-refused",
        "A rule at the receiver refuses this recipient",
        r"recipient address rejected: (?:access denied|policy|protected|restricted|blocked)|recipient (?:address )?(?:is )?(?:not permitted|prohibited|protected|restricted)",
        "554 5.7.1 <user@example.net>: Recipient address rejected: Access denied",
    ),
)

UNKNOWN = (
    phrase(
        "user-unknown",
        "user-unknown",
        "The address does not exist",
        r"(?:unknown|invalid|unrecogni[sz]ed|non-?existent|nonexistant|bad|wrong|incorrect|illegal|unroutable|unroutable|undeliverable|no such|no valid|not a valid|nonexisting) (?:\w+ )?(?:local |e-?mail |mail |virtual |destination |or \w+ )*"
        + _WHO
        + r"\b|"
        + _WHO
        + r"s?\W{0,3}(?:\S+ )?(?:is |are |was |name |address |entry |error )?(?:not (?:known|found|exist|valid|recogni[sz]ed|listed|existing|deliverable|registered|defined|here|present|configured|local|accepted here|ok)|unknown|unrecogni[sz]ed|invalid|doesn'?t exist|does ?n[o']t exist|do(?:es)? not exist|nonexistent|not exist|unroutable|undeliverable)"
        r"|no (?:such|valid|mail-?box|user|recipient|account|mail drop|route to|one) (?:\w+ ){0,3}(?:here|found|exists?|by that|by this|user|person|recipient|mail|mail ?box|account|address|alias|id\b|at|with)|no such (?:user|person|recipient|mail|account|address|alias|id|local|domain user|mailbox|entry)",
        "550 5.1.1 No such user here",
    ),
    phrase(
        "user-unknown-other-words",
        "user-unknown",
        "The address does not exist",
        r"user unknown|unknown user|no mail-?box\W*$|not (?:in|on) (?:my|our|the) (?:valid)?(?:rcpt\w*|recipients?|users?|mailbox|alias)[ -]?(?:list|table|map|database)|no (?:redirect|forward\w*|alias|mailbox|user) entry|non esiste|nessun utente|recipient (?:validation|verif\w+)\b[^.]{0,30}fail|failed recipient (?:validation|verif)|invalid rcpt ?-?(?:to)?\b|(?:пользовател|адрес|получател|ящик|аккаунт)\w*[^.]{0,30}(?:не (?:существ|найден|зарегистрирован)|отсутствует|неизвестен)|нет такого|не существует|неизвестн\w+ (?:пользовател|получател|адрес)|несуществующ|(?:用户|收件人|邮箱|地址|帐号|账号|帳號|使用者|收件者)\S{0,6}(?:不存在|未找到|无效|無效|不正确|错误|錯誤)|(?:不存在|无效|未知)的?(?:用户|收件人|邮箱|地址)|宛先\S{0,10}(?:不明|存在し|見つか)|(?:ユーザー?|アドレス|メールボックス)\S{0,12}(?:存在し|見つか|不明|ありません|登録されて)|ismeretlen|nem létez|neexistuj|nezn(?:á|a)m(?:ý|y)|nieznany|kullanıcı (?:bulunamad|yok)|hittades inte|finns inte|findes ikke|finnes ikke|no (?:local|matching) (?:user|mail ?box|recipient|account|address)|(?:does not|doesn't) live here|no longer (?:on|in) (?:this|the|our)? ?(?:server|system)|not in (?:the |our |this )?(?:directory|database|system)|non[- ]?existent (?:user|recipient|mail|address|account)|(?:does ?n[o']?t|dosn't|did not|didn't|don't|do not) (?:exist|have (?:a|an|any) (?:\S+ )?(?:e-?mail[ -]?)?account|have an account|recogni[sz]e)|not (?:an? )?(?:valid|active|known|registered|recogni[sz]ed|existing|local|real) (?:\w+ )?(?:user|address|e-?mail|mailbox|account|recipient)"
        r"|not listed (?:in|with)|could not be (?:found|reached|resolved|verified)|(?:cannot|unable to|can't|can not|could not|couldn't) (?:be verified|be found|find|resolve|verify|deliver to)[^.]{0,30}(?:user|recipient|address|mail ?box|account|addr#)|recipient cannot be verified|not our (?:user|customer)|bad_recipient|badrcptto|recipnotfound"
        r"|handle mail for that user|not deliverable|user path no exist|unallocated|unknown local[- ]part|address lookup (?:in|fail)|not in (?:the )?recipient list|(?:is|are) not (?:ok|known)|illegal alias|address error|rcpt(?: to)? (?:user )?\S* ?not ok|account (?:not|isn't)"
        r"|banned recipient|(?:unknown|invalid|no such) (?:id|name|username)|recipient (?:not found|rejected|unknown)|invalid (?:user|recipient|destination)|destinatario errato|sconosciuto|inesistente|inconnu|invalide|n'existe pas|nie istnieje|nie ma takiego|no existe|n(?:ã|a)o existe|desconocid|desconhecid|unbekannt|nicht gefunden|niet gevonden|introuvable|non trovat|no encontrad|n(?:ã|a)o encontrad|existiert nicht|onbekend|bestaat niet|okänd|ukjent|ukendt|tuntematon"
        r"|no longer (?:available|exists?|valid)",
        "550 Sorry, badrcptto: recipient was not in the recipient list",
    ),
    phrase(
        "mailbox-unavailable",
        "user-unknown",
        "The mailbox is not available",
        r"mail ?-?box (?:\S{1,80} )?(?:is )?(?:unavailable|not available)|mailbox not found|recipient address rejected[.:]? (?:undeliverable|unverified|unknown)|no (?:longer )?(?:a )?valid recipients?|inactive e-?mail address|address (?:is )?(?:not available|unavailable|unknown)"
        r"|undeliverable (?:address|recipient)|recipient (?:is )?(?:unavailable|not available)|delivery to (?:the )?(?:following )?recipients? failed",
        "550 Requested action not taken: mailbox unavailable",
    ),
)

DOMAIN = (
    phrase(
        "domain-lookup",
        "dns-failure",
        "A DNS lookup failed",
        r"\bdns (?:resolve|resolution|lookup|query|look-up) (?:error|fail|timeout|problem)|name ?server\W{1,3}(?:timeout|timed out|failure|error|unreachable|no (?:answer|response))|host not found, try again|name service error[^.]{0,60}try again|(?:dns|domain|mx|host|name)\b[^.]{0,30}(?:temporar\w+ |transient )(?:lookup |resolution )?(?:failure|error|fail)"
        r"|servfail|dns (?:query|lookup) failed|temporary dns|dns (?:server )?(?:timeout|time-out|timed out|temporar)|lookup (?:timed out|timeout)|could not (?:resolve|look ?up)[^.]{0,40}(?:temporar|try again|at this time)|temporar\w+ (?:unable to|failure (?:in|of)|failed to) (?:\w+ )?(?:resolv|dns|name|look)",
        "451 4.4.3 Name server timeout",
    ),
    phrase(
        "domain-unknown",
        "bad-domain",
        "The recipient's domain takes no mail",
        r"(?:host(?!#)|domain|hostname|destination|system)\b(?: (?:or domain )?name)?[^.;(]{0,30}\b(?:unknown|not found|does ?n[o']t exist|nonexistent|non-?existent|invalid|no data known|cannot be (?:found|resolved))|nxdomain|invalid mx\b|no mail hosts? for|no (?:valid |usable )?mx\b|null mx|\bnullmx\b|name or service not known|nodename nor servname|dominio (?:no |non )?(?:valido|existe|esiste)|(?:unknown|invalid|no such|bad|non-?exist[ae]nt|illegal|unrouteable) (?:\w+ )?(?:domain|host)\b"
        r"|(?:couldn't|could not|cannot|can't) find (?:any )?host|(?:does not|doesn't|do not|never|not) accept(?:ing)? (?:any )?(?:e-?mail|mail|network messages)(?! from| over| with| at | right| now| currently| for now)|bad destination system|host (?:name )?is unknown|unrouteable (?:mail )?(?:domain|address)|unable to route|domain name not found"
        r"|no (?:mail )?(?:server|host|a record|address)s? (?:found|known|for (?:the )?(?:domain|host))|domain (?:has )?(?:expired|no (?:mx|mail))",
        "550 5.1.2 Host unknown: domain does not exist",
    ),
)

#: The last guess: a recipient that was refused and nothing more.
REJECTED = (
    phrase(
        "recipient-rejected",
        "user-unknown",
        "The recipient was refused without a cause",
        r"recipient (?:address )?(?:was |is )?(?:rejected|refused|denied|not accepted)|fail(?:ed|ure)? (?:to deliver|delivering) to (?:the |this )?(?:\w+ )?(?:address|recipient|mail ?box|addr#)|address rejected|invalid recipient|^not found\W*$",
        "550 <user@example.net>: Recipient address rejected.",
    ),
)
