"""views.* methods of the Web API, and the stack of open modals. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from localslack.api import message_content
from localslack.blockkit import form_state
from localslack.blockkit.validation import view_problems
from localslack.state.errors import SlackApiError
from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.trigger_ids import TriggerIds
from localslack.state.views import View

if TYPE_CHECKING:
    from localslack.api.arguments import Arguments
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

_MAX_STACK = 3


class Views:
    """The open views, and the trigger ids that open them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.triggers = TriggerIds(workspace.clock)
        self.opened: dict[str, View] = {}

    def find(self, id_: str) -> View:
        """Return the open view of this id."""
        if id_ not in self.opened:
            raise LookupError(f"There is no open view {id_}.")
        return self.opened[id_]

    def show(self, user: str, body: Json, previous: View | None = None) -> View:
        """Open a new view for the user, stacked on the previous one."""
        id_ = self._workspace.next_id("V")
        root = previous.root_id if previous else id_
        below = previous.id if previous else None
        values = form_state.initial_values(body["blocks"])
        return self._store(View(id_, user, body, self._hash(), root, below, values))

    def replace(self, view: View, body: Json) -> View:
        """Replace the body of the view; inputs with the same ids and type keep their values."""
        values = form_state.retained_values(view.values, body["blocks"])
        return self._store(replace(view, body=body, hash=self._hash(), values=values))

    def save_values(self, view: View, values: Json) -> View:
        """Save the values that the user has entered so far."""
        updated = replace(view, values=form_state.merged(view.values, values))
        self.opened[view.id] = updated
        return updated

    def close(self, view: View) -> None:
        """Close the view; the one below is shown again."""
        self.opened.pop(view.id, None)
        self._workspace.events.publish(WorkspaceEvent(EventKind.VIEW_CLOSED, view=view))

    def clear(self, view: View) -> None:
        """Close the whole stack of the view."""
        for other in reversed([v for v in self.opened.values() if v.root_id == view.root_id]):
            self.close(other)

    def depth(self, view: View) -> int:
        """Return the number of views in the stack of this one."""
        return sum(other.root_id == view.root_id for other in self.opened.values())

    def validated(self, body: Any) -> Json:
        """Return the view with block ids. Raise SlackApiError if Slack would reject it."""
        found = view_problems(body, frozenset(self._workspace.refused_blocks))
        if found:
            raise SlackApiError("invalid_arguments", problems=tuple(found))
        blocks = message_content.with_ids(self._workspace, body["blocks"])
        return {**body, "blocks": list(blocks)}

    def _hash(self) -> str:
        return f"{self._workspace.clock.now().timestamp():.0f}.{self._workspace.next_id('h')}"

    def _store(self, view: View) -> View:
        self.opened[view.id] = view
        self._workspace.events.publish(WorkspaceEvent(EventKind.VIEW_CHANGED, view=view))
        return view

    # Web API methods.

    def open(self, arguments: Arguments) -> Json:
        """`views.open`: https://docs.slack.dev/reference/methods/views.open."""
        body = self._body(arguments)
        trigger = self.triggers.exchange(arguments.required("trigger_id"))
        return self._response(self.show(trigger.user, body))

    def push(self, arguments: Arguments) -> Json:
        """`views.push`: https://docs.slack.dev/reference/methods/views.push."""
        body = self._body(arguments)
        trigger = self.triggers.exchange(arguments.required("trigger_id"))
        below = self.opened.get(trigger.view_id or "")
        if below is None:
            raise SlackApiError("not_found")
        if self.depth(below) >= _MAX_STACK:
            raise SlackApiError("push_limit_reached")
        return self._response(self.show(trigger.user, body, below))

    def update(self, arguments: Arguments) -> Json:
        """`views.update`: https://docs.slack.dev/reference/methods/views.update."""
        body = self._body(arguments)
        view = self._addressed_view(arguments)
        if arguments.optional("hash") not in {None, view.hash}:
            raise SlackApiError("hash_conflict")
        return self._response(self.replace(view, body))

    def publish(self, arguments: Arguments) -> Json:
        """`views.publish`: https://docs.slack.dev/reference/methods/views.publish."""
        body, user = self._body(arguments), arguments.required("user_id")
        if user not in self._workspace.users:
            raise SlackApiError("user_not_found")
        home = self.home(user)
        if home and arguments.optional("hash") not in {None, home.hash}:
            raise SlackApiError("hash_conflict")
        return self._response(self.replace(home, body) if home else self.show(user, body))

    def home(self, user: str) -> View | None:
        """Return this user's Home view, if the app has published one."""
        own = (v for v in self.opened.values() if v.user == user and not v.is_modal)
        return next(own, None)

    def _body(self, arguments: Arguments) -> Json:
        body = arguments.json_object("view", "invalid_arguments")
        if body is None:
            raise SlackApiError("invalid_arguments", problems=("missing required field: view",))
        return self.validated(body)

    def _addressed_view(self, arguments: Arguments) -> View:
        external = arguments.optional("external_id")
        for view in self.opened.values():
            if view.id == arguments.optional("view_id"):
                return view
            if external and view.body.get("external_id") == external:
                return view
        raise SlackApiError("not_found")

    def _response(self, view: View) -> Json:
        return {"ok": True, "view": view.as_slack(self._workspace.team, self._workspace.app)}
