"""response_url handling: five responses within 30 minutes, and the ack. No I/O."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from localslack.api import message_content
from localslack.api.arguments import Arguments
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from datetime import datetime

    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace

# https://docs.slack.dev/interactivity/handling-user-interaction
LIFETIME = timedelta(minutes=30)
MAX_USES = 5


@dataclass(slots=True)
class ResponseUrl:
    """One response_url: its user, channel and number of uses."""

    user: str
    channel: str
    issued_at: datetime  # aware, UTC
    # The clicked message, target of replace_original and delete_original; None for a command.
    # https://docs.slack.dev/messaging/modifying-messages
    original: Message | None = None
    used: int = field(default=0)


class ResponseUrls:
    """Every response_url that was issued."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, user: str, channel: str, original: Message | None = None) -> str:
        """Return a new response_url."""
        path = f"respond/{self._workspace.team.id}/{secrets.token_urlsafe(16)}"
        self._issued[path] = ResponseUrl(user, channel, self._workspace.clock.now(), original)
        return f"{self._workspace.address}{path}"

    def receive(self, path: str, body: str) -> None:
        """Handle a POST to the response_url. Raise SlackApiError if it is expired or used up."""
        target = self._usable(path)
        target.used += 1
        self.apply(target, _parse(body))

    def show_ack(self, url: str, payload: Json) -> Message | None:
        """Show the payload of an ack; this does not count as a use."""
        return self.apply(self._issued[url.removeprefix(self._workspace.address)], payload)

    def apply(self, target: ResponseUrl, payload: Json) -> Message | None:
        """Post, replace or delete a message, as the payload says."""
        arguments = Arguments(payload)
        if arguments.boolean("delete_original"):
            self._delete(target)
            return None
        fields = message_content.message_fields(self._workspace, arguments)
        message_content.require_content(fields)
        fields.setdefault("text", message_content.FALLBACK_TEXT if fields.get("blocks") else "")
        return self._post_or_replace(target, arguments, fields)

    def _post_or_replace(self, target: ResponseUrl, arguments: Arguments, fields: Json) -> Message:
        current = self._current(target)
        if arguments.boolean("replace_original") and current:
            return self._workspace.edit(current, **{"blocks": (), "attachments": (), **fields})
        private = arguments.text("response_type", "ephemeral") != "in_channel"
        draft = self._workspace.bot_draft(target.channel, **fields)
        return self._workspace.post(
            replace(
                draft,
                ephemeral_for=target.user if private else None,
                thread_ts=arguments.optional("thread_ts"),
                metadata=message_content.parse_metadata(arguments) or None,
            )
        )

    def _delete(self, target: ResponseUrl) -> None:
        current = self._current(target)
        if current:
            self._workspace.delete(current)

    def _current(self, target: ResponseUrl) -> Message | None:
        if target.original is None:
            return None
        key = (target.original.channel, target.original.ts)
        return self._workspace.find_ephemeral(*key) or self._workspace.find(*key)

    def _usable(self, path: str) -> ResponseUrl:
        target = self._issued.get(path)
        if target is None or self._workspace.clock.now() - target.issued_at > LIFETIME:
            raise SlackApiError("expired_url", status=404)
        if target.used >= MAX_USES:
            raise SlackApiError("used_url", status=404)
        return target


def _parse(body: str) -> Json:
    try:
        parsed = json.loads(body)
    except ValueError:
        raise SlackApiError("invalid_payload", status=400) from None
    if not isinstance(parsed, dict):
        raise SlackApiError("invalid_payload", status=400)
    return parsed
