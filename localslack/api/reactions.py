"""reactions.* methods of the Web API. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localslack.api.conversations import channel_to_read
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from localslack.api.arguments import Arguments
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace

# The form only: a workspace can add emoji of its own.
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?")
_TS = re.compile(r"\d+\.\d{6}")
_MAX_EMOJI = 50  # different emoji on a message: https://slack.com/help/articles/202931348
_MAX_BY_USER = 23  # by one user, on a message


def add(workspace: Workspace, arguments: Arguments) -> Json:
    """`reactions.add`: https://docs.slack.dev/reference/methods/reactions.add."""
    message, name = _target(workspace, arguments)
    if workspace.bot.id in message.reactors(name):
        raise SlackApiError("already_reacted")
    _check_limits(message, name, workspace.bot.id)
    workspace.react(message, name, workspace.bot.id)
    return {"ok": True}


def remove(workspace: Workspace, arguments: Arguments) -> Json:
    """`reactions.remove`: https://docs.slack.dev/reference/methods/reactions.remove."""
    message, name = _target(workspace, arguments)
    if workspace.bot.id not in message.reactors(name):
        raise SlackApiError("no_reaction")
    workspace.unreact(message, name, workspace.bot.id)
    return {"ok": True}


def _target(workspace: Workspace, arguments: Arguments) -> tuple[Message, str]:
    id_, ts = arguments.text("channel"), arguments.text("timestamp")
    if not (id_ and ts):
        raise SlackApiError("no_item_specified")
    if id_ not in workspace.channels:  # This method takes no channel names.
        raise SlackApiError("channel_not_found")
    channel = channel_to_read(workspace, id_)
    if channel.is_archived:
        raise SlackApiError("is_archived")
    if not _TS.fullmatch(ts):
        raise SlackApiError("bad_timestamp")
    return _existing_message(workspace, channel.id, ts), _emoji(arguments)


def _existing_message(workspace: Workspace, channel: str, ts: str) -> Message:
    message = workspace.find(channel, ts)
    if message is None or message.tombstone:
        raise SlackApiError("message_not_found")
    return message


def _emoji(arguments: Arguments) -> str:
    name = arguments.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackApiError("invalid_name")
    return name


def _check_limits(message: Message, name: str, user: str) -> None:
    names = {reaction.name for reaction in message.reactions}
    if name not in names and len(names) >= _MAX_EMOJI:
        raise SlackApiError("too_many_emoji")
    if sum(user in reaction.users for reaction in message.reactions) >= _MAX_BY_USER:
        raise SlackApiError("too_many_reactions")
