"""Follow-ups that had to wait: what waits behind one of them is told with it, in one message.

So an hour in which Slack takes nothing is one reply a job, however often the job changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bot import answers, told
from bot.cards import menu
from bot.store import Post, PostKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store import Transaction

PATIENCE = timedelta(seconds=60)  # that a follow-up may be late before others are told with it


async def gathered(tx: Transaction, post: Post, now: datetime) -> Post:
    """Return a claimed message, or, where it is late, one that tells what waits behind it too."""
    if not is_late(post, now):
        return post
    # What Slack may have keeps its own key and its place.
    behind = list(takewhile(lambda other: not other.doubtful, await tx.outbox.behind(post)))
    body = together([post, *behind])
    if not behind or not await tx.outbox.gather(post, body, behind, now):
        return post
    return replace(post, body=body)


def is_late(post: Post, now: datetime) -> bool:
    """Whether this is a follow-up that had to wait; what Slack may have stays as it was sent."""
    follows = post.kind is PostKind.POST and post.watch_id and not post.roots_watch
    on_time = timedelta() <= now - post.created_at <= PATIENCE  # less: the clock was set back
    return bool(follows) and not post.doubtful and not on_time


def together(posts: Sequence[Post]) -> dict[str, Any]:
    """Return the body of the one message that says what all of these would, oldest first."""
    items = [text for post in posts for text in texts(post)]
    about = newest(posts)
    message = answers.caught_up(posts[0].created_at, items, standing="", asker="")
    followed = not (about or {}).get("over")
    return posts[0].body | {
        "message": menu.under(message, followed=followed).model_dump(),
        "broadcast": any(post.body.get("broadcast") for post in posts),
        "about": dict(about or {}),
        "items": items,
    }


def texts(post: Post) -> list[str]:
    """Return what a follow-up says; one that catches up says several things."""
    return list(post.body.get("items") or [post.body["message"]["text"]])


def newest(posts: Sequence[Post]) -> told.About | None:
    """Return what a thread knows after these, as their metadata carry it."""
    found = told.latest(post.body.get("about") or {} for post in reversed(posts))
    return None if found is None else dict(found)
