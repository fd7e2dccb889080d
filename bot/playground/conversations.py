"""The Web API's `conversations.*` methods, over the workspace. No I/O."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from bot.playground.directory import person
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.playground.arguments import Arguments
    from bot.playground.messages import Json, Message
    from bot.playground.people import Channel
    from bot.playground.workspace import Workspace

_PAGE = 100
_LONGEST_PAGE = 999  # https://docs.slack.dev/reference/methods/conversations.history


def channel_to_read(workspace: Workspace, name: str) -> Channel:
    """Return the channel if the bot may read there, or refuse the call."""
    channel = workspace.find_channel(name)
    if channel is None:
        raise RefusedError("channel_not_found")
    if workspace.bot.id in channel.members:
        return channel
    # A private channel does not exist for those who are not in it.
    hidden = channel.is_private or channel.is_im
    raise RefusedError("channel_not_found" if hidden else "not_in_channel")


def channel_to_write(workspace: Workspace, name: str, *, archived: str = "is_archived") -> Channel:
    """Return the channel if the bot may write there, or refuse the call."""
    if name in workspace.users:
        return workspace.direct(name)
    channel = workspace.find_channel(name)
    if not (channel and channel.kind == "channel" and workspace.post_without_joining):
        channel = channel_to_read(workspace, name)
    if channel.is_archived:
        raise RefusedError(archived)
    return channel


def history(workspace: Workspace, asked: Arguments) -> Json:
    """`conversations.history`, newest first."""
    channel = channel_to_read(workspace, asked.required("channel"))
    said = [m for m in reversed(workspace.said(channel.id)) if m.in_channel]
    page, cursor = _page([m for m in said if _within(m.ts, asked)], asked)
    return {**_listing(page, cursor, asked), "pin_count": 0}


def replies(workspace: Workspace, asked: Arguments) -> Json:
    """`conversations.replies`, oldest first; the root opens every page."""
    channel = channel_to_read(workspace, asked.required("channel"))
    thread = workspace.thread(channel.id, asked.required("ts"))
    if not thread:
        raise RefusedError("thread_not_found")
    page, cursor = _page([m for m in thread[1:] if _within(m.ts, asked)], asked)
    return _listing([thread[0], *page], cursor, asked)


def open_direct(workspace: Workspace, asked: Arguments) -> Json:
    """`conversations.open`, for one person."""
    if asked.optional("channel"):
        channel = channel_to_read(workspace, asked.text("channel"))
    else:
        channel = workspace.direct(person(workspace, asked.required("users").split(",")[0]).id)
    if asked.truth("return_im"):
        return {"ok": True, "channel": channel.as_slack(workspace.bot.id)}
    return {"ok": True, "channel": {"id": channel.id}}


def show_channel(workspace: Workspace, asked: Arguments) -> Json:
    """`conversations.info`."""
    channel = workspace.find_channel(asked.required("channel"))
    if channel is None or (channel.is_private and workspace.bot.id not in channel.members):
        raise RefusedError("channel_not_found")
    return {"ok": True, "channel": channel.as_slack(workspace.bot.id)}


def _within(ts: str, asked: Arguments) -> bool:
    oldest, latest = asked.text("oldest", "0"), asked.optional("latest")
    if asked.truth("inclusive") and ts in {oldest, latest}:
        return True
    moment = float(ts)
    return float(oldest or 0) < moment and (latest is None or moment < float(latest))


def _page(messages: Sequence[Message], asked: Arguments) -> tuple[list[Message], str | None]:
    limit = asked.number("limit", _PAGE)
    if not 0 < limit <= _LONGEST_PAGE + 1:
        raise RefusedError("invalid_limit")
    start = _start(messages, asked.optional("cursor"))
    rest = messages[start + limit :]
    cursor = f"next_ts:{rest[0].ts}" if rest else None
    return list(messages[start : start + limit]), cursor and _packed(cursor)


def _start(messages: Sequence[Message], cursor: str | None) -> int:
    if cursor is None:
        return 0
    ts = _unpacked(cursor).removeprefix("next_ts:")
    positions = (at for at, message in enumerate(messages) if message.ts == ts)
    return next(positions, len(messages))


def _packed(cursor: str) -> str:
    return base64.b64encode(cursor.encode()).decode()


def _unpacked(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise RefusedError("invalid_cursor") from None


def _listing(page: Sequence[Message], cursor: str | None, asked: Arguments) -> Json:
    everything = asked.truth("include_all_metadata")
    return {
        "ok": True,
        "messages": [message.as_slack(all_metadata=everything) for message in page],
        "has_more": cursor is not None,
        "response_metadata": {"next_cursor": cursor or ""},
    }
