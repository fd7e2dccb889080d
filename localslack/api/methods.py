"""Web API method table and authorisation. No I/O."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from localslack.api import chat, conversations, message_content, reactions, users
from localslack.blockkit.validation import view_problems
from localslack.state.errors import SlackApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from localslack.api.arguments import Arguments
    from localslack.api.views import Views
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

_WITHOUT_TOKEN = {"api.test", "blocks.validate"}
_WITH_APP_TOKEN = {"apps.connections.open"}


class WebApiMethods:
    """The Web API methods of a workspace, and the token that each requires."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        *,
        bot_token: str,
        app_token: str,
        issue_socket_url: Callable[[], str],
    ) -> None:
        self._bot_token = bot_token
        self._app_token = app_token
        self._methods: dict[str, Callable[[Arguments], Json]] = {
            "api.test": _echo,
            "apps.connections.open": lambda _: {"ok": True, "url": issue_socket_url()},
            "auth.test": partial(_auth_test, workspace),
            "blocks.validate": partial(_validate, workspace),
            "chat.delete": partial(chat.delete, workspace),
            "chat.getPermalink": partial(chat.get_permalink, workspace),
            "chat.postEphemeral": partial(chat.post_ephemeral, workspace),
            "chat.postMessage": partial(chat.post_message, workspace),
            "chat.update": partial(chat.update, workspace),
            "conversations.history": partial(conversations.history, workspace),
            "conversations.info": partial(conversations.show_channel, workspace),
            "conversations.open": partial(conversations.open_direct, workspace),
            "conversations.replies": partial(conversations.replies, workspace),
            "reactions.add": partial(reactions.add, workspace),
            "reactions.remove": partial(reactions.remove, workspace),
            "usergroups.list": partial(users.list_groups, workspace),
            "users.info": partial(users.show_user, workspace),
            "views.open": views.open,
            "views.publish": views.publish,
            "views.push": views.push,
            "views.update": views.update,
        }

    def call(self, method: str, token: str | None, arguments: Arguments) -> Json:
        """Check the token, call the method and return its response. Raise SlackApiError."""
        if method not in self._methods:
            raise SlackApiError("unknown_method")
        if method not in _WITHOUT_TOKEN:
            self._authorise(method, token)
        return self._methods[method](arguments)

    def _authorise(self, method: str, token: str | None) -> None:
        if not token:
            raise SlackApiError("not_authed")
        if token not in {self._bot_token, self._app_token}:
            raise SlackApiError("invalid_auth")
        if (token == self._app_token) != (method in _WITH_APP_TOKEN):
            raise SlackApiError("not_allowed_token_type")


def _auth_test(workspace: Workspace, _: Arguments) -> Json:
    return {
        "ok": True,
        "url": workspace.address,
        "team": workspace.team.name,
        "user": workspace.bot.name,
        "team_id": workspace.team.id,
        "user_id": workspace.bot.id,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def _echo(arguments: Arguments) -> Json:
    if arguments.optional("error"):
        raise SlackApiError(arguments.text("error"))
    return {"ok": True, "args": arguments.values}


def _validate(workspace: Workspace, arguments: Arguments) -> Json:
    view = arguments.json_object("view", "invalid_arguments")
    message = arguments.json_object("message", "invalid_arguments")
    blocks = arguments.json_list("blocks", "invalid_blocks_format")
    if sum(given is not None for given in (view, message, blocks)) != 1:
        raise SlackApiError("invalid_arguments")
    if view is not None:
        _require_valid(view_problems(view, frozenset(workspace.refused_blocks)))
    else:
        message_content.validated_blocks(workspace, blocks or (message or {}).get("blocks") or [])
    return {"ok": True}


def _require_valid(problems: list[str]) -> None:
    if problems:
        raise SlackApiError("invalid_blocks", problems=tuple(problems))
