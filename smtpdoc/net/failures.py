"""Endings in words: what a dead connection, a failed handshake or an errno means, and which door to try instead."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from smtpdoc.evidence.smtp import Failure, FailureKind, Stage
from smtpdoc.grammar.printable import printable
from smtpdoc.grammar.reply_reader import (
    LINE_LIMIT_BYTES,
    REPLY_LIMIT_BYTES,
    REPLY_LIMIT_LINES,
    SESSION_LIMIT_BYTES,
    recognise_protocol,
)

if TYPE_CHECKING:
    from smtpdoc.net.smtp import Ending

_SHOWN_CHARS = 200

_RUNAWAY = {
    "line-too-long": f"a line of more than {LINE_LIMIT_BYTES >> 10} kB",
    "reply-too-long": f"a reply of more than {REPLY_LIMIT_LINES} lines or {REPLY_LIMIT_BYTES >> 10} kB",
    "session-too-big": f"more than {SESSION_LIMIT_BYTES >> 20} MB",
    "surplus-flood": "one reply after the other that nobody had asked for",
}
#: What listens on a port by custom, where it is not SMTP.
_CUSTOMARY = {
    21: "FTP",
    22: "SSH",
    80: "HTTP",
    110: "POP3",
    143: "IMAP",
    443: "HTTPS",
    993: "IMAP over TLS",
    995: "POP3 over TLS",
    3306: "MySQL",
    4190: "ManageSieve",
    5432: "PostgreSQL",
    6379: "Redis",
    8080: "HTTP",
    8443: "HTTPS",
}
#: Parts of OpenSSL's reasons, lower case with blanks, and what they mean.
_TLS_REASONS = (
    (("alert protocol version", "unsupported protocol"), "it does not speak TLS 1.2 or later"),
    (
        ("alert handshake failure", "no shared cipher", "alert insufficient security"),
        "no cipher or version suits both sides",
    ),
    (("alert internal error",), "the server says that it has an internal error"),
    (
        ("certificate required", "alert bad certificate", "alert unknown ca", "alert certificate"),
        "the server wants a client certificate that it trusts (--client-cert, --client-key)",
    ),
    (("unrecognized name",), "the server does not know this name (--server-name)"),
    (("alert access denied",), "the server does not let this client in"),
    (("wrong version number", "http request", "packet length"), "the answer is no TLS"),
    (("dh key too small",), "the server's Diffie-Hellman key is too short to be safe"),
    (("ee key too small", "ca key too small"), "the certificate's key is too short to be safe"),
)

_KINDS = {
    "timeout": FailureKind.TIMEOUT,
    "tls-timeout": FailureKind.TIMEOUT,
    "eof": FailureKind.CLOSED,
    "reset": FailureKind.CLOSED,
    "lost": FailureKind.CLOSED,
    "closed-by-us": FailureKind.CLOSED,
    "tls-closed": FailureKind.TLS,
    "tls-failed": FailureKind.TLS,
    "tls-broken": FailureKind.TLS,
}


def tls_reason(reason: str) -> str:
    """Return OpenSSL's reason in words, its own name in brackets."""
    name = reason.replace("_", " ").lower()
    words = next((words for parts, words in _TLS_REASONS if any(part in name for part in parts)), None)
    return f"{words} ({name})" if words else name or "no reason given"


def describe(ending: Ending, stage: Stage, host: str, port: int, *, implicit: bool, greeted: bool) -> Failure:
    """Return the failure of a stage whose reply did not come. `greeted`: this server has spoken SMTP before."""
    word = ending.word
    if word == "clear-text-before-tls":
        word = "tls-clear-answer" if implicit else "starttls-injection"
    elif word == "tls-clear-answer" and not implicit:
        word = _clear_answer(ending.partial)
    base = word.removesuffix("-mid-reply")
    protocol = ending.protocol or (None if greeted else recognise_protocol(ending.partial))
    strange = ("not-smtp", "eof", "reset", "lost", "timeout", *(("tls-clear-answer",) if implicit else ()))
    if protocol and base in strange:
        told = "speaks-tls" if protocol == "TLS" and port not in _CUSTOMARY else "other-protocol"
        return Failure(FailureKind.PROTOCOL, stage, wrong_door(protocol, host, port, quoted(ending.partial)), told)
    sentence = _sentence(word, ending, stage, host, port, implicit=implicit)
    return Failure(_KINDS.get(base, FailureKind.PROTOCOL), stage, sentence, word)


def _clear_answer(answer: bytes) -> str:
    """Return the word for a line that came in clear where the server's part of the handshake was due.

    A refusal answers our ClientHello, which was no command. An acceptance answers nothing that we said.
    """
    return {b"2": "starttls-injection", b"3": "starttls-injection", b"4": "tls-clear-deferral"}.get(
        answer[:1], "tls-clear-answer"
    )


def quoted(data: bytes) -> str:
    """Return the beginning of what a server sent, in quotes and safe to print; "nothing" for nothing."""
    shown = printable(data.decode("utf-8", "surrogateescape").rstrip("\r\n").replace("\r\n", " / "))
    if len(shown) > _SHOWN_CHARS:
        shown = shown[:_SHOWN_CHARS] + "…"
    return f'"{shown}"' if shown else "nothing"


def _sentence(word: str, ending: Ending, stage: Stage, host: str, port: int, *, implicit: bool) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    seen = quoted(ending.partial)
    mid = ending.word.endswith("-mid-reply")
    match word.removesuffix("-mid-reply"):
        case "not-smtp":
            return f"{where} sent {seen if ending.partial else 'an empty line'}, which is no SMTP reply"
        case "line-too-long" | "reply-too-long" | "session-too-big" | "surplus-flood" as runaway:
            return f"{where} sent {_RUNAWAY[runaway]}; the connection was dropped"
        case "timeout" | "tls-timeout" if stage is Stage.GREETING and not mid:
            return _silence(where, port)
        case "timeout":
            if not mid:
                return f"{where} did not answer {_asked(stage)} in time"
            what = "its greeting" if stage is Stage.GREETING else f"its answer to {_asked(stage)}"
            # RFC 5321 section 2.3.8: a line ends in CR LF and nothing else.
            bare = b"\r" in ending.partial and b"\n" not in ending.partial
            hint = ", where lines end in CR without LF" if bare else ""
            return f"{where} did not finish {what} in time; what had arrived was {seen}{hint}"
        case "tls-timeout":
            hint = f"; if it speaks in clear first: --tls starttls for {where}" if implicit else ""
            return f"{where} did not answer the TLS handshake in time{hint}"
        case "eof" | "lost" | "reset" | "closed-by-us":
            how = "reset the connection" if word.startswith("reset") else "closed the connection"
            if mid:
                return f"{where} {how} in the middle of a reply, after {seen}"
            # TLS 1.3: the handshake is over for us before the server has looked at our certificate, or at none.
            hint = "; a server that wants a client certificate may end so" if stage is Stage.EHLO_TLS else ""
            return f"{where} {how} instead of answering {_asked(stage)}{hint}"
        case "starttls-injection":
            return (
                f"{where} sent {seen} in clear after it had agreed to STARTTLS; somebody on the way could have put it "
                "there, so the session was ended"
            )
        case "tls-clear-answer" if implicit:
            return (
                f"{where} answered in clear, with {seen}: it does not speak TLS from the start; "
                f"try --tls starttls, or port 465 for implicit TLS"
            )
        case "tls-clear-answer":
            return f"{where} agreed to STARTTLS and then answered the handshake in clear, with {seen}"
        case "tls-clear-deferral":
            return f"{where} agreed to STARTTLS and then put the handshake off in clear, with {seen}"
        case "tls-closed":
            return f"{where} closed the connection during the TLS handshake"
        case "tls-broken":
            return f"TLS with {where} broke: {tls_reason(ending.detail)}"
        case _:
            return f"the TLS handshake with {where} failed: {tls_reason(ending.detail)}"


def _asked(stage: Stage) -> str:
    match stage:
        case Stage.GREETING:
            return "with a greeting"
        case Stage.EHLO_TLS:
            return "EHLO under TLS"
        case Stage.TLS:
            return "the TLS handshake"
        case Stage.MESSAGE:
            return "the message"
        case _:
            return stage.value.upper()


def wrong_door(protocol: str, host: str, port: int, seen: str) -> str:
    """Return the sentence for a port that speaks something else."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if protocol == "TLS" and port in _CUSTOMARY:
        return f"{where} speaks TLS from the start; port {port} is usually {_CUSTOMARY[port]}, not SMTP"
    if protocol == "TLS":
        return f"{where} speaks TLS from the start; try --tls implicit"
    return f"{where} speaks {protocol}, not SMTP (it sent {seen}); mail servers listen on port 25, 465 or 587"


def _silence(where: str, port: int) -> str:
    customary = _CUSTOMARY.get(port)
    if customary:
        return f"{where} accepted the connection and said nothing; on port {port} that is usually {customary}"
    hint = "a port that wants TLS at once is silent like this: try --tls implicit"
    if port == 25:
        hint = "some servers make unknown clients wait: try a longer --timeout"
    return f"{where} accepted the connection and said nothing; {hint}"


_UNREACHABLE_WORDS = {
    errno.ENETUNREACH: "no-network",
    errno.EHOSTUNREACH: "no-route",
    errno.ENETDOWN: "no-network",
    errno.EHOSTDOWN: "no-route",
    errno.EADDRNOTAVAIL: "source-address",
    errno.EACCES: "forbidden-here",
    errno.EPERM: "forbidden-here",
}


def place(host: str, address: str, port: int) -> str:
    """Return a target in words: host:port, and the address where it is another."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return where if host == address else f"{where} at {address}"


def connect_failure(error: OSError, host: str, address: str, port: int, source_ip: str | None) -> Failure:
    """Return why a TCP connection could not be opened."""
    where = place(host, address, port)
    family = "IPv6" if ":" in address else "IPv4"
    if isinstance(error, ConnectionRefusedError):
        return Failure(
            FailureKind.REFUSED, Stage.CONNECT, f"{where} refused the connection: nothing listens there", "refused"
        )
    if isinstance(error, TimeoutError):
        return Failure(FailureKind.TIMEOUT, Stage.CONNECT, connect_timeout(where, port), "connect-timeout")
    if (interface := _interface_problem(error, address)) is not None:
        return Failure(FailureKind.UNREACHABLE, Stage.CONNECT, interface, "no-interface")
    if isinstance(error, ConnectionError):
        return Failure(FailureKind.CLOSED, Stage.CONNECT, f"{where} dropped the connection at once", "reset")
    word = _UNREACHABLE_WORDS.get(error.errno or 0, "unreachable")
    if source_ip and isinstance(error, socket.gaierror):
        word = "source-address"
    elif word == "source-address" and not source_ip:  # nothing to connect from: no address of this family at all
        word = "no-network"
    match word:
        case "no-network":
            detail = f"this machine has no {family} way out, so {where} was not tried ({_strerror(error)})"
        case "no-route":
            guess = "does this machine have IPv6?" if family == "IPv6" else "nobody is there, or a firewall says so"
            detail = f"there is no way from here to {where}: {_strerror(error)} ({guess})"
        case "source-address" if isinstance(error, socket.gaierror):
            detail = f"{printable(source_ip or '')} is no {family} address of ours, so {where} was not tried from it"
        case "source-address":
            detail = f"this machine does not have the address {source_ip}, or cannot reach {where} from it"
        case "forbidden-here":
            detail = f"this machine forbids connections to {where}: {_strerror(error)}"
        case _:
            detail = f"no connection to {where}: {_strerror(error)}"
    return Failure(FailureKind.UNREACHABLE, Stage.CONNECT, detail, word)


def _interface_problem(error: OSError, address: str) -> str | None:
    """Return what is wrong with the zone of a link-local address (RFC 4007 section 11), or None when nothing is."""
    ip, percent, zone = address.partition("%")
    if percent and isinstance(error, socket.gaierror):  # addresses are numeric here: only the zone can be unknown
        return f"this machine has no network interface {printable(zone)}, which {ip}%{printable(zone)} names"
    if not percent and ip.lower().startswith("fe80:") and error.errno == errno.EINVAL:
        return f"{ip} is a link-local address, which needs the interface it is on: [{ip}%INTERFACE]"
    return None


def connect_timeout(where: str, port: int) -> str:
    """Return the sentence for a connection that nobody answers."""
    hint = "; many networks block port 25 on the way out" if port == 25 else "; a firewall may be dropping it"
    return f"{where} did not answer the connection attempt in time{hint}"


def _strerror(error: OSError) -> str:
    """The system's words; asyncio puts its own in their place."""
    return (os.strerror(error.errno) if error.errno else error.strerror or str(error)).lower()
