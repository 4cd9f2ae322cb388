"""The guided tour: three scenes on the embedded server and zone, told to an audience."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from smtpdoc.api import explain
from smtpdoc.api.domains import auth_check
from smtpdoc.api.sessions import probe
from smtpdoc.demo import DOMAIN, MAIL_DOMAIN, DemoServer, start
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.zone import load_zone
from smtpdoc.report import Report
from smtpdoc.seams import Watcher

REPLY = (
    "550-5.7.26 Unauthenticated email from example.com is not accepted due to "
    "550-5.7.26 domain's DMARC policy. Please contact the administrator of "
    "550 5.7.26 example.com domain if this was a legitimate mail. - gsmtp"
)
TIMEOUT_S = 20.0


class Audience(Protocol):
    """Who looks at the tour."""

    def scene(self, title: str, comment: str) -> None:
        """A new scene begins."""
        ...

    def typed(self, command: str) -> None:
        """A command is run, as a user would type it."""
        ...

    def watcher(self) -> Watcher:
        """Who sees the session that comes next."""
        ...

    def answer(self, report: Report) -> None:
        """The command has ended."""
        ...


def run_tour(audience: Audience) -> None:
    """Show all scenes; raises OSError when loopback cannot be used."""
    asyncio.run(_tour(audience))


async def _tour(audience: Audience) -> None:
    _explain_scene(audience)
    async with await start() as server:
        await _probe_scenes(audience, server)
        await _auth_scene(audience, server)


def _explain_scene(audience: Audience) -> None:
    audience.scene(
        "A bounce says 550 5.7.26. What now?",
        "Paste a reply as it stands in the log. The answer says what it means, what to do, and who has to.",
    )
    audience.typed('smtpdoc explain "550-5.7.26 Unauthenticated email from example.com is not accepted ..."')
    audience.answer(explain(REPLY))


async def _probe_scenes(audience: Audience, server: DemoServer) -> None:
    place = f"{server.host}:{server.port}"

    async def session(**wanted: Any) -> None:
        report = await probe(
            place,
            helo="client.example.com",
            auth_user=server.user,
            ca_file=str(server.ca_file),
            timeout_s=TIMEOUT_S,
            cert_days=0,  # the certificate is made for today
            resolve={server.host: (server.address,)},
            watcher=audience.watcher(),
            **wanted,
        )
        audience.answer(report)

    audience.scene(
        "The application cannot log in",
        "A real session with the embedded server: STARTTLS is fine, the password is not. Secrets stay hidden.",
    )
    audience.typed(f"smtpdoc probe {place} --auth-user {server.user}")
    await session(password=server.password[::-1])

    audience.scene(
        "Three recipients, three answers",
        "The right password now. One recipient is fine, one is greylisted, one does not exist. No message is sent.",
    )
    recipients = tuple(f"{name}@{MAIL_DOMAIN}" for name in ("bob", "grey", "nobody"))
    audience.typed(
        f"smtpdoc probe {place} --auth-user {server.user} " + " ".join(f"--to {name}" for name in recipients)
    )
    await session(password=server.password, mail_from=f"{server.user}@{MAIL_DOMAIN}", recipients=recipients)


async def _auth_scene(audience: Audience, server: DemoServer) -> None:
    audience.scene(
        "Is the domain set up so that its mail is accepted?",
        "The embedded zone holds a domain like many: one sender too many in SPF, a weak DKIM key, DMARC on watch only.",
    )
    audience.typed(f"smtpdoc auth-check {DOMAIN}")
    async with open_resolver(zone=load_zone(server.zone_file), timeout_s=TIMEOUT_S, offline=True) as resolver:
        audience.answer(await auth_check(DOMAIN, resolver=resolver, timeout_s=TIMEOUT_S))
