"""The end of the page of `probe`, after the transcript: a verdict per session, the findings, the tally."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from smtpdoc.evidence.probe import ProbeEvidence
from smtpdoc.evidence.smtp import Exchange, FailureKind, Stage, StageStatus, TlsFacts, Transcript
from smtpdoc.findings import Level, worst
from smtpdoc.grammar.printable import printable
from smtpdoc.render.text import Page, plural, tally
from smtpdoc.render.text_transcript import STATUS_LEVELS
from smtpdoc.report import Report

_STAGE_NAMES = {
    Stage.CONNECT: "reachable",
    Stage.GREETING: "greeting",
    Stage.EHLO: "EHLO",
    Stage.STARTTLS: "STARTTLS",
    Stage.TLS: "TLS",
    Stage.EHLO_TLS: "EHLO",
    Stage.AUTH: "AUTH",
    Stage.VRFY: "VRFY",
    Stage.EXPN: "EXPN",
    Stage.MAIL: "MAIL",
    Stage.RCPT: "RCPT",
    Stage.DATA: "DATA",
    Stage.MESSAGE: "message",
    Stage.RSET: "RSET",
    Stage.QUIT: "QUIT",
    Stage.OTHER: "other",
}


def render_verdict(page: Page, report: Report, evidence: ProbeEvidence) -> None:
    """Print one verdict per session, the findings, and the closing tally."""
    several = len(evidence.standing) > 1
    if several and not page.quiet:
        from smtpdoc.render.text_parity import render_parity

        preferences = {one.host: one.preference for one in reversed(evidence.mx or ())}
        render_parity(page, evidence.standing, report.findings, preferences)
        if any(session.outcome is not StageStatus.OK for session in evidence.sessions):
            page.blank()
    for session in evidence.sessions:
        if page.quiet or not several or session.outcome is not StageStatus.OK:
            if report.interrupted and _unfinished(session):
                page.line(
                    Text.assemble(page.mark(Level.UNKNOWN), " ", ("interrupted", "head"), f"   {session.port_name}")
                )
                if not page.quiet and session.exchanges:
                    page.items(_stage_items(page, session, report, several=several))
                continue
            _session_verdict(page, session, report, several=several)
    if page.quiet:
        return
    _looks(page, evidence)
    if evidence.timings is not None:
        from smtpdoc.render.text_timings import render_timings

        page.blank()
        render_timings(page, evidence.timings)
    findings = [finding for finding in report.findings if page.verbose or finding.level is not Level.PASS]
    if findings:
        page.blank()
        page.findings(findings)
    if page.verbose:
        for session in evidence.sessions:
            _details(page, session)
    page.blank()
    page.line(f"{_what_was_done(report, evidence)}, {tally(report.findings)}", "quiet")


def _unfinished(session: Transcript) -> bool:
    """True for a session that an interrupt cut off before anything was decided."""
    return _decisive(session) is None and not any(one.stage is Stage.QUIT for one in session.exchanges)


def _what_was_done(report: Report, evidence: ProbeEvidence) -> str:
    read_from = evidence.sessions[0].replayed_from
    if read_from is not None:
        return f"read from {REPLAY_NAMES.get(read_from, f'a {read_from} transcript')}, nobody was asked"
    if evidence.timings is not None:
        return f"{report.elapsed_s:.2f} s, {plural(evidence.timings.done, 'session')}"
    trips = sum(session.round_trips for session in evidence.sessions)
    return f"{report.elapsed_s:.2f} s, {plural(trips, 'round trip')}"


#: What a transcript is called that was replayed, by what wrote it.
REPLAY_NAMES = {
    "smtpdoc": "a transcript of smtpdoc",
    "smtpdoc text": "the page of an earlier probe",
    "json": "the JSON of an earlier probe",
    "openssl": "the output of openssl s_client",
    "telnet": "a terminal session",
    "marks": "a transcript",
    "dialogue": "a dialogue",
    "smtplib": "the debug output of smtplib",
}


def _looks(page: Page, evidence: ProbeEvidence) -> None:
    several = len(evidence.standing) > 1
    for session in evidence.standing:
        if not (_looked_further(session) or (page.verbose and session.identity is not None)):
            continue
        from smtpdoc.render.text_looks import render_looks

        page.blank()
        if several:
            page.line(f"{session.port_name} {session.address or ''}".rstrip(), "head")
        render_looks(page, session)


def _looked_further(session: Transcript) -> bool:
    """Was anything asked for that is answered beside the transcript?"""
    asked = (session.tls_versions, session.starttls_injection, session.enforcement, session.dane, session.mta_sts)
    return any(asked) or (session.identity is not None and session.identity.wanted)


def _session_verdict(page: Page, session: Transcript, report: Report, *, several: bool) -> None:
    decisive = _decisive(session)
    name = session.port_name
    if session.address and session.address != session.host:
        name += f" ({session.address})"
    if decisive is None:
        level: Level = Level.PASS if several or report.level is Level.INFO else report.level
        waited = f"   after {session.waited_s:g} s" if session.attempt > 1 else ""
        done = (_done(session, level), "head")
        line = Text.assemble(page.mark(level), " ", done, (waited, "quiet"), f"   {name}")
        if page.quiet and level is not Level.PASS:  # else they stand below
            line.append(f"   {_ids(report, level)}")
        page.line(line)
    else:
        level = _level(decisive, report, several=several)
        words = {StageStatus.REFUSED: "refused", StageStatus.DEFERRED: "deferred"}.get(
            decisive.status, "failed" if level is Level.ERROR else "no verdict"
        )
        # What was put off is no verdict yet, but something else may be an error, and decide the exit code.
        mark = Level.ERROR if report.level is Level.ERROR and not several else level
        line = Text.assemble(page.mark(mark), " ", (f"{words} at {_stage_name(decisive)}", "head"))
        for part in _decisive_words(decisive):
            line.append("   ").append(part)
        if session.superseded:
            line.append("   then tried again", "quiet")
        elif session.attempt > 1:
            line.append(f"   after {session.waited_s:g} s", "quiet")
        if several or page.quiet:
            line.append(f"   {name}")
        if page.quiet and mark is not level:
            line.append(f"   {_ids(report, mark)}")
        if line.cell_len <= page.width or page.quiet:  # one line, for scripts
            page.line(line)
        else:
            page.hanging(Text(""), line)
    if not page.quiet:
        page.items(_stage_items(page, session, report, several=several))


def _ids(report: Report, level: Level) -> str:
    return " ".join(dict.fromkeys(finding.id for finding in report.findings if finding.level is level))


def _level(exchange: Exchange, report: Report, *, several: bool) -> Level:
    """Return the mark of a step by its outcome; where a session failed, and its report has an error, it is one."""
    failed = exchange.status is StageStatus.FAILED and report.level is Level.ERROR and not several
    return Level.ERROR if failed else STATUS_LEVELS[exchange.status]


def _stage_name(exchange: Exchange) -> str:
    if exchange.stage is Stage.CONNECT and exchange.status is not StageStatus.OK:
        no_address = exchange.failure is not None and exchange.failure.kind is FailureKind.DNS
        return "DNS" if no_address else "connect"
    return "HELO" if exchange.command.startswith("HELO") else _STAGE_NAMES[exchange.stage]


def _done(session: Transcript, level: Level) -> str:
    """Return what came of a session in which nothing was refused, put off or cut short."""
    for exchange in session.exchanges:
        if exchange.stage in (Stage.AUTH, Stage.MAIL) and exchange.status is StageStatus.SKIPPED:
            return "login not tried" if exchange.stage is Stage.AUTH else "envelope not sent"
    sent = any(one.stage is Stage.MESSAGE and one.status is StageStatus.OK for one in session.exchanges)
    done = "message accepted" if sent else "session completed"
    if level is Level.UNKNOWN:
        return f"{done}, not everything could be told"
    return done if level is Level.PASS else f"{done}, with findings"


def _decisive(session: Transcript) -> Exchange | None:
    """Return the exchange that decided the outcome: the first refusal, else the first deferral or failure.

    An EHLO that is not understood decides nothing where HELO is.
    """
    last = {(one.stage, one.recipient): one for one in session.exchanges}
    for status in (StageStatus.REFUSED, StageStatus.DEFERRED, StageStatus.FAILED):
        for exchange in session.exchanges:
            if exchange.status is status and exchange.decides and last[exchange.stage, exchange.recipient] is exchange:
                return exchange
    return None


def _decisive_words(exchange: Exchange) -> list[str]:
    words = []
    if exchange.recipient:
        words.append(printable(exchange.recipient))
    if exchange.reply is not None:
        words.append(" ".join(str(part) for part in (exchange.reply.code, exchange.reply.enhanced) if part))
    if exchange.explanation is not None and exchange.explanation.reason not in (None, "ok"):
        words.append(exchange.explanation.reason)
    if exchange.failure is not None and exchange.failure.kind not in (FailureKind.TLS, FailureKind.DNS):
        words.append(str(exchange.failure.kind))  # the finding below has the sentence
    return words


#: Fault words of what was not tried because the server has no such thing.
_NOT_OFFERED = ("starttls-missing", "auth-not-offered")

#: Which findings give a step its mark, beside what was replied.
_TOPICS = {
    Stage.STARTTLS: ("smtp.starttls-",),
    Stage.TLS: ("tls.certificate-", "tls.chain-", "tls.name-", "tls.weak-key", "tls.weak-signature", "tls.handshake-"),
    Stage.AUTH: ("smtp.auth-not-",),
}


def _stage_items(page: Page, session: Transcript, report: Report, *, several: bool) -> Iterator[Text]:
    for exchange in session.exchanges:
        if not exchange.decides or (exchange.stage is Stage.EHLO_TLS and exchange.status is StageStatus.OK):
            continue
        level = _level(exchange, report, several=several)
        found = _found(exchange.stage, session, report)
        name = _stage_name(exchange)
        if exchange.stage is Stage.EHLO_TLS:
            name += " under TLS"
        if exchange.stage is Stage.TLS:
            name = _certificate_word(session.tls)
            level = worst((level, found, Level.PASS if name in ("TLS", "certificate") else Level.INFO))
        if exchange.stage is Stage.RCPT and exchange.recipient:
            name = f"RCPT {printable(exchange.recipient)}"
        if exchange.status is StageStatus.SKIPPED:
            missing = exchange.failure is not None and exchange.failure.word in _NOT_OFFERED
            name, level = f"{name} not {'offered' if missing else 'tried'}", worst((level, found))
        yield page.mark(level).append(f" {name}", "none")


def _found(stage: Stage, session: Transcript, report: Report) -> Level:
    """Return the worst that was found about this step; notes leave it its mark."""
    return worst(
        finding.level
        for finding in report.findings
        if finding.subject == session.port_name
        and finding.id.startswith(_TOPICS.get(stage, ()))
        and finding.level is not Level.INFO
    )


def _certificate_word(tls: TlsFacts | None) -> str:
    if tls is None or (tls.verify_code is None and tls.verify_error is None):
        return "TLS"
    if tls.trusted:
        return "certificate" if tls.name_matches else "certificate for another name"
    return "certificate not trusted"


def _details(page: Page, session: Transcript) -> None:
    from smtpdoc.grammar.ehlo import meaning

    capabilities: Mapping[str, str] | None = session.capabilities_after_tls or session.capabilities_before_tls
    if capabilities:
        page.blank()
        page.line("What the server offers", "head")
        for keyword, parameters in capabilities.items():
            told = Text(meaning(keyword), "quiet")
            words = Text.assemble(f"{printable(parameters)} {page.marks.dot} ", told) if parameters else told
            page.hanging(Text(f"  {printable(keyword):<21} "), words)
    if session.tls is not None:
        from smtpdoc.render.text_certificates import render_chain, render_handshake

        page.blank()
        if session.tls.version:  # a kept session may tell of the certificate alone
            render_handshake(page, session.tls)
            page.blank()
        render_chain(page, session.tls, session.observed_at)
