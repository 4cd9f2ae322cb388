"""How a phrase is written: words that mean the same whichever server says them."""

from __future__ import annotations

from smtpdoc.catalog.model import ReplyEntry


def phrase(
    slug: str,
    reason: str,
    title: str,
    text: str,
    example: str,
    *,
    code: int | None = None,
    codes: tuple[int, ...] = (),
    enhanced: str | None = None,
    action: str | None = None,
    meaning: str = "",
    steps: tuple[str, ...] = (),
) -> ReplyEntry:
    """Return the entry `phrase.slug`; all that is not given comes from its reason.

    Phrases see a masked text: mailboxes are `addr#`, addresses `ip#`, links `url#` (`listurl#` when a block list's).
    """
    return ReplyEntry(
        id=f"phrase.{slug}",
        reason=reason,
        title=title,
        meaning=meaning,
        text=text,
        code=code,
        codes=codes,
        enhanced=enhanced,
        action=action,
        steps=steps,
        example=example,
    )
