"""Who wrote a reply: by marks in its text, by the host that a log names, and by what the caller knows."""

from __future__ import annotations

from dataclasses import dataclass

from smtpdoc.catalog import providers
from smtpdoc.grammar.reply import Reply

#: Providers that write the same texts: one house, or one platform.
_FAMILIES = (
    frozenset(("microsoft365", "outlook.com", "exchange")),
    frozenset(("orange", "laposte")),
    frozenset(("yahoo", "aol")),
)

#: Server software that answers for itself. A filter or a delivery program may stand behind any of them.
_SOFTWARE = frozenset(
    ("postfix", "exim", "sendmail", "qmail", "opensmtpd", "haraka", "james", "stalwart", "mox", "exchange", "courier")
)


@dataclass(frozen=True, slots=True)
class Author:
    """What is known of a reply's author.

    `name`: the provider that the caller, the text or the host names. `host`: the receiver that a log or bounce names
    as the one that said it. `software`: the server's software, where the caller knows it, from its greeting say.
    """

    name: str | None = None
    host: str | None = None
    software: str | None = None

    def cannot_be(self, provider: str | None) -> bool:
        """Tell whether the words of `provider` cannot be this server's: it is another software."""
        return self.software is not None and provider in _SOFTWARE and not related(provider, self.software)


def author_of(reply: Reply, text: str, hint: str | None = None) -> Author:
    """Return what is known of who wrote a reply; `hint` is what the caller knows.

    Server software is a weak hint: it does not deny the mark of a receiver, filter or list in the text.
    """
    told = providers.recognise(text) if text else None
    host = providers.provider_of_host(reply.remote_host) if reply.remote_host else None
    if hint is not None:
        if providers.kind(hint) != providers.SERVER:
            return Author(hint)
        other = told is not None and providers.kind(told) != providers.SERVER
        return Author(told if other else hint, None, hint)
    return Author(told or host, host)


def related(left: str | None, right: str | None) -> bool:
    return left == right or any(left in family and right in family for family in _FAMILIES)


def writer(author: Author, named: str | None = None) -> str | None:
    """Return who wrote the reply: the deciding entry's provider (`named`), unless a receiver's own mark says more."""
    found = named
    if author.name is not None and (named is None or not related(named, author.name)):
        found = author.name if named is None or providers.kind(author.name) < providers.kind(named) else named
    if author.host is not None and (found is None or providers.kind(author.host) < providers.kind(found)):
        return author.host
    return found
