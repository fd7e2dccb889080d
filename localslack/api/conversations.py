"""conversations.* methods of the Web API. No I/O."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from localslack.api.users import require_user
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localslack.api.arguments import Arguments
    from localslack.state.entities import Channel
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace

_PAGE = 100
_LONGEST_PAGE = 999  # https://docs.slack.dev/reference/methods/conversations.history


def channel_to_read(workspace: Workspace, name: str) -> Channel:
    """Return the channel. Raise SlackApiError if the bot may not read it."""
    channel = workspace.find_channel(name)
    if channel is None:
        raise SlackApiError("channel_not_found")
    if workspace.bot.id in channel.members:
        return channel
    # To a non-member, a private channel does not exist.
    hidden = channel.is_private or channel.is_im
    raise SlackApiError("channel_not_found" if hidden else "not_in_channel")


def channel_to_write(workspace: Workspace, name: str, *, archived: str = "is_archived") -> Channel:
    """Return the channel. Raise SlackApiError if the bot may not post to it."""
    if name in workspace.users:
        return workspace.direct_channel(name)
    channel = workspace.find_channel(name)
    if not (channel and channel.kind == "channel" and workspace.post_without_joining):
        channel = channel_to_read(workspace, name)
    if channel.is_archived:
        raise SlackApiError(archived)
    return channel


def history(workspace: Workspace, arguments: Arguments) -> Json:
    """`conversations.history`, newest first."""
    channel = channel_to_read(workspace, arguments.required("channel"))
    shown = [m for m in reversed(workspace.messages(channel.id)) if m.in_channel]
    page, cursor = _page([m for m in shown if _within(m.ts, arguments)], arguments)
    return {**_listing(page, cursor, arguments), "pin_count": 0}


def replies(workspace: Workspace, arguments: Arguments) -> Json:
    """`conversations.replies`, oldest first; every page starts with the root."""
    channel = channel_to_read(workspace, arguments.required("channel"))
    thread = workspace.thread(channel.id, arguments.required("ts"))
    if not thread:
        raise SlackApiError("thread_not_found")
    page, cursor = _page([m for m in thread[1:] if _within(m.ts, arguments)], arguments)
    return _listing([thread[0], *page], cursor, arguments)


def open_direct(workspace: Workspace, arguments: Arguments) -> Json:
    """`conversations.open`, for one person."""
    if arguments.optional("channel"):
        channel = channel_to_read(workspace, arguments.text("channel"))
    else:
        channel = workspace.direct_channel(
            require_user(workspace, arguments.required("users").split(",")[0]).id
        )
    if arguments.boolean("return_im"):
        return {"ok": True, "channel": channel.as_slack(workspace.bot.id)}
    return {"ok": True, "channel": {"id": channel.id}}


def show_channel(workspace: Workspace, arguments: Arguments) -> Json:
    """`conversations.info`."""
    channel = workspace.find_channel(arguments.required("channel"))
    if channel is None or (channel.is_private and workspace.bot.id not in channel.members):
        raise SlackApiError("channel_not_found")
    return {"ok": True, "channel": channel.as_slack(workspace.bot.id)}


def _within(ts: str, arguments: Arguments) -> bool:
    oldest, latest = arguments.text("oldest", "0"), arguments.optional("latest")
    if arguments.boolean("inclusive") and ts in {oldest, latest}:
        return True
    moment = float(ts)
    return float(oldest or 0) < moment and (latest is None or moment < float(latest))


def _page(messages: Sequence[Message], arguments: Arguments) -> tuple[list[Message], str | None]:
    limit = arguments.integer("limit", _PAGE)
    if not 0 < limit <= _LONGEST_PAGE + 1:
        raise SlackApiError("invalid_limit")
    start = _start_index(messages, arguments.optional("cursor"))
    rest = messages[start + limit :]
    cursor = f"next_ts:{rest[0].ts}" if rest else None
    return list(messages[start : start + limit]), cursor and _encode_cursor(cursor)


def _start_index(messages: Sequence[Message], cursor: str | None) -> int:
    if cursor is None:
        return 0
    ts = _decode_cursor(cursor).removeprefix("next_ts:")
    positions = (index for index, message in enumerate(messages) if message.ts == ts)
    return next(positions, len(messages))


def _encode_cursor(cursor: str) -> str:
    return base64.b64encode(cursor.encode()).decode()


def _decode_cursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SlackApiError("invalid_cursor") from None


def _listing(page: Sequence[Message], cursor: str | None, arguments: Arguments) -> Json:
    all_metadata = arguments.boolean("include_all_metadata")
    return {
        "ok": True,
        "messages": [message.as_slack(all_metadata=all_metadata) for message in page],
        "has_more": cursor is not None,
        "response_metadata": {"next_cursor": cursor or ""},
    }
