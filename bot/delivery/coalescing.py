"""Coalesces late thread replies: one message per thread carries all that waited.

After an hour without Slack, a thread gets one reply, however often its job changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bot.delivery import message_metadata, texts
from bot.sdk.cards import overflow_menu
from bot.store import MessageKind, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store import Transaction

COALESCE_AFTER = timedelta(seconds=60)  # age of a reply from which later ones are merged into it


async def coalesce(tx: Transaction, post: OutboxMessage, now: datetime) -> OutboxMessage:
    """Return a claimed message; if it is late, merged with the later ones of its thread."""
    if not is_late(post, now):
        return post
    # An unconfirmed message keeps its idempotency key and its place.
    later = list(
        takewhile(lambda other: not other.unconfirmed, await tx.outbox.later_in_thread(post))
    )
    body = merged_body([post, *later])
    if not later or not await tx.outbox.absorb(post, body, later, now):
        return post
    return replace(post, body=body)


def is_late(post: OutboxMessage, now: datetime) -> bool:
    """Return whether this is a delayed thread reply; an unconfirmed one is sent unchanged."""
    is_reply = post.kind is MessageKind.POST and post.watch_id and not post.creates_card
    on_time = (
        timedelta() <= now - post.created_at <= COALESCE_AFTER
    )  # negative: the clock was set back
    return bool(is_reply) and not post.unconfirmed and not on_time


def merged_body(posts: Sequence[OutboxMessage]) -> dict[str, Any]:
    """Return the body of one message with the texts of all these, oldest first."""
    items = [text for post in posts for text in reply_texts(post)]
    about = latest_metadata(posts)
    message = texts.catch_up(posts[0].created_at, items, status_text="", asker="")
    followed = not (about or {}).get("over")
    return posts[0].body | {
        "message": overflow_menu.with_menu(message, followed=followed).model_dump(),
        "broadcast": any(post.body.get("broadcast") for post in posts),
        "about": dict(about or {}),
        "items": items,
    }


def reply_texts(post: OutboxMessage) -> list[str]:
    """Return the texts of a thread reply; a catch-up reply has several."""
    return list(post.body.get("items") or [post.body["message"]["text"]])


def latest_metadata(posts: Sequence[OutboxMessage]) -> message_metadata.Metadata | None:
    """Return the newest metadata of these messages: the thread's state after them."""
    found = message_metadata.latest(post.body.get("about") or {} for post in reversed(posts))
    return None if found is None else dict(found)
