"""What a session says about who answers there: is it SMTP, does it greet us, and does it answer to the end?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpdoc.catalog.checks.smtp_reach import MX_PORT
from smtpdoc.catalog.checks.smtp_words import envelope_options, failure_of, last, probe_command, quoted, refusal
from smtpdoc.catalog.model import CheckSet, Detail
from smtpdoc.evidence.smtp import Exchange, Failure, FailureKind, Stage, StageStatus, Transcript
from smtpdoc.findings import Level, rfc
from smtpdoc.grammar.printable import printable

checks = CheckSet[Transcript]("smtp")

#: A greeting later than this is a greet delay or an overloaded server; many clients wait 30 s, RFC 5321 wants 300.
SLOW_GREETING_S = 5.0
_RUNAWAY_WORDS = ("line-too-long", "reply-too-long", "session-too-big", "surplus-flood")
_UNFINISHED = "timeout-mid-reply"
#: What came in clear where a handshake was due.
_IN_CLEAR = ("starttls-injection", "tls-clear-answer", "tls-clear-deferral")
_OTHER_PROTOCOL_WORDS = ("not-smtp", "other-protocol", "speaks-tls")

#: Words of greetings, or of refusals of EHLO, that belong to other protocols with three-digit codes.
_ALIKE = (
    ("FTP", r"FTP|FileZilla|\bUSER and PASS\b"),
    # Dovecot greets alike for both; its submission service knows EHLO, and may still not like what follows it.
    ("LMTP", r"\bLMTP\b|\bLHLO\b|\A\S+ Dovecot(?: \(\S+\))? ready(?s:.*)\bunknown command\b"),
    ("NNTP", r"\bNNTP\b|\bINN\b|\bnews\b"),
)


def spoken_instead(session: Transcript) -> str | None:
    """Return the protocol of a server that greets with a code as SMTP does, and knows neither EHLO nor HELO."""
    greeting = last(session, Stage.GREETING)
    if greeting is None or greeting.reply is None or not greeting.reply.positive:
        return None
    hellos = [one for one in session.exchanges if one.stage is Stage.EHLO]
    if greeting.status is StageStatus.OK and not (hellos and all(one.status is StageStatus.REFUSED for one in hellos)):
        return None
    texts = "\n".join(one.reply.text for one in (greeting, *hellos) if one.reply is not None)
    told = next((name for name, words in _ALIKE if re.search(words, texts, re.IGNORECASE)), None)
    return told or (None if greeting.status is StageStatus.OK else "another protocol")


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
            yield Detail(
                failure.detail,
                subject=session.port_name,
                fix=None if exchange.stage in _FIRST_WORDS else _BROKEN_OFF_FIX,
                paste=_other_port(session) if exchange.stage in _FIRST_WORDS else probe_command(session),
            )
    protocol = spoken_instead(session)
    if protocol is not None:
        yield Detail(
            f"{session.port_name} speaks {protocol}, not SMTP: its codes look alike; mail servers listen on port 25, 465 "
            "or 587",
            subject=session.port_name,
            paste=_other_port(session),
            protocol=protocol,
        )


#: Of a name for EHLO, which may be as long as anybody likes.
_SHOWN_CHARS = 100
#: Where a server's first words come: what is no SMTP there never was.
_FIRST_WORDS = (Stage.GREETING, Stage.TLS)
_BROKEN_OFF_FIX = (
    "It spoke SMTP until then: look at what writes into the session, a filter or a debug output of the server."
)


def _other_port(session: Transcript) -> tuple[str, ...]:
    host = f"[{session.host}]" if ":" in session.host else session.host
    return (f"smtpdoc probe {host}:587",) if session.port != 587 else ()


#: Ports where the client speaks first, or TLS comes first, and then no SMTP.
_OTHER_PORTS = {
    80: "HTTP",
    8080: "HTTP",
    443: "HTTPS",
    8443: "HTTPS",
    993: "IMAP over TLS",
    995: "POP3 over TLS",
    389: "LDAP",
    636: "LDAP over TLS",
}


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
    exchange = failure_of(session, Stage.GREETING)
    if exchange is None or (failure := exchange.failure) is None or failure.kind is not FailureKind.TIMEOUT:
        return
    if failure.word == _UNFINISHED:
        return
    if session.port in _OTHER_PORTS:
        yield Detail(
            f"{session.port_name} accepted the connection and said nothing; port {session.port} is mostly "
            f"{_OTHER_PORTS[session.port]}",
            subject=session.port_name,
            fix="Mail servers listen on port 25, 465 or 587.",
            paste=_other_port(session),
            waited_s=round(exchange.elapsed_s, 3),
        )
        return
    waits = session.port == MX_PORT  # where no server wants TLS at once
    option = "--timeout 300" if waits else "--tls implicit"
    yield Detail(
        failure.detail,
        subject=session.port_name,
        fix="Give it more time: RFC 5321 allows a server five minutes to greet." if waits else None,
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
        slow = failure.kind is FailureKind.TIMEOUT
        options = ("--timeout 300",) if slow else envelope_options(session, exchange.recipient or "")
        refused = None if slow else _refused_before(session, exchange)
        yield Detail(
            failure.detail if refused is None else f"{failure.detail}, once it had refused {printable(refused)}",
            subject=session.port_name,
            fix=_no_answer_fix(exchange.stage, failure) if refused is None else _ONE_AT_A_TIME,
            paste=probe_command(session, *options),
            stage=exchange.stage.value,
            fault=failure.word,
        )
        return  # the steps after it have the same cause


_ONE_AT_A_TIME = "Ask for one recipient at a time: then each gets an answer, and it is plain whose it is."


def _refused_before(session: Transcript, exchange: Exchange) -> str | None:
    """Return the recipient whose refusal was the last thing that the server said before it went away, or None."""
    earlier = session.exchanges[: session.exchanges.index(exchange)]
    if exchange.stage is not Stage.RCPT or not earlier or earlier[-1].status is not StageStatus.REFUSED:
        return None
    return earlier[-1].recipient


def _no_answer_fix(stage: Stage, failure: Failure) -> str | None:
    if failure.word == "replies-missing":
        return _ONE_AT_A_TIME
    if failure.kind is FailureKind.TIMEOUT:
        return (
            "Give it more time. Some servers slow down whom they do not trust, line by line (a tarpit); others wait for DNS "
            "or a block list themselves."
        )
    if stage is Stage.GREETING and failure.word in ("eof", "reset", "lost"):
        return (
            "Something took the connection and dropped it: a server with too many connections, one that refuses this "
            "address, or a load balancer without a server behind it. Try from another address; then see the server's log."
        )
    if failure.word.endswith("-mid-reply"):
        return (
            "What had arrived is the server's answer, as far as it goes; read it first. If it is cut off at the same place "
            "each time, look into the server's log, and for a filter on the way."
        )
    return None


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
            return failure.kind is FailureKind.TIMEOUT and failure.word != _UNFINISHED
        case Stage.TLS if failure.kind is FailureKind.PROTOCOL:
            implicit = session.tls_mode == "implicit"
            return failure.word == "tls-clear-answer" or (failure.word in _IN_CLEAR and not implicit)
        case Stage.TLS:
            return failure.kind is FailureKind.TIMEOUT
        case Stage.AUTH:
            return failure.word in ("sasl-broken", "server-unproven")
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
            yield Detail(
                exchange.failure.detail,
                subject=session.port_name,
                # After QUIT all that was asked is known.
                level=Level.WARNING if exchange.stage in (Stage.RSET, Stage.QUIT) else None,
                fault=exchange.failure.word,
            )
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
    exchange = last(session, Stage.GREETING)
    if exchange is None or exchange.status is not StageStatus.REFUSED or exchange.reply is None:
        return
    if not exchange.reply.positive:  # else it is another protocol that has codes
        yield refusal(session, exchange, "greeted with a refusal", stage_knows=True)


@checks.add(
    "greeting-deferred",
    title="The server is not available now",
    level=Level.UNKNOWN,
    why="A 4yz greeting asks to come back later: too many connections, or a limit for this client.",
    fix="Wait a few minutes and try again; do not reconnect in a loop.",
    sources=(rfc(5321, "4.2.1"),),
)
def greeting_deferred(session: Transcript) -> Iterator[Detail]:
    exchange = last(session, Stage.GREETING)
    if exchange is not None and exchange.status is StageStatus.DEFERRED:
        yield refusal(session, exchange, "asked to come back later", again=probe_command(session), stage_knows=True)


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
    exchange = last(session, Stage.GREETING)
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
        if not tries or tries[0].status is StageStatus.OK or spoken_instead(session) is not None:
            continue
        tried = tries[-1]
        if tried.status is StageStatus.OK:
            yield Detail(
                f"{session.host} knows HELO only: {quoted(tries[0])}",
                subject=session.port_name,
                level=Level.WARNING,
                fix="Let the server speak ESMTP. If it does, a firewall that inspects SMTP takes EHLO out: turn that off.",
                code=tries[0].reply.code if tries[0].reply is not None else None,
            )
            continue
        what = (
            f"refused the name {session.helo[:_SHOWN_CHARS]}" if tried.status is StageStatus.REFUSED else "put EHLO off"
        )
        detail = refusal(session, tried, what, again=probe_command(session, "--helo YOUR.HOST.NAME"), stage_knows=True)
        if tried.status is StageStatus.DEFERRED:
            detail.level = Level.UNKNOWN
        yield detail
