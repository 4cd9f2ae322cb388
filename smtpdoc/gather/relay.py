"""Recipients that the user did not name: a made-up control at each domain, and foreign ones in several disguises."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from smtpdoc.evidence.smtp import Purpose
from smtpdoc.gather.envelope import Recipient
from smtpdoc.grammar.address import Address

#: A documentation name (RFC 2606): nobody's mailbox is bothered by a server that does relay at RCPT TO.
RELAY_TO = "relay-test@example.com"
_SIMPLE = re.compile(r"[A-Za-z0-9._+-]+")


def made_up_name() -> str:
    """Return a local part that no mailbox has: 48 random bits, and letters that tell a postmaster what it was."""
    return f"no-such-mailbox-{os.urandom(6).hex()}"


def controls(recipients: Sequence[Address], name: str) -> tuple[Address, ...]:
    """Return the made-up recipient at each domain of the recipients, in their order; "postmaster" alone has none."""
    domains = dict.fromkeys(one.domain.lower() for one in recipients if one.domain)
    return tuple(Address(name, domain) for domain in domains)


def extra_recipients(
    recipients: Sequence[Address], control_name: str | None, relay_to: Address | None, own_domain: str
) -> tuple[Recipient, ...]:
    """Return whom to try besides the recipients: controls with a made-up name at their domains, then foreign ones
    in several disguises. `own_domain` is one of the server's, used where no recipient names one."""
    found: list[Recipient] = []
    if control_name is not None:
        found += [Recipient(str(one), one.path, Purpose.CONTROL) for one in controls(recipients, control_name)]
    if relay_to is not None:
        local = next((one.domain for one in recipients if one.domain), own_domain)
        found += [Recipient(path[1:-1], path, Purpose.RELAY) for path in relay_paths(relay_to, local)]
    return tuple(found)


def relay_paths(foreign: Address, local: str) -> tuple[str, ...]:
    """Return forward-paths that all mean a foreign recipient: plain first, then as old routing syntax with `local`, a
    domain of the server's own. At most five.

    A server that reads the disguised ones as local names may take them for a mailbox of its own.

    >>> relay_paths(Address("x", "example.com"), "example.net")[1:3]
    ('<x%example.com@example.net>', '<example.com!x@example.net>')
    """
    plain = f"<{foreign}>"
    if not _SIMPLE.fullmatch(foreign.local_part):
        return (plain,)
    return (
        plain,
        f"<{foreign.local_part}%{foreign.domain}@{local}>",  # the percent hack
        f"<{foreign.domain}!{foreign.local_part}@{local}>",  # a UUCP path
        f'<"{foreign}"@{local}>',
        f"<@{local}:{foreign}>",  # a source route (RFC 5321 appendix C): to be ignored, not to be followed
    )
