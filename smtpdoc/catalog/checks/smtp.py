"""What a session with a server says about it: can it be reached, does it speak SMTP, does it take the mail?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.ehlo import auth_mechanisms, overwritten_keyword
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")

#: A greeting later than this is a greet delay or an overloaded server; many clients wait 30 s, RFC 5321 wants 300.
SLOW_GREETING_S = 5.0
#: Mechanisms that show the password or token to everybody on the way.
CLEAR_TEXT_MECHANISMS = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})
_QUOTED_CHARS = 300
#: Addresses that a shell leaves alone.
_PLAIN = re.compile(r"[A-Za-z0-9._+@-]+")

_DNS_WORDS = ("nxdomain", "no-address")
_MX_WORDS = ("null-mx", "no-mail-host")
_RUNAWAY_WORDS = ("line-too-long", "reply-too-long", "session-too-big", "surplus-flood")
_OTHER_PROTOCOL_WORDS = ("not-smtp", "other-protocol", "speaks-tls")

_FAULT_WORDS = {
    "bare-lf": "lines that end in LF without CR",
    "extra-cr": "lines with a CR too many",
    "nul": "NUL bytes",
    "control": "control characters",
    "8bit": "characters outside ASCII",
    "long-line": "lines of more than 512 bytes",
    "mixed-codes": "different codes within one reply",
}


def _failure_of(session: Transcript, *stages: Stage) -> Exchange | None:
    return next((one for one in session.exchanges if one.stage in stages and one.failure is not None), None)


def _last(session: Transcript, stage: Stage) -> Exchange | None:
    return next((one for one in reversed(session.exchanges) if one.stage is stage), None)


def quoted(exchange: Exchange) -> str:
    """Return a reply as one quotes it: codes and text on one line."""
    reply = exchange.reply
    if reply is None:
        return exchange.failure.detail if exchange.failure else ""
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    text = printable(reply.text)
    if len(text) > _QUOTED_CHARS:
        text = text[: _QUOTED_CHARS - 1] + "…"
    return f"{codes} {text}".rstrip()


def probe_command(session: Transcript, *options: str) -> tuple[str, ...]:
    """Return the command that looks again."""
    return (" ".join(("smtpdoc probe", session.port_name, *options)),)


def _refusal(session: Transcript, exchange: Exchange, what: str, *, again: tuple[str, ...] = ()) -> Detail:
    """Return the detail for a negative reply, with the catalog's advice where it knows the reply."""
    reply, known = exchange.reply, exchange.explanation
    reason = f" ({known.reason})" if known is not None and known.reason else ""
    return Detail(
        f"{session.host} {what}: {quoted(exchange)}{reason}",
        subject=session.port_name,
        fix=known.steps[0] if known is not None and known.steps else None,
        paste=known.commands if known is not None and known.commands else again,
        code=reply.code if reply else None,
        enhanced=reply.enhanced if reply else None,
        reason=known.reason if known else None,
    )


# Can it be reached?


@checks.add(
    "name-not-found",
    title="The host name has no address",
    level=Level.ERROR,
    why="Nothing can be delivered to, or submitted at, a name that DNS does not know.",
    fix="Check the spelling; to look at the mail hosts of a domain, use --mx.",
    sources=(rfc(5321, "5.1"),),
)
def name_not_found(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word in _DNS_WORDS:
        yield Detail(exchange.failure.detail, subject=session.host, paste=(f"smtpdoc probe --mx {session.host}",))


@checks.add(
    "name-lookup-failed",
    title="DNS did not answer for the host name",
    level=Level.UNKNOWN,
    why="Without an answer nobody can tell whether the name exists; the trouble may lie with our resolver or with theirs.",
    fix="Try again, or ask another resolver with --nameserver; with --resolve HOST:IP no lookup is needed.",
)
def name_lookup_failed(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is None or (failure := exchange.failure) is None or failure.kind is not FailureKind.DNS:
        return
    if failure.word not in (*_DNS_WORDS, *_MX_WORDS):
        yield Detail(failure.detail, subject=session.host, paste=probe_command(session, "--nameserver 9.9.9.9"))


@checks.add(
    "no-mail-wanted",
    title="The domain declares that it takes no mail",
    level=Level.ERROR,
    why='A null MX ("0 .") tells senders not even to try; they bounce such mail at once.',
    fix="If the domain should take mail, replace the null MX by its mail hosts.",
    sources=(rfc(7505),),
)
def no_mail_wanted(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "null-mx":
        yield Detail(exchange.failure.detail, subject=session.host)


@checks.add(
    "no-mail-host",
    title="No host takes mail for this domain",
    level=Level.ERROR,
    why="Without MX a sender falls back to the domain's own address; without that either, the mail bounces.",
    fix="Publish an MX record that names a host with an address.",
    sources=(rfc(5321, "5.1"),),
)
def no_mail_host(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is not None and exchange.failure is not None and exchange.failure.word == "no-mail-host":
        yield Detail(exchange.failure.detail, subject=session.host)


@checks.add(
    "connection-refused",
    title="Nothing listens on this port",
    level=Level.UNKNOWN,
    why="The machine answers, but no program takes connections on this port, or a firewall says so in its place.",
    fix="Check that the server runs and listens on this port and address; submission is 587 or 465, mail exchange 25.",
)
def connection_refused(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is not None and (failure := exchange.failure) is not None and failure.kind is FailureKind.REFUSED:
        other = 465 if session.port == 587 else 587
        host = f"[{session.host}]" if ":" in session.host else session.host
        yield Detail(
            failure.detail, subject=session.port_name, paste=(f"smtpdoc probe {host}:{other}",), port=session.port
        )


@checks.add(
    "unreachable",
    title="The server cannot be reached from here",
    level=Level.UNKNOWN,
    why="The network between here and there gives no connection; nothing is known about the server itself.",
    fix="Try from another network. Port 25 is blocked on the way out in many of them; -4 or -6 tells the families apart.",
)
def unreachable(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.CONNECT)
    if exchange is None or (failure := exchange.failure) is None:
        return
    if failure.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.CLOSED):
        family = "-4" if session.family == "ipv6" else "-6"
        yield Detail(
            failure.detail,
            subject=session.port_name,
            fix=_LOCAL_FIXES.get(failure.word),
            paste=() if session.host == session.address else probe_command(session, family),
            kind=failure.kind.value,
            fault=failure.word,
        )


_NO_ROUTE_FIX = (
    "See whether other IPv6 hosts can be reached from here. If so, make this address answer or take it out of DNS."
)
#: Causes that lie with this machine, and nothing at the server's side would help.
_LOCAL_FIXES = {
    "no-network": "This machine's own network is the cause: give it a route for this address family, or use the other one.",
    "source-address": "Take an address that this machine has for --source-ip, of the same family as the server's.",
    "forbidden-here": "A firewall or sandbox on this machine forbids the connection: allow it there.",
}


@checks.add(
    "address-unreachable",
    title="One of the server's addresses does not answer",
    level=Level.WARNING,
    why="Clients that try this address first lose time with every connection, and some never try the next one.",
    fix="Make the address answer, or take it out of DNS.",
)
def address_unreachable(session: Transcript) -> Iterator[Detail]:
    for address, failure in session.attempts:
        # Where the way out is missing here, the address may be fine, and clients elsewhere reach it. A router's "no
        # route" to an IPv6 address mostly means that, too.
        no_route = failure.word == "no-route" and ":" in address
        yield Detail(
            f"{failure.detail}; then {session.address} was tried",
            subject=address,
            level=Level.INFO if no_route or failure.word in _LOCAL_FIXES else None,
            fix=_NO_ROUTE_FIX if no_route else _LOCAL_FIXES.get(failure.word),
        )


# Is it SMTP?


@checks.add(
    "other-protocol",
    title="This port does not speak SMTP the way it was asked",
    level=Level.ERROR,
    why="What came back is another protocol, or TLS where clear text was expected, or the reverse.",
    fix="Use the port that speaks SMTP, or the TLS mode that this port wants.",
    sources=(rfc(8314, "3.3"), rfc(5321, "4.2")),
)
def other_protocol(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        failure = exchange.failure
        if failure is None or failure.kind is not FailureKind.PROTOCOL:
            continue
        if failure.word == "tls-clear-answer" and session.tls_mode == "implicit":
            yield Detail(failure.detail, subject=session.port_name, paste=probe_command(session, "--tls starttls"))
        elif failure.word == "speaks-tls":
            yield Detail(failure.detail, subject=session.port_name, paste=probe_command(session, "--tls implicit"))
        elif failure.word in _OTHER_PROTOCOL_WORDS:
            host = f"[{session.host}]" if ":" in session.host else session.host
            elsewhere = (f"smtpdoc probe {host}:587",) if session.port != 587 else ()
            yield Detail(failure.detail, subject=session.port_name, paste=elsewhere)


@checks.add(
    "silent",
    title="The server accepted the connection and said nothing",
    level=Level.UNKNOWN,
    why="An SMTP server speaks first. Silence means a port that waits for TLS, a server that makes strangers wait, "
    "a server that waits for DNS or a PROXY header, or another protocol.",
    fix="Try implicit TLS, or a longer --timeout: RFC 5321 gives a server five minutes to greet.",
    sources=(rfc(5321, "4.5.3.2.1"),),
)
def silent(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.GREETING)
    if exchange is None or (failure := exchange.failure) is None or failure.kind is not FailureKind.TIMEOUT:
        return
    option = "--timeout 300" if session.port == 25 else "--tls implicit"
    yield Detail(
        failure.detail,
        subject=session.port_name,
        paste=probe_command(session, option),
        waited_s=round(exchange.elapsed_s, 3),
    )


@checks.add(
    "no-answer",
    title="The session ended without an answer",
    level=Level.UNKNOWN,
    why="The server closed the connection or fell silent, so this step has no verdict.",
    fix="Try again; when it happens at the same step each time, look into the server's log for this moment.",
    sources=(rfc(5321, "3.8"),),
)
def no_answer(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        failure = exchange.failure
        if exchange.reply is not None and exchange.reply.code == 421:
            return  # it said that it would close (RFC 5321 section 3.8)
        if failure is None or exchange.status is not StageStatus.FAILED or _told_elsewhere(session, exchange, failure):
            continue
        yield Detail(
            failure.detail,
            subject=session.port_name,
            paste=probe_command(session),
            stage=exchange.stage.value,
            fault=failure.word,
        )
        return  # the steps after it have the same cause


def _told_elsewhere(session: Transcript, exchange: Exchange, failure: Failure) -> bool:
    """True for failures that another check names; all others end up with `no-answer`, and none with nothing."""
    if failure.kind in (FailureKind.DNS, FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.TLS):
        return True
    if failure.word in (*_RUNAWAY_WORDS, *_OTHER_PROTOCOL_WORDS):
        return True
    match exchange.stage:
        case Stage.QUIT | Stage.RSET:  # nothing hangs on their replies
            return True
        case Stage.MESSAGE:  # much does
            return True
        case Stage.CONNECT:
            return failure.kind in (FailureKind.TIMEOUT, FailureKind.CLOSED)
        case Stage.GREETING:
            return failure.kind is FailureKind.TIMEOUT
        case Stage.TLS if failure.kind is FailureKind.PROTOCOL:
            implicit = session.tls_mode == "implicit"
            return failure.word == "tls-clear-answer" or (failure.word == "starttls-injection" and not implicit)
        case Stage.TLS:
            return failure.kind is FailureKind.TIMEOUT
        case _:
            return False


@checks.add(
    "runaway-reply",
    title="The server sends without end",
    level=Level.ERROR,
    why="Lines, replies and sessions have limits, or any server could fill a client's memory.",
    fix="Look at what answers on this port; a mail server's reply has a few lines.",
    sources=(rfc(5321, "4.5.3.1.5"),),
)
def runaway_reply(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.failure is not None and exchange.failure.word in _RUNAWAY_WORDS:
            yield Detail(exchange.failure.detail, subject=session.port_name, fault=exchange.failure.word)
            return


@checks.add(
    "greeting-refused",
    title="The server turned us away in its greeting",
    level=Level.ERROR,
    why="A greeting other than 220 means that this server does not serve this client.",
    fix="The text says why: most often a block list, a missing PTR record, or a server that takes no mail at all.",
    sources=(rfc(5321, "3.1"),),
)
def greeting_refused(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.GREETING)
    if exchange is not None and exchange.status is StageStatus.REFUSED:
        yield _refusal(session, exchange, "greeted with a refusal")


@checks.add(
    "greeting-deferred",
    title="The server is not available now",
    level=Level.UNKNOWN,
    why="A 4yz greeting asks to come back later: too many connections, or a limit for this client.",
    fix="Wait a few minutes and try again; do not reconnect in a loop.",
    sources=(rfc(5321, "4.2.1"),),
)
def greeting_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.GREETING)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        yield _refusal(session, exchange, "asked to come back later")


@checks.add(
    "slow-greeting",
    title="The greeting came late",
    level=Level.WARNING,
    why="Clients that are less patient give up. The server waits on purpose (a greet delay, against programs that talk "
    "before they are greeted), or it waits for DNS about the client's address, or it is overloaded.",
    fix="If this client should be trusted, exempt it from the greet delay; otherwise look at the server's DNS and load.",
    sources=(rfc(5321, "4.5.3.2.1"),),
)
def slow_greeting(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.GREETING)
    if exchange is not None and exchange.reply is not None and exchange.elapsed_s > SLOW_GREETING_S:
        yield Detail(
            f"{session.host} greeted after {exchange.elapsed_s:.1f} s",
            subject=session.port_name,
            elapsed_s=round(exchange.elapsed_s, 3),
        )


@checks.add(
    "ehlo-refused",
    title="The server refused EHLO",
    level=Level.ERROR,
    why="Without EHLO there is no STARTTLS, no AUTH, and no size limit to know. A refusal is often about the name that was given.",
    fix="Give a name that resolves to your address, with --helo.",
    sources=(rfc(5321, "4.1.1.1"),),
)
def ehlo_refused(session: Transcript) -> Iterator[Detail]:
    for stage in (Stage.EHLO, Stage.EHLO_TLS):
        tries = [one for one in session.exchanges if one.stage is stage and one.reply is not None]
        if not tries or tries[0].status is StageStatus.OK:
            continue
        again = probe_command(session, "--helo YOUR.HOST.NAME")
        if tries[-1].status is StageStatus.OK:
            detail = _refusal(session, tries[0], "knows HELO only", again=again)
            detail.level = Level.WARNING
        else:
            detail = _refusal(session, tries[-1], f"refused the name {session.helo}", again=again)
            if tries[-1].status is StageStatus.DEFERRED:
                detail.level = Level.UNKNOWN
        yield detail


# STARTTLS


@checks.add(
    "starttls-missing",
    title="STARTTLS is not offered",
    level=Level.ERROR,
    why="Passwords and mail cross the network in clear, for everybody on the way to read.",
    fix="Give the server a certificate and turn STARTTLS on; if it is on, something between here and there removes it.",
    sources=(rfc(3207, "4"), rfc(8314, "3")),
)
def starttls_missing(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.STARTTLS)
    if exchange is None or exchange.failure is None or exchange.failure.word != "starttls-missing":
        return
    if overwritten_keyword(session.capabilities_before_tls or ()) is None:
        yield Detail(
            f"{session.host} does not offer STARTTLS on port {session.port}",
            subject=session.port_name,
            level=Level.WARNING if session.opportunistic else Level.ERROR,
            paste=() if session.opportunistic else probe_command(session, "--tls optional"),
        )


@checks.add(
    "starttls-stripped",
    title="Something on the way removes STARTTLS",
    level=Level.ERROR,
    why="A firewall or proxy writes over the server's offer of STARTTLS, so that it can read the mail. Whoever else sits "
    "there can read it too.",
    fix="Turn off SMTP inspection (Cisco calls it ESMTP inspection or fixup) on the firewalls of both sides.",
    sources=(rfc(3207, "6"),),
)
def starttls_stripped(session: Transcript) -> Iterator[Detail]:
    keyword = overwritten_keyword(session.capabilities_before_tls or ())
    if keyword is not None and "STARTTLS" not in (session.capabilities_before_tls or {}):
        yield Detail(
            f"the answer to EHLO has {printable(keyword)} where other servers have STARTTLS",
            subject=session.port_name,
            keyword=keyword,
        )


@checks.add(
    "starttls-refused",
    title="STARTTLS is offered and then refused",
    level=Level.ERROR,
    why="The server says that it can, and cannot: often a certificate or key that it fails to load.",
    fix="Look into the server's log for the reason; most often it cannot read its certificate or private key.",
    sources=(rfc(3207, "4"),),
)
def starttls_refused(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.STARTTLS)
    if exchange is not None and exchange.status in (StageStatus.REFUSED, StageStatus.DEFERRED):
        detail = _refusal(session, exchange, "offers STARTTLS and refused it")
        detail.level = Level.WARNING if session.opportunistic else Level.ERROR
        yield detail


@checks.add(
    "starttls-injection",
    title="Text in clear followed the agreement to STARTTLS",
    level=Level.ERROR,
    why="A client that reads on takes this text for part of the encrypted session. Somebody on the way can put commands or "
    "replies there; a server that sends it itself is broken.",
    fix="Compare with a probe from another network. If the text is there too, update the server.",
    sources=(rfc(3207, "4.2"),),
)
def starttls_injection(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.TLS)
    if exchange is None or exchange.failure is None or session.tls_mode == "implicit":
        return
    if exchange.failure.word in ("starttls-injection", "tls-clear-answer"):
        yield Detail(exchange.failure.detail, subject=session.port_name)


@checks.add(
    "starttls-offered-again",
    title="STARTTLS is still offered under TLS",
    level=Level.WARNING,
    why="A session that is encrypted cannot start TLS again; a proxy may be speaking TLS on the server's behalf.",
    fix="Let the server know that the proxy has done TLS, or let it do TLS itself.",
    sources=(rfc(3207, "4.2"),),
)
def starttls_offered_again(session: Transcript) -> Iterator[Detail]:
    if session.tls is not None and "STARTTLS" in (session.capabilities_after_tls or {}):
        yield Detail(f"{session.host} offers STARTTLS in a session that has TLS already", subject=session.port_name)


# AUTH


@checks.add(
    "auth-offered-in-clear",
    title="Logins are offered without TLS",
    level=Level.WARNING,
    why="A client that is set up wrongly, or whose STARTTLS somebody removes, sends its password in clear.",
    fix="Offer AUTH only after STARTTLS (Postfix: smtpd_tls_auth_only = yes).",
    sources=(rfc(4954, "4"), rfc(8314, "3.2")),
)
def auth_offered_in_clear(session: Transcript) -> Iterator[Detail]:
    offered = auth_mechanisms(session.capabilities_before_tls or {})
    in_clear = tuple(mechanism for mechanism in offered if mechanism in CLEAR_TEXT_MECHANISMS)
    if in_clear:
        listed = " ".join(in_clear)
        yield Detail(
            f"{session.host} offers AUTH {printable(listed)} before TLS", subject=session.port_name, mechanisms=in_clear
        )


@checks.add(
    "auth-not-offered",
    title="The login that was asked for is not offered",
    level=Level.ERROR,
    why="A server offers AUTH on its submission ports only, and often only under TLS or to some clients.",
    fix="Use the submission port (587 or 465), and one of the mechanisms that the server lists.",
    sources=(rfc(4954, "3"), rfc(6409, "4.3")),
)
def auth_not_offered(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.AUTH)
    if exchange is None or (failure := exchange.failure) is None:
        return
    if failure.word == "auth-not-offered":
        host = f"[{session.host}]" if ":" in session.host else session.host
        user = f" --auth-user {session.auth_user}" if session.auth_user else ""
        elsewhere = (f"smtpdoc probe {host}:587{user}",) if session.port != 587 else ()
        yield Detail(
            f"{session.host} does not offer AUTH on port {session.port}", subject=session.port_name, paste=elsewhere
        )
    elif failure.word == "mechanism-not-offered":
        yield Detail(f"{session.host}: {printable(failure.detail)}", subject=session.port_name)


@checks.add(
    "auth-not-safe",
    title="The login was not tried, because it would not have been safe",
    level=Level.UNKNOWN,
    why="Over clear text, or with a server whose certificate does not verify, the password may go to somebody else.",
    fix="Mend TLS first. --allow-cleartext-auth sends the password all the same, except where STARTTLS was lost.",
    sources=(rfc(8314, "3.2"), rfc(4954, "4")),
)
def auth_not_safe(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.AUTH)
    if exchange is not None and exchange.failure and exchange.failure.kind is FailureKind.SKIPPED_UNSAFE:
        yield Detail(printable(exchange.failure.detail), subject=session.port_name)


@checks.add(
    "auth-refused",
    title="The server refused the login",
    level=Level.ERROR,
    why="User name, password or mechanism is not accepted. Servers count failures and lock accounts, so this was tried once.",
    fix="Check user name and password by hand once; some providers want an application password or a token.",
    sources=(rfc(4954, "6"),),
)
def auth_refused(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.AUTH)
    if exchange is not None and exchange.status is StageStatus.REFUSED:
        who = f" of {printable(session.auth_user)}" if session.auth_user else ""
        again = probe_command(session, f"--auth-user {session.auth_user}") if session.auth_user else ()
        yield _refusal(session, exchange, f"refused the login{who} with {session.auth_mechanism}", again=again)


@checks.add(
    "auth-deferred",
    title="The server could not check the login now",
    level=Level.UNKNOWN,
    why="Its user database or password service does not answer, or there were too many attempts.",
    fix="Wait some minutes before the next attempt; if it stays, look at the server's authentication service.",
    sources=(rfc(4954, "6"),),
)
def auth_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.AUTH)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        yield _refusal(session, exchange, "could not check the login now")


# The envelope


@checks.add(
    "envelope-not-safe",
    title="The envelope was not sent, because it would have gone in clear",
    level=Level.UNKNOWN,
    why="Encryption was expected here and did not come about.",
    fix="Mend STARTTLS first, or say with --tls optional that clear text will do.",
    sources=(rfc(8314, "3"),),
)
def envelope_not_safe(session: Transcript) -> Iterator[Detail]:
    exchange = _failure_of(session, Stage.MAIL)
    if exchange is not None and exchange.failure and exchange.failure.kind is FailureKind.SKIPPED_UNSAFE:
        yield Detail(exchange.failure.detail, subject=session.port_name, paste=probe_command(session, "--tls optional"))


@checks.add(
    "mail-refused",
    title="The sender was refused",
    level=Level.ERROR,
    why="The server takes no mail from this address, from this client, or without a login.",
    fix="The reply says which; on a submission port log in first, with --auth-user.",
    sources=(rfc(5321, "4.1.1.2"),),
)
def mail_refused(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.MAIL)
    if exchange is not None and exchange.status is StageStatus.REFUSED:
        yield _refusal(session, exchange, f"refused the sender {_sender(session)}")


@checks.add(
    "mail-deferred",
    title="The sender was put off",
    level=Level.UNKNOWN,
    why="A 4yz reply is no verdict: the server asks to try again later.",
    fix="Try again in some minutes; a mail server would keep the message in its queue.",
    sources=(rfc(5321, "4.2.1"),),
)
def mail_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = _last(session, Stage.MAIL)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        yield _refusal(session, exchange, f"put off the sender {_sender(session)}")


@checks.add(
    "rcpt-refused",
    title="A recipient was refused",
    level=Level.ERROR,
    why="The server will not take mail for this address from this client.",
    fix="The reply says why: the mailbox does not exist, is full, or the server does not relay for this client.",
    sources=(rfc(5321, "4.1.1.3"),),
)
def rcpt_refused(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is Stage.RCPT and exchange.decides and exchange.status is StageStatus.REFUSED:
            yield _about_recipient(session, exchange, "refused")


@checks.add(
    "rcpt-deferred",
    title="A recipient was put off",
    level=Level.UNKNOWN,
    why="A 4yz reply is no verdict: greylisting, a full mailbox, or a limit. The same address may be accepted later.",
    fix="Try again after the time that the reply names, or in five minutes, with the same sender and from the same address.",
    sources=(rfc(5321, "4.2.1"), rfc(6647)),
)
def rcpt_deferred(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        if exchange.stage is Stage.RCPT and exchange.decides and exchange.status is StageStatus.DEFERRED:
            again = f"put off again, {session.waited_s:.0f} s later," if session.attempt > 1 else "put off"
            detail = _about_recipient(session, exchange, again)
            recipient = exchange.recipient or ""
            if session.attempt == 1 and detail.facts.get("reason") == "greylisted" and _PLAIN.fullmatch(recipient):
                detail.paste = probe_command(session, f"--to {recipient} --greylist-wait")
            yield detail


def _about_recipient(session: Transcript, exchange: Exchange, what: str) -> Detail:
    recipient = printable(exchange.recipient or "the recipient")
    detail = _refusal(session, exchange, f"{what} {recipient}")
    detail.subject = recipient
    return detail


def _sender(session: Transcript) -> str:
    return f"<{printable(session.mail_from or '')}>"


# How well does it speak?


@checks.add(
    "surplus-reply",
    title="The server sent replies that nobody had asked for",
    level=Level.WARNING,
    why="From a surplus reply on, a client that counts on one reply for each command takes every answer for the wrong "
    "question; where it came late, earlier answers here may be off by one as well.",
    fix="Look for what writes into the session: a filter, a proxy, or a server script that answers twice.",
    sources=(rfc(5321, "4.2"),),
)
def surplus_reply(session: Transcript) -> Iterator[Detail]:
    if any(one.failure is not None and one.failure.word == "starttls-injection" for one in session.exchanges):
        return  # told with the injection
    for reply in session.unsolicited:
        if reply.code != 421:  # the one reply that may come at any time (RFC 5321 section 3.8)
            text = printable(reply.text[:_QUOTED_CHARS])
            yield Detail(f"{session.host} sent {reply.code} {text} unasked", subject=session.port_name, code=reply.code)


@checks.add(
    "reply-faults",
    title="Some replies break the rules of SMTP",
    level=Level.WARNING,
    why="This client reads them all the same; others may wait for ever, or read something else.",
    fix="Update the server, or look at what rewrites its replies on the way.",
    sources=(rfc(5321, "4.2"), rfc(5321, "2.3.8")),
)
def reply_faults(session: Transcript) -> Iterator[Detail]:
    seen: dict[str, Stage] = {}
    for exchange in session.exchanges:
        for fault in exchange.reply.faults if exchange.reply is not None else ():
            seen.setdefault(fault, exchange.stage)
    for fault, stage in seen.items():
        words = _FAULT_WORDS.get(fault, fault)
        detail = Detail(f"{session.host} sends {words}, first at {stage.value.upper()}", subject=session.port_name)
        detail.level = Level.INFO if fault == "8bit" and "SMTPUTF8" in _offered(session) else Level.WARNING
        yield detail


def _offered(session: Transcript) -> frozenset[str]:
    return frozenset({**(session.capabilities_before_tls or {}), **(session.capabilities_after_tls or {})})


@checks.add(
    "codes-disagree",
    title="Reply code and enhanced status code contradict each other",
    level=Level.WARNING,
    why="One of the two says try again, the other says give up; senders act on either.",
    fix="Change the server's reply so that both begin with the same digit.",
    sources=(rfc(2034, "4"), rfc(3463, "2")),
)
def codes_disagree(session: Transcript) -> Iterator[Detail]:
    for exchange in session.exchanges:
        reply = exchange.reply
        if reply is None or reply.enhanced is None or reply.code is None or reply.code < 400:
            continue
        if not reply.enhanced.startswith(str(reply.code)[0]):
            yield Detail(
                f"{session.host} answered {exchange.stage.value.upper()} with {reply.code} {reply.enhanced}",
                subject=session.port_name,
                code=reply.code,
                enhanced=reply.enhanced,
            )


ENTRIES = checks.entries
