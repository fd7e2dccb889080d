"""The Web API's `reactions.*` methods, over the workspace. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.playground.conversations import channel_to_read
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from bot.playground.arguments import Arguments
    from bot.playground.messages import Json, Message
    from bot.playground.workspace import Workspace

# The shape only: which names are emoji is the workspace's own affair, for it may add some.
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?")
_TS = re.compile(r"\d+\.\d{6}")
_MOST_EMOJI = 50  # on a message: https://slack.com/help/articles/202931348
_MOST_OWN = 23  # of one person's, on a message


def add(workspace: Workspace, asked: Arguments) -> Json:
    """`reactions.add`: https://docs.slack.dev/reference/methods/reactions.add."""
    message, name = _named(workspace, asked)
    if workspace.bot.id in message.reactors(name):
        raise RefusedError("already_reacted")
    _demand_room(message, name, workspace.bot.id)
    workspace.react(message, name, workspace.bot.id)
    return {"ok": True}


def remove(workspace: Workspace, asked: Arguments) -> Json:
    """`reactions.remove`: https://docs.slack.dev/reference/methods/reactions.remove."""
    message, name = _named(workspace, asked)
    if workspace.bot.id not in message.reactors(name):
        raise RefusedError("no_reaction")
    workspace.unreact(message, name, workspace.bot.id)
    return {"ok": True}


def _named(workspace: Workspace, asked: Arguments) -> tuple[Message, str]:
    id_, ts = asked.text("channel"), asked.text("timestamp")
    if not (id_ and ts):
        raise RefusedError("no_item_specified")
    if id_ not in workspace.channels:  # Here a channel's name is no address.
        raise RefusedError("channel_not_found")
    channel = channel_to_read(workspace, id_)
    if channel.is_archived:
        raise RefusedError("is_archived")
    if not _TS.fullmatch(ts):
        raise RefusedError("bad_timestamp")
    return _found(workspace, channel.id, ts), _emoji(asked)


def _found(workspace: Workspace, channel: str, ts: str) -> Message:
    message = workspace.find(channel, ts)
    if message is None or message.tombstone:
        raise RefusedError("message_not_found")
    return message


def _emoji(asked: Arguments) -> str:
    name = asked.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise RefusedError("invalid_name")
    return name


def _demand_room(message: Message, name: str, user: str) -> None:
    names = {reaction.name for reaction in message.reactions}
    if name not in names and len(names) >= _MOST_EMOJI:
        raise RefusedError("too_many_emoji")
    if sum(user in reaction.users for reaction in message.reactions) >= _MOST_OWN:
        raise RefusedError("too_many_reactions")
