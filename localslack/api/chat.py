"""chat.* methods of the Web API. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localslack.api import message_content
from localslack.api.conversations import channel_to_write
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from localslack.api.arguments import Arguments
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace


def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    """`chat.postMessage`: https://docs.slack.dev/reference/methods/chat.postMessage."""
    channel = channel_to_write(workspace, arguments.required("channel"))
    fields = _new_message_fields(workspace, arguments)
    fields["broadcast"] = bool(fields.get("thread_ts")) and arguments.boolean("reply_broadcast")
    posted = workspace.post(workspace.bot_draft(channel.id, **fields))
    return {
        "ok": True,
        "channel": channel.id,
        "ts": posted.ts,
        "message": posted.as_slack(all_metadata=True),
    }


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    """`chat.postEphemeral`: https://docs.slack.dev/reference/methods/chat.postEphemeral."""
    channel = channel_to_write(workspace, arguments.required("channel"))
    user = arguments.required("user")
    if user not in channel.members:
        raise SlackApiError("user_not_in_channel")
    fields = _new_message_fields(workspace, arguments)
    posted = workspace.post(workspace.bot_draft(channel.id, ephemeral_for=user, **fields))
    return {"ok": True, "message_ts": posted.ts}


def update(workspace: Workspace, arguments: Arguments) -> Json:
    """`chat.update`: https://docs.slack.dev/reference/methods/chat.update."""
    message = _own_message(workspace, arguments, "cant_update_message")
    fields = message_content.message_fields(
        workspace, arguments, max_length=message_content.MAX_UPDATE_LENGTH
    )
    if not fields:
        raise SlackApiError("no_text")
    # Omitted blocks stay; an empty list removes them.
    message_content.require_content({"blocks": message.blocks, "text": message.text, **fields})
    if "metadata" in arguments.values:
        fields["metadata"] = message_content.parse_metadata(arguments) or None
    if arguments.boolean("reply_broadcast") and message.thread_ts:
        fields["broadcast"] = True
    edited = workspace.edit(message, **fields)
    return {
        "ok": True,
        "channel": message.channel,
        "ts": message.ts,
        "text": edited.text,
        "message": edited.as_slack(all_metadata=True),
    }


def delete(workspace: Workspace, arguments: Arguments) -> Json:
    """`chat.delete`: https://docs.slack.dev/reference/methods/chat.delete."""
    message = _own_message(workspace, arguments, "cant_delete_message")
    workspace.delete(message)
    return {"ok": True, "channel": message.channel, "ts": message.ts}


def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    """`chat.getPermalink`: https://docs.slack.dev/reference/methods/chat.getPermalink."""
    channel = workspace.find_channel(arguments.required("channel"))
    if channel is None:
        raise SlackApiError("channel_not_found")
    message = workspace.find(channel.id, arguments.required("message_ts"))
    if message is None:
        raise SlackApiError("message_not_found")
    link = f"{workspace.address}archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}


def _new_message_fields(workspace: Workspace, arguments: Arguments) -> Json:
    fields = message_content.message_fields(workspace, arguments)
    message_content.require_content(fields)
    fields.setdefault("text", message_content.FALLBACK_TEXT if fields.get("blocks") else "")
    channel = channel_to_write(workspace, arguments.required("channel"))
    return {
        **fields,
        "metadata": message_content.parse_metadata(arguments) or None,
        "client_msg_id": arguments.optional("client_msg_id"),
        "thread_ts": _thread_root(workspace, channel.id, arguments.optional("thread_ts")),
    }


def _thread_root(workspace: Workspace, channel: str, ts: str | None) -> str | None:
    if ts is None:
        return None
    found = workspace.find(channel, ts)
    if found is None:
        raise SlackApiError("thread_not_found")
    return found.root_ts


def _own_message(workspace: Workspace, arguments: Arguments, error: str) -> Message:
    name = arguments.required("channel")
    channel = channel_to_write(workspace, name, archived="is_inactive")
    message = workspace.find(channel.id, arguments.required("ts"))
    if message is None or message.tombstone:
        raise SlackApiError("message_not_found")
    if message.user != workspace.bot.id:
        raise SlackApiError(error)
    return message
