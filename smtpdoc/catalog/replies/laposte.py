"""Replies of La Poste (laposte.net). Its codes LPN… are shared with Orange; see orange.py for the others."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry
from smtpdoc.findings import Source

_HELP = Source("laposte.net help", None, "https://aide.laposte.net/")

ENTRIES: tuple[ReplyEntry, ...] = (
    ReplyEntry(
        id="laposte.blocked-account",
        provider="laposte",
        reason="mailbox-disabled",
        title="The recipient's laposte.net account is blocked",
        meaning="LPN007_426: the mailbox exists and is switched off, mostly for not being used.",
        text=r"lpn\d{3}_426\b",
        steps=("Stop mailing the address; reach the recipient by another channel.",),
        sources=(_HELP,),
        example="550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426",
    ),
    ReplyEntry(
        id="laposte.archived",
        provider="laposte",
        reason="mailbox-disabled",
        title="The recipient's laposte.net mailbox is archived",
        meaning="LPN007_420: the mailbox has not been used for a long time and takes no mail.",
        text=r"lpn\d{3}_420\b",
        steps=("Stop mailing the address.",),
        sources=(_HELP,),
        example="550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420",
    ),
    ReplyEntry(
        id="laposte.invalid-recipient",
        provider="laposte",
        reason="user-unknown",
        title="laposte.net knows no such recipient",
        meaning="LPN007_416: no such address.",
        text=r"lpn\d{3}_416\b",
        steps=("Check the spelling; stop mailing the address.",),
        sources=(_HELP,),
        example="550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416",
    ),
    ReplyEntry(
        id="laposte.mailbox-full",
        provider="laposte",
        reason="mailbox-full",
        title="The recipient's laposte.net mailbox is full",
        meaning="LPN007_417: no storage left.",
        text=r"lpn\d{3}_417\b",
        steps=("Tell the recipient by another channel; try again after some hours.",),
        sources=(_HELP,),
        example="552 5.2.2 Boite du destinataire pleine. Recipient overquota. LPN007_417",
    ),
)
