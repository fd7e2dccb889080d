"""Simulated user actions: typing, clicking, choosing, and what Slack shows for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localslack.blockkit import form_state
from localslack.blockkit.elements import interactive_elements
from localslack.blockkit.validation import options_problems
from localslack.client import composer
from localslack.client.modal_actions import ModalActions
from localslack.state.errors import SlackApiError
from localslack.state.messages import Message
from localslack.state.views import View
from localslack.transport import payloads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localslack.api.response_urls import ResponseUrls
    from localslack.api.views import Views
    from localslack.state.entities import Channel, User
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace
    from localslack.transport.dispatcher import EventDispatcher, EventSubscriptions
    from localslack.transport.envelopes import Ack

Source = Message | View


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of a user action."""

    ok: bool
    error: str | None = None  # Slack's error code: dispatch_failed, operation_timeout…
    message: Message | None = None  # the posted message, or what the command's ack showed
    payload: Json | None = None  # the payload of the app's acknowledgement
    trigger_id: str | None = None
    response_url: str | None = None


class UserActions:
    """The actions of a user in Slack's client."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        responses: ResponseUrls,
        dispatcher: EventDispatcher,
        subscriptions: EventSubscriptions,
        *,
        should_escape: bool,
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._responses = responses
        self._dispatcher = dispatcher
        self._subscriptions = subscriptions
        self._should_escape = should_escape
        self.modals = ModalActions(workspace, views, responses, dispatcher)

    async def send_text(
        self, text: str, channel: Channel, user: User, thread_ts: str | None = None
    ) -> ActionResult:
        """Type a line and press Enter; a line that starts with `/` is a slash command."""
        if text.startswith("/"):
            return await self._command(text, channel, user)
        posted = self._workspace.post(self._draft(text, channel, user, thread_ts))
        ack = await self._subscriptions.deliver_message(posted)
        return ActionResult(ack.ok, ack.error, message=posted, payload=ack.payload)

    async def use_element(self, source: Source, action: Json, user: User) -> ActionResult:
        """Use one interactive element; `action` is its item in the payload's `actions`."""
        chosen = form_state.action_values(action)
        payload = payloads.interaction(self._workspace, "block_actions", user)
        if isinstance(source, View):
            source = self._views.save_values(source, chosen)
        else:
            initial = form_state.initial_values(source.blocks)
            payload["state"] = {"values": form_state.merged(initial, chosen)}
        payload |= self._origin(source, user)
        payload["actions"] = [{**action, "action_ts": self._workspace.next_ts()}]
        return await self._interact(payload)

    def react(self, message: Message, name: str, user: User) -> Message:
        """Toggle this user's reaction with the emoji."""
        if user.id in message.reactors(name):
            return self._workspace.unreact(message, name, user.id)
        return self._workspace.react(message, name, user.id)

    async def shortcut(self, callback_id: str, user: User, message: Message | None) -> ActionResult:
        """Use a message shortcut, or a global shortcut if there is no message."""
        kind = "message_action" if message else "shortcut"
        payload = payloads.interaction(self._workspace, kind, user)
        payload |= {"callback_id": callback_id, "action_ts": self._workspace.next_ts()}
        if message is None:
            payload["trigger_id"] = self._views.triggers.issue(user.id)
            return await self._interact(payload)
        origin = self._origin(message, user)
        origin.pop("container")
        return await self._interact({**payload, **origin, "message_ts": message.ts})

    async def fill(self, view: View, answers: Mapping[str, Any]) -> View:
        """Fill in inputs, by block id or action id; `dispatch_action` inputs notify the app."""
        user = self._workspace.users[view.user]
        for name, answer in answers.items():
            now = self._views.find(view.id)
            block, element = form_state.find_input(now.blocks, name)
            action = choose(block, element, await self._resolve_option(now, element, answer, user))
            if block["type"] != "input" or block.get("dispatch_action"):
                await self.use_element(now, action, user)
            else:
                self._views.save_values(now, form_state.action_values(action))
        return self._views.find(view.id)

    async def _resolve_option(self, view: View, element: Json, answer: Any, user: User) -> Any:
        if element["type"] != "external_select" or not isinstance(answer, str):
            return answer
        options = await self.suggest(view, element["action_id"], answer, user)
        for option in options:
            if answer in {option["value"], option["text"]["text"]}:
                return option
        known = ", ".join(option["text"]["text"] for option in options)
        raise LookupError(f"{answer} is not on offer; the app suggests {known or 'nothing'}.")

    async def suggest(self, source: Source, action_id: str, typed: str, user: User) -> list[Json]:
        """Type into an external select; return the options that the app suggests."""
        found = (await self.request_options(source, action_id, typed, user)).payload or {}
        groups = [option for g in found.get("option_groups", []) for option in g["options"]]
        return [*found.get("options", []), *groups]

    async def request_options(
        self, source: Source, action_id: str, typed: str, user: User
    ) -> ActionResult:
        """Type into an external select; the result's payload holds the app's options."""
        block, element = find_element(source, action_id, None)
        payload = payloads.interaction(self._workspace, "block_suggestion", user)
        origin = self._origin(source, user)
        query = {"action_id": element["action_id"], "block_id": block["block_id"], "value": typed}
        answer = await self._interact({**payload, **origin, **query})
        problems = options_problems(answer.payload or {})
        return ActionResult(False, " ".join(problems)) if problems else answer

    def current(self, source: Source) -> Source:
        """Return the current version of the message or view."""
        if isinstance(source, View):
            return self._views.find(source.id)
        return self.current_message(source)

    def current_message(self, message: Message) -> Message:
        """Return the current version of the message."""
        key = (message.channel, message.ts)
        found = self._workspace.find_ephemeral(*key) or self._workspace.find(*key)
        if found is None:
            raise LookupError(f"The message {message.ts} was deleted.")
        return found

    def _draft(self, text: str, channel: Channel, user: User, thread_ts: str | None) -> Message:
        parent = self._workspace.find(channel.id, thread_ts or "")
        return Message(
            channel=channel.id,
            ts="",
            user=user.id,
            text=composer.event_text(self._workspace, text),
            blocks=(composer.rich_text(self._workspace, text),),
            thread_ts=parent.root_ts if parent else None,
            client_msg_id=self._workspace.next_id("client-"),
        )

    async def _command(self, text: str, channel: Channel, user: User) -> ActionResult:
        typed = composer.command_text(self._workspace, text, should_escape=self._should_escape)
        payload = payloads.command(self._workspace, channel, user, typed)
        payload["trigger_id"] = self._views.triggers.issue(user.id)
        payload["response_url"] = self._responses.issue(user.id, channel.id)
        ack = await self._dispatcher.send("slash_commands", payload)
        return self._command_result(payload, ack)

    def _command_result(self, payload: Json, ack: Ack) -> ActionResult:
        if not ack.ok:
            return self._command_failed(payload, ack.error or "dispatch_failed", ack.reason)
        ack_payload = ack.payload or {}
        try:
            has_content = bool(ack_payload.get("text") or ack_payload.get("blocks"))
            shown = (
                self._responses.show_ack(payload["response_url"], ack_payload)
                if has_content
                else None
            )
        except SlackApiError as refused:
            return self._command_failed(payload, refused.error)
        return ActionResult(True, None, shown, ack_payload or None, *_trigger_and_url(payload))

    def _command_failed(self, payload: Json, error: str, reason: str = "") -> ActionResult:
        text = f'{payload["command"]} failed with the error "{error}"'
        if reason == "connection_failed":
            text = f"{payload['command']} failed because the app did not respond"
        user, channel = payload["user_id"], payload["channel_id"]
        draft = Message(channel, "", user="USLACKBOT", text=text, ephemeral_for=user)
        return ActionResult(
            False, error, self._workspace.post(draft), None, *_trigger_and_url(payload)
        )

    async def _interact(self, payload: Json) -> ActionResult:
        ack = await self._dispatcher.send("interactive", payload)
        return ActionResult(ack.ok, ack.error, None, ack.payload, *_trigger_and_url(payload))

    def _origin(self, source: Source, user: User) -> Json:
        if isinstance(source, View):
            trigger = self._views.triggers.issue(user.id, source.id)
            origin = payloads.view_origin(self._workspace, source)
            return {**origin, "trigger_id": trigger}
        url = self._responses.issue(user.id, source.channel, source)
        trigger = self._views.triggers.issue(user.id)
        origin = payloads.message_origin(self._workspace, source)
        return {**origin, "trigger_id": trigger, "response_url": url}


def find_element(source: Source, action_id: str, value: str | None) -> tuple[Json, Json]:
    """Return (block, element) of this action id; `value` selects one of several buttons."""
    known = list(interactive_elements(source.blocks))
    for block, element in known:
        if element["action_id"] == action_id and value in {None, element.get("value")}:
            return block, element
    names = ", ".join(element["action_id"] for _, element in known)
    raise LookupError(f"Nothing there is called {action_id}; there is {names or 'nothing'}.")


def click(block: Json, element: Json) -> Json:
    """Return the `actions` item of a click on a button."""
    copied = ("type", "action_id", "text", "value", "url", "style")
    action = {name: element[name] for name in copied if name in element}
    return {"block_id": block["block_id"], **action}


def choose(block: Json, element: Json, answer: Any) -> Json:
    """Return the `actions` item of this choice or answer."""
    ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
    return {**ids, **form_state.answered_state(element, answer)}


def _trigger_and_url(payload: Json) -> tuple[str | None, str | None]:
    return payload.get("trigger_id"), payload.get("response_url")
