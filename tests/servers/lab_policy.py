"""Postfix's policy server in the lab: greylisting, full mailboxes, slow back ends, by the recipient's local part.

The protocol is Postfix's SMTPD_POLICY_README: attributes one per line, an empty line, and one `action=` in return.
"""

from __future__ import annotations

import socketserver
import time

#: Longer than a test run: a recipient that is greylisted once stays so.
GREYLIST_S = 300
SILENCE_S = 3

ACTIONS = {
    "grey": f"450 4.2.0 Greylisted, see http://postgrey.example/, retry in {GREYLIST_S} seconds",
    "full": "452 4.2.2 Mailbox full",
    "big": "552 5.2.2 Over quota",
    "bounce421": "421 4.7.0 Too many errors, closing",
}


def action(recipient: str) -> str:
    """Return what Postfix is told about a recipient; DUNNO leaves it to the other rules.

    >>> action("full@lab.example")
    '452 4.2.2 Mailbox full'
    >>> action("bob@lab.example")
    'DUNNO'
    """
    return ACTIONS.get(recipient.partition("@")[0].lower(), "DUNNO")


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        attributes: dict[str, str] = {}
        for raw in self.rfile:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line:
                name, _, value = line.partition("=")
                attributes[name] = value
                continue
            recipient = attributes.get("recipient", "")
            if recipient.startswith("silent@"):
                time.sleep(SILENCE_S)
            self.wfile.write(f"action={action(recipient)}\n\n".encode())
            attributes = {}


class PolicyServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
