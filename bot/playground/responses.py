"""response_url: five late answers in half an hour, and the immediate one. No I/O."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.playground import content
from bot.playground.arguments import Arguments
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from bot.playground.messages import Json, Message
    from bot.playground.workspace import Workspace

# https://docs.slack.dev/interactivity/handling-user-interaction
LIFETIME = timedelta(minutes=30)
USES = 5


@dataclass(slots=True)
class Line:
    """One response_url: for whom it answers, and how often it still may."""

    user: str
    channel: str
    issued_at: datetime  # aware, UTC
    # What was clicked, which replace_original and delete_original mean; a command has none.
    # https://docs.slack.dev/messaging/modifying-messages
    original: Message | None = None
    used: int = field(default=0)


class Responses:
    """Every response_url that was given out."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lines: dict[str, Line] = {}

    def issue(self, user: str, channel: str, original: Message | None = None) -> str:
        """Return a new response_url."""
        path = f"respond/{self._workspace.team.id}/{secrets.token_urlsafe(16)}"
        self._lines[path] = Line(user, channel, self._workspace.clock.now(), original)
        return f"{self._workspace.address}{path}"

    def answer(self, path: str, body: str) -> None:
        """Do what a POST to the response_url asks."""
        line = self._line(path)
        line.used += 1
        self.say(line, _parsed(body))

    def answer_at_once(self, url: str, payload: Json) -> Message | None:
        """Show the payload of an acknowledgement; it does not count as a use."""
        return self.say(self._lines[url.removeprefix(self._workspace.address)], payload)

    def say(self, line: Line, payload: Json) -> Message | None:
        """Post, replace or delete, as the payload says."""
        asked = Arguments(payload)
        if asked.truth("delete_original"):
            self._delete(line)
            return None
        fields = content.read(self._workspace, asked)
        content.demand_something(fields)
        fields.setdefault("text", content.UNSHOWN if fields.get("blocks") else "")
        return self._shown(line, asked, fields)

    def _shown(self, line: Line, asked: Arguments, fields: Json) -> Message:
        current = self._current(line)
        if asked.truth("replace_original") and current:
            return self._workspace.edit(current, **{"blocks": (), "attachments": (), **fields})
        private = asked.text("response_type", "ephemeral") != "in_channel"
        draft = self._workspace.bot_draft(line.channel, **fields)
        return self._workspace.post(
            replace(
                draft,
                ephemeral_for=line.user if private else None,
                thread_ts=asked.optional("thread_ts"),
                metadata=content.metadata(asked) or None,
            )
        )

    def _delete(self, line: Line) -> None:
        current = self._current(line)
        if current:
            self._workspace.delete(current)

    def _current(self, line: Line) -> Message | None:
        if line.original is None:
            return None
        place = (line.original.channel, line.original.ts)
        return self._workspace.find_whisper(*place) or self._workspace.find(*place)

    def _line(self, path: str) -> Line:
        line = self._lines.get(path)
        if line is None or self._workspace.clock.now() - line.issued_at > LIFETIME:
            raise RefusedError("expired_url", status=404)
        if line.used >= USES:
            raise RefusedError("used_url", status=404)
        return line


def _parsed(body: str) -> Json:
    try:
        parsed = json.loads(body)
    except ValueError:
        raise RefusedError("invalid_payload", status=400) from None
    if not isinstance(parsed, dict):
        raise RefusedError("invalid_payload", status=400)
    return parsed
