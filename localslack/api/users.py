"""users.* and usergroups.* methods of the Web API. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from localslack.api.arguments import Arguments
    from localslack.state.entities import User
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace


def require_user(workspace: Workspace, id_: str) -> User:
    """Return the user of this id. Raise SlackApiError if there is none."""
    if id_ not in workspace.users:
        raise SlackApiError("user_not_found")
    return workspace.users[id_]


def show_user(workspace: Workspace, arguments: Arguments) -> Json:
    """`users.info`: https://docs.slack.dev/reference/methods/users.info."""
    user = require_user(workspace, arguments.text("user"))
    return {"ok": True, "user": user.as_slack(workspace.team, workspace.clock.now())}


def list_groups(workspace: Workspace, arguments: Arguments) -> Json:
    """`usergroups.list`: https://docs.slack.dev/reference/methods/usergroups.list."""
    users, count = arguments.boolean("include_users"), arguments.boolean("include_count")
    disabled = arguments.boolean("include_disabled")
    groups = [group for group in workspace.groups.values() if disabled or not group.is_disabled]
    shown = [group.as_slack(workspace.team, users=users, count=count) for group in groups]
    return {"ok": True, "usergroups": shown}
