"""seams.PolicySource: one GET over HTTPS, as strict as RFC 8461 section 3.3 wants it. Every failure is a value."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

from smtpdoc.evidence.transport import PolicyFile
from smtpdoc.grammar.http import CutShortError, HttpParseError, HttpResponse, ResponseReader, TooLongError
from smtpdoc.grammar.mta_sts import is_text_plain, parse_sts_policy
from smtpdoc.grammar.printable import printable
from smtpdoc.net import trust
from smtpdoc.seams import Resolver

HTTPS_PORT = 443
#: Section 3.3: "a suggested timeout is one minute, and a suggested maximum policy size is 64 kilobytes".
MAX_POLICY_BYTES = 64 * 1024
#: People wait for us, so less than the minute; a server that needs this long will lose senders as well.
FETCH_TIMEOUT_S = 10.0
#: Addresses that are tried in turn, and what one of them may use of the time.
MAX_ADDRESSES = 4
CONNECT_TIMEOUT_S = 4.0
_READ_BYTES = 16_384
_SHOWN_CHARS = 200

#: No way from here to there: says nothing about the server.
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM}


class _NoResponse(Exception):  # noqa: N818 - never leaves this module
    """Why there is no response; `answered` as in PolicyFile."""

    def __init__(self, problem: str, *, answered: bool = True) -> None:
        self.answered = answered
        super().__init__(problem)


class HttpsPolicies:
    """Fetches policy files from addresses that `resolver` names.

    `timeout_s` is for one file altogether, which ends before `deadline` (of the loop's clock) as well. `port` and
    `ca_file` (roots instead of the system's) are there for tests.
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        timeout_s: float = FETCH_TIMEOUT_S,
        deadline: float | None = None,
        port: int = HTTPS_PORT,
        ca_file: str | None = None,
    ) -> None:
        self._resolver = resolver
        self._timeout_s = timeout_s
        self._deadline = deadline
        self._port = port
        self._ca_file = ca_file

    async def fetch_policy(self, url: str) -> PolicyFile:
        """See seams.PolicySource."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        started = asyncio.get_running_loop().time()
        until = started + self._timeout_s if self._deadline is None else min(started + self._timeout_s, self._deadline)
        try:
            async with asyncio.timeout_at(until):
                addresses = await self._addresses(host)
                context = await asyncio.get_running_loop().run_in_executor(None, _context, self._ca_file)
                response = await self._get(host, parts.path or "/", addresses, context)
        except TimeoutError:
            problem = f"no whole answer within {max(until - started, 0):.2g} s"
            return PolicyFile(url, None, problem, answered=False)
        except _NoResponse as failure:
            return PolicyFile(url, None, str(failure), answered=failure.answered)
        return read_policy(url, response)

    async def _addresses(self, host: str) -> tuple[str, ...]:
        """IPv4 first: a machine without IPv6 often believes that it has some."""
        lookups = await self._resolver.lookup_all([(host, "A"), (host, "AAAA")])
        found = tuple(address for lookup in lookups for address in lookup.names)[:MAX_ADDRESSES]
        if not found:
            answered = all(lookup.answered for lookup in lookups)
            raise _NoResponse(f"{host} has no address" if answered else "DNS gave no answer", answered=answered)
        return found

    async def _get(self, host: str, path: str, addresses: Sequence[str], context: ssl.SSLContext) -> HttpResponse:
        failure = _NoResponse("it has no address")
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    reader, writer = await asyncio.open_connection(
                        address, self._port, ssl=context, server_hostname=host
                    )
            except TimeoutError:
                failure = _NoResponse(f"{self._place(address)} does not answer", answered=False)
            except ssl.SSLError as error:
                raise _NoResponse(_tls_problem(error, host)) from None  # the server was reached: this is its answer
            except OSError as error:
                failure = self._connect_failure(address, error)
            else:
                try:
                    writer.write(_request(host, path))
                    return await _response(reader, host)
                finally:
                    writer.transport.abort()  # a hostile server must not keep us for its closing handshake
        raise failure

    def _connect_failure(self, address: str, error: OSError) -> _NoResponse:
        if error.errno == errno.ECONNREFUSED:
            return _NoResponse(f"{self._place(address)} refuses connections")
        words = (error.strerror or "the connection broke").lower()
        return _NoResponse(f"{self._place(address)}: {words}", answered=error.errno not in _NO_WAY)

    def _place(self, address: str) -> str:
        return f"[{address}]:{self._port}" if ":" in address else f"{address}:{self._port}"


@cache
def _context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that verifies chain and name; made once, reading the roots takes some 20 ms."""
    context = trust.trust_store(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    return context


def _request(host: str, path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: smtpdoc",
        "Accept: text/plain",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _response(stream: asyncio.StreamReader, host: str) -> HttpResponse:
    reader = ResponseReader(max_body_bytes=MAX_POLICY_BYTES)
    try:
        while data := await stream.read(_READ_BYTES):
            response = reader.feed(data)
            if response is not None:
                return response
        return reader.end()
    except TooLongError as error:
        raise _NoResponse(f"the answer is too long: expected {error.expected}") from None
    except CutShortError:
        raise _NoResponse("the server closed the connection before its answer was whole") from None
    except HttpParseError as error:
        said = f', got "{printable(error.text[:_SHOWN_CHARS])}"' if error.text else ""
        raise _NoResponse(f"the answer is no HTTP that senders can read: expected {error.expected}{said}") from None
    except ssl.SSLError as error:
        raise _NoResponse(_tls_problem(error, host)) from None
    except OSError as error:
        raise _NoResponse(f"the connection broke: {(error.strerror or str(error)).lower()}") from None


def _tls_problem(error: ssl.SSLError, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (trust.HOSTNAME_MISMATCH, trust.ADDRESS_MISMATCH):
            return f"the certificate is not for {host}"
        return f"the certificate is not valid: {error.verify_message}"
    from smtpdoc.net.failures import tls_reason  # the words of probe, which this command seldom needs

    return f"TLS failed: {tls_reason(error.reason or '')}"


def read_policy(url: str, response: HttpResponse) -> PolicyFile:
    """Return the policy in a response, or why senders do not take it for one."""
    if 300 <= response.status < 400:
        location = printable(response.field("location") or "nowhere")[:_SHOWN_CHARS]
        problem = f"status {response.status}, a redirect to {location}, which senders do not follow"
        return PolicyFile(url, None, problem, location=location)
    if response.status != 200:
        return PolicyFile(url, None, f"status {response.status}")
    coding = (response.field("content-encoding") or "identity").lower()
    if coding != "identity":
        return PolicyFile(url, None, f"the file is sent compressed ({printable(coding)}), which nobody asked for")
    content_type = response.field("content-type")
    if content_type is None:
        return PolicyFile(url, None, "the answer has no Content-Type, text/plain is needed")
    if not is_text_plain(content_type):
        return PolicyFile(url, None, f"the Content-Type is {printable(content_type)[:_SHOWN_CHARS]}, not text/plain")
    try:
        text = response.body.decode("utf-8")
    except UnicodeDecodeError:
        return PolicyFile(url, None, f"the file is no UTF-8 text (Content-Type: {printable(content_type)})")
    return PolicyFile(url, parse_sts_policy(text), text=text)
