"""View value, a modal or a Home view, and its JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localslack.state.entities import App, Team
    from localslack.state.messages import Json


@dataclass(frozen=True, slots=True)
class View:
    """One open modal, or a user's Home view."""

    id: str
    user: str
    body: Json  # as sent by the app, with block ids
    hash: str  # new with every update
    root_id: str
    previous_id: str | None = None
    values: Json = field(default_factory=dict)  # Slack's state.values

    @property
    def blocks(self) -> tuple[Json, ...]:
        """Return the blocks of the view."""
        return tuple(self.body["blocks"])

    @property
    def is_modal(self) -> bool:
        """Return whether the view is a modal, not a Home view."""
        return bool(self.body["type"] == "modal")

    def as_page(self) -> Json:
        """Return the view in the page's JSON."""
        return {**self.body, "id": self.id}

    def as_slack(self, team: Team, app: App) -> Json:
        """Return the view as the Web API and interaction payloads contain it."""
        defaults = {"title": None, "submit": None, "close": None, "private_metadata": ""}
        flags = {"callback_id": "", "external_id": "", "clear_on_close": False}
        return {
            **defaults,
            **flags,
            "notify_on_close": False,
            **self.body,
            "id": self.id,
            "team_id": team.id,
            "app_id": app.id,
            "app_installed_team_id": team.id,
            "bot_id": app.bot_id,
            "hash": self.hash,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "state": {"values": self.values},
        }
