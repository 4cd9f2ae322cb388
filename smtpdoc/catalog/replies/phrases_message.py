"""Phrases about the message itself: spam, viruses, size, form."""

from __future__ import annotations

from smtpdoc.catalog.replies.phrase import phrase

#: Combined checks: they name SPF or PTR only as advice.
SCORED = (
    phrase(
        "antispam-checks",
        "spam-content",
        "The message failed the receiver's spam checks",
        r"spam-like|spam-id|anti-?spam system(?![^;]{0,200}\bremoval)|antyspam|(?:several|multiple|some) anti-?spam (?:checks|tests)|(?:your )?message scored|spam (?:score|points|level)|score[ds]? \d|messagescoring|spam (?:or|and|/) (?:\w+ )?virus|(?:classified|identified|detected|flagged|tagged|marked|considered|recogni[sz]ed|declared|judged|rejected|treated) (?:as |to be |to be as )?(?:an? )?(?:possible |probable |likely )?(?:spam|junk|phish|bulk|unsolicited)(?!mer)"
        r"|spam (?:message|mail|content|pattern|filter|detect|check|reject|block(?!ing url))|(?:is|contains?|looks like|appears to be|probably|possible|likely) (?:\w+ )?(?:spam\b|phish|junk|unsolicited)",
        "550 5.7.1 Message identified as SPAM",
    ),
)

SIZE = (
    phrase(
        "message-size",
        "message-too-big",
        "The message is too big",
        r"(?:message|mail|e-?mail|attachment|file|header|size|content|body)s?\b[^.;]{0,30}\b(?:too (?:big|large|long)|exce(?:ed|de)s?(?:ed)? (?:\w+ ){0,4}(?:size|limit|maximum|length|max)|size exce|exceeds)|size[- ]?limit(?! on mailbox)|(?:max(?:imum)?|fixed|allowed|permitted|administrative) (?:message |mail |attachment |allowed |permitted )*(?:size|length|limit)|message (?:length|size)|message file too big|(?:length|size) of (?:\w+ ){0,3}(?:content|data|message|mail|body)\b[^.]{0,30}(?:max|limit|exce|threshold)|size exceeded|too large (?:for|to)|exceeded (?:\S+ )?message size|oversi[sz]ed?"
        r"|nachricht (?:ist )?zu gro|message trop (?:gros|volumineux|long)|mensaje (?:es )?demasiado|wiadomo(?:ść|sc) (?:jest )?(?:zbyt|za du)|(?:mensagem|mensaje|messaggio)\b[^.]{0,20}(?:grande|excede|supera)|bericht (?:is )?te groot|письмо слишком больш|слишком больш\w+ (?:письмо|сообщени|размер)|(?:邮件|附件)(?:太大|过大|超过)|サイズ(?:が|の)?(?:大き|超過|制限)|too many attachments|attachment count",
        "552 5.3.4 Message size exceeds fixed limit",
    ),
)

VIRUS = (
    phrase(
        "virus",
        "virus",
        "A virus, or an attachment that is never taken",
        r"virus|(?:not|n't) accept(?:ing)? (?:any )?(?:e-?mail|mail|messages?) with attach|attachments?(?:[ -]\w+)? (?:filter|polic)|malware|malicious (?:content|code|file|attach|software|mail|message)|trojan|\binfected|\bworm\b|ransomware|(?:banned|forbidden|illegal|prohibited|disallowed|blocked|dangerous|unacceptable|executable|unsafe|restricted) (?:\w+ )?(?:attach|file)|(?:attach\w*|file(?:name)?|extension)s?\b[^.;/]{0,60}\b(?:not allowed|not permitted|not accepted|banned|blocked|prohibited|forbidden|dangerous|illegal|denied|rejected|exploit)|macro|(?:potential|possible) security (?:issue|risk|threat)|security threat|security (?:issue|risk|reasons)[^.]{0,20}(?:attach|content|file)|mime_banned|clamav|\.exe\b",
        "550 5.7.1 Virus found in attachment",
    ),
)

FORM = (
    phrase(
        "bare-line-feed",
        "protocol-error",
        "The client ends lines with a bare line feed",
        r"bare <?(?:lf|cr|newline|line)",
        "521 5.5.2 Error: bare <LF> received",
        enhanced="X.5.2",
    ),
    phrase(
        "line-too-long-command",
        "protocol-error",
        "A command line is too long",
        r"(?:command |input )?line (?:is )?too long",
        "500 5.5.2 Line too long",
        codes=(500, 501, 503),
    ),
    phrase(
        "message-form",
        "malformed-message",
        "The message breaks the mail format",
        r"(?:invalid|missing|malformed|duplicate|multiple|bad|disallowed|illegal|broken|no|empty|repeated|message|without) (?:\S+ ){0,2}?(?:header|mime|from:|to:|date:|message-?id)|headers?\b[^.;]{0,40}\b(?:syntax|missing|invalid|malformed|required|duplicate|not (?:valid|allowed|compliant)|must|error|unicode|8-?bit|non-?ascii|too long)|\bmime\b|rfc ?-?\d{3,4}(?: section \S+)?(?: and rfc \d+)? complian|not rfc|rfc ?-?(?:5|2|8)22\b"
        r"|subject\b[^.]{0,20}(?:invalid|illegal|contains|not allowed|missing|empty)|bare (?:<?lf>?|<?cr>?|line|newline)|line[- ]?(?:length|feed)|line (?:is )?too long|lines? longer than|8-?bit (?:data|characters?)|encoded-?word|high-?bit|control character|unicode char|media error|media type|charset|boundary|from: (?:header|field|address)|addresses in from|to: field|as a from|(?:improper|unencoded|raw) (?:use of )?8-?bit|nul(?:l)? (?:byte|char)|(?:message|content)[- ](?:is )?not (?:rfc|compliant|well)|content conversion|non-?ascii",
        "550 5.6.0 Message has an invalid header",
    ),
)

SPAM = (
    phrase(
        "spam",
        "spam-content",
        "The message looks like spam to the receiver",
        r"\bspam|спам|垃圾(?:邮件|郵件|信)|迷惑メール|スパム|pourriel|correo (?:no deseado|basura)|ongewenste (?:mail|e-?mail|reclame)|niechcian\w+ (?:wiadomo|poczt|mail)|unerwünschte? (?:werbung|mail|e-?mail|nachricht)|posta indesiderata|(?:rejected|refused|blocked|listed|caught|flagged) by (?:dcc|pyzor|razor)\b|\bdcc (?:reject|bulk)|spam(?:assassin|my|ming|bouncer|text)|unsolicited|\bjunk|bulk (?:e-?)?mail|phish|anti-?spam|spamm|\bube\b|\buce\b",
        "550 SPAM not accepted here",
    ),
    phrase(
        "content",
        "spam-content",
        "The content of the message is refused",
        r"(?:sensitive|forbidden|banned|bad|prohibited|illegal|blocked|spam) (?:key)?(?:words?|phrases?|terms?)\b|(?:mail |message |bad |objectionable |suspicious |prohibited |forbidden |inappropriate )content|content (?:reject|denied|filter|block|not (?:acceptable|allowed)|refused|is not)|message (?:has been |was |is )?(?:filtered|blocked by (?:a |our |the )?(?:content )?filter)|filter(?:ed)? (?:out|rejected|by)|dspam|bayes|suspicious (?:message|mail|e-?mail|content)|(?:message|mail) (?:is )?suspicious|detected as (?:bad|suspicious)|contains? (?:a )?(?:suspicious|forbidden|bad)|junkmail",
        "554 5.7.1 Message content rejected",
    ),
)
