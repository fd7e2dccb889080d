"""What happens when a person submits or closes a modal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.playground import payloads
from bot.playground.complaints import complaints
from bot.playground.content import placed
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.playground.deliveries import Deliveries
    from bot.playground.envelopes import Ack
    from bot.playground.messages import Json
    from bot.playground.responses import Responses
    from bot.playground.views import View, Views
    from bot.playground.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of submitting a modal."""

    ok: bool
    error: str | None = None  # Slack's word when the app did not answer as it should
    # By block id: the app's sentences, or those of Slack's own client.
    errors: dict[str, str] = field(default_factory=dict)


class Modals:
    """A person's way through the modals of an app."""

    def __init__(
        self, workspace: Workspace, views: Views, responses: Responses, deliveries: Deliveries
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._responses = responses
        self._deliveries = deliveries

    async def submit(self, view: View, values: Json | None = None) -> Submitted:
        """Press Submit; what is not filled in as it must be never reaches the app.

        Values given here, in Slack's `state.values` shape, are sent as they are.
        """
        filled = self._views.remember(view, values or {})
        wrong = complaints(filled.blocks, filled.values) if values is None else {}
        if wrong:
            return Submitted(ok=False, errors=wrong)
        payload = self._payload("view_submission", filled)
        payload["response_urls"] = list(self._response_urls(filled))
        ack = await self._deliveries.send("interactive", payload)
        if not ack.ok:
            return Submitted(ok=False, error=ack.error)
        return self._follow(filled, ack)

    async def close(self, view: View, *, cleared: bool = False) -> None:
        """Press Cancel; the app hears of it only if it asked to."""
        self._views.clear(view) if cleared else self._views.close(view)
        if view.body.get("notify_on_close"):
            payload = self._payload("view_closed", view) | {"is_cleared": cleared}
            await self._deliveries.send("interactive", payload)

    def _follow(self, view: View, ack: Ack) -> Submitted:
        answer = ack.payload or {}
        if answer.get("response_action") == "errors":
            return Submitted(ok=False, errors=answer.get("errors") or {})
        try:
            self._move(view, answer)
        except RefusedError as refused:
            return Submitted(ok=False, error=refused.error)
        return Submitted(ok=True)

    def _move(self, view: View, answer: Json) -> None:
        match answer.get("response_action"):
            case "update":
                self._views.replace(view, self._views.checked(answer.get("view")))
            case "push":
                self._views.show(view.user, self._views.checked(answer.get("view")), view)
            case "clear":
                self._views.clear(view)
            case _:
                self._views.close(view)

    def _response_urls(self, view: View) -> Iterator[Json]:
        """Give a response_url for each conversation that was chosen where the app wants one.

        https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
        """
        for block, element in placed(view.blocks):
            place = {"block_id": block["block_id"], "action_id": element["action_id"]}
            typed = view.values.get(place["block_id"], {}).get(place["action_id"], {})
            channel = typed.get("selected_conversation") or typed.get("selected_channel")
            if element.get("response_url_enabled") and channel in self._workspace.channels:
                url = self._responses.issue(view.user, channel)
                yield {**place, "channel_id": channel, "response_url": url}

    def _payload(self, kind: str, view: View) -> Json:
        user = self._workspace.users[view.user]
        shown = payloads.interaction(self._workspace, kind, user)
        trigger = self._views.triggers.issue(user.id, view.id)
        return {**shown, "view": view.as_slack(self._workspace), "trigger_id": trigger}
