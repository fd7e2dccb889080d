"""Payloads that Slack sends to apps: commands, events, interactions. Pure.

Shapes: https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/apis/events-api and
https://docs.slack.dev/reference/interaction-payloads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localslack.state.entities import Channel, User
    from localslack.state.messages import Json, Message
    from localslack.state.views import View
    from localslack.state.workspace import Workspace

VERIFICATION_TOKEN = "local-slack-verification"  # noqa: S105  (deprecated by Slack, still sent)


def command(workspace: Workspace, channel: Channel, user: User, typed: str) -> Json:
    """Return a slash command; `typed` is the whole line, escaped as Slack escapes it."""
    name, _, text = typed.partition(" ")
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text.strip(),
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
    }


def event(workspace: Workspace, inner: Json) -> Json:
    """Return the `event_callback` payload around an event."""
    authorization = {
        "enterprise_id": None,
        "team_id": workspace.team.id,
        "user_id": workspace.bot.id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team.id,
        "context_team_id": workspace.team.id,
        "context_enterprise_id": None,
        "api_app_id": workspace.app.id,
        "event": inner,
        "type": "event_callback",
        "event_id": workspace.next_id("Ev"),
        "event_time": int(workspace.clock.now().timestamp()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": workspace.next_id("4-"),
    }


def mention(workspace: Workspace, posted: Message) -> Json:
    """Return an `app_mention` event."""
    event = posted.as_slack()
    event.pop("subtype", None)
    context = {"channel": posted.channel, "event_ts": posted.ts, "team": workspace.team.id}
    return {**event, "type": "app_mention", **context}


def message(workspace: Workspace, channel: Channel, posted: Message) -> Json:
    """Return a `message` event."""
    context = {"channel": posted.channel, "event_ts": posted.ts, "channel_type": channel.kind}
    return {**posted.as_slack(), "team": workspace.team.id, **context}


def message_changed(
    workspace: Workspace, channel: Channel, message: Message, before: Message
) -> Json:
    """Return the `message_changed` event of an edit."""
    ts = workspace.next_ts()
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message.as_slack(),
        "previous_message": before.as_slack(),
        "channel": channel.id,
        "channel_type": channel.kind,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
    }


def message_deleted(workspace: Workspace, channel: Channel, before: Message) -> Json:
    """Return the `message_deleted` event of a deletion."""
    ts = workspace.next_ts()
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before.as_slack(),
        "deleted_ts": before.ts,
        "channel": channel.id,
        "channel_type": channel.kind,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
    }


def home_opened(workspace: Workspace, user: User, home: View | None) -> Json:
    """Return an `app_home_opened` event."""
    event = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": workspace.direct_channel(user.id).id,
        "event_ts": workspace.next_ts(),
        "tab": "home",
    }
    return {**event, "view": home.as_slack(workspace.team, workspace.app)} if home else event


def interaction(workspace: Workspace, kind: str, user: User) -> Json:
    """Return the fields that all interaction payloads share."""
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": workspace.app.id,
        "team": {"id": workspace.team.id, "domain": workspace.team.domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": workspace.team.id,
        },
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_origin(workspace: Workspace, source: Message) -> Json:
    """Return the fields that name the message of an interaction."""
    channel = workspace.channels[source.channel]
    container = {
        "type": "message",
        "message_ts": source.ts,
        "channel_id": channel.id,
        "is_ephemeral": source.ephemeral_for is not None,
    }
    if source.thread_ts:
        container["thread_ts"] = source.thread_ts
    origin = {"container": container, "channel": channel_summary(channel)}
    if source.ephemeral_for:
        return origin  # Slack does not send the content of an ephemeral message.
    return {**origin, "message": {**source.as_slack(), "team": workspace.team.id}}


def view_origin(workspace: Workspace, source: View) -> Json:
    """Return the fields that name the modal or Home view of an interaction."""
    container = {"type": "view", "view_id": source.id}
    return {"container": container, "view": source.as_slack(workspace.team, workspace.app)}


def channel_summary(channel: Channel) -> Json:
    """Return the channel as interaction payloads contain it."""
    return {"id": channel.id, "name": channel.payload_name}
