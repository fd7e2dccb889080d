"""Submitting and closing modals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localslack.blockkit.elements import interactive_elements
from localslack.client.form_validation import form_errors
from localslack.state.errors import SlackApiError
from localslack.transport import payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localslack.api.response_urls import ResponseUrls
    from localslack.api.views import Views
    from localslack.state.messages import Json
    from localslack.state.views import View
    from localslack.state.workspace import Workspace
    from localslack.transport.dispatcher import EventDispatcher
    from localslack.transport.envelopes import Ack


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """The result of a submission."""

    ok: bool
    error: str | None = None  # Slack's error code if the app did not answer correctly
    # By block id: the app's error messages, or those of Slack's client.
    errors: dict[str, str] = field(default_factory=dict)


class ModalActions:
    """A user's actions on an open modal."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        responses: ResponseUrls,
        dispatcher: EventDispatcher,
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._responses = responses
        self._dispatcher = dispatcher

    async def submit(self, view: View, values: Json | None = None) -> SubmissionResult:
        """Press Submit. Client-side validation errors do not reach the app.

        `values`, in Slack's `state.values` shape, are sent without validation.
        """
        filled = self._views.save_values(view, values or {})
        errors = form_errors(filled.blocks, filled.values) if values is None else {}
        if errors:
            return SubmissionResult(ok=False, errors=errors)
        payload = self._payload("view_submission", filled)
        payload["response_urls"] = list(self._response_urls(filled))
        ack = await self._dispatcher.send("interactive", payload)
        if not ack.ok:
            return SubmissionResult(ok=False, error=ack.error)
        return self._apply_response(filled, ack)

    async def close(self, view: View, *, cleared: bool = False) -> None:
        """Press Cancel; the app is notified only if the view has `notify_on_close`."""
        self._views.clear(view) if cleared else self._views.close(view)
        if view.body.get("notify_on_close"):
            payload = self._payload("view_closed", view) | {"is_cleared": cleared}
            await self._dispatcher.send("interactive", payload)

    def _apply_response(self, view: View, ack: Ack) -> SubmissionResult:
        response = ack.payload or {}
        if response.get("response_action") == "errors":
            return SubmissionResult(ok=False, errors=response.get("errors") or {})
        try:
            self._update_stack(view, response)
        except SlackApiError as refused:
            return SubmissionResult(ok=False, error=refused.error)
        return SubmissionResult(ok=True)

    def _update_stack(self, view: View, response: Json) -> None:
        match response.get("response_action"):
            case "update":
                self._views.replace(view, self._views.validated(response.get("view")))
            case "push":
                self._views.show(view.user, self._views.validated(response.get("view")), view)
            case "clear":
                self._views.clear(view)
            case _:
                self._views.close(view)

    def _response_urls(self, view: View) -> Iterator[Json]:
        """Yield a response_url for each conversation chosen in a `response_url_enabled` select.

        https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
        """
        for block, element in interactive_elements(view.blocks):
            ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
            state = view.values.get(ids["block_id"], {}).get(ids["action_id"], {})
            channel = state.get("selected_conversation") or state.get("selected_channel")
            if element.get("response_url_enabled") and channel in self._workspace.channels:
                url = self._responses.issue(view.user, channel)
                yield {**ids, "channel_id": channel, "response_url": url}

    def _payload(self, kind: str, view: View) -> Json:
        user = self._workspace.users[view.user]
        payload = payloads.interaction(self._workspace, kind, user)
        trigger = self._views.triggers.issue(user.id, view.id)
        return {
            **payload,
            "view": view.as_slack(self._workspace.team, self._workspace.app),
            "trigger_id": trigger,
        }
