"""What may be asked of a probe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from smtpdoc.grammar.secret import Secret

if TYPE_CHECKING:  # few probes send one
    from smtpdoc.grammar.message import Message

TLS_MODES: Final = ("auto", "starttls", "implicit", "optional", "none")
QUIT_AFTER: Final = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt")


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What the user wants to know. Contract.md has the meaning of each option.

    `tls` is one of TLS_MODES, `quit_after` one of QUIT_AFTER; `between_servers`: a mail exchange, whatever the port.
    `mail_from` and `recipients` are addresses as typed.
    `family` is "ipv4", "ipv6" or None. `timeout_s` bounds the whole session. `secret` is the password, or the token
    when `token` is True; `auth_mechanism` None lets the server's offer decide.

    `size_bytes`, `body`, `dsn_*` and `require_tls` are parameters of the envelope (grammar/parameters.py). `catch_all`
    tries a made-up recipient at each recipient's domain, with `control_name` or a random name; `relay_test` tries
    `relay_to` (gather/relay.py). `verify` and `expand` are asked with VRFY and EXPN. A `message` is really sent.
    """

    tls: str = "auto"
    between_servers: bool = False
    helo: str | None = None
    mail_from: str | None = None
    recipients: tuple[str, ...] = ()
    family: str | None = None
    source_ip: str | None = None
    auth_user: str | None = None
    auth_mechanism: str | None = None
    secret: Secret | None = None
    token: bool = False
    allow_cleartext_auth: bool = False
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    server_name: str | None = None
    quit_after: str | None = None
    timeout_s: float = 30.0
    cert_days: int = 14
    tls_versions: bool = False
    starttls_injection: bool = False
    check_enforcement: bool = False
    dane: bool = False
    mta_sts: bool = False
    identity: bool | None = None
    size_bytes: int | None = None
    body: str | None = None
    dsn_notify: tuple[str, ...] = ()
    dsn_ret: str | None = None
    dsn_envid: str | None = None
    dsn_orcpt: bool = False
    require_tls: bool = False
    catch_all: bool = False
    control_name: str | None = None
    relay_test: bool = False
    relay_to: str | None = None
    verify: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    message: Message | None = field(default=None, repr=False)

    @property
    def wants_auth(self) -> bool:
        return self.auth_user is not None or self.auth_mechanism is not None

    @property
    def has_parameters(self) -> bool:
        """Is there something to say in MAIL FROM beside the sender?"""
        texts = (self.body, self.dsn_ret, self.dsn_envid)
        return self.size_bytes is not None or self.require_tls or any(text is not None for text in texts)

    def wants(self, stage: str) -> bool:
        """Is this stage (of QUIT_AFTER) within what was asked for?"""
        return self.quit_after is None or QUIT_AFTER.index(stage) <= QUIT_AFTER.index(self.quit_after)
