"""What a 2yz or 3yz reply means at its place in the session: what was accepted, and what has not happened yet."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.grammar.reply import Reply


@dataclass(frozen=True, slots=True)
class Success:
    """Advice for a positive reply; `reason` is a catalog reason."""

    title: str
    meaning: str
    steps: tuple[str, ...]
    reason: str = "ok"


_NOTHING_SENT = "Nothing has been sent yet: the session goes on with the next command."

_STAGES: dict[str, Success] = {
    "greeting": Success(
        "The server is there and ready",
        f"The server greets and offers service to this client. {_NOTHING_SENT}",
        ("Next comes EHLO; what the server offers stands in its answer.",),
    ),
    "ehlo": Success(
        "The server accepts the greeting and lists what it offers",
        f"Each line after the first is a feature: STARTTLS, AUTH, SIZE and others. {_NOTHING_SENT}",
        (
            "Look for STARTTLS and AUTH; after STARTTLS the list is asked for again and may differ.",
            "SIZE with a number is the largest message, in bytes, that the server takes.",
        ),
    ),
    "starttls": Success(
        "The server is ready to start TLS",
        "The handshake comes next, on the same connection. Until it is finished nothing is encrypted.",
        ("After the handshake comes EHLO again: what was said before does not count (RFC 3207 section 4.2).",),
    ),
    "auth": Success(
        "The login was accepted",
        "User name and password, or the token, are right. Whether this account may send as a given address shows later.",
        ("Next come MAIL FROM and RCPT TO; a refusal there is about the addresses, not about the login.",),
    ),
    "auth-step": Success(
        "The server waits for the next step of the login",
        "The text is base64: LOGIN asks for user name and password in two such steps. Nothing is accepted yet.",
        ("The verdict is the reply after the last step: 235 for yes, 535 for no.",),
    ),
    "mail": Success(
        "The sender's address was accepted for now",
        "The server opened a transaction. It may still refuse at RCPT TO or after the message.",
        ("Next comes RCPT TO, once for each recipient.",),
    ),
    "rcpt": Success(
        "The recipient was accepted for now",
        "The server will take a message for this recipient. It is no proof that the mailbox exists: some servers accept"
        " every address and bounce later. No message has been handed over.",
        (
            "The message itself can still be refused after DATA.",
            "To know more, send a real message and watch for a bounce to the envelope sender.",
        ),
    ),
    "rcpt-forward": Success(
        "The recipient was accepted, to be passed on or checked later",
        "251: the server forwards to another place. 252: it cannot check the address and tries anyway. No message has"
        " been handed over.",
        ("Watch for a bounce to the envelope sender: the next server decides.",),
    ),
    "data": Success(
        "The server waits for the message",
        "Sender and recipients stand. The message is not accepted before the reply to its final dot.",
        ("Send the message and read the reply after the line with the single dot.",),
    ),
    "message": Success(
        "The server took responsibility for the message",
        "It is now the receiver's to deliver or to bounce. That is not delivery: it may still be filtered, delayed, put"
        " into the spam folder, or bounced.",
        (
            "Note the queue id{queue}: the receiver's administrator finds the message by it.",
            "Look into the receiver's delivery log, or ask for it, with this id and the time.",
            "Watch for a bounce to the envelope sender (MAIL FROM), not to the From header.",
            "If it arrived nowhere, look into spam folder and quarantine.",
        ),
    ),
    "vrfy": Success(
        "The server told whether it knows this name",
        "The server confirms to anybody who asks that the mailbox exists.",
        ("If the server is yours, let it answer 252, or turn VRFY off.",),
    ),
    "vrfy-guarded": Success(
        "The server does not say whether it knows this name",
        "252 neither confirms nor denies: the answer that gives nothing away.",
        ("Nothing to do; whether mail is accepted shows at RCPT TO.",),
    ),
    "expn": Success(
        "The server told what this list stands for",
        "The server tells anybody who asks which addresses are behind this name.",
        ("If the server is yours, turn EXPN off.",),
    ),
    "rset": Success(
        "The transaction was dropped",
        "The server forgot sender, recipients and message; the session stays open.",
        ("A new MAIL FROM starts the next message.",),
    ),
    "quit": Success(
        "The server says goodbye",
        "The session ended in order. It says nothing about any message: the reply after the final dot did.",
        ("For the message look at the reply to its final dot, further up.",),
    ),
    "no-354": Success(
        "A positive answer that asks for no message",
        "After DATA only 354 asks for the message, so none was sent. In answer to BDAT it says that this piece of a"
        " message has arrived.",
        ("Look into the server's log, or at what stands between: a filter that answers for it may have lost count.",),
    ),
    "out-of-place": Success(
        "A positive answer that belongs to another command",
        "No server says this here, so nothing can be concluded from it: the server, or a filter on the way, has lost"
        " count of commands and replies.",
        ("Ask again for one thing at a time, and compare each reply with its command.",),
        "protocol-error",
    ),
    "other": Success(
        "The command was accepted",
        "The server did what was asked. If it was the end of a message, the server has taken responsibility for it,"
        " which is not yet delivery.",
        (
            "Look which command this answers: only the reply after the final dot accepts a message.",
            "For a message: note the queue id, then look into delivery logs and for bounces to the envelope sender.",
        ),
    ),
}

#: What an accepted command is answered with (RFC 5321 section 4.3.2).
_EXPECTED: dict[str | None, tuple[int, ...]] = {
    "mail": (250,),
    "rcpt": (250, 251, 252),
    "data": (354,),
    "message": (250,),
}
_BY_CODE = {220: "greeting", 221: "quit", 235: "auth", 251: "rcpt-forward", 252: "rcpt-forward", 334: "auth-step"}


def explain_success(reply: Reply, stage: str | None) -> Success:
    """Return what an accepted command means; `stage` is a Stage name, or None to guess it from the reply."""
    return _STAGES[_place(reply, stage)]


def _place(reply: Reply, stage: str | None) -> str:
    code = reply.code
    if code not in _EXPECTED.get(stage, (code,)):
        return "no-354" if stage == "data" and code == 250 else "out-of-place"
    if stage == "vrfy":
        return "vrfy-guarded" if code == 252 else "vrfy"
    if code in (251, 252):
        return "rcpt-forward"
    if code == 334:
        return "auth-step"
    if code == 354:
        return "data"
    if stage is not None:
        named = {"connect": "greeting", "tls": "starttls", "ehlo-tls": "ehlo"}.get(stage, stage)
        return named if named in _STAGES else "other"
    lower = reply.text.lower()
    if code == 220 and ("tls" in lower or reply.enhanced == "2.0.0"):
        return "starttls"
    if code in _BY_CODE:
        return _BY_CODE[code]
    return _guess_250(reply, lower)


def _guess_250(reply: Reply, lower: str) -> str:
    """Guess what a 250 answers: its enhanced code (RFC 2034 section 4), the shape of an EHLO answer, or its words."""
    by_enhanced = {"2.1.0": "mail", "2.1.5": "rcpt", "2.6.0": "message"}
    if reply.enhanced in by_enhanced:
        return by_enhanced[reply.enhanced]
    features = {line.partition(" ")[0].upper() for line in reply.lines}
    if features & {"PIPELINING", "8BITMIME", "STARTTLS", "SIZE", "ENHANCEDSTATUSCODES", "SMTPUTF8", "AUTH", "HELP"}:
        return "ehlo"
    if any(word in lower for word in ("queued", "accepted for delivery", "message accepted", "id=", "gsmtp", "ok id")):
        return "message"
    if any(word in lower for word in ("sender ok", "sender accepted")):
        return "mail"
    if any(word in lower for word in ("recipient ok", "recipient accepted")):
        return "rcpt"
    if "hello" in lower or "pleased to meet" in lower:
        return "ehlo"
    return "rset" if "flushed" in lower or "reset" in lower else "other"
